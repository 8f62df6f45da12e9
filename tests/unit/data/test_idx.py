"""MNIST's format, built here with random pixels: by itself and inside a Debian package."""

import gzip
import hashlib
import io
import struct
import tarfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from shapednoise.data import archives as limits
from shapednoise.data.idx import framed
from tests.unit.data import archives
from tests.unit.data.archives import add, write_folder, write_zip

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 28, 28), np.uint8)
PADDED = np.pad(PIXELS, ((0, 0), (2, 2), (2, 2)))
SETTINGS = {"reader": "idx", "channels": 1, "images": 40}
PLACE = "./usr/share/datasets/pictures/"


def idx(count: int = 40, magic: int = 0x803, pixels: np.ndarray = PIXELS) -> bytes:
    return gzip.compress(struct.pack(">4I", magic, count, *pixels.shape[1:]) + pixels.tobytes(), mtime=0)


def idx_labels(labels: bytes, count: int = 40, magic: int = 0x801) -> bytes:
    return gzip.compress(struct.pack(">2I", magic, count) + labels)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def read(archive: Path, tmp_path: Path, **changes):
    return archives.read(archive, tmp_path, **SETTINGS | changes)


def refused(archive: Path, tmp_path: Path, match: str, **changes) -> None:
    archives.refused(archive, tmp_path, match, **SETTINGS | changes)


