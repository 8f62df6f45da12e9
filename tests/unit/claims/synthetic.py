"""Tables as a run writes them, made to deserve a verdict."""

import numpy as np
import pandas as pd

from shapednoise.claims.evidence import PUBLISHED_SAMPLER, Evidence
from shapednoise.claims.published_hyperparameters import BANDS, FULL_DATASETS

STRENGTHS = np.array([-1.0, -0.8, *np.round(np.arange(-0.6, 0.5, 0.1), 1)])
GRID = [-0.4, 0.0, 0.4]
WIDE = np.round(np.arange(-1.2, 0.7, 0.1), 1)
SAMPLER = {f"sampler.{name}": value for name, value in PUBLISHED_SAMPLER.items()}
ALPHAS = [-0.12, -0.09, -0.06, -0.03, 0.0, 0.03, 0.06]
LUMINANCE = [0.558, 0.5775, 0.596]
PIXELS = {name: images * size**2 for name, (images, size) in FULL_DATASETS.items()}
PCA = {"cifar10": {"axes": [LUMINANCE, [0, 1, 0], [0, 0, 1]], "pixels": PIXELS["cifar10"]}}
OMISSIONS = [f"omission{band}" for band in BANDS]


def scores(
    score, metric="fid", strengths=STRENGTHS, seeds=(0, 1, 2), noise=0.05, error=0.02, shaped="sdm", **sampler
):
    """The tidy table of score(strength), a curve of one noise with its baseline at strength 0."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame([(float(s), k) for k in seeds for s in strengths], columns=["strength", "seed"])
    rows["noise"] = np.where(rows.strength == 0, "ddpm", shaped)
    rows[metric] = score(rows.strength) + noise * rng.standard_normal(len(rows))
    rows[f"{metric}_se"] = error
    columns = SAMPLER | {f"sampler.{name}": value for name, value in sampler.items()}
    return rows.assign(generated_images=10_000, real_images=50_000, **columns)


def as_published(name: str, **changes) -> pd.DataFrame:
    """The table of hyperparameters of an experiment of config.yaml, which is as published."""
    return pd.DataFrame(
        {
            "experiment": [name],
            "key": ["k"],
            "published": ["1"],
            "run": ["1"],
            "source": ["paper"],
            "differs": [False],
            "decides": [True],
        }
    ).assign(**changes)


def of(**tables) -> Evidence:
    """Evidence of experiments that ran as published."""
    return Evidence({"scores": tables, "hyperparameters": {name: as_published(name) for name in tables}})


def together(*evidence: Evidence) -> Evidence:
    """Evidence of different kinds as one."""
    return Evidence({kind: table for part in evidence for kind, table in part.tables.items()})


def on_cifar10(kind: str, table: pd.DataFrame) -> Evidence:
    """A table of the whole data set."""
    return Evidence({kind: {"cifar10": table}, "pca": PCA})


def u(centre, bend=50.0, level=34.0):
    return lambda s: level + bend * (s - centre) ** 2


def two_scores(recall, precision, noise=0.01):
    table = scores(lambda s: 0.4 + recall * s, "recall", noise=noise, error=0.001)
    other = scores(lambda s: 0.6 + precision * s, "precision", noise=noise, error=0.001)
    return of(cifar10_sdm=table.assign(precision=other.precision, precision_se=0.001))


def variants(gap, noise=0.05, seeds=(0, 1, 2)):
    """SDM, and HDM whose FID is higher by `gap`."""
    sdm = scores(u(-0.4), seeds=seeds, noise=noise, error=0.05)
    hdm = scores(lambda s: u(-0.4)(s) + gap, seeds=seeds, noise=0, error=0.05, shaped="hdm")
    return of(cifar10_variants=pd.concat([sdm, hdm[hdm.noise == "hdm"]]))


def power_laws(mnist, fashion, cifar, noise=0.001):
    def curve(best):
        return scores(
            u(best, 40, 0.3), strengths=ALPHAS, noise=noise, error=0, shaped="powerlaw", clamp="data"
        )

    return of(mnist_powerlaw=curve(mnist), fashion_powerlaw=curve(fashion), cifar10_powerlaw=curve(cifar))


def omissions(*gains, seeds=(0, 1, 2)):
    """Isotropic noise at FID 100, noise without the band better by these gains."""
    tables = {}
    for place, (name, gain) in enumerate(zip(OMISSIONS, gains, strict=True)):

        def fid(strength, gain=gain):
            return 100 - gain * (strength > 0)

        look = {"shaped": f"omit{place}", "clamp": "data"}
        tables[name] = scores(fid, strengths=[0.0, 1.0], seeds=seeds, noise=1.0, error=1.0, **look)
    return of(**tables)


def theory(*optima):
    """Closed-form distances with these optima for 50, 100, 250 and 1000 steps, all three the same."""
    parts = [
        pd.DataFrame({"strength": WIDE, "distance": 50 / steps * (0.5 + (WIDE - best) ** 2)}).assign(
            noise="sdm", method="ancestral", steps=steps, spacing="leading", variance="fixed_small", eta=0.0,
            reading="published")
        for steps, best in zip((50, 100, 250, 1000), optima, strict=True)
    ]  # fmt: skip
    table = pd.concat(parts)
    return on_cifar10(
        "theory", table.assign(kl=table.distance, standardised=table.distance, clipped_steps=None)
    )


def coarse(evidence):
    """Of three strengths alone."""
    table = evidence["theory"]["cifar10"]
    return on_cifar10("theory", table[table.strength.isin(GRID)])


def twice(evidence):
    """Of two figures that share strengths."""
    table = evidence["theory"]["cifar10"]
    return on_cifar10("theory", pd.concat([table, table[table.strength > -0.7]]))


def steps_measured(few, many, noise=0.05):
    return of(
        cifar10_steps=pd.concat(
            [scores(u(few), noise=noise, steps=50), scores(u(many), noise=noise, steps=1000)]
        )
    )


def exact(gain, seeds=(0, 1, 2), noise=0.3):
    """Under `exact`, FID 40 at s = 0 and `gain` per cent lower at -0.4."""
    table = scores(
        lambda s: 40 - 0.4 * gain * (s < 0), strengths=[-0.4, 0.0], seeds=seeds, noise=noise, reading="exact",
        clamp="off",
    )  # fmt: skip
    return of(cifar10_readings=table)


def samplers(other, noise=0.05):
    """FID 34 at s = -0.4 as published, `other` at s = 0 by DDIM, more by the rest."""
    parts = [scores(lambda s: 34 + 15 * (s == 0), strengths=[-0.4, 0.0], noise=noise)]
    for level, change in ((other, {"method": "ddim"}), (other + 1, {"method": "dpm_solver"})):
        parts.append(
            scores(lambda s, level=level: level + 9 * (s < 0), strengths=[-0.4, 0.0], noise=noise, **change)
        )
    return of(cifar10_samplers=pd.concat(parts))


def ranked(effect, noise=0.01, steps=(50, 100, 250, 1000), error=0):
    """FIDs of level 40, 30, 20 and 10 that have `effect` of the closed-form distance on top."""
    expected = theory(-0.7, -0.4, -0.2, 0.0)
    table = expected["theory"]["cifar10"]
    parts = []
    for count, rows in table[table.strength.isin(STRENGTHS) & table.steps.isin(steps)].groupby("steps"):
        distance = dict(zip(rows.strength, rows.distance, strict=True))
        level = {50: 40, 100: 30, 250: 20, 1000: 10}[count]
        curve = scores(
            lambda s, d=distance, n=level: n + effect * s.map(d), noise=noise, error=error, steps=count
        )
        parts.append(curve)
    return together(of(cifar10_steps=pd.concat(parts)), expected)


def drift(deviation, strengths=(-0.4, 0.4, -0.6), steps=(50, 1000), noise="sdm", defaults=None):
    """Drift of two figures, one a number of steps."""
    rows = [(noise, s, n, deviation * abs(s) / 0.4 * 50 / n, 0.3) for s in strengths for n in steps]
    columns = ["noise", "strength", "steps", "deviation", "accumulated"]
    table = pd.DataFrame(rows, columns=columns)
    return Evidence({"drift": {f"fig{n}": table[table.steps == n] for n in steps}}, defaults)


def pca(**axes):
    """The principal axes of data sets, every pixel counted."""
    others = [[0, 1, 0], [0, 0, 1]]
    found = {name: {"axes": [axis, *others], "pixels": PIXELS.get(name, 7)} for name, axis in axes.items()}
    return Evidence({"pca": found})


def score_limit(smallest, support=1.0, rising=True, copies=1):
    levels = np.array([1e-6, 1e-5, 1e-4])
    errors = np.array([smallest, 0.2, 0.7 if rising else 0.1])
    table = pd.DataFrame(
        {"noise": "sdm", "strength": -0.4, "level": levels, "error": errors, "support": support}
    )
    return on_cifar10("score_limit", pd.concat([table] * copies))


def sharp(change, spread=0.1, seeds=(0, 1, 2), **sampler):
    """Images of spread 0.1, whose mean changes by `change` and by a hundredth more with each seed."""
    rng = np.random.default_rng(0)
    parts = []
    for seed in seeds:
        for strength, extra in ((0.0, 0.0), (-0.4, change + 0.01 * seed)):
            energy = 1 + extra + spread * rng.standard_normal(400)
            columns = {"strength": strength, "seed": seed, "image": np.arange(400), "energy": energy}
            parts.append(pd.DataFrame(columns))
    columns = SAMPLER | {f"sampler.{name}": value for name, value in sampler.items()}
    table = pd.concat(parts).assign(**columns)
    return together(of(cifar10_sdm=scores(u(-0.4))), Evidence({"sharpness": {"cifar10_sdm": table}}))
