"""Feature extractors: the fast Inception, networks of torch-fidelity and of the user, resumed extractions."""

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision
from torch_fidelity.feature_extractor_clip import MODEL_METADATA, CLIPVisual
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

from shapednoise.analysis.pca import color_pca
from shapednoise.config.data import NetworkSettings
from shapednoise.errors import UserError
from shapednoise.files import sha256_of_json
from shapednoise.metrics import extractors
from shapednoise.metrics.extractors import load_extractor
from shapednoise.metrics.features import CHUNK_IMAGES, extract, read_features
from shapednoise.metrics.inception import resize
from shapednoise.workflow.cli import settings_from
from tests.unit.data.archives import write_zip
from tests.unit.metrics.test_weights import Hostile

CPU = torch.device("cpu")
NETWORK = '''
"""A network of the user's own: random projections of the pixels."""

import os
import signal
from pathlib import Path

import torch
import torchvision
from torch_fidelity.feature_extractor_base import FeatureExtractorBase


class Projection(FeatureExtractorBase):
    def __init__(self, name, features_list, feature_extractor_weights_path=None, **kwargs):
        super().__init__(name, features_list)
        self.linear = torch.nn.Linear(192, 12, bias=False)
        torch.manual_seed(0)
        torch.nn.init.normal_(self.linear.weight)
        if feature_extractor_weights_path:
            self.load_state_dict(torch.load(feature_extractor_weights_path))

    def forward(self, images):
        stop = Path("stop-after")
        done = int(Path("done").read_text()) if Path("done").exists() else 0
        if stop.exists() and done >= int(stop.read_text()):
            os.kill(os.getpid(), signal.SIGKILL)
        Path("done").write_text(str(done + len(images)))
        return (self.linear(images.flatten(1).float() / 255),)

    @staticmethod
    def get_provided_features_list():
        return ("projected",)

    @staticmethod
    def get_default_feature_layer_for_metric(metric):
        return "projected"


class Nothing:
    pass
'''
PROJECTION = '{"network": "mine.network:Projection", "batch_size": 100}'


