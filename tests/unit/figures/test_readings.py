"""The two readings of the reverse step against the exact one, as formulas and as a figure."""

import numpy as np
import pytest
import torch

from shapednoise.analysis.readings import readings_table
from shapednoise.config.training import ScheduleSettings
from shapednoise.figures.readings import ReadingsSettings
from shapednoise.noise.process import linear_betas

SCHEDULE = ScheduleSettings().for_diffusers()
BETAS = linear_betas(**SCHEDULE)


def test_readings_agree_at_strength_zero_and_for_a_constant_shape():
    shapes = [{"operator": "ddpm"}, {"operator": "sdm", "strength": -0.4, "schedule": "constant"}]
    table = readings_table("sdm", shapes, [50], SCHEDULE)
    np.testing.assert_allclose(table.marginal, 0, atol=1e-9)
    np.testing.assert_allclose(table[["published", "equations"]], 1, rtol=1e-9)


def test_readings_differ_as_their_formulas_say():
    strength, steps = -0.4, 50
    table = readings_table("sdm", [{"operator": "sdm", "strength": strength}], [steps], SCHEDULE)
    betas, row = BETAS.double(), table[table.timestep == 500].iloc[0]
    gains, alphas = torch.exp(-strength * betas / betas.max()), 1 - betas
    variances, variance = [], torch.tensor(0.0).double()
    for alpha, gain in zip(alphas, gains, strict=True):
        variance = alpha * variance + (1 - alpha) * gain**2
        variances.append(variance)
    signal, t, u = alphas.cumprod(0), 500, 480
    expected = (variances[t] / ((1 - signal[t]) * gains[t] ** 2)).sqrt() - 1
    assert row.marginal == pytest.approx(float(expected))
    white = (1 - signal[u]) * (1 - signal[t] / signal[u]) / (1 - signal[t])
    exact = variances[u] * (variances[t] - signal[t] / signal[u] * variances[u]) / variances[t]
    assert row.published == pytest.approx(float(gains[t] ** 2 * white / exact), rel=1e-5)
    assert row.equations == pytest.approx(float(gains[u] ** 2 * white / exact), rel=1e-5)
    assert len(table) == steps - 1 and table.timestep.min() == 20


def test_readings_have_a_panel_for_each_number_of_steps():
    shapes = [{"operator": "sdm", "strength": strength} for strength in (-0.4, 0.2)]
    schedule = ScheduleSettings(timesteps=100).for_diffusers()
    figure = ReadingsSettings.draw(readings_table("sdm", shapes, [100, 10], schedule))
    titles = [axes.get_title() for axes in figure.axes]
    assert "100 reverse steps" in titles[0] and "10 reverse steps" in titles[1] and "SDM" in titles[2]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["$s_0$ = \u22120.4", "$s_0$ = 0.2", "published", "equations"]
