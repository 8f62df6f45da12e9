"""Networks that turn images into features: Inceptions, DINOv2, CLIP, or a class that the user writes.

All are torch-fidelity feature extractors: a module that maps uint8 images (n, 3, H, W) to a tuple of
float32 features (n, d), one for each layer of its `features_list`.
"""

import hashlib
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from urllib.error import URLError

import torch
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.feature_extractor_clip import MODEL_METADATA, FeatureExtractorCLIP
from torch_fidelity.feature_extractor_dinov2 import MODEL_METADATA as DINOV2_METADATA
from torch_fidelity.feature_extractor_dinov2 import FeatureExtractorDinoV2

from shapednoise.config.data import NetworkSettings
from shapednoise.errors import UserError
from shapednoise.files import sha256_of_file
from shapednoise.metrics.inception import LOGITS, FastInception
from shapednoise.metrics.torchvision_inception import TorchvisionInception
from shapednoise.metrics.weights import DAMAGED, NO_CLASSIFIER, has_classifier

FETCH = "run `make fetch` while online (where it has been, delete weights/EXTRACTOR.json in the data folder)"
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
    with _hub_cut_off() if settings.in_hub and not online else nullcontext():
        extractor = load[settings.family](settings, weights)
    return extractor.requires_grad_(False).eval().to(device)


@contextmanager
def _hub_cut_off() -> Iterator[None]:
    """Let torch.hub use only what lies in its folder, as it does where there is no network."""

    def refuse(*_arguments: object, **_options: object) -> None:
        raise URLError("not in the folder of torch.hub")

    urlopen, torch.hub.urlopen = torch.hub.urlopen, refuse
    try:
        yield
    finally:
        torch.hub.urlopen = urlopen


def why_no_logits(network: str) -> str:
    """Why features by this network may lack what the Inception Score needs."""
    return NO_CLASSIFIER if network == NetworkSettings().network else NO_CLASSES


def digest_of(extractor: FeatureExtractorBase, weights: Path | None) -> str:
    """Hex sha256 of the weights: of their file, or of the state where the network got them by itself."""
    if weights:
        return sha256_of_file(weights)
    digest = hashlib.sha256()
    for name, value in extractor.state_dict().items():
        digest.update(name.encode() + value.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _inception(settings: NetworkSettings, weights: Path | None) -> FeatureExtractorBase:
    if weights is None:
        raise UserError("inception needs its weights; give --weights, which the rule `weights` makes")
    layers = [settings.layer or "2048"]
    try:
        if has_classifier(torch.load(weights, map_location="cpu", weights_only=True)):
            layers.append(LOGITS)
        return FastInception(layers, str(weights))
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
    try:
        return FeatureExtractorDinoV2(settings.network, ["dinov2"])
    except (*DAMAGED, OSError, URLError, ImportError, ValueError) as error:
        raise UserError(
            f"{settings.network} cannot be loaded ({_line(error)}); {FETCH} or put the repository "
            f"facebookresearch/dinov2 at {hub}/facebookresearch_dinov2_main and {model}_pretrain.pth "
            f"into {hub}/checkpoints"
        ) from error


def _clip(settings: NetworkSettings, weights: Path | None) -> FeatureExtractorBase:
    name = settings.network
    file = f"{torch.hub.get_dir()}/checkpoints/{name}-{MODEL_METADATA[name]['hash']}.pt"
    remedy = (
        f"delete {weights} and run again"
        if weights
        else f"{FETCH}, put OpenAI's weights at {file} or add sources"
    )
    try:
        return FeatureExtractorCLIP(name, ["clip"], str(weights) if weights else None, verbose=False)
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
