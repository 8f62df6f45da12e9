"""How often the claims' verdicts are right, by simulation with known truth through the functions that decide.

    python -m benchmarks.verdicts

Curves over the grid of config.yaml, a seed's deviations of 0.5, 1 and 1.5 FID: independent from strength
to strength, smooth (Gaussian process, length 0.3, since all strengths of a seed share initialisation and
sampling noise), or half of each. Two tables are printed for docs/claims.md, of the worst of the three kinds:
verdicts in per cent, and how often the 95 % interval of an optimum holds it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.common import markdown, new_parser
from shapednoise.analysis.curve import SIDE, optimum
from shapednoise.claims.estimates import (
    decide_optimum,
    decide_shape,
    gains,
    over_seeds,
    paired_difference,
    relative_gain,
)
from shapednoise.claims.registry import Decision, combine, decide_by_interval
from shapednoise.claims.sagd import depends_on_data
from shapednoise.claims.sdm import LEAST_GAIN, decide_trade_off
from shapednoise.claims.study import cross_fitted, decide_as_good, decide_return, decide_shrinks
from shapednoise.claims.theory import decide_move, decide_ranks, rank_agreement
from shapednoise.claims.tiers import PAPER

GRID = np.array([-1.0, -0.8, -0.6, -0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4])
STUDY_GRID = np.array([-1.0, -0.8, -0.6, -0.4, -0.2, 0.0, 0.2, 0.4])
ALPHAS = np.array([-0.12, -0.09, -0.06, -0.03, 0.0, 0.03, 0.06])
SPREADS = (0.5, 1.0, 1.5)  # deviations of a seed, in FID
KINDS = ("independent", "smooth", "mixed")
LENGTH = 0.3
BEND = 38.75  # of the parabola from FID 39.8 at s = 0 to 33.6 at -0.4, as published
Curve = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Seeds:
    """Draws what seeds add: repeats x seeds x strengths, in FID."""

    rng: np.random.Generator
    repeats: int
    seeds: int
    spread: float
    kind: str

    def deviations(self, strengths: np.ndarray = GRID) -> np.ndarray:
        """(repeats, seeds, strengths); a strength is measured in grids' widths, so that exponents fit too."""
        shape = (self.repeats, self.seeds, len(strengths))
        distances = (strengths[:, None] - strengths) / (np.ptp(strengths) / np.ptp(GRID)) / LENGTH
        root = np.linalg.cholesky(np.exp(-(distances**2) / 2) + 1e-9 * np.eye(len(strengths)))
        rough, smooth = self.rng.standard_normal(shape), self.rng.standard_normal(shape) @ root.T
        share = {"independent": 0.0, "smooth": 1.0, "mixed": 0.5}[self.kind]
        return self.spread * (np.sqrt(1 - share) * rough + np.sqrt(share) * smooth)

    def curves(self, mean: Curve, strengths: np.ndarray = GRID, scale: float = 1.0) -> np.ndarray:
        """Curves of seeds about a mean."""
        return mean(strengths) + scale * self.deviations(strengths)

    def points(self, *means: float) -> list[tuple[np.ndarray, np.ndarray]]:
        """Values of each seed (repeats, seeds) at strengths whose means are given, the first at 0."""
        places = np.linspace(0, -0.4, len(means))
        at = self.deviations(np.append(places, 0.4))  # the last sets the width of the grid
        return [(mean + at[..., k], np.zeros(())) for k, mean in enumerate(means)]


def parabola(best: float, bend: float = BEND, level: float = 33.6) -> Curve:
    return lambda s: level + bend * (s - best) ** 2


def kink(best: float, left: float, right: float) -> Curve:
    return lambda s: 33.6 + np.where(s < best, left, right) * np.abs(s - best)


def steeper(best: float, left: float, right: float) -> Curve:
    return lambda s: 33.6 + BEND * np.where(s < best, left, right) * (s - best) ** 2


NO_U: dict[str, Curve] = {
    "33 + 6 exp(4s)": lambda s: 33 + 6 * np.exp(4 * s),
    "33 + 6 exp(3s)": lambda s: 33 + 6 * np.exp(3 * s),
    "softplus": lambda s: 33 + 10 * np.log1p(np.exp(8 * s)),
    "flat, then rising": lambda s: 33 + 30 * np.maximum(s + 0.2, 0),
    "falling, then flat": lambda s: 33 + 30 * np.maximum(-0.1 - s, 0),
    "flat": lambda s: 33 + 0 * s,
    "straight": lambda s: 33 + 10 * s,
    "arched": lambda s: 33 - 10 * s**2,
}
SHAPES: dict[str, Callable[[float], Curve]] = {
    "parabola": parabola,
    "steeper at the left": lambda best: steeper(best, 1.5, 0.5),
    "steeper at the right": lambda best: steeper(best, 0.5, 1.5),
    "flat bottom": lambda best: lambda s: 33.6 + 120 * (s - best) ** 4 + 4 * (s - best) ** 2,
    "V": lambda best: kink(best, 15, 15),
    "kink": lambda best: kink(best, 24, 12),
}
TIPS = (-0.4, -0.36)  # an optimum on the grid and one beside it


