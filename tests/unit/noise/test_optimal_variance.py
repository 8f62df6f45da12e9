"""Samplers whose reverse steps are exact for Gaussian data."""

import numpy as np
import pytest
import torch

from shapednoise.noise.denoising_variance import DenoisingVariance
from shapednoise.noise.process import size_of
from shapednoise.noise.schedulers import ShapedDDIMScheduler, ShapedDDPMScheduler
from tests.unit.noise.shapes import AXIS, SHAPES, constant, principal_axes

SIZE, COUNT = (8, 8), 1000
AXES = principal_axes(AXIS)


def spectrum() -> np.ndarray:
    """Variances (C, H, W) that fall with the frequency."""
    f = np.fft.fftfreq(8)
    falling = 1 / (0.02 + f[:, None] ** 2 + f**2)
    return np.stack([falling / 20, falling / 60, falling / 200])


def known() -> DenoisingVariance:
    return DenoisingVariance.of_data({"axes": AXES.tolist()}, spectrum())


STEPS = [
    {}, {"variance_type": "fixed_large"}, {"variance_type": "optimal"}, {"variance_type": "optimal_scalar"}
]  # fmt: skip


def stepped(name: str, options: dict) -> ShapedDDPMScheduler:
    """A scheduler of this shape, and of this variance of a reverse step, with ten steps."""
    of_data = {"axes": AXES.tolist(), "spectrum": spectrum()[..., :5].tolist(), "width": 8}
    shapes = SHAPES | {"spectrum": {"operator": "spectrum", "strength": 0.5, **of_data}}
    if "optimal" in options.get("variance_type", ""):
        options = options | {"denoising_variance": known().describe()}
    scheduler = ShapedDDPMScheduler(shape=shapes.get(name), **options)
    scheduler.set_timesteps(10)
    scheduler._warned = True  # the sample is not of its prior
    return scheduler


def best_output(scheduler, x, t):
    """What the best denoiser of the Gaussian data predicts as the noise of x_t."""
    of_data = known()
    signal, noise = scheduler.process.marginal(t, size_of(x))
    noise = noise[of_data.shape_modes(scheduler.process)]
    data = of_data.spectrum.flatten()
    unit = (1 - scheduler.process.white_marginal(t)[0] ** 2).sqrt()
    return of_data.basis.apply(x, (noise / unit / (signal**2 * data + noise))[None])


def variances_of_samples(scheduler, count=COUNT):
    """Of each mode, over samples of the best denoiser."""
    generator = torch.Generator().manual_seed(0)
    x = scheduler.prior(torch.randn(count, 3, *SIZE, generator=generator, dtype=torch.float64))
    for t in scheduler.timesteps.tolist():
        x = scheduler.step(best_output(scheduler, x, t), t, x, generator=generator).prev_sample
    return known().basis.power(x)


@pytest.mark.parametrize("name", [*SHAPES, "white"])
@pytest.mark.parametrize(
    "kind, steps, options",
    [(ShapedDDPMScheduler, 10, {}), (ShapedDDPMScheduler, 25, {}), (ShapedDDIMScheduler, 10, {"eta": 0.6})],
)
def test_exact_steps_give_gaussian_data_their_covariance(kind, steps, options, name):
    scheduler = kind(
        shape=SHAPES.get(name), reading="exact", variance_type="optimal", clip_sample=False,
        denoising_variance=known().describe(), clipped_steps=0, **options,
    )  # fmt: skip
    scheduler.set_timesteps(steps)
    found = variances_of_samples(scheduler)
    expected = known().spectrum
    # the mean of squares of as many numbers or twice that; five deviations
    np.testing.assert_allclose(found, expected, rtol=5 * (2 / COUNT) ** 0.5)


def test_the_readings_of_a_constant_shape_have_one_optimal_step():
    steps = {}
    for reading in ("published", "equations", "exact"):
        scheduler = ShapedDDPMScheduler(
            shape=constant(SHAPES["sdm"]), reading=reading, variance_type="optimal", clip_sample=False,
            denoising_variance=known().describe(),
        )  # fmt: skip
        scheduler.set_timesteps(20)
        steps[reading] = torch.stack([step.noise for _, step in scheduler.coefficients(SIZE)])
    for reading in ("published", "equations"):
        torch.testing.assert_close(steps[reading], steps["exact"], rtol=1e-8, atol=1e-10)


