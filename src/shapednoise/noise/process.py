"""The forward process of a noise shape, in the two marginals that docs/noise.md derives.

With A_t the product of 1 - beta up to t and g_m(t) the gains of a noise shape,

    x_t = sqrt(A_t) x_0 + sqrt(1 - A_t) n_t,    n_t = noise with gain h_m(t) on mode m.

- `published`: h = g, as in the code and in Eq. 5-7 of the SDM paper.
- `exact`: the marginal of Eq. 2-3. Its variance follows V_t = a_t V_{t-1} + (1 - a_t) g(t)^2 with
  V before the first timestep 0, and h = sqrt(V_t / (1 - A_t)).

The network predicts n_t (or v, or x_0). One object serves the loss and the sampler.

A shape with gains of 0 is singular: noise and whitening (by the pseudo-inverse) leave those modes
out, and so do x_t and the loss. The process is then that of the data projected on the support.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from shapednoise.noise.shape import NoiseShape, Size

Prediction = Literal["epsilon", "sample", "v_prediction"]
Marginal = Callable[[int], tuple[Tensor, Tensor]]
Tables = dict[tuple[str, torch.device, torch.dtype], Tensor]


@dataclass(frozen=True)
class NoiseGains:
    """h_m(t) for one image size, float64 (T, modes), and whether every mode has noise at every t."""

    values: Tensor
    full: bool
    share: Tensor  # of all modes, how many have noise: (T,)
    tables: Tables

    def table(self, kind: str, like: Tensor) -> Tensor:
        """`gain`, its pseudo-inverse `inverse`, the indicator `support`, or its `share`, as `like`; kept."""
        key = (kind, like.device, like.dtype)
        if key not in self.tables:
            support = self.values > 0
            inverse = torch.where(support, 1 / self.values, 0.0)
            values = {"gain": self.values, "inverse": inverse, "support": support, "share": self.share}
            self.tables[key] = values[kind].to(like)
        return self.tables[key]


class ShapedProcess:
    """Adds, shapes and whitens the noise of one noise shape under one marginal."""

    def __init__(
        self, shape: NoiseShape, betas: Tensor, exact: bool, prediction_type: Prediction = "epsilon"
    ) -> None:
        """betas: (T,), each in (0, 1); exact: the true marginal of Eq. 2-3, else the published one."""
        if not bool(((betas > 0) & (betas < 1)).all()):
            raise ValueError("every beta must lie strictly between 0 and 1")
        if prediction_type not in get_args(Prediction):
            raise ValueError(
                f"prediction_type {prediction_type!r}: use one of {', '.join(get_args(Prediction))}"
            )
        self.shape, self.betas, self.exact = shape, betas, exact
        self.prediction_type = prediction_type
        self.alphas = 1.0 - betas.double()
        self.alpha_products = torch.cumprod(self.alphas, 0)
        self._signal = torch.cumprod(1.0 - betas, 0)  # in the precision of betas, as diffusers has it
        self._gains: dict[Size, NoiseGains] = {}
        self._signals: dict[tuple[torch.device, torch.dtype], Tensor] = {}

    @property
    def last(self) -> int:
        """The last training timestep, T - 1."""
        return len(self.betas) - 1

    def noise_gains(self, size: Size) -> NoiseGains:
        """h_m(t) for images of `size` (H, W)."""
        if size not in self._gains:
            values = self.shape.gains(self.betas, size)
            if self.exact:
                values = exact_gains(values, self.alphas)
            counts = torch.bincount(self.shape.modes(self.shape.channels, size).flatten())
            share = ((values > 0) * counts).sum(1) / counts.sum()
            self._gains[size] = NoiseGains(values, bool((values > 0).all()), share, {})
        return self._gains[size]

    def shape_noise(self, white: Tensor, timesteps: Tensor | int) -> Tensor:
        """n_t from white noise (B, C, H, W); timesteps: one for all, or (B,)."""
        return self._apply("gain", white, timesteps)

    def whiten(self, x: Tensor, timesteps: Tensor | int) -> Tensor:
        """The inverse of `shape_noise`; where there is no noise, the pseudo-inverse: 0."""
        return self._apply("inverse", x, timesteps)

    def project(self, x: Tensor, timesteps: Tensor | int) -> Tensor:
        """x without the modes that have no noise; x itself where the shape is not singular."""
        return x if self.noise_gains(size_of(x)).full else self._apply("support", x, timesteps)

    def prior(self, white: Tensor) -> Tensor:
        """What sampling starts from: noise of the last training timestep, S_{T-1} e."""
        return self.shape_noise(white, self.last)

    def add_noise(self, x0: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """x_t of images x0 (B, C, H, W) with shaped noise n_t; to the last bit as diffusers adds it."""
        signal = self._signal_at(x0, timesteps)
        return signal**0.5 * self.project(x0, timesteps) + (1 - signal) ** 0.5 * noise

    def target(self, x0: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """What the network is trained to output for x_t; `noise` is the shaped noise (Eq. 4 of SDM)."""
        if self.prediction_type == "epsilon":
            return noise
        x0 = self.project(x0, timesteps)
        if self.prediction_type == "sample":
            return x0
        signal = self._signal_at(x0, timesteps)
        return signal**0.5 * noise - (1 - signal) ** 0.5 * x0

    def loss(self, prediction: Tensor, target: Tensor, timesteps: Tensor) -> Tensor:
        """Mean squared error over the modes that have noise."""
        gains = self.noise_gains(size_of(target))
        if gains.full:
            return torch.nn.functional.mse_loss(prediction, target)
        share = gains.table("share", target)[timesteps, None, None, None]
        return (self.project(prediction - target, timesteps) ** 2 / share).mean()

    def marginal(self, t: int, size: Size) -> tuple[Tensor, Tensor]:
        """sqrt(A_t) and V_t, the variance of each mode's noise in x_t, float64; 1 and 0 for t = -1."""
        signal, variance = self.white_marginal(t)
        return signal, variance * self.noise_gains(size).values[max(t, 0)] ** 2

    def white_marginal(self, t: int) -> tuple[Tensor, Tensor]:
        """sqrt(A_t) and 1 - A_t, float64; 1 and 0 for t = -1, the clean data."""
        signal = self.alpha_products[t] if t >= 0 else torch.ones_like(self.alpha_products[0])
        return signal.sqrt(), 1 - signal

    def _apply(self, kind: str, x: Tensor, timesteps: Tensor | int) -> Tensor:
        table = self.noise_gains(size_of(x)).table(kind, x)
        chosen = slice(timesteps, timesteps + 1) if isinstance(timesteps, int) else timesteps.reshape(-1)
        return self.shape.apply(x, table[chosen])

    def _signal_at(self, like: Tensor, timesteps: Tensor) -> Tensor:
        """A_t of each image, (B, 1, 1, 1), in the dtype and on the device of `like`."""
        key = (like.device, like.dtype)
        if key not in self._signals:
            self._signals[key] = self._signal.to(like)
        return self._signals[key][timesteps, None, None, None]


def linear_betas(beta_start: float, beta_end: float, num_train_timesteps: int) -> Tensor:
    """beta_t rising linearly, float32 (T,), to the last bit as diffusers has them."""
    return torch.linspace(beta_start, beta_end, num_train_timesteps, dtype=torch.float32)


def size_of(x: Tensor) -> Size:
    """(H, W) of images (B, C, H, W)."""
    return (x.shape[-2], x.shape[-1])


def exact_gains(gains: Tensor, alphas: Tensor) -> Tensor:
    """h_m(t) = sqrt(V_t / (1 - A_t)) of the exact marginal; gains (T, modes), alphas (T,), float64."""
    variance = torch.zeros_like(gains[0])
    variances = []
    for alpha, gain in zip(alphas, gains, strict=True):
        variance = alpha * variance + (1 - alpha) * gain**2
        variances.append(variance)
    return (torch.stack(variances) / (1 - torch.cumprod(alphas, 0))[:, None]).sqrt()
