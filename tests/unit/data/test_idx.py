"""MNIST's format, built here with random pixels: by itself and inside a Debian package."""

import gzip
import hashlib
import shutil
import struct
import subprocess
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from shapednoise.config.data import ImagesSettings
from shapednoise.data import archives as limits
from shapednoise.data.idx import pad
from shapednoise.data.images import load_images
from shapednoise.data.preprocess import preprocess_archive
from shapednoise.errors import UserError

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 28, 28), np.uint8)
PADDED = np.pad(PIXELS, ((0, 0), (2, 2), (2, 2)))


def settings(**changes) -> ImagesSettings:
    return ImagesSettings(**{"reader": "idx", "channels": 1, "images": 40, "size": 32, **changes})


def idx(count: int = 40, magic: int = 0x803, pixels: np.ndarray = PIXELS) -> bytes:
    return gzip.compress(struct.pack(">4I", magic, count, *pixels.shape[1:]) + pixels.tobytes(), mtime=0)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_pictures_are_in_the_middle_of_black_ones(tmp_path):
    archive = write(tmp_path / "train.gz", idx())
    content = preprocess_archive(archive, settings(), tmp_path / "images.npy")
    assert content == (hashlib.sha256(PADDED.tobytes()).hexdigest(), 40, None)
    np.testing.assert_array_equal(load_images(tmp_path / "images.npy"), PADDED[:, None])


def test_an_odd_gap_and_none_at_all():
    np.testing.assert_array_equal(pad(PIXELS, 28), PIXELS)
    np.testing.assert_array_equal(pad(PIXELS, 31)[:, 1:29, 1:29], PIXELS)
    np.testing.assert_array_equal(pad(PIXELS[:, :26], 28)[:, 1:27], PIXELS[:, :26])


def test_further_pictures_are_left_out(tmp_path):
    archive = write(tmp_path / "train.gz", idx())
    preprocess_archive(archive, settings(images=30), tmp_path / "images.npy")
    np.testing.assert_array_equal(load_images(tmp_path / "images.npy")[:, 0], PADDED[:30])


@pytest.mark.parametrize(
    ("content", "changes", "message"),
    [
        (idx(), {"images": 50}, "holds 40 images, the config says 50"),
        (idx(count=50), {"images": 50}, r"is damaged .*delete it and run again"),
        (idx(count=30), {"images": 30}, "holds more than the 30 images that it says"),
        (idx(magic=0x801), {}, r"is no idx3-ubyte file \(it begins with 0x801\)"),
        (idx(), {"size": 24}, "are 28 x 28; raise size from 24"),
        (idx()[:2000], {}, "is damaged"),
        (idx()[:-3], {}, "is damaged"),
        (gzip.compress(b"short", mtime=0), {}, "is damaged"),
        (b"<html>no such file</html>", {}, "is damaged"),
        (b"!<arch>\nno package", {}, "is damaged"),
    ],
    ids=[
        *("too few", "fewer than it says", "more than it says", "labels", "too large"),
        *("cut", "cut at the end", "no header", "a page", "no package"),
    ],
)
def test_what_is_wrong_is_one_clear_line(tmp_path, content, changes, message):
    archive = write(tmp_path / "train.gz", content)
    with pytest.raises(UserError, match=message) as caught:
        preprocess_archive(archive, settings(**changes), tmp_path / "out" / "images.npy")
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "out").iterdir())


def package(folder: Path, member: str, labels: bytes | None = None) -> Path:
    """A Debian package that holds the pictures below this name, and labels beside them."""
    if not shutil.which("dpkg-deb"):
        pytest.skip("dpkg-deb is not installed")
    tree = folder / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        "Package: pictures\nVersion: 1\nArchitecture: all\nMaintainer: Nobody <n@example.org>\n"
        "Description: pictures\n"
    )
    (tree / member).parent.mkdir(parents=True, exist_ok=True)
    (tree / member).write_bytes(idx())
    if labels is not None:
        (tree / member).with_name("train-labels-idx1-ubyte.gz").write_bytes(labels)
    subprocess.run(["dpkg-deb", "--build", tree, folder / "made.deb"], check=True, capture_output=True)
    return (folder / "made.deb").rename(folder / "deb-pictures")  # downloads are kept without a suffix


