"""How the number of images biases FID, KID and MIND, and what they still tell apart.

    python benchmarks/bias.py results/demo/features/data/cifar10/inception-ref1024.npz [--other FEATURES]

Half of the real images of a file of features are the reference; random subsets of the other half are
scored against it, as are subsets of another set of images. Real images are at no distance from real ones: the
mean of their scores is bias. Printed as a table for docs/scores.md.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from shapednoise.config.scoring import ScoringSettings
from shapednoise.metrics.context import Context, statistics
from shapednoise.metrics.features import read_features
from shapednoise.metrics.measures.fid import Frechet
from shapednoise.metrics.measures.kid import kid
from shapednoise.metrics.measures.mind import monge_distances

DRAWS, SIZES = 8, (64, 128, 256, 512)


def scores(images: np.ndarray, reference: np.ndarray, size: int, seed: int) -> dict[str, np.ndarray]:
    """FID, KID and MIND of DRAWS random subsets of images."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((DRAWS, len(images)), bool)
    for mask in masks:
        mask[rng.permutation(len(images))[:size]] = True
    frechet = Frechet(statistics(reference), images)
    settings = ScoringSettings(bootstrap=0, kid_subsets=10, kid_subset_size=size)
    contexts = [Context(images[mask], reference, settings, None, "") for mask in masks]
    return {
        "FID": np.array([frechet.distance(mask) for mask in masks]),
        "KID x 1000": np.array([1000 * kid(context).value for context in contexts]),
        "MIND": monge_distances(images, reference, masks, seed=0),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("features", type=Path, help="features of real images (.npz)")
    parser.add_argument("--other", type=Path, help="features of images that are to be told apart from them")
    arguments = parser.parse_args()

    real = read_features(arguments.features, "features")[0]["features"]
    order = np.random.default_rng(0).permutation(len(real))
    reference, rest = np.array_split(real[order], 2)
    other = read_features(arguments.other, "features")[0]["features"] if arguments.other else None
    rows = []
    for size in (size for size in SIZES if 2 * size <= len(rest)):
        row = {"images": size}
        known = scores(rest, reference, size, seed=size)
        found = scores(other, reference, size, seed=size) if other is not None and size <= len(other) else {}
        for name, values in known.items():
            row[name] = f"{values.mean():.2f} ± {values.std(ddof=1):.2f}"
            if name in found:
                spread = np.hypot(values.std(ddof=1), found[name].std(ddof=1))
                row[f"{name}, apart"] = f"{(found[name].mean() - values.mean()) / spread:.1f}"
        rows.append(row)
    print(f"{len(reference)} real images of reference, {DRAWS} draws")
    print(pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True))


if __name__ == "__main__":
    main()
