"""The reader of pictures: directories and archives alike, parts of them, their classes."""

import hashlib
import io
import os
import zipfile

import numpy as np
import pytest
from PIL import ExifTags, Image

from shapednoise.data.folder import split_position
from shapednoise.files import files_of, sha256_of_path
from tests.unit.data.archives import PIXELS, png, read, refused, write_folder, write_tar, write_zip

NAMES = [f"{kind}/{index:02d}.png" for kind in ("cat", "dog") for index in range(6)]
FILES = {name: png(image) for name, image in zip(NAMES, PIXELS, strict=False)}


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


def test_what_is_no_regular_file_in_a_directory_is_left_out(tmp_path, caplog):
    archive = write_folder(tmp_path / "pictures", FILES)
    (archive / "gone.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(archive / "pipe.png")
    assert read(archive, tmp_path)[1].images == 12
    assert f"left out 1 links that lead nowhere, such as {archive}/gone.png" in caplog.text
    assert sha256_of_path(archive) == sha256_of_path(write_folder(tmp_path / "same", FILES))


def test_linked_class_folders_are_read_and_no_link_leads_round_in_circles(tmp_path):
    cats, dogs = ({name: FILES[name] for name in NAMES if name.startswith(kind)} for kind in ("cat", "dog"))
    elsewhere = write_folder(tmp_path / "elsewhere", dogs)
    archive = write_folder(tmp_path / "pictures", cats)
    (archive / "dog").symlink_to(elsewhere / "dog")
    (archive / "cat" / "up").symlink_to("..")
    (archive / "itself").symlink_to("itself")
    (elsewhere / "dog" / "far up").symlink_to(tmp_path)
    assert read(archive, tmp_path)[1].classes == {"cat": 6, "dog": 6}
    before = sha256_of_path(archive)
    assert before == sha256_of_path(write_folder(tmp_path / "same", FILES))
    (elsewhere / NAMES[-1]).write_bytes(FILES[NAMES[0]])
    assert sha256_of_path(archive) != before


def test_a_folder_that_cannot_be_read_is_no_empty_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        files_of(tmp_path / "gone")


SYSTEM = [
    *("Thumbs.db", "cat/.DS_Store", "cat/desktop.ini", "cat/._00.png", "__MACOSX/cat/._00.png"),
    *("cat/@eaDir/00.png/SYNOFILE_THUMB_M.png", "#recycle/00.png", "$RECYCLE.BIN/00.png", "Icon\r"),
]


@pytest.mark.parametrize("name", WRITERS)
def test_files_of_the_system_are_no_data_in_any_archive(name, tmp_path, caplog):
    clutter = dict.fromkeys(SYSTEM, png(PIXELS[40]))
    archive = WRITERS[name](tmp_path / name, FILES | clutter | {"my__MACOSX/0.png": png(PIXELS[12])})
    assert read(archive, tmp_path)[1].classes == {"cat": 6, "dog": 6, "my__MACOSX": 1}
    assert "left out" not in caplog.text
    if archive.is_dir():
        before = sha256_of_path(archive)
        (archive / "Thumbs.db").write_bytes(b"seen again")
        assert sha256_of_path(archive) == before


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_left_out_by_its_suffix_is_counted(name, tmp_path, caplog):
    others = {"cat/0.HEIC": b"", "dog/1.heic": b"", "readme": b"", "cat/.hidden.txt": b""}
    archive = WRITERS[name](tmp_path / name, FILES | others)
    assert read(archive, tmp_path)[1].images == 12
    assert "12 pictures (left out by their suffix: 2 .heic, 1 without a suffix)" in caplog.text
    (tmp_path / "out" / "images.npy").unlink()
    without = WRITERS[name](tmp_path / f"no-{name}", others)
    refused(without, tmp_path, r"holds 0 pictures \(left out by their suffix: 2 \.heic, 1 without a suffix\)")


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        ("jfif", "JPEG"),
        ("avif", "AVIF"),
        ("gif", "GIF"),
        ("jp2", "JPEG2000"),
        ("tga", "TGA"),
        ("JPE", "JPEG"),
    ],
)
def test_formats_that_pillow_reads_are_taken(tmp_path, suffix, kind):
    content = saved(Image.fromarray(np.full((32, 32, 3), [200, 100, 50], np.uint8)), kind)
    found = first(tmp_path, f"a.{suffix}", content)
    assert np.abs(found.astype(int) - [200, 100, 50]).max() <= 3