def _near(mean: Curve, draw: Seeds) -> Decision:
    return decide_optimum(GRID, draw.curves(mean), -0.5, -0.3)[0]


def _hdm(gap: float, draw: Seeds) -> Decision:
    """SDM and HDM differ by `gap` on average; what noise and seed have together is drawn for each."""
    mild = np.isin(GRID, PAPER.mild)
    sdm, hdm = (draw.curves(parabola(-0.4))[..., mild].mean(-1) for _ in range(2))
    return decide_by_interval(paired_difference((hdm + gap, 0), (sdm, 0)), 0, np.inf)


def _trade_off(recall: float, precision: float, draw: Seeds) -> Decision:
    curves = (draw.curves(lambda s, a=a: a * s, scale=0.01) for a in (recall, precision))
    return decide_trade_off(GRID, *curves)


def _gain(gain: float, low: float, high: float, draw: Seeds) -> Decision:
    return decide_by_interval(relative_gain(*draw.points(39.8, 39.8 * (1 - gain / 100))), low, high)


def _sharper(change: float, draw: Seeds) -> Decision:
    """Seeds differ by 3 % at a deviation of 1 FID."""
    seeds = draw.rng.normal(change, 3 * draw.spread, (draw.repeats, draw.seeds))
    return decide_by_interval(over_seeds(seeds), 0, np.inf)


def _exponents(optima: tuple[float, ...], draw: Seeds) -> Decision:
    """FID of 0.28 at the best exponent and 0.42 at 0, as cited of MNIST; deviations a hundredth of FID's."""
    curves = (draw.curves(parabola(best, 40, 0.28), ALPHAS, 0.01) for best in optima)
    return depends_on_data([optimum(ALPHAS, values) for values in curves])


def _bands(gains: tuple[float, ...], draw: Seeds) -> Decision:
    pairs = (draw.points(100, 100 - gain) for gain in gains)
    return combine(*(decide_by_interval(paired_difference(*pair), 0, np.inf) for pair in pairs))


def _move(few: Curve, many: Curve, draw: Seeds) -> Decision:
    """The two samplers of a model share half of its deviations."""
    shared, *own = (draw.deviations() * np.sqrt(0.5) for _ in range(3))
    return decide_move(GRID, few(GRID) + shared + own[0], many(GRID) + shared + own[1])[0]


def _better(gap: float, draw: Seeds) -> Decision:
    return decide_by_interval(paired_difference(*draw.points(34, 34 - gap)), 0, np.inf)


def _ranks(effect: float, draw: Seeds) -> Decision:
    """Four samplers of one model: levels fall with the steps; the strength has an effect, or none."""
    shared, curves = draw.deviations() * np.sqrt(0.5), []
    for best, level in ((-0.7, 35), (-0.4, 32), (-0.2, 30), (0.0, 28)):
        distances = parabola(best, 1, level)(GRID)
        fids = level + effect * (GRID - best) ** 2 + shared + draw.deviations() * np.sqrt(0.5)
        curves.append((distances, fids))
    return decide_ranks(*rank_agreement(curves))


def _return(fid: Curve, crossing: float, draw: Seeds) -> Decision:
    """The variance along v falls by 0.25 a unit of s, as in a pilot; a seed of 1 FID moves it by 0.01."""
    excess = 0.25 * (crossing - STUDY_GRID) + 0.01 * draw.deviations(STUDY_GRID)
    return combine(*decide_return(STUDY_GRID, draw.curves(fid, STUDY_GRID), excess)[0])


def _shrinks(before: float, after: float, draw: Seeds) -> Decision:
    pairs = (draw.points(39.8, 39.8 * (1 - gain / 100)) for gain in (before, after))
    return decide_shrinks(*(gains(*pair) for pair in pairs))[0]


def _best_of_three(gaps: tuple[float, ...], draw: Seeds) -> Decision:
    squeezed, *others = draw.points(34, *(34 - gap for gap in gaps))
    values = np.stack([fids for fids, _ in others], -1)
    return decide_by_interval(paired_difference(squeezed, cross_fitted(values, np.zeros(()))), 0, np.inf)


