"""How well standard errors and intervals of scores hold: sets of features drawn again from one distribution.

    python -m benchmarks.intervals --images 256 --dimensions 64 --tails 5
    python -m benchmarks.intervals --images 1000 --repeats 24 --features REAL.npz GENERATED.npz

A real set is drawn once, generated sets `--repeats` times, and all are scored as in a run. Printed for each
score: its deviation over sets, the standard error that was said over it, how often the interval holds their
mean and on which side it misses; beside `fid_infinity`, FID of a hundred times as many images.
With `--features`, sets are subsets of GENERATED's images, FID is printed of all of these, and deviations are
corrected for what subsets share.
"""

from pathlib import Path

import numpy as np

from benchmarks.common import markdown, new_parser
from shapednoise.config.scoring import ScoringSettings
from shapednoise.metrics.context import statistics
from shapednoise.metrics.features import read_features
from shapednoise.metrics.manifold import neighbor_distances
from shapednoise.metrics.measures.fid import Frechet
from shapednoise.metrics.scores import score

SCORES = ("fid", "fid_infinity", "kid", "precision", "recall", "f_score", "density", "coverage")


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--images", type=int, default=256, help="generated images")
    parser.add_argument("--real", type=int, default=2000, help="real images")
    parser.add_argument("--dimensions", type=int, default=64)
    parser.add_argument("--decay", type=float, default=0.0, help="variance of dimension k is k^-DECAY")
    parser.add_argument("--tails", type=float, default=0.0, help="Student's t of so many degrees; 0: normal")
    parser.add_argument(
        "--spread", type=float, default=1.1, help="of generated features, over that of real ones"
    )
    parser.add_argument("--shift", type=float, default=0.1, help="of generated features, in deviations")
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--features", type=Path, nargs=2, help="of real and of generated images (.npz)")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    scale = np.arange(1, options.dimensions + 1) ** (-options.decay / 2)

    def draw(count: int, spread: float, shift: float) -> dict[str, np.ndarray]:
        normal = rng.standard_normal((count, options.dimensions), dtype=np.float32)
        if options.tails:
            normal *= np.sqrt((options.tails - 2) / rng.chisquare(options.tails, (count, 1)))
        return {"features": (scale * (shift + spread * normal)).astype(np.float32)}

    if options.features:
        real, pool = (read_features(path)[0]["features"] for path in options.features)
        real = {"features": rng.permutation(real)[: options.real]}
        kept = 1 - options.images / len(pool)  # of the variance, in subsets of a finite set

        def generated() -> dict[str, np.ndarray]:
            return {"features": rng.permutation(pool)[: options.images]}
    else:
        real, kept = draw(options.real, 1, 0), 1.0

        def generated() -> dict[str, np.ndarray]:
            return draw(options.images, options.spread, options.shift)

    real["neighbors"] = neighbor_distances(real["features"])
    settings = ScoringSettings(kid_subsets=1, kid_subset_size=min(options.images, options.real))
    found = [score(generated(), real, settings) for _ in range(options.repeats)]
    rows = []
    for name in SCORES:
        if found[0][name] is None:
            continue
        columns = (name, *(f"{name}_{end}" for end in ("se", "low", "high")))
        value, error, low, high = (np.array([each[column] for each in found]) for column in columns)
        mean, deviation = value.mean(), value.std(ddof=1) / np.sqrt(kept)
        shares = ((low <= mean) & (mean <= high)).mean(), (mean > high).mean(), (mean < low).mean()
        ratio = f"{error.mean() / deviation:.2f}" if deviation else ""
        rows.append([name, f"{mean:.4g}", f"{deviation:.2g}", ratio, *(f"{share:.2f}" for share in shares)])
    print(markdown(["score", "mean", "deviation", "said / true", "held", "mean above", "mean below"], rows))
    many = pool if options.features else draw(100 * options.images, options.spread, options.shift)["features"]
    whole = Frechet(statistics(real["features"]), many).distance(np.ones(len(many), dtype=bool))
    print(f"FID of {len(many):,} images: {whole:.4g}")


if __name__ == "__main__":
    main()
