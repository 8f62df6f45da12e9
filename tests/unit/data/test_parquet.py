"""Parquet files as the Hugging Face hub has them, for every reader."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shapednoise.config.data import ImagesSettings
from shapednoise.data import archives as limits
from shapednoise.data import parquet as reader
from tests.unit.data.archives import LABELS, PIXELS, parquet, png, read, refused, write_folder

GREY = PIXELS[:, :28, :28, 0]


@pytest.mark.parametrize("plain", [False, True], ids=["struct", "bytes"])
def test_cifar_100s_columns(tmp_path, plain):
    archive = parquet(tmp_path / "train.parquet", "img", "fine_label", plain=plain)
    images, content = read(archive, tmp_path, reader="cifar", per_class=5)
    np.testing.assert_array_equal(images, PIXELS.transpose(0, 3, 1, 2))
    assert content.classes == {str(label): 5 for label in range(10)}


def test_mnists_pictures_are_in_the_middle_of_black_ones(tmp_path):
    archive = parquet(tmp_path / "train.parquet", "image", "label", GREY)
    images, _ = read(archive, tmp_path, reader="idx", channels=1, images=30)
    np.testing.assert_array_equal(images[:, 0], np.pad(GREY[:30], ((0, 0), (2, 2), (2, 2))))


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_preprocessed_as_those_of_a_folder(tmp_path, channels):
    options = {"size": 16, "crop": 24, "channels": channels}
    found, content = read(parquet(tmp_path / "a.parquet", "image", None), tmp_path, **options)
    files = {f"{index:02d}.png": png(image) for index, image in enumerate(PIXELS)}
    expected, _ = read(write_folder(tmp_path / "pictures", files), tmp_path, **options)
    np.testing.assert_array_equal(found, expected)
    assert content.classes is None


def test_settings_that_do_not_suit_the_pictures(tmp_path):
    grey = parquet(tmp_path / "train.parquet", "image", "label", GREY)
    mixed = parquet(tmp_path / "mixed.parquet", "image", "label", [*GREY[:2], np.zeros((40, 40), np.uint8)])
    refused(mixed, tmp_path, "several sizes; raise size", reader="idx", channels=1, size=32)
    refused(grey, tmp_path, "have no names of their own to split by; remove part", part=(0, 0.5))


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"text": ["a", "b"]}, r"has no column img or image, but \['text'\]"),
        ({"image": [None, None]}, "row 0 in .* holds no picture file"),
        ({"image": [{"bytes": None, "path": "a.png"}] * 2}, "row 0 in .* holds no picture file"),
        ({"image": [b"no picture"] * 2}, "row 0 in .* is no readable picture"),
    ],
)
def test_other_tables_are_refused(tmp_path, columns, match):
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    refused(tmp_path / "a.parquet", tmp_path, match)


def test_a_picture_that_many_rows_share_is_not_held_once_a_row(tmp_path, monkeypatch):
    """One picture of 50 kB in 300 rows is a file of 50 kB and, read at once, 15 MB."""
    picture = png(np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8))
    shared = pa.DictionaryArray.from_arrays(pa.array([0] * 300, pa.int32()), pa.array([picture]))
    pq.write_table(pa.table({"image": shared}), tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 2 * len(picture)
    monkeypatch.setattr(reader, "AT_ONCE", 8 * len(picture))
    settings = ImagesSettings(reader="folder", size=8)
    blocks = [len(images) for images, _ in reader.read_parquet(tmp_path / "a.parquet", settings)]
    assert sum(blocks) == 300 and max(blocks) <= 8


def test_missing_labels_are_no_labels(tmp_path):
    columns = {"image": [png(image) for image in PIXELS], "label": [*LABELS[:49], None]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet", tmp_path)[1].classes is None


def test_a_file_beyond_the_limits_or_cut_is_refused(tmp_path, monkeypatch):
    pq.write_table(pa.table({"image": [bytes(1 << 22)] * 2}), tmp_path / "a.parquet", compression="gzip")
    with monkeypatch.context() as patch:
        patch.setattr(limits, "LARGEST_TOTAL", 1000)
        refused(tmp_path / "a.parquet", tmp_path, r"is unsafe: it would unpack")
    (tmp_path / "a.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-10])
    refused(tmp_path / "a.parquet", tmp_path, r"is damaged \(.*\); delete it and run again")
