"""What a UNet2DModel costs: operations, parameters and activations of one image, without building it.

The walk follows diffusers' UNet2DModel as model.py asks for it. Nothing here imports torch: the
workflow asks at every start.
"""

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from functools import lru_cache

from shapednoise.config.training import UNetSettings


@dataclass(frozen=True)
class NetworkCost:
    """Per-image cost; instances add up over layers."""

    flops: int = 0  # of a forward pass: multiplications and additions of convolutions and matrix products
    parameters: int = 0
    activations: int = 0  # numbers that the layers put out

    def __add__(self, other: "NetworkCost") -> "NetworkCost":
        return NetworkCost(*(one + two for one, two in zip(astuple(self), astuple(other), strict=True)))


@lru_cache
def network_cost(unet: UNetSettings, size: int, channels: int = 3) -> NetworkCost:
    """The cost of the network of these settings for one image of channels x size x size."""
    return sum(_layers(unet, size, channels), NetworkCost())


def _layers(unet: UNetSettings, size: int, channels: int) -> Iterator[NetworkCost]:
    """The layers, from the image to the noise that is predicted."""
    first, last = unet.channels[0], unet.channels[-1]
    time = 4 * first
    sizes = [-(-size // 2**level) for level in range(len(unet.channels))]
    yield _convolution(channels, first, size)
    yield _linear(first, time) + _linear(time, time)
    yield from _down(unet, time, sizes)
    yield _residual(last, last, time, sizes[-1])
    yield _attention(last, sizes[-1])
    yield _residual(last, last, time, sizes[-1])
    yield from _up(unet, time, sizes)
    yield _norm(first, size) + _convolution(first, channels, size)


def _down(unet: UNetSettings, time: int, sizes: list[int]) -> Iterator[NetworkCost]:
    before = unet.channels[0]
    for level, width in enumerate(unet.channels):
        for _ in range(unet.layers_per_block):
            yield _block(unet, level, before, time, sizes)
            before = width
        if level + 1 < len(sizes):
            yield _convolution(width, width, sizes[level + 1])


def _up(unet: UNetSettings, time: int, sizes: list[int]) -> Iterator[NetworkCost]:
    before = unet.channels[-1]
    for level in reversed(range(len(sizes))):
        width, finer = unet.channels[level], unet.channels[max(level - 1, 0)]
        for index in range(unet.layers_per_block + 1):
            skip = finer if index == unet.layers_per_block else width
            yield _block(unet, level, before + skip, time, sizes)
            before = width
        if level:
            yield _convolution(width, width, sizes[level - 1])


def _block(unet: UNetSettings, level: int, before: int, time: int, sizes: list[int]) -> NetworkCost:
    """A residual block, with attention where the level has it."""
    width, size = unet.channels[level], sizes[level]
    attends = level + 1 in unet.attention_levels
    return _residual(before, width, time, size) + (_attention(width, size) if attends else NetworkCost())


def _residual(before: int, width: int, time: int, size: int) -> NetworkCost:
    cost = _norm(before, size) + _convolution(before, width, size) + _linear(time, width)
    cost += _norm(width, size) + _convolution(width, width, size)
    return cost + (_convolution(before, width, size, kernel=1) if before != width else NetworkCost())


def _attention(width: int, size: int) -> NetworkCost:
    """Self-attention over all pixels: four projections, and the products QK' and PV."""
    tokens = size * size
    products = NetworkCost(flops=2 * 2 * tokens * tokens * width)
    return sum(4 * [_linear(width, width, tokens)], _norm(width, size) + products)


def _convolution(before: int, width: int, size: int, kernel: int = 3) -> NetworkCost:
    weights, pixels = before * width * kernel**2, size * size
    return NetworkCost(2 * weights * pixels, weights + width, width * pixels)


def _linear(before: int, width: int, tokens: int = 1) -> NetworkCost:
    return NetworkCost(2 * before * width * tokens, before * width + width, width * tokens)


def _norm(width: int, size: int) -> NetworkCost:
    return NetworkCost(0, 2 * width, width * size * size)
