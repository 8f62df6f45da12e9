"""The closed-form theory: three distances against strength for several samplers, variances by frequency."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from shapednoise.analysis.distances import DISTANCES
from shapednoise.config.base import Name, Strength, StrengthGrid
from shapednoise.config.figures import FigureSettings, sampler_problems
from shapednoise.config.sampling import SamplerSettings
from shapednoise.figures.style import (
    METHOD_NAMES,
    READING_STYLES,
    curve_color,
    new_figure,
    noise_name,
    number,
)
from shapednoise.noise.bands import LARGEST_RADIUS
from shapednoise.noise.operators import BASELINE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from shapednoise.config.schema import Config

SAMPLER = list(SamplerSettings().in_theory())


class TheorySettings(FigureSettings):
    """The closed-form distances against the strength, for several samplers (docs/noise.md)."""

    table: ClassVar[str] = "theory"

    kind: Literal["theory"] = Field(description="The kind of figure.")
    dataset: Name = Field(description="The data set whose spectrum is taken.")
    noise: Name = Field(description="Noise variant to plot.")
    strengths: StrengthGrid = Field(description="Strengths, or the name of a grid.")
    samplers: tuple[dict[str, Any], ...] = Field(
        ({},), min_length=1, description="Changes to the default recipe's sampling, one curve each."
    )
    shown: tuple[Strength, ...] = Field(
        (0.0, -0.4), min_length=1, description="Strengths of the panel of variances, for the first sampler."
    )
    experiment: Name | None = Field(None, description="An experiment whose FIDs are drawn over it, rescaled.")

    def problems(self, name: str, config: Config) -> Iterator[tuple[str, str]]:
        """The samplers must be able to run, and the experiment must be about the same."""
        yield from sampler_problems(config, self.samplers)
        for strength in set(self.shown) - set(config.grid(self.strengths)):
            yield "shown", f"{strength:g} is not among the strengths; add it or remove it here"
        if not self.experiment:
            return
        experiment, drawn = config.experiments[self.experiment], config.samplers_of(self.experiment)
        if experiment.dataset != self.dataset or self.noise not in experiment.noises:
            yield "experiment", f"{self.experiment} is not about {self.noise} on {self.dataset}"
        if len({tuple(sampler.in_theory().values()) for sampler in drawn}) < len(drawn):
            yield "experiment", f"samplers of {self.experiment} differ in what the theory ignores"

    def table_inputs(self, layout: Any) -> dict[str, str | list[str]]:
        """The data set's spectrum and color axes."""
        return {"spectrum": layout.spectrum(self.dataset), "pca": layout.pca(self.dataset)}

    def table_parameters(self, config: Config) -> dict[str, Any]:
        """The shapes of the strengths, the samplers, and the schedule."""
        return {
            "noise": self.noise,
            "shapes": [config.shape(self.noise, strength) for strength in config.grid(self.strengths)],
            "samplers": [each.in_theory() for each in config.samplers(config.recipe, self.samplers)],
            "shown": list(self.shown),
            "schedule": config.schedule.for_diffusers(),
        }

    @property
    def evidence(self) -> str:
        """The data set."""
        return self.dataset

    def inputs(self, name: str, layout: Any) -> dict[str, str | list[str]]:
        """Both tables, and the scores of the experiment, if there is one."""
        tables = {"distances": layout.figure_table(name), "variances": layout.figure_table(name, "_modes")}
        return tables | ({"scores": layout.scores_table(self.experiment)} if self.experiment else {})

    def parameters(self, config: Config) -> dict[str, Any]:
        """The data set's title."""
        return {"dataset": config.datasets[self.dataset].title}

    @staticmethod
    def draw(
        distances: pd.DataFrame, variances: pd.DataFrame, dataset: str, scores: pd.DataFrame | None = None
    ) -> Figure:
        """Every sampler's distances over those at s = 0, minima starred; v_m / L_m of the first sampler.

        Of each curve the legend says the minimum and the value at the first other strength of `variances`.
        scores: of an experiment (columns `sampler.*`, noise, strength, fid), drawn in the same way.
        """
        figure, panels = new_figure(11.5, 9.5, rows=2, columns=2)
        noise, looks = noise_name(distances.noise.iloc[0]), _looks(distances)
        named = next((strength for strength in variances.strength if strength), None)
        for ax, (column, label) in zip(panels.flat, DISTANCES.items(), strict=False):
            for key, rows in _samplers(distances):
                _draw_curve(ax, rows.set_index("strength")[column], named, "", *looks[key][1:])
            for key, fids in _measured(distances, scores):
                _draw_curve(ax, fids, named, "measured FID: ", looks[key][1], "o:")
            ax.axvline(0, color="0.8", lw=0.8, zorder=1)
            low, high = ax.dataLim.intervaly
            logarithmic = high > 3 * low
            ax.set_yscale("log" if logarithmic else "linear")
            # room for the legend above the curves
            ax.set_ylim(top=high * (high / low) ** 0.8 if logarithmic else high + 0.6 * (high - low))
            ax.set_xlabel(f"strength $s$ of {noise}")
            ax.set_ylabel("over its value at $s$ = 0")
            ax.set_title(f"{dataset}: {label}", fontsize="medium", parse_math=False)
            ax.legend(frameon=False, fontsize="x-small")
        _draw_variances(panels.flat[-1], variances, noise)
        handles = [
            panels[0, 0].plot([], [], style, color=color, label=name)[0]
            for name, color, style in looks.values()
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize="small")
        return figure


