"""The registry of noise operators: of each its formula, parameters, ranges, error texts and labels.

An operator is one class in one module of this package; modules are found, not listed. A file with

    class Blue(FrequencyOperator):
        '''Noise whose amplitude grows with the frequency.'''

        name = "blue"

        def gains(self, r, s):
            return (1 + r) ** s

is all that a new one takes: `{operator: blue}` is then a noise of the config and of `make_shape`.
Nothing here imports torch before `build`, because every parsing of the config reads this registry.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from shapednoise.noise import Normalize, Schedule

if TYPE_CHECKING:
    from torch import Tensor

    from shapednoise.noise.bases import NoiseShape

Basis = Literal["white", "color", "frequency", "principal"]
BASELINE = "ddpm"
# What a description of a shape needs of the data that the noise is made for.
OF_DATA: dict[Basis, tuple[str, ...]] = {"color": ("axis",), "principal": ("axes", "spectrum", "width")}
OPERATORS: dict[str, type["Operator"]] = {}


class Operator(BaseModel, ABC):
    """What multiplies white noise. Fields are the operator's own parameters, each with a description.

    A subclass that has a `name` is registered in OPERATORS. Its docstring describes it in the config.

    Attributes:
        name: What configs and saved schedulers call it.
        basis: What its modes are: `white` (all alike), `color` (along and across the data's principal
            color axis), `frequency` (radii) or `principal` (principal color axes times frequencies). A color
            operator times a frequency operator is a shape.
        paper: The paper that it is from, where it is from one of the two that are reproduced.
        module: Its module, without the package: `noise.operators.squeezed`.
        blurs: Whether it has gains of the signal; such a noise has the reading `exact` alone.
        default_strength: The strength of a description that names none.
        strength_symbol: The strength in formulas, LaTeX without dollar signs.
        strength_label: The strength as the label of an axis.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    name: ClassVar[str]
    basis: ClassVar[Basis]
    paper: ClassVar[Literal["SDM", "SAGD"] | None] = None
    module: ClassVar[str]
    default_strength: ClassVar[float] = 0.0
    blurs: ClassVar[bool] = False
    strength_symbol: ClassVar[str] = "s"
    strength_label: ClassVar[str] = "strength $s$"

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        """Register a class that defines a name."""
        super().__pydantic_init_subclass__(**options)
        if "name" in vars(cls):
            cls.module = cls.__module__.removeprefix("shapednoise.")
            OPERATORS[cls.name] = cls

    @classmethod
    def parameters(cls) -> list[str]:
        """Name what a description of a shape may give besides `operator`, `times` and `version`."""
        over_time = [] if cls.basis == "white" else ["schedule", "normalize"]
        return list(dict.fromkeys(["strength", *OF_DATA.get(cls.basis, ()), *cls.model_fields, *over_time]))

    def check_strength(self, strength: float) -> None:
        """Raise ValueError where the operator does not exist at this strength; any finite one by default."""
        if not math.isfinite(strength):
            raise ValueError(f"the strength must be finite, it is {strength}")

    def check_size(self, size: tuple[int, int]) -> None:
        """Raise ValueError where the operator has no mode on images of `size` (height, width)."""

    @abstractmethod
    def build(
        self,
        strength: float,
        axis: Sequence[float] | None = None,
        schedule: Schedule = "beta",
        normalize: Normalize = "off",
    ) -> "NoiseShape":
        """Make the noise shape of this operator.

        Args:
            strength: s0; its range is that of `check_strength`, and 0 is white noise.
            axis: The data's principal color axis v (C,), a unit vector; only color operators use it.
            schedule: `beta`, s(t) = s0 beta_t / beta_max (section 2 of SDM), `falling`, s0 (1 - beta_t /
                beta_max), or `constant`, s0.
            normalize: `energy` scales the gains to a mean square of 1.

        Raises:
            ValueError: A parameter is missing or out of range.
        """


