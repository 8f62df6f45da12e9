"""Outputs of the future are dated back, in their order, inputs now; all others are left alone."""

import os
import time

import pytest

from shapednoise.clock import MARGIN, date_back, date_now

DAY = 24 * 3600


@pytest.fixture
def dated(tmp_path):
    """Make files whose dates are so many seconds from now; returns their paths."""

    def make(*seconds: float):
        paths = [tmp_path / str(number) for number in range(len(seconds))]
        for path, offset in zip(paths, seconds, strict=True):
            path.touch()
            os.utime(path, (time.time() + offset,) * 2)
        return paths

    return make


def test_files_of_the_past_and_a_small_skew_are_left_alone(dated):
    paths = dated(-DAY, -1, 30)
    before = [path.stat().st_mtime_ns for path in paths]
    assert date_back(paths) == 0
    assert [path.stat().st_mtime_ns for path in paths] == before
    assert date_back([]) == 0


def test_the_order_is_kept_and_an_edit_of_today_is_newer_than_all(dated):
    paths = dated(DAY, 2 * DAY, -DAY)
    before = [path.stat().st_mtime for path in paths]
    by = date_back(paths)
    after = [path.stat().st_mtime for path in paths]
    assert [old - new for old, new in zip(before, after, strict=True)] == pytest.approx([by] * 3, abs=1e-3)
    assert max(after) <= time.time() - MARGIN / 1e9
    assert date_back(paths) == 0


def test_a_file_that_is_gone_is_passed_over(dated, tmp_path):
    [path] = dated(DAY)
    assert date_back([tmp_path / "gone", path]) > DAY


def test_only_code_of_the_future_is_dated_now(dated, tmp_path):
    paths = dated(DAY, -DAY, 5)
    before = paths[1].stat().st_mtime_ns
    assert date_now([*paths, tmp_path / "gone"]) == 2
    assert all(path.stat().st_mtime <= time.time() for path in paths)
    assert paths[0].stat().st_mtime > time.time() - 60
    assert paths[1].stat().st_mtime_ns == before
    assert date_now(paths) == 0
