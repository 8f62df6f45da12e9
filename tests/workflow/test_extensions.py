"""Each test adds one thing to a copy of the project, as docs/architecture.md says, and runs it for real."""

import json
from textwrap import dedent

import numpy as np
import pandas as pd
import pytest

RESULTS = "results/tiny"


@pytest.fixture
def package(workspace):
    """The package of the copy."""
    return workspace.path / "src" / "shapednoise"


def test_an_operator_is_one_file_and_an_entry_of_the_config(workspace, package):
    """Of no paper: models, scores, a curve, every figure of noises, claims."""
    (package / "noise/operators/blue.py").write_text(
        dedent('''
        """Noise that grows with frequency."""

        from pydantic import Field

        from shapednoise.noise.operators import FrequencyOperator


        class Blue(FrequencyOperator):
            """Gain (1 + slope r)^s on the frequency of radius r."""

            name = "blue"
            strength_symbol = "\\\\beta"
            strength_label = r"blueness $\\beta$"
            slope: float = Field(2.0, gt=0, description="Of the gain.")

            def gains(self, r, s):
                return (1 + self.slope * r) ** s
        ''')
    )
    workspace.set("noises.mine", {"operator": "blue", "slope": 3.0})
    experiment = {"dataset": "pictures", "noises": ["mine"], "strengths": [-0.5, 0.0, 0.5], "seeds": [42]}
    workspace.set("experiments.mine", experiment)
    workspace.set("figures.figMine", {"kind": "u_curve", "experiment": "mine", "metric": "fid"})
    points = [{"noise": "mine", "strength": 0.5}]
    for figure in ("figS1", "figS2", "figS3"):
        workspace.overlay["figures"][figure]["points"] = points
    workspace.overlay["figures"]["figT"] |= {"noise": "mine", "experiment": None}
    workspace.overlay["targets"] = ["figMine", "figS1", "figS2", "figS3", "figT"]
    planned = workspace.planned()
    assert planned["train"] == 2, "adding an operator retrains no other model"
    workspace.run()
    results = workspace.path / RESULTS
    table = pd.read_csv(results / "tables/experiments/mine.csv")
    assert set(zip(table.noise, table.strength, strict=True)) == {("ddpm", 0), ("mine", -0.5), ("mine", 0.5)}
    assert np.isfinite(table.fid).all()
    for figure in workspace.overlay["targets"]:
        assert (results / f"figures/{figure}.png").stat().st_size > 1000
    spectrum = pd.read_csv(results / "tables/spectra/figS1.csv")
    np.testing.assert_allclose(spectrum.theory, (1 + 3 * spectrum.radius), rtol=1e-9)  # power, at s = 1/2
    published = pd.read_csv(results / "tables/hyperparameters/mine.csv")
    assert not published.key.str.startswith("training.").any(), "no paper's recipe by accident"


def test_a_metric_is_one_file(workspace, package):
    """The distance of the means: in the scores with its interval, in the curves, and in a figure."""
    (package / "metrics/measures/mean_distance.py").write_text(
        dedent('''
        """Distance of the mean features."""

        from shapednoise.metrics.measures import Measurement, Metric


        def mean_distance(context):
            real = context.real.mean(0)

            def distance(mask):
                return float(((context.generated[mask].mean(0) - real) ** 2).sum() ** 0.5)

            value, resampler = distance(slice(None)), context.resampler
            interval = resampler and resampler.interval(value, resampler.evaluate(distance), smooth=True)
            return Measurement(value, interval)


        METRICS = [Metric("mean_distance", "Mean distance", mean_distance, lower_is_better=True)]
        ''')
    )
    workspace.set(
        "figures.figMine", {"kind": "u_curve", "experiment": "cifar10_sdm", "metric": "mean_distance"}
    )
    workspace.overlay["targets"] = ["figMine"]
    planned = workspace.planned()
    assert planned["scores"] == 3 and "features_samples" not in planned and "train" not in planned
    workspace.run()
    table = pd.read_csv(workspace.path / RESULTS / "tables/experiments/cifar10_sdm.csv")
    assert (table.mean_distance > 0).all() and (table.mean_distance_se > 0).all()
    curves = pd.read_csv(workspace.path / RESULTS / "tables/curves/cifar10_sdm.csv")
    assert "mean_distance" in set(curves.metric)
    assert (workspace.path / RESULTS / "figures/figMine.png").stat().st_size > 1000


