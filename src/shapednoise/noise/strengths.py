"""One denoiser for many strengths of a noise: each image of a training step has a strength of its own.

The network is told the strength as diffusers' UNet2DModel is told a class, `class_embed_type: timestep`: by
the label 1000 (s - s_min), embedded like a timestep. A description of a noise shape with the key
`trained_strengths` says that it belongs to such a network, and the strengths that it has seen.
"""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from shapednoise.noise import Prediction
from shapednoise.noise.bases import NoiseShape, Size
from shapednoise.noise.process import ShapedProcess
from shapednoise.noise.shape import TRAINED, ShapeError, make_shape

LABELS_PER_STRENGTH = 1000.0


def at_strength(shape: Mapping[str, Any], strength: float) -> dict[str, Any]:
    """Change the strength in the description of a shape whose network knows many.

    Args:
        shape: The description, as a scheduler's config has it.
        strength: s, from the least to the largest trained strength; make_shape refuses others.

    Raises:
        ShapeError: The network was trained at one strength alone, or this is no number.
    """
    if not isinstance(strength, Real):
        raise ShapeError(f"strength {strength!r} is no number")
    if not shape.get(TRAINED):
        raise ShapeError(
            f"the model was trained at strength {shape.get('strength', 0.0):g} alone; leave strength out"
        )
    return {**shape, "strength": strength}


def labels_of(shape: Mapping[str, Any], count: int, device: torch.device) -> tuple[Tensor, ...]:
    """Make what a network is told besides the timestep.

    Args:
        shape: The description of the noise shape.
        count: The number of images, B.
        device: That of the network.

    Returns:
        The labels of the strength, float32 (B,); nothing for a network that was trained at one strength.
    """
    if not shape.get(TRAINED):
        return ()
    return (_labels([shape["strength"]], shape[TRAINED]).expand(count).to(device),)


class ProcessOfStrengths(ShapedProcess):
    """The noise process of several strengths in one: a `timestep` t + kT is timestep t at strength k.

    It adds, shapes and whitens noise, and gives target and loss, as ShapedProcess does.

    Args:
        shapes: The shape at each strength; white noise may be among them, or a factor of a product alone.
        labels: What the network is told of each, (K,).
        betas, exact, prediction_type: As in ShapedProcess.
    """

    def __init__(
        self,
        shapes: Sequence[NoiseShape],
        labels: Tensor,
        betas: Tensor,
        exact: bool,
        prediction_type: Prediction = "epsilon",
    ) -> None:
        finest = max(shapes, key=lambda each: each.modes(each.channels, (4, 4)).max())
        super().__init__(finest, betas, exact, prediction_type)
        self.labels = labels
        self._single = [ShapedProcess(each, betas, exact, prediction_type) for each in shapes]
        self._signal = self._signal.repeat(len(shapes))

    def _mode_gains(self, size: Size) -> tuple[Tensor, Tensor | None]:
        """Those of all strengths in a row, (KT, modes); a mode of the finest is part of one of each."""
        channels = self.shape.channels
        modes = self.shape.modes(channels, size).flatten()
        values, signals = [], []
        for each in self._single:
            coarser = torch.empty(int(modes.max()) + 1, dtype=torch.long)
            coarser[modes] = each.shape.modes(channels, size).flatten()
            gains = each.noise_gains(size)
            values.append(gains.values[:, coarser])
            signals.append(torch.ones_like(values[-1]) if gains.signal is None else gains.signal[:, coarser])
        return torch.cat(values), torch.cat(signals) if self.shape.blurs else None


def training_process(
    shape: Mapping[str, Any], betas: Tensor, exact: bool, prediction_type: Prediction = "epsilon"
) -> ShapedProcess:
    """Make the process that a network is trained on: of one strength, or of all of `trained_strengths`.

    Args:
        shape: The description of the noise shape, with its axis.
        betas, exact, prediction_type: As in ShapedProcess.
    """
    if not shape.get(TRAINED):
        return ShapedProcess(make_shape(**shape), betas, exact, prediction_type)
    strengths = shape[TRAINED]
    shapes = [make_shape(**{**shape, "strength": strength}) for strength in strengths]
    return ProcessOfStrengths(shapes, _labels(strengths, strengths), betas, exact, prediction_type)


def _labels(strengths: Sequence[float], trained: Sequence[float]) -> Tensor:
    return torch.tensor([LABELS_PER_STRENGTH * (strength - min(trained)) for strength in strengths])
