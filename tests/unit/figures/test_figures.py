"""Figures show what the table says: checked on what they draw, never on pixels."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.collections import LineCollection, PolyCollection

from shapednoise.analysis.drift import drift_table
from shapednoise.analysis.spectra import spectra_table
from shapednoise.config.sampling import SamplerSettings
from shapednoise.config.training import ScheduleSettings
from shapednoise.data.images import to_uint8
from shapednoise.figures.curves import curves, sampler_name
from shapednoise.figures.drift import DriftSettings
from shapednoise.figures.forward_noise import ForwardNoiseSettings
from shapednoise.figures.gain import GainSettings
from shapednoise.figures.noise_gallery import NoiseGallerySettings
from shapednoise.figures.omission import OmissionSettings
from shapednoise.figures.pictures import GAP
from shapednoise.figures.precision_recall import PrecisionRecallSettings
from shapednoise.figures.sample_grids import SampleGridsSettings
from shapednoise.figures.sampler_bars import SamplerBarsSettings
from shapednoise.figures.score_limit import ScoreLimitSettings
from shapednoise.figures.spectra import SpectraSettings
from shapednoise.figures.style import save
from shapednoise.figures.theory import TheorySettings
from shapednoise.figures.training_curves import draw_trainings
from shapednoise.figures.u_curve import UCurveSettings
from shapednoise.noise.operators import OPERATORS
from shapednoise.noise.process import ShapedProcess, linear_betas
from shapednoise.noise.shape import make_shape

SCHEDULE = ScheduleSettings().for_diffusers()
STRENGTHS = np.array([-0.6, -0.4, -0.2, 0.0, 0.2, 0.4])
BETAS = linear_betas(**SCHEDULE)
BANDPASS = {"operator": "sagd_bandpass", "strength": 1.0, "low_band": [0, 0.1], "high_band": [0.3, 0.75]}


@pytest.fixture
def scores() -> pd.DataFrame:
    """FID = 30 + 50 (s + 0.3)^2 + seed, for two seeds; HDM one worse."""
    rows = []
    for seed in (0, 1):
        for strength in STRENGTHS:
            for noise, extra in (("sdm", 0), ("hdm", 1)) if strength else (("ddpm", 0),):
                fid = 30 + 50 * (strength + 0.3) ** 2 + seed + extra
                rows.append(
                    (noise, strength, seed, fid, 0.5 + 0.1 * strength, 0.4 - 0.2 * strength, 100, 200)
                )
    columns = ["noise", "strength", "seed", "fid", "precision", "recall", "generated_images", "real_images"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(**{"is": np.nan, "is_missing": "no classification layer; get the file"})


def u_curve(scores: pd.DataFrame, metric: str, dataset: str, operator: str = "sdm"):
    noise = OPERATORS[operator]
    return UCurveSettings.draw(scores, metric, dataset, noise.strength_symbol, noise.strength_label)


def entries(axes) -> list[str]:
    return axes.get_legend_handles_labels()[1]


def labels(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def boxes(figure, texts) -> list:
    """The rectangles that texts take, in pixels."""
    figure.canvas.draw()
    return [text.get_window_extent() for text in texts if text.get_text()]


def overlapping(rectangles) -> bool:
    return any(one.overlaps(other) for one, other in itertools.combinations(rectangles, 2))


def test_the_u_curve_shows_seeds_band_fit_optimum_and_baseline(scores):
    [axes] = u_curve(scores, "fid", "CIFAR-10").axes
    assert {"SDM", "HDM", "DDPM ($s=0$)"} <= set(entries(axes))
    assert "SDM, quadratic fit" in entries(axes)  # without a p-value: that of the claims is another one
    expected = "SDM, optimum $s$ = -0.30 [-0.30, -0.30]".replace("-", "\u2212")
    assert expected in entries(axes)
    bands = [item for item in axes.collections if isinstance(item, PolyCollection)]
    assert len(bands) == 3  # one a variant, and the legend's
    drawn = {line.get_label(): line for line in axes.lines}
    np.testing.assert_allclose(drawn["SDM"].get_xdata(), STRENGTHS)  # the baseline is on the curve
    expected = 30.5 + 50 * (STRENGTHS + 0.3) ** 2
    np.testing.assert_allclose(drawn["SDM"].get_ydata(), expected)
    assert drawn["DDPM ($s=0$)"].get_ydata()[0] == pytest.approx(35.0)
    assert "100 generated, 200 real, 2 seeds" in axes.get_title()


@pytest.mark.parametrize(
    ("network", "label"), [("separate", "DDPM ($s=0$)"), ("sdm/together_study", "$s=0$")]
)
def test_strength_zero_of_a_network_for_all_strengths_is_no_ddpm(scores, network, label):
    [axes] = u_curve(scores.assign(network=network), "fid", "CIFAR-10").axes
    assert [each for each in entries(axes) if "=0" in each] == [label]


def test_the_u_curve_shows_the_intervals_of_the_images_and_the_extrapolated_fid(scores):
    sdm = scores[scores.noise != "hdm"]
    known = sdm.assign(fid_low=sdm.fid - 2, fid_high=sdm.fid + 3, fid_se=1.0, fid_infinity=sdm.fid - 9)
    [axes] = u_curve(known, "fid", "CIFAR-10").axes
    [whiskers] = [lines for lines in axes.collections if isinstance(lines, LineCollection)
                  and len(lines.get_segments()) == len(sdm)]  # fmt: skip
    lengths = [segment[1, 1] - segment[0, 1] for segment in whiskers.get_segments()]
    np.testing.assert_allclose(lengths, 5)
    drawn = {line.get_label(): line for line in axes.lines}
    extrapolated = drawn["SDM, FID extrapolated to infinitely many images"].get_ydata()
    np.testing.assert_allclose(drawn["SDM"].get_ydata() - extrapolated, 9)
    [axes] = u_curve(scores.assign(fid_infinity=scores.fid - 9), "fid", "CIFAR-10").axes
    assert not any("extrapolated" in label for label in entries(axes))  # of two curves


def test_networks_for_all_strengths_are_drawn_beside_separate_ones_at_the_same_points(scores):
    sdm = scores[scores.noise != "hdm"]
    separate = sdm[sdm.strength.isin([-0.4, 0.0, 0.4]) & (sdm.seed == 0)].assign(network="separate")
    together = sdm.assign(network="sdm/together_study", fid=sdm.fid - 5)
    noise = OPERATORS["sdm"]
    names = noise.strength_symbol, noise.strength_label
    [axes] = UCurveSettings.draw(separate, "fid", "CIFAR-10", *names, beside=together).axes
    drawn = {line.get_label(): line.get_xydata().T for line in axes.lines}
    own, beside = drawn["SDM, separate networks"], drawn["SDM, one network"]
    np.testing.assert_allclose(own[1], 30 + 50 * (own[0] + 0.3) ** 2)
    np.testing.assert_allclose(beside, [own[0], own[1] - 5])
    assert not any("=0" in label for label in drawn)  # which of both would it be?
    other = together[together.seed == 1]
    [axes] = UCurveSettings.draw(separate, "fid", "CIFAR-10", *names, beside=other).axes
    assert "SDM, one network" not in entries(axes)


def test_three_strengths_have_an_optimum_but_no_fit(scores):
    for strengths, fitted in (([-0.6, -0.4, 0.0], False), ([-0.6, -0.4, -0.2, 0.0], True)):
        [axes] = u_curve(scores[scores.strength.isin(strengths)], "fid", "CIFAR-10").axes
        for variant in ("SDM", "HDM"):
            assert (f"{variant}, quadratic fit" in entries(axes)) == fitted
            assert any(label.startswith(f"{variant}, optimum") for label in entries(axes))


def test_a_curve_of_which_nothing_says_how_sure_it_is_shows_no_interval(scores):
    few = scores[(scores.noise != "hdm") & scores.strength.isin([-0.6, -0.4, 0.0]) & (scores.seed == 0)]
    [axes] = u_curve(few, "fid", "CIFAR-10").axes
    assert "SDM, optimum $s$ = \u22120.30" in entries(axes)


def test_a_curve_without_an_optimum_inside_shows_none(scores):
    straight = scores[scores.noise != "hdm"].assign(fid=lambda table: 30 + table.strength)
    [axes] = u_curve(straight, "fid", "CIFAR-10").axes
    assert not any("optimum" in label for label in entries(axes))


def test_an_optimum_is_open_where_its_interval_leaves_the_grid(scores):
    shifts = scores.seed.map({0: -0.3, 1: 0.0})
    sdm = scores[scores.noise != "hdm"]
    shifted = sdm.assign(fid=30 + 50 * (sdm.strength + 0.4 + shifts[sdm.index]) ** 2)
    [axes] = u_curve(shifted, "fid", "CIFAR-10").axes  # optima at -0.1 and -0.4: anywhere on the grid
    assert not any("optimum" in label for label in entries(axes))
    shifted = sdm.assign(fid=30 + 50 * (sdm.strength + 0.4 + shifts[sdm.index] / 4) ** 2)
    [axes] = u_curve(shifted, "fid", "CIFAR-10").axes
    # at -0.325 and -0.4; t is 12.7: half a width 0.476
    [label] = [label for label in entries(axes) if "optimum" in label]
    assert label.endswith("$s$ = -0.36 [open, 0.11]".replace("-", "\u2212"))


def test_a_score_with_a_target_shows_it_and_where_it_is_met(scores):
    sdm = scores[scores.noise != "hdm"]
    known = sdm.assign(variance_along_v=0.5 - 0.4 * sdm.strength, data_variance_along_v=0.62)
    [axes] = u_curve(known, "variance_along_v", "CIFAR-10").axes
    drawn = {line.get_label(): line for line in axes.lines}
    assert drawn["of the data"].get_ydata()[0] == 0.62
    assert "SDM, the data's at $s$ = -0.30 [-0.30, -0.30]".replace("-", "\u2212") in entries(axes)
    assert "SDM, quadratic fit" in entries(axes)
    assert axes.get_ylabel() == "Variance along v  (best as the data's)"


def test_every_sampler_has_a_curve_of_its_own(scores):
    sdm = scores[scores.noise != "hdm"]
    both = pd.concat(
        [sdm.assign(**{"sampler.steps": 50}), sdm.assign(fid=sdm.fid - 5, **{"sampler.steps": 250})]
    )
    [axes] = u_curve(both, "fid", "CIFAR-10").axes
    drawn = {line.get_label(): line for line in axes.lines}
    means = {name: drawn[name].get_ydata() for name in ("SDM, 50 steps", "SDM, 250 steps")}
    np.testing.assert_allclose(means["SDM, 50 steps"] - means["SDM, 250 steps"], 5)
    assert "DDPM ($s=0$)" not in entries(axes)  # there are two baselines; they are on the curves


def test_snapshots_are_named_by_their_epochs_and_samplers_alike_in_the_title(scores):
    """`end` makes text of the column when it is read from its table."""
    alike = {"sampler.method": "ancestral", "sampler.steps": 50, "sampler.variance": "optimal_scalar"}
    sdm = scores[scores.noise != "hdm"].assign(**alike)
    epochs = pd.concat([sdm.assign(**{"sampler.epoch": epoch}) for epoch in ("1.0", "3.0", "end")])
    figure = u_curve(epochs, "fid", "CIFAR-10")
    names = {label for label in entries(figure.axes[0]) if "fit" not in label and "optimum" not in label}
    assert {"SDM, after 1 epoch", "SDM, after 3 epochs", "SDM, at the end"} <= names
    assert figure.axes[0].get_title().endswith("\nancestral, 50 steps, one optimal number a step")
    title, legend = figure.axes[0].title, figure.legends[0]
    assert not overlapping([*boxes(figure, [title]), legend.get_window_extent()])
    assert figure.bbox.containsx(legend.get_window_extent().x1)


def test_a_setting_is_told_of_samplers_that_use_it():
    def named(**settings):
        record = {f"sampler.{key}": value for key, value in SamplerSettings(**settings).record().items()}
        told = [f"sampler.{name}" for name in ("clipped_steps", "eta", "method", "steps", "variance")]
        return sampler_name(record, told)

    assert named() == "ancestral, 50 steps, small variance"
    assert named(method="dpm_solver") == "DPM-Solver++, 50 steps"
    assert named(method="ddim", eta=0.5) == "DDIM, 50 steps, eta 0.5"
    assert named(variance="optimal", clipped_steps=0) == (
        "ancestral, 50 steps, optimal variance, clipped steps 0"
    )


def test_a_product_of_noises_has_a_strength_zero_of_its_own(scores):
    """It is no white noise, so the baseline is no point of its curve."""
    product = scores[scores.noise != "hdm"].assign(fid=lambda table: table.fid + 7)
    product["noise"] = "sdm_powerlaw"
    sdm = scores[scores.noise != "hdm"]
    found = dict(curves(pd.concat([sdm, product])))
    assert set(found["SDM"].noise) == {"sdm", "ddpm"}
    assert set(found["SDM \u00d7 power law"].noise) == {"sdm_powerlaw"}
    assert (found["SDM \u00d7 power law"].strength == 0).sum() == 2


@pytest.mark.parametrize(("operator", "symbol"), [("sdm", "$s$"), ("sagd_powerlaw", "alpha")])
def test_the_strength_is_named_as_the_papers_name_it(scores, operator, symbol):
    [axes] = u_curve(scores[scores.noise != "hdm"], "fid", "CIFAR-10", operator).axes
    assert symbol in axes.get_xlabel()


def heights(axes, horizontal: bool = False) -> dict[tuple[str, str], float]:
    """Height of each bar by (group, bar), read off the axes."""
    groups = [text.get_text() for text in (axes.get_yticklabels() if horizontal else axes.get_xticklabels())]
    names = {
        bars[0].get_facecolor(): bars.get_label() for bars in axes.containers if bars.get_label()[0] != "_"
    }
    found = {}
    for bar in axes.patches:
        place, height = bar.get_x() + bar.get_width() / 2, bar.get_height()
        if horizontal:
            place, height = bar.get_y() + height / 2, bar.get_width()
        found[groups[round(place)], names[bar.get_facecolor()]] = height
    return found


def of_samplers(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores at 0 and -0.4 of eleven samplers, each with an FID 8 lower than the one before."""
    chosen = scores[(scores.noise != "hdm") & scores.strength.isin([0.0, -0.4])]
    samplers = [("ancestral", "fixed_small", 1), ("ddim", "fixed_small", 1)]
    samplers += [("ancestral", "optimal", n) for n in range(9)]
    tables = [
        chosen.assign(
            fid=chosen.fid - 8 * position,
            **{"sampler.method": method, "sampler.steps": 50, "sampler.variance": variance},
            **{"sampler.clipped_steps": clipped},
        )
        for position, (method, variance, clipped) in enumerate(samplers)
    ]
    return pd.concat(tables)


