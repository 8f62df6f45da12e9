"""How far the three readings lie apart: noise in x_t, and noise that one reverse step adds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from shapednoise.config.base import Name, Strength
from shapednoise.config.figures import (
    FigureSettings,
    color_axis_problems,
    reverse_process_parameters,
    steps_problems,
)
from shapednoise.figures.style import READING_STYLES, new_figure, noise_name, number, palette

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from shapednoise.config.schema import Config

COMPARED = ("published", "equations")  # with `exact`


class ReadingsSettings(FigureSettings):
    """How far the process of the paper's code, that of its equations and the exact one lie apart along v."""

    table: ClassVar[str] = "readings"

    kind: Literal["readings"] = Field(description="The kind of figure.")
    noise: Name = Field(description="Noise variant to plot.")
    strengths: tuple[Strength, ...] = Field(min_length=1, description="Strengths s0 to plot.")
    steps: tuple[Annotated[int, Field(ge=2)], ...] = Field(
        (1000, 50), min_length=1, description="Numbers of reverse steps, one panel each."
    )

    def problems(self, name: str, config: Config) -> Iterator[tuple[str, str]]:
        """The noise must have a color axis, and no number of steps may exceed the timesteps."""
        yield from color_axis_problems(config, self.kind, self.noise)
        yield from steps_problems(config, self.steps)

    def table_parameters(self, config: Config) -> dict[str, Any]:
        """The shapes of the strengths, the numbers of steps, and the schedule."""
        return reverse_process_parameters(config, self.noise, self.strengths, self.steps)

    def inputs(self, name: str, layout: Any) -> dict[str, str | list[str]]:
        """The table of the readings."""
        return {"readings": layout.figure_table(name)}

    @staticmethod
    def draw(readings: pd.DataFrame) -> Figure:
        """Top: the marginal's deviation on v. Below, a panel a number of steps: posterior variances.

        All deviations are in per cent of `exact`, the marginal's in per cent of `published`.
        """
        steps = sorted(readings.steps.unique(), reverse=True)
        figure, axes = new_figure(4.3 * len(steps) + 1.6, 6.4, rows=2, columns=len(steps))
        top = axes[0, 0].get_gridspec()[0, :]
        for ax in axes[0]:
            ax.remove()
        strengths = sorted(readings.strength.unique())
        colors = dict(zip(strengths, palette("viridis", len(strengths)), strict=True))
        _draw_marginal(figure.add_subplot(top), readings[readings.steps == steps[0]], colors)
        for ax, count in zip(axes[1], steps, strict=True):
            _draw_posterior(ax, readings[readings.steps == count], colors)
            ax.set_title(f"noise added by one of {count} reverse steps on $v$", fontsize="medium")
        axes[1, 0].set_ylabel("its variance over that of exact, $-$ 1   (%)")
        _add_legend(figure, colors)
        return figure


def _draw_marginal(ax: Axes, rows: pd.DataFrame, colors: dict) -> None:
    for strength, color in colors.items():
        line = rows[rows.strength == strength]
        ax.plot(line.timestep, 100 * line.marginal, color=color)
    ax.axhline(0, color="0.6", lw=0.8, zorder=1)
    name = noise_name(rows.noise.iloc[0])
    ax.set_title(f"{name}: deviation of the noise in $x_t$ on $v$, exact over published", fontsize="medium")
    ax.set_ylabel(r"$\sqrt{V_t^{\,\rm exact} / V_t^{\,\rm published}} - 1$   (%)")
    ax.set_xlabel("timestep $t$")


def _draw_posterior(ax: Axes, rows: pd.DataFrame, colors: dict) -> None:
    for strength, color in colors.items():
        line = rows[rows.strength == strength]
        for reading in COMPARED:
            ax.plot(line.timestep, 100 * (line[reading] - 1), READING_STYLES[reading], color=color)
    ax.axhline(0, color="0.6", lw=0.8, zorder=1)
    ax.set_xlabel("timestep $t$ that the step starts from")


def _add_legend(figure: Figure, colors: dict) -> None:
    """Strengths by color and readings by line style, right of the panels."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=color, label=f"$s_0$ = {number(s)}") for s, color in colors.items()]
    handles += [Line2D([], [], color="0.3", ls=READING_STYLES[name], label=name) for name in COMPARED]
    figure.legend(handles=handles, loc="outside right center", frameon=False)
