"""Appendix B.2 of SDM: the drift S_t^-1 S_{t-1} of a noise shape that changes with time."""

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
from shapednoise.figures.style import new_figure, noise_name, number, palette

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from shapednoise.config.schema import Config


class DriftSettings(FigureSettings):
    """How far S_t^-1 S_{t-1} is from the identity, step by step (SDM, appendix B.2, Eq. 12)."""

    table: ClassVar[str] = "drift"

    kind: Literal["drift"] = Field(description="The kind of figure.")
    noise: Name = Field(description="Noise variant to plot.")
    strengths: tuple[Strength, ...] = Field(min_length=1, description="Strengths s0 to plot.")
    steps: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        min_length=1, description="Numbers of steps, one panel each."
    )

    def problems(self, name: str, config: Config) -> Iterator[tuple[str, str]]:
        """The noise must have a color axis, and no number of steps may exceed the timesteps."""
        yield from color_axis_problems(config, self.kind, self.noise)
        yield from steps_problems(config, self.steps)

    def table_parameters(self, config: Config) -> dict[str, Any]:
        """The shapes of the strengths, the numbers of steps, and the schedule."""
        return reverse_process_parameters(config, self.noise, self.strengths, self.steps)

    @property
    def evidence(self) -> str:
        """The noise that the drift is of."""
        return self.noise

    def inputs(self, name: str, layout: Any) -> dict[str, str | list[str]]:
        """The table of drifts."""
        return {"drift": layout.figure_table(name)}

    @staticmethod
    def draw(drift: pd.DataFrame) -> Figure:
        """The drift of one step, a panel per number of steps, and last what it adds up to."""
        steps = sorted(drift.steps.unique(), reverse=True)
        name = noise_name(drift.noise.iloc[0])
        figure, [axes] = new_figure(4.1 * (len(steps) + 1), 3.6, columns=len(steps) + 1)
        for ax, count in zip(axes, steps, strict=False):
            rows = drift[drift.steps == count]
            _draw_lines(ax, rows, "deviation")
            ax.set_title(f"one of {count} steps: at most {rows.deviation.abs().max():.2g}", fontsize="medium")
            ax.ticklabel_format(axis="y", scilimits=(-2, 2), useMathText=True)
        axes[0].set_ylabel(rf"drift on $v$ of {name}:  $S_t^{{-1}} S_{{t-1}} - 1$")
        _draw_lines(axes[-1], drift[drift.steps == steps[-1]], "accumulated")
        axes[-1].set_title(f"all of {steps[-1]} steps, accumulated", fontsize="medium")
        axes[-1].legend(frameon=False, fontsize="small", title="strength $s_0$")
        return figure


def _draw_lines(ax: Axes, rows: pd.DataFrame, column: str) -> None:
    """One line a strength against the timestep, from large to small as sampling goes."""
    strengths = sorted(rows.strength.unique())
    for strength, color in zip(strengths, palette("viridis", len(strengths)), strict=True):
        line = rows[rows.strength == strength]
        ax.plot(line.timestep, line[column], color=color, label=number(strength))
    ax.axhline(0, color="0.6", lw=0.8, zorder=1)
    ax.set_xlabel("timestep $t$ (sampling goes to the right)")
    ax.invert_xaxis()