def test_bars_of_samplers_have_the_mean_over_seeds(scores):
    [axes] = SamplerBarsSettings.draw(of_samplers(scores), "fid", "CIFAR-10").axes
    found = heights(axes, horizontal=True)
    assert len(found) == 22
    assert found["ancestral, small variance", "DDPM"] == pytest.approx(35.0)
    assert found["DDIM", "DDPM"] == pytest.approx(27.0)
    assert found["ancestral, small variance", "SDM, $s$ = \u22120.4"] == pytest.approx(31.0)
    assert axes.get_title() == "CIFAR-10: 100 generated, 200 real, 2 seeds\n50 steps"


def test_strength_0_of_a_network_for_all_is_no_ddpm(scores):
    table = of_samplers(scores).assign(network="sdm/together_study")
    [axes] = SamplerBarsSettings.draw(table, "fid", "CIFAR-10").axes
    assert heights(axes, horizontal=True)["DDIM", "SDM, $s$ = 0"] == pytest.approx(27.0)
    [axes] = PrecisionRecallSettings.draw(table, "CIFAR-10").axes
    assert labels(axes)[-4:-2] == ["strength \u22120.4", "strength 0"]


def test_labels_of_many_samplers_do_not_overlap_and_means_are_clear_of_the_seeds(scores):
    figure = SamplerBarsSettings.draw(of_samplers(scores), "fid", "CIFAR-10")
    [axes] = figure.axes
    names = boxes(figure, axes.get_yticklabels())
    assert len(names) == 11 and not overlapping(names)
    assert min(box.x0 for box in names) >= 0
    means = boxes(figure, axes.texts)
    dots = np.concatenate(
        [axes.transData.transform(line.get_xydata()) for line in axes.lines if len(line.get_xydata())]
    )
    assert len(means) == 22 and len(dots) == 44 and not overlapping(means)
    assert not any(box.contains(*dot) for box in means for dot in dots)


