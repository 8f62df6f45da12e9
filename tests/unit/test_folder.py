"""The reader of pictures: directories and archives alike, parts of them, their classes."""

import hashlib
import os
import zipfile

import numpy as np
import pytest

from shapednoise.console import UserError
from shapednoise.data.canonical import write_canonical
from shapednoise.data.folder import place
from shapednoise.data.images import load_images
from shapednoise.files import sha256_of_path
from shapednoise.settings.data import ImagesSettings
from tests.unit.archives import PIXELS, png, write_folder, write_tar, write_zip

NAMES = [f"{kind}/{index:02d}.png" for kind in ("cat", "dog") for index in range(6)]
FILES = {name: png(image) for name, image in zip(NAMES, PIXELS, strict=False)}


def settings(**changes) -> ImagesSettings:
    return ImagesSettings(**{"reader": "folder", "size": 32, **changes})


def read(archive, tmp_path, **changes):
    content = write_canonical(archive, settings(**changes), tmp_path / "images.npy")
    return np.array(load_images(tmp_path / "images.npy")), content


WRITERS = {"directory": write_folder, "pictures.zip": write_zip, "pictures.tar.gz": write_tar}


@pytest.mark.parametrize("name", WRITERS)
def test_directory_zip_and_tar_give_the_same_array_in_the_order_of_names(name, tmp_path):
    shuffled = {key: FILES[key] for key in np.random.default_rng(1).permutation(NAMES).tolist()}
    clutter = {"readme.txt": b"hello", "cat/._00.png": b"no picture", "__MACOSX/cat/00.png": b"neither"}
    archive = WRITERS[name](tmp_path / name, shuffled | clutter)
    images, content = read(archive, tmp_path)
    np.testing.assert_array_equal(images, PIXELS[:12].transpose(0, 3, 1, 2))
    assert content == (hashlib.sha256(PIXELS[:12].tobytes()).hexdigest(), 12, {"cat": 6, "dog": 6})


def test_names_of_a_tar_of_here_are_those_of_the_directory(tmp_path):
    here = {f"./{name}": content for name, content in FILES.items()}
    found = read(write_tar(tmp_path / "here.tar", here), tmp_path, part=(0, 0.7))
    expected = read(write_folder(tmp_path / "pictures", FILES), tmp_path, part=(0, 0.7))
    np.testing.assert_array_equal(found[0], expected[0])
    assert found[1] == expected[1] and 0 < len(found[0]) < 12


