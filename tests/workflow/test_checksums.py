"""A run records the sha256 of what it made, and what has changed since is not adopted."""

import os

import pytest

from shapednoise.workflow.checksums import differences
from tests.workflow.test_shared_results import adopt
from tests.workspace import make_workspace


@pytest.mark.slow
def test_results_that_were_changed_since_they_were_made_are_not_adopted(
    tmp_path, repository, inception_weights
):
    """One bit, at the old date. What is no run, or finds nothing to do, leaves the record as it is."""
    fresh = make_workspace(tmp_path / "fresh", repository, inception_weights)
    fresh.run("figB2")
    results = fresh.path / "results" / "tiny"
    record, path = results / "SHA256SUMS", next(results.glob("tables/drift/*.csv"))
    assert not list(differences(results)) and f"  {path.relative_to(results)}\n" in record.read_text()
    content, status = bytearray(path.read_bytes()), path.stat()
    content[-3] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    for arguments in (["figB2", "--dry-run"], ["figB2"]):
        fresh.run(*arguments)
        [line] = differences(results)
        assert line.startswith(f"{path}: changed, sha256 ")
    done = adopt(fresh)
    assert done.returncode == 2 and f"{path.relative_to(fresh.path)}: changed, sha256 " in done.stdout
