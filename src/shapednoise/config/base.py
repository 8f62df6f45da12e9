"""What all settings share: closed keys, no change after reading, one-line errors."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

NAME = r"[A-Za-z0-9_]+"


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
