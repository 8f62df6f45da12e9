"""What seeds' own curves say: optima, the shape, slopes, and Student's intervals over seeds."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from shapednoise.analysis.curve import (
    Interval,
    crossing,
    crossings,
    curve_table,
    grid_error,
    optimum,
    rises,
    seed_curves,
    slopes,
    split_curves,
    student,
    summarize,
    vertices,
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


def test_intervals_over_seeds_are_students():
    values = np.array([1.0, 4.0, 2.5])
    found, expected = student(values), scipy.stats.ttest_1samp(values, 0)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()))
    for bound in (-2.0, 2.0, 7.0):
        for p, side in ((found.p_at_most(bound), "greater"), (found.p_at_least(bound), "less")):
            assert p == pytest.approx(scipy.stats.ttest_1samp(values, bound, alternative=side).pvalue)
    assert student(values, least=9.0).high == pytest.approx(2.5 + 9)
    assert student(values, besides=9.0).high == pytest.approx(2.5 + np.hypot(found.high - 2.5, 9))


def test_a_single_seed_says_nothing():
    found = student(np.array([3.0]))
    assert found.value == 3 and found.ends == "[unknown]"
    assert found.p_at_most(-100) == found.p_at_least(100) == 1


def test_what_is_exact_has_no_chance():
    exact = Interval(0.5, 0.5, 0.5)
    assert (exact.p_at_most(0.4), exact.p_at_least(0.4), exact.p_at_most(0.6)) == (0, 1, 1)


def test_intervals_are_written_so_that_what_is_not_known_is_said():
    assert Interval(-0.4, -0.45, -0.3).ends == "[-0.45, -0.3]"
    assert Interval(0.4, 0.1, np.inf).ends == "[0.1, open]"
    assert Interval(0.4, np.nan, np.nan).ends == "[unknown]"


def test_the_vertex_is_that_of_the_parabola_through_three_points():
    """Also where gaps differ; at an end of the grid where the least value is there."""
    grid = np.array([-1.0, -0.8, -0.6, -0.5, -0.4, -0.3])
    curves = np.stack([(grid - best) ** 2 for best in (-0.87, -0.55, -0.44)])
    assert vertices(grid, curves) == pytest.approx([-0.87, -0.55, -0.44])
    assert vertices(grid, np.stack([grid, -grid, 0 * grid])).tolist() == [-1, -0.3, -1]
    rng = np.random.default_rng(0)
    for curve in rng.normal(size=(20, 6)):
        least = curve.argmin()
        if 0 < least < 5:
            near = slice(least - 1, least + 2)
            a, b, _ = np.polyfit(grid[near], curve[near], 2)
            assert vertices(grid, curve) == pytest.approx(-b / (2 * a))


def test_the_optimum_does_not_depend_on_the_curve_further_off():
    steep = np.where(STRENGTHS < -0.4, 30, 3) * (STRENGTHS + 0.3) ** 2
    assert vertices(STRENGTHS, steep) == pytest.approx(-0.3)


def test_what_a_seed_shifts_everywhere_does_not_blur_the_optimum():
    found = optimum(*seed_curves(rows(u_shaped, seeds=(0, 5, 20)), "fid"))
    assert (found.low, found.value, found.high) == pytest.approx((-0.3, -0.3, -0.3))


def test_half_a_grid_step_is_what_the_grid_can_tell_of_no_parabola():
    def steeper_left(strength):
        return np.where(strength < -0.3, 3, 1) * (strength + 0.3) ** 2

    strengths, curves = seed_curves(rows(steeper_left, noise=1e-3), "fid")
    assert grid_error(strengths, curves) == pytest.approx(0.05)
    undecided = curves * np.array([[-1], [0], [1]])  # seeds that do not agree
    assert grid_error(strengths, undecided) == 0
    assert grid_error(strengths[:4], curves[:, :4]) == pytest.approx(0.05)  # too few to tell
    found = optimum(strengths, curves)
    assert found.high - found.value == pytest.approx(0.05, rel=1e-2)


def test_an_optimum_at_an_end_may_lie_beyond():
    rising = optimum(*seed_curves(rows(lambda s: np.exp(4 * s)), "fid"))
    assert (rising.value, rising.low) == (-0.6, -np.inf) and rising.high == pytest.approx(-0.55)
    assert rising.p_at_most(-5) == 1 and rising.p_at_least(-0.4) < 0.01


def test_a_crossing_is_linear_between_strengths_and_the_nearest_to_0():
    falling = np.array([3.0, 1.0, -1.0, -2.0])
    strengths = np.array([-0.6, -0.4, 0.0, 0.4])
    twice = np.array([-1.0, 1.0, 0.5, -0.5])
    found = crossings(strengths, np.array([falling, twice, falling + 9, falling - 9]))
    assert found.tolist() == pytest.approx([-0.2, 0.2, 0.4, -0.6])  # never: the end that is nearer to it
    inside = crossing(strengths, falling + np.array([[0.0], [0.2], [-0.2]]))
    assert (inside.value, inside.high) == pytest.approx((-0.2, -0.2 + 4.302653 * 0.04 / np.sqrt(3)))
    assert crossing(strengths, np.array([falling, falling - 9])).low == -np.inf
    assert crossing(strengths, np.array([falling, falling + 9])).high == np.inf


def test_a_score_with_a_target_is_best_where_it_meets_it():
    table = rows(lambda s: 0.5 - 0.4 * s, variance_along_v=0.0)
    table = table.assign(variance_along_v=0.5 - 0.4 * table.strength, data_variance_along_v=0.64, noise="sdm")
    found = summarize(table, "variance_along_v")
    assert found.optimum.value == pytest.approx(-0.35) and np.isnan(found.p_value)
    assert curve_table(table).set_index("metric").loc["variance_along_v"].optimum == pytest.approx(-0.35)


def test_ends_are_compared_with_what_the_other_seeds_find_best():
    """Three seeds by hand: of the left end less the mean of three around the best of the other two."""
    values = np.array([[5.0, 1, 0, 2, 6, 9], [5, 4, 3, 0, 1, 9], [5, 4, 3, 2, 0, 9]])
    left, right = rises(values)
    inside = [values[0, 3:5].mean(), values[1, 1:4].mean(), values[2, 2:5].mean()]  # best: 4, 2, 3
    assert left.value == pytest.approx(np.mean(5 - np.array(inside)))
    assert right.value == pytest.approx(np.mean(9 - np.array(inside)))
    assert left.freedom == 2


def test_the_slope_of_a_line():
    assert slopes(STRENGTHS, np.stack([3 - 2 * STRENGTHS, STRENGTHS])) == pytest.approx([-2, 1])


def test_the_summary_of_a_curve():
    found = summarize(rows(u_shaped, noise=0.5), "fid")
    assert found.coefficients[0] == pytest.approx(50, rel=0.1) and found.seeds == 3
    assert found.p_value < 0.01 and found.has_optimum
    straight = summarize(rows(lambda s: 30 + 20 * s, noise=0.5), "fid")
    assert straight.p_value > 0.5 and not straight.has_optimum
    one = summarize(rows(u_shaped, seeds=(0,)), "fid")
    assert np.isnan(one.p_value) and one.optimum.ends == "[unknown]"
    table = rows(u_shaped)
    assert summarize(table[table.strength.isin([0.0, -0.4])], "fid") is None
    with pytest.raises(ValueError, match="fid: not every seed has every strength"):
        summarize(table.iloc[1:], "fid")


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
    assert (fid.optimum_low, fid.optimum, fid.optimum_high) == pytest.approx((-0.3, -0.3, -0.3))
    assert [float(x) for x in fid.strengths.split()] == STRENGTHS.tolist()
    assert [float(x) for x in fid["mean"].split()] == pytest.approx((u_shaped(STRENGTHS) + 1).tolist())
    assert [float(x) for x in fid["std"].split()] == pytest.approx([1.0] * 11)
    assert fid.u_p < 0.01 and fid.a == pytest.approx(50)
    assert found.loc["precision"].optimum == pytest.approx(0.4)
    few = curve_table(table[table.strength.isin([0.0, -0.4])])
    assert "optimum" not in few and len(few) == 2


def test_a_baseline_alone_is_a_curve_of_one_strength(tmp_path):
    rows = [{"noise": "ddpm", "strength": 0.0, "seed": seed, "fid": 30.0 + seed} for seed in (1, 3)]
    curve_table(pd.DataFrame(rows)).to_csv(tmp_path / "curves.csv", index=False)
    [row] = pd.read_csv(tmp_path / "curves.csv").to_dict("records")
    assert (row["noise"], row["metric"], row["seeds"], row["mean"]) == ("ddpm", "fid", 2, 32.0)
