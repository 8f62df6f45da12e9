"""What all settings share: closed keys, no change after reading, one-line errors."""

import difflib
import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
)

NAME = r"[A-Za-z0-9_]+"
TAGS = {"name", "list", "clean set", "corrupted set"}  # parts of a key that the schema adds


class Settings(BaseModel):
    """A group of settings. Unknown keys are refused, values cannot be changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


def strength_text(strength: float) -> str:
    """The canonical spelling of a strength in a path: two decimals, `-0.40`, `0.00`, `0.40`."""
    return f"{strength + 0.0:.2f}" if strength else "0.00"


def _two_decimals(strength: float) -> float:
    if not -10 < strength < 10:
        raise ValueError(f"strength {strength!r} is out of range; use a number between -10 and 10")
    rounded = round(strength, 2)
    if abs(rounded - strength) > 1e-12:
        raise ValueError(
            f"strength {strength!r} has more than two decimals; "
            f"write {rounded:g} (a strength names files, so it has at most two)"
        )
    return rounded + 0.0  # never -0.0


def _plain_name(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(NAME, value):
        raise ValueError(f"{value!r} is no name for files; use letters, digits and underscores")
    return value


Strength = Annotated[float, AfterValidator(_two_decimals)]
Seed = Annotated[int, Field(ge=0)]
Name = Annotated[str, BeforeValidator(_plain_name)]


def _named_or_listed(values: Any) -> str:
    return "name" if isinstance(values, str) else "list"


StrengthGrid = Annotated[
    Annotated[Name, Tag("name")] | Annotated[tuple[Strength, ...], Tag("list")],
    Discriminator(_named_or_listed),
]
SeedList = Annotated[
    Annotated[Name, Tag("name")] | Annotated[tuple[Seed, ...], Tag("list")],
    Discriminator(_named_or_listed),
]


def one_line(error: ValidationError) -> str:
    """The first problem, `key: what; remedy`, and how many more there are."""
    problems = error.errors()
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"] if part not in TAGS)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if first["type"] == "extra_forbidden" and first["loc"][-1] in _all_keys():
        text = "does not belong here; remove it"
    elif first["type"] == "extra_forbidden":
        text = f"unknown key; {suggestion(str(first['loc'][-1]), _all_keys())}"
    elif first["type"] == "missing":
        text = "is missing; add it"
    else:
        text = first["msg"].removeprefix("Value error, ")
        if first["type"] != "value_error":
            text += f" (it is {first['input']!r})"
    return f"{key}: {text}{more}" if key else f"{text}{more}"


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """What may have been meant by a name that is not known."""
    known = list(known)
    if close := difflib.get_close_matches(wrong, known, 1):
        return f"did you mean {close[0]!r}?"
    names = ", ".join(sorted(known)) if len(known) <= 12 else ""
    return f"known: {names}" if names else "remove it or correct its spelling"


def _all_keys(settings: type[BaseModel] = Settings) -> set[str]:
    keys = set(settings.model_fields)
    for kind in settings.__subclasses__():
        keys |= _all_keys(kind)
    return keys
