"""The variance of the generated images along v, the first principal color axis, beside the data's."""

import numpy as np

from shapednoise.metrics.context import Context
from shapednoise.metrics.measures import Measurement, Metric

OF_DATA = "data_variance_along_v"


def variance_along_v(context: Context) -> Measurement:
    """Variance, over all pixels of all images on the [-1, 1] scale, of the projection on v (Eq. 9 of SDM).

    One mean is subtracted, that of all pixels, so it is v^T C v with C the covariance of the colors
    (analysis/pca.py). Of the data, whose axis v is, it is the first eigenvalue, over every image: 0.640 for
    CIFAR-10 averaged to 16 x 16 (a few thousand images give 0.63 to 0.65), 0.688 at 32 x 32. It is
    the variance along the color axis under noises of other bases, too. To first order it is a mean over
    images, which gives its interval.
    """
    images, pca, resampler = context.images, context.pca, context.resampler
    if images is None or pca is None:
        return Measurement(None, columns={OF_DATA: None})
    means, squares = moments_along(images, np.array(pca["axes"][0]))
    mean = means.mean()
    terms = squares - 2 * mean * means + mean**2
    value = float(terms.mean())
    interval = resampler and resampler.interval_of_mean(value, terms)
    return Measurement(value, interval, {OF_DATA: pca["eigenvalues"][0]})


def moments_along(images: np.ndarray, axis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means over the pixels of each image of its projection on a color, and of the projection's square.

    Args:
        images: (n, C, H, W), uint8, or float16 on the [-1, 1] scale.
        axis: The color, (C,).

    Returns:
        Both float64 (n,), on the [-1, 1] scale.
    """
    from shapednoise.data.images import block_size

    scale, offset = (2 / 255, -1) if images.dtype == np.uint8 else (1, 0)
    means, squares, block = np.empty(len(images)), np.empty(len(images)), block_size(images.shape[1:], 5000)
    for start in range(0, len(images), block):
        chosen = slice(start, start + block)
        projected = np.einsum("c,nchw->nhw", axis, images[chosen] * scale + offset)
        means[chosen], squares[chosen] = projected.mean((1, 2)), (projected**2).mean((1, 2))
    return means, squares


METRICS = [
    Metric(
        "variance_along_v",
        "Variance along v",
        variance_along_v,
        target=OF_DATA,
        order=10,
        published=(OF_DATA,),
        bounds=(0.0, np.inf),
    )
]
