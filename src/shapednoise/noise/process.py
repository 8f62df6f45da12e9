"""The forward process and its posterior, in the three readings of docs/noise.md.

With A_t the product of 1 - beta up to t and g_m(t) the gains of a noise shape,

    x_t = sqrt(A_t) x_0 + sqrt(1 - A_t) n_t,    n_t = noise with gain h_m(t) on mode m.

- `published` and `equations`: h = g, as in the code and in Eq. 5-7 of the SDM paper.
- `exact`: the marginal of Eq. 2-3. Its variance follows V_t = a_t V_{t-1} + (1 - a_t) g(t)^2 with
  V before the first timestep 0, and h = sqrt(V_t / (1 - A_t)).

The network predicts n_t. One object serves the loss and the sampler.
"""

import torch
from torch import Tensor

from shapednoise.noise.shape import NoiseShape


class ShapedProcess:
    """Shapes, whitens and reverses the noise of one noise shape under one reading."""

    def __init__(self, shape: NoiseShape, betas: Tensor, exact: bool) -> None:
        """betas: (T,), each in (0, 1); exact: use the true marginal of Eq. 2-3."""
        if not bool(((betas > 0) & (betas < 1)).all()):
            raise ValueError("every beta must lie strictly between 0 and 1")
        self.shape = shape
        alphas = 1.0 - betas.double()
        self.alpha_products = torch.cumprod(alphas, 0)
        gains = shape.gains(betas)
        if exact:
            gains = exact_gains(gains, alphas)
        self.noise_gains = gains
        self._cache: dict[tuple[torch.device, torch.dtype], Tensor] = {}

    def shape_noise(self, white: Tensor, timesteps: Tensor | int) -> Tensor:
        """n_t from white noise (B, C, H, W); timesteps: one for all, or (B,)."""
        return self.shape.apply(white, self._gains(white, timesteps))

    def whiten(self, x: Tensor, timesteps: Tensor | int) -> Tensor:
        """The inverse of `shape_noise`: divide each mode by its gain."""
        return self.shape.apply(x, 1 / self._gains(x, timesteps))

    def prior(self, white: Tensor) -> Tensor:
        """What sampling starts from: noise of the last training timestep, S_{T-1} e."""
        return self.shape_noise(white, len(self.noise_gains) - 1)

    def variances(self, t: int) -> Tensor:
        """V_t, the variance of each mode's noise in x_t, float64; 0 for t = -1 (clean data)."""
        if t < 0:
            return torch.zeros_like(self.noise_gains[0])
        return (1 - self.alpha_products[t]) * self.noise_gains[t] ** 2

    def posterior(self, t: int, u: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Coefficients per mode of q(x_u | x_t, x_0) for u < t (u = -1: clean data), float64.

        With A_tu = A_t / A_u and V_tu = V_t - A_tu V_u the mean is
        sqrt(A_u) (V_tu / V_t) x_0 + sqrt(A_tu) (V_u / V_t) x_t and the variance V_u V_tu / V_t.
        Returns (coefficient of x_0, coefficient of x_t, variance, V_tu).
        """
        alpha_t = self.alpha_products[t]
        alpha_u = self.alpha_products[u] if u >= 0 else torch.ones_like(alpha_t)
        var_t, var_u = self.variances(t), self.variances(u)
        var_tu = var_t - alpha_t / alpha_u * var_u
        mean_0 = alpha_u.sqrt() * var_tu / var_t
        mean_t = (alpha_t / alpha_u).sqrt() * var_u / var_t
        return mean_0, mean_t, var_u * var_tu / var_t, var_tu

    def _gains(self, like: Tensor, timesteps: Tensor | int) -> Tensor:
        key = (like.device, like.dtype)
        if key not in self._cache:
            self._cache[key] = self.noise_gains.to(like)
        table = self._cache[key]
        if isinstance(timesteps, int):
            return table[timesteps : timesteps + 1]
        return table[timesteps.reshape(-1)]


def exact_gains(gains: Tensor, alphas: Tensor) -> Tensor:
    """h_m(t) = sqrt(V_t / (1 - A_t)) of the exact marginal; gains (T, modes), alphas (T,), float64."""
    variance = torch.zeros_like(gains[0])
    variances = []
    for alpha, gain in zip(alphas, gains, strict=True):
        variance = alpha * variance + (1 - alpha) * gain**2
        variances.append(variance)
    return (torch.stack(variances) / (1 - torch.cumprod(alphas, 0))[:, None]).sqrt()
