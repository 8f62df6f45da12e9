"""How a result came about: code, versions, hardware, settings, seconds. Kept beside the result."""

import subprocess
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from shapednoise.diffusion.device import hardware
from shapednoise.errors import DamagedFile
from shapednoise.files import read_json

PACKAGES = ("shapednoise", "torch", "diffusers", "numpy")


class ProvenanceRecorder:
    """Makes the provenance record of a result whose making begins now."""

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        self.began = time.monotonic()

    def record(self, **facts: Any) -> dict[str, Any]:
        """The record, with these further facts."""
        return {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - self.began, 1),
            "git": git_state(),
            "versions": {name: _version(name) for name in PACKAGES},
            "hardware": hardware(),
            **self.facts,
            **facts,
        }


def is_complete(provenance: Path, fingerprint: Any, *outputs: Path) -> bool:
    """Whether a result's files are there and its provenance has this fingerprint."""
    if not all(file.is_file() for file in (provenance, *outputs)):
        return False
    try:
        return bool(read_json(provenance).get("fingerprint") == fingerprint)
    except DamagedFile:
        return False


def git_state() -> dict[str, str | bool | None]:
    """Commit of the code, and whether it was edited since; None outside a checkout."""
    commit = _git("rev-parse", "HEAD")
    return {"commit": commit, "edited": bool(_git("status", "--porcelain", "-uno")) if commit else None}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None  # run from a checkout without an installation


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, check=True, cwd=Path(__file__).parent
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