def debian(path: Path, files: dict[str, bytes], kind: str = "xz") -> Path:
    """A Debian package: an ar archive of three members, each padded to an even length."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{kind}", format=tarfile.GNU_FORMAT) as tar:
        for name, content in files.items():
            add(tar, name, content)
        link = tarfile.TarInfo("./usr/link")
        link.type, link.linkname = tarfile.SYMTYPE, "large"
        tar.addfile(link)
    data = f"data.tar.{kind}".rstrip(".")
    members = {"debian-binary": b"2.0\n", "control.tar.gz": b"odd", data: buffer.getvalue()}
    package = b"!<arch>\n"
    for name, content in members.items():
        package += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
        package += content + b"\n" * (len(content) % 2)
    return write(path, package)


def package(tmp_path: Path, kind: str = "xz", labels: bytes | None = None, **others: bytes) -> Path:
    """A Debian package with the pictures, and labels beside them."""
    files = {f"./usr/{name}": content for name, content in others.items()}
    files[f"{PLACE}train-images-idx3-ubyte.gz"] = idx()
    if labels is not None:
        files[f"{PLACE}train-labels-idx1-ubyte.gz"] = labels
    return debian(tmp_path / "deb-pictures", files, kind)  # downloads are kept without a suffix


def test_pictures_are_in_the_middle_of_black_ones(tmp_path):
    images, content = read(write(tmp_path / "train.gz", idx()), tmp_path)
    assert content == (hashlib.sha256(PADDED.tobytes()).hexdigest(), 40, None)
    np.testing.assert_array_equal(images, PADDED[:, None])
    further, _ = read(write(tmp_path / "train.gz", idx()), tmp_path, images=30)
    np.testing.assert_array_equal(further[:, 0], PADDED[:30])


def test_an_odd_gap_and_none_at_all():
    np.testing.assert_array_equal(framed(PIXELS, 28), PIXELS)
    np.testing.assert_array_equal(framed(PIXELS, 31)[:, 1:29, 1:29], PIXELS)
    np.testing.assert_array_equal(framed(PIXELS[:, :26], 28)[:, 1:27], PIXELS[:, :26])


def test_a_smaller_size_is_the_means_of_the_padded_pictures(tmp_path):
    images, _ = read(write(tmp_path / "train.gz", idx()), tmp_path, size=16)
    blocks = PADDED.reshape(-1, 16, 2, 16, 2).astype(int).sum((2, 4))
    assert np.abs(4 * images[:, 0].astype(int) - blocks).max() <= 2


@pytest.mark.parametrize(
    ("content", "changes", "message"),
    [
        (idx(), {"images": 50}, "holds 40 images, the config says 50"),
        (idx(count=50), {"images": 50}, r"is damaged .*delete it and run again"),
        (idx(count=30), {"images": 30}, "holds more than the 30 images that it says"),
        (idx(magic=0x801), {}, r"is no idx3-ubyte file \(it begins with 0x801\)"),
        (idx()[:2000], {}, "is damaged"),
        (idx()[:-3], {}, "is damaged"),
        (gzip.compress(b"short", mtime=0), {}, "is damaged"),
        (b"<html>no such file</html>", {}, r"is no idx3-ubyte file \(it begins with 0x3c68746d\)"),
        (b"!<arch>\nno package", {}, "is damaged"),
        (b"!<arch>\n", {}, r"has no data\.tar, \.gz or \.xz; use another source"),
    ],
    ids=[
        *("too few", "fewer than it says", "more than it says", "labels"),
        *("cut", "cut at the end", "no header", "a page", "no package", "empty package"),
    ],
)
def test_what_is_wrong_is_one_clear_line(tmp_path, content, changes, message):
    refused(write(tmp_path / "train.gz", content), tmp_path, message, **changes)


@pytest.mark.parametrize("kind", ["xz", "gz", ""])
def test_a_debian_package_gives_the_same_array_and_its_labels_are_counted(tmp_path, kind):
    archive = package(tmp_path, kind, idx_labels(bytes(range(4)) * 10))
    images, content = read(archive, tmp_path, per_class=10)
    np.testing.assert_array_equal(images[:, 0], PADDED)
    assert content.classes == {"0": 10, "1": 10, "2": 10, "3": 10}
    assert read(package(tmp_path, kind), tmp_path)[1].classes is None
    with_labels = package(tmp_path, kind, idx_labels(bytes(range(4)) * 10))
    (tmp_path / "out" / "images.npy").unlink()
    refused(with_labels, tmp_path, "has 10, 10, 10, 10 images of its classes", per_class=(9, 11, 10, 10))


@pytest.mark.parametrize(
    ("magic", "count", "labels", "message"),
    [
        (0x801, 39, 39, "has not one label for each of its 40 images; get it again"),
        (0x801, 40, 39, "has not one label for each of its 40 images"),
        (0x801, 40, 41, "has not one label for each of its 40 images"),
        (0x801, 2**32 - 1, 64 << 20, "has not one label for each of its 40 images"),
        (0x803, 40, 40, "the labels of .* begin with 0x803, not 0x801; get it again"),
    ],
    ids=["fewer", "fewer than it says", "more than it says", "far more", "pictures"],
)
def test_labels_that_are_not_those_of_the_pictures(tmp_path, magic, count, labels, message):
    archive = package(tmp_path, labels=idx_labels(bytes(labels), count, magic))
    tracemalloc.start()
    refused(archive, tmp_path, message, images=None)
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


def test_the_other_files_of_a_debian_package_are_passed_over_in_little_memory(tmp_path):
    archive = package(tmp_path, large=bytes(64 << 20))
    tracemalloc.start()
    read(archive, tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("limit", "match"), [("LARGEST_FILE", "more than 4 MiB"), ("LARGEST_TOTAL", "unpack to")]
)
def test_a_debian_package_beyond_the_limits(tmp_path, monkeypatch, limit, match):
    monkeypatch.setattr(limits, limit, 4 << 20)
    refused(package(tmp_path, large=bytes(8 << 20)), tmp_path, f"is unsafe: .*{match}")


@pytest.mark.parametrize("kept", [100, 20_000, -100])
def test_a_debian_package_that_is_cut_is_damaged(tmp_path, kept):
    archive = package(tmp_path)
    archive.write_bytes(archive.read_bytes()[:kept])
    refused(archive, tmp_path, r"is damaged \(.*\); delete it")


def test_a_debian_package_with_altered_bytes_is_damaged(tmp_path):
    archive = package(tmp_path)
    content = bytearray(archive.read_bytes())
    content[10_000:10_010] = bytes(10)
    refused(write(archive, content), tmp_path, "is damaged")


def test_a_debian_package_of_something_else_is_refused(tmp_path):
    archive = debian(tmp_path / "other.deb", {"./usr/share/doc/other.gz": idx()})
    refused(archive, tmp_path, r"has no train-images-idx3-ubyte\.gz")


@pytest.mark.parametrize("packed", [True, False], ids=["gzipped", "plain"])
@pytest.mark.parametrize("write_files", [write_zip, write_folder])
@pytest.mark.parametrize("mark", ["-", "."])
def test_a_zip_and_a_directory_as_others_pack_them(tmp_path, packed, write_files, mark):
    """Torchvision's folder has both forms; elsewhere there is a folder with a file of its own name."""
    unpack = bytes if packed else gzip.decompress
    suffix = ".gz" if packed else ""
    files = {
        f"raw/train-images{mark}idx3-ubyte{suffix}": unpack(idx()),
        f"raw/t10k-images{mark}idx3-ubyte{suffix}": unpack(idx(30)),
        "train-images-idx3-ubyte/train-images-idx3-ubyte": gzip.decompress(idx()),
        f"raw/train-labels{mark}idx1-ubyte{suffix}": unpack(idx_labels(bytes(range(4)) * 10)),
    }
    images, content = read(write_files(tmp_path / "raw", files), tmp_path)
    np.testing.assert_array_equal(images[:, 0], PADDED)
    assert content.classes == {"0": 10, "1": 10, "2": 10, "3": 10}


def test_a_file_that_is_not_gzipped(tmp_path):
    images, _ = read(write(tmp_path / "train-images.idx3-ubyte", gzip.decompress(idx())), tmp_path)
    np.testing.assert_array_equal(images[:, 0], PADDED)
    short = write(tmp_path / "short", gzip.decompress(idx())[:-3])
    (tmp_path / "out" / "images.npy").unlink()
    refused(short, tmp_path, "is damaged")


def test_a_zip_of_several_sets_is_not_guessed_at(tmp_path):
    files = {f"emnist-{name}-train-images-idx3-ubyte.gz": idx() for name in ("letters", "digits")}
    refused(write_zip(tmp_path / "a.zip", files), tmp_path, "several sets, emnist-digits-, emnist-letters-;")
    refused(write_zip(tmp_path / "b.zip", {"0.png": b""}), tmp_path, "has no train-images-idx3-ubyte")


def test_a_thin_picture_becomes_no_huge_square(tmp_path):
    thin = np.zeros((2, 1, 1 << 20), np.uint8)
    archive = write(tmp_path / "thin.gz", idx(count=2, pixels=thin))
    refused(archive, tmp_path, "pictures of 1 x 1048576, beyond 8192", images=2)