def _three_ranks(right: int, draw: Seeds) -> Decision:
    """FID follows a distance over 20 points; `right` of three distances are that, the others bend back."""
    distance = np.linspace(0, 1, 20)
    fids = 30 + 20 * distance + draw.deviations(distance)
    known = [distance] * right + [np.abs(distance - 0.5)] * (3 - right)
    return combine(*(decide_ranks(*rank_agreement([(each, fids)])) for each in known))


def _as_good(losses: tuple[float, ...], draw: Seeds) -> Decision:
    pairs = (draw.points(34, 34 * (1 + loss / 100)) for loss in losses)
    return decide_as_good([relative_gain(*pair) for pair in pairs])


@dataclass(frozen=True)
class Scenario:
    """A truth about claims, and whether they then hold."""

    claims: str
    truth: str
    true: bool
    decide: Callable[[Seeds], Decision]


def scenarios_of_papers() -> Iterator[Scenario]:
    for name, mean in NO_U.items():
        yield Scenario("C1, C9", name, False, lambda draw, mean=mean: decide_shape(draw.curves(mean)))
    for name in ("parabola", "V", "kink"):
        shape = SHAPES[name](-0.4)
        yield Scenario("C1, C9", name, True, lambda draw, mean=shape: decide_shape(draw.curves(mean)))
    for name, mean, true in (
        *((f"optimum at {best}", parabola(best), False) for best in (-0.25, -0.55, 0.0)),
        *((name, NO_U[name], False) for name in ("33 + 6 exp(4s)", "flat")),
        *((f"{name}, optimum at -0.4", SHAPES[name](-0.4), True) for name in SHAPES),
    ):
        yield Scenario("C2, C4, C6, C7", name, true, partial(_near, mean))
    for gain in (0, LEAST_GAIN, 15):
        decide = partial(_gain, gain, LEAST_GAIN, np.inf)
        yield Scenario("C3", f"gain {gain:g} %", gain > LEAST_GAIN, decide)
    for gap in (0, 2):
        yield Scenario("C5", f"HDM worse by {gap} FID", gap > 0, partial(_hdm, gap))
    for recall, precision in ((0, 0.05), (0, 0), (-0.1, 0.05)):
        truth = f"slopes {recall:g} and {precision:g}"
        yield Scenario("C8, Y6", truth, recall < 0, partial(_trade_off, recall, precision))
    for change in (0, 10):
        yield Scenario("C12", f"sharper by {change} %", change > 0, partial(_sharper, change))
    for optima in ((0, 0, 0), (-0.06, -0.06, -0.06), (-0.06, 0, 0), (-0.06, -0.03, 0)):
        truth = "best exponents " + ", ".join(map(str, optima))
        yield Scenario("S1", truth, len(set(optima)) == 3, partial(_exponents, optima))
    for by_band in ((0,) * 8, (20,) * 7 + (0,), (5,) * 8):
        few = f", but {min(by_band)} of one" if len(set(by_band)) > 1 else ""
        truth = f"gains of {max(by_band)} FID{few}"
        yield Scenario("S2", truth, min(by_band) > 0, partial(_bands, by_band))


def scenarios_of_theory() -> Iterator[Scenario]:
    rising, flat = NO_U["33 + 6 exp(4s)"], NO_U["flat"]
    for truth, few, many in (
        ("both at -0.4", parabola(-0.4), parabola(-0.4)),
        ("both rising", rising, NO_U["33 + 6 exp(3s)"]),
        ("both flat", flat, flat),
        ("from -0.2 to -0.4", parabola(-0.2), parabola(-0.4)),
        ("from -0.1 to 0.2", parabola(-0.1), parabola(0.2)),
        ("from -0.4 to -0.05", parabola(-0.4), parabola(-0.05)),
    ):
        yield Scenario("X1", truth, truth.endswith("-0.05"), partial(_move, few, many))
    for gain in (LEAST_GAIN, 15, 0):
        decide = partial(_gain, gain, -LEAST_GAIN, LEAST_GAIN)
        yield Scenario("X2", f"gain {gain:g} %", gain == 0, decide)
    for gap in (0, 4):
        yield Scenario("X3", f"DDIM better by {gap} FID", gap > 0, partial(_better, gap))
    for effect, truth in (
        (0, "no effect of s"),
        (-10, "reversed order"),
        (10, "the order of the closed form"),
    ):
        yield Scenario("X4", truth, effect > 0, partial(_ranks, effect))


