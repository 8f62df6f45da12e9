"""The profiles, as far as they can be tried without a cluster (tests/cluster has one)."""

import re

import pytest
import yaml

from tests.workspace import make_workspace


def test_no_rule_has_retries_of_its_own_that_would_multiply(repository):
    rules = "".join(path.read_text() for path in (repository / "rules").glob("*.smk"))
    assert set(re.findall(r"^    retries: (.*)$", rules, re.MULTILINE)) == {"0"}
    for profile in ("default", "slurm"):
        content = yaml.safe_load((repository / "profiles" / profile / "config.yaml").read_text())
        assert content["retries"] >= 2


@pytest.mark.parametrize("file", ["pictures.zip", "random.pth"])
def test_a_missing_file_is_said_before_anything_is_queued(tmp_path, repository, inception_weights, file):
    workspace = make_workspace(tmp_path / "run", repository, inception_weights)
    (workspace.path / "data" / file).unlink()
    for more in ([], ["--dry-run"]):
        done = workspace.snakemake("fig2a", "--workflow-profile", "profiles/slurm", *more)
        assert done.returncode != 0 and "submitted" not in done.stdout
        [line] = [line for line in done.stdout.splitlines() if "error" in line.lower()]
        assert line.startswith("error: no source of ") and "run `make fetch` while online" in line


def test_a_job_asks_for_what_it_costs_and_for_what_the_site_wants(tmp_path, repository, inception_weights):
    workspace = make_workspace(tmp_path / "run", repository, inception_weights)
    site = {"every_job": {"slurm_account": "us"}, "gpu_job": {"gres": "gpu:1", "slurm_partition": "fast"}}
    (workspace.path / "site.yaml").write_text(yaml.safe_dump({"cluster": site}))
    plan = workspace.run("fig2a", "--workflow-profile", "profiles/slurm", "--dry-run")
    resources = dict(re.findall(r"^rule (\w+):.*?^    resources: (.*?)$", plan, re.MULTILINE | re.DOTALL))
    assert "slurm_account=us" in resources["train"] and "gres=gpu:1" in resources["train"]
    assert "slurm_partition=fast" in resources["train"] and ", gpu=" not in resources["train"]
    assert "slurm_extra=--signal=TERM@60" in resources["train"] and "runtime=11" in resources["train"]
    assert "slurm_account=us" in resources["pca"] and "gres" not in resources["pca"]
