"""The closed-form theory against the schedulers themselves, sampling with the best denoiser."""

import numpy as np
import pytest
import torch
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric

from shapednoise.analysis.distances import Prediction
from shapednoise.analysis.modes import directions, radial_mean, rings
from shapednoise.analysis.spectrum import power_spectrum
from shapednoise.analysis.theory import predict, theory_table
from shapednoise.config.noise import marginal_of
from shapednoise.config.sampling import SamplerSettings
from shapednoise.config.training import ScheduleSettings
from shapednoise.diffusion.sampling import sampling_scheduler
from shapednoise.errors import UserError
from shapednoise.noise.schedulers import ShapedDDPMScheduler

SIZE, TIMESTEPS, STEPS, IMAGES = (4, 4), 100, 8, 8_000
SCHEDULE = ScheduleSettings(timesteps=TIMESTEPS, beta_start=1e-3, beta_end=0.15)


@pytest.fixture(scope="module")
def axes(axis) -> np.ndarray:
    """Orthonormal rows, the first one the principal axis."""
    vectors, _ = np.linalg.qr(np.column_stack([axis, np.eye(3)[:, :2]]))
    return vectors.T * np.sign(vectors.T[0] @ np.array(axis))


@pytest.fixture(scope="module")
def spectrum() -> np.ndarray:
    """Variances that fall with frequency and from axis to axis, even in frequency: (3, 4, 4)."""
    fy, fx = (np.abs(np.fft.fftfreq(n)) for n in SIZE)
    return np.array([2.0, 0.3, 0.1])[:, None, None] / (0.3 + fx + 2 * fy[:, None]) ** 2 / 5


def scheduler_of(shape, **settings):
    settings = SamplerSettings(steps=STEPS, clamp="off", **settings)
    trained = ShapedDDPMScheduler(
        num_train_timesteps=TIMESTEPS,
        beta_start=SCHEDULE.beta_start,
        beta_end=SCHEDULE.beta_end,
        shape=shape,
        reading=marginal_of(settings.reading),
    )
    return sampling_scheduler(trained, settings)


def filtered(x, multipliers, rotation):
    """x (B, C, H, W) with each (principal axis, frequency) multiplied by its number (C, H, W)."""
    projected = torch.einsum("ac,nchw->nahw", rotation, x)
    result = torch.fft.ifft2(torch.fft.fft2(projected) * multipliers).real
    return torch.einsum("ac,nahw->nchw", rotation, result)


def simulated(scheduler, spectrum, axes) -> np.ndarray:
    """The variance of each mode of images drawn with the scheduler's own step and E[x_0 | x_t]."""
    generator = torch.Generator().manual_seed(0)
    rotation, data = torch.from_numpy(axes), torch.from_numpy(spectrum)
    modes = scheduler.process.shape.modes(3, SIZE)
    white = torch.randn(IMAGES, 3, *SIZE, generator=generator, dtype=torch.float64)
    x = scheduler.prior(white)
    for t in scheduler.timesteps:
        signal, variance = scheduler.process.marginal(int(t), SIZE)
        k = signal * data / (signal**2 * data + variance[modes])
        noise = (x - signal * filtered(x, k, rotation)) / (1 - signal**2).sqrt()
        x = scheduler.step(noise, t, x, generator=generator).prev_sample
    projected = torch.einsum("ac,nchw->nahw", rotation, x)
    return torch.fft.fft2(projected, norm="ortho").abs().square().mean(0).numpy()


@pytest.mark.parametrize("reading", ["published", "equations", "exact"])
@pytest.mark.parametrize(
    "sampler",
    [
        {"method": "ancestral"},
        {"method": "ancestral", "variance": "fixed_large"},
        {"method": "ddim", "eta": 0.0},
        {"method": "ddim", "eta": 0.5},
        {"method": "dpm_solver"},
    ],
    ids=lambda sampler: "-".join(str(value) for value in sampler.values()),
)
def test_the_theory_is_what_the_scheduler_does(sampler, reading, spectrum, axes, axis):
    shape = {
        "operator": "sdm",
        "strength": -0.5,
        "axis": axis,
        "times": {"operator": "sagd_powerlaw", "strength": -0.2, "eps": 0.05},
    }
    scheduler = scheduler_of(shape, reading=reading, **sampler)
    predicted = predict(scheduler, spectrum).samples
    found = simulated(scheduler_of(shape, reading=reading, **sampler), spectrum, axes)
    error = np.sqrt(2 / IMAGES)  # relative, of a real mode's variance; 48 modes
    np.testing.assert_allclose(found, predicted, rtol=4.5 * error)
    assert np.abs(predicted / spectrum - 1).max() > 0.05  # the samplers have errors to predict


@pytest.mark.slow
def test_1000_exact_steps_give_the_covariance_of_the_data(spectrum, axes, axis):
    """Monte-Carlo, with the analytic denoiser: what is left is sampling error, 2 / n on a variance."""
    count = 1500
    shape = {"operator": "sdm", "strength": -0.5, "axis": axis}
    scheduler = ShapedDDPMScheduler(shape=shape, reading="exact", clip_sample=False)
    scheduler.set_timesteps(1000)
    process, modes = scheduler.process, scheduler.process.shape.modes(3, SIZE)
    rotation, data = torch.from_numpy(axes).float(), torch.from_numpy(spectrum).float()
    generator = torch.Generator().manual_seed(0)
    x = scheduler.prior(torch.randn(count, 3, *SIZE, generator=generator))
    for t in scheduler.timesteps.tolist():
        signal, variance = process.marginal(t, SIZE)
        signal, variance = signal.float(), variance[modes].float()
        transformed = torch.fft.fft2(torch.einsum("ac,nchw->nahw", rotation, x))
        weight = variance / (signal**2 * data + variance) / (1 - signal**2).sqrt()  # E[n_t | x_t]
        noise = torch.einsum("ac,nahw->nchw", rotation, torch.fft.ifft2(weight * transformed).real)
        x = scheduler.step(noise, t, x, generator=generator).prev_sample
    transformed = torch.fft.fft2(torch.einsum("ac,nchw->nahw", rotation, x), norm="ortho")
    found = transformed.abs().square().mean(0).numpy()
    np.testing.assert_allclose(found, spectrum, rtol=4.5 * np.sqrt(2 / count) + 0.03)
    assert found.sum() == pytest.approx(spectrum.sum(), rel=0.05)


