"""The variance of x_0 given x_t: closed form, measured, and the noise of optimal steps."""

import json

import numpy as np
import pytest
import torch

from shapednoise.noise.denoising_variance import DenoisingErrors, DenoisingVariance
from shapednoise.noise.principal import PrincipalBasis
from shapednoise.noise.process import ShapedProcess, linear_betas
from shapednoise.noise.shape import make_shape

AXES = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0].T
SIZE = (8, 6)
SHAPES = {
    "ddpm": {},
    "sdm": {"operator": "sdm", "strength": -0.4, "axis": AXES[0].tolist()},
    "powerlaw": {"operator": "sagd_powerlaw", "strength": -0.3},
    "bandpass": {"operator": "sagd_bandpass", "low_band": [0.0, 0.3], "low_gain": 1.0, "high_gain": 0.0},
}


def gaussian_spectrum() -> torch.Tensor:
    """Variances that fall with the frequency, other ones on each axis."""
    fy = torch.fft.fftfreq(SIZE[0], dtype=torch.float64)[:, None]
    fx = torch.fft.rfftfreq(SIZE[1], dtype=torch.float64)
    falling = 1 / (0.05 + (fy**2 + 1.5 * fx**2))
    return torch.stack([falling / 10, falling / 100, falling / 300])


def variance(**measured) -> DenoisingVariance:
    return DenoisingVariance(AXES.tolist(), gaussian_spectrum(), SIZE[1], **measured)


def process(name: str, exact: bool = True) -> ShapedProcess:
    return ShapedProcess(make_shape(**SHAPES[name]), linear_betas(1e-4, 0.02, 1000), exact)


