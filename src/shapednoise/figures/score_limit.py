"""The relative error of the learned score against the noise level: does it vanish with the noise?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from shapednoise.config.base import Name
from shapednoise.config.figures import FigureSettings, NoiseAtStrength
from shapednoise.figures.style import curve_color, new_figure, noise_at_strength

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from shapednoise.config.schema import Config


class ScoreLimitSettings(FigureSettings):
    """The error of the learned score as the noise vanishes, on Gaussian data (SAGD; docs/noise.md)."""

    table: ClassVar[str] = "score_limit"

    kind: Literal["score_limit"] = Field(description="The kind of figure.")
    dataset: Name = Field(description="The data set whose spectrum the Gaussian data have.")
    points: tuple[NoiseAtStrength, ...] = Field(min_length=1, description="Noises, one curve each.")

    def table_inputs(self, layout: Any) -> dict[str, str | list[str]]:
        """The data set's spectrum and color axes."""
        return {"spectrum": layout.spectrum(self.dataset), "pca": layout.pca(self.dataset)}

    def table_parameters(self, config: Config) -> dict[str, Any]:
        """The shapes, without their axes."""
        return {"points": config.points(self.points)}

    @property
    def evidence(self) -> str:
        """The data set."""
        return self.dataset

    def inputs(self, name: str, layout: Any) -> dict[str, str | list[str]]:
        """The table of errors."""
        return {"errors": layout.figure_table(name)}

    def parameters(self, config: Config) -> dict[str, Any]:
        """The data set's title."""
        return {"dataset": config.datasets[self.dataset].title}

    @staticmethod
    def draw(errors: pd.DataFrame, dataset: str) -> Figure:
        """A curve a noise; noise without support on some modes ends at what these are worth."""
        figure, [[ax]] = new_figure(7.6, 4.4)
        noises = errors.sort_values("level", kind="stable").groupby(["noise", "strength"], sort=False)
        for position, ((noise, strength), rows) in enumerate(noises):
            look = {"color": curve_color(position), "lw": max(0.9, 4.0 * 0.7**position)}
            name = noise_at_strength(noise, strength)
            ax.plot(rows.level, rows.error, "-", label=name, **look)
            if rows.support.min() < 1:
                ax.plot(rows.level, rows.error_on_support, ":", label=f"{name}, where it has noise", **look)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlabel(r"noise level $1 - \bar\alpha$   ($t \to 0$: leftwards)")
        ax.set_ylabel("relative error of the learned score")
        ax.set_title(f"Gaussian data with the spectrum of {dataset}", fontsize="medium", parse_math=False)
        figure.legend(loc="outside right center", frameon=False, fontsize="small")
        return figure
