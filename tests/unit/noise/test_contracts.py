"""What diffusers asks of a scheduler in its own tests, for every shape, but for golden numbers.

Of SchedulerCommonTest and the suites of DDPM, DDIM and DPM-Solver (multistep), these do not apply:
- thresholding, solver orders 1 and 3, heun, karras and lu sigmas, learned and other variances, betas that
  reach 1 (zero SNR, beta_end 2): they are refused by name (test_options.py);
- as many DPM-Solver steps as training timesteps: it would visit one twice, and is refused;
- a DPM-Solver step from a timestep that set_timesteps did not choose: refused as well;
- _get_variance, model_outputs: they are private, and a shaped step has a variance a mode.
"""

import copy
import io
import multiprocessing
import pickle

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler

from shapednoise import ShapedDDIMScheduler, ShapedDDPMScheduler, ShapedDPMSolverScheduler
from tests.unit.noise.shapes import SHAPES, SINGULAR
from tests.unit.noise.test_schedulers import READINGS, run

KINDS = {
    ShapedDDPMScheduler: DDPMScheduler,
    ShapedDDIMScheduler: DDIMScheduler,
    ShapedDPMSolverScheduler: DPMSolverMultistepScheduler,
}
ALL = SHAPES | {"ddpm": {"operator": "ddpm"}, "singular": SINGULAR}


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request):
    return request.param


@pytest.fixture(params=ALL)
def shape(request):
    return ALL[request.param]


def one_step(scheduler, t: int, **options) -> torch.Tensor:
    sample = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(0)
    return scheduler.step(0.1 * sample, t, sample, generator=generator, **options)


def check(kind, tmp_path, steps: int = 10, t: int | None = None, **config) -> None:
    """A scheduler of this config is saved and loaded, and steps as before, whatever the step returns."""
    scheduler = kind(**config)
    scheduler.save_config(tmp_path)
    loaded = kind.from_pretrained(tmp_path)
    for one in (scheduler, loaded):
        one.set_timesteps(steps)
    for time in scheduler.timesteps.tolist()[:3] if t is None else [t]:
        outputs = [one_step(one, time) for one in (scheduler, loaded)]
        assert torch.equal(outputs[0].prev_sample, outputs[1].prev_sample)
        assert bool(torch.isfinite(outputs[0].prev_sample).all()), config
        assert outputs[0].prev_sample.shape == outputs[0].pred_original_sample.shape == (4, 3, 8, 8)


CONFIGS = [
    {"num_train_timesteps": 20},
    {"num_train_timesteps": 999, "timestep_spacing": "trailing"},
    {"timestep_spacing": "linspace", "prediction_type": "v_prediction"},
    {"timestep_spacing": "leading", "steps_offset": 1, "prediction_type": "sample"},
    {"beta_start": 0.001, "beta_end": 0.05, "clip_sample": True},
    {"beta_schedule": "scaled_linear", "clip_sample": False, "clip_data": True},
    {"beta_schedule": "squaredcos_cap_v2", "clip_sample": True, "clip_sample_range": 2.0},
    {"trained_betas": np.array([0.01, 0.02, 0.04]), "num_train_timesteps": 3},
]


@pytest.mark.filterwarnings("ignore:sampling starts")
def test_configs(kind, shape, tmp_path):
    for config in CONFIGS:
        steps = 2 if "trained_betas" in config else 10
        check(kind, tmp_path, steps, shape=shape, **config)


@pytest.mark.filterwarnings("ignore:sampling starts")
def test_numbers_of_steps(kind, shape, tmp_path):
    for steps in (1, 2, 3, 50, 999):
        check(kind, tmp_path, steps, shape=shape)


@pytest.mark.filterwarnings("ignore:sampling starts")
def test_ddim_steps_from_timesteps_that_are_not_visited(shape, tmp_path):
    for t in (0, 500, 999):
        check(ShapedDDIMScheduler, tmp_path, 7, t, shape=shape)


@pytest.mark.filterwarnings("ignore:sampling starts")
def test_outputs_as_tuple_and_as_object(kind, shape):
    scheduler = kind(shape=shape)
    scheduler.set_timesteps(10)
    t = scheduler.timesteps[0]
    pairs = zip(one_step(scheduler, t, return_dict=False), one_step(scheduler, t).values(), strict=True)
    assert all(torch.equal(first, second) for first, second in pairs)


