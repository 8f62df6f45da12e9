"""Fixtures that several test files use. Nothing here needs a network."""

import os
from pathlib import Path

# one thread a test process: the processes share the cores (and inherit what is set in the first one)
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"

import pytest
import torch
from hypothesis import settings
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from tests.workspace import Workspace, shared_run

# the same examples in every run, so that a failure is the change's; HYPOTHESIS=explore looks further
settings.register_profile("same", derandomize=True)
settings.load_profile("same" if os.environ.get("HYPOTHESIS") != "explore" else "default")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def axis() -> list[float]:
    """A unit vector in colour space that is no coordinate axis."""
    return [2 / 7, 3 / 7, 6 / 7]


def random_inception(path: Path, seed: int = 0) -> Path:
    """Weights of the FID Inception network at random, scaled so that features neither die nor grow."""

    class Unloaded(FeatureExtractorInceptionV3):
        def load_state_dict(self, state, strict=True, assign=False):
            return None

    empty = path.with_suffix(".empty")
    torch.save({}, empty)
    torch.manual_seed(seed)
    network = Unloaded("random", ["2048"], str(empty))
    empty.unlink()
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="session")
def inception_weights(tmp_path_factory) -> Path:
    return random_inception(tmp_path_factory.mktemp("weights") / "inception.pth")


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory, repository, inception_weights) -> Workspace:
    """The hermetic run from config to figures, made once for all test processes."""
    parallel = "PYTEST_XDIST_WORKER" in os.environ
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if parallel else base
    return shared_run(shared / "finished-run", repository, inception_weights)


@pytest.fixture
def workspace(finished_run, tmp_path) -> Workspace:
    """A copy of the finished run that a test may change."""
    return finished_run.copy(tmp_path / "copy")
