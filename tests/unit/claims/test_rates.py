"""Verdicts by simulation with known truth: a short form of benchmarks/verdicts.py."""

import pytest

from benchmarks.verdicts import GRID, SHAPES, SPREADS, STUDY_GRID, coverage, scenarios, shares
from shapednoise.workflow.project import load_config, load_project_config

REPEATS = 600
SCENARIOS = scenarios()
ERROR = 0.035  # four standard errors of a share of 0.05 in so many repeats


def test_every_claim_that_chance_decides_has_a_truth_of_either_kind():
    truths = {claim: set() for each in SCENARIOS for claim in each.claims.split(", ")}
    for each in SCENARIOS:
        for claim in each.claims.split(", "):
            truths[claim].add(each.true)
    exact = {"C10", "C11", "S3", "X0"}
    everything = {*(f"C{n}" for n in range(1, 13)), "S1", "S2", "S3", *(f"X{n}" for n in range(5))}
    everything |= {f"Y{n}" for n in range(1, 9)}
    assert truths == {claim: {True, False} for claim in everything - exact}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: f"{each.claims}: {each.truth}")
def test_false_verdicts_are_rare(scenario):
    """Of three seeds, whatever their deviations: at most 5 % of each kind of wrong verdict."""
    for spread in (SPREADS[0], SPREADS[-1]):
        reproduced, refuted = shares(scenario, REPEATS, 3, spread)
        assert (refuted if scenario.true else reproduced) <= 0.05 + ERROR


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: f"{each.claims}: {each.truth}")
def test_a_single_training_decides_nothing(scenario):
    assert shares(scenario, 5, 1, 0.1) == (0, 0)


@pytest.mark.parametrize("shape", SHAPES)
def test_intervals_of_an_optimum_hold_it(shape):
    for spread in SPREADS:
        least, most, _ = coverage(shape, REPEATS, 3, spread)
        expected = (0.93, 0.97) if shape == "parabola" else (0.9, 1.0)
        assert expected[0] - ERROR <= least <= most <= expected[1] + ERROR / 2


def test_the_grid_is_that_of_the_config(repository):
    assert load_config(repository / "config.yaml").strengths_of("cifar10_sdm") == tuple(GRID)
    study = load_project_config(repository, [repository / "study.yaml"])
    assert study.strengths_of("study_sdm") == tuple(STUDY_GRID)