def test_what_pipelines_and_training_loops_read(kind, shape):
    scheduler, x = kind(shape=shape), torch.rand(4, 3, 8, 8)
    assert scheduler.init_noise_sigma == 1.0 and scheduler.order == 1 and len(scheduler) == 1000
    assert torch.equal(scheduler.scale_model_input(x, 0), x)
    scheduler.set_timesteps(100)
    noised = scheduler.add_noise(x, scheduler.shape_noise(x, 5), scheduler.timesteps[5][None])
    assert noised.shape == x.shape
    with pytest.raises(AttributeError, match="has no attribute 'does_not_exist'"):
        scheduler.does_not_exist  # noqa: B018
    scheduler.register_to_config(test_attribute=5)
    with pytest.warns(FutureWarning):
        assert scheduler.test_attribute == 5


def test_a_saved_config_is_the_same_but_for_the_list_of_defaults(kind, shape, tmp_path):
    scheduler = kind(shape=shape)
    scheduler.save_pretrained(tmp_path)
    expected = dict(scheduler.config)
    assert set(expected.pop("_use_default_values")) >= {"beta_start", "timestep_spacing", "reading"}
    assert dict(kind.from_pretrained(tmp_path).config) == expected


def test_the_list_of_defaults_holds_that_of_diffusers(kind):
    """In from_config a setting that was left out takes the new kind's default."""
    for given in ({}, {"beta_end": 0.03, "timestep_spacing": "trailing"}):
        ours, theirs = (set(made(**given).config["_use_default_values"]) for made in (kind, KINDS[kind]))
        assert theirs <= ours | ({"variance_type"} if kind is ShapedDPMSolverScheduler else set())
        assert not ours & set(given)


@pytest.mark.parametrize("saved", [False, True])
def test_a_switch_takes_the_spacing_that_diffusers_takes(tmp_path, saved):
    for first, first_plain in KINDS.items():
        for second, second_plain in KINDS.items():
            ends = []
            for start, end in ((first, second), (first_plain, second_plain)):
                scheduler = start(beta_end=0.03)
                scheduler.save_pretrained(tmp_path)
                made = end.from_pretrained(tmp_path) if saved else end.from_config(scheduler.config)
                assert made.config.beta_end == 0.03
                ends.append(made.config.timestep_spacing)
            assert ends[0] == ends[1]


def test_compatibles_give_the_config_back(kind, shape):
    scheduler = kind(shape=shape, timestep_spacing="trailing")
    for other in scheduler.compatibles:
        back = kind.from_config(other.from_config(scheduler.config).config)
        expected = dict(scheduler.config)
        del expected["_use_default_values"]
        assert {key: back.config[key] for key in expected} == expected


def test_switching_around_does_not_change_the_samples(kind, shape):
    scheduler = kind(shape=shape, clip_sample=True, timestep_spacing="trailing")
    expected = run(scheduler, 10)
    for other in (*KINDS, kind):
        scheduler = other.from_config(scheduler.config)
    assert torch.equal(run(scheduler, 10), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(kind, dtype):
    """The state keeps its dtype, and drifts from float32 by its own rounding alone, also over 100 steps.

    Gains that are rounded to the dtype would multiply up: whitening and shaping in bfloat16 are off by
    up to 0.4 % a step, mostly to the same side.
    """
    for reading in READINGS:
        scheduler = kind(shape=SHAPES["product"], reading=reading, clip_sample=True)
        scheduler.set_timesteps(100)
        prior = scheduler.prior(torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)))
        ends = {}
        for state_dtype in (torch.float32, dtype):
            x = prior.to(state_dtype)
            for t in scheduler.timesteps:
                generator = torch.Generator().manual_seed(int(t))
                x = scheduler.step(0.5 * x, t, x, generator=generator).prev_sample
            assert x.dtype == state_dtype
            ends[state_dtype] = x.float()
        error = (ends[dtype] - ends[torch.float32]).std() / ends[torch.float32].std()
        assert error < (0.005 if dtype == torch.float16 else 0.04)


