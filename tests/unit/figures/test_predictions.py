"""Figures of predicted and of public FIDs show what their tables say."""

import numpy as np
import pandas as pd
import pytest

from shapednoise.analysis.public_fids import public_fids_table
from shapednoise.config.sampling import SamplerSettings
from shapednoise.config.training import ScheduleSettings
from shapednoise.figures.predicted_fid import PredictedFidSettings
from shapednoise.figures.public_fids import PublicFidsSettings

SCHEDULE = ScheduleSettings().for_diffusers()


def predicted() -> pd.DataFrame:
    """FID 10 + s for 50 steps, 20 + s for 10, with intervals of 1 on either side; floor 5."""
    rows = [
        {
            "noise": noise,
            "strength": s,
            **SamplerSettings(steps=steps, method=method).in_theory(),
            "fid": fid + s,
        }
        for noise, s in (("ddpm", 0.0), ("sdm", -0.4), ("sdm", 0.4))
        for steps, method, fid in ((50, "ancestral", 10), (10, "ancestral", 20), (50, "ddim", 7))
    ]
    table = pd.DataFrame([{"noise": "undistorted", "strength": 0.0, "fid": 5.0}, *rows])
    return table.assign(fid_low=table.fid - 1, fid_high=table.fid + 1, generated_images=100, real_images=400)


def test_predicted_scores_are_drawn_against_strength_and_steps_above_the_floor():
    left, right = PredictedFidSettings.draw(predicted(), "fid", "CIFAR-10").axes
    curves = {bar.get_label(): bar[0] for bar in left.containers}
    np.testing.assert_allclose(
        curves["SDM, ancestral, 50 steps"].get_xydata(), [[-0.4, 9.6], [0, 10], [0.4, 10.4]]
    )
    assert set(curves) == {
        "SDM, ancestral, 50 steps", "SDM, ancestral, 10 steps", "SDM, DDIM, 50 steps"
    }  # fmt: skip
    steps = {bar.get_label(): bar[0] for bar in right.containers}
    np.testing.assert_allclose(steps["DDPM, ancestral"].get_xydata(), [[10, 20], [50, 10]])
    for axes in (left, right):
        [floor] = [line for line in axes.lines if line.get_label() == "undistorted images"]
        assert floor.get_ydata()[0] == 5


def test_public_fids_are_drawn_against_every_distance_with_its_rank():
    falling = 1 / (0.01 + np.add.outer(np.abs(np.fft.fftfreq(8)), np.abs(np.fft.fftfreq(8))) ** 2)
    table = public_fids_table(falling[None] / 100, {"axes": [[1.0]]}, SCHEDULE)
    assert len(table) == 15 and table.public_fid.max() == pytest.approx(266.7540)
    figure = PublicFidsSettings.draw(table)
    rank = table.kl.corr(table.public_fid, method="spearman")
    assert figure.axes[1].get_title() == f"Kullback-Leibler: Spearman {rank:.2f}"
    assert [len(axes.lines) for axes in figure.axes] == [3, 3, 3]