@pytest.fixture
def folder(tmp_path) -> Path:
    """A working folder with a network of the user's own and two sets of images."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "network.py").write_text(NETWORK)
    rng = np.random.default_rng(0)
    real = rng.integers(0, 256, (5000, 3, 8, 8), np.uint8)
    np.save(tmp_path / "real.npy", real)
    (tmp_path / "pca.json").write_text(json.dumps(color_pca(real)))
    np.save(tmp_path / "generated.npy", rng.integers(0, 200, (600, 3, 8, 8), np.uint8))
    return tmp_path


@pytest.fixture
def script(repository, folder):
    """Run a script of the project in that folder, without a network."""

    def run(name: str, *arguments: str, code: int = 0) -> str:
        environment = os.environ | {
            "PYTHONPATH": str(repository / "src"), "OMP_NUM_THREADS": "1",
            "TORCH_HOME": str(folder / "torch"), "https_proxy": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1",
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, str(repository / "scripts" / f"{name}.py"), *arguments],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr[-3000:]
        return done.stderr

    return run


@pytest.mark.parametrize("size", [(32, 32), (28, 40), (64, 64)])
def test_the_resize_is_that_of_torch_fidelity(size):
    images = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    expected = interpolate_bilinear_2d_like_tensorflow1x(images, (299, 299), align_corners=False)
    torch.testing.assert_close(resize(images, 299), expected, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_the_fast_network_computes_what_torch_fidelitys_does(inception_weights):
    layers = ["64", "192", "768", "2048", "logits_unbiased"]
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 3, 32, 32), np.uint8))
    expected = FeatureExtractorInceptionV3("inception", layers, str(inception_weights))(images)
    for layer, values in zip(layers, expected, strict=True):
        wanted = NetworkSettings(layer=None if layer == "logits_unbiased" else layer)
        extractor = load_extractor(inception_weights, CPU, wanted)
        found = extractor(images)[extractor.features_list.index(layer)]
        assert (found - values).abs().max() < 1e-4 * values.abs().max(), layer


@pytest.mark.slow
def test_images_by_a_network_of_the_users_own_are_scored_end_to_end(script, folder):
    for name in ("real", "generated"):
        script("features", "--images", f"{name}.npy", "--extractor", PROJECTION, "--output", f"{name}.npz")
    features, record = read_features(folder / "generated.npz")
    assert features["features"].shape == (600, 12) and features["features"].dtype == np.float32
    assert (record["network"], record["layer"]) == ("mine.network:Projection", "projected")
    assert record["batch_size"] == 100 and record["device"] in ("cpu", "cuda")
    shown = script(
        "scores", "--generated", "generated.npz", "--images", "generated.npy", "--real", "real.npz",
        "--pca", "pca.json", "--extractor", "mine",
        "--scoring", '{"kid_subsets": 5, "kid_subset_size": 100}', "--output", "scores.json",
    )  # fmt: skip
    scores = json.loads((folder / "scores.json").read_text())
    assert scores["extractor"] == "mine" and scores["extraction"] == record
    assert scores["fid"] > 0 and scores["fid_se"] > 0 and 0 <= scores["coverage"] <= 1
    assert scores["is"] is None and "classes of the Inception network" in scores["is_missing"]
    assert 0 < scores["variance_along_v"] < scores["data_variance_along_v"]
    [warning] = scores["warnings"]
    assert "only 600 generated images" in warning and warning in shown


@pytest.mark.slow
def test_features_of_different_networks_are_not_compared(script, folder):
    script("features", "--images", "real.npy", "--extractor", PROJECTION, "--output", "real.npz")
    torch.save({"linear.weight": torch.ones(12, 192)}, folder / "other.pth")
    command = ["features", "--images", "generated.npy", "--extractor", PROJECTION, "--weights", "other.pth"]
    script(*command, "--output", "generated.npz")
    shown = script(
        "scores", "--generated", "generated.npz", "--images", "generated.npy", "--real", "real.npz",
        "--pca", "pca.json", "--extractor", "mine",
        "--scoring", "{}", "--output", "scores.json", code=2,
    )  # fmt: skip
    assert "error: generated.npz and real.npz are features by different networks" in shown
    assert not (folder / "scores.json").exists()


@pytest.mark.parametrize(
    ("extractor", "message"),
    [
        ({"network": "mine.absent:A"}, "network mine.absent:A is not there"),
        ({"network": "mine.network:Absent"}, "put mine/network.py with a class Absent into"),
        ({"network": "mine.network:Nothing"}, "no subclass of torch_fidelity's FeatureExtractorBase"),
        ({"network": "mine.network:Projection", "layer": "a"}, "has no layer 'a'; known: projected"),
        ({"network": "dinov2-vit-s-14"}, ".zip and dinov2_vits14_pretrain.pth into "),
        (
            {"network": "clip-vit-b-32"},
            "torch/hub/checkpoints/clip-vit-b-32-40d365715913c9da",
        ),
        ({"network": "inception"}, "inception needs its weights; give --weights"),
        ({"network": "alexnet"}, "there is no network 'alexnet'"),
    ],
)
def test_a_network_that_cannot_be_had_is_one_line(folder, monkeypatch, extractor, message):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setenv("TORCH_HOME", str(folder / "torch"))
    with pytest.raises((UserError, argparse.ArgumentTypeError)) as caught:
        load_extractor(None, CPU, settings_from(NetworkSettings)(json.dumps(extractor)))
    assert message in str(caught.value) and "\n" not in str(caught.value)
    for module in ("mine.network", "mine"):
        sys.modules.pop(module, None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "message"), [("alexnet", "there is no network"), ("mine.absent:A", "is not")]
)
def test_a_script_without_its_network_says_so_in_one_line(script, folder, network, message):
    shown = script(
        "features", "--images", "generated.npy", "--extractor", json.dumps({"network": network}),
        "--output", "features.npz", code=2,
    )  # fmt: skip
    last = shown.strip().splitlines()[-1]
    assert "error: " in last and message in last and "Traceback" not in shown
    assert not (folder / "features.npz").exists()


HUB = """
dependencies = ["torch"]
import torch
from network.layers import network


