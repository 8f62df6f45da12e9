"""Noise shapes against closed forms (Eq. 9, 11, 12 of SDM) and plain Fourier transforms, in float64."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shapednoise.data.corrupt import band_noise
from shapednoise.errors import UserError
from shapednoise.noise.process import ShapedProcess
from shapednoise.noise.shape import ShapeError, make_shape, radii, with_data
from tests.unit.noise.shapes import (
    AXES,
    AXIS,
    BETAS,
    SCHEDULES,
    SHAPES,
    SINGULAR,
    ZERO,
    any_description,
    descriptions,
    has_noise,
    in_modes,
    principal_axes,
    unit,
)

STRENGTHS = st.floats(-2, 2, allow_nan=False)
SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))


def matrix(shape, t: int) -> np.ndarray:
    """S_t as a 3 x 3 matrix, from what it does to the unit vectors."""
    basis = torch.eye(3, dtype=torch.float64)[:, :, None, None]
    return shape.apply(basis, shape.gains(BETAS, (1, 1))[t : t + 1])[:, :, 0, 0].T.numpy()


@settings(deadline=None)
@given(STRENGTHS, AXES, st.integers(0, 999), SCHEDULES)
def test_matrices_are_those_of_equation_9(strength, axis, t, schedule):
    v = np.array(axis)
    s = strength * (BETAS[t] / BETAS.max()).item() if schedule == "beta" else strength
    along, rest = np.outer(v, v), np.eye(3) - np.outer(v, v)
    options = {"strength": strength, "schedule": schedule, "axis": axis}
    sdm, hdm = (matrix(make_shape(name, **options), t) for name in ("sdm", "hdm"))
    np.testing.assert_allclose(sdm, np.eye(3) + along * (np.exp(-s) - 1), atol=1e-12)
    np.testing.assert_allclose(hdm, np.exp(-s) * along + np.exp(s / 2) * rest, atol=1e-12)
    assert np.linalg.det(hdm) == pytest.approx(1, abs=1e-10)


@settings(deadline=None)
@given(STRENGTHS, AXES, st.integers(0, 999))
def test_inverse_is_sherman_morrison_of_equation_11(strength, axis, t):
    v = np.array(axis)
    s = strength * (BETAS[t] / BETAS.max()).item()
    process = ShapedProcess(make_shape("sdm", strength=strength, axis=axis), BETAS, exact=False)
    basis = torch.eye(3, dtype=torch.float64)[:, :, None, None]
    inverse = process.whiten(basis, t)[:, :, 0, 0].T.numpy()
    np.testing.assert_allclose(inverse, np.eye(3) + np.outer(v, v) * (np.exp(s) - 1), atol=1e-12)


@settings(deadline=None)
@given(any_description(), st.booleans(), SIZES, st.sampled_from([torch.float64, torch.float32]))
def test_whitening_undoes_shaping(description, exact, size, dtype):
    process = ShapedProcess(make_shape(**description), BETAS, exact)
    x = torch.randn(4, 3, *size, dtype=dtype, generator=torch.Generator().manual_seed(0))
    t = torch.tensor([0, 1, 500, 999])
    back = process.whiten(process.shape_noise(x, t), t)
    assert back.dtype == dtype
    if process.noise_gains(size).full:
        assert torch.allclose(back, x, atol=1e-10 if dtype == torch.float64 else 5e-3)
    else:  # a gain of 0, with normalization of a mixture that leaves single modes only
        assert torch.allclose(back, process.project(x, t), atol=1e-3)


@settings(deadline=None)
@given(
    descriptions(operators=("sagd_powerlaw", "sagd_bandpass"), largest_share=1.0), SIZES, st.integers(1, 4)
)
def test_frequency_shapes_are_real_even_weights_of_the_whole_spectrum(description, size, channels):
    """Against the full complex transform, on any number of channels and any even or odd size."""
    assume(has_noise(description, size))
    shape = make_shape(**description)
    gains = shape.gains(BETAS, size)[700]
    weights = gains[shape.modes(1, size)[0]]
    x = torch.randn(2, channels, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = torch.fft.ifft2(torch.fft.fft2(x, norm="ortho") * weights, norm="ortho")
    assert expected.imag.abs().max() < 1e-12
    assert torch.allclose(shape.apply(x, gains[None]), expected.real, atol=1e-12)


@pytest.mark.parametrize("size", [(6, 6), (5, 7), (1, 4)])
def test_power_law_is_that_of_the_radius_with_the_mean_at_eps(size):
    shape = make_shape("sagd_powerlaw", strength=-0.3, eps=0.02, schedule="constant")
    fy, fx = np.fft.fftfreq(size[0])[:, None], np.fft.fftfreq(size[1])
    expected = (np.hypot(fy, fx) + 0.02) ** -0.3
    gains = shape.gains(BETAS, size)
    np.testing.assert_allclose(gains[3][shape.modes(1, size)[0]], expected, rtol=1e-9)
    assert gains[3, 0].item() == pytest.approx(0.02**-0.3)


def test_band_mixture_has_its_gains_on_half_open_bands():
    shape = make_shape("sagd_bandpass", low_band=[0, 0.25], high_band=[0.375, 0.5], low_gain=0.3,
                       high_gain=0.7, schedule="constant")  # fmt: skip
    gains = dict(zip(radii((8, 8))[0].tolist(), shape.gains(BETAS, (8, 8))[0].tolist(), strict=True))
    assert gains[0.0] == gains[0.125] == pytest.approx(0.3)
    assert gains[0.25] == 0 and gains[0.5] == 0 and min(r for r in gains if r > 0.25) > 0.25
    assert gains[0.375] == pytest.approx(0.7)


def test_a_band_and_the_bands_around_it_share_no_frequency():
    """Corruption on [a, b) and noise on [0, a) and [b, 1): between them every frequency, each once."""
    inside = make_shape("sagd_bandpass", low_band=[0.1, 0.3], low_gain=1, high_gain=0, schedule="constant")
    around = make_shape("sagd_bandpass", low_band=[0, 0.1], high_band=[0.3, 1], schedule="constant")
    a, b = (shape.gains(BETAS, (32, 32))[0] > 0 for shape in (inside, around))
    assert bool((a ^ b).all())


@settings(deadline=None)
@given(any_description(), st.sampled_from([(4, 4), (5, 6)]))
def test_energy_normalization_keeps_the_mean_square_of_all_modes(description, size):
    description = description | {"normalize": "energy"}
    if "times" in description:
        description["times"] = description["times"] | {"normalize": "energy"}
    shape = make_shape(**description)
    squares = shape.gains(BETAS, size)[:, shape.modes(3, size)] ** 2
    np.testing.assert_allclose(squares.mean(dim=(1, 2, 3)), 1, rtol=1e-9)


def test_a_product_is_one_shape_after_the_other():
    x = torch.randn(3, 3, 6, 5, dtype=torch.float64)
    t = torch.tensor([0, 400, 999])
    color = {"operator": "hdm", "strength": 0.5, "axis": AXIS}
    fourier = {"operator": "sagd_powerlaw", "strength": 0.4}
    both = ShapedProcess(make_shape(**color, times=fourier), BETAS, exact=False)
    swapped = ShapedProcess(make_shape(**fourier, times=color), BETAS, exact=False)
    first, second = (ShapedProcess(make_shape(**shape), BETAS, exact=False) for shape in (color, fourier))
    expected = second.shape_noise(first.shape_noise(x, t), t)
    assert torch.allclose(both.shape_noise(x, t), expected, atol=1e-12)
    assert torch.allclose(swapped.shape_noise(x, t), expected, atol=1e-12)


@pytest.mark.parametrize("name", SHAPES)
def test_modes_say_where_the_power_is(name):
    """Unit power on every mode becomes g^2 there, on (principal axis, frequency) and nowhere else."""
    shape = make_shape(**SHAPES[name])
    gains = shape.gains(BETAS, (4, 5))[999]
    x = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    axes = principal_axes()
    before, after = in_modes(shape, x, axes), in_modes(shape, shape.apply(x, gains[None]), axes)
    np.testing.assert_allclose(after, before * gains[shape.modes(3, (4, 5))], atol=1e-12)


@pytest.mark.parametrize("name", ZERO)
def test_strength_zero_is_the_identity_to_the_last_bit(name):
    process = ShapedProcess(make_shape(**ZERO[name]), BETAS, exact=False)
    x = torch.randn(8, 3, 16, 16)
    assert torch.equal(process.shape_noise(x, torch.arange(8)), x)
    assert torch.equal(process.whiten(x, 7), x)
    assert process.project(x, 7) is x


def test_a_singular_shape_is_whitened_by_its_pseudo_inverse():
    process = ShapedProcess(make_shape(**SINGULAR, schedule="constant"), BETAS, exact=False)
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    projected = process.project(x, 500)
    assert not torch.allclose(projected, x)
    assert torch.allclose(process.project(projected, 500), projected, atol=1e-12)
    assert torch.allclose(process.whiten(process.shape_noise(x, 500), 500), projected, atol=1e-12)
    assert torch.allclose(process.shape_noise(process.whiten(x, 500), 500), projected, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("name", SHAPES)
def test_every_precision_keeps_its_type(name, dtype):
    process = ShapedProcess(make_shape(**SHAPES[name]), BETAS, exact=True)
    x = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    t = torch.tensor([10, 900])
    low = process.shape_noise(x.to(dtype), t)
    assert low.dtype == dtype
    assert torch.allclose(low.double(), process.shape_noise(x, t), atol=0.06)


def test_gray_images_take_frequency_shapes():
    process = ShapedProcess(make_shape(**SHAPES["powerlaw"]), BETAS, exact=False)
    assert process.shape_noise(torch.randn(2, 1, 7, 6), torch.tensor([1, 2])).shape == (2, 1, 7, 6)


def test_positive_strength_squeezes_the_axis_alone(axis):
    shape = make_shape("sdm", strength=0.5, schedule="constant", axis=axis)
    noise = ShapedProcess(shape, BETAS, exact=False).shape_noise(
        torch.randn(200_000, 3, 1, 1, generator=torch.Generator().manual_seed(0)), 10
    )
    pixels = noise[:, :, 0, 0].double()
    covariance = pixels.T @ pixels / len(pixels)
    v = torch.tensor(axis, dtype=torch.float64)
    assert (v @ covariance @ v).item() == pytest.approx(np.exp(-1.0), rel=0.02)
    assert (torch.trace(covariance) - v @ covariance @ v).item() == pytest.approx(2, rel=0.02)


def test_four_channels_keep_their_volume():
    v = unit([1, 2, 3, 4])
    gains = make_shape("hdm", strength=0.7, schedule="constant", axis=v).gains(BETAS, (1, 1))[0]
    assert (gains[0] * gains[1] ** 3).item() == pytest.approx(1, abs=1e-12)


def test_the_axis_is_put_in_where_it_is_needed():
    shape = {"operator": "sagd_powerlaw", "strength": 0.1, "times": {"operator": "sdm", "strength": 0.2}}
    completed = with_data(shape, [AXIS])
    assert "axis" not in completed and completed["times"]["axis"] == AXIS
    assert "axis" not in shape["times"]
    for wrong, message in (({"operator": "sdmm"}, "unknown operator"), (3, "is a mapping")):
        with pytest.raises(ShapeError, match=message):
            with_data(wrong, [AXIS])


def test_the_spectrum_is_put_in_where_it_is_known():
    spectrum = np.random.default_rng(0).random((3, 4, 6))
    completed = with_data({"operator": "spectrum", "strength": 0.5}, np.eye(3), spectrum)
    assert completed["width"] == 6 and np.shape(completed["spectrum"]) == (3, 4, 4)
    np.testing.assert_allclose(make_shape(**completed).spectrum, spectrum[..., :4])
    with pytest.raises(ShapeError, match="needs the data's spectrum"):
        make_shape(**with_data({"operator": "spectrum", "strength": 0.5}, np.eye(3)))


BAND = {"operator": "sagd_bandpass"}


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"operator": "sdm", "strength": 0.1, "axis": [1.0, 1.0, 0.0]}, "unit vector"),
        ({"operator": "sdm", "strength": float("nan"), "axis": [1.0, 0.0, 0.0]}, "finite"),
        ({"operator": "sagd_powerlaw", "strength": float("inf")}, "finite"),
        ({"operator": "sagd_powerlaw", "strength": 0.1, "eps": 0.0}, "eps: Input should be greater than 0"),
        ({"operator": "sdm", "strength": 0.1}, "sdm needs the axis"),
        ({"operator": "ddpm", "strength": 0.1}, "strength 0"),
        ({"operator": "squeezed", "strength": 0.1}, "unknown operator"),
        ({"operator": "sdm", "strength": 0.1, "axis": [1.0]}, "two channels"),
        ({"operator": "sdm", "strength": 0.1, "axis": AXIS, "eps": 0.1}, "no parameter 'eps'"),
        ({"operator": "sdm", "axis": AXIS, "normalize": "power"}, "unknown normalize"),
        ({"operator": "sdm", "axis": AXIS, "version": 99}, "newer shapednoise .*upgrade"),
        (BAND | {"low_band": [0.3, 0.1]}, "low_band .* reversed"),
        (BAND | {"low_band": [0.0, 0.3], "high_band": [0.2, 0.5]}, "overlap"),
        (BAND | {"low_band": [0.0, 10.0], "high_band": [20.0, 100.0]}, "begins above 1 cycle per pixel"),
        (BAND | {"low_band": [0.0, 0.3], "low_gain": 0.5, "high_gain": 0.6}, "add up to 1"),
        (BAND | {"low_band": [0.0, 0.3], "low_gain": -0.5, "high_gain": 1.5}, "0 or more"),
        (BAND | {"low_band": [0.0, 0.3], "low_gain": float("nan")}, "add up to 1"),
        (BAND | {"low_band": [0.0, float("nan")]}, "finite ends"),
        (BAND | {"low_band": [0.0, 0.1, 0.2]}, "low_band: Tuple should have at most 2 items"),
        (BAND, "both bands are empty"),
        (BAND | {"low_band": [0.0, 0.3], "strength": 1.5}, "lies in 0..1"),
        ({**SHAPES["sdm"], "times": SHAPES["hdm"]}, "only a color shape"),
        ({"operator": "sdm", "axis": AXIS, "schedule": "cosine"}, "unknown schedule 'cosine'"),
        ({"operator": "sagd_powerlaw", "normalize": "power"}, "unknown normalize"),
        ({"operator": ["sdm"]}, "unknown operator"),
        ({"operator": "sdm", "axis": 1.0}, "wrong type"),
        ({"operator": "sdm", "axis": AXIS, "strength": "much"}, "wrong type"),
        ({"operator": "sdm", "axis": AXIS, "version": "2"}, "newer shapednoise"),
        (BAND | {"low_band": 0.1}, "low_band: Input should be a valid tuple"),
    ],
)
def test_bad_descriptions_are_named_in_one_line(description, message):
    with pytest.raises(ShapeError, match=message) as caught:
        make_shape(**description)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, UserError) and isinstance(caught.value, ValueError)


def test_bands_that_no_frequency_of_the_images_reaches_are_refused():
    shape = make_shape("sagd_bandpass", high_band=[0.01, 0.02], schedule="constant", normalize="energy")
    with pytest.raises(ValueError, match="8 x 8 have no mode with noise"):
        shape.gains(BETAS, (8, 8))


@pytest.mark.parametrize(("size", "edge"), [(50, 0.14), (35, 0.2), (100, 0.07), (32, 0.28)])
def test_corruption_and_the_noise_around_it_split_the_spectrum_at_the_same_radius(size, edge):
    """Frequencies right at an edge, where a radius computed otherwise differs in its last digit."""
    around = make_shape("sagd_bandpass", low_band=[0, edge], high_band=[2 * edge, 1], schedule="constant")
    noise = band_noise(0, range(2), (1, size, size), (edge, 2 * edge))
    kept = around.apply(torch.from_numpy(noise), around.gains(BETAS, (size, size))[:1])
    assert kept.abs().max() < 1e-12
    share = (around.gains(BETAS, (size, size))[0] > 0)[around.modes(1, (size, size))].double().mean()
    assert noise.var() == pytest.approx(1 - share.item(), rel=0.1)


def test_color_shapes_say_that_they_need_the_colors_of_their_axis(axis):
    shape = make_shape("sdm", strength=0.1, axis=axis)
    with pytest.raises(ValueError, match=r"1 channels.*needs the axis of its own data"):
        shape.apply(torch.zeros(1, 1, 4, 4), shape.gains(BETAS, (4, 4))[:1])


@pytest.mark.parametrize("beta", [0.0, 1.0, -0.1, float("nan")])
def test_betas_outside_the_unit_interval_are_refused(beta):
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        ShapedProcess(make_shape(), torch.tensor([0.1, beta]), exact=False)