def test_of_a_moving_picture_the_first_frame_is_taken(tmp_path):
    frames = [Image.fromarray(np.full((32, 32), value, np.uint8)) for value in (10, 200)]
    content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (first(tmp_path, "a.gif", content) == 10).all()


@pytest.mark.parametrize("name", ["directory", "pictures.tar.gz"])
def test_names_that_are_not_utf_8(name, tmp_path):
    odd = {os.fsdecode(b"caf\xe9/%02d.png" % index): png(PIXELS[index]) for index in range(20)}
    archive = WRITERS[name](tmp_path / name, odd)
    images, content = read(archive, tmp_path, part=(0, 0.5))
    chosen = [int(name[-6:-4]) for name in odd if split_position(name) < 0.5]
    np.testing.assert_array_equal(images, PIXELS[chosen].transpose(0, 3, 1, 2))
    assert 0 < content.images < 20 and sha256_of_path(archive)
    (tmp_path / "out" / "images.npy").unlink()
    damaged = WRITERS[name](tmp_path / f"damaged-{name}", odd | {os.fsdecode(b"\xff.png"): b""})
    refused(damaged, tmp_path, "\udcff.png in .* is no readable picture")


@pytest.mark.parametrize(
    ("files", "changes", "says"),
    [
        (FILES, {"reader": "idx", "channels": 1}, "name the idx file in it, or set reader: folder"),
        (
            dict(list(FILES.items())[:-1]),
            {"per_class": 6},
            r"has 6, 5 images of its classes, the config says 6 of each .*; correct it or the config",
        ),
        ({"readme.txt": b"hello"}, {}, "holds 0 pictures"),
        (
            FILES | {"dog/07.png": b"no picture"},
            {},
            r"dog/07\.png in .* is no readable picture .*; remove it",
        ),
        (FILES | {"dog/07.png": png(PIXELS[0])[:500]}, {}, r"dog/07\.png in .* is no readable picture"),
        (FILES | {"dog/07.png": b""}, {}, r"dog/07\.png in .* is no readable picture"),
    ],
    ids=["another reader", "other class sizes", "no pictures", "text", "a cut picture", "an empty one"],
)
def test_what_is_wrong_with_a_directory_is_one_line(tmp_path, files, changes, says):
    refused(write_folder(tmp_path / "pictures", files), tmp_path, says, **changes)


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
    chosen = [name for name in MANY if split_position(name) >= 0.8]
    np.testing.assert_array_equal(
        test, np.stack([PIXELS[int(name[:3]) % 50] for name in chosen]).transpose(0, 3, 1, 2)
    )
    more = write_folder(tmp_path / "more", MANY | {"a.png": png(PIXELS[0]), "zoo/b.png": png(PIXELS[1])})
    added = sum(split_position(name) < 0.8 for name in ("a.png", "zoo/b.png"))
    again = read(more, tmp_path, part=(0, 0.8))[0]
    np.testing.assert_array_equal(again[: len(train)], train)
    assert len(again) == len(train) + added


def test_places_are_spread_evenly_and_fixed_for_ever():
    places = [split_position(f"{index}.png") for index in range(2000)]
    assert min(places) >= 0 and max(places) < 1
    assert np.histogram(places, 10, (0, 1))[0].std() < 30
    assert split_position("cat/00.png") == int(hashlib.sha256(b"cat/00.png").hexdigest()[:12], 16) / 16**12


def test_the_digest_of_a_directory_knows_names_and_contents(tmp_path):
    one = sha256_of_path(write_folder(tmp_path / "one", FILES))
    assert one == sha256_of_path(write_folder(tmp_path / "same", dict(reversed(FILES.items()))))
    renamed = {name.replace("cat", "cow"): content for name, content in FILES.items()}
    assert one != sha256_of_path(write_folder(tmp_path / "renamed", renamed))
    altered = FILES | {NAMES[0]: FILES[NAMES[1]]}
    assert one != sha256_of_path(write_folder(tmp_path / "altered", altered))


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def first(tmp_path, name: str, content: bytes, **changes) -> np.ndarray:
    """The pixels of this picture, H x W x C, read from a folder."""
    archive = write_folder(tmp_path / "pictures", {name: content, f"z{name}": content})
    return read(archive, tmp_path, **changes)[0][0].transpose(1, 2, 0)


