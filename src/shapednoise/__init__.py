"""Shaped-noise diffusion for diffusers: squeezed (SDM), Heisenberg (HDM) and spectral (SAGD) noise.

The names below are loaded when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module

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
