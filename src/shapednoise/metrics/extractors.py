"""Networks that turn images into features: Inceptions, DINOv2, CLIP, or a class that the user writes.

All are torch-fidelity feature extractors: a module that maps uint8 images (n, 3, H, W) to a tuple of
float32 features (n, d), one for each layer of its `features_list`.
"""

import hashlib
import importlib
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError

import torch
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.feature_extractor_clip import MODEL_METADATA, MODEL_URLS, FeatureExtractorCLIP
from torch_fidelity.feature_extractor_dinov2 import MODEL_METADATA as DINOV2_METADATA
from torch_fidelity.feature_extractor_dinov2 import FeatureExtractorDinoV2

from shapednoise.config.data import NetworkSettings
from shapednoise.data.archives import members
from shapednoise.errors import UserError
from shapednoise.files import read_json, sha256_of_file, sha256_of_json
from shapednoise.metrics.inception import LOGITS, FastInception
from shapednoise.metrics.torchvision_inception import TorchvisionInception
from shapednoise.metrics.weights import DAMAGED, NO_CLASSIFIER, has_classifier

FETCH = "run `make fetch` while online (where it has been, delete weights/EXTRACTOR.json in the data folder)"
# The code of DINOv2 that is run: a commit, and the sha256_of_json of its Python files' sha256 by their names.
DINOV2 = "https://github.com/facebookresearch/dinov2/archive/b8931f7bf91576930313be2c6d6af376033b35f0.zip"
DINOV2_SHA256 = "d5794c5d7ceba468c914aa3aa07e6faaba58333bc8a3206678eed393bbdc7da2"
NO_CLASSES = "the Inception Score is about the classes of the Inception network, which this extractor has not"


def load_extractor(
    weights: Path | None,
    device: torch.device,
    settings: NetworkSettings | None = None,
    online: bool = False,
) -> FeatureExtractorBase:
    """The network of these settings on a device, without gradients, in evaluation mode.

    Args:
        weights: Its file; None where torch.hub or the network itself has them.
        device: Where it computes.
        settings: Network and layer; Inception where there are none.
        online: Whether torch.hub may download what is not in its folder; jobs that compute leave that to
            the rule `hub`.

    Raises:
        UserError: The network cannot be had; the message says what to put where.
    """
    settings = settings or NetworkSettings()
    load = {
        "inception": _inception,
        "torchvision": _torchvision,
        "dinov2": _dinov2,
        "clip": _clip,
        "registered": _registered,
    }
    with _hub_with(urlopen=_refuse) if settings.in_hub and not online else nullcontext():
        extractor = load[settings.family](settings, weights)
    return extractor.requires_grad_(False).eval().to(device)


@contextmanager
def _hub_with(**functions: Callable) -> Iterator[None]:
    """Replace functions of torch.hub."""
    own = {name: getattr(torch.hub, name) for name in functions}
    vars(torch.hub).update(functions)
    try:
        yield
    finally:
        vars(torch.hub).update(own)


def _refuse(*_arguments: object, **_options: object) -> None:
    """Let torch.hub use only what lies in its folder, as it does where there is no network."""
    raise URLError("not in the folder of torch.hub")


def why_no_logits(network: str) -> str:
    """Why features by this network may lack what the Inception Score needs."""
    return NO_CLASSIFIER if network == NetworkSettings().network else NO_CLASSES


