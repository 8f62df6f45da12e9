"""How scripts run: parsed arguments, logging, and errors as one line with an exit code that is not 0."""

import argparse
import json
import logging
import signal
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from shapednoise.errors import CANNOT_WRITE, UserError, cannot_write
from shapednoise.log import log

AnySettings = TypeVar("AnySettings", bound=BaseModel)


def settings_from(kind: type[AnySettings]) -> Callable[[str], AnySettings]:
    """A type for argparse: a group of settings from its JSON text."""

    def parse(text: str) -> AnySettings:
        try:
            return kind.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise argparse.ArgumentTypeError(f"{key}: {first['msg']}") from None

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
        if error.errno not in CANNOT_WRITE:
            raise
        _fail(cannot_write(error), 2)


def _terminate(signum: int, frame: object) -> None:
    _fail("terminated; nothing half-written was kept, run the same command again", 128 + signum)


def _fail(message: str, code: int) -> None:
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(code)