class White(Operator):
    """White noise."""

    name = BASELINE
    basis = "white"

    def check_strength(self, strength: float) -> None:
        """Raise ValueError for a strength other than 0."""
        if strength:
            raise ValueError(
                f"{self.name} is white noise and has strength 0, not {strength:g}; give another operator"
            )

    def build(
        self,
        strength: float,
        axis: Sequence[float] | None = None,
        schedule: Schedule = "beta",
        normalize: Normalize = "off",
    ) -> "NoiseShape":
        """Make white noise; see Operator."""
        from shapednoise.noise.bases import IsotropicShape

        self.check_strength(strength)
        return IsotropicShape()


class ColorOperator(Operator):
    """Noise that is scaled along the principal axis of the data's colors, and across it."""

    basis = "color"

    @abstractmethod
    def gains(self, s: "Tensor", channels: int) -> tuple["Tensor", "Tensor"]:
        """Compute the gains along the axis and across it, each (T,), of the strengths s(t) (T,)."""

    def build(
        self,
        strength: float,
        axis: Sequence[float] | None = None,
        schedule: Schedule = "beta",
        normalize: Normalize = "off",
    ) -> "NoiseShape":
        """Make the shape; see Operator."""
        from shapednoise.noise.bases import ColorShape

        self.check_strength(strength)
        if axis is None:
            raise ValueError(f"{self.name} needs the axis v: the first principal component of the colors")
        return ColorShape(self.gains, axis, strength, schedule, normalize)


class FrequencyOperator(Operator):
    """Noise that is weighted by the radius of its spatial frequency, on each channel alike."""

    basis = "frequency"

    @abstractmethod
    def gains(self, r: "Tensor", s: "Tensor") -> "Tensor":
        """Compute the gains (T, R), 0 or more, of the radii r (R,), cycles per pixel, and of s(t) (T, 1)."""

    def signal(self, strength: float) -> "Callable[[Tensor, Tensor], Tensor] | None":
        """Give the gains of the signal, a function of radii (R,) and times (T, 1) in (0, 1]; None: all 1."""
        return None

    def build(
        self,
        strength: float,
        axis: Sequence[float] | None = None,
        schedule: Schedule = "beta",
        normalize: Normalize = "off",
    ) -> "NoiseShape":
        """Make the shape; see Operator."""
        from shapednoise.noise.bases import FourierShape, IsotropicShape

        self.check_strength(strength)
        shape = FourierShape(self.gains, strength, schedule, normalize, self.signal(strength))
        return shape if strength else IsotropicShape()


class PrincipalOperator(Operator):
    """Noise weighted on each mode (principal color axis, frequency) by what the data have there."""

    basis = "principal"

    schedule: Schedule = Field(
        "constant", description="constant: s(t) = s0; beta: s(t) = s0 beta_t / beta_max."
    )
    normalize: Normalize = Field(
        "energy", description="energy: scale the gains to a mean square of 1; off: do not."
    )

    @abstractmethod
    def gains(self, data: "Tensor", s: "Tensor") -> "Tensor":
        """Compute the gains (T, modes), 0 or more, of the data's variances (modes,) and of s(t) (T, 1)."""

    def build(  # type: ignore[override]  # it takes the data's axes and spectrum in the place of one axis
        self,
        strength: float,
        axes: Sequence[Sequence[float]] | None = None,
        spectrum: Sequence[Sequence[Sequence[float]]] | None = None,
        width: int | None = None,
    ) -> "NoiseShape":
        """Make the shape; see Operator.

        Args:
            strength: s0.
            axes: The colors' principal axes, C orthonormal rows.
            spectrum: The variance of the data on each mode, (C, H, W // 2 + 1), as rfft2 lays it.
            width: W of the images.
        """
        from shapednoise.noise.bases import IsotropicShape
        from shapednoise.noise.principal import PrincipalShape

        self.check_strength(strength)
        if axes is None or spectrum is None or width is None:
            raise ValueError(
                f"{self.name} needs the data's spectrum, the width of its images and its color axes"
            )
        shape = PrincipalShape(self.gains, axes, spectrum, width, strength, self.schedule, self.normalize)
        return shape if strength else IsotropicShape()


def names_of(basis: str) -> str:
    """List the operators of one basis in a text: `sdm, hdm`."""
    return ", ".join(name for name, kind in OPERATORS.items() if kind.basis == basis)


for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
