"""The metrics: every one that a module of metrics/measures declares."""

import importlib
import pkgutil

from shapednoise.metrics import measures
from shapednoise.metrics.measures import Metric


def discover() -> dict[str, Metric]:
    """Import every module of metrics/measures.

    Returns:
        Their metrics by name, in the order of columns and figures.

    Raises:
        ValueError: Two metrics have the same name.
    """
    modules = [
        importlib.import_module(f"{measures.__name__}.{module.name}")
        for module in pkgutil.iter_modules(measures.__path__)
    ]
    metrics = sorted(
        (metric for module in modules for metric in module.METRICS), key=lambda m: (m.order, m.name)
    )
    found = {metric.name: metric for metric in metrics}
    if len(found) < len(metrics):
        raise ValueError(f"two metrics have the same name: {', '.join(metric.name for metric in metrics)}")
    return found


METRICS = discover()
