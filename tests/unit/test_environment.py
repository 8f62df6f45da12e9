"""One list of pins: the lock, the conda environments and the bounds agree."""

import re
import tomllib

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement

CONDA_PYTHON = {"python_version": "3.12", "python_full_version": "3.12.0"}


@pytest.fixture(scope="module")
def lock(repository) -> dict[str, str]:
    """Name to version, as on Linux with the Python of the conda environments."""
    text = (repository / "envs" / "requirements.lock").read_text()
    pins = {}
    for name, version, marker in re.findall(r"^([\w.-]+)==(\S+?)(?: ; (.+?))? \\$", text, re.MULTILINE):
        if not marker or Marker(marker).evaluate(CONDA_PYTHON):
            pins[name] = version
    return pins


@pytest.mark.parametrize("file", ["shapednoise.yaml", "workflow.yaml"])
def test_conda_environments_pin_what_the_lock_pins(repository, lock, file):
    environment = yaml.safe_load((repository / "envs" / file).read_text())
    assert environment["dependencies"][0] == "python=3.12"
    [pip] = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    for pin in pip:
        name, version = pin.split("==")
        assert lock[name] == version, name


def test_the_environment_of_the_scripts_has_every_dependency(repository):
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    needed = {Requirement(text).name for text in project["dependencies"]}
    environment = yaml.safe_load((repository / "envs" / "shapednoise.yaml").read_text())
    assert {pin.split("==")[0] for pin in environment["dependencies"][-1]["pip"]} == needed


def test_the_lock_satisfies_the_bounds(repository, lock):
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    for text in [*project["dependencies"], *(text for extra in extras for text in extra)]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(lock[requirement.name]), text
        assert all(bound.operator == ">=" for bound in requirement.specifier), f"{text}: lower bounds only"


def test_the_lock_names_no_hosts_and_hashes_everything(repository):
    text = (repository / "envs" / "requirements.lock").read_text()
    assert "://" not in text
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in block, block[:60]
