"""The quadratic fit of a score against the strength, its optimum, and how sure both are."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from shapednoise.analysis.curve import (
    LEVELS,
    Interval,
    best_strengths,
    curve_table,
    mean_curve,
    quadratic_fit,
    slope,
    split_curves,
)

STRENGTHS = np.round(np.arange(-0.6, 0.5, 0.1), 1)


def rows(value, seeds=(0, 1, 2), noise=0.0, **columns) -> pd.DataFrame:
    """A table of `fid` = value(strength) + seed + noise."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame([(s, seed) for seed in seeds for s in STRENGTHS], columns=["strength", "seed"])
    scatter = noise * rng.standard_normal(len(table))
    return table.assign(fid=value(table.strength) + table.seed + scatter, **columns)


def u_shaped(strength):
    return 30 + 50 * (strength + 0.3) ** 2


def fitted(table, lower_is_better=True):
    return quadratic_fit(mean_curve(table, "fid"), lower_is_better)


def test_a_parabola_is_found_with_its_optimum():
    fit = fitted(rows(u_shaped))
    assert fit.optimum.value == pytest.approx(-0.3)
    assert fit(-0.3) == pytest.approx(31)
    assert fit.coefficients[0] == pytest.approx(50)
    assert fit.has_optimum and fit.prob_convex == fit.prob_interior == 1


def test_what_a_seed_shifts_everywhere_does_not_blur_the_optimum():
    fit = fitted(rows(u_shaped, seeds=(0, 5, 20)))
    assert fit.optimum.high - fit.optimum.low < 1e-9
    assert fit.curvature.high - fit.curvature.low < 1e-9


def test_the_wrong_bend_and_an_optimum_outside_are_at_an_end():
    arched = fitted(rows(u_shaped), lower_is_better=False)
    assert arched.prob_convex == 0 and not arched.has_optimum
    assert arched.optimum.value == pytest.approx(0.4)
    outside = fitted(rows(lambda s: (s - 3) ** 2))
    assert outside.prob_convex == 1 and outside.prob_interior == 0
    assert outside.optimum.value == pytest.approx(0.4) and not outside.has_optimum


def test_intervals_are_written_so_that_what_is_not_known_is_said():
    assert Interval(-0.4, -0.45, -0.3).ends == "[-0.45, -0.3]"
    assert Interval(0.4, 0.1, np.inf).ends == "[0.1, open]"
    assert Interval(0.4, np.nan, np.nan).ends == "[unknown]"


def test_two_strengths_have_no_fit():
    table = rows(u_shaped)
    assert fitted(table[table.strength.isin([0.0, -0.4])]) is None


@pytest.mark.parametrize("noise", [0.5, 2.0])
def test_the_interval_of_the_optimum_covers_it_as_often_as_it_says(noise):
    """200 experiments of five seeds whose optimum is known: about 95 % of the intervals hold it."""
    rng, held = np.random.default_rng(0), 0
    table = rows(u_shaped, seeds=range(5))
    for _ in range(200):
        drawn = table.assign(fid=table.fid + noise * rng.standard_normal(len(table)))
        optimum = quadratic_fit(mean_curve(drawn, "fid", replicates=300), True).optimum
        held += optimum.low <= -0.3 <= optimum.high
    assert 0.88 <= held / 200 <= 0.995


def test_the_error_of_the_images_widens_the_interval():
    sure, unsure = (fitted(rows(u_shaped, fid_se=error)) for error in (0.1, 3.0))
    width = {fit: fit.optimum.high - fit.optimum.low for fit in (sure, unsure)}
    assert 0 < width[sure] < width[unsure]
    expected = 3.0 / np.sqrt(3)  # of a mean of three
    _, replicates = mean_curve(rows(u_shaped, fid_se=3.0, seeds=(7, 7.0001, 7.0002)), "fid").at(-0.6)
    assert replicates.std() == pytest.approx(expected, rel=0.1)


def test_a_single_seed_is_as_uncertain_as_its_scatter_about_the_fit():
    smooth, rough = fitted(rows(u_shaped, seeds=(0,))), fitted(rows(u_shaped, seeds=(0,), noise=2.0))
    assert smooth.optimum.high - smooth.optimum.low < 1e-6
    assert rough.optimum.high - rough.optimum.low > 0.02


