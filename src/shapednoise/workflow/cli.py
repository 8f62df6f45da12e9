"""How scripts run: parsed arguments, logging, and errors as one line with an exit code that is not 0."""

import argparse
import errno
import inspect
import json
import logging
import shlex
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from pydantic import BaseModel, ValidationError

from shapednoise.config.base import one_line
from shapednoise.errors import CANNOT_WRITE, DamagedFile, UserError, cannot_write
from shapednoise.files import DAMAGED, read_json
from shapednoise.log import log

AnySettings = TypeVar("AnySettings", bound=BaseModel)


def settings_from(kind: type[AnySettings]) -> Callable[[str], AnySettings]:
    """A type for argparse: a group of settings from its JSON text."""

    def parse(text: str) -> AnySettings:
        try:
            return kind.model_validate_json(text)
        except ValidationError as error:
            content = None if error.errors()[0]["type"] == "json_invalid" else json.loads(text)
            raise argparse.ArgumentTypeError(one_line(error, content)) from None

    parse.__name__ = kind.__name__
    return parse


def json_from(check: Callable[[Any], Any]) -> Callable[[str], Any]:
    """A type for argparse: what `check` makes of JSON text; its ValueError is the user's message."""

    def parse(text: str) -> Any:
        try:
            return check(json.loads(text))
        except ValidationError as error:
            raise argparse.ArgumentTypeError(str(error.errors()[0]["msg"])) from None
        except (ValueError, TypeError, KeyError) as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse


def positive(text: str) -> int:
    """A type for argparse: a whole number of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of 1 or more")
    return int(text)


def inputs_and_parameters() -> argparse.ArgumentParser:
    """The options of scripts that call one function by name: see `call`."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--inputs",
        nargs="*",
        default=[],
        metavar="NAME=PATH",
        help="files by the names of the function's arguments (.csv, .npy, .json); repeat a name for a list",
    )
    parser.add_argument("--parameters", type=json.loads, default={}, help="its other arguments (JSON)")
    return parser


def resolved_config(text: str) -> Path:
    """The `config.json` of a results folder, as scripts take it: no config.yaml."""
    if not text.endswith(".json"):
        raise argparse.ArgumentTypeError(f"{text} is no .json; give the config.json of a results folder")
    return Path(text)


def option(name: str, file: str | Sequence[str]) -> str:
    """An option of a script with a file, as a shell reads it; nothing where there is none."""
    return f"--{name.replace('_', '-')} {shlex.quote(file)}" if file else ""


def named_options(inputs: Mapping[str, str | Sequence[str]]) -> list[str]:
    """Files by name as `--inputs` takes them: NAME=PATH, several of a name where it is a list."""
    lists = {name: [files] if isinstance(files, str) else files for name, files in inputs.items()}
    return [f"{name}={file}" for name, files in lists.items() for file in files]


def call(function: Callable[..., Any], arguments: argparse.Namespace) -> Any:
    """What a function makes of input files, loaded, and of parameters.

    A table is a DataFrame, an array is memory-mapped, a record a dictionary.
    """
    inputs: dict[str, list[Any]] = {}
    for entry in arguments.inputs:
        name, equals, path = entry.partition("=")
        if not (name and equals and path):
            raise UserError(f"--inputs {entry}: write NAME=PATH")
        inputs.setdefault(name, []).append(_loaded(name, Path(path)))
    known = inspect.signature(function).parameters
    for name in (*inputs, *arguments.parameters):
        if name not in known:
            raise UserError(f"{function.__qualname__} takes no {name!r}; it takes {', '.join(known)}")
    lists = {name for name, found in inputs.items() if len(found) > 1}
    lists |= {name for name in inputs if "Sequence" in str(known[name].annotation)}
    loaded = {name: found if name in lists else found[0] for name, found in inputs.items()}
    return function(**loaded, **arguments.parameters)


def _loaded(name: str, path: Path) -> Any:
    if name == "images":
        from shapednoise.data.images import load_images  # noqa: PLC0415  the workflow reads this module

        return load_images(path)
    readers = {".csv": pd.read_csv, ".json": read_json, ".npy": partial(np.load, mmap_mode="r")}
    if path.suffix not in readers:
        raise UserError(f"--inputs {name}={path}: give a file of {', '.join(readers)}")
    try:
        return readers[path.suffix](path)
    except DAMAGED as error:
        if isinstance(error, OSError):
            raise
        raise DamagedFile(path, error) from error


def run(main: Callable[[], None]) -> None:
    """Run a script's `main`; expected failures end in one line and an exit code that is not 0.

    Exit codes: 2 for errors that the user can act on, 130 after Ctrl-C, 143 after SIGTERM, 138 after
    SIGUSR1.
    """
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    log.setLevel(logging.INFO)
    for signum in (signal.SIGTERM, signal.SIGUSR1):  # a cluster's warnings before its limit
        signal.signal(signum, _terminate)
    try:
        main()
    except UserError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted; nothing half-written was kept, run the same command again", 130)
    except OSError as error:
        if error.errno == errno.ENOENT and error.filename:
            _fail(f"there is no {error.filename}; make it first, or correct its name", 2)
        if error.errno not in CANNOT_WRITE:
            raise
        _fail(cannot_write(error), 2)


def _terminate(signum: int, frame: object) -> None:
    _fail("terminated; nothing half-written was kept, run the same command again", 128 + signum)


def _fail(message: str, code: int) -> None:
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(code)
