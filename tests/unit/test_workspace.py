"""The run that workflow tests share: made once, and its failure is said by every test that wanted it."""

import subprocess

import pytest

from tests.workspace import Workspace, shared_run


@pytest.mark.parametrize("code", [0, 1])
def test_what_the_shared_run_said_is_said_to_all(tmp_path, repository, monkeypatch, code):
    runs = []

    def snakemake(self, *arguments):
        runs.append(arguments)
        return subprocess.CompletedProcess([], code, stdout="no room on the disk")

    monkeypatch.setattr(Workspace, "snakemake", snakemake)
    (tmp_path / "weights").write_bytes(b"")
    for _ in range(2):
        if code:
            with pytest.raises(AssertionError, match="no room on the disk"):
                shared_run(tmp_path / "run", repository, tmp_path / "weights")
        else:
            assert shared_run(tmp_path / "run", repository, tmp_path / "weights").overlay["name"] == "tiny"
    assert len(runs) == 1