def dinov2_vits14(pretrained=True):
    made = network()
    url = "https://example.org/dinov2_vits14_pretrain.pth"
    made.load_state_dict(torch.hub.load_state_dict_from_url(url, map_location="cpu"))
    return made
"""
LAYERS = """
import torch


def network():
    return torch.nn.Sequential(torch.nn.AvgPool2d(56), torch.nn.Flatten(), torch.nn.Linear(48, 7))
"""


@pytest.fixture
def hub_config(folder) -> list[str]:
    """Options of scripts/hub.py for an extractor `dinov2` and one `clip`."""
    networks = {"dinov2": {"network": "dinov2-vit-s-14"}, "clip": {"network": "clip-vit-b-32"}}
    (folder / "config.json").write_text(json.dumps({"offline": False, "extractors": networks}))
    return ["--config", "config.json", "--manifest", "manifest.json"]


@pytest.mark.parametrize("network", ["dinov2-vit-s-14", "clip-vit-b-32"])
def test_torch_hub_goes_online_only_where_it_may(tmp_path, monkeypatch, network):
    asked = []

    def urlopen(request, *_):
        asked.append(request)
        raise URLError("no route")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "urlopen", urlopen)
    settings = NetworkSettings(network=network)
    with pytest.raises(UserError, match="run `make fetch` while online"):
        load_extractor(None, CPU, settings)
    assert asked == [] and torch.hub.urlopen is urlopen
    with pytest.raises(UserError, match="cannot be loaded"):
        load_extractor(None, CPU, settings, online=True)
    assert asked


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "wanted"), [("dinov2", ".zip and dinov2_vits14"), ("clip", "put OpenAI's weights")]
)
def test_offline_a_network_that_torch_hub_has_not_is_one_line(script, folder, hub_config, name, wanted):
    shown = script("hub", name, *hub_config, "--offline", code=2)
    [line] = [line for line in shown.splitlines() if line.startswith("error: ")]
    assert "not in" in line or "no internet" in line
    assert wanted in line and not (folder / "manifest.json").exists()


@pytest.fixture
def dinov2(tmp_path, monkeypatch) -> Path:
    """The folder of torch.hub with code and weights of a small network in the place of DINOv2."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    files = {"hubconf.py": HUB.encode(), "network/__init__.py": b"", "network/layers.py": LAYERS.encode()}
    digest = sha256_of_json({name: hashlib.sha256(content).hexdigest() for name, content in files.items()})
    monkeypatch.setattr(extractors, "DINOV2_SHA256", digest)
    hub = tmp_path / "hub"
    (hub / "checkpoints").mkdir(parents=True)
    packed = {f"dinov2-1/{name}": content for name, content in files.items()}
    write_zip(hub / f"dinov2-{extractors.DINOV2.rpartition('/')[2]}", packed | {"dinov2-1/README.md": b"."})
    torch.manual_seed(0)
    weights = {"2.weight": torch.randn(7, 48), "2.bias": torch.zeros(7)}
    torch.save(weights, hub / "checkpoints" / "dinov2_vits14_pretrain.pth")
    yield hub
    for module in ("network.layers", "network"):
        sys.modules.pop(module, None)


def test_dinov2_comes_from_the_folder_of_torch_hub_without_a_network(dinov2):
    settings = NetworkSettings(network="dinov2-vit-s-14")
    images = np.random.default_rng(0).integers(0, 256, (4, 3, 32, 32), np.uint8)
    functions = torch.hub.load, torch.hub.load_state_dict_from_url
    extractor = load_extractor(None, CPU, settings)
    features = extract(extractor, images, np.arange(4), 4)["features"]
    assert features.shape == (4, 7) and features.std() > 0
    assert (torch.hub.load, torch.hub.load_state_dict_from_url) == functions
    again = load_extractor(None, CPU, settings)
    assert extractors.digest_of(extractor, None) == extractors.digest_of(again, None)


