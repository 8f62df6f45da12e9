"""MIND against optimal transport by linear programming and what is known of Gaussians."""

import numpy as np
import pytest
from scipy.optimize import linprog

from shapednoise.config.scoring import ScoringSettings
from shapednoise.metrics.context import Context
from shapednoise.metrics.measures.mind import METRICS, monge_distances

rng = np.random.default_rng(0)


def everything(features) -> np.ndarray:
    return np.ones((1, len(features)), bool)


def transport_cost(one: np.ndarray, other: np.ndarray) -> float:
    """The least mean squared distance of a transport plan, by linear programming."""
    n, m = len(one), len(other)
    rows = np.vstack([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    sums = np.concatenate([np.full(n, 1 / n), np.full(m, 1 / m)])
    return linprog(((one[:, None] - other) ** 2).ravel(), A_eq=rows, b_eq=sums).fun


@pytest.mark.parametrize(("n", "m"), [(7, 7), (5, 8), (9, 4), (6, 3)])
def test_one_dimension_is_optimal_transport(n, m):
    """With d = 1 every direction is 1 or -1."""
    one, other = rng.normal(size=(n, 1)), rng.normal(1, 2, size=(m, 1))
    expected = 3 * transport_cost(one[:, 0], other[:, 0])
    assert monge_distances(one, other, everything(one), 0)[0] == pytest.approx(expected, rel=1e-5)


def test_a_shift_counts_three_times_its_square_and_a_set_is_at_no_distance_from_itself():
    features = rng.normal(size=(300, 16)).astype(np.float32)
    shift = rng.normal(size=16).astype(np.float32)
    masks = everything(features)
    assert monge_distances(features, features, masks, 0)[0] == pytest.approx(0, abs=1e-4)
    assert monge_distances(features + shift, features, masks, 0)[0] == pytest.approx(
        3 * (shift**2).sum(),
        rel=0.15,  # the directions' own error, sqrt(2 / 1000) of it
    )


def test_subsets_are_what_they_are_alone():
    generated, real = (rng.normal(size=(n, 8)).astype(np.float32) for n in (40, 90))
    masks = np.zeros((2, 40), bool)
    masks[0, :20] = masks[1, 10:30] = True
    alone = [monge_distances(generated[mask], real, np.ones((1, 20), bool), 3)[0] for mask in masks]
    np.testing.assert_allclose(monge_distances(generated, real, masks, 3), alone, rtol=1e-6)


def test_the_interval_says_how_much_mind_moves_when_images_are_drawn_again():
    settings = ScoringSettings(bootstrap=40)
    real = rng.normal(size=(1000, 8)).astype(np.float32)
    found = []
    for _ in range(30):
        generated = rng.normal(0.3, 1, size=(200, 8)).astype(np.float32)
        found.append(METRICS[0].measure(Context(generated, real, settings, None, "")))
    said = np.mean([each.interval[0] for each in found])
    true = np.std([each.value for each in found], ddof=1)
    assert 0.6 < said / true < 1.6
    low, high = found[0].interval[1:]
    assert low < found[0].value < high
