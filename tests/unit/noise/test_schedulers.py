"""The diffusers schedulers and pipeline: equal to diffusers at strength 0, saved with the shape."""

from itertools import product

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    PNDMScheduler,
    UNet2DModel,
)

from shapednoise import (
    ShapedDDIMScheduler,
    ShapedDDPMScheduler,
    ShapedDPMSolverScheduler,
    convert_scheduler,
)
from tests.unit.noise.shapes import SHAPES, SINGULAR, ZERO, constant

READINGS = ("published", "equations", "exact")
KINDS = {
    "ancestral": (ShapedDDPMScheduler, {}),
    "fixed_large": (ShapedDDPMScheduler, {"variance_type": "fixed_large"}),
    "ddim": (ShapedDDIMScheduler, {"eta": 0.5}),
    "dpm_solver": (ShapedDPMSolverScheduler, {}),
}


def tiny_unet(**changes) -> UNet2DModel:
    torch.manual_seed(0)
    settings = {
        "sample_size": 8,
        "block_out_channels": (8, 8),
        "layers_per_block": 1,
        "norm_num_groups": 4,
        "down_block_types": ("DownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "UpBlock2D"),
    }
    return UNet2DModel(**(settings | changes))


def run(scheduler, steps: int, seed: int = 0, dtype=torch.float32, **options) -> torch.Tensor:
    """A reverse trajectory with the same random numbers and the same `network` for every scheduler."""
    scheduler.set_timesteps(steps)
    scheduler._warned = True  # it starts from white noise, to be comparable
    x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    for t in scheduler.timesteps:
        output = 0.9 * x + 0.1 * torch.tanh(x)
        generator = torch.Generator().manual_seed(int(t))
        x = scheduler.step(output, t, x, generator=generator, **options).prev_sample
    return x


def in_float64(scheduler):
    """The same scheduler computing in float64; diffusers keeps its tables in float32."""
    scheduler.alphas_cumprod = scheduler.process.alpha_products
    scheduler.one = torch.tensor(1.0, dtype=torch.float64)
    return scheduler


@pytest.mark.parametrize("name", ZERO)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"clip_sample": False},
        {"prediction_type": "v_prediction"},
        {"prediction_type": "sample", "timestep_spacing": "linspace"},
        {"variance_type": "fixed_large", "timestep_spacing": "trailing"},
    ],
)
def test_strength_zero_is_ddpm(name, options):
    for steps in (1, 20):
        expected = run(DDPMScheduler(**options), steps)
        for reading in ("published", "equations"):
            shaped = ShapedDDPMScheduler(shape=ZERO[name], reading=reading, **options)
            assert torch.equal(run(shaped, steps), expected)
        exact = ShapedDDPMScheduler(shape=ZERO[name], reading="exact", **options)
        assert torch.allclose(run(exact, steps), expected, atol=1e-5)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
def test_strength_zero_is_ddim_and_dpm_solver(reading, spacing, kind):
    options = {"timestep_spacing": spacing, "prediction_type": kind}
    for steps, name in product((3, 20), ("sdm", "powerlaw")):
        shape = {"shape": ZERO[name], "reading": reading}
        for own in ({"eta": 0.0}, {"eta": 0.6}, {"eta": 1.0, "use_clipped_model_output": True}):
            expected = run(DDIMScheduler(**options), steps, **own)
            shaped = run(ShapedDDIMScheduler(**options, **shape), steps, **own)
            assert torch.allclose(shaped, expected, rtol=1e-4, atol=2e-5)
        expected = run(DPMSolverMultistepScheduler(**options), steps)
        shaped = run(ShapedDPMSolverScheduler(**options, **shape), steps)
        assert torch.allclose(shaped, expected, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SHAPES)