DEEP = np.random.default_rng(3).integers(0, 1 << 16, (32, 32), np.uint16)
DEEP[0, :2] = 0, 65535
PGM = b"P5 32 32 65535\n" + DEEP.astype(">u2").tobytes()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", saved(Image.fromarray(DEEP))),
        ("a.tif", saved(Image.fromarray(DEEP), "TIFF")),
        ("a.tif", saved(Image.fromarray(DEEP.astype(">u2")), "TIFF")),
        ("a.pgm", PGM),
    ],
    ids=["png", "tiff", "tiff of big-endian", "pgm"],
)
def test_16_bits_of_grey_become_the_higher_8(tmp_path, name, content, channels):
    found = first(tmp_path, name, content, channels=channels)
    np.testing.assert_array_equal(found, np.repeat(DEEP[..., None] >> 8, channels, axis=2))


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_values_without_a_known_range_are_refused(tmp_path, kind):
    archive = write_folder(
        tmp_path / "pictures", {"a.tif": saved(Image.fromarray(DEEP.astype(kind)), "TIFF")}
    )
    refused(archive, tmp_path, r"a\.tif in .*no known range; save it with 8 or 16 bits")


TURNS = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.transpose(1, 0, 2),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: x[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_pictures_are_turned_as_their_exif_says(tmp_path, orientation, kind):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    content = saved(Image.fromarray(PIXELS[0]), kind, exif=exif)
    stored = np.asarray(Image.open(io.BytesIO(content)))
    found = first(tmp_path, "a.png", content)
    np.testing.assert_array_equal(found, TURNS[orientation](stored))


def test_a_broken_exif_breaks_no_picture(tmp_path):
    content = saved(Image.fromarray(PIXELS[0]), exif=b"Exif\0\0nothing of the kind")
    np.testing.assert_array_equal(first(tmp_path, "a.png", content), PIXELS[0])


def test_a_picture_that_is_turned_is_cropped_as_it_is_seen(tmp_path):
    tall = np.concatenate([PIXELS[0], PIXELS[1], PIXELS[2]])
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    content = saved(Image.fromarray(np.rot90(tall)), exif=exif)
    np.testing.assert_array_equal(first(tmp_path, "a.png", content), PIXELS[1])


ALPHA = np.random.default_rng(4).integers(0, 256, (32, 32, 1), np.uint8)
ALPHA[0, :2] = [[0], [255]]


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_transparent_shows_black(tmp_path, channels):
    content = png(np.concatenate([np.repeat(PIXELS[0, ..., :1], 3, 2), ALPHA], axis=2))
    grey = png(np.concatenate([PIXELS[0, ..., :1], ALPHA], axis=2))
    expected = PIXELS[0, ..., :1] * (ALPHA / 255.0)
    for index, picture in enumerate((content, grey)):
        found = first(tmp_path / str(index), "a.png", picture, channels=channels)
        assert found.shape == (32, 32, channels) and np.abs(found - expected).max() <= 0.51


def test_a_colour_that_stands_for_transparency_shows_black(tmp_path):
    palette = Image.fromarray(PIXELS[0]).quantize(8)
    shown = np.array(palette.convert("RGB"))
    shown[np.asarray(palette) == 3] = 0
    found = first(tmp_path, "a.png", saved(palette, transparency=3))
    np.testing.assert_array_equal(found, shown)


def test_an_opaque_picture_keeps_its_pixels(tmp_path):
    opaque = np.concatenate([PIXELS[0], np.full((32, 32, 1), 255, np.uint8)], axis=2)
    np.testing.assert_array_equal(first(tmp_path, "a.png", png(opaque)), PIXELS[0])


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
    refused(archive, tmp_path, "is encrypted; pack it anew without a password")
