"""The diffusers scheduler and pipeline: equal to diffusers at s = 0, saved and loaded with the shape."""

import json
import subprocess
import sys

import pytest
import torch
from diffusers import DDPMScheduler, UNet2DModel

from shapednoise import ShapedDDPMPipeline, ShapedDDPMScheduler


def tiny_unet() -> UNet2DModel:
    torch.manual_seed(0)
    return UNet2DModel(
        sample_size=8,
        block_out_channels=(8, 8),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
    )


def run(scheduler, steps: int, seed: int = 0) -> torch.Tensor:
    """A reverse trajectory with the same random numbers and the same `network` for every scheduler."""
    scheduler.set_timesteps(steps)
    x = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    for t in scheduler.timesteps:
        output = 0.9 * x + 0.1 * torch.tanh(x)
        x = scheduler.step(output, t, x, generator=torch.Generator().manual_seed(int(t))).prev_sample
    return x


@pytest.mark.parametrize("operator", ["ddpm", "sdm", "hdm"])
@pytest.mark.parametrize("steps", [1, 7, 50])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"clip_sample": False},
        {"prediction_type": "v_prediction"},
        {"prediction_type": "sample"},
        {"variance_type": "fixed_large", "timestep_spacing": "trailing"},
    ],
)
def test_strength_zero_is_ddpm(axis, operator, steps, options):
    expected = run(DDPMScheduler(**options), steps)
    for reading in ("published", "equations"):
        shaped = ShapedDDPMScheduler(operator=operator, axis=axis, reading=reading, **options)
        assert torch.equal(run(shaped, steps), expected)
    exact = ShapedDDPMScheduler(operator=operator, axis=axis, reading="exact", **options)
    assert torch.allclose(run(exact, steps), expected, atol=1e-5)


def test_noise_is_added_and_aimed_at_as_in_diffusers(axis):
    """Training needs one changed line: the noise. `add_noise` and the target stay diffusers'."""
    shaped = ShapedDDPMScheduler(operator="sdm", strength=-0.4, axis=axis)
    x0, white = torch.randn(2, 5, 3, 8, 8)
    t = torch.tensor([0, 10, 500, 998, 999])
    noise = shaped.shape_noise(white, t)
    assert torch.equal(shaped.add_noise(x0, noise, t), DDPMScheduler().add_noise(x0, noise, t))
    assert torch.equal(shaped.training_target(x0, noise, t), noise)
    v = torch.tensor(axis)[:, None, None]
    squeezed = torch.exp(0.4 * shaped.betas[t] / shaped.betas.max())
    assert torch.allclose((noise * v).sum(1), squeezed[:, None, None] * (white * v).sum(1), atol=1e-5)
    across = white - v * (white * v).sum(1, keepdim=True)
    assert torch.allclose(noise - v * (noise * v).sum(1, keepdim=True), across, atol=1e-5)


def test_velocity_target_is_diffusers(axis):
    shaped = ShapedDDPMScheduler(operator="hdm", strength=0.2, axis=axis, prediction_type="v_prediction")
    x0, noise = torch.randn(2, 5, 3, 8, 8)
    t = torch.randint(1000, (5,))
    expected = DDPMScheduler().get_velocity(x0, noise, t)
    assert torch.equal(shaped.training_target(x0, noise, t), expected)


def test_prior_is_that_of_the_last_training_timestep(axis):
    shaped = ShapedDDPMScheduler(operator="sdm", strength=-0.4, axis=axis)
    shaped.set_timesteps(50)
    white = torch.randn(2, 3, 8, 8)
    assert shaped.timesteps[0] == 980
    assert torch.equal(shaped.prior(white), shaped.shape_noise(white, torch.tensor([999, 999])))


def test_the_clamp_acts_where_it_says(axis):
    """The predicted x_0 stays in [-1, 1] in whitened coordinates, in the data's, or not at all."""
    output, x = 5 * torch.randn(2, 2, 3, 8, 8)
    options = {"operator": "sdm", "strength": -0.6, "axis": axis}
    predictions = {}
    for name, clip_sample, clip_data in [
        ("whitened", True, False),
        ("data", False, True),
        ("off", False, False),
    ]:
        made = ShapedDDPMScheduler(**options, clip_sample=clip_sample, clip_data=clip_data)
        predictions[name] = made.step(output, 900, x).pred_original_sample
    whitened = made.process.whiten(predictions["whitened"], 900)
    assert whitened.abs().max() == pytest.approx(1, abs=1e-5)
    assert predictions["whitened"].abs().max() > 1.01
    assert predictions["data"].abs().max() == pytest.approx(1, abs=1e-3)
    assert predictions["off"].abs().max() > 10


