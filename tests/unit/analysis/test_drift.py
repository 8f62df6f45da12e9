"""The drift of a shape that changes with time, against Eq. 12 of SDM."""

import numpy as np
import pytest

from shapednoise.analysis.drift import drift_table
from shapednoise.config.training import ScheduleSettings
from shapednoise.noise.process import linear_betas

SCHEDULE = ScheduleSettings().for_diffusers()


def test_drift_is_equation_12():
    """From t to the earlier u: S_t^-1 S_u = exp(s(t) - s(u)) on v, with s = s0 beta / beta_max."""
    shapes = [{"operator": "sdm", "strength": strength} for strength in (-0.4, 0.3)]
    table = drift_table("sdm", shapes, [1000, 50], SCHEDULE)
    betas = linear_betas(**SCHEDULE).double().numpy()
    for (strength, steps), rows in table.groupby(["strength", "steps"]):
        later, earlier = betas[rows.timestep], betas[rows.timestep - 1000 // steps]
        expected = np.exp(strength * (later - earlier) / betas.max())
        np.testing.assert_allclose(rows.deviation, expected - 1, rtol=1e-9)
        whole = np.exp(strength * (later[0] - earlier[-1]) / betas.max()) - 1
        assert rows.accumulated.iloc[-1] == pytest.approx(whole, rel=1e-9)
    assert table.deviation.abs().max() < 0.01


def test_a_constant_shape_does_not_drift():
    shape = {"operator": "hdm", "strength": -0.4, "schedule": "constant"}
    table = drift_table("hdm", [shape], [50], SCHEDULE)
    assert (table[["deviation", "accumulated"]] == 0).all(axis=None)