def test_a_bar_of_one_seed_has_the_interval_over_images(scores):
    table = of_samplers(scores[scores.seed == 0])
    [axes] = SamplerBarsSettings.draw(
        table.assign(fid_low=table.fid - 1, fid_high=table.fid + 2), "fid", "a"
    ).axes
    np.testing.assert_allclose(axes.lines[0].get_xdata(), [29.5, 32.5])  # of SDM, the first


def test_selective_omission_shows_pictures_of_one_band_and_bars_of_all():
    tables = [
        pd.DataFrame(
            {"strength": [0.0, 1.0], "fid": fids, "seed": 1, "generated_images": 9, "real_images": 9}
        )
        for fids in ([9.0, 4.0], [7.0, 6.0])
    ]
    clean, corrupted, *samples = (np.full((25, 1, 8, 8), shade, np.uint8) for shade in (0, 80, 160, 240))
    figure = OmissionSettings.draw(tables, clean, corrupted, samples, ["a", "b"], "a", "fid", "MNIST")
    *grids, bars = figure.axes
    assert [axes.get_title().split()[0] for axes in grids] == [
        "clean",
        "corrupted",
        "sampled,",
        "sampled,",
    ]
    shades = [int(np.asarray(axes.images[0].get_array()).min()) for axes in grids]
    assert shades == [0, 80, 160, 240]
    white, omitting = ("white noise", "no noise in the band")
    expected = {("a", white): 9, ("a", omitting): 4, ("b", white): 7, ("b", omitting): 6}
    assert heights(bars) == pytest.approx(expected)


