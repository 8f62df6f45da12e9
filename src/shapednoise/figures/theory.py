"""The closed-form theory: distance against strength for several samplers, and variances by frequency."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from shapednoise.config.base import Name, Strength, StrengthGrid
from shapednoise.config.figures import FigureSettings
from shapednoise.config.sampling import SamplerSettings
from shapednoise.errors import ConfigError
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
    from matplotlib.lines import Line2D

    from shapednoise.config.schema import Config

SAMPLER = list(SamplerSettings().in_theory())


class TheorySettings(FigureSettings):
    """The closed-form distance against the strength, for several samplers (docs/noise.md)."""

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
        try:
            samplers = config.samplers(config.recipe, self.samplers)
        except ConfigError as error:
            key, _, problem = str(error).partition(": ")
            yield f"samplers.{key}", problem
            return
        for sampler in samplers:
            if problem := sampler.too_many_steps(config.schedule.timesteps):
                yield "samplers", problem
        if len({sampler.slug for sampler in samplers}) < len(samplers):
            yield "samplers", "give each sampler once"
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
        """Left: the distance of every sampler, minima as stars. Right: v_m / L_m of the first sampler.

        scores: of an experiment (columns `sampler.*`, noise, strength, fid); each curve is scaled by one
        number, so that it agrees with the theory at s = 0.
        """
        figure, [[left, right]] = new_figure(11.5, 5.8, columns=2)
        noise = noise_name(distances.noise.iloc[0])
        looks = _looks(distances)
        handles = [_draw_distance(left, rows, *looks[key]) for key, rows in _samplers(distances)]
        if scores is not None:
            handles += _draw_measured(left, distances, scores, looks)
        left.axvline(0, color="0.8", lw=0.8, zorder=1)
        left.set_yscale("log")
        left.set_xlabel(f"strength $s$ of {noise}")
        left.set_ylabel("Gaussian Fréchet distance (lower is better)")
        left.set_title(f"{dataset}: theory, minima starred", fontsize="medium", parse_math=False)
        figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize="small")
        _draw_variances(right, variances, noise)
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


def _draw_distance(ax: Axes, rows: pd.DataFrame, name: str, color: Any, style: str) -> Line2D:
    """One sampler's curve, its minimum as a star; the label says where it is and what it gains."""
    rows = rows.sort_values("strength")
    [line] = ax.plot(rows.strength, rows.distance, style, color=color, lw=1.6, zorder=3)
    line.set_label(f"{name}: {_minimum(ax, rows, 'distance', color)}")
    return line


def _minimum(ax: Axes, rows: pd.DataFrame, column: str, color: Any) -> str:
    """Draw the star at the smallest value and say where it is; at an end of the grid it is none."""
    values, best = rows[column], rows.loc[rows[column].idxmin()]
    if best.strength in (rows.strength.min(), rows.strength.max()):
        return f"{values.min():.3g} to {values.max():.3g}, no minimum inside"
    ax.plot(best.strength, best[column], "*", color=color, ms=11, mec="black", mew=0.6, zorder=5)
    at_zero = values[rows.strength == 0]
    gain = f", {best[column] / at_zero.iloc[0]:.2f} of $s$ = 0" if len(at_zero) else ""
    return f"best $s$ = {number(best.strength)}{gain}"


def _draw_measured(
    ax: Axes, distances: pd.DataFrame, measured: pd.DataFrame, looks: dict
) -> Iterator[Line2D]:
    """The mean FID over seeds of each sampler that the theory has too, scaled to agree at s = 0."""
    chosen = measured[measured.noise.isin([distances.noise.iloc[0], BASELINE])]
    for key, rows in _samplers(distances):
        name, color, _ = looks[key]
        settings = dict(zip(SAMPLER, key, strict=True))
        known = {column: value for column, value in settings.items() if f"sampler.{column}" in chosen}
        same = np.logical_and.reduce(
            [chosen[f"sampler.{column}"] == value for column, value in known.items()]
        )
        fid = chosen[same].groupby("strength").fid.mean().sort_index()
        at_zero = rows.distance[rows.strength == 0]
        if fid.empty or 0 not in fid.index or at_zero.empty:
            continue
        factor = at_zero.iloc[0] / fid.loc[0]
        [line] = ax.plot(fid.index, factor * fid, "o-", color=color, ms=5, lw=0.6, mec="white", zorder=4)
        scaled = pd.DataFrame({"strength": fid.index, "fid": factor * fid.to_numpy()})
        best = _minimum(ax, scaled, "fid", color)
        line.set_label(f"{name}: measured FID \u00d7 {factor:.3g} (equal at $s$ = 0), {best}")
        yield line


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
