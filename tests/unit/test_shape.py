"""Noise shapes against their closed forms (Eq. 9, 11 and 12 of SDM), in float64."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shapednoise.noise.drift import drift_table
from shapednoise.noise.process import ShapedProcess
from shapednoise.noise.shape import make_shape

BETAS = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
STRENGTHS = st.floats(-2, 2, allow_nan=False)
AXES = st.lists(st.floats(-1, 1), min_size=3, max_size=3).filter(lambda v: np.linalg.norm(v) > 0.1)


def unit(vector) -> list[float]:
    return (np.array(vector) / np.linalg.norm(vector)).tolist()


def matrix(shape, t: int) -> np.ndarray:
    """S_t as a 3 x 3 matrix, from what it does to the unit vectors."""
    basis = torch.eye(3, dtype=torch.float64)[:, :, None, None]
    return shape.apply(basis, shape.gains(BETAS)[t : t + 1])[:, :, 0, 0].T.numpy()


@settings(deadline=None)
@given(STRENGTHS, AXES, st.integers(0, 999), st.sampled_from(["beta", "constant"]))
def test_matrices_are_those_of_equation_9(strength, vector, t, schedule):
    v = np.array(unit(vector))
    s = strength * (BETAS[t] / BETAS.max()).item() if schedule == "beta" else strength
    along, rest = np.outer(v, v), np.eye(3) - np.outer(v, v)
    sdm, hdm = (matrix(make_shape(name, strength, schedule, v.tolist()), t) for name in ("sdm", "hdm"))
    np.testing.assert_allclose(sdm, np.eye(3) + along * (np.exp(-s) - 1), atol=1e-12)
    np.testing.assert_allclose(hdm, np.exp(-s) * along + np.exp(s / 2) * rest, atol=1e-12)
    assert np.linalg.det(hdm) == pytest.approx(1, abs=1e-10)


@settings(deadline=None)
@given(STRENGTHS, AXES, st.integers(0, 999))
def test_inverse_is_sherman_morrison_of_equation_11(strength, vector, t):
    v = np.array(unit(vector))
    s = strength * (BETAS[t] / BETAS.max()).item()
    process = ShapedProcess(make_shape("sdm", strength, "beta", v.tolist()), BETAS, exact=False)
    basis = torch.eye(3, dtype=torch.float64)[:, :, None, None]
    inverse = process.whiten(basis, t)[:, :, 0, 0].T.numpy()
    np.testing.assert_allclose(inverse, np.eye(3) + np.outer(v, v) * (np.exp(s) - 1), atol=1e-12)


@settings(deadline=None)
@given(
    STRENGTHS,
    AXES,
    st.sampled_from(["ddpm", "sdm", "hdm"]),
    st.booleans(),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_whitening_undoes_shaping(strength, vector, operator, exact, height, width):
    strength = 0.0 if operator == "ddpm" else strength
    process = ShapedProcess(make_shape(operator, strength, "beta", unit(vector)), BETAS, exact)
    x = torch.randn(4, 3, height, width, dtype=torch.float64)
    t = torch.tensor([0, 1, 500, 999])
    assert torch.allclose(process.whiten(process.shape_noise(x, t), t), x, atol=1e-12)


@pytest.mark.parametrize("operator", ["sdm", "hdm"])
def test_strength_zero_is_the_identity_to_the_last_bit(operator, axis):
    process = ShapedProcess(make_shape(operator, 0.0, "beta", axis), BETAS, exact=False)
    x = torch.randn(8, 3, 16, 16)
    assert torch.equal(process.shape_noise(x, torch.arange(8)), x)
    assert torch.equal(process.whiten(x, 7), x)


def test_positive_strength_squeezes_the_axis_alone(axis):
    shape = make_shape("sdm", 0.5, "constant", axis)
    noise = ShapedProcess(shape, BETAS, exact=False).shape_noise(
        torch.randn(200_000, 3, 1, 1, generator=torch.Generator().manual_seed(0)), 10
    )
    pixels = noise[:, :, 0, 0].double()
    covariance = pixels.T @ pixels / len(pixels)
    v = torch.tensor(axis, dtype=torch.float64)
    assert (v @ covariance @ v).item() == pytest.approx(np.exp(-1.0), rel=0.02)
    assert (torch.trace(covariance) - v @ covariance @ v).item() == pytest.approx(2, rel=0.02)


def test_four_channels_keep_their_volume():
    v = unit([1, 2, 3, 4])
    gains = make_shape("hdm", 0.7, "constant", v).gains(BETAS)[0]
    assert (gains[0] * gains[1] ** 3).item() == pytest.approx(1, abs=1e-12)


def test_drift_is_equation_12():
    table = drift_table("sdm", "sdm", "beta", [-0.4, 0.3], [1000, 50], BETAS)
    for (strength, steps), rows in table.groupby(["strength", "steps"]):
        delta = (BETAS[1] - BETAS[0]).item() * (1000 // steps)
        # from t to the earlier t - 1: S_t^-1 S_{t-1} = exp(s(t) - s(t-1)) on v
        np.testing.assert_allclose(rows.deviation, np.exp(strength * delta / 0.02) - 1, rtol=1e-9)
        whole = np.exp(strength * delta / 0.02 * len(rows)) - 1
        assert rows.accumulated.iloc[-1] == pytest.approx(whole, rel=1e-9)
    assert table.deviation.abs().max() < 0.01


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sdm", 0.1, "beta", [1.0, 1.0, 0.0]), "unit vector"),
        (("sdm", float("nan"), "beta", [1.0, 0.0, 0.0]), "finite"),
        (("sdm", 0.1, "beta", None), "needs the axis"),
        (("ddpm", 0.1, "beta", None), "strength 0"),
        (("squeezed", 0.1, "beta", [1.0, 0.0, 0.0]), "unknown operator"),
        (("sdm", 0.1, "beta", [1.0]), "two channels"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_shape(*arguments)


def test_unknown_schedule_is_named():
    with pytest.raises(ValueError, match="schedule of the strength 'cosine'"):
        make_shape("sdm", 0.1, "cosine", [1.0, 0.0, 0.0]).gains(BETAS)


def test_wrong_number_of_channels_is_named(axis):
    shape = make_shape("sdm", 0.1, "beta", axis)
    with pytest.raises(ValueError, match="1 channels"):
        shape.apply(torch.zeros(1, 1, 4, 4), shape.gains(BETAS)[:1])


@pytest.mark.parametrize("beta", [0.0, 1.0, -0.1])
def test_betas_outside_the_unit_interval_are_refused(beta):
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        ShapedProcess(make_shape("ddpm", 0.0, "beta", None), torch.tensor([0.1, beta]), exact=False)
