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
from pydantic_core import PydanticCustomError

NAME = r"[A-Za-z0-9_]+"
BRIEF = reprlib.Repr()  # what is wrong may be of any size
BRIEF.maxstring = BRIEF.maxother = 200
BRIEF.maxlevel = 2
SWITCH = {True: "on", False: "off"}


class Settings(BaseModel):
    """A group of settings. Unknown keys are refused, values cannot be changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=(), allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _keys_and_switches(cls, values: Any) -> Any:
        """Name an unknown key before what its misspelling leaves missing; see `_as_meant`."""
        if not isinstance(values, Mapping):
            return values
        for key in values:
            if key not in cls.model_fields:
                text = f"unknown key; {suggestion(str(key), cls.model_fields)}"
                raise PydanticCustomError("key", "{text}", {"text": text, "key": key})
        return {key: _as_meant(key, value, cls.model_fields[key].annotation) for key, value in values.items()}


def _as_meant(key: str, value: Any, annotation: Any) -> Any:
    """YAML 1.1 reads `on`, `off`, `yes` and `no` as booleans: words where they are choices, no number."""
    known = {annotation, *get_args(annotation)}
    if not isinstance(value, bool) or bool in known:
        return value
    if {int, float} & known:
        raise PydanticCustomError("key", "{text}", {"text": _read_as(value), "key": key})
    return SWITCH[value] if SWITCH[value] in known else value


def strength_text(strength: float) -> str:
    """The canonical spelling of a strength in a path: two decimals, `-0.40`, `0.00`, `0.40`."""
    return f"{strength + 0.0:.2f}" if strength else "0.00"


def _read_as(value: bool) -> str:
    return f"YAML reads this as {str(value).lower()}; write a number"


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(_read_as(value))
    return value


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
    is_file = os.path.isfile(folder)  # noqa: PTH113 - False, too, where Path.is_file raises
    if is_file or folder in (".", "..", "/") or set("{}\n") & set(folder):
        raise ValueError(f"{folder!r} is no folder for outputs; name one, without braces and line breaks")
    return folder


LocalPath = Annotated[str, AfterValidator(_expanded)]  # `~` and `$NAME` expanded, no `./`, no `/` at the end
OutputFolder = Annotated[LocalPath, AfterValidator(_plain_folder)]
Strength = Annotated[float, BeforeValidator(_number), AfterValidator(_two_decimals)]
Seed = Annotated[int, Field(ge=0, lt=1 << 63), BeforeValidator(_number)]
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


TEXTS = {  # by pydantic's types of errors
    "missing": "is missing; add it",
    "union_tag_not_found": "has no {discriminator}; add it",
    **dict.fromkeys(("tuple_type", "list_type"), "is no list; write [one, another]"),
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), "has no keys; write `key: value`"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "is no whole number; write digits alone"),
    **dict.fromkeys(("float_type", "float_parsing"), "is no number; write it without words and units"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "write true or false"),
    "string_type": "is no text; put it in quotes",
    "finite_number": "is no finite number",
    "too_short": "give at least {min_length}",
    "too_long": "give at most {max_length}",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be {le} or less",
}


def one_line(error: ValidationError, content: Any) -> str:
    """The first problem of content that was validated, `key: what; remedy`, and how many more there are."""
    problems = sorted(error.errors(), key=lambda problem: problem["type"] != "key")
    keys = [_key_in_file(problem, content) for problem in problems]
    first, more = problems[0], len(set(keys)) - 1
    # of a union, each member says what it wants
    same = [_said(problem) for problem, key in zip(problems, keys, strict=True) if key == keys[0]]
    text = ", or: ".join(dict.fromkeys(same))
    if first["type"] in ("missing", "union_tag_not_found"):
        text += _sibling(first["loc"], content)
    elif first["type"] not in ("key", "value_error"):
        text += f" (it is {BRIEF.repr(first['input'])})"
    text += f" (and {more} more)" if more else ""
    return f"{keys[0]}: {text}" if keys[0] else text


def _said(problem: Mapping[str, Any]) -> str:
    """What is wrong, in words of a config; pydantic's own where there are none for it."""
    kind, context, given = problem["type"], problem.get("ctx", {}), problem["input"]
    if kind in ("literal_error", "union_tag_invalid"):
        expected = re.findall(r"'([^']*)'", str(context.get("expected", context.get("expected_tags"))))
        expected = expected or [str(context.get("expected"))]
        given = context.get("tag", given)
        close = difflib.get_close_matches(str(given).lower(), expected, 1)
        of = "one of " if len(expected) > 1 else ""
        return f"did you mean {close[0]!r}?" if close else f"write {of}{', '.join(expected)}"
    if kind in TEXTS:
        whole = {name: int(x) for name, x in context.items() if isinstance(x, float) and x.is_integer()}
        return TEXTS[kind].format(**context | whole)
    return problem["msg"].removeprefix("Value error, ")


def _sibling(loc: tuple[int | str, ...], content: Any) -> str:
    """An entry that lacks something may be a misspelt one, which was to be laid over another."""
    group = content.get(loc[0]) if isinstance(content, Mapping) and len(loc) > 1 else None
    if not isinstance(group, Mapping) or isinstance(loc[-1], int):
        return ""
    close = difflib.get_close_matches(str(loc[1]), [str(name) for name in group if name != loc[1]], 1)
    return f"; or did you mean {loc[0]}.{close[0]}?" if close else ""


def _key_in_file(problem: Mapping[str, Any], content: Any) -> str:
    """The key of a problem without the parts that the schema adds to it, such as the member of a union."""
    key = []
    for part in problem["loc"]:
        with suppress(KeyError, IndexError, TypeError):
            content = content[part]
            key.append(str(part))
    if problem["type"] == "missing":
        key.append(str(problem["loc"][-1]))
    if problem["type"] == "key":
        key.append(str(problem["ctx"]["key"]))
    return ".".join(key)


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """What may have been meant by a name that is not known."""
    known = list(known)
    if close := difflib.get_close_matches(wrong, known, 1):
        return f"did you mean {close[0]!r}?"
    names = ", ".join(sorted(known)) if len(known) <= 12 else ""
    return f"known: {names}" if names else "remove it or correct its spelling"
