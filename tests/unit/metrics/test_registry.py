"""A metric is one module: what is declared there is scored, put into tables and drawn."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from shapednoise.analysis.curve import curve_table
from shapednoise.config.scoring import ScoringSettings
from shapednoise.metrics import measures, registry, scores
from shapednoise.metrics.registry import METRICS, discover
from shapednoise.metrics.scores import score
from tests.unit.metrics.test_scores import cloud

MEASURE = '''
"""The distance of two means."""

import numpy as np

from shapednoise.metrics.measures import Measurement, Metric


def offset(context):
    distances = np.linalg.norm(context.generated - context.real_statistics["mu"], axis=1)
    value, resampler = float(distances.mean()), context.resampler
    interval = resampler and resampler.interval_of_mean(value, distances)
    return Measurement(value, interval, {"offset_max": float(distances.max())})


METRICS = [Metric("offset", "Offset", offset, lower_is_better=True, published=("offset_max",))]
'''
FIGURE = """
import sys
from shapednoise.metrics import measures
measures.__path__.append(sys.argv[1])
from shapednoise.figures.u_curve import UCurveSettings
from shapednoise.metrics.registry import METRICS
loaded = {"torch", "torch_fidelity", "scipy", "matplotlib"} & set(sys.modules)
assert not loaded, loaded
assert UCurveSettings(kind="u_curve", experiment="a", metric="offset").metric == "offset"
assert METRICS["offset"].label == "Offset" and METRICS["offset"].direction == "lower is better"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a module of the package `measures` that declares the metric `offset`."""
    (tmp_path / "offset.py").write_text(MEASURE)
    monkeypatch.setattr(measures, "__path__", [*measures.__path__, str(tmp_path)])
    yield tmp_path
    sys.modules.pop(f"{measures.__name__}.offset", None)


def test_the_metrics_keep_their_order():
    shares = ["precision", "recall", "f_score", "density", "coverage"]
    assert list(METRICS) == ["fid", "kid", "is", *shares, "mind", "variance_along_v"]
    assert [name for name, metric in METRICS.items() if metric.lower_is_better] == ["fid", "kid", "mind"]
    assert METRICS["recall"].direction == "higher is better"
    assert METRICS["variance_along_v"].direction == "best as the data's"


@pytest.mark.parametrize("bootstrap", [0, 10])
def test_a_metric_of_one_new_file_is_scored_and_has_a_curve(folder, monkeypatch, bootstrap):
    found = discover()
    assert list(found) == [*METRICS, "offset"]
    for name in found.keys() - METRICS.keys():
        monkeypatch.setitem(registry.METRICS, name, found[name])
    settings = ScoringSettings(kid_subsets=2, kid_subset_size=20, is_splits=2, bootstrap=bootstrap)
    before = scores.score(cloud(50, 1.0, 0), cloud(60, 1.0, 1), settings)
    assert before["offset"] < before["offset_max"]
    assert list(before)[-7:-4] == ["offset_se", "offset_low", "offset_high"]
    assert (before["offset_se"] is None) == (bootstrap == 0)
    rows = [{"noise": "sdm", "strength": s, "seed": 0, "offset": s**2} for s in (-0.4, 0.0, 0.2)]
    assert curve_table(pd.DataFrame(rows)).metric.tolist() == ["offset"]


def test_a_figure_may_name_it_and_the_config_loads_no_torch(folder):
    done = subprocess.run(
        [sys.executable, "-c", FIGURE, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_two_metrics_of_one_name_are_refused(folder):
    (folder / "offset.py").write_text(MEASURE.replace('"offset", "Offset"', '"kid", "Offset"'))
    with pytest.raises(ValueError, match="same name"):
        discover()


@pytest.mark.parametrize("bootstrap", [0, 10])
def test_the_columns_of_scores_keep_their_order(bootstrap):
    """Tables of earlier runs have these columns in this order, with and without intervals."""
    settings = ScoringSettings(kid_subsets=2, kid_subset_size=20, is_splits=2, bootstrap=bootstrap)
    found = score(cloud(50, 1.0, 0), cloud(60, 1.0, 1), settings)
    ends = {name: [f"{name}_{end}" for end in ("se", "low", "high")] for name in METRICS}
    shares = ["precision", "recall", "f_score", "density", "coverage"]
    infinity = [f"fid_infinity_{end}" for end in ("se", "low", "high")]
    fid = ["fid", "fid_infinity", "fid_infinity_missing", *ends["fid"], *infinity]
    values = [*fid, "kid", "kid_std", "is", "is_std"]
    last = [*shares, "kid", "is", "mind"] if bootstrap else ["kid", "is", *shares, "mind"]
    last = [*last, "variance_along_v"]
    facts = ["intervals_missing", "generated_images", "real_images", "warnings"]
    assert list(found) == [
        *values,
        "is_missing",
        *shares,
        "mind",
        "variance_along_v",
        "data_variance_along_v",
        *np.ravel([ends[name] for name in last]),
        *facts,
    ]


def test_an_interval_is_cut_at_the_bounds_of_its_metric():
    """All of a generated set that is hardly spread lies within the balls of the real one."""
    settings = ScoringSettings(kid_subsets=2, kid_subset_size=20, is_splits=2, bootstrap=50)
    found = score(cloud(60, 3.0, 0), cloud(300, 0.5, 1), settings)
    assert found["precision_low"] == 0 and found["recall_high"] == 1
