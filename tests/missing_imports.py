"""Run as a program: name what the given files import, at once or later, and this Python does not have.

A file of scripts/ is also run for its help, as its rule would start it.
"""

import ast
import contextlib
import importlib
import io
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path


def imported_names(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def starts(script: Path) -> None:
    """Run a script for its help; raises ImportError where it cannot be."""
    sys.argv = [str(script), "--help"]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            runpy.run_path(str(script), run_name="__main__")
    except SystemExit as ended:
        assert not ended.code, script


for path in map(Path, sys.argv[1:]):
    try:
        if path.parent.name == "scripts":
            starts(path)
        for name in imported_names(path):
            importlib.import_module(name)
    except ImportError as error:
        print(f"{path}: {error}")