def test_a_score_that_could_not_be_computed_says_so(scores):
    [axes] = u_curve(scores, "is", "CIFAR-10").axes
    [text] = axes.texts
    assert "Inception Score is not available" in text.get_text()
    assert "no classification layer" in text.get_text()


def test_precision_and_recall_have_a_color_a_strength_and_contours(scores):
    figure = PrecisionRecallSettings.draw(scores[scores.noise != "hdm"], "CIFAR-10")
    [axes] = figure.axes
    assert labels(axes) == [
        "SDM",
        *(f"strength {s}" for s in ("\u22120.6", "\u22120.4", "\u22120.2", "0 (DDPM)", "0.2", "0.4")),
        "a seed",
        "equal F = 2PR / (P + R)",
    ]
    path = next(line for line in axes.lines if line.get_label() == "SDM")
    np.testing.assert_allclose(path.get_xdata(), 0.4 - 0.2 * STRENGTHS)
    np.testing.assert_allclose(path.get_ydata(), 0.5 + 0.1 * STRENGTHS)
    means = next(points for points in axes.collections if len(points.get_offsets()) == len(STRENGTHS))
    shown = [handle.get_color() for handle in axes.get_legend_handles_labels()[0][1:-2]]
    np.testing.assert_allclose(means.get_offsets(), path.get_xydata())
    np.testing.assert_allclose(means.get_facecolors()[:, :3], shown)
    assert axes.get_xlabel() == "Recall" and axes.get_ylabel() == "Precision"
    f_scores = {float(text.get_text().removeprefix("F = ")): text.get_position() for text in axes.texts}
    for f_score, (recall, precision) in f_scores.items():
        assert 2 * precision * recall / (precision + recall) == pytest.approx(f_score, rel=1e-6)
    found = boxes(figure, axes.texts)
    assert len(found) > 2 and not overlapping(found)
    frame = axes.get_window_extent()
    assert all(frame.x0 < box.x0 and box.x1 < frame.x1 and frame.y0 < box.y0 for box in found)