def test_custom_timesteps():
    scheduler = ShapedDDPMScheduler(shape=SHAPES["sdm"])
    scheduler.set_timesteps(timesteps=[100, 87, 50, 1, 0])
    assert [int(scheduler.previous_timestep(t)) for t in scheduler.timesteps] == [87, 50, 1, 0, -1]
    for wrong in ({"timesteps": [9, 5, 6, 0]}, {"timesteps": [1000]}, {"timesteps": [9, -1]}):
        for made in (ShapedDDPMScheduler(), ShapedDPMSolverScheduler()):
            with pytest.raises(ValueError):
                made.set_timesteps(**wrong)
    with pytest.raises(ValueError, match="only pass one"):
        scheduler.set_timesteps(num_inference_steps=2, timesteps=[1, 0])


def test_a_dpm_solver_takes_all_but_one_of_the_timesteps():
    for spacing in ("leading", "linspace", "trailing"):
        scheduler = ShapedDPMSolverScheduler(timestep_spacing=spacing, num_train_timesteps=100)
        for steps in range(1, 100):
            scheduler.set_timesteps(steps)
            assert len(scheduler.timesteps) == len(set(scheduler.timesteps.tolist())) == steps
        if spacing != "trailing":
            with pytest.raises(ValueError, match="use fewer"):
                scheduler.set_timesteps(100)


def test_a_dpm_solver_may_begin_anywhere():
    """A first step is of first order: with x_0 = 0 it is sqrt(V_u / V_t) x_t in whitened coordinates."""
    scheduler = ShapedDPMSolverScheduler(prediction_type="sample", shape=SHAPES["sdm"], reading="exact")
    scheduler.set_timesteps(10)
    x, output = torch.randn(2, 2, 3, 8, 8, dtype=torch.float64)
    t, u = scheduler.timesteps[4:6].tolist()
    run(scheduler, 10)  # what went before must not matter
    first = scheduler.step(output, t, x).prev_sample
    (_, var_t), (signal_u, var_u) = (scheduler.process.marginal(time, (8, 8)) for time in (t, u))
    signal_t = scheduler.process.marginal(t, (8, 8))[0]
    ratio = (var_u / var_t).sqrt()
    expected = scheduler._multiply(x, ratio) + scheduler._multiply(output, signal_u - signal_t * ratio)
    assert torch.allclose(first, expected, atol=1e-6)


def saved_by_torch(scheduler):
    buffer = io.BytesIO()
    torch.save(scheduler, buffer)
    return torch.load(io.BytesIO(buffer.getvalue()), weights_only=False)


def test_copies(kind, shape):
    scheduler = kind(shape=shape, reading="exact")
    expected = run(scheduler, 5)  # after use, with all tables made
    for made in (copy.deepcopy(scheduler), pickle.loads(pickle.dumps(scheduler)), saved_by_torch(scheduler)):
        assert torch.equal(run(made, 5), expected)


def prior_of(scheduler) -> torch.Tensor:
    return scheduler.prior(torch.ones(1, 3, 4, 4))


@pytest.mark.slow
def test_a_spawned_worker_takes_schedulers():
    schedulers = [ShapedDDPMScheduler(shape=shape) for shape in ALL.values()]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for ours, theirs in zip(schedulers, pool.map(prior_of, schedulers), strict=True):
            assert torch.equal(prior_of(ours), theirs)


def test_add_noise_moves_the_products_to_the_samples(kind, shape):
    """As diffusers' does: training loops index them by timesteps on that device."""
    scheduler, x = kind(shape={"operator": "ddpm"}), torch.zeros(2, 3, 4, 4, device="meta")
    assert scheduler.add_noise(x, x, torch.tensor([1, 2])).device.type == "meta"
    assert scheduler.alphas_cumprod.device.type == "meta"