def test_what_is_no_regular_file_in_a_directory_is_left_out(tmp_path):
    archive = write_folder(tmp_path / "pictures", FILES)
    (archive / "gone.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(archive / "pipe.png")
    assert read(archive, tmp_path)[1].images == 12
    assert sha256_of_path(archive) == sha256_of_path(write_folder(tmp_path / "same", FILES))


def test_a_directory_of_another_reader_is_refused(tmp_path):
    with pytest.raises(UserError, match="is a directory; name the idx file in it, or set reader: folder"):
        read(write_folder(tmp_path / "pictures", FILES), tmp_path, reader="idx", channels=1)


def test_further_pictures_are_left_out(tmp_path):
    images, content = read(write_zip(tmp_path / "a.zip", FILES), tmp_path, images=7)
    np.testing.assert_array_equal(images, PIXELS[:7].transpose(0, 3, 1, 2))
    assert content.classes == {"cat": 6, "dog": 1}


def test_classes_are_below_the_directory_that_all_share(tmp_path):
    deeper = {f"archive/train/{name}": content for name, content in FILES.items()}
    assert read(write_zip(tmp_path / "a.zip", deeper), tmp_path)[1].classes == {"cat": 6, "dog": 6}
    flat = {f"archive/{index:02d}.png": content for index, content in enumerate(FILES.values())}
    assert read(write_zip(tmp_path / "b.zip", flat), tmp_path)[1].classes is None
    with_one_outside = FILES | {"00.png": png(PIXELS[20])}
    assert read(write_zip(tmp_path / "c.zip", with_one_outside), tmp_path)[1].classes is None


def test_classes_of_other_sizes_are_refused(tmp_path):
    archive = write_folder(tmp_path / "pictures", {name: FILES[name] for name in NAMES[:-1]})
    with pytest.raises(
        UserError,
        match=r"has 6, 5 images of its classes, the config says 6 of each .*; correct it or the config",
    ):
        read(archive, tmp_path, per_class=6)


def test_one_channel_is_the_luma(tmp_path):
    images, content = read(write_folder(tmp_path / "pictures", FILES), tmp_path, channels=1)
    assert images.shape == (12, 1, 32, 32)
    assert content.sha256_of_pixels == hashlib.sha256(images.tobytes()).hexdigest()
    luma = PIXELS[:12] @ np.array([0.299, 0.587, 0.114])
    assert np.abs(images[:, 0] - luma).max() <= 0.51


MANY = {f"{index:03d}.png": png(PIXELS[index % 50]) for index in range(200)}


def test_parts_are_disjoint_complete_and_stay_when_pictures_are_added(tmp_path):
    some = write_zip(tmp_path / "some.zip", MANY)
    train, test = (read(some, tmp_path, part=part)[0] for part in ((0, 0.8), (0.8, 1)))
    assert len(train) + len(test) == 200 and 140 < len(train) < 180
    chosen = [name for name in MANY if place(name) >= 0.8]
    np.testing.assert_array_equal(
        test, np.stack([PIXELS[int(name[:3]) % 50] for name in chosen]).transpose(0, 3, 1, 2)
    )
    more = write_folder(tmp_path / "more", MANY | {"a.png": png(PIXELS[0]), "zoo/b.png": png(PIXELS[1])})
    added = sum(place(name) < 0.8 for name in ("a.png", "zoo/b.png"))
    again = read(more, tmp_path, part=(0, 0.8))[0]
    np.testing.assert_array_equal(again[: len(train)], train)
    assert len(again) == len(train) + added


def test_places_are_spread_evenly_and_fixed_for_ever():
    places = [place(f"{index}.png") for index in range(2000)]
    assert min(places) >= 0 and max(places) < 1
    assert np.histogram(places, 10, (0, 1))[0].std() < 30
    assert place("cat/00.png") == int(hashlib.sha256(b"cat/00.png").hexdigest()[:12], 16) / 16**12


def test_the_digest_of_a_directory_knows_names_and_contents(tmp_path):
    one = sha256_of_path(write_folder(tmp_path / "one", FILES))
    assert one == sha256_of_path(write_folder(tmp_path / "same", dict(reversed(FILES.items()))))
    renamed = {name.replace("cat", "cow"): content for name, content in FILES.items()}
    assert one != sha256_of_path(write_folder(tmp_path / "renamed", renamed))
    altered = FILES | {NAMES[0]: FILES[NAMES[1]]}
    assert one != sha256_of_path(write_folder(tmp_path / "altered", altered))


@pytest.mark.parametrize(
    "content", [b"not a picture", png(PIXELS[0])[:500], b""], ids=["text", "cut", "empty"]
)
def test_a_broken_picture_is_named_and_nothing_is_left(tmp_path, content):
    archive = write_folder(tmp_path / "pictures", FILES | {"dog/07.png": content})
    with pytest.raises(UserError, match=r"dog/07\.png in .* is no readable picture .*; remove it") as caught:
        write_canonical(archive, settings(), tmp_path / "out" / "images.npy")
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "out").iterdir())


def test_a_directory_without_pictures_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds 0 pictures"):
        read(write_folder(tmp_path / "pictures", {"readme.txt": b"hello"}), tmp_path)


def test_an_encrypted_zip_is_one_clear_line(tmp_path):
    archive = write_zip(tmp_path / "a.zip", FILES)
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as pack:
        for info in pack.infolist():
            content[info.header_offset + 6] |= 1
    start = content.find(b"PK\x01\x02")
    while start >= 0:
        content[start + 8] |= 1
        start = content.find(b"PK\x01\x02", start + 4)
    archive.write_bytes(content)
    with pytest.raises(UserError, match=r"is damaged .*encrypted"):
        read(archive, tmp_path)