def test_gains_are_changes_from_zero_of_each_seed_and_the_variance_is_a_share_of_the_datas(scores):
    sdm = scores[scores.noise != "hdm"]
    table = sdm.assign(variance_along_v=0.5 - 0.4 * sdm.strength + 0.1 * sdm.seed, data_variance_along_v=0.6)
    gain, variance = GainSettings.draw(table, "fid", {"0.0": 40.0, "-0.4": 34.0}, "CIFAR-10", "s").axes
    seeds = [30 + 50 * (STRENGTHS + 0.3) ** 2 + seed for seed in (0, 1)]
    changes = [100 * (fids / fids[3] - 1) for fids in seeds]
    drawn = {line.get_label(): line.get_xydata().T for line in gain.lines}
    np.testing.assert_allclose(drawn["SDM"][1], np.mean(changes, axis=0))
    np.testing.assert_allclose(drawn["published, at the paper's scale"], [[-0.4, 0.0], [-15, 0]], atol=1e-9)
    # the seeds reach the data's 0.6 at -0.25 and at 0
    shares = {line.get_label(): line.get_ydata() for line in variance.lines}
    np.testing.assert_allclose(
        shares["SDM, equal to the data's at $s$ = \u22120.12"], 100 * (0.55 - 0.4 * STRENGTHS) / 0.6
    )
    [without, _] = GainSettings.draw(table[table.strength != 0], "fid", {}, "CIFAR-10", "s").axes
    assert "SDM" not in entries(without)