def digest_of(extractor: FeatureExtractorBase, weights: Path | None) -> str:
    """Hex sha256 of the weights: of their file, or of the state where the network got them by itself.

    Raises:
        UserError: The manifest beside the file says another one.
    """
    if weights:
        found, manifest = sha256_of_file(weights), weights.with_suffix(".json")
        recorded = read_json(manifest).get("sha256_of_weights", found) if manifest.is_file() else found
        if found != recorded:
            raise UserError(
                f"{weights} has sha256 {found}, but {recorded} when it was fetched; delete it and run again"
            )
        return found
    digest = hashlib.sha256()
    for name, value in extractor.state_dict().items():
        digest.update(name.encode() + value.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _inception(settings: NetworkSettings, weights: Path | None) -> FeatureExtractorBase:
    if weights is None:
        raise UserError("inception needs its weights; give --weights, which the rule `weights` makes")
    layers = [settings.layer or "2048"]
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        if has_classifier(state):
            layers.append(LOGITS)
        return FastInception(layers, state)
    except DAMAGED as error:
        raise UserError(f"{weights} is damaged ({_line(error)}); delete it and run again") from error


def _torchvision(settings: NetworkSettings, weights: Path | None) -> FeatureExtractorBase:
    name, folder = "inception_v3_google-0cc3c7bd.pth", f"{torch.hub.get_dir()}/checkpoints"
    try:
        return TorchvisionInception(str(weights) if weights else None)
    except (*DAMAGED, OSError, URLError) as error:
        remedy = f"delete {weights} and run again" if weights else f"{FETCH}, put {name} into {folder}"
        raise UserError(f"{settings.network} cannot be loaded ({_line(error)}); {remedy}") from error


def _dinov2(settings: NetworkSettings, weights: Path | None) -> FeatureExtractorBase:
    hub, model = torch.hub.get_dir(), DINOV2_METADATA[settings.network]
    load, load_state = torch.hub.load, torch.hub.load_state_dict_from_url
    try:
        with TemporaryDirectory(prefix="shapednoise-") as code:
            _unpack_dinov2(Path(hub), Path(code))
            of_commit = partial(load, code, source="local")
            with _hub_with(
                load=lambda _, name: of_commit(name),
                load_state_dict_from_url=partial(load_state, weights_only=True),
            ):
                return FeatureExtractorDinoV2(settings.network, ["dinov2"])
    except (*DAMAGED, OSError, URLError, ImportError, ValueError) as error:
        raise UserError(
            f"{settings.network} cannot be loaded ({_line(error)}); {FETCH} or put {DINOV2} at "
            f"{_file_of_dinov2(hub)} and {model}_pretrain.pth into {hub}/checkpoints"
        ) from error


def _file_of_dinov2(hub: str | Path) -> Path:
    return Path(hub, f"dinov2-{DINOV2.rpartition('/')[2]}")


def _unpack_dinov2(hub: Path, folder: Path) -> None:
    """Put DINOv2's code into a folder where nobody else writes. Raises UserError where it is other code."""
    archive = _file_of_dinov2(hub)
    if not archive.exists():
        hub.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(DINOV2, str(archive), progress=False)
    with members(archive) as found:
        code = {each.name.partition("/")[2]: each.read() for each in found if each.name.endswith(".py")}
    digest = sha256_of_json({name: hashlib.sha256(content).hexdigest() for name, content in code.items()})
    if digest != DINOV2_SHA256:
        raise UserError(
            f"the code in {archive} has sha256 {digest}, expected {DINOV2_SHA256}; delete it and run again"
        )
    for name, content in code.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _clip(settings: NetworkSettings, weights: Path | None) -> FeatureExtractorBase:
    """OpenAI's network. Its file is a program (TorchScript): it is opened if it is the published one."""
    name = settings.network
    sha256 = MODEL_METADATA[name]["hash"]
    file = weights or Path(torch.hub.get_dir(), "checkpoints", f"{name}-{sha256}.pt")
    remedy = (
        f"delete {weights} and run again"
        if weights
        else f"{FETCH}, put OpenAI's weights at {file} or add sources"
    )
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(MODEL_URLS[name], str(file), sha256, progress=False)
        content = file.read_bytes()
        if (found := hashlib.sha256(content).hexdigest()) != sha256:
            raise ValueError(f"sha256 {found[:16]}..., expected {sha256[:16]}...")
        return FeatureExtractorCLIP(name, ["clip"], io.BytesIO(content), verbose=False)
    except (*DAMAGED, OSError, URLError, ValueError) as error:
        raise UserError(f"{name} cannot be loaded ({_line(error)}); {remedy}") from error


def _registered(settings: NetworkSettings, weights: Path | None) -> FeatureExtractorBase:
    """An instance of package.module:Class, from the Python path or the working folder."""
    module, name = settings.network.split(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    try:
        network = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UserError(
            f"network {settings.network} is not there ({error}); put {module.replace('.', '/')}.py "
            f"with a class {name} into {here} or on PYTHONPATH"
        ) from error
    if not (isinstance(network, type) and issubclass(network, FeatureExtractorBase)):
        raise UserError(
            f"{settings.network} is no subclass of torch_fidelity's FeatureExtractorBase; make it one"
        )
    layer = settings.layer or network.get_default_feature_layer_for_metric("fid")
    if layer not in network.get_provided_features_list():
        known = ", ".join(network.get_provided_features_list())
        raise UserError(f"{settings.network} has no layer {layer!r}; known: {known}")
    return network(name, [layer], feature_extractor_weights_path=str(weights) if weights else None)


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