def test_readings_agree_for_a_constant_shape_without_clamp(kind, name):
    make, options = KINDS[kind]
    ends = []
    for reading in READINGS:
        scheduler = make(shape=constant(SHAPES[name]), reading=reading, clip_sample=False, **options)
        ends.append(run(in_float64(scheduler), 20, dtype=torch.float64))
    assert torch.allclose(ends[0], ends[1], rtol=1e-10, atol=1e-10)
    assert torch.allclose(ends[0], ends[2], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("name", ["sdm", "product"])
def test_coefficients_are_what_a_step_does(kind, reading, name):
    """For shapes that change with time: x_u is the linear combination that `coefficients` gives."""
    make, options = KINDS[kind]
    scheduler = in_float64(make(shape=SHAPES[name], reading=reading, clip_sample=False, **options))
    scheduler.set_timesteps(10)
    numbers = dict(scheduler.coefficients((6, 5)))
    x, before = torch.randn(2, 3, 6, 5, dtype=torch.float64), None
    for t in scheduler.timesteps.tolist():
        output, white = torch.randn(2, 2, 3, 6, 5, dtype=torch.float64)
        x0 = scheduler._predict_x0(output, t, x)
        generator = torch.Generator().manual_seed(t)
        following = scheduler.step(output, t, x, generator=generator).prev_sample
        white = torch.randn(x.shape, generator=torch.Generator().manual_seed(t), dtype=torch.float64)
        step = numbers[t]
        parts = [(x0, step.x0), (x, step.xt), (white, step.noise), (before, step.previous)]
        expected = sum(scheduler._multiply(part, c) for part, c in parts if part is not None)
        # diffusers' smallest variance is 1e-20, not 0
        assert torch.allclose(following, expected, atol=1e-9)
        x, before = following, x0


def test_equations_arrive_in_the_coordinates_of_the_next_timestep():
    """One step of `equations` is one of `published` times S_u S_t^-1 (Eq. 7 against the code)."""
    for make, options in KINDS.values():
        published, equations = (
            make(shape=SHAPES["sdm"], reading=reading, clip_sample=False, **options)
            for reading in ("published", "equations")
        )
        for scheduler in (published, equations):
            scheduler.set_timesteps(50)
        x, output = torch.randn(2, 2, 3, 4, 4, dtype=torch.float64)
        t, u = published.timesteps[:2].tolist()
        steps = [
            scheduler.step(output, t, x, generator=torch.Generator().manual_seed(0)).prev_sample
            for scheduler in (published, equations)
        ]
        moved = published.shape_noise(published.process.whiten(steps[0], t), u)
        assert torch.allclose(moved, steps[1], atol=1e-12)
        assert not torch.allclose(steps[0], steps[1], atol=1e-4)


def test_prior_is_that_of_the_last_training_timestep():
    shaped = ShapedDDPMScheduler(shape=SHAPES["sdm"])
    shaped.set_timesteps(50)
    white = torch.randn(2, 3, 8, 8)
    assert shaped.timesteps[0] == 980
    assert torch.equal(shaped.prior(white), shaped.shape_noise(white, torch.tensor([999, 999])))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reading", READINGS)
def test_the_clamp_acts_where_it_says(kind, reading):
    """The predicted x_0 stays in [-1, 1] in whitened coordinates, in the data's, or not at all."""
    output, x = 5 * torch.randn(2, 2, 3, 8, 8)
    make, options = KINDS[kind]
    predictions = {}
    for name, clip_sample, clip_data in [
        ("whitened", True, False),
        ("data", False, True),
        ("off", False, False),
    ]:
        made = make(
            shape=SHAPES["sdm"] | {"strength": -0.6, "schedule": "constant"},
            reading=reading,
            clip_sample=clip_sample,
            clip_data=clip_data,
            **options,
        )
        made.set_timesteps(20)
        t = made.timesteps[2]
        predictions[name] = made.step(output, t, x).pred_original_sample
    whitened = made.process.whiten(predictions["whitened"], int(t))
    assert whitened.abs().max() == pytest.approx(1, abs=1e-5)
    assert predictions["whitened"].abs().max() > 1.01
    assert predictions["data"].abs().max() == pytest.approx(1, abs=1e-3)
    assert predictions["off"].abs().max() > 10


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("clip_data", [False, True])
def test_nothing_is_sampled_where_a_shape_has_no_noise(kind, reading, clip_data):
    make, options = KINDS[kind]
    scheduler = make(
        shape=constant(SINGULAR), reading=reading, clip_sample=False, clip_data=clip_data, **options
    )
    scheduler.set_timesteps(10)
    x = scheduler.prior(torch.randn(2, 3, 8, 8, dtype=torch.float64))
    for t in scheduler.timesteps:
        x = scheduler.step(torch.randn_like(x), t, x).prev_sample
    assert torch.allclose(scheduler.process.project(x, 0), x, atol=1e-9)
    assert bool(torch.isfinite(x).all()) and x.abs().max() > 0.1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["singular at the end", "steep"])
def test_steps_that_add_no_noise_to_a_mode_are_finite(kind, name):
    """V_t - A V_u is 0 there, and must not fall below it by rounding: every step of 1000."""
    steep = {"operator": "sagd_powerlaw", "strength": 9.9}
    shape = {"singular at the end": SINGULAR, "steep": steep}[name]
    make, options = KINDS[kind]
    scheduler = make(shape=shape, reading="exact", **options)
    scheduler.set_timesteps(500 if kind == "dpm_solver" else 1000)
    for _, step in scheduler.coefficients((8, 8)):
        for numbers in (step.x0, step.xt, step.noise, step.previous):
            assert bool(torch.isfinite(numbers).all()) and numbers.abs().max() < 20


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (ShapedDDPMScheduler, {"prediction_type": "velocity"}, "prediction_type 'velocity'"),
        (ShapedDDIMScheduler, {"prediction_type": "velocity"}, "prediction_type 'velocity'"),
        (ShapedDPMSolverScheduler, {"prediction_type": "flow_prediction"}, "prediction_type"),
        (ShapedDDPMScheduler, {"reading": "approximate"}, "reading 'approximate'"),
        (ShapedDDPMScheduler, {"variance_type": "learned"}, "variance_type"),
        (ShapedDDPMScheduler, {"shape": {"operator": "sdm", "strength": 0.1}}, "needs the axis"),
        (ShapedDDPMScheduler, {"shape": SHAPES["sdm"] | {"strength": float("inf")}}, "finite"),
        (ShapedDDPMScheduler, {"beta_start": 0.0}, "strictly between 0 and 1"),
        (ShapedDDIMScheduler, {"eta": 1.5}, "outside 0..1"),
    ],
)
def test_bad_parameters_raise_value_errors(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


def test_ddim_says_that_its_steps_are_not_set():
    with pytest.raises(ValueError, match="call set_timesteps first"):
        ShapedDDIMScheduler().step(torch.zeros(1, 3, 4, 4), 10, torch.zeros(1, 3, 4, 4))


def test_dpm_solver_says_when_its_timesteps_would_repeat():
    with pytest.raises(ValueError, match="use fewer"):
        ShapedDPMSolverScheduler(timestep_spacing="leading").set_timesteps(1000)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SHAPES)
