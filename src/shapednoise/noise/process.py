"""The forward process of a noise shape, in the two marginals that docs/noise.md derives.

With A_t the product of 1 - beta up to t and g_m(t) the gains of a noise shape,

    x_t = sqrt(A_t) x_0 + sqrt(1 - A_t) n_t,    n_t = noise with gain h_m(t) on mode m.

- `published`: h = g, as in the code and in Eq. 5-7 of the SDM paper.
- `exact`: the marginal of Eq. 2-3. Its variance follows V_t = a_t V_{t-1} + (1 - a_t) g(t)^2 with
  V before the first timestep 0, and h = sqrt(V_t / (1 - A_t)).

The network predicts n_t (or v, or x_0). One object serves the loss and the sampler.

Shapes that blur (noise/operators/blur.py) have gains a_m(t) of the signal as well: x_0 is a_m(t) x_0 in the
marginal and in v. Their noise is what the operator says at each t, so that the two marginals are one.

A shape with gains of 0 is singular: noise and whitening (by the pseudo-inverse) leave those modes
out, and so do x_t and the loss. The process is then that of the data projected on the support.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor

from shapednoise.noise import Prediction
from shapednoise.noise.bases import NoiseShape, Size, in_float32

SMALLEST_SIGNAL = 1e-6
Marginal = Callable[[int], tuple[Tensor, Tensor]]
Buffers = dict[tuple[str, torch.device, torch.dtype], Tensor]


@dataclass(frozen=True)
class NoiseGains:
    """The gains of a process for images of one size.

    Attributes:
        values: h_m(t), float64 (T, modes).
        full: Whether every mode has noise at every timestep.
        support_fraction: The fraction of all modes that have noise, float64 (T,).
        signal: a_m(t), the gains of the signal, float64 (T, modes); None: 1 everywhere.
        buffers: What `buffer` has made, by device and dtype.
    """

    values: Tensor
    full: bool
    support_fraction: Tensor
    signal: Tensor | None
    buffers: Buffers

    def buffer(self, name: str, like: Tensor) -> Tensor:
        """Return numbers of the gains, made once for each device and dtype.

        Args:
            name: `gain`; `inverse`, its pseudo-inverse; `support`, 1 where it is above 0;
                `support_fraction`; `signal`, a_m(t); `sharpen`, its inverse.
            like: The tensor whose device and dtype are taken.

        Returns:
            (T, modes), or (T,) for `support_fraction`.
        """
        key = (name, like.device, like.dtype)
        if key not in self.buffers:
            support = self.values > 0
            values = {
                "gain": lambda: self.values,
                "inverse": lambda: torch.where(support, 1 / self.values, 0.0),
                "support": lambda: support,
                "support_fraction": lambda: self.support_fraction,
                "signal": lambda: self.signal,
                "sharpen": lambda: 1 / self.signal,
            }
            self.buffers[key] = values[name]().to(like)
        return self.buffers[key]


class ShapedProcess:
    """Adds, shapes and whitens the noise of one noise shape under one marginal.

    Args:
        shape: What multiplies the white noise.
        betas: beta_t, (T,), each in (0, 1).
        exact: Whether the marginal is the true one of Eq. 2-3 of SDM, or the published one.
        prediction_type: What the network outputs: the noise n_t, x_0, or v.

    Attributes:
        labels: What the network is told of each strength, (K,); None: there is one strength.
        alphas: 1 - beta_t, float64 (T,).
        alpha_products: A_t, float64 (T,).

    Raises:
        ValueError: A beta or the prediction type is out of range.
    """

    labels: Tensor | None = None

    def __init__(
        self, shape: NoiseShape, betas: Tensor, exact: bool, prediction_type: Prediction = "epsilon"
    ) -> None:
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
        """Compute h_m(t) for images of `size` (H, W), once for each size.

        Raises:
            ValueError: No mode of such images has noise at some timestep, or a blur leaves nothing of a mode.
        """
        if size not in self._gains:
            values, signal = self._mode_gains(size)
            if signal is not None and float(signal.min()) < SMALLEST_SIGNAL:
                raise ValueError(
                    f"the blur leaves {float(signal.min()):.1g} of a frequency's signal, less than "
                    f"{SMALLEST_SIGNAL:g}: it cannot be brought back; lower the strength or raise min_signal"
                )
            counts = torch.bincount(self.shape.modes(self.shape.channels, size).flatten())
            support_fraction = ((values > 0) * counts).sum(1) / counts.sum()
            self._gains[size] = NoiseGains(values, bool((values > 0).all()), support_fraction, signal, {})
        return self._gains[size]

    def shape_noise(self, white: Tensor, timesteps: Tensor | int) -> Tensor:
        """Compute the noise n_t = S_t e that is added at each timestep and that the network predicts.

        Args:
            white: White noise e, (B, C, H, W).
            timesteps: One for all images, or (B,).

        Returns:
            Noise as `white`.
        """
        return self._apply("gain", white, timesteps)

    def whiten(self, x: Tensor, timesteps: Tensor | int) -> Tensor:
        """Invert `shape_noise`; on modes without noise by the pseudo-inverse, 0.

        Args:
            x: Images or noise, (B, C, H, W).
            timesteps: One for all images, or (B,).
        """
        return self._apply("inverse", x, timesteps)

    def project(self, x: Tensor, timesteps: Tensor | int) -> Tensor:
        """Leave out the modes that have no noise; x itself is returned where the shape is not singular.

        Args:
            x: Images or noise, (B, C, H, W).
            timesteps: One for all images, or (B,).
        """
        return x if self.noise_gains(size_of(x)).full else self._apply("support", x, timesteps)

    def blur(self, x0: Tensor, timesteps: Tensor | int) -> Tensor:
        """Multiply the signal by its gains a_m(t); x0 itself is returned where the shape does not blur.

        Args:
            x0: Images, (B, C, H, W).
            timesteps: One for all images, or (B,).
        """
        return x0 if self.noise_gains(size_of(x0)).signal is None else self._apply("signal", x0, timesteps)

    def sharpen(self, x: Tensor, timesteps: Tensor | int) -> Tensor:
        """Invert `blur`."""
        return x if self.noise_gains(size_of(x)).signal is None else self._apply("sharpen", x, timesteps)

    def prior(self, white: Tensor) -> Tensor:
        """Compute what sampling starts from, S_{T-1} e, of white noise e (B, C, H, W)."""
        return self.shape_noise(white, self.last)

    def add_noise(self, x0: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """Compute x_t = sqrt(A_t) x_0 + sqrt(1 - A_t) n_t, to the last bit as diffusers adds noise.

        Args:
            x0: Images, (B, C, H, W); modes without noise are left out.
            noise: Shaped noise n_t, as `x0`.
            timesteps: (B,).
        """
        _check_alike(x0, noise)
        signal = self._signal_at(x0, timesteps)
        return signal**0.5 * self.blur(self.project(x0, timesteps), timesteps) + (1 - signal) ** 0.5 * noise

    def velocity(self, x0: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """Compute v = sqrt(A_t) n_t - sqrt(1 - A_t) x_0; the arguments are those of `add_noise`."""
        _check_alike(x0, noise)
        signal = self._signal_at(x0, timesteps)
        x0 = self.blur(self.project(x0, timesteps), timesteps)
        return signal**0.5 * noise - (1 - signal) ** 0.5 * x0

    def target(self, x0: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """Compute what the network is trained to output for x_t (Eq. 4 of SDM).

        Args:
            x0: Images, (B, C, H, W).
            noise: Shaped noise n_t, as `x0`.
            timesteps: (B,).
        """
        if self.prediction_type == "epsilon":
            return noise
        if self.prediction_type == "sample":
            return self.project(x0, timesteps)
        return self.velocity(x0, noise, timesteps)

    def loss(self, prediction: Tensor, target: Tensor, timesteps: Tensor) -> Tensor:
        """Compute the mean squared error over the modes that have noise.

        Args:
            prediction: The network's output, (B, C, H, W).
            target: What it should be, as `prediction`.
            timesteps: (B,).
        """
        gains = self.noise_gains(size_of(target))
        if gains.full:
            return torch.nn.functional.mse_loss(prediction, target)
        fraction = gains.buffer("support_fraction", target)[self._rows(target, timesteps), None, None, None]
        return (self.project(prediction - target, timesteps) ** 2 / fraction).mean()

    def marginal(self, t: int, size: Size) -> tuple[Tensor, Tensor]:
        """Compute the marginal of x_t on each mode; t = -1 is the clean data.

        Args:
            t: The timestep, from -1.
            size: Height and width of the images.

        Returns:
            a_m(t) sqrt(A_t), float64 () or, of a shape that blurs, (modes,); and V_t, the variance of each
            mode's noise, float64 (modes,).
        """
        signal, variance = self.white_marginal(t)
        gains = self.noise_gains(size)
        if gains.signal is not None and t >= 0:
            signal = signal * gains.signal[t]
        return signal, variance * gains.values[max(t, 0)] ** 2

    def white_marginal(self, t: int) -> tuple[Tensor, Tensor]:
        """Compute sqrt(A_t) and 1 - A_t, float64 (); t = -1 is the clean data."""
        signal = self.alpha_products[t] if t >= 0 else torch.ones_like(self.alpha_products[0])
        return signal.sqrt(), 1 - signal

    def _mode_gains(self, size: Size) -> tuple[Tensor, Tensor | None]:
        """h_m(t) and a_m(t), (T, modes); None: the signal has no gains."""
        values, signal = self.shape.gains(self.betas, size), self.shape.signal(len(self.betas), size)
        return (exact_gains(values, self.alphas) if self.exact and signal is None else values), signal

    def _apply(self, name: str, x: Tensor, timesteps: Tensor | int) -> Tensor:
        work = in_float32(x)
        buffer = self.noise_gains(size_of(x)).buffer(name, work)
        return self.shape.apply(work, buffer[self._rows(x, timesteps)]).to(x.dtype)

    def _signal_at(self, like: Tensor, timesteps: Tensor | int) -> Tensor:
        """A_t of each image, (B, 1, 1, 1), in the dtype and on the device of `like`."""
        key = (like.device, like.dtype)
        if key not in self._signals:
            self._signals[key] = self._signal.to(like)
        return self._signals[key][self._rows(like, timesteps), None, None, None]

    def _rows(self, x: Tensor, timesteps: Tensor | int) -> Tensor | slice:
        """The rows of a table (T, ...) for images x, as an index: one for all, or one an image."""
        if isinstance(timesteps, int):
            if not 0 <= timesteps <= self.last:
                raise ValueError(f"timestep {timesteps} is outside 0..{self.last}")
            return slice(timesteps, timesteps + 1)
        rows = torch.as_tensor(timesteps, device=x.device).reshape(-1)
        if len(rows) not in (1, len(x)):
            raise ValueError(f"{len(rows)} timesteps for {len(x)} images; give one for all, or one an image")
        return rows


def linear_betas(beta_start: float, beta_end: float, num_train_timesteps: int) -> Tensor:
    """Compute beta_t rising linearly, to the last bit as diffusers has them.

    Args:
        beta_start: beta at timestep 0, in (0, 1).
        beta_end: beta at the last timestep, in (0, 1).
        num_train_timesteps: T.

    Returns:
        float32 (T,).
    """
    return torch.linspace(beta_start, beta_end, num_train_timesteps, dtype=torch.float32)


def size_of(x: Tensor) -> Size:
    """Return (H, W) of images (B, C, H, W).

    Raises:
        ValueError: There are not four axes.
    """
    if x.ndim != 4:
        raise ValueError(f"images are (batch, channels, height, width), not {tuple(x.shape)}")
    return (x.shape[-2], x.shape[-1])


def _check_alike(x0: Tensor, noise: Tensor) -> None:
    if x0.shape != noise.shape:
        raise ValueError(f"images of {tuple(x0.shape)} need noise of that shape, not {tuple(noise.shape)}")


def exact_gains(gains: Tensor, alphas: Tensor) -> Tensor:
    """Compute h_m(t) = sqrt(V_t / (1 - A_t)) of the exact marginal, V_t = a_t V_{t-1} + (1 - a_t) g(t)^2.

    Args:
        gains: g_m(t), float64 (T, modes).
        alphas: a_t = 1 - beta_t, float64 (T,).

    Returns:
        float64 (T, modes).
    """
    variance = torch.zeros_like(gains[0])
    variances = []
    for alpha, gain in zip(alphas, gains, strict=True):
        variance = alpha * variance + (1 - alpha) * gain**2
        variances.append(variance)
    return (torch.stack(variances) / (1 - torch.cumprod(alphas, 0))[:, None]).sqrt()
