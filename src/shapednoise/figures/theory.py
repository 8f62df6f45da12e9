"""The closed-form theory: three distances against strength for several samplers, variances by frequency."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from shapednoise.analysis.curve import SAMPLER, varying_settings
from shapednoise.analysis.distances import DISTANCES
from shapednoise.config.base import Name, Strength, StrengthGrid
from shapednoise.config.figures import FigureSettings, sampler_problems
from shapednoise.figures.curves import IN_THEORY, common_sampler, counts, sampler_name
from shapednoise.figures.style import READING_STYLES, curve_color, new_figure, noise_name, number
from shapednoise.noise.bands import LARGEST_RADIUS
from shapednoise.noise.operators import BASELINE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from shapednoise.config.schema import Config

LINEAR = 10  # per cent
STAR = {"ms": 11, "mec": "black", "mew": 0.6}


class TheorySettings(FigureSettings):
    """Distances of samples from Gaussian data of the data set's spectrum, in closed form, by strength."""

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
        """Every sampler's distances, as changes from s = 0; v_m / L_m of the first sampler.

        The least of the grid is starred where it is inside. scores: of an experiment (columns
        `sampler.*`, noise, strength, fid), drawn in the same way.
        """
        figure, panels = new_figure(11.5, 9.5, rows=2, columns=2)
        noise, samplers = noise_name(distances.noise.iloc[0]), list(_samplers(distances))
        for ax, (column, label) in zip(panels.flat, DISTANCES.items(), strict=False):
            for _, look, rows in samplers:
                _draw_curve(ax, rows.set_index("strength")[column], **look)
            for look, fids in _measured(samplers, scores):
                _draw_curve(ax, fids, **look | {"ls": ":", "marker": "o", "label": "measured"})
            ax.axvline(0, color="0.8", lw=0.8, zorder=1)
            ax.set_xlabel(f"strength $s$ of {noise}")
            ax.set_ylabel("change from $s$ = 0 in per cent")
            _set_scale(ax)
            ax.set_title(f"{dataset}: {label}", fontsize="medium", parse_math=False)
        common = common_sampler(_settings(distances))
        first = samplers[0][1]["label"]
        title = f"{noise}: {first}" if first == common else f"{noise}: {first}, {common}".rstrip(", ")
        _draw_variances(panels.flat[-1], variances, title, len(samplers))
        ax = panels[0, 0]
        handles = [ax.plot([], [], **look)[0] for _, look, _ in samplers]
        handles += ax.plot([], [], "*", color="0.7", label="least value of the grid, where inside", **STAR)
        if scores is not None:
            handles += ax.plot(
                [], [], "o:", color="0.4", label=f"measured FID, of the sampler's color: {counts(scores)}"
            )
        legend = figure.legend(
            handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize="small"
        )
        legend.set_title(common if common != first else "", {"size": "small"})
        return figure


def _settings(table: pd.DataFrame) -> pd.DataFrame:
    """The settings of a table's samplers, a row each, in its order, under the names that scores have."""
    names = [name for name in IN_THEORY if name in table]
    return table[names].drop_duplicates().add_prefix(SAMPLER)


def _samplers(table: pd.DataFrame) -> Iterator[tuple[pd.Series, dict[str, Any], pd.DataFrame]]:
    """(settings, look, rows) of every sampler: a color a sampler, a line style a reading."""
    settings = _settings(table)
    told = varying_settings(settings)
    colors: dict[tuple, Any] = {}
    for _, sampler in settings.iterrows():
        name = sampler_name(sampler, told) or common_sampler(settings)
        reading = sampler[f"{SAMPLER}reading"]
        alike = tuple(sampler.drop(f"{SAMPLER}reading").astype(str))
        color = colors.setdefault(alike, curve_color(len(colors)))
        look = {"color": color, "ls": READING_STYLES[reading], "label": name}
        yield sampler, look, table[_same(table.add_prefix(SAMPLER), sampler)]


def _same(table: pd.DataFrame, sampler: pd.Series) -> pd.Series:
    """Which rows are of a sampler, by the settings (columns `sampler.*`) that the table has."""
    settings = [column for column in sampler.dropna().index if column in table]
    return (table[settings] == sampler[settings]).all(axis=1)


def _measured(
    samplers: list[tuple[pd.Series, dict[str, Any], pd.DataFrame]], scores: pd.DataFrame | None
) -> Iterator[tuple[dict[str, Any], pd.Series]]:
    """The look and the mean FID over seeds, by strength, of each sampler that the theory has too."""
    if scores is None:
        return
    for sampler, look, rows in samplers:
        chosen = scores[scores.noise.isin([rows.noise.iloc[0], BASELINE])]
        fids = chosen[_same(chosen, sampler)].groupby("strength").fid.mean()
        if 0 in fids.index:
            yield look, fids


def _draw_curve(ax: Axes, values: pd.Series, **look: Any) -> None:
    """Values by strength as their change from s = 0; a minimum inside the grid has a star."""
    values = values.sort_index()
    changes = 100 * (values / values.get(0.0, 1.0) - 1)
    ax.plot(changes.index, changes, lw=1.6, ms=5, zorder=3, **look)
    best = changes.idxmin()
    if changes.index.min() < best < changes.index.max():
        ax.plot(best, changes[best], "*", color=look["color"], zorder=5, **STAR)


def _set_scale(ax: Axes) -> None:
    """Of changes: linear, or smoothly logarithmic far beyond LINEAR per cent, where some are far larger."""
    from matplotlib.ticker import FuncFormatter, NullLocator, SymmetricalLogLocator

    if np.abs(ax.dataLim.intervaly).max() > 5 * LINEAR:
        ax.set_ylabel(f"{ax.get_ylabel()}\n(logarithmic far beyond \u00b1{LINEAR})")
        ax.set_yscale("asinh", linear_width=LINEAR)
        ax.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=LINEAR))
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}".replace("-", "\u2212")))


def _draw_variances(ax: Axes, variances: pd.DataFrame, title: str, used: int) -> None:
    """v_m / L_m of the first sampler against the frequency: a color a strength, a line style a direction.

    used: colors that are the samplers'.
    """
    sampler = _settings(variances).iloc[0]
    first = variances[_same(variances.add_prefix(SAMPLER), sampler)]
    styles = {"all": "-", "along": "-", "across": "--"}
    words = {"all": "", "along": ", along $v$", "across": ", across $v$"}
    for position, (strength, rows) in enumerate(first.groupby("strength", sort=False)):
        color = curve_color(used + position)
        width = 2.6 / (1 + position)  # a curve below another one stays to be seen
        for direction, part in rows.groupby("direction", sort=False):
            label = f"$s$ = {number(strength)}{words[direction]}"
            ax.plot(part.radius, part.ratio, styles[direction], color=color, lw=width, label=label)
    ax.axhline(1, color="0.35", lw=0.8, ls=":", label="the data's own variance")
    ax.set_xlabel("radial frequency (cycles per pixel)")
    ax.set_ylabel("variance of samples over that of data,  $v_m / L_m$")
    ax.set_xlim(0, LARGEST_RADIUS)
    ax.set_title(title, fontsize="medium")
    ax.legend(frameon=False, fontsize="small")