def test_every_parameter_survives_saving(tmp_path, kind, name):
    make, own = KINDS[kind]
    options = own | {
        "shape": SHAPES[name],
        "reading": "exact",
        "clip_data": True,
        "clip_sample": False,
        "clip_sample_range": 1.5,
        "timestep_spacing": "trailing",
        "beta_end": 0.03,
    }
    made = make(**options)
    made.save_pretrained(tmp_path)
    loaded = make.from_pretrained(tmp_path)
    expected = {key: value for key, value in options.items() if key != "shape"}
    assert {key: loaded.config[key] for key in expected} == expected
    assert loaded.config["shape"] == SHAPES[name] | {"version": 1}
    assert torch.equal(run(loaded, 10), run(made, 10))


def test_a_scheduler_saved_by_a_newer_version_is_refused(tmp_path):
    ShapedDDPMScheduler(shape=SHAPES["sdm"]).save_pretrained(tmp_path)
    file = tmp_path / "scheduler_config.json"
    file.write_text(file.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(ValueError, match="saved by a newer shapednoise"):
        ShapedDDPMScheduler.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("plain", "kind"),
    [
        (DDPMScheduler(beta_end=0.03, timestep_spacing="trailing"), ShapedDDPMScheduler),
        (DDIMScheduler(beta_schedule="scaled_linear", prediction_type="v_prediction"), ShapedDDIMScheduler),
        (DPMSolverMultistepScheduler(num_train_timesteps=500), ShapedDPMSolverScheduler),
    ],
)
def test_an_existing_scheduler_becomes_a_shaped_one(plain, kind):
    shaped = convert_scheduler(plain, SHAPES["sdm"], reading="equations")
    assert type(shaped) is kind
    assert torch.equal(shaped.betas, plain.betas)
    for name in ("timestep_spacing", "prediction_type", "num_train_timesteps"):
        assert shaped.config[name] == plain.config[name]
    assert shaped.config["shape"]["strength"] == -0.4 and shaped.config.reading == "equations"
    white = convert_scheduler(plain, None)
    assert torch.allclose(run(white, 7), run(plain, 7), rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("kind", [ShapedDDIMScheduler, ShapedDPMSolverScheduler])
def test_a_shaped_scheduler_becomes_another_by_from_config(kind):
    trained = ShapedDDPMScheduler(shape=SHAPES["sdm"], reading="exact", beta_end=0.03)
    other = kind.from_config(trained.config)
    assert type(other) is kind and other.config["shape"] == trained.config["shape"]
    assert other.config.reading == "exact" and other.process.exact
    assert torch.equal(other.betas, trained.betas)


@pytest.mark.parametrize("kind", KINDS)
def test_the_compatible_schedulers_are_those_that_keep_the_shape(tmp_path, kind, caplog):
    """And each can be made of the config of each, in memory or saved, without a word of warning."""
    make, options = KINDS[kind]
    trained = make(shape=SHAPES["product"], reading="equations", **options)
    shaped = {ShapedDDPMScheduler, ShapedDDIMScheduler, ShapedDPMSolverScheduler}
    assert set(trained.compatibles) == shaped
    trained.save_pretrained(tmp_path)
    for other in trained.compatibles:
        for made in (other.from_config(trained.config), other.from_pretrained(tmp_path)):
            assert made.config["shape"] == trained.config["shape"]
            assert made.config.reading == "equations"
            made.set_timesteps(5)
            made.coefficients((4, 4))
    assert not caplog.records


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        (DDPMScheduler(thresholding=True), "thresholding = True"),
        (DDPMScheduler(rescale_betas_zero_snr=True), "rescale_betas_zero_snr"),
        (DDIMScheduler(set_alpha_to_one=False), "set_alpha_to_one"),
        (DPMSolverMultistepScheduler(solver_order=3), "solver_order = 3"),
        (PNDMScheduler(), "PNDMScheduler has no shaped counterpart"),
    ],
)
def test_what_cannot_be_converted_is_named(plain, message):
    with pytest.raises(ValueError, match=message):
        convert_scheduler(plain, SHAPES["sdm"])
