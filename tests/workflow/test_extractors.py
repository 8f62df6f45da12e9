"""An experiment with a feature extractor of its own: what is planned, and by which commands."""

import pytest

from tests.workspace import make_workspace


@pytest.fixture
def fresh(tmp_path, repository, inception_weights):
    workspace = make_workspace(tmp_path / "fresh", repository, inception_weights)
    workspace.set("extractors.mine", {"network": "mynetwork:Projection", "batch_size": 9})
    workspace.set("experiments.cifar10_sdm.extractor", "mine")
    (workspace.path / "mynetwork.py").write_text("# a network\n")
    return workspace


def test_sample_sets_are_scored_by_each_extractor_that_wants_them(fresh):
    planned = fresh.planned()
    assert planned["sample"] == 5 and planned["weights"] == 1
    # SDM by the one, SDM and HDM of the variants by the other; each has its features of the data set
    assert planned["features_samples"] == planned["scores"] == 3 + 5
    assert planned["features_data"] == 2
    assert planned["table_of_all"] == 1


def test_an_extractor_without_sources_needs_no_weights(fresh):
    output = fresh.run("--dry-run", "--printshellcmds", "fig2f")  # of cifar10_sdm alone
    commands = [line for line in output.splitlines() if "scripts/features.py" in line and "--images" in line]
    assert len(commands) == 4
    for command in commands:
        assert "mynetwork:Projection" in command and '"batch_size":9' in command
        assert "--weights" not in command and "/checkpoints/features/" in command
    assert "mynetwork.py" in output and "weights" not in fresh.planned("fig2f")
    assert fresh.planned("fetch") == {"fetch": 1, "download": 1, "weights": 1}


def test_commands_name_the_weights_where_there_are_sources(fresh):
    output = fresh.run("--dry-run", "--printshellcmds", "fig2c")
    commands = [line for line in output.splitlines() if "scripts/features.py" in line and "--images" in line]
    assert len(commands) == 6
    assert all("--weights data/weights/random.pth" in command for command in commands)


def test_networks_of_torch_hub_are_fetched_before_features(fresh):
    """One with sources has its weights from them and nothing from torch.hub."""
    fresh.set("extractors.hub", {"network": "dinov2-vit-s-14"})
    fresh.set("extractors.mine", {"network": "clip-vit-b-32", "sources": [{"file": "random.pth"}]})
    fresh.set("experiments.cifar10_variants.extractor", "hub")
    # the weights of `mine`, and of the extractor of predicted FIDs
    assert fresh.planned("fetch") == {"fetch": 1, "download": 1, "weights": 2, "hub": 1}
    planned = fresh.planned("fig2c")
    assert planned["hub"] == 1 and "weights" not in planned
    done = fresh.snakemake("data/weights/hub.json", "--config", "offline=true")
    [line] = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
    assert done.returncode != 0 and "dinov2-vit-s-14 cannot be loaded" in line