def test_other_code_in_the_place_of_dinov2_is_not_run(dinov2, tmp_path):
    [archive] = dinov2.glob("*.zip")
    hostile = f"open({str(tmp_path / 'was-here')!r}, 'w')\n{HUB}"
    write_zip(archive, {"dinov2-1/hubconf.py": hostile.encode(), "dinov2-1/network.py": LAYERS.encode()})
    with pytest.raises(UserError, match=r"the code in .*\.zip has sha256 \w+, expected \w+; delete it"):
        load_extractor(None, CPU, NetworkSettings(network="dinov2-vit-s-14"))
    old = dinov2 / "facebookresearch_dinov2_main"  # where torch.hub keeps what it downloads by itself
    old.mkdir()
    (old / "hubconf.py").write_text(hostile)
    with pytest.raises(UserError):
        load_extractor(None, CPU, NetworkSettings(network="dinov2-vit-s-14"))
    assert not (tmp_path / "was-here").exists()


def test_a_pickle_in_the_place_of_dinov2s_weights_is_not_run(dinov2, tmp_path):
    torch.save(Hostile(tmp_path / "was-here"), dinov2 / "checkpoints" / "dinov2_vits14_pretrain.pth")
    with pytest.raises(UserError, match="dinov2-vit-s-14 cannot be loaded"):
        load_extractor(None, CPU, NetworkSettings(network="dinov2-vit-s-14"))
    assert not (tmp_path / "was-here").exists()