@pytest.mark.parametrize("timesteps", [torch.tensor([3, 900]), torch.tensor([[3], [900]]), torch.tensor([7])])
def test_velocity_and_noise_are_diffusers(kind, shape, timesteps):
    plain, ours = DDPMScheduler(), kind(shape=shape, prediction_type="v_prediction")
    x, white = torch.randn(2, 2, 3, 8, 8)
    noise = ours.shape_noise(white, timesteps)
    x = ours.process.project(x, timesteps)
    assert torch.allclose(
        ours.add_noise(x, noise, timesteps), plain.add_noise(x, noise, timesteps), atol=1e-6
    )
    velocity = plain.get_velocity(x, noise, timesteps)
    assert torch.allclose(ours.get_velocity(x, noise, timesteps), velocity, atol=1e-6)
    assert torch.allclose(ours.training_target(x, noise, timesteps), velocity, atol=1e-6)


@pytest.mark.parametrize(
    ("images", "timesteps", "message"),
    [
        ((3, 8, 8), torch.tensor([5]), "not \\(3, 8, 8\\)"),
        ((2, 3, 4, 8, 8), torch.tensor([5, 6]), "not \\(2, 3, 4, 8, 8\\)"),
        ((1, 3, 8, 8), torch.tensor([5, 6]), "2 timesteps for 1 images"),
        ((4, 3, 8, 8), torch.tensor([[5, 6, 7]]), "3 timesteps for 4 images"),
        ((2, 3, 8, 8), -1, "outside 0..999"),
        ((2, 3, 8, 8), 1000, "outside 0..999"),
    ],
)
def test_what_would_be_broadcast_is_refused(shape, images, timesteps, message):
    scheduler = ShapedDDPMScheduler(shape=shape)
    x = torch.zeros(images)
    for call in (lambda: scheduler.shape_noise(x, timesteps), lambda: scheduler.add_noise(x, x, timesteps)):
        with pytest.raises(ValueError, match=message):
            call()


def test_a_step_refuses_what_it_would_broadcast(kind, shape):
    scheduler = kind(shape=shape)
    scheduler.set_timesteps(10)
    t, x = int(scheduler.timesteps[2]), torch.zeros(2, 3, 8, 8)
    for output, time, sample in [
        (x[:1], t, x),
        (torch.zeros(2, 6, 8, 8), t, x),  # a learned variance
        (x[0], t, x[0]),
        (x, -1, x),
        (x, 1000, x),
        (x, t + 0.5, x),
        (x, torch.tensor([t, t]), x),
    ]:
        with pytest.raises((ValueError, RuntimeError)):
            scheduler.step(output, time, sample)
    with pytest.raises(ValueError, match=r"noise of that shape, not \(1, 3, 8, 8\)"):
        scheduler.add_noise(x, x[:1], torch.tensor([1, 2]))


def test_trailing_timesteps_never_fall_below_the_first(kind):
    """With 61 of 1000 steps and more such numbers diffusers' last timestep is -1, by rounding."""
    assert -1 in _timesteps(KINDS[kind](timestep_spacing="trailing"), 61)
    scheduler = kind(timestep_spacing="trailing")
    for steps in (1, 7, 30, 61, 103, 201, 999, 1000):
        times = _timesteps(scheduler, steps)
        assert len(times) == steps and times[0] == 999 and times[-1] >= 0


def _timesteps(scheduler, steps: int) -> list[int]:
    scheduler.set_timesteps(steps)
    return scheduler.timesteps.tolist()


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("reading", READINGS)
def test_the_last_step_arrives_at_the_clean_data(kind, shape, spacing, reading):
    """At the predicted x_0, that is; `equations` leaves it in the coordinates of timestep 0 (Eq. 7)."""
    options = {"clip_sample": False, "timestep_spacing": spacing, "reading": reading, "shape": shape}
    scheduler = kind(**options)
    for steps in (1, 7, 30, 61):
        scheduler.set_timesteps(steps)
        t, step = scheduler.coefficients((8, 8))[-1]
        gains = scheduler.process.noise_gains((8, 8)).values
        back = gains[0] / gains[t] if reading == "equations" else torch.ones_like(gains[0])
        expected = torch.where(gains[t] > 0, back, 0.0)
        if not (kind is ShapedDDPMScheduler and t > 0):
            assert torch.allclose(step.noise, torch.zeros_like(step.noise))
        assert torch.allclose(step.x0.expand_as(expected), expected, atol=1e-6)
        assert torch.allclose(step.xt, torch.zeros_like(step.xt), atol=1e-9)