def scenarios_of_study() -> Iterator[Scenario]:
    for truth, fid, crossing in (
        ("minimum at -0.5, 0.2 beside the crossing", parabola(-0.5), -0.7),
        ("minimum at -0.3, 0.4 beside the crossing", parabola(-0.3), -0.7),
        ("minimum and crossing at 0", parabola(0.0), 0.0),
        ("33 + 6 exp(4s), crossing at -0.9", NO_U["33 + 6 exp(4s)"], -0.9),
        ("minimum and crossing at -0.5", parabola(-0.5), -0.5),
    ):
        yield Scenario("Y1", truth, truth.endswith("-0.5"), partial(_return, fid, crossing))
    for before, after in ((0, 0), (5, 5), (0, -10), (10, 0)):
        truth = f"gain from {before} to {after} %"
        yield Scenario("Y2, Y5", truth, before > 5, partial(_shrinks, before, after))
    for gain in (0, 5):
        yield Scenario("Y3", f"gain {gain} %", gain > 0, partial(_gain, gain, 0, np.inf))
    for gaps in ((0, 0, 0), (0, -3, -3), (4, 0, 0)):
        truth = f"samplers better by {', '.join(map(str, gaps))} FID"
        yield Scenario("Y4", truth, gaps[0] > 0, partial(_best_of_three, gaps))
    for right in (0, 2, 3):
        yield Scenario("Y7", f"distances that rank: {right} of 3", right == 3, partial(_three_ranks, right))
    for losses in ((LEAST_GAIN, 0, 0), (LEAST_GAIN,) * 3, (0, 0, 0)):
        truth = f"worse by {', '.join(f'{loss:g}' for loss in losses)} %"
        yield Scenario("Y8", truth, not any(losses), partial(_as_good, losses))


def scenarios() -> list[Scenario]:
    return [*scenarios_of_papers(), *scenarios_of_theory(), *scenarios_of_study()]


def shares(scenario: Scenario, repeats: int, seeds: int, spread: float, seed: int = 0) -> tuple[float, float]:
    """Of the verdicts, the shares of `reproduced` and `not reproduced`: the worst of the kinds of deviations.

    Worst: the largest share that is wrong, and the smallest that is right.
    """
    found = []
    for kind in KINDS:
        draw = Seeds(np.random.default_rng(seed), repeats, seeds, spread, kind)
        decision = scenario.decide(draw)
        holds = decision.p_for <= SIDE
        found.append((holds.mean(), (~holds & (decision.p_against <= SIDE)).mean()))
    for_, against = np.transpose(found)
    return (for_.min(), against.max()) if scenario.true else (for_.max(), against.min())


def coverage(
    shape: str, repeats: int, seeds: int, spread: float, seed: int = 0
) -> tuple[float, float, float]:
    """How often the interval of an optimum holds it, least and most of the kinds; its largest width."""
    held, widths = [], []
    for kind in KINDS:
        for tip in TIPS:
            draw = Seeds(np.random.default_rng(seed), repeats, seeds, spread, kind)
            found = optimum(GRID, draw.curves(SHAPES[shape](tip)))
            held.append(np.mean((found.low <= tip) & (tip <= found.high)))
            widths.append(np.median(found.high - found.low))
    return min(held), max(held), max(widths)


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--repeats", type=int, default=4000, help="simulated runs a cell")
    repeats = parser.parse_args().repeats
    cells = [(seeds, spread) for seeds in (3, 5) for spread in SPREADS]
    header = [f"{seeds} seeds, {spread:g} FID" for seeds, spread in cells]
    every = [(each, [shares(each, repeats, *cell) for cell in cells]) for each in scenarios()]

    print("Reproduced / not reproduced, per cent:\n")
    rows = []
    for each, found in every:
        texts = [f"{100 * for_:.1f} / {100 * against:.1f}" for for_, against in found]
        rows.append([each.claims, each.truth, "yes" if each.true else "no", *texts])
    print(markdown(["claims", "truth", "holds", *header], rows, text_columns=3))

    print("\nReproduced falsely, at most, and where the claim holds as said, per cent:\n")
    rows = []
    for claims in dict.fromkeys(each.claims for each, _ in every):
        own = [(each, [for_ for for_, _ in found]) for each, found in every if each.claims == claims]
        wrong = max(max(found) for each, found in own if not each.true)
        truth, power = next((each.truth, found) for each, found in own if each.true)
        rows.append([claims, truth, f"{100 * wrong:.1f}", *(f"{100 * share:.0f}" for share in power)])
    print(markdown(["claims", "truth", "falsely", *header], rows, text_columns=2))

    print("\nIntervals of an optimum that hold it, per cent, least to most, and median width:\n")
    rows = []
    for shape in SHAPES:
        found = [coverage(shape, repeats, *cell) for cell in cells]
        texts = [f"{100 * least:.0f} to {100 * most:.0f}; {width:.2f}" for least, most, width in found]
        rows.append([shape, *texts])
    print(markdown(["shape", *header], rows))


if __name__ == "__main__":
    main()