def test_a_pickle_in_the_place_of_torchvisions_weights_is_not_run(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(Hostile(tmp_path / "was-here"), folder / "inception_v3_google-0cc3c7bd.pth")
    with pytest.raises(UserError, match="cannot be loaded"):
        load_extractor(None, CPU, NetworkSettings(network="torchvision-inception"))
    assert not (tmp_path / "was-here").exists()


def test_weights_that_changed_since_they_were_fetched_are_refused(tmp_path):
    weights = tmp_path / "inception.pth"
    weights.write_bytes(b"weights")
    found = extractors.digest_of(None, weights)
    for record in ({"source": "of an older version"}, {"sha256_of_weights": found}):
        (tmp_path / "inception.json").write_text(json.dumps(record))
        assert extractors.digest_of(None, weights) == found == hashlib.sha256(b"weights").hexdigest()
    weights.write_bytes(b"others")
    with pytest.raises(UserError, match=rf"has sha256 \w+, but {found} when it was fetched; delete"):
        extractors.digest_of(None, weights)


class Clip(torch.nn.Module):
    """A CLIP of one layer, with what OpenAI's files have beside the pictures' side."""

    def __init__(self) -> None:
        super().__init__()
        self.visual = CLIPVisual(6, 32, 1, 64, 16).visual
        self.text_projection = torch.nn.Parameter(torch.zeros(5, 6))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.visual(images) @ self.text_projection.T


@pytest.mark.filterwarnings("ignore")  # tracing is deprecated, and OpenAI's files are traced
def test_clip_is_loaded_from_its_file_or_that_of_torch_hub(tmp_path, monkeypatch):
    torch.jit.trace(Clip().eval(), torch.rand(1, 3, 32, 32)).save(tmp_path / "clip.pt")
    with pytest.raises(UserError, match=r"cannot be loaded \(sha256 \w+\.\.\., expected 40d365715913c9da"):
        load_extractor(tmp_path / "clip.pt", CPU, NetworkSettings(network="clip-vit-b-32"))
    digest = hashlib.sha256((tmp_path / "clip.pt").read_bytes()).hexdigest()
    monkeypatch.setitem(MODEL_METADATA["clip-vit-b-32"], "hash", digest)
    extractor = load_extractor(tmp_path / "clip.pt", CPU, NetworkSettings(network="clip-vit-b-32"))
    images = np.random.default_rng(0).integers(0, 256, (5, 1, 16, 16), np.uint8)
    features = extract(extractor, images, np.arange(5), 2)["features"]
    assert features.shape == (5, 6) and np.isfinite(features).all() and features.std() > 0
    hub = tmp_path / "hub" / "checkpoints"
    hub.mkdir(parents=True)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (hub / f"clip-vit-b-32-{digest}.pt").write_bytes((tmp_path / "clip.pt").read_bytes())
    of_hub = load_extractor(None, CPU, NetworkSettings(network="clip-vit-b-32"))
    np.testing.assert_array_equal(extract(of_hub, images, np.arange(5), 2)["features"], features)
    (tmp_path / "bad.pt").write_bytes(b"no network")
    with pytest.raises(UserError, match="clip-vit-b-32 cannot be loaded"):
        load_extractor(tmp_path / "bad.pt", CPU, NetworkSettings(network="clip-vit-b-32"))


@pytest.mark.slow
def test_an_extraction_that_was_killed_goes_on_to_the_same_features(script, folder):
    command = ["features", "--images", "real.npy", "--extractor", PROJECTION]
    script(*command, "--output", "undisturbed.npz")
    resumable = [*command, "--checkpoints", "work", "--output", "features.npz"]
    size = CHUNK_IMAGES // 100 * 100
    (folder / "done").unlink()
    (folder / "stop-after").write_text(str(size + 100))
    script(*resumable, code=-signal.SIGKILL)
    assert not (folder / "features.npz").exists()
    (folder / "stop-after").unlink()
    (folder / "done").unlink()
    script(*resumable)
    assert int((folder / "done").read_text()) == 5000 - size  # the first ones were not done again
    assert not (folder / "work").exists()
    one, other = (read_features(folder / f"{name}.npz")[0] for name in ("undisturbed", "features"))
    np.testing.assert_array_equal(one["features"], other["features"])


@pytest.mark.slow
@pytest.mark.parametrize("change", ["images", "weights", "batch_size"])
def test_interrupted_work_on_something_else_is_said_and_not_used(script, folder, change):
    command = ["features", "--images", "real.npy", "--checkpoints", "work", "--output", "features.npz"]
    size = CHUNK_IMAGES // 100 * 100
    (folder / "stop-after").write_text(str(size + 100))
    script(*command, "--extractor", PROJECTION, code=-signal.SIGKILL)
    (folder / "stop-after").unlink()
    (folder / "done").unlink()
    extractor, more = PROJECTION, []
    if change == "images":
        images = np.load(folder / "real.npy")
        images[4999] = 0
        np.save(folder / "real.npy", images)
    elif change == "weights":
        torch.save({"linear.weight": torch.ones(12, 192)}, folder / "other.pth")
        more = ["--weights", "other.pth"]
    else:
        extractor = PROJECTION.replace("100", "50")
    shown = script(*command, "--extractor", extractor, *more)
    assert "work is of other inputs, settings or code; it is done anew" in shown
    assert int((folder / "done").read_text()) == 5000


def test_the_inception_of_torchvision_is_as_the_published_score_takes_it(tmp_path):
    """torchvision's own network on its own preprocessing; missing weights are named."""
    torch.manual_seed(0)
    network = torchvision.models.inception_v3(weights=None, init_weights=False).eval()
    torch.save(network.state_dict(), tmp_path / "imagenet.pth")
    images = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    scale = torch.nn.Upsample(size=(299, 299), mode="bilinear", align_corners=False)
    normalize = torchvision.transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    settings = NetworkSettings(network="torchvision-inception")
    extractor = load_extractor(tmp_path / "imagenet.pth", CPU, settings)
    found = extract(extractor, images.numpy(), np.arange(3), 3)
    with torch.inference_mode():
        expected = network(normalize(scale(images.float() / 255)))
    np.testing.assert_allclose(found["logits"], expected.numpy(), rtol=1e-4, atol=1e-4)
    assert found["features"].shape == (3, 2048)


def test_missing_and_damaged_weights_of_torchvision_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    settings = NetworkSettings(network="torchvision-inception")
    with pytest.raises(UserError, match=r"inception_v3_google-0cc3c7bd.pth into .*checkpoints"):
        load_extractor(None, CPU, settings)
    (tmp_path / "broken.pth").write_bytes(b"no weights")
    with pytest.raises(UserError, match=r"broken.pth and run again"):
        load_extractor(tmp_path / "broken.pth", CPU, settings)