@pytest.mark.parametrize("size", [SIZE, (6, 5), (5, 8), (1, 3)])
def test_the_spectrum_of_images_is_that_of_the_whole_transform(axes, size):
    images = np.random.default_rng(0).integers(0, 256, (300, 3, *size), np.uint8)
    found = power_spectrum(images, {"axes": axes.tolist()}, block=64)
    projected = np.einsum("ac,nchw->nahw", axes, images / 127.5 - 1)
    transformed = np.fft.fft2(projected - projected.mean(0), norm="ortho")
    np.testing.assert_allclose(found, (np.abs(transformed) ** 2).mean(0), rtol=1e-4)
    assert found.sum() == pytest.approx((images / 127.5).var(0).sum(), rel=1e-5)


def test_the_tables_hold_distances_and_variances(spectrum, axis):
    shapes = [{"operator": "sdm", "strength": s} if s else {"operator": "ddpm"} for s in (-0.4, 0)]
    samplers = [{"steps": STEPS}, {"steps": STEPS, "reading": "exact"}]
    schedule = SCHEDULE.for_diffusers()
    pca = {"axes": np.eye(3).tolist()}
    pca["axes"][0] = axis
    distances, variances = theory_table(spectrum, pca, "sdm", shapes, samplers, [-0.4], schedule)
    assert distances.strength.tolist() == [-0.4, -0.4, 0, 0]
    assert distances.reading.tolist() == ["published", "exact"] * 2
    white = distances[distances.strength == 0]
    assert white.distance.iloc[0] == pytest.approx(white.distance.iloc[1])  # one process, three readings
    found = predict(scheduler_of(shapes[0] | {"axis": axis}), spectrum)
    assert distances.distance.iloc[0] == pytest.approx(found.distance)
    assert distances.kl.iloc[0] == pytest.approx(found.kl)
    assert distances.standardised.iloc[0] == pytest.approx(found.standardised)
    assert distances.share_v.iloc[0] == pytest.approx(found.samples[0].sum() / spectrum[0].sum())
    assert distances.share.iloc[0] == pytest.approx(found.samples.sum() / spectrum.sum())
    along = variances[(variances.direction == "along") & (variances.reading == "published")]
    assert set(variances.strength) == {-0.4} and along.radius.iloc[0] == 0
    assert along.ratio.iloc[0] == pytest.approx(found.samples[0, 0, 0] / spectrum[0, 0, 0])
    assert along.data.iloc[0] == pytest.approx(spectrum[0, 0, 0])


def test_the_distances_are_those_of_gaussians():
    """Against the closed forms for matrices: torch's KL, and W2 of covariances by their roots."""
    rng = np.random.default_rng(0)
    samples, data = rng.uniform(0.5, 2, (2, 3, 4, 4))
    found = Prediction(samples, data)
    gaussians = [
        torch.distributions.MultivariateNormal(
            torch.zeros(48).double(), torch.from_numpy(np.diag(v.flatten()))
        )
        for v in (samples, data)
    ]
    assert found.kl == pytest.approx(torch.distributions.kl_divergence(*gaussians).item())

    def frechet(*variances):
        sets = [{"mu": np.zeros(48), "sigma": np.diag(v.flatten())} for v in variances]
        return pytest.approx(fid_statistics_to_metric(*sets, verbose=False)[KEY_METRIC_FID])

    assert found.distance == frechet(samples, data)
    assert found.standardised == frechet(samples / data, np.ones_like(data))


def test_modes_without_variance_do_not_count_and_missing_ones_are_infinitely_far():
    data = np.array([[[2.0, 1.0]], [[1e-17, 0.0]]])
    found = Prediction(np.array([[[2.0, 1.0]], [[1e-9, 0.0]]]), data)
    assert found.kl == 0 and found.standardised == 0
    assert Prediction(np.array([[[2.0, 0.0]], [[0.0, 0.0]]]), data).kl == np.inf


def test_a_spectrum_of_other_channels_than_the_axes_is_refused(spectrum):
    with pytest.raises(UserError, match="spectrum is of 3 channels, the principal axes of 1"):
        theory_table(spectrum, {"axes": [[1.0]]}, "sdm", [{"operator": "ddpm"}], [{}], [], {})


def test_rings_hold_every_frequency_once():
    radius, index = rings((8, 8))
    assert index.shape == (8, 8) and radius[0] == 0 and (np.diff(radius) > 0).all()
    assert np.bincount(index.flatten())[0] == 1 and set(index.flatten()) == set(range(len(radius)))
    assert radius[-1] == pytest.approx(np.sqrt(0.5))
    np.testing.assert_allclose(radial_mean(np.ones((2, 8, 8)), index), 1)
    assert [name for name, _ in directions(1)] == ["all"]
    assert [name for name, _ in directions(3)] == ["along", "across"]
