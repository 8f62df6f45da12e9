"""Python environments that hold what an environment file pins and nothing else.

They are made of links to what is installed, so that each takes a moment and nothing is fetched.
"""

import os
import re
import sysconfig
import venv
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import yaml
from packaging.requirements import Requirement


def pins_of(file: Path) -> dict[str, str]:
    """Name to version of what an environment file installs by pip."""
    [pip] = [
        entry["pip"] for entry in yaml.safe_load(file.read_text())["dependencies"] if type(entry) is dict
    ]
    return dict(pin.split("==") for pin in pip)


def with_requirements(names: Iterable[str]) -> dict[str, Distribution]:
    """The installed distributions of these names and all that they require, directly or not."""
    found: dict[str, Distribution] = {}
    seen, queue = set(), [Requirement(name) for name in names]
    while queue:
        wanted = queue.pop()
        key = (normalised(wanted.name), frozenset(wanted.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            found[key[0]] = distribution(wanted.name)
        except PackageNotFoundError:
            continue  # not for this platform; who needs it will say so
        queue += requirements_of(found[key[0]], wanted.extras)
    return found


def requirements_of(package: Distribution, extras: Iterable[str]) -> Iterator[Requirement]:
    """What a distribution with these extras requires here."""
    for requirement in map(Requirement, package.requires or []):
        if any(
            not requirement.marker or requirement.marker.evaluate({"extra": extra}) for extra in ["", *extras]
        ):
            yield requirement


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def make_environment(folder: Path, names: Iterable[str]) -> Path:
    """A virtual environment of these distributions and what they require; returns its Python."""
    venv.create(folder, with_pip=False, symlinks=True)
    scheme = {"base": str(folder), "platbase": str(folder), "installed_base": str(folder)}
    site = Path(sysconfig.get_path("purelib", "venv", vars=scheme))
    for package in with_requirements(names).values():
        for part in {Path(str(file)).parts[0] for file in package.files or []} - {"..", "__pycache__"}:
            if not (site / part).exists():
                (site / part).symlink_to(Path(str(package.locate_file(part))).resolve())
    return folder / "bin" / "python"


def bare_environment() -> dict[str, str]:
    """The variables of this process without those that lead Python elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
