"""Standard errors, intervals and extrapolation: against brute force and known answers."""

import numpy as np
import pytest
import scipy.stats

from shapednoise.metrics.scores import METRICS, NO_INFINITY, score
from shapednoise.metrics.statistics import statistics
from shapednoise.metrics.uncertainty import (
    Bootstrap,
    Frechet,
    fid_infinity,
    kid_terms,
    of_f_score,
    of_share,
)
from shapednoise.settings.scoring import ScoringSettings
from tests.unit.test_scores import cloud, frechet_distance

SETTINGS = ScoringSettings(kid_subsets=10, kid_subset_size=20, is_splits=2)


def drawn(features: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The set in which image i is counts[i] times."""
    return np.repeat(features, counts, axis=0)


@pytest.mark.parametrize(("images", "real_images"), [(60, 90), (12, 90), (60, 10), (12, 10)])
def test_frechet_distances_of_replicates_are_those_of_scipys_root(images, real_images):
    """Fewer images than the 16 dimensions, on either side, too."""
    ours, real = (
        cloud(images, 1.2, 0, centre=0.2)["features"],
        cloud(real_images, 1.0, 1, centre=0.1)["features"],
    )
    frechet = Frechet(statistics(real), ours)
    for counts in (np.ones(images, dtype=int), *Bootstrap.of(images, 5, 0).counts):
        expected = frechet_distance(drawn(ours, counts), real)
        assert frechet.distance(counts) == pytest.approx(expected, rel=1e-4)


def test_the_interval_of_fid_is_that_of_a_brute_force_bootstrap():
    """Other random numbers, the same spread; the interval lies around FID and not above it."""
    ours, real = cloud(200, 1.1, 0, centre=0.3)["features"], cloud(400, 1.0, 1)["features"]
    rng = np.random.default_rng(5)
    brute = [frechet_distance(ours[rng.integers(0, 200, 200)], real) for _ in range(400)]
    fid = frechet_distance(ours, real)
    bootstrap = Bootstrap.of(200, 400, 0)
    error, low, high = bootstrap.interval(fid, Frechet(statistics(real), ours).distance)
    assert error == pytest.approx(np.std(brute), rel=0.15)
    assert high - low == pytest.approx(np.ptp(np.quantile(brute, (0.025, 0.975))), rel=0.2)
    assert low < fid < high and np.mean(brute) > fid + error  # as they are, replicates lie above


def test_the_interval_of_fid_covers_what_it_says():
    """Of 60 sets drawn from one distribution, most intervals hold the mean of their FIDs."""
    real = statistics(cloud(2000, 1.0, 1)["features"])
    found = []
    for seed in range(60):
        frechet = Frechet(real, cloud(250, 1.1, 100 + seed, centre=0.2)["features"])
        fid = frechet.distance(np.ones(250, dtype=int))
        found.append((fid, *Bootstrap.of(250, 60, seed).interval(fid, frechet.distance)))
    fids, errors, low, high = np.array(found).T
    assert ((low < fids.mean()) & (fids.mean() < high)).mean() > 0.8
    assert errors.mean() == pytest.approx(fids.std(), rel=0.25)


def test_fid_infinity_removes_the_bias():
    """Sets of one distribution: FID is about the bias, its extrapolation about 0."""
    real = statistics(cloud(50_000, 1.0, 1)["features"])
    frechet = Frechet(real, cloud(1000, 1.0, 0)["features"])
    fid, extrapolated = frechet.distance(np.ones(1000, dtype=int)), fid_infinity(frechet, 10, 0)
    assert abs(extrapolated) < fid / 3
    assert fid_infinity(frechet, 10, 0) == extrapolated != fid_infinity(frechet, 10, 1)


def test_kid_terms_are_the_influence_of_an_image():
    """Against the change of the squared distance itself when one image gets more weight."""
    ours, real = cloud(30, 1.1, 0, centre=0.3)["features"], cloud(1100, 1.0, 1)["features"]
    terms = kid_terms(ours, real)

    def distance(weights: np.ndarray) -> float:
        own, other = (ours @ ours.T / 16 + 1) ** 3, (ours @ real.T / 16 + 1) ** 3
        return weights @ own @ weights - 2 * weights @ other.mean(1)

    even, step = np.full(30, 1 / 30), 1e-4
    for image in (0, 7):
        moved = even * (1 - step)
        moved[image] += step
        slope = (distance(moved) - distance(even)) / step
        assert slope == pytest.approx(terms[image] - terms.mean(), rel=0.02, abs=0.02)


def test_a_share_has_the_interval_of_the_binomial_distribution():
    rng = np.random.default_rng(0)
    inside = rng.random(400) < 0.3
    brute = [inside[rng.integers(0, 400, 400)].mean() for _ in range(4000)]
    error, low, high = of_share(inside.mean(), 400)
    assert error == pytest.approx(np.std(brute), rel=0.05)
    assert (low, high) == pytest.approx(tuple(np.quantile(brute, (0.025, 0.975))), abs=0.006)
    assert of_share(1.0, 50) == (0, 1, 1) and of_share(0.0, 50) == (0, 0, 0)


def test_the_interval_of_the_f_score_lies_around_it():
    error, low, high = of_f_score(2 * 0.6 * 0.3 / 0.9, 0.6, 0.3, (1000, 1000), 0)
    assert low < 0.4 < high
    assert error == pytest.approx((high - low) / 3.92, rel=0.05)


def test_the_bootstrap_of_a_mean_has_its_standard_error():
    terms = np.random.default_rng(0).exponential(size=500)
    error, low, high = Bootstrap.of(500, 2000, 0).of_mean(terms.mean(), terms)
    assert error == pytest.approx(scipy.stats.sem(terms), rel=0.05)
    assert low < terms.mean() < high


def with_logits(count: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {**cloud(count, 1.0, seed), "logits": rng.normal(0, 3, (count, 20)).astype(np.float32)}


def test_every_score_has_its_standard_error_and_its_interval():
    scores = score(with_logits(600, 0), cloud(700, 1.1, 1, centre=0.2), SETTINGS)
    for metric in METRICS:
        assert scores[f"{metric}_se"] > 0, metric
        assert scores[f"{metric}_low"] < scores[metric] < scores[f"{metric}_high"], metric
    assert scores["is_se"] < 0.1 * scores["is"]
    assert scores["fid_infinity"] < scores["fid"]
    assert scores["fid_infinity_missing"] is scores["intervals_missing"] is scores["is_missing"] is None


def test_what_is_missing_is_none_with_the_reason():
    settings = SETTINGS.model_copy(update={"bootstrap": 0})
    scores = score(cloud(499, 1.0, 0), cloud(600, 1.0, 1), settings, "no classes")
    assert scores["fid_infinity"] is None and scores["fid_infinity_missing"] == NO_INFINITY
    assert scores["is"] is None and scores["is_missing"] == "no classes"
    assert scores["intervals_missing"] == "scoring.bootstrap is 0"
    ends = [scores[f"{metric}_{end}"] for metric in METRICS for end in ("se", "low", "high")]
    assert ends == [None] * 24
    without_logits = score(cloud(50, 1.0, 0), cloud(60, 1.0, 1), SETTINGS)
    assert without_logits["is_se"] is None and without_logits["fid_se"] > 0