def test_a_debian_package_gives_the_same_array(tmp_path):
    archive = package(tmp_path, "usr/share/datasets/pictures/train-images-idx3-ubyte.gz")
    preprocess_archive(archive, settings(), tmp_path / "images.npy")
    np.testing.assert_array_equal(load_images(tmp_path / "images.npy")[:, 0], PADDED)


def test_the_labels_of_a_debian_package_are_counted(tmp_path):
    labels = gzip.compress(struct.pack(">2I", 0x801, 40) + bytes(range(4)) * 10)
    archive = package(tmp_path, "usr/share/datasets/pictures/train-images-idx3-ubyte.gz", labels)
    content = preprocess_archive(archive, settings(per_class=10), tmp_path / "images.npy")
    assert content.classes == {"0": 10, "1": 10, "2": 10, "3": 10}
    with pytest.raises(UserError, match="has 10, 10, 10, 10 images of its classes"):
        preprocess_archive(archive, settings(per_class=(9, 11, 10, 10)), tmp_path / "images.npy")


@pytest.mark.parametrize(
    ("magic", "count", "labels", "message"),
    [
        (0x801, 39, 39, "has not one label for each of its 40 images; get it again"),
        (0x801, 40, 39, "has not one label for each of its 40 images"),
        (0x801, 40, 41, "has not one label for each of its 40 images"),
        (0x801, 2**32 - 1, 64 << 20, "has not one label for each of its 40 images"),
        (0x803, 40, 40, "the labels of .* begin with 0x803, not 0x801; get it again"),
    ],
    ids=["fewer", "fewer than it says", "more than it says", "a bomb", "pictures"],
)
def test_labels_that_are_not_those_of_the_pictures(tmp_path, magic, count, labels, message):
    packed = gzip.compress(struct.pack(">2I", magic, count) + bytes(labels))
    archive = package(tmp_path, "usr/share/datasets/pictures/train-images-idx3-ubyte.gz", packed)
    tracemalloc.start()
    with pytest.raises(UserError, match=message):
        preprocess_archive(archive, settings(images=None), tmp_path / "images.npy")
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


def test_the_other_files_of_a_debian_package_are_passed_over_in_little_memory(tmp_path):
    (tmp_path / "tree/usr").mkdir(parents=True)
    (tmp_path / "tree/usr/large").write_bytes(bytes(64 << 20))
    (tmp_path / "tree/usr/link").symlink_to("large")
    archive = package(tmp_path, "usr/share/train-images-idx3-ubyte.gz")
    tracemalloc.start()
    preprocess_archive(archive, settings(), tmp_path / "images.npy")
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("limit", "match"), [("LARGEST_FILE", "more than 4 MiB"), ("LARGEST_TOTAL", "unpack to")]
)
def test_a_debian_package_that_is_a_bomb(tmp_path, monkeypatch, limit, match):
    monkeypatch.setattr(limits, limit, 4 << 20)
    (tmp_path / "tree/usr").mkdir(parents=True)
    (tmp_path / "tree/usr/large").write_bytes(bytes(64 << 20))
    archive = package(tmp_path, "usr/share/train-images-idx3-ubyte.gz")
    with pytest.raises(UserError, match=f"is unsafe: .*{match}"):
        preprocess_archive(archive, settings(), tmp_path / "images.npy")


@pytest.mark.parametrize("kept", [20_000, -100])
def test_a_debian_package_that_is_cut_is_damaged(tmp_path, kept):
    archive = package(tmp_path, "usr/share/train-images-idx3-ubyte.gz")
    archive.write_bytes(archive.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"is damaged \(.*dpkg-deb.*\); delete it") as caught:
        preprocess_archive(archive, settings(), tmp_path / "images.npy")
    assert "\n" not in str(caught.value)


def test_a_debian_package_of_something_else_is_refused(tmp_path):
    archive = package(tmp_path, "usr/share/doc/other.gz")
    with pytest.raises(UserError, match=r"has no train-images-idx3-ubyte\.gz"):
        preprocess_archive(archive, settings(), tmp_path / "images.npy")


def test_without_dpkg_deb_another_source_is_advised(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"dpkg-deb is not installed.*use another source"):
        preprocess_archive(write(tmp_path / "a.deb", b"!<arch>\n"), settings(), tmp_path / "images.npy")
