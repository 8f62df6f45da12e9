"""What all settings share: closed keys, no change after reading, one-line errors."""

import difflib
import os
import re
import reprlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

NAME = r"[A-Za-z0-9_]+"
BRIEF = reprlib.Repr()  # what is wrong may be of any size
BRIEF.maxstring = BRIEF.maxother = 200
BRIEF.maxlevel = 2
SWITCH = {True: "on", False: "off"}


class Settings(BaseModel):
    """A group of settings. Unknown keys are refused, values cannot be changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    @model_validator(mode="before")
    @classmethod
    def _switches(cls, values: Any) -> Any:
        """Take `on` and `off` for these words where they are choices: YAML 1.1 reads them as booleans."""
        if not isinstance(values, Mapping):
            return values
        choices = {name: get_args(field.annotation) for name, field in cls.model_fields.items()}
        return {
            key: SWITCH[value] if isinstance(value, bool) and SWITCH[value] in choices.get(key, ()) else value
            for key, value in values.items()
        }


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
    if isinstance(value, bool | int | float):
        raise ValueError(f"YAML reads this name as {value!r}; put it in quotes")
    if not isinstance(value, str) or not re.fullmatch(NAME, value) or len(value) > 100:
        text = "is no name for files; use up to 100 letters, digits and underscores"
        raise ValueError(f"{BRIEF.repr(value)} {text}")
    return value


def _expanded(path: str) -> str:
    expanded = os.path.expandvars(os.path.expanduser(path))  # noqa: PTH111 - leaves what it does not know
    if unknown := re.search(r"^~[^/]*|\$(\w+|\{[^}]*\})", expanded):
        raise ValueError(f"{unknown[0]} in {path!r} is not known here; set it or write the folder out")
    return str(Path(expanded))


def _plain_folder(folder: str) -> str:
    if folder == "." or set("{}\n") & set(folder):
        raise ValueError(f"{folder!r} is no folder for outputs; name one, without braces and line breaks")
    return folder


LocalPath = Annotated[str, AfterValidator(_expanded)]  # `~` and `$NAME` expanded, no `./`, no `/` at the end
OutputFolder = Annotated[LocalPath, AfterValidator(_plain_folder)]
Strength = Annotated[float, AfterValidator(_two_decimals)]
Seed = Annotated[int, Field(ge=0, lt=1 << 63)]
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


def one_line(error: ValidationError, content: Any) -> str:
    """The first problem of content that was validated, `key: what; remedy`, and how many more there are."""
    problems = error.errors()
    keys = [_key_in_file(problem, content) for problem in problems]
    first, more = problems[0], len(set(keys)) - 1
    if first["type"] == "extra_forbidden" and first["loc"][-1] in _all_keys():
        text = "does not belong here; remove it"
    elif first["type"] == "extra_forbidden":
        text = f"unknown key; {suggestion(str(first['loc'][-1]), _all_keys())}"
    elif first["type"] == "missing":
        text = "is missing; add it"
    else:  # of a union, each member says what it wants
        same = [problem["msg"] for problem, key in zip(problems, keys, strict=True) if key == keys[0]]
        text = ", or: ".join(dict.fromkeys(same)).removeprefix("Value error, ")
        if first["type"] != "value_error":
            text += f" (it is {BRIEF.repr(first['input'])})"
    text += f" (and {more} more)" if more else ""
    return f"{keys[0]}: {text}" if keys[0] else text


def _key_in_file(problem: Mapping[str, Any], content: Any) -> str:
    """The key of a problem without the parts that the schema adds to it, such as the member of a union."""
    key = []
    for part in problem["loc"]:
        with suppress(KeyError, IndexError, TypeError):
            content = content[part]
            key.append(str(part))
    if problem["type"] == "missing":
        key.append(str(problem["loc"][-1]))
    return ".".join(key)


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
