"""All scores of a sample set from features, with their uncertainties (docs/scores.md).

The generated set always comes first (torch-fidelity 0.4.0 and later: `input1` is the generated set,
so precision asks how much of it looks real, recall how much of the real data it covers).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from shapednoise.config.scoring import ScoringSettings
from shapednoise.errors import UserError
from shapednoise.metrics.context import Context
from shapednoise.metrics.measures.fid import FEWEST_FOR_INFINITY, IMAGES_A_DIMENSION
from shapednoise.metrics.registry import METRICS
from shapednoise.metrics.resampling import NO_INTERVALS
from shapednoise.metrics.weights import NO_CLASSIFIER

Features = dict[str, np.ndarray]
COMPARABLE = 2048  # images, from which on scores are usually published


def score(
    generated: Features,
    real: Features,
    settings: ScoringSettings,
    no_logits: str = NO_CLASSIFIER,
    pca: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """All scores of a generated set against a real one, with standard errors and intervals.

    Args:
        generated: `features` (n, d) float32; may have `logits` (n, classes), and the `images` (n, C, H, W).
        real: `features` (m, d) float32; may have the `neighbors` (m, k) that manifold.neighbor_distances
            returns for them, which are computed where they are left out.
        settings: How to score.
        no_logits: Why there may be no logits.
        pca: The color axes of the real images' data set, as color_pca returns them.

    Returns:
        The columns of every metric, then facts about the sets. What cannot be computed is None, and
        `is_missing`, `fid_infinity_missing` and `intervals_missing` say why.

    Raises:
        UserError: There are too few images, or features that are not finite or of two extractors.
    """
    dimensions = [features["features"].shape[1] for features in (generated, real)]
    if dimensions[0] != dimensions[1]:
        raise UserError(
            f"the generated images have {dimensions[0]} features, the real ones {dimensions[1]}; "
            "extract both with one extractor"
        )
    context = Context(
        _checked(generated, "generated", settings),
        _checked(real, "real", settings),
        settings,
        generated.get("logits"),
        no_logits,
        real.get("neighbors"),
        generated.get("images"),
        pca,
    )
    return {
        **_columns(context),
        "intervals_missing": None if context.resampler else NO_INTERVALS,
        "generated_images": len(context.generated),
        "real_images": len(context.real),
        "warnings": list(_warnings(context)),
    }


def _columns(context: Context) -> dict[str, Any]:
    """The columns of every metric: values and what is published beside them, then the other intervals.

    Those of bounded metrics come first, where there are any: the order that tables have always had.
    """
    measured = [(metric, metric.measure(context)) for metric in METRICS.values()]
    images = min(len(context.generated), len(context.real))
    columns: dict[str, Any] = {}
    for metric, found in measured:
        own = found.columns | metric.interval_columns(found, images)
        columns |= {metric.name: found.value, **{name: own[name] for name in metric.published}}
    for metric, found in sorted(
        measured, key=lambda pair: pair[1].interval is None or not pair[0].is_bounded
    ):
        columns |= found.columns | metric.interval_columns(found, images)
    return columns


def _checked(features: Features, name: str, settings: ScoringSettings) -> np.ndarray:
    found, needed = features["features"], settings.images_needed()
    if len(found) < needed:
        raise UserError(
            f"there are {len(found)} {name} images, the scores need {needed}; "
            "raise the number of images or lower kid_subset_size"
        )
    if not np.isfinite(found.sum()):
        raise UserError(f"features of the {name} images are not finite; mend the extractor and run again")
    return found


def _warnings(context: Context) -> Iterator[str]:
    """What makes scores hard to compare with others, one sentence each."""
    for name, features in (("generated", context.generated), ("real", context.real)):
        count, dimensions = features.shape
        if count < COMPARABLE:
            yield (
                f"There are only {count} {name} images (fewer than {COMPARABLE}): FID is biased upward; "
                "compare it only with FIDs of equally many images."
            )
        if name == "generated" and FEWEST_FOR_INFINITY <= count < IMAGES_A_DIMENSION * dimensions:
            yield (
                f"The {count} generated images are fewer than {IMAGES_A_DIMENSION} for each of the "
                f"{dimensions} dimensions of the features: fid_infinity overshoots FID's bias."
            )
        if count <= dimensions:
            yield (
                f"The {count} {name} images are not more than the {dimensions} dimensions of the features: "
                "their covariance is singular."
            )
