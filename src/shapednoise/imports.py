"""Which project modules a script reaches: the code that a result depends on.

Snakemake does not track imports. Rules list these files as inputs, so that an edit of a module
reruns what reaches it and nothing else.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from shapednoise.files import sha256_of_json

PACKAGE = "shapednoise"
# What does not change a result, so that an edit there reruns nothing: messages, file writing, locks, what
# is left over or copied, provenance, downloads, whose content is verified, and the schemas of the
# settings, whose values are parameters of the rules.
INERT = {
    *("__init__.py", "console.py", "files.py", "provenance.py", "imports.py"),
    *("download.py", "http.py", "locks.py", "gpus.py", "leftovers.py", "adoption.py", "settings"),
}


def reached_files(script: Path, src: Path) -> list[Path]:
    """The script and the modules of the package below `src` that it imports, directly or not."""
    found: dict[Path, None] = {script: None}
    queue = [script]
    while queue:
        file = queue.pop()
        for module in _imported_modules(file.read_text(encoding="utf-8"), str(file)):
            for other in _files_of(module, src):
                if other not in found and INERT.isdisjoint(other.relative_to(src).parts):
                    found[other] = None
                    queue.append(other)
    return [script, *sorted(file for file in found if file != script)]


def code_digest(script: Path) -> str:
    """Digest of the code that a script of the project reaches: what other code left behind is not used."""
    here = script.resolve()
    files = reached_files(here, here.parents[1] / "src")
    content = [file.read_text(encoding="utf-8") for file in files]
    return sha256_of_json(content)


@cache  # scripts share most of the modules that they reach
def _imported_modules(source: str, name: str) -> tuple[str, ...]:
    """The modules that a source imports, and what may be modules among the names."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source, name)):
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append(node.module)
            found.extend(f"{node.module}.{alias.name}" for alias in node.names)
    return tuple(found)


def _files_of(module: str, src: Path) -> Iterator[Path]:
    """The file of a module of the package; nothing for other packages and for names in a module."""
    parts = module.split(".")
    file = src.joinpath(*parts).with_suffix(".py")
    if parts[0] == PACKAGE and file.is_file():
        yield file