@pytest.mark.parametrize(
    "options",
    [
        {"reading": "approximate"},
        {"variance_type": "learned"},
        {"operator": "sdm", "strength": 0.1},
        {"operator": "sdm", "strength": float("inf"), "axis": [1.0, 0.0, 0.0]},
    ],
)
def test_bad_parameters_raise_value_errors(options):
    with pytest.raises(ValueError):
        ShapedDDPMScheduler(**options)


def test_every_parameter_survives_saving(tmp_path, axis):
    options = {
        "operator": "hdm",
        "strength": -0.3,
        "strength_schedule": "constant",
        "axis": axis,
        "reading": "exact",
        "clip_data": True,
        "clip_sample": False,
        "clip_sample_range": 1.5,
        "timestep_spacing": "trailing",
        "variance_type": "fixed_large",
        "beta_end": 0.03,
    }
    ShapedDDPMScheduler(**options).save_pretrained(tmp_path)
    loaded = ShapedDDPMScheduler.from_pretrained(tmp_path)
    assert {name: loaded.config[name] for name in options} == options
    assert torch.equal(run(loaded, 10), run(ShapedDDPMScheduler(**options), 10))


def test_an_existing_ddpm_scheduler_becomes_a_shaped_one(axis):
    plain = DDPMScheduler(beta_end=0.03, timestep_spacing="trailing")
    shaped = ShapedDDPMScheduler.from_config(plain.config, operator="sdm", strength=-0.4, axis=axis)
    assert torch.equal(shaped.betas, plain.betas)
    assert shaped.config.timestep_spacing == "trailing"
    assert shaped.config.strength == -0.4


@pytest.mark.slow
def test_a_saved_pipeline_samples_in_three_lines_of_a_new_session(tmp_path, axis):
    shaped = ShapedDDPMScheduler(operator="sdm", strength=-0.4, axis=axis)
    pipeline = ShapedDDPMPipeline(tiny_unet(), shaped)
    pipeline.save_pretrained(tmp_path)
    pipeline.set_progress_bar_config(disable=True)
    expected = pipeline(2, torch.Generator().manual_seed(5), 4, output_type="pt").images
    session = (
        "import torch; from shapednoise import ShapedDDPMPipeline\n"
        f"pipeline = ShapedDDPMPipeline.from_pretrained({str(tmp_path)!r})\n"
        "images = pipeline(2, torch.Generator().manual_seed(5), 4, output_type='pt').images\n"
        f"torch.save(images, {str(tmp_path / 'images.pt')!r})"
    )
    subprocess.run([sys.executable, "-c", session], check=True, capture_output=True)
    assert torch.equal(torch.load(tmp_path / "images.pt"), expected)
    assert (tmp_path / "unet" / "diffusion_pytorch_model.safetensors").is_file()
    saved = json.loads((tmp_path / "scheduler" / "scheduler_config.json").read_text())
    assert saved["strength"] == -0.4


def test_output_types(axis):
    pipeline = ShapedDDPMPipeline(tiny_unet(), ShapedDDPMScheduler())
    tensors = pipeline(2, torch.Generator().manual_seed(0), 2, output_type="pt").images
    arrays = pipeline(2, torch.Generator().manual_seed(0), 2, output_type="np").images
    pictures = pipeline(2, torch.Generator().manual_seed(0), 2).images
    assert tensors.shape == (2, 3, 8, 8) and tensors.min() >= 0 and tensors.max() <= 1
    assert arrays.shape == (2, 8, 8, 3)
    assert pictures[0].size == (8, 8)


def test_gradients_flow_through_the_process(axis):
    shaped = ShapedDDPMScheduler(operator="sdm", strength=-0.4, axis=axis, reading="exact")
    white = torch.randn(2, 3, 4, 4, requires_grad=True)
    shaped.shape_noise(white, torch.tensor([3, 900])).square().sum().backward()
    assert white.grad is not None and bool(torch.isfinite(white.grad).all())
