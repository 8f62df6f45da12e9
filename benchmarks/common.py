"""What the benchmarks share: options, facts about the machine, tables, files."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from shapednoise.diffusion.device import hardware
from shapednoise.files import write_json
from shapednoise.workflow.provenance import git_state

OUTPUT = Path("results/bench")


def new_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser whose help starts with a module's docstring, its lines as they are."""
    return argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def facts_of(module: str, packages: Iterable[str], **hardware_facts: Any) -> dict[str, Any]:
    """What numbers depend on, and the load of the machine at the start."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["python", "-m", f"benchmarks.{module}", *sys.argv[1:]]),
        "load_average_at_start": list(os.getloadavg()),
        "git": git_state(),
        "versions": {"python": sys.version.split()[0], **{name: version(name) for name in packages}},
        "hardware": hardware() | hardware_facts,
    }


def machine_name(facts: dict[str, Any]) -> str:
    """The GPU, or the processor with its threads."""
    machine = facts["hardware"]
    return machine.get("gpu") or f"{machine['cpu']}, {machine['threads']} threads"


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]], text_columns: int = 1) -> str:
    """A table; columns behind the first `text_columns` are aligned to the right."""
    rule = ["---"] * text_columns + ["---:"] * (len(header) - text_columns)
    lines = (" | ".join(cell.replace("|", "\\|") for cell in line) for line in (header, rule, *rows))
    return "\n".join(f"| {line} |" for line in lines)


def publish(
    folder: Path, name: str, results: dict[str, Any], report: str, draw: Callable | None = None
) -> None:
    """Print the report; write NAME.json and, by draw(results, paths), NAME.pdf and NAME.png."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / f"{name}.json", results)
    print(report)
    if draw:
        draw(results, [folder / f"{name}.{suffix}" for suffix in ("pdf", "png")])
    print(f"written: {folder}/{name}.json")
