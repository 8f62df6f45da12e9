"""Print what a report of a bug needs: versions, hardware, the last run's config and the end of its log.

Names of the user and of the host are left out, and folders above the project and the home folder.
"""

import argparse
import getpass
import os
import platform
import re
import socket
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from shapednoise.diffusion.device import hardware
from shapednoise.files import read_json
from shapednoise.workflow.cli import positive, run
from shapednoise.workflow.provenance import git_state

PACKAGES = (
    "shapednoise",
    "torch",
    "torchvision",
    "torch-fidelity",
    "diffusers",
    "numpy",
    "pydantic",
    "snakemake",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=positive, default=40, help="of each log")
    lines = parser.parse_args().lines

    git = git_state()
    print(f"commit: {git['commit']}{' with edits' if git['edited'] else ''}")
    print(f"system: {platform.system()} {platform.machine()}, Python {platform.python_version()}")
    print("versions:", ", ".join(f"{name} {installed(name)}" for name in PACKAGES))
    print("hardware:", ", ".join(f"{key}: {value}" for key, value in hardware().items()))
    if config := newest("results/*/config.json"):
        print("config of the last run:", read_json(config)["name"])
    for kind, pattern in (("run", ".snakemake/log/*.log"), ("job", "results/*/logs/**/*.log")):
        if log := newest(pattern):
            end = log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
            print(anonymous("\n".join(["", f"last log of a {kind}, {log}:", *end])))


def installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "is not installed"


def newest(pattern: str) -> Path | None:
    """The file of this pattern that was written last."""
    return max(Path().glob(pattern), key=lambda file: file.stat().st_mtime, default=None)


def anonymous(text: str) -> str:
    """The text without names of folders above the project, of the user and of the host."""
    for folder, shown in ((str(Path.cwd()), "."), (str(Path.home()), "~")):
        text = text.replace(folder, shown)
    names = {getpass.getuser(): "USER", socket.gethostname(): "HOST", os.environ.get("HOSTNAME", ""): "HOST"}
    for name, shown in names.items():
        if name:
            text = re.sub(rf"\b{re.escape(name)}\b", shown, text)
    return text


run(main)