def test_forward_noise_has_four_columns_of_cloud_and_image():
    images = np.random.default_rng(0).integers(0, 256, (30, 3, 8, 8), np.uint8)
    figure = ForwardNoiseSettings.draw(
        images, {"axes": np.eye(3).tolist()}, "sdm", {"operator": "sdm", "strength": 1.0}, 0.5, 2
    )
    assert len(figure.axes) == 8
    titles = [axes.get_title() for axes in figure.axes[:4]]
    assert titles[0] == "Data" and "Squeezed" in titles[2] and "Antisqueezed" in titles[3]
    shown = figure.axes[4].images[0].get_array()
    np.testing.assert_array_equal(shown, images[2].transpose(1, 2, 0))

    def spread(axes):
        return axes.lines[0].get_xdata().std()

    isotropic, squeezed, antisqueezed = (spread(axes) for axes in figure.axes[1:4])
    assert squeezed < isotropic < antisqueezed


def test_grids_are_side_by_side():
    images = np.random.default_rng(0).integers(0, 256, (40, 3, 8, 8), np.uint8)
    figure = SampleGridsSettings.draw([images, images[::-1]], ["DDPM (s = 0)", "SDM (s = -0.4)"])
    assert [axes.get_title() for axes in figure.axes] == ["DDPM (s = 0)", "SDM (s = -0.4)"]
    picture = figure.axes[0].images[0].get_array()
    assert picture.shape == (6 * 10 - GAP, 6 * 10 - GAP, 3)
    np.testing.assert_array_equal(picture[10:18, 20:28], images[8].transpose(1, 2, 0))


def test_drift_has_a_panel_for_each_number_of_steps_and_one_for_the_sum():
    shapes = [{"operator": "sdm", "strength": strength} for strength in (-0.4, 0.4)]
    figure = DriftSettings.draw(drift_table("sdm", shapes, [1000, 50], SCHEDULE))
    titles = [axes.get_title() for axes in figure.axes]
    assert "1000 steps" in titles[0] and "50 steps" in titles[1] and "accumulated" in titles[2]
    assert labels(figure.axes[2]) == ["\u22120.4", "0.4"]


def theory_tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """W2 1 + (s + 0.4)^2 and KL 5 - s for 50 steps, 0.1 - 0.01 s for 1000; variances 0.5 and 0.25."""
    sampler = {"method": "ancestral", "steps": 50, "spacing": "leading", "variance": "fixed_small"}
    sampler |= {"eta": 0.0, "reading": "published"}
    exact = sampler | {"steps": 1000, "reading": "exact"}
    w2, falling = 1 + (STRENGTHS + 0.4) ** 2, 0.1 - 0.01 * STRENGTHS
    rows = [
        pd.DataFrame({"strength": STRENGTHS, "distance": distance, "kl": kl, "standardised": kl}).assign(
            noise="sdm", **chosen
        )
        for chosen, distance, kl in ((sampler, w2, 5 - STRENGTHS), (exact, falling, falling))
    ]
    modes = [
        {"strength": strength, **chosen, "direction": direction, "radius": radius, "ratio": ratio}
        for chosen, ratio in ((sampler, 0.5), (exact, 0.25))
        for strength in (0.0, -0.2)
        for direction in ("along", "across")
        for radius in (0.0, 0.5)
    ]
    return pd.concat(rows), pd.DataFrame(modes).assign(noise="sdm")


