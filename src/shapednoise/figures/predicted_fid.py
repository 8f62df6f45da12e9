"""Predicted scores of several noises and samplers: against the strength, and against the steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from shapednoise.config.base import Name
from shapednoise.config.figures import FigureSettings, NoiseAtStrength, sampler_problems
from shapednoise.figures.style import METHOD_NAMES, curve_color, new_figure, noise_at_strength, noise_name
from shapednoise.metrics.registry import METRICS
from shapednoise.noise.operators import BASELINE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from shapednoise.config.schema import Config


class PredictedFidSettings(FigureSettings):
    """What samplers alone do to the scores of a data set: real images with the variances they would have."""

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
        """Left: the score against the strength, a curve a noise and sampler. Right: against the steps."""
        figure, [[left, right]] = new_figure(11.5, 5.4, columns=2)
        floor = table[table.noise == "undistorted"].iloc[0]
        points = table[table.noise != "undistorted"].sort_values(["strength", "steps"])
        points = points.astype({"steps": int})
        samplers = ["method", "variance", "eta", "reading", "spacing"]
        varying = [name for name in samplers if points[name].nunique() > 1]
        for noise in [name for name in points.noise.unique() if name != BASELINE] or [BASELINE]:
            rows = points[points.noise.isin([noise, BASELINE])]
            for _, curve in rows.groupby([*samplers, "steps"]):
                label = f"{noise_name(noise)}, {_name(curve.iloc[0], varying)}, {curve.steps.iloc[0]} steps"
                _draw(left, curve, "strength", metric, label)
        for (noise, strength), rows in points.groupby(["noise", "strength"]):
            for _, curve in rows.groupby(samplers):
                label = f"{noise_at_strength(noise, strength)}, {_name(curve.iloc[0], varying)}"
                _draw(right, curve, "steps", metric, label)
        for ax, label in ((left, "strength"), (right, "reverse steps")):
            ax.axhline(floor[metric], color="0.4", ls=":", lw=1, label="undistorted images")
            ax.set_xlabel(label)
            ax.set_ylabel(f"predicted {METRICS[metric].label}  ({METRICS[metric].direction})")
            ax.legend(frameon=False, fontsize="x-small")
        right.set_xscale("log")
        counts = f"{int(floor.generated_images):,} distorted, {int(floor.real_images):,} other real images"
        figure.suptitle(f"{dataset}: {counts}, 95 % intervals", fontsize="medium")
        return figure


def _name(row: pd.Series, varying: list[str]) -> str:
    """A sampler by its method and what else differs between those of the figure."""
    method = str(row["method"])
    own = {"variance": "ancestral", "eta": "ddim"}  # of one method alone
    details = [f"{row[key]}" for key in varying if key != "method" and own.get(key, method) == method]
    return ", ".join([METHOD_NAMES[method], *details]).replace("_", " ")


def _draw(ax: Axes, rows: pd.DataFrame, column: str, metric: str, label: str) -> None:
    """One curve with its intervals, where there are any."""
    known = f"{metric}_low" in rows and rows[f"{metric}_low"].notna().all()
    ends = (rows[metric] - rows[f"{metric}_low"], rows[f"{metric}_high"] - rows[metric]) if known else None
    color = curve_color(len(ax.containers))
    ax.errorbar(rows[column], rows[metric], ends, fmt="o-", ms=4, lw=1.2, capsize=2, color=color, label=label)
