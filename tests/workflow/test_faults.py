"""The short form of `python -m benchmarks.faults`: disk, files and a second run."""

import pytest

from benchmarks.faults import OTHERS, inject


@pytest.mark.parametrize("fault", OTHERS)
def test_a_fault_is_named_in_one_line_and_a_rerun_ends_with_the_same_bytes(finished_run, tmp_path, fault):
    try:
        row = inject(OTHERS[fault], finished_run, tmp_path, options=())
    except PermissionError as error:
        pytest.skip(str(error))
    assert not row.wrong
    assert row.code != 0
