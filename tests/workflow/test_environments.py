"""`snakemake --sdm conda` and `--sdm apptainer`, with stand-ins for the two programs.

The stand-ins put in place what conda would install (tests/environments.py) and start what Apptainer
would start; that each job runs where it should, and finds all that it needs there, is what is seen.
"""

import os
import stat
import sys
from pathlib import Path

import pytest

from tests.environments import make_environment, pins_of
from tests.workspace import Workspace, make_workspace

TARGETS = [
    "results/tiny/scores/pictures/ddpm/s0.00/published/tiny/seed42/"
    "ancestral5-leading-small-published-whitened-n12/random-ref16.json",
    "results/tiny/figures/figS2.png",
]
SCRIPTS = {
    *("download", "preprocess", "pca", "train", "sample", "weights", "features", "neighbours", "scores"),
    "figure_noise_gallery",
}
CONDA = """#!{python}
import json, shutil, sys
from pathlib import Path
sys.path.insert(0, {repository!r})
from tests.environments import make_environment, pins_of
match sys.argv[1:]:
    case ["info", "--json"]:
        print(json.dumps({{"conda_prefix": {base!r}, "platform": "linux-64"}}))
    case ["--version"]:
        print("conda 25.1.0")
    case ["config", "--get", "channel_priority", "--json"]:
        print('{{"get": {{"channel_priority": "strict"}}}}')
    case ["env", "create", "--quiet", "--no-default-packages", "--file", file, "--prefix", prefix]:
        make_environment(Path(prefix), pins_of(Path(file)))
        [site] = Path(prefix).glob("lib/python*/site-packages")
        shutil.copy({noted!r}, site / "sitecustomize.py")
    case ["clean", *_]:
        pass
    case other:
        sys.exit(f"what is conda {{other}}?")
"""
# the new environment takes the place of the active one, base, in PATH
ACTIVATE = """export PATH="${{PATH/'{base}/bin'/"$1/bin:{base}/bin"}}"
export CONDA_PREFIX="$1"
"""
APPTAINER = """#!/bin/bash
[ "$1" = --version ] && { echo apptainer version 1.3.4; exit; }
while [ "$1" != sh ] && [ "$1" != bash ]; do arguments+=("$1"); shift; done
echo "${arguments[@]}" >> apptainer.log
PATH=IMAGE/bin:/usr/bin:/bin exec "$@"
"""
NOTED = """
import sys
with open({record!r}, "a") as file:
    print(sys.prefix, *sys.orig_argv[1:2], file=file)
"""


@pytest.fixture
def fresh(tmp_path, repository, inception_weights) -> Workspace:
    return make_workspace(tmp_path / "fresh", repository, inception_weights)


@pytest.fixture
def noted(tmp_path) -> Path:
    """A module that notes, at each start of a Python that has it, which one was started on which script."""
    path = tmp_path / "noted.py"
    path.write_text(NOTED.format(record=str(tmp_path / "record")))
    return path


def executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def record(folder: Path) -> dict[str, str]:
    """The scripts that were run, each with the Python that ran it."""
    lines = [line.split() for line in (folder / "record").read_text().splitlines()]
    return {Path(line[1]).stem: line[0] for line in lines if line[1:] and "scripts/" in line[1]}


def test_with_conda_every_job_runs_in_the_environment_of_its_rule(
    fresh, noted, repository, tmp_path, monkeypatch
):
    base = tmp_path / "base"
    facts = {"python": sys.executable, "repository": str(repository), "base": str(base), "noted": str(noted)}
    executable(base / "bin" / "conda", CONDA.format(**facts))
    executable(base / "bin" / "activate", ACTIVATE.format(**facts))
    monkeypatch.setenv("PATH", f"{base}/bin:{os.environ['PATH']}")
    fresh.run(*TARGETS, "--sdm", "conda")
    prefixes = record(tmp_path)
    assert prefixes.keys() == SCRIPTS
    [prefix] = set(prefixes.values())
    assert Path(prefix).parent == fresh.path / ".snakemake" / "conda"


def test_with_apptainer_every_job_runs_in_the_image(fresh, noted, repository, tmp_path, monkeypatch):
    image = tmp_path / "image"
    make_environment(image, pins_of(repository / "envs" / "shapednoise.yaml"))
    [site] = image.glob("lib/python*/site-packages")
    noted.rename(site / "sitecustomize.py")
    executable(tmp_path / "bin" / "apptainer", APPTAINER.replace("IMAGE", str(image)))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    fresh.run("data/pictures/size16/manifest.json", "--sdm", "apptainer", "--apptainer-args=--nv")
    assert set(record(tmp_path).values()) == {str(image)}
    started = (fresh.path / "apptainer.log").read_text().splitlines()
    assert all("--nv" in line and line.endswith(" envs/shapednoise.sif") for line in started), started
