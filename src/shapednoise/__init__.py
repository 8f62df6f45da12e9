"""Shaped-noise diffusion: squeezed (SDM), Heisenberg (HDM) and isotropic forward noise for diffusers.

The names below are loaded when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module

_PUBLIC = {
    "ShapedDDPMPipeline": "shapednoise.noise.pipeline",
    "ShapedDDPMScheduler": "shapednoise.noise.schedulers",
    "ShapedProcess": "shapednoise.noise.process",
    "make_shape": "shapednoise.noise.shape",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
