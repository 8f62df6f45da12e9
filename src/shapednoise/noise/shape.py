"""The noise shape that a plain dictionary describes, as configs and saved schedulers have it.

    {"operator": "sdm", "strength": -0.4, "axis": [0.56, 0.58, 0.59], "schedule": "beta"}

A color shape times a frequency shape is a shape. For every operator strength 0 is white noise.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from shapednoise.errors import UserError
from shapednoise.noise.bases import (
    ColorShape,
    FourierShape,
    IsotropicShape,
    NoiseShape,
    ProductShape,
    Size,
    radii,
)
from shapednoise.noise.operators import BASELINE, OF_DATA, OPERATORS, Operator, names_of

__all__ = ["SHAPE_VERSION", "NoiseShape", "ShapeError", "Size", "make_shape", "product", "radii", "with_data"]

SHAPE_VERSION = 1
TRAINED = "trained_strengths"  # of a description: those that the network has seen


class ShapeError(UserError, ValueError):
    """A description of a noise shape that is wrong; the message is one line."""


def make_shape(
    operator: str = BASELINE,
    *,
    times: Mapping[str, Any] | None = None,
    version: int = SHAPE_VERSION,
    trained_strengths: Sequence[float] | None = None,
    **parameters: Any,
) -> NoiseShape:
    """Make the noise shape that a plain dictionary describes, as it stands in a scheduler's config.

    Args:
        operator: A key of `shapednoise.noise.operators.OPERATORS`, such as `sdm`, `hdm` or `sagd_powerlaw`;
            docs/config.md has them all, with their fields.
        times: The description of a second shape, of the other basis, that multiplies the first.
        version: The version of this description; a newer one is refused.
        trained_strengths: Of a network that knows many (noise/strengths.py): `strength` lies within them.
        parameters: `strength`, `schedule` and `normalize`, `axis` for an operator of the colors, and
            the operator's own fields. Operator.build says what they are.

    Raises:
        ShapeError: The description is wrong.
    """
    if not isinstance(version, int) or version > SHAPE_VERSION:
        raise ShapeError(
            f"this noise shape was saved by a newer shapednoise (shape version {version}, this one "
            f"reads up to {SHAPE_VERSION}); upgrade shapednoise"
        )
    kind = _operator(operator)
    if trained_strengths:
        least, most = min(trained_strengths), max(trained_strengths)
        strength = parameters.get("strength", kind.default_strength)
        if not least <= strength <= most:
            raise ShapeError(
                f"the model was trained at strengths from {least:g} to {most:g}, not at {strength:g}; "
                "use one in that range"
            )
    known = kind.parameters()
    for name in parameters:
        if name not in known:
            raise ShapeError(f"{operator} has no parameter {name!r}; it has {', '.join(known)}")
    own = {name: value for name, value in parameters.items() if name in kind.model_fields}
    common = {name: value for name, value in parameters.items() if name not in own}
    try:
        shape = kind(**own).build(**{"strength": kind.default_strength, **common})
    except ValidationError as error:
        raise ShapeError(_first_problem(operator, error)) from None
    except TypeError as error:
        raise ShapeError(f"a parameter of {operator} has the wrong type: {error}") from None
    except ValueError as error:
        raise ShapeError(str(error)) from None
    return product(shape, make_shape(**times)) if times else shape


def product(first: NoiseShape, second: NoiseShape) -> NoiseShape:
    """Multiply a color shape and a frequency shape, or anything and white noise.

    Raises:
        ShapeError: The two shapes have the same basis, or one is a product already.
    """
    for shape, factor in ((first, second), (second, first)):
        if isinstance(shape, IsotropicShape):
            return factor
        if isinstance(shape, ColorShape) and isinstance(factor, FourierShape):
            return ProductShape(shape, factor)
    raise ShapeError(
        f"only a color shape ({names_of('color')}) times a frequency shape ({names_of('frequency')}) "
        "is supported"
    )


def with_data(
    shape: Mapping[str, Any], axes: Sequence[Sequence[float]], spectrum: Any = None
) -> dict[str, Any]:
    """Complete a description by what its operator needs of the data: color axis, or axes and spectrum.

    Args:
        shape: A description as `make_shape` takes it, without them.
        axes: The colors' principal axes, C orthonormal rows, the first one v.
        spectrum: The power spectrum of the data, (C, H, W) (analysis/spectrum.py); None: it is not known.

    Raises:
        ShapeError: It is no mapping, or its operator does not exist.
    """
    if not isinstance(shape, Mapping):
        raise ShapeError(f"a noise shape is a mapping, not {shape!r}")
    known: dict[str, Any] = {"axis": list(axes[0]), "axes": [list(axis) for axis in axes]}
    if spectrum is not None:
        width = spectrum.shape[-1]
        known |= {"spectrum": spectrum[..., : width // 2 + 1].tolist(), "width": width}
    needed = OF_DATA.get(_operator(shape.get("operator")).basis, ())
    completed = {**shape, **{name: known[name] for name in needed if name in known}}
    if shape.get("times"):
        completed["times"] = with_data(shape["times"], axes, spectrum)
    return completed


def _operator(name: Any) -> type[Operator]:
    if not isinstance(name, str) or name not in OPERATORS:
        raise ShapeError(f"unknown operator {name!r}; use one of {', '.join(OPERATORS)}")
    return OPERATORS[name]


def _first_problem(operator: str, error: ValidationError) -> str:
    """One line about parameters that the operator's class refuses."""
    problem = error.errors()[0]
    text = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error":
        return text
    return f"{operator}: {'.'.join(map(str, problem['loc']))}: {text} (it is {problem['input']!r})"