def test_one_number_for_white_noise_is_analytic_dpm():
    """Bao et al. 2022 (2201.06503): sigma^2 = lambda^2 + (sqrt(A_u) V_tu / V_t)^2 mean Var."""
    scheduler = ShapedDDPMScheduler(
        variance_type="optimal_scalar", denoising_variance=known().describe(), clip_sample=False
    )
    scheduler.set_timesteps(10)
    products = scheduler.alphas_cumprod.double()
    data = spectrum()
    for t, step in scheduler.coefficients(SIZE)[:-2]:
        u = t - 100
        a_t, a_u = products[t], products[u]
        beta = 1 - a_t / a_u
        small = (1 - a_u) / (1 - a_t) * beta
        left = (data * (1 - a_t.item()) / (a_t.item() * data + 1 - a_t.item())).mean()
        expected = small + a_u * (beta / (1 - a_t)) ** 2 * left
        np.testing.assert_allclose(step.noise**2, expected.expand(len(step.noise)), rtol=1e-5)


@pytest.mark.parametrize("clipped", [1, 3])
def test_the_last_steps_are_clipped(clipped):
    scheduler = ShapedDDPMScheduler(
        variance_type="optimal", denoising_variance=known().describe(), clipped_steps=clipped
    )
    scheduler.set_timesteps(50)
    weights = known().basis.weights(SIZE)
    deviations = [float((step.noise**2 * weights).sum().sqrt()) for _, step in scheduler.coefficients(SIZE)]
    small = ShapedDDPMScheduler()
    small.set_timesteps(50)
    least = [float(step.noise.max()) for _, step in small.coefficients(SIZE)]
    limit = 2 * 2 / 255 * np.sqrt(np.pi / 2)
    assert deviations[-1] == 0
    for found, lowest in zip(deviations[-1 - clipped : -1], least[-1 - clipped : -1], strict=True):
        assert found == pytest.approx(max(limit, lowest)) or found < limit
    assert deviations[-2 - clipped] > limit


def test_settings_survive_saving_and_other_code_can_step(tmp_path):
    described = known().describe()
    scheduler = ShapedDDPMScheduler(
        shape=SHAPES["sdm"], reading="exact", variance_type="optimal", denoising_variance=described
    )
    scheduler.save_pretrained(tmp_path)
    again = ShapedDDPMScheduler.from_pretrained(tmp_path)
    other = ShapedDDIMScheduler.from_config(again.config, eta=0.5)
    assert other.config.variance_type == "optimal"
    for one in (scheduler, again, other):
        one.set_timesteps(25)
    for (_, a), (_, b) in zip(scheduler.coefficients(SIZE), again.coefficients(SIZE), strict=True):
        assert torch.equal(a.noise, b.noise)
    x = torch.randn(2, 3, *SIZE)
    steps = [
        s.step(x, 960, x, generator=torch.Generator().manual_seed(3)).prev_sample for s in (scheduler, again)
    ]
    assert torch.equal(*steps)


def test_what_is_missing_or_does_not_fit_is_said():
    with pytest.raises(ValueError, match="needs denoising_variance"):
        ShapedDDPMScheduler(variance_type="optimal")
    scheduler = ShapedDDPMScheduler(variance_type="optimal", denoising_variance=known().describe())
    scheduler.set_timesteps(10)
    x = torch.randn(1, 3, 16, 16)
    with pytest.raises(ValueError, match="take that of their own data"):
        scheduler.step(x, 900, x)


@pytest.mark.parametrize("name", [*SHAPES, "spectrum", "white"])
@pytest.mark.parametrize("options", STEPS)
def test_a_step_is_taken_where_the_sample_is(options, name):
    """On any device: `meta` has no numbers, and refuses tensors of another device as a GPU does."""
    scheduler = stepped(name, options)
    x = torch.randn(2, 3, *SIZE, device="meta")
    for t in scheduler.timesteps.tolist()[-3:-1]:
        assert scheduler.step(x, t, x).prev_sample.device == x.device


@pytest.mark.parametrize("name", [*SHAPES, "spectrum", "white"])
@pytest.mark.parametrize("options", STEPS)
def test_autocast_leaves_a_step_as_it_is(options, name):
    scheduler = stepped(name, options)
    x, output = torch.randn(2, 2, 3, *SIZE, generator=torch.Generator().manual_seed(0))
    t = scheduler.timesteps.tolist()[-2]

    def step():
        return scheduler.step(output, t, x, generator=torch.Generator().manual_seed(1)).prev_sample

    expected = step()
    with torch.autocast("cpu", torch.bfloat16):
        found = step()
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
