"""Predicted scores of noises and samplers: against the strength or by sampler, and against the steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from shapednoise.analysis.curve import SAMPLER, varying_settings
from shapednoise.config.base import Name
from shapednoise.config.figures import FigureSettings, NoiseAtStrength, sampler_problems
from shapednoise.figures.curves import IN_THEORY, bars_size, common_sampler, draw_bars, sampler_name
from shapednoise.figures.style import curve_color, new_figure, noise_at_strength, noise_name
from shapednoise.metrics.registry import METRICS
from shapednoise.noise.operators import BASELINE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from shapednoise.config.schema import Config

STEPS = f"{SAMPLER}steps"


class PredictedFidSettings(FigureSettings):
    """Predicted scores: those of real images, distorted to the variances that samplers would leave."""

    table: ClassVar[str] = "predicted_fid"

    kind: Literal["predicted_fid"] = Field(description="The kind of figure.")
    dataset: Name = Field(description="The data set, any that the config has.")
    points: tuple[NoiseAtStrength, ...] = Field(min_length=1, description="Noises at strengths.")
    samplers: tuple[dict[str, Any], ...] = Field(
        ({},), min_length=1, description="Changes to the default recipe's sampling; each with each point."
    )
    images: int = Field(1000, ge=2, description="Real images to distort; a minute for 1,000 on two cores.")
    reference_images: int = Field(4000, ge=2, description="Other real images to compare them with.")
    metric: Literal[tuple(METRICS)] = Field("fid", description="Score to plot; the table has all.")
    extractor: Name | None = Field(
        None, description="Feature extractor; the config's own where none is named."
    )

    def problems(self, name: str, config: Config) -> Iterator[tuple[str, str]]:
        """The samplers must be able to run, and there must be enough images."""
        yield from sampler_problems(config, self.samplers)
        available, needed = config.images_of(self.dataset).images, self.images + self.reference_images
        if available is not None and needed > available:
            yield (
                "reference_images",
                f"{self.dataset} has {available} images, too few to keep {self.images} apart from "
                f"{self.reference_images} others; lower it or images",
            )
        least = config.recipes[config.recipe].scoring.images_needed()
        for field in ("images", "reference_images"):
            if getattr(self, field) < least:
                yield field, f"the scores need {least}; raise it or lower scoring.kid_subset_size"

    def table_inputs(self, layout: Any) -> dict[str, str | list[str]]:
        """The scores, and what the distances are computed from."""
        spectrum, pca = layout.spectrum(self.dataset), layout.pca(self.dataset)
        return {"scores": layout.predicted_scores(self), "spectrum": spectrum, "pca": pca}

    def table_parameters(self, config: Config) -> dict[str, Any]:
        """The schedule."""
        return {"schedule": config.schedule.for_diffusers()}

    @property
    def evidence(self) -> str:
        """The data set."""
        return self.dataset

    def inputs(self, name: str, layout: Any) -> dict[str, str | list[str]]:
        """The table."""
        return {"table": layout.figure_table(name)}

    def parameters(self, config: Config) -> dict[str, Any]:
        """The score and the data set's title."""
        return {"metric": self.metric, "dataset": config.datasets[self.dataset].title}

    @staticmethod
    def draw(table: pd.DataFrame, metric: str, dataset: str) -> Figure:
        """Curves against the strength, or bars by sampler where no curve has three; curves against the steps.

        These are of what has three numbers of steps; bars are left out where all of them have.
        """
        floor, points = table[table.noise == "undistorted"].iloc[0], table[table.noise != "undistorted"]
        points = points.astype({"steps": int})
        points = points.rename(columns={name: f"{SAMPLER}{name}" for name in IN_THEORY})
        told = varying_settings(points)
        others = [column for column in told if column != STEPS]
        points = points.assign(
            group=[sampler_name(row, told) for _, row in points.iterrows()],
            kind=[sampler_name(row, others) for _, row in points.iterrows()],
            bar=[noise_at_strength(*each) for each in zip(points.noise, points.strength, strict=True)],
        )
        panels = _panels(points)
        common = common_sampler(points)
        groups = list(points.group.unique())
        bars = list(points.sort_values("strength", key=abs, kind="stable").bar.unique())
        sizes = [
            (5.7, 4.3 + 0.17 * len(drawn)) if drawn else bars_size(groups, bars) for drawn in panels.values()
        ]
        width, height = sum(size[0] for size in sizes), max(size[1] for size in sizes)
        figure, [axes] = new_figure(width, height + 0.3, columns=len(panels))
        look = {"color": "0.4", "ls": ":", "lw": 1, "label": "undistorted images"}
        for ax, (panel, drawn) in zip(axes, panels.items(), strict=True):
            if panel == "sampler":
                draw_bars(ax, points, metric, groups, bars, horizontal=True)
                ax.set_yticklabels([group or common for group in groups])
                ax.set_xlabel(f"predicted {ax.get_xlabel()}")
                ax.axvline(floor[metric], **look)
            else:
                _draw_curves(ax, panel, drawn, metric)
                ax.axhline(floor[metric], **look)
            _put_legend_below(figure, ax)
        counts = f"{int(floor.generated_images):,} distorted, {int(floor.real_images):,} other real images"
        title = f"{dataset}: {counts}, 95 % intervals\n{common}".strip()
        figure.suptitle(title, fontsize="medium", parse_math=False)
        return figure


