"""The claims of the SAGD paper, S1 to S3, and how each is decided."""

import numpy as np

from shapednoise.analysis.curve import BASELINE, Interval
from shapednoise.claims.evidence import Evidence, NotRun, by_seed, students
from shapednoise.claims.squeezed import fit_of, numbers, optimum_of
from shapednoise.claims.verdicts import INCONCLUSIVE, NOT_REPRODUCED, REPRODUCED, Finding, all_of, within

POWER_LAWS = {
    "mnist": "mnist_powerlaw",
    "fashion_mnist": "fashion_powerlaw",
    "cifar10": "cifar10_powerlaw",
}
OMISSIONS = tuple(f"omission{band}" for band in range(1, 9))
SMALL_ERROR = 0.01
SMALL_EXPONENT = 0.03  # half of what the paper found on MNIST


def power_law(evidence: Evidence) -> Finding:
    """S1: on two data sets or more the optimum's interval leaves 0 out, and two of them lie apart."""
    curves = {name: evidence.curve(experiment, noise=None) for name, experiment in POWER_LAWS.items()}
    optima = {name: optimum_of(fit_of(rows)) for name, rows in curves.items()}
    text = ", ".join(f"{name} {o.value:.3f} {o.ends}" for name, o in optima.items())
    first = optima["mnist"]
    return Finding(_depends(list(optima.values())), f"best alpha: {text}", first, **numbers(curves["mnist"]))


def _depends(optima: list[Interval]) -> str:
    helped = sum(optimum.low > 0 or optimum.high < 0 for optimum in optima)
    apart = max(optimum.low for optimum in optima) > min(optimum.high for optimum in optima)
    if helped >= 2 and apart:
        return REPRODUCED
    tight = all(optimum.low >= -SMALL_EXPONENT and optimum.high <= SMALL_EXPONENT for optimum in optima)
    return NOT_REPRODUCED if not helped and tight else INCONCLUSIVE


def selective_omission(evidence: Evidence) -> Finding:
    """S2: for each of eight bands, FID to the clean data is lower without noise in the band."""
    verdicts, texts = [], []
    for experiment in OMISSIONS:
        rows = evidence.curve(experiment, noise=None)
        isotropic, omitting = (rows[rows.noise == BASELINE], rows[rows.noise != BASELINE])
        if isotropic.empty:
            raise NotRun(f"experiment {experiment} with strength 0")
        (base, base_errors), (other, other_errors) = (
            by_seed(part, part.strength.iloc[0]) for part in (isotropic, omitting)
        )
        interval = students(base - other, np.hypot(base_errors, other_errors))
        verdicts.append(within(interval, 0, np.inf))
        texts.append(f"{(base - other).mean():.3g}")
    measured = f"FID with isotropic noise minus without noise in the band, bands 1 to 8: {', '.join(texts)}"
    return Finding(all_of(*verdicts), measured, **numbers(rows))


def score_limit(evidence: Evidence) -> Finding:
    """S3: with noise on every mode the error of the score falls with the noise, below one per cent."""
    texts, worst, falls = [], 0.0, True
    for name, table in evidence.whole("score_limit").items():
        full = table[table.support == 1].drop_duplicates(["noise", "strength", "level"])
        if full.empty:
            raise NotRun("a figure of the kind score_limit with noise on every mode")
        for _, rows in full.groupby(["noise", "strength"]):
            errors = rows.sort_values("level").error.to_numpy()
            falls &= bool((np.diff(errors) > 0).all())
            worst = max(worst, float(errors[0]))
        level = full.level.min()
        usual = full[np.isclose(full.level, 1e-4)].error.max()
        texts.append(f"{name}: at most {worst:.1g} at 1 - A = {level:g} ({usual:.2f} at 1e-4)")
    verdict = REPRODUCED if falls and worst < SMALL_ERROR else NOT_REPRODUCED
    note = "closed form on Gaussian data with the data set's spectrum; 1e-4 is the papers' first timestep"
    return Finding(verdict, f"relative error: {', '.join(texts)}", Interval(worst, worst, worst), note=note)