def _samplers(table: pd.DataFrame) -> Iterator[tuple[tuple[Any, ...], pd.DataFrame]]:
    """(settings, rows) of every sampler, in the order of the table."""
    return iter(table.groupby(SAMPLER, sort=False))


def _looks(distances: pd.DataFrame) -> dict[tuple[Any, ...], tuple[str, Any, str]]:
    """Name, color and line style of each sampler: a color a method and number of steps."""
    looks, colors = {}, {}
    eta_matters = (distances.method == "ddim").any()
    for key, _ in _samplers(distances):
        method, steps, spacing, variance, eta, reading = key
        detail = f", $\\eta$ = {eta:g}" if method == "ddim" and eta_matters else ""
        detail += f", {variance}" if method == "ancestral" and variance != "fixed_small" else ""
        detail += f", {spacing}" if distances.spacing.nunique() > 1 else ""
        color = colors.setdefault((method, steps), curve_color(len(colors)))
        name = f"{_prefix(method)}{steps} steps, {reading}{detail}"
        looks[key] = (name, color, READING_STYLES[reading])
    return looks


def _prefix(method: str) -> str:
    """The method's name before the number of steps; the papers' own sampler goes without saying."""
    return "" if method == "ancestral" else f"{METHOD_NAMES[method]}, "


def _measured(
    distances: pd.DataFrame, scores: pd.DataFrame | None
) -> Iterator[tuple[tuple[Any, ...], pd.Series]]:
    """The mean FID over seeds, by strength, of each sampler that the theory has too."""
    if scores is None:
        return
    chosen = scores[scores.noise.isin([distances.noise.iloc[0], BASELINE])]
    for key, _ in _samplers(distances):
        settings = dict(zip(SAMPLER, key, strict=True))
        known = {column: value for column, value in settings.items() if f"sampler.{column}" in chosen}
        same = np.logical_and.reduce(
            [chosen[f"sampler.{column}"] == value for column, value in known.items()]
        )
        fids = chosen[same].groupby("strength").fid.mean()
        if 0 in fids.index:
            yield key, fids


def _draw_curve(ax: Axes, values: pd.Series, named: float | None, what: str, color: Any, style: str) -> None:
    """Values by strength over that at s = 0; the label says where the minimum is and what it gains."""
    values = values.sort_index()
    values = values / values.get(0.0, 1.0)
    [line] = ax.plot(values.index, values, style, color=color, lw=1.6, ms=5, zorder=3)
    best = values.idxmin()
    if best in (values.index.min(), values.index.max()):  # at an end of the grid it is no minimum
        label = "no minimum inside"
    else:
        label = f"{values[best]:.3g} at its minimum, $s$ = {number(best)}"
        ax.plot(best, values[best], "*", color=color, ms=11, mec="black", mew=0.6, zorder=5)
    at_named = f", {values[named]:.3g} at {number(named)}" if named in values.index else ""
    line.set_label(f"{what}{label}{at_named}")


def _draw_variances(ax: Axes, variances: pd.DataFrame, noise: str) -> None:
    """v_m / L_m against the frequency: a color a strength, a line style a direction."""
    _, first = next(_samplers(variances))
    sampler = first.iloc[0]
    styles = {"all": "-", "along": "-", "across": "--"}
    words = {"all": "", "along": ", along $v$", "across": ", across $v$"}
    for position, (strength, rows) in enumerate(first.groupby("strength", sort=False)):
        color = curve_color(position + 4)
        width = 2.6 / (1 + position)  # a curve below another one stays to be seen
        for direction, part in rows.groupby("direction", sort=False):
            label = f"$s$ = {number(strength)}{words[direction]}"
            ax.plot(part.radius, part.ratio, styles[direction], color=color, lw=width, label=label)
    ax.axhline(1, color="0.35", lw=0.8, ls=":", label="the data's own variance")
    ax.set_xlabel("radial frequency (cycles per pixel)")
    ax.set_ylabel("variance of samples over that of data,  $v_m / L_m$")
    ax.set_xlim(0, LARGEST_RADIUS)
    ax.set_title(
        f"{noise}: {_prefix(sampler.method)}{sampler.steps} steps, {sampler.reading}", fontsize="medium"
    )
    ax.legend(frameon=False, fontsize="small")
