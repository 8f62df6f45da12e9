"""The package as pip installs it: small, in an environment that has nothing but what it asks for."""

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest
import yaml

import shapednoise
from shapednoise import ShapedDDPMPipeline, ShapedDDPMScheduler
from tests.environments import bare_environment, make_environment
from tests.unit.noise.test_schedulers import tiny_unet
from tests.unit.test_environment import missing_imports, needed_by

BUILD = "from setuptools import build_meta; print(build_meta.build_{}({!r}))"
THREE_LINES = """
from shapednoise import ShapedDDPMPipeline
pipeline = ShapedDDPMPipeline.from_pretrained({folder!r})
images = pipeline(batch_size=2, num_inference_steps=3).images
assert [image.size for image in images] == [(8, 8), (8, 8)]

from importlib.util import find_spec
assert not [name for name in {others!r} if find_spec(name)]
"""
OTHERS = [
    "accelerate",
    "matplotlib",
    "pandas",
    "pyarrow",
    "scipy",
    "snakemake",
    "torch_fidelity",
    "torchvision",
]


@pytest.fixture(scope="module")
def wheel(repository, tmp_path_factory) -> Path:
    """The wheel that is built from the source distribution, which is built from a copy of the project."""
    folder = tmp_path_factory.mktemp("package")
    copy = folder / "copy"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(repository / "src", copy / "src", ignore=ignored)
    for part in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(repository / part, copy / part)
    with tarfile.open(built("sdist", copy, folder)) as archive:
        archive.extractall(folder, filter="data")
    [unpacked] = folder.glob("shapednoise-*/")
    return built("wheel", unpacked, folder)


def built(kind: str, project: Path, folder: Path) -> Path:
    command = [sys.executable, "-c", BUILD.format(kind, str(folder))]
    done = subprocess.run(command, cwd=project, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def light(repository, wheel, tmp_path_factory) -> Path:
    """The Python of an environment with the wheel and what it requires, nothing else."""
    folder = tmp_path_factory.mktemp("light")
    python = make_environment(folder, needed_by(repository))
    [site] = folder.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return python


def test_the_wheel_asks_for_four_packages_and_describes_itself(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        [metadata] = [archive.read(name).decode() for name in names if name.endswith("METADATA")]
    assert "shapednoise/py.typed" in names and "shapednoise/noise/operators/squeezed.py" in names
    assert not [name for name in names if not name.startswith("shapednoise")]
    header = HeaderParser().parsestr(metadata)
    asked = [text for text in header.get_all("Requires-Dist") if "extra ==" not in text]
    assert {text.split(">=")[0] for text in asked} == {"diffusers", "numpy", "pydantic", "torch"}
    assert {"workflow", "scores", "figures", "dev"} <= set(header.get_all("Provides-Extra"))
    assert header["Version"] == shapednoise.__version__
    assert not {"Home-page", "Project-URL"} & set(header.keys())  # the owner's to set
    assert header["License-Expression"] == "MIT" and header["Description-Content-Type"] == "text/markdown"


def test_a_type_checker_sees_the_public_names(repository):
    text = (repository / "src" / "shapednoise" / "__init__.py").read_text()
    assert set(re.findall(r" as (\w+)$", text, re.MULTILINE)) == set(shapednoise.__all__)


def test_the_version_stands_in_one_place(repository):
    """What repeats it says the same."""
    assert "version" in tomllib.loads((repository / "pyproject.toml").read_text())["project"]["dynamic"]
    assert yaml.safe_load((repository / "CITATION.cff").read_text())["version"] == shapednoise.__version__
    heads = re.findall(r"^## \[(.*)\]", (repository / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert heads[0] in ("Unreleased", shapednoise.__version__)


def test_three_lines_sample_a_saved_model_with_nothing_else_installed(light, tmp_path):
    shape = {"operator": "sdm", "strength": -0.4, "axis": [0.5580, 0.5775, 0.5960]}
    ShapedDDPMPipeline(tiny_unet(), ShapedDDPMScheduler(shape=shape)).save_pretrained(tmp_path / "model")
    program = THREE_LINES.format(folder=str(tmp_path / "model"), others=OTHERS)
    done = subprocess.run(
        [light, "-c", program], cwd=tmp_path, text=True, capture_output=True, check=False,
        env=bare_environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("extra", "packages"), [("scores", ["metrics"]), ("figures", ["figures", "analysis"])]
)
def test_an_extra_brings_what_its_packages_import(repository, tmp_path, extra, packages):
    python = make_environment(tmp_path / "env", needed_by(repository, extra))
    files = [file for each in packages for file in repository.glob(f"src/shapednoise/{each}/**/*.py")]
    assert missing_imports(repository, python, files) == ""