def _panels(points: pd.DataFrame) -> dict[str, list[tuple[str, str, pd.DataFrame]]]:
    """The curves (noise, sampler, rows) of each panel, none of one of bars; which panels: see `draw`."""
    noises = [name for name in points.noise.unique() if name != BASELINE] or [BASELINE]
    strengths = [
        (noise_name(noise), name, rows)
        for noise in noises
        for name, rows in points[points.noise.isin([noise, BASELINE])].groupby("group", sort=False)
    ]
    steps = [(*names, rows) for names, rows in points.groupby(["bar", "kind"], sort=False)]
    several = [each for each in steps if len(each[-1]) > 2]
    panels = {"steps": several} if several else {}
    if any(len(rows) > 2 for *_, rows in strengths):
        return {"strength": strengths} | panels
    return panels if len(several) == len(steps) else {"sampler": []} | panels


def _draw_curves(ax: Axes, panel: str, curves: list[tuple[str, str, pd.DataFrame]], metric: str) -> None:
    """Curves of (noise, sampler, rows) with their intervals, where there are any."""
    column = STEPS if panel == "steps" else panel
    for position, (noise, sampler, rows) in enumerate(curves):
        curve = rows.sort_values(column)
        ends = None
        if f"{metric}_low" in curve and curve[f"{metric}_low"].notna().all():
            ends = curve[metric] - curve[f"{metric}_low"], curve[f"{metric}_high"] - curve[metric]
        look = {"fmt": "o-", "ms": 4, "lw": 1.2, "capsize": 2, "color": curve_color(position)}
        name = ", ".join(filter(None, [noise, sampler]))
        ax.errorbar(curve[column], curve[metric], ends, label=name, **look)
    ax.set_xlabel("reverse steps" if panel == "steps" else panel)
    ax.set_ylabel(f"predicted {METRICS[metric].label}  ({METRICS[metric].direction})")
    if panel == "steps":
        ticks = sorted({count for *_, rows in curves for count in rows[STEPS]})
        ax.set_xscale("log")
        ax.set_xticks(ticks, map(str, ticks))
        ax.minorticks_off()


def _put_legend_below(figure: Figure, ax: Axes) -> None:
    """A panel's own legend, half an inch below its axis."""
    from matplotlib.transforms import ScaledTranslation

    below = ax.transAxes + ScaledTranslation(0, -0.5, figure.dpi_scale_trans)
    ax.legend(
        loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=below, frameon=False, fontsize="small"
    )
