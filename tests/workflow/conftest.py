"""One finished hermetic run; every test that changes something works on a copy of it."""

import os

import pytest
import yaml
from filelock import FileLock

from tests.workspace import Workspace, make_workspace


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory, repository, inception_weights) -> Workspace:
    """The hermetic run from config to figures, made once for all test processes."""
    parallel = "PYTEST_XDIST_WORKER" in os.environ
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if parallel else base
    done = shared / "finished-run.done"
    with FileLock(shared / "finished-run.lock"):
        if done.exists():
            return Workspace(shared / "finished-run", yaml.safe_load(done.read_text()))
        workspace = make_workspace(shared / "finished-run", repository, inception_weights)
        output = workspace.run()
        done.write_text(yaml.safe_dump(workspace.overlay))
        (workspace.path / "output.txt").write_text(output)
    return workspace


@pytest.fixture
def workspace(finished_run, tmp_path) -> Workspace:
    """A copy of the finished run that a test may change."""
    return finished_run.copy(tmp_path / "copy")
