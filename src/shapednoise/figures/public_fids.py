"""Which distance of the closed-form theory ranks fifteen public FIDs of one model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from shapednoise.analysis.curve import SAMPLER
from shapednoise.analysis.distances import DISTANCES
from shapednoise.config.base import Name
from shapednoise.config.figures import FigureSettings
from shapednoise.figures.curves import sampler_name
from shapednoise.figures.style import curve_color, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from shapednoise.config.schema import Config


class PublicFidsSettings(FigureSettings):
    """Each closed-form distance against public FIDs of a CIFAR-10 model's samplers; rank correlations."""

    table: ClassVar[str] = "public_fids"

    kind: Literal["public_fids"] = Field(description="The kind of figure.")
    dataset: Name = Field("cifar10", description="Whose spectrum is taken; the FIDs are of CIFAR-10.")

    def table_inputs(self, layout: Any) -> dict[str, str | list[str]]:
        """The data set's spectrum and color axes."""
        return {"spectrum": layout.spectrum(self.dataset), "pca": layout.pca(self.dataset)}

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

    @staticmethod
    def draw(table: pd.DataFrame) -> Figure:
        """A panel a distance, a curve a kind of sampler; each has the same numbers of steps."""
        figure, [axes] = new_figure(12.5, 4.4, columns=len(DISTANCES))
        for ax, (column, label) in zip(axes, DISTANCES.items(), strict=True):
            for position, ((method, variance), rows) in enumerate(table.groupby(["method", "variance"])):
                sampler = {f"{SAMPLER}method": method, f"{SAMPLER}variance": variance}
                ax.plot(
                    rows[column], rows.public_fid, "o-", color=curve_color(position), lw=0.8, ms=5,
                    label=sampler_name(sampler, sampler),
                )  # fmt: skip
                left = position == 0  # the uppermost curve; the one in between has no room for labels
                for row in rows.itertuples() if left or method != "ancestral" else ():
                    ax.annotate(
                        str(row.steps), (getattr(row, column), row.public_fid), fontsize="x-small",
                        xytext=(-5, 3) if left else (5, -5), textcoords="offset points",
                        ha="right" if left else "left",
                    )  # fmt: skip
            rank = table[column].corr(table.public_fid, method="spearman")
            ax.set_title(f"{label}: Spearman {rank:.2f}", fontsize="medium")
            ax.set_xscale("log")
            ax.set_yscale("log")
            ax.margins(x=0.14)
            ax.set_xlabel(f"{label} in closed form")
        axes[0].set_ylabel("public FID, 50,000 samples")
        steps = ", ".join(map(str, sorted(table.steps.unique())))
        axes[0].legend(
            frameon=False, fontsize="small", title=f"from above {steps} steps",
            title_fontsize="small", alignment="left",
        )  # fmt: skip
        return figure