def test_the_basis_is_orthonormal_and_its_modes_are_those_of_the_transform():
    basis = PrincipalBasis(AXES.tolist())
    x = torch.randn(5, 3, *SIZE, dtype=torch.float64)
    count = 3 * SIZE[0] * (SIZE[1] // 2 + 1)
    assert basis.weights(SIZE).shape == (count,)
    torch.testing.assert_close(basis.apply(x, torch.ones(1, count)), x)
    # Parseval: the weighted power of the modes is the mean square of the pixels
    power = (basis.power(x).flatten() * basis.weights(SIZE)).sum()
    torch.testing.assert_close(power, x.square().mean())
    # against the full transform of each principal component
    multipliers = torch.rand(count, dtype=torch.float64)
    multipliers = multipliers[basis.modes(3, SIZE)]
    even = (multipliers + multipliers.flip(-1, -2).roll((1, 1), (-2, -1))) / 2
    components = torch.einsum("ac,nchw->nahw", torch.from_numpy(AXES), x)
    filtered = torch.fft.ifft2(torch.fft.fft2(components) * even).real
    expected = torch.einsum("ac,nahw->nchw", torch.from_numpy(AXES), filtered)
    half = even[..., : SIZE[1] // 2 + 1].flatten()[None]
    torch.testing.assert_close(basis.apply(x, half), expected)


@pytest.mark.parametrize("name", SHAPES)
def test_the_closed_form_is_that_of_gaussian_data(name):
    noise = process(name)
    data = gaussian_spectrum().flatten()
    for t in (0, 300, 999):
        found = variance().of_gaussian_data(noise, t)
        signal, added = noise.marginal(t, SIZE)
        added = added[variance().shape_modes(noise)]
        precision = 1 / data + signal**2 / added  # of the posterior, a product of two Gaussians
        expected = torch.where(added > 0, 1 / precision, 0.0)
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", SHAPES)
def test_what_the_best_denoiser_leaves_over_is_measured_as_the_closed_form(name):
    torch.manual_seed(0)
    noise, known = process(name), variance()
    errors = DenoisingErrors(known, noise)
    x0 = known.basis.apply(
        torch.randn(4000, 3, *SIZE, dtype=torch.float64), known.spectrum.flatten().sqrt()[None]
    )
    for t in (900, 100, 500):
        signal, added = noise.marginal(t, SIZE)
        added = added[known.shape_modes(noise)]
        times = torch.full((len(x0),), t)
        added_noise = noise.shape_noise(torch.randn_like(x0), times)
        x = noise.add_noise(x0, added_noise, times)
        unit = (1 - noise.white_marginal(t)[0] ** 2).sqrt()
        data = known.spectrum.flatten()
        best = torch.where(
            added > 0, added / unit / (signal**2 * data + added), 0.0
        )  # E[n_t | x_t] = best x_t
        errors.add(t, added_noise - known.basis.apply(x, best[None]))
    measured = errors.result()
    assert measured.timesteps.tolist() == [100, 500, 900]
    for t in (100, 500, 900):
        closed = known.of_gaussian_data(noise, t)
        found = measured.at(noise, t)
        assert bool((found <= closed * (1 + 1e-9)).all() and (found >= 0).all())
        mean = float((found * known.basis.weights(SIZE)).sum() / (closed * known.basis.weights(SIZE)).sum())
        assert mean == pytest.approx(1, abs=0.03)


def test_a_worse_network_has_less_variance_left_to_add_and_it_is_interpolated():
    ratios = np.stack([np.full((3, 7), 0.2), np.full((3, 7), 0.8)])
    measured = variance(timesteps=[200, 600], ratios=ratios)
    noise = process("ddpm")
    for t, ratio in ((0, 0.2), (200, 0.2), (300, 0.35), (600, 0.8), (999, 0.8)):
        torch.testing.assert_close(measured.at(noise, t), ratio * variance().at(noise, t))
    single = variance(timesteps=[200], ratios=ratios[:1])
    torch.testing.assert_close(single.at(noise, 900), 0.2 * variance().at(noise, 900))


@pytest.mark.parametrize("scalar", [False, True])
def test_the_noise_is_never_below_the_small_one_nor_above_its_limit(scalar):
    noise, known = process("sdm"), variance()
    small, x0 = torch.tensor([0.03, 0.02]).double(), torch.tensor([0.5, 0.6]).double()
    free = known.noise(noise, 400, small, x0, scalar)
    modes = known.shape_modes(noise)
    left = known.at(noise, 400)
    weights = known.basis.weights(SIZE)
    left = torch.full_like(left, float((left * weights).sum())) if scalar else left
    torch.testing.assert_close(free**2, small[modes] ** 2 + x0[modes] ** 2 * left)
    limited = known.noise(noise, 400, small, x0, scalar, at_most=0.05)
    assert float((limited**2 * weights).sum()) == pytest.approx(0.05**2)
    assert bool((limited >= small[modes] - 1e-12).all())
    torch.testing.assert_close(known.noise(noise, 400, small, x0, scalar, at_most=0.001), small[modes])


def test_the_description_survives_json():
    measured = variance(timesteps=[10, 500], ratios=np.full((2, 3, 7), 0.5))
    again = DenoisingVariance(**json.loads(json.dumps(measured.describe())))
    torch.testing.assert_close(again.at(process("sdm"), 250), measured.at(process("sdm"), 250))


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"width": 8}, r"\(C, H, W // 2 \+ 1\)"),
        ({"axes": (2 * AXES).tolist()}, "orthonormal"),
        ({"spectrum": -gaussian_spectrum()}, "not negative"),
        ({"timesteps": [3], "ratios": np.ones((2, 3, 7))}, "expected"),
        ({"timesteps": [3], "ratios": np.full((1, 3, 7), 1.5)}, "0..1"),
    ],
)
def test_what_does_not_fit_is_refused(changed, message):
    arguments = {"axes": AXES.tolist(), "spectrum": gaussian_spectrum(), "width": SIZE[1], **changed}
    with pytest.raises(ValueError, match=message):
        DenoisingVariance(**arguments)


def test_images_of_another_size_are_refused():
    errors = DenoisingErrors(variance(), process("ddpm"))
    with pytest.raises(ValueError, match="do not fit the spectrum"):
        errors.add(3, torch.zeros(2, 3, 4, 4))
    with pytest.raises(ValueError, match="1 channels"):
        PrincipalBasis(AXES.tolist()).apply(torch.zeros(2, 1, *SIZE), torch.ones(1, 3))
