"""Shaped-noise diffusion for diffusers: squeezed (SDM), Heisenberg (HDM) and spectral (SAGD) noise.

The names below are loaded when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what a type checker sees of them
    from shapednoise.noise.pipeline import ShapedDDPMPipeline as ShapedDDPMPipeline
    from shapednoise.noise.process import ShapedProcess as ShapedProcess
    from shapednoise.noise.schedulers import ShapedDDIMScheduler as ShapedDDIMScheduler
    from shapednoise.noise.schedulers import ShapedDDPMScheduler as ShapedDDPMScheduler
    from shapednoise.noise.schedulers import ShapedDPMSolverScheduler as ShapedDPMSolverScheduler
    from shapednoise.noise.schedulers import convert_scheduler as convert_scheduler
    from shapednoise.noise.shape import make_shape as make_shape

__version__ = "0.1.0"

_PUBLIC = {
    "ShapedDDIMScheduler": "shapednoise.noise.schedulers",
    "ShapedDDPMPipeline": "shapednoise.noise.pipeline",
    "ShapedDDPMScheduler": "shapednoise.noise.schedulers",
    "ShapedDPMSolverScheduler": "shapednoise.noise.schedulers",
    "ShapedProcess": "shapednoise.noise.process",
    "convert_scheduler": "shapednoise.noise.schedulers",
    "make_shape": "shapednoise.noise.shape",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
