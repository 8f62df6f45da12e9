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


POINTS = (("ddpm", 0.0), ("sdm", -0.4), ("sdm", 0.4))
SAMPLERS = ((50, "ancestral", 10), (10, "ancestral", 20), (250, "ancestral", 9), (50, "ddim", 7))


def predicted(points=POINTS, samplers=SAMPLERS) -> pd.DataFrame:
    """FID + s of (steps, method, FID) at (noise, s), with intervals of 1 on either side; floor 5."""
    rows = [
        {
            "noise": noise,
            "strength": s,
            **SamplerSettings(steps=steps, method=method).in_theory(),
            "fid": fid + s,
        }
        for noise, s in points
        for steps, method, fid in samplers
    ]
    table = pd.DataFrame([{"noise": "undistorted", "strength": 0.0, "fid": 5.0}, *rows])
    columns = {"precision": table.fid / 100, "generated_images": 100, "real_images": 400}
    return table.assign(fid_low=table.fid - 1, fid_high=table.fid + 1, **columns)


def test_predicted_scores_are_drawn_against_strength_and_steps_above_the_floor():
    figure = PredictedFidSettings.draw(predicted(), "fid", "CIFAR-10")
    left, right = figure.axes
    curves = {bar.get_label(): bar[0] for bar in left.containers}
    np.testing.assert_allclose(
        curves["SDM, ancestral, 50 steps"].get_xydata(), [[-0.4, 9.6], [0, 10], [0.4, 10.4]]
    )
    ancestral = {f"SDM, ancestral, {steps} steps" for steps in (10, 50, 250)}
    assert set(curves) == ancestral | {"SDM, DDIM, 50 steps"}
    steps = {bar.get_label(): bar[0] for bar in right.containers}
    np.testing.assert_allclose(steps["DDPM, ancestral"].get_xydata(), [[10, 20], [50, 10], [250, 9]])
    assert not any("DDIM" in name for name in steps)  # of one number of steps
    figure.canvas.draw()
    assert [text.get_text() for text in right.get_xticklabels()] == ["10", "50", "250"]
    for axes in (left, right):
        [floor] = [line for line in axes.lines if line.get_label() == "undistorted images"]
        assert floor.get_ydata()[0] == 5
        assert axes.get_legend().get_window_extent().y1 < axes.get_window_extent().y0
    assert not left.get_legend().get_window_extent().overlaps(right.get_legend().get_window_extent())


def test_one_number_of_steps_has_no_panel_of_steps():
    figure = PredictedFidSettings.draw(predicted(samplers=SAMPLERS[:1]), "fid", "CIFAR-10")
    [axes] = figure.axes
    assert axes.get_xlabel() == "strength"
    assert [bar.get_label() for bar in axes.containers] == ["SDM"]
    told = "ancestral, 50 steps, small variance, reading published"
    assert figure.get_suptitle() == f"CIFAR-10: 100 distorted, 400 other real images, 95 % intervals\n{told}"


def test_samplers_at_two_strengths_are_bars_above_the_floor():
    samplers = ((50, "ancestral", 10), (50, "ddim", 7), (20, "dpm_solver", 8))
    [axes] = PredictedFidSettings.draw(predicted(POINTS[:2], samplers), "fid", "CIFAR-10").axes
    bars = {bars.get_label(): bars[0].get_width() for bars in axes.containers if bars.get_label()[0] != "_"}
    assert bars == {"DDPM": 10, "SDM, $s$ = \u22120.4": pytest.approx(9.6)}
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["ancestral, 50 steps", "DDIM, 50 steps", "DPM-Solver++, 20 steps"]
    [floor] = [line for line in axes.lines if line.get_label() == "undistorted images"]
    assert floor.get_xdata()[0] == 5
    np.testing.assert_allclose(axes.lines[0].get_xdata(), [9, 11])


def test_one_noise_at_many_steps_has_no_panel_but_that_of_steps():
    samplers = [(steps, method, 9) for steps in (10, 50, 100) for method in ("ancestral", "ddim")]
    [axes] = PredictedFidSettings.draw(predicted(POINTS[:1], samplers), "fid", "CIFAR-10").axes
    assert [bar.get_label() for bar in axes.containers] == ["DDPM, ancestral", "DDPM, DDIM"]


def test_public_fids_are_drawn_against_every_distance_with_its_rank():
    falling = 1 / (0.01 + np.add.outer(np.abs(np.fft.fftfreq(8)), np.abs(np.fft.fftfreq(8))) ** 2)
    table = public_fids_table(falling[None] / 100, {"axes": [[1.0]]}, SCHEDULE)
    assert len(table) == 15 and table.public_fid.max() == pytest.approx(266.7540)
    figure = PublicFidsSettings.draw(table)
    rank = table.kl.corr(table.public_fid, method="spearman")
    assert figure.axes[1].get_title() == f"Kullback-Leibler: Spearman {rank:.2f}"
    assert [len(axes.lines) for axes in figure.axes] == [3, 3, 3]
    names = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert names == ["ancestral, large variance", "ancestral, small variance", "DDIM"]
