"""The doors of the workflow catalogue: workflow/Snakefile itself, and as a module of another workflow."""

import os
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.workspace import PARTS

CALLER = """
configfile: "config/config.yaml"

module shapednoise:
    snakefile: {snakefile}
    config: config

use rule * from shapednoise{names}
"""


def plan(folder, *arguments, **variables) -> str:
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1", "--printshellcmds", *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | variables
    done = subprocess.run(
        command, cwd=folder, text=True, check=False, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.fixture
def caller(repository, tmp_path):
    """The folder of a user, with the config that `snakedeploy` copies; returns what writes its Snakefile."""
    folder = tmp_path / "caller"
    (folder / "workflow").mkdir(parents=True)
    shutil.copytree(repository / "config", folder / "config")

    def write(snakefile: str, names: str = ""):
        (folder / "workflow" / "Snakefile").write_text(CALLER.format(snakefile=snakefile, names=names))
        return folder

    return write


def test_the_door_plans_all_of_the_workflow(repository, tmp_path):
    planned = plan(tmp_path, "--snakefile", repository / "workflow" / "Snakefile", "--configfile",
                   repository / "demo.yaml")  # fmt: skip
    assert f"{os.path.relpath(repository, tmp_path)}/scripts/train.py" in planned


@pytest.mark.parametrize(("names", "figure"), [("", "fig1"), (" as shaped_*", "shaped_fig1")])
def test_a_module_runs_its_own_scripts_in_the_folder_of_the_caller(repository, caller, names, figure):
    folder = caller(repr(str(repository / "workflow" / "Snakefile")), names)
    demo = yaml.safe_load((folder / "config" / "config.yaml").read_text())
    demo["figures"]["fig1"] = {"image": 5}
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump(demo | {"results": "results/mine"}))
    planned = plan(folder, figure)
    assert f"{os.path.relpath(repository, folder)}/scripts/figure.py forward_noise" in planned
    assert "output: results/mine/figures/fig1.pdf, results/mine/figures/fig1.png" in planned
    assert '"image": 5' in planned


def test_a_module_on_a_hosting_site_is_unpacked_for_its_package(repository, caller, tmp_path):
    """The site's address is that of a local repository, by a setting of git."""
    clone = tmp_path / "clone"
    clone.mkdir()
    for part in (*PARTS, "workflow"):
        copy = shutil.copytree if (repository / part).is_dir() else shutil.copy
        copy(repository / part, clone / part)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "all"]):
        subprocess.run([*git, *command], cwd=clone, check=True)
    folder = caller('github("someone/shapednoise", path="workflow/Snakefile", branch="main")')
    planned = plan(
        folder, "figB2", XDG_CACHE_HOME=str(tmp_path / "cache"), GIT_CONFIG_COUNT="1",
        GIT_CONFIG_KEY_0=f"url.file://{clone}.insteadOf",
        GIT_CONFIG_VALUE_0="https://github.com/someone/shapednoise",
    )  # fmt: skip
    [unpacked] = (folder / ".snakemake" / "modules").iterdir()
    assert f"{unpacked.relative_to(folder)}/scripts/figure.py drift" in planned