def test_the_theory_shows_what_the_choice_of_distance_changes():
    figure = TheorySettings.draw(*theory_tables(), "CIFAR-10")
    w2, kl, _, variances = figure.axes
    [legend] = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "50 steps, reading published",
        "1000 steps, reading exact",
        "least value of the grid, where inside",
    ]
    assert legend.get_title().get_text() == "ancestral, small variance"
    assert w2.get_legend() is None
    changes = {line.get_label(): line.get_xydata().T for line in kl.lines}
    expected = 100 * ((5 - STRENGTHS) / 5 - 1)
    np.testing.assert_allclose(changes["50 steps, reading published"], [STRENGTHS, expected])
    [star] = [line for line in w2.lines if line.get_marker() == "*" and len(line.get_xdata())]
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (-0.4, pytest.approx(100 * (1 / 1.16 - 1)))
    assert labels(variances)[:2] == ["$s$ = 0, along $v$", "$s$ = 0, across $v$"]
    np.testing.assert_allclose(variances.lines[0].get_ydata(), 0.5)


def test_every_sampler_of_the_theory_has_a_look_of_its_own():
    """Those that differ in one setting alone, too; the axis of large changes is logarithmic far from 0."""
    distances, variances = theory_tables()
    first = distances[distances.steps == 50].assign(clipped_steps=np.nan)
    changes = [
        {},
        {"reading": "exact"},
        {"method": "ddim"},
        {"variance": "fixed_large"},
        {"variance": "optimal", "clipped_steps": 1.0},
        {"variance": "optimal", "clipped_steps": 0.0},
    ]
    table = pd.concat([first.assign(**each) for each in changes])
    table["kl"] = 5 + 1e4 * table.strength**2
    figure = TheorySettings.draw(table, variances, "CIFAR-10")
    w2, kl, _, _ = figure.axes
    drawn = [line for line in kl.lines if not line.get_label().startswith("_")]
    looks = {(line.get_color(), line.get_linestyle()): line.get_label() for line in drawn}
    assert list(looks.values()) == [
        "ancestral, small variance, reading published",
        "ancestral, small variance, reading exact",
        "DDIM, reading published",
        "ancestral, large variance, reading published",
        "ancestral, optimal variance, clipped steps 1, reading published",
        "ancestral, optimal variance, clipped steps 0, reading published",
    ]
    assert (w2.get_yscale(), kl.get_yscale()) == ("linear", "asinh")
    [box] = boxes(figure, [kl.yaxis.label])
    assert kl.bbox.y0 < box.y0 and box.y1 < kl.bbox.y1


def test_measured_scores_are_drawn_as_changes_from_zero(scores):
    settings = {"sampler.method": "ancestral", "sampler.steps": 50, "sampler.reading": "published"}
    figure = TheorySettings.draw(*theory_tables(), "CIFAR-10", scores.assign(**settings))
    for axes in figure.axes[:3]:
        [line] = [line for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata())]
        np.testing.assert_allclose(line.get_ydata(), 100 * ((30.5 + 50 * (STRENGTHS + 0.3) ** 2) / 35 - 1))
    assert [text.get_text() for text in figure.legends[0].get_texts()][-1].startswith("measured FID")


def test_measured_spectra_lie_on_the_theory(axis):
    vectors = np.linalg.qr(np.column_stack([axis, np.eye(3)[:, :2]]))[0].T
    axes = vectors * np.sign(vectors[0] @ np.array(axis))
    sdm = {"operator": "sdm", "strength": -0.4}
    points = [("sdm", -0.4, sdm), ("bandpass", 1.0, BANDPASS)]
    table = spectra_table({"axes": axes.tolist()}, points, SCHEDULE, 8, 400)
    np.testing.assert_allclose(table.measured, table.theory, rtol=0.3, atol=1e-12)
    mean = table.groupby(["noise", "direction"])[["measured", "theory"]].mean()
    assert mean.theory["sdm", "along"] == pytest.approx(np.exp(0.8))
    assert mean.theory["sdm", "across"] == pytest.approx(1)
    np.testing.assert_allclose(mean.measured, mean.theory, rtol=0.05)
    assert ((table.theory == 0) & (table.measured < 1e-20)).any()

    figure = SpectraSettings.draw(table)
    assert ["along" in axes.get_title() for axes in figure.axes] == [True, False]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["SDM, $s$ = \u22120.4", "band pass, $s$ = 1"]
    low, high = figure.axes[0].get_ylim()
    assert low < 0 < table.measured.max() < high  # frequencies without noise are in the picture


