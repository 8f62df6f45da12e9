"""Which code a stage of the workflow depends on: the modules that its script reaches, without their prose.

Snakemake does not track imports. Each stage has one small file with a digest of every module that it
reaches; the rules take it as an input, and a checkpoint's fingerprint holds the same. A digest is that of
the syntax tree, so that comments, docstrings, formatting, log messages and the texts of errors and of
command lines are free to change: only what can change a result reruns a stage.
"""

import ast
import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from shapednoise.files import sha256_of_json
from shapednoise.noise.operators import OPERATORS

PACKAGE = "shapednoise"
PROJECT = Path(__file__).resolve().parents[3]
# What no result depends on: the modules beside the packages (errors, logging, writing of files), the config's
# schemas, whose values are parameters of the rules, paths and processes, and downloads, which are verified.
UNTRACKED = ("config/", "workflow/", "data/sources/", "errors", "files", "log")
PROSE = {"description", "desc", "help"}  # keyword arguments that are texts


def stage_name(script: str, *modules: str) -> str:
    """The name of a stage: a script and modules that it loads by name, `train-noise.operators.squeezed`."""
    return "-".join([script, *modules])


def code_digest(stage: str, project: Path = PROJECT) -> str:
    """One digest of `code_digests`."""
    return sha256_of_json(code_digests(stage, project))


def code_digests(stage: str, project: Path = PROJECT) -> dict[str, str]:
    """A digest of each file of the project that a stage reaches, by its path in the project."""
    script, *modules = stage.split("-")
    src = project / "src"
    entries = [project / "scripts" / f"{script}.py"]
    entries += [file for module in modules for file in _tracked_files(f"{PACKAGE}.{module}", src)]
    files = import_closure(entries, src)
    return {
        file.relative_to(project).as_posix(): module_digest(file.read_text(encoding="utf-8"))
        for file in files
    }


def import_closure(entries: list[Path], src: Path) -> list[Path]:
    """These files and the tracked modules of the package below `src` that they import, directly or not."""
    found, queue = dict.fromkeys(entries), list(entries)
    while queue:
        file = queue.pop()
        for module in _imported_modules(file.read_text(encoding="utf-8"), str(file)):
            for other in _tracked_files(module, src):
                if other not in found:
                    found[other] = None
                    queue.append(other)
    return sorted(found)


@cache
def module_digest(source: str) -> str:
    """A digest of the source's syntax tree without docstrings, log messages and texts of errors.

    It is the same under every version of Python: what one has no fields for is left out where it is empty.
    """
    tree = _WithoutProse().visit(ast.parse(source))
    return hashlib.sha256(repr(_plain(tree)).encode()).hexdigest()[:16]


def _plain(node: Any) -> Any:
    if isinstance(node, ast.Constant):
        return repr(node.value)
    if isinstance(node, ast.AST):
        fields = [(name, _plain(value)) for name, value in ast.iter_fields(node) if value not in (None, [])]
        return type(node).__name__, *fields
    return [_plain(each) for each in node] if isinstance(node, list) else node


class _WithoutProse(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Leave out docstrings and calls of the logger."""
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return None
        called = node.value.func if isinstance(node.value, ast.Call) else None
        logger = called.value if isinstance(called, ast.Attribute) else None
        return None if isinstance(logger, ast.Name) and logger.id == "log" else self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        """Keep the kind of an error, not its message."""
        kind = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return ast.copy_location(ast.Raise(kind, None), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Leave out arguments that are descriptions."""
        node.keywords = [keyword for keyword in node.keywords if keyword.arg not in PROSE]
        return self.generic_visit(node)


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


def _tracked_files(module: str, src: Path) -> Iterator[Path]:
    """The files of a module of the package and of its parents; none where it is untracked or no module."""
    root, *parts = module.split(".")
    if root != PACKAGE or len(parts) < 2 or "/".join(parts).startswith(UNTRACKED):
        return
    for depth in range(1, len(parts) + 1):
        place = src.joinpath(PACKAGE, *parts[:depth])
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file() and file.stat().st_size:
                yield file


def modules_of(package: str) -> list[str]:
    """The modules of a package that registers what they define, to name a stage by: `claims.sdm`."""
    folder = Path(PROJECT, "src", PACKAGE, *package.split("."))
    return [f"{package}.{module.name}" for module in iter_modules([str(folder)])]


def operator_modules(shape: Mapping[str, Any]) -> list[str]:
    """The modules of the operators in a noise shape's description, to name a stage by."""
    modules = [OPERATORS[shape["operator"]].module]
    if shape.get("times"):
        modules += operator_modules(shape["times"])
    return sorted(set(modules))