def test_a_figure_kind_is_one_file_and_an_entry_of_the_config(workspace, package):
    (package / "figures/histogram.py").write_text(
        dedent('''
        """A histogram of the pixels of a data set."""

        from typing import Literal

        from pydantic import Field

        from shapednoise.config.base import Name
        from shapednoise.config.figures import FigureSettings
        from shapednoise.figures.style import new_figure


        class HistogramSettings(FigureSettings):
            """How often each value of a pixel occurs."""

            kind: Literal["histogram"] = Field(description="The kind of figure.")
            dataset: Name = Field(description="Data set to plot.")
            bins: int = Field(16, ge=2, description="Bins.")

            def inputs(self, name, layout):
                return {"images": layout.images(self.dataset)}

            def parameters(self, config):
                return {"bins": self.bins, "title": config.datasets[self.dataset].title}

            @staticmethod
            def draw(images, bins, title):
                figure, [[ax]] = new_figure(5, 4)
                ax.hist(images.ravel(), bins)
                ax.set_title(title)
                return figure
        ''')
    )
    workspace.set("figures.figH", {"kind": "histogram", "dataset": "pictures", "bins": 8})
    assert workspace.planned("figH") == {"figH": 1, "figure": 1}
    assert not workspace.planned(), "no other figure is drawn again"
    workspace.run("figH")
    assert (workspace.path / RESULTS / "figures/figH.png").stat().st_size > 1000
    workspace.set("figures.figH.bin", 9)
    assert "figures.figH.bin: unknown key; did you mean 'bins'?" in workspace.snakemake("-n").stdout


def test_a_data_set_of_a_known_format_is_an_entry_of_the_config(workspace):
    source = workspace.path / "data" / "grey.gz"
    source.rename(workspace.path / "data" / "more.gz")
    entry = {"title": "More", "reader": "idx", "channels": 1, "images": 40, "size": 16}
    workspace.set("datasets.more", entry | {"sources": [{"file": "more.gz"}]})
    noise = {"noises": ["powerlaw"], "strengths": [0.0, 0.1], "seeds": [42]}
    workspace.set("experiments.more", {"dataset": "more", **noise})
    workspace.set("figures.figMore", {"kind": "u_curve", "experiment": "more", "metric": "kid"})
    workspace.overlay["targets"] = ["figMore"]
    workspace.run()
    manifest = json.loads((workspace.path / "data/more/size16-grey/manifest.json").read_text())
    assert manifest["images"] == 40
    table = pd.read_csv(workspace.path / RESULTS / "tables/scores.csv")
    assert set(table.dataset) == {"more"} and np.isfinite(table.kid).all()
    assert (workspace.path / RESULTS / "figures/figMore.png").stat().st_size > 1000


def test_a_claim_is_one_function(workspace, package):
    (package / "claims/mine.py").write_text(
        dedent('''
        """A claim of the user's own."""

        from shapednoise.claims.registry import OURS, Finding, claim, decide_by_interval
        from shapednoise.analysis.curve import Interval


        @claim("Z1", source=OURS, statement="pictures have colors", published="", criterion="above 0.1")
        def _colors(evidence):
            share = evidence.tables["pca"]["pictures"]["explained"][0]
            decision = decide_by_interval(Interval(share, share, share), 0.1, 1)
            return Finding(decision, f"{share:.2f} on the first axis")
        ''')
    )
    assert workspace.planned() == {"claims": 1}
    workspace.run()
    claims = pd.read_csv(workspace.path / RESULTS / "claims.csv").set_index("id")
    assert len(claims) == 22 and claims.verdict["Z1"] == "holds"
    assert "pictures have colors" in (workspace.path / RESULTS / "claims.md").read_text()