def test_spectra_of_grey_images_have_one_panel():
    table = spectra_table({"axes": [[1.0]]}, [("bandpass", 1.0, BANDPASS)], SCHEDULE, 8, 10)
    assert set(table.direction) == {"all"} and len(SpectraSettings.draw(table).axes) == 1


@pytest.mark.parametrize("channels", [1, 3])
def test_the_gallery_adds_the_same_white_noise_in_every_row(channels):
    image = np.random.default_rng(0).integers(0, 256, (channels, 8, 8), np.uint8)
    points = [("ddpm", 0.0, {"operator": "ddpm"}), ("bandpass", 1.0, BANDPASS)]
    figure = NoiseGallerySettings.draw(
        image[None], {"axes": np.eye(channels).tolist()}, points, SCHEDULE, [0, 999], 0
    )
    shown = np.array([axes.images[0].get_array() for axes in figure.axes]).reshape(2, 3, 8, 8, 3)
    rgb = np.broadcast_to(image, (3, 8, 8)).transpose(1, 2, 0).astype(int)
    assert np.abs(shown[0, 0] - rgb).max() < 20  # t = 0 is almost clean
    white = torch.randn(1, channels, 8, 8, generator=torch.Generator().manual_seed(0))
    process = ShapedProcess(make_shape(**BANDPASS), BETAS, exact=False)
    expected = to_uint8(process.shape_noise(white, 999)[0]).numpy()
    np.testing.assert_array_equal(shown[1, 2].transpose(2, 0, 1)[:channels], expected)
    assert figure.axes[0].get_title() == "$t$ = 0" and figure.axes[2].get_title() == "noise alone"
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert texts == ["DDPM", "band pass\n$s$ = 1\n(the image has\nits bands alone)"]


def test_saved_figures_are_the_same_every_time(tmp_path, scores):
    for name in ("a", "b"):
        save(u_curve(scores, "fid", "CIFAR-10"), [tmp_path / f"{name}.pdf", tmp_path / f"{name}.png"])
    for suffix in ("pdf", "png"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_titles_of_data_sets_are_no_mathematics(scores):
    title = "$5 and 6$"
    limit = {"noise": "sdm", "strength": 0.4, "level": [0.1, 0.2], "error": [0.1, 0.2], "support": 1.0}
    steps = scores.assign(**{"sampler.method": "ddim", "sampler.steps": 50})
    figures = [
        u_curve(scores, "fid", title),
        u_curve(scores.assign(fid=None), "fid", title),
        PrecisionRecallSettings.draw(scores, title),
        SamplerBarsSettings.draw(steps, "fid", title),
        TheorySettings.draw(*theory_tables(), title),
        ScoreLimitSettings.draw(pd.DataFrame(limit), title),
    ]
    for figure in figures:
        found = [ax.title for ax in figure.axes if title in ax.get_title()]
        assert found and not any(each.get_parse_math() for each in found)


@pytest.mark.parametrize(
    ("seeds", "named"), [(1, ["ddpm", "sdm"]), (2, ["ddpm, seed0", "sdm, seed0"]), (11, ["cifar10, ddpm"])]
)
def test_every_training_has_its_curves_and_the_legend_tells_what_differs(seeds, named):
    rows = pd.DataFrame({"step": [50, 100], "loss": [1.0, 0.1], "learning_rate": [1e-3, 1e-4]})
    models = [
        ("cifar10", n, "s0.00", "published", "demo", f"seed{seed}")
        for seed in range(seeds)
        for n in ("ddpm", "sdm")
    ]
    figure = draw_trainings({model: rows * (1 + k) for k, model in enumerate(models)})
    loss, rate = figure.axes
    for ax, column in ((loss, rows.loss), (rate, rows.learning_rate)):
        drawn = [line.get_ydata() for line in ax.lines if len(line.get_ydata())]
        np.testing.assert_allclose(drawn, [column * (1 + k) for k in range(len(models))])
    assert [text.get_text() for text in figure.legends[0].texts][: len(named)] == named
    assert draw_trainings({models[0]: rows}).legends == []
