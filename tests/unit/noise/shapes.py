"""Noise shapes that several test files use, and hypothesis strategies for them."""

import numpy as np
import torch
from hypothesis import strategies as st

from shapednoise.noise.shape import NoiseShape, make_shape, radii

BETAS = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
AXIS = [2 / 7, 3 / 7, 6 / 7]
LOW, HIGH = [0.0, 0.2], [0.45, 0.75]

SHAPES = {
    "sdm": {"operator": "sdm", "strength": -0.4, "axis": AXIS},
    "hdm": {"operator": "hdm", "strength": 0.3, "axis": AXIS},
    "powerlaw": {"operator": "sagd_powerlaw", "strength": -0.3},
    "bandpass": {"operator": "sagd_bandpass", "strength": 0.8, "low_band": LOW, "high_band": HIGH},
    "product": {
        "operator": "sdm",
        "strength": -0.4,
        "axis": AXIS,
        "times": {"operator": "sagd_powerlaw", "strength": 0.2},
    },
    "white_to_blue": {"operator": "white_to_blue", "strength": 0.6},
}
SINGULAR = {"operator": "sagd_bandpass", "strength": 1.0, "low_band": LOW, "high_band": HIGH}
ZERO = {
    "ddpm": {"operator": "ddpm"},
    "sdm": {"operator": "sdm", "axis": AXIS},
    "hdm": {"operator": "hdm", "axis": AXIS, "normalize": "energy"},
    "powerlaw": {"operator": "sagd_powerlaw"},
    "bandpass": {"operator": "sagd_bandpass", "strength": 0.0, "low_band": LOW},
    "product": {"operator": "hdm", "axis": AXIS, "times": {"operator": "sagd_powerlaw"}},
}


def constant(shape: dict) -> dict:
    """The same shape with strengths that do not change with time."""
    changed = shape | ({} if shape["operator"] == "ddpm" else {"schedule": "constant"})
    return changed | ({"times": constant(shape["times"])} if "times" in shape else {})


def unit(vector) -> list[float]:
    return (np.array(vector) / np.linalg.norm(vector)).tolist()


AXES = st.lists(st.floats(-1, 1), min_size=3, max_size=3).filter(lambda v: np.linalg.norm(v) > 0.1).map(unit)
SCHEDULES = st.sampled_from(["beta", "constant"])
NORMALIZE = st.sampled_from(["off", "energy"])


@st.composite
def bands(draw):
    """Two bands in order, at least one of them not empty."""
    a, b, c, d = sorted(draw(st.lists(st.floats(0, 0.75), min_size=4, max_size=4, unique=True)))
    return {"low_band": draw(st.sampled_from([[a, b], [0.0, 0.0]])), "high_band": [c, d]}


@st.composite
def descriptions(draw, operators=("sdm", "hdm", "sagd_powerlaw", "sagd_bandpass"), largest_share=0.95):
    """A description of a shape with any parameters that are allowed; band mixtures up to a share."""
    operator = draw(st.sampled_from(operators))
    own = {"operator": operator, "schedule": draw(SCHEDULES), "normalize": draw(NORMALIZE)}
    if operator in ("sdm", "hdm"):
        own |= {"strength": draw(st.floats(-2, 2)), "axis": draw(AXES)}
    elif operator == "sagd_powerlaw":
        own |= {"strength": draw(st.floats(-1, 1)), "eps": draw(st.floats(1e-3, 0.1))}
    else:
        low = draw(st.floats(0, 1))
        share = draw(st.floats(0, largest_share))
        own |= {"strength": share, "low_gain": low, "high_gain": 1 - low, **draw(bands())}
    return own


@st.composite
def any_description(draw, largest_share=0.95):
    """One shape, or a colour shape times a frequency shape."""
    first = draw(descriptions(largest_share=largest_share))
    if first["operator"] in ("sdm", "hdm") and draw(st.booleans()):
        frequency = ("sagd_powerlaw", "sagd_bandpass")
        first["times"] = draw(descriptions(operators=frequency, largest_share=largest_share))
    return first


def has_noise(description: dict, size: tuple[int, int]) -> bool:
    """Whether images of this size have a mode with noise at every timestep."""
    try:
        make_shape(**description).gains(BETAS, size)
    except ValueError as error:
        assert "no mode with noise" in str(error)
        return False
    return True


def in_modes(shape: NoiseShape, x: torch.Tensor, axes: np.ndarray) -> torch.Tensor:
    """Power of images (B, C, H, W) on each (principal axis, frequency), by fft2: (B, C, H, W)."""
    rotated = torch.einsum("ac,bchw->bahw", torch.from_numpy(axes).to(x), x)
    return torch.fft.fft2(rotated, norm="ortho")


def principal_axes(axis=AXIS) -> np.ndarray:
    """An orthonormal basis whose first row is the axis."""
    full = np.linalg.qr(np.column_stack([axis, np.eye(3)[:, :2]]))[0].T
    return full * np.sign(full[0] @ axis)


def made(description: dict) -> NoiseShape:
    return make_shape(**description)


def largest_radius(size) -> float:
    return float(radii(size)[0].max())