def test_where_nothing_says_how_sure_a_curve_is_there_are_no_intervals():
    """Three strengths and one seed leave no scatter about a parabola."""
    few = rows(u_shaped, seeds=(42,))
    few = few[few.strength.isin([-0.4, 0.0, 0.4])]
    fit = fitted(few)
    assert fit.optimum.value == pytest.approx(-0.3)
    unknown = (fit.optimum.low, fit.optimum.high, fit.curvature.low, fit.prob_convex, fit.prob_interior)
    assert np.isnan(unknown).all()
    known = fitted(few.assign(fid_se=20.0))
    assert known.optimum.low < -0.35 and known.optimum.high > -0.25 and 0.5 < known.prob_convex < 1
    one = few[few.strength == 0]
    assert np.isnan(mean_curve(pd.concat([one, one.assign(seed=43)]), "fid").replicates).all()


def test_a_flat_curve_bends_by_chance():
    fit = fitted(rows(lambda s: 0 * s, noise=1.0))
    assert 0.01 < fit.prob_convex < 0.99
    assert fit.curvature.low < 0 < fit.curvature.high


def test_best_strengths_are_those_of_a_search():
    rng = np.random.default_rng(0)
    coefficients = rng.normal(size=(200, 3))
    fine = np.linspace(-0.6, 0.4, 20_001)
    searched = fine[(coefficients @ np.vander(fine, 3).T).argmin(1)]
    np.testing.assert_allclose(best_strengths(coefficients, -0.6, 0.4), searched, atol=1e-4)


def test_the_slope_of_a_line_and_its_sign():
    found = slope(mean_curve(rows(lambda s: 3 - 2 * s, noise=0.1), "fid"))
    assert found.low < -2 < found.high and found.high < 0


def test_the_level_is_as_uncertain_as_seeds_shift_it():
    """The interval of a mean of three seeds is Student's."""
    curve = mean_curve(rows(u_shaped, seeds=(0, 9, 30)), "fid", replicates=100_000)
    expected = scipy.stats.t.interval(0.95, 2, 30 + 50 * 0.09 + 13, np.std([0, 9, 30], ddof=1) / np.sqrt(3))
    assert np.percentile(curve.at(0.0)[1], LEVELS) == pytest.approx(expected, abs=1.5)


def test_what_was_not_measured_is_refused():
    table = rows(u_shaped)
    with pytest.raises(KeyError, match=r"strength 0\.7 was not measured"):
        mean_curve(table, "fid").at(0.7)
    with pytest.raises(ValueError, match="fid: not every seed has every strength"):
        mean_curve(table.iloc[1:], "fid")


def test_curves_are_split_by_noise_and_by_what_samplers_differ_in():
    base = rows(u_shaped).assign(noise="sdm", **{"sampler.method": "ancestral"})
    base.loc[base.strength == 0, "noise"] = "ddpm"
    both = pd.concat([base.assign(**{"sampler.steps": steps}) for steps in (50, 100)])
    found = {settings["sampler.steps"]: (noise, table) for noise, settings, table in split_curves(both)}
    assert set(found) == {50, 100}
    for noise, table in found.values():
        assert noise == "sdm" and len(table) == 33 and set(table.noise) == {"sdm", "ddpm"}


def test_the_table_of_curves_has_a_row_a_curve_and_score():
    table = rows(u_shaped, fid_se=0.5).assign(noise="sdm", precision=lambda t: 0.5 + 0.1 * t.strength)
    table["is"] = np.nan
    found = curve_table(table).set_index("metric")
    assert set(found.index) == {"fid", "precision"}  # no score, no row
    fid = found.loc["fid"]
    assert (fid.noise, fid.seeds) == ("sdm", 3)
    assert fid.optimum_low < fid.optimum < fid.optimum_high
    assert [float(x) for x in fid.strengths.split()] == STRENGTHS.tolist()
    assert [float(x) for x in fid["mean"].split()] == pytest.approx((u_shaped(STRENGTHS) + 1).tolist())
    assert [float(x) for x in fid["std"].split()] == pytest.approx([1.0] * 11)
    assert found.loc["precision"].optimum == pytest.approx(0.4)
    few = curve_table(table[table.strength.isin([0.0, -0.4])])
    assert "optimum" not in few and len(few) == 2


def test_a_baseline_alone_is_a_curve_of_one_strength(tmp_path):
    rows = [{"noise": "ddpm", "strength": 0.0, "seed": seed, "fid": 30.0 + seed} for seed in (1, 3)]
    curve_table(pd.DataFrame(rows)).to_csv(tmp_path / "curves.csv", index=False)
    [row] = pd.read_csv(tmp_path / "curves.csv").to_dict("records")
    assert (row["noise"], row["metric"], row["seeds"], row["mean"]) == ("ddpm", "fid", 2, 32.0)
