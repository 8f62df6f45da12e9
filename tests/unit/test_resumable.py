"""Arrays that are filled batch by batch: what was done is used again if it is whole and of the same job."""

import json
import os

import numpy as np
import pytest

from shapednoise.resumable import ResumableArrays

ROWS = np.arange(60, dtype=np.float32).reshape(10, 6)
EXTRA = np.arange(5, dtype=np.int64)
BATCHES = ((0, 4), (4, 8), (8, 10))


def fill(work: ResumableArrays, until: int = 10) -> list[int]:
    """Append the batches that are missing, up to a row; returns where each began."""
    began = []
    while work.done < until:
        start, end = next(batch for batch in BATCHES if batch[0] == work.done)
        extras = {"extra": EXTRA} if start == 0 else None
        work.append({"rows": ROWS[start:end], "copies": ROWS[start:end, :1]}, extras)
        began.append(start)
    return began


def is_whole(work: ResumableArrays) -> bool:
    expected = {"rows": ROWS, "copies": ROWS[:, :1], "extra": EXTRA}
    return all(np.array_equal(work.arrays[name], array) for name, array in expected.items())


def test_without_a_folder_the_arrays_are_in_memory():
    work = ResumableArrays(10)
    assert fill(work) == [0, 4, 8] and is_whole(work)
    work.remove()


def test_it_continues_after_the_last_batch_of_the_same_job(tmp_path, caplog):
    caplog.set_level("INFO", "shapednoise")
    folder = tmp_path / "new" / "work"
    fill(ResumableArrays(10, folder, "same"), until=8)
    size = (folder / "rows.npy").stat().st_size
    again = ResumableArrays(10, folder, "same")
    assert caplog.messages == ["continuing from image 8 of 10"]
    assert fill(again) == [8] and is_whole(again)
    assert (folder / "rows.npy").stat().st_size == size, "the space of all rows is reserved at first"
    caplog.clear()
    other = ResumableArrays(10, folder, "other")
    assert caplog.messages == [f"{folder} is of other inputs, settings or code; it is done anew"]
    assert fill(other) == [0, 4, 8] and is_whole(other)
    other.remove()
    assert not folder.exists()


def test_a_published_array_is_one_file_that_later_work_does_not_change(tmp_path):
    work = ResumableArrays(10, tmp_path / "work", "one")
    fill(work)
    work.publish("rows", tmp_path / "results" / "rows.npy")
    assert (tmp_path / "results" / "rows.npy").samefile(tmp_path / "work" / "rows.npy")
    assert fill(ResumableArrays(10, tmp_path / "work", "one")) == []
    ResumableArrays(10, tmp_path / "work", "two").append({"rows": 0 * ROWS})
    np.testing.assert_array_equal(np.load(tmp_path / "results" / "rows.npy"), ROWS)


def test_a_published_array_is_copied_to_another_file_system(tmp_path, monkeypatch):
    def link(source, destination):
        raise OSError("another file system")

    monkeypatch.setattr(os, "link", link)
    work = ResumableArrays(10, tmp_path / "work")
    fill(work)
    work.publish("rows", tmp_path / "rows.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), ROWS)


@pytest.mark.parametrize("name", ["rows.npy", "copies.npy", "extra.npy", "done.json"])
def test_whatever_byte_turns_what_is_damaged_is_done_again(tmp_path, name):
    """And wherever the file is cut off. A header's padding means nothing."""
    for place in (*range(0, 128, 9), *range(128, 500, 31)):
        folder = tmp_path / f"{place}"
        fill(ResumableArrays(10, folder, "same"), until=8)
        content = bytearray((folder / name).read_bytes())
        content[place % len(content)] ^= (0x01, 0x20, 0x80, 0xFF)[place % 4]
        (folder / name).write_bytes(content[: None if place % 2 else place])
        work = ResumableArrays(10, folder, "same")
        fill(work)
        assert is_whole(work), place


def test_the_batches_before_a_damaged_one_are_kept(tmp_path, caplog):
    fill(ResumableArrays(10, tmp_path, "same"))
    np.load(tmp_path / "rows.npy", mmap_mode="r+")[5] = 0
    work = ResumableArrays(10, tmp_path, "same")
    assert f"{tmp_path} is damaged after image 4; the rest is done again" in caplog.messages
    assert fill(work) == [4, 8] and is_whole(work)


@pytest.mark.parametrize("content", ["", "[]", json.dumps({"fingerprint": "same"})])
def test_a_record_that_cannot_be_read_is_said(tmp_path, caplog, content):
    fill(ResumableArrays(10, tmp_path, "same"))
    (tmp_path / "done.json").write_text(content)
    assert ResumableArrays(10, tmp_path, "same").done == 0
    assert f"what was done in {tmp_path} is damaged (" in caplog.text
