"""The learned score tends to the data's as the noise vanishes, where there is noise."""

import numpy as np
import pytest

from shapednoise.analysis.score_limit import score_limit_table

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def spectrum() -> np.ndarray:
    """Variances of (axis, frequency) between 1e-3 and 10, even in frequency as those of real images."""
    values = 10.0 ** RNG.uniform(-3, 1, (3, 8, 8))
    mirrored = np.roll(values[:, ::-1, ::-1], (1, 1), (1, 2))
    return np.sqrt(values * mirrored)


def table(spectrum, axis, *shapes):
    points = [(shape["operator"], shape.get("strength", 0.0), shape) for shape in shapes]
    return score_limit_table(spectrum, {"axes": [axis]}, points).sort_values("level")


def test_for_white_noise_it_is_the_formula(spectrum, axis):
    found = table(spectrum, axis, {"operator": "ddpm"}).set_index("level")
    for level in (1e-8, 1e-3):
        learned, true = 1 / ((1 - level) * spectrum + level), 1 / spectrum
        expected = np.sqrt((spectrum * (learned - true) ** 2).sum() / (spectrum * true**2).sum())
        assert found.error[level] == pytest.approx(expected)
        assert found.error_on_support[level] == pytest.approx(expected)


@pytest.mark.parametrize(
    "shape",
    [
        {"operator": "sdm", "strength": -0.4, "schedule": "beta"},
        {"operator": "hdm", "strength": 0.4, "schedule": "beta"},
        {"operator": "sagd_powerlaw", "strength": -0.3, "schedule": "constant", "eps": 0.01},
    ],
    ids=lambda shape: shape["operator"],
)
def test_with_full_support_the_error_vanishes_with_the_noise(spectrum, axis, shape):
    found = table(spectrum, axis, shape)
    assert (found.support == 1).all()
    errors = found.error.to_numpy()
    assert (np.diff(errors) > 0).all() and errors[0] < 1e-6
    assert errors[1] / errors[0] == pytest.approx(10, rel=0.01)  # in proportion to the noise


def test_without_noise_on_some_modes_their_score_is_not_learned(spectrum, axis):
    bands = {"operator": "sagd_bandpass", "strength": 1.0, "schedule": "constant", "low_band": [0, 0.2],
             "high_band": [0.4, 0.75], "low_gain": 0.5, "high_gain": 0.5}  # fmt: skip
    found = table(spectrum, axis, bands)
    assert (found.support < 1).all()
    assert found.error.iloc[0] > 0.1 and found.error_on_support.iloc[0] < 1e-6


@pytest.mark.filterwarnings("error")
def test_where_no_mode_of_the_data_has_noise_there_is_no_error_on_the_support(axis):
    plain = np.zeros((3, 8, 8))
    plain[:, 0, 0] = 1, 2, 3  # pictures of one colour each
    bands = {"operator": "sagd_bandpass", "strength": 1.0, "schedule": "constant", "low_band": [0.1, 0.2],
             "high_band": [0.4, 0.75], "low_gain": 0.5, "high_gain": 0.5}  # fmt: skip
    found = table(plain, axis, bands)
    assert (found.support == 0).all() and (found.error == 1).all() and found.error_on_support.isna().all()
