"""One network for many strengths: each image of a batch has the noise of its own strength."""

import pytest
import torch
from diffusers import UNet2DModel

from shapednoise import ShapedDDPMPipeline, ShapedDDPMScheduler
from shapednoise.noise.process import ShapedProcess
from shapednoise.noise.schedulers import ShapedDDIMScheduler
from shapednoise.noise.shape import ShapeError, make_shape
from shapednoise.noise.strengths import at_strength, training_process
from tests.unit.noise.shapes import BETAS, LOW, SHAPES

STRENGTHS = [-0.4, 0.0, 0.3]
FREQUENCY_FIRST = {"operator": "sagd_powerlaw", "strength": 0.2, "times": SHAPES["sdm"]}
SHARES = ("bandpass", "white_to_blue")  # their strengths lie in 0..1
FAMILIES = {name: (shape, STRENGTHS) for name, shape in SHAPES.items() if name not in SHARES} | {
    "white_to_blue": (SHAPES["white_to_blue"], [0.0, 0.5, 1.0]),
    "bandpass": ({"operator": "sagd_bandpass", "low_band": LOW, "high_band": [0.4, 0.75]}, [0.0, 0.5, 1.0]),
    "frequency first": (FREQUENCY_FIRST, STRENGTHS),  # at 0 it is its factor alone, with fewer modes
}


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("name", [*FAMILIES, "blur"])
def test_a_mixed_batch_is_that_of_the_single_strengths(name, exact, prediction):
    shape, strengths = FAMILIES.get(name, ({"operator": "blur"}, [0.0, 1.0, 3.0]))
    mixed = training_process({**shape, "trained_strengths": strengths}, BETAS, exact, prediction)
    generator = torch.Generator().manual_seed(0)
    x0, white, output = torch.randn(3, 3, 3, 8, 8, generator=generator, dtype=torch.float64)
    timesteps = torch.tensor([3, 500, 999])
    times = timesteps + len(BETAS) * torch.arange(3)
    noise = mixed.shape_noise(white, times)
    losses = []
    for i, strength in enumerate(strengths):
        single = ShapedProcess(make_shape(**{**shape, "strength": strength}), BETAS, exact, prediction)
        one, t = slice(i, i + 1), timesteps[i : i + 1]
        own = single.shape_noise(white[one], t)
        target = single.target(x0[one], own, t)
        torch.testing.assert_close(noise[one], own)
        torch.testing.assert_close(mixed.whiten(white, times)[one], single.whiten(white[one], t))
        torch.testing.assert_close(mixed.add_noise(x0, noise, times)[one], single.add_noise(x0[one], own, t))
        torch.testing.assert_close(mixed.target(x0, noise, times)[one], target)
        losses.append(single.loss(output[one], target, t))
    loss = mixed.loss(output, mixed.target(x0, noise, times), times)
    torch.testing.assert_close(loss, torch.stack(losses).mean())


def network() -> UNet2DModel:
    torch.manual_seed(0)
    return UNet2DModel(
        8, layers_per_block=1, block_out_channels=(8,), norm_num_groups=4, class_embed_type="timestep",
        down_block_types=["DownBlock2D"], up_block_types=["UpBlock2D"],
    ).eval()  # fmt: skip


@pytest.mark.parametrize("kind", [ShapedDDPMScheduler, ShapedDDIMScheduler])
@pytest.mark.parametrize("name", FAMILIES)
@torch.no_grad()
def test_a_saved_pipeline_samples_at_any_trained_strength(tmp_path, name, kind):
    """As a loop does that has the scheduler of that strength and gives the label 1000 (s - s_min)."""
    shape, trained = FAMILIES[name]
    strength = 0.75 * trained[0] + 0.25 * trained[-1]  # also between those that were trained
    ShapedDDPMPipeline(network(), kind(shape={**shape, "strength": 0.0, "trained_strengths": trained})) \
        .save_pretrained(tmp_path)  # fmt: skip
    pipeline = ShapedDDPMPipeline.from_pretrained(tmp_path)
    images = pipeline(2, torch.Generator().manual_seed(1), 3, output_type="pt", strength=strength).images
    generator, scheduler = torch.Generator().manual_seed(1), kind(shape={**shape, "strength": strength})
    scheduler.set_timesteps(3)
    x = scheduler.prior(torch.randn(2, 3, 8, 8, generator=generator))
    labels = torch.full((2,), 1000 * (strength - trained[0]))
    for t in scheduler.timesteps:
        x = scheduler.step(pipeline.unet(x, t, labels).sample, t, x, generator=generator).prev_sample
    torch.testing.assert_close(images, (x / 2 + 0.5).clamp(0, 1))
    assert pipeline.scheduler.config["shape"]["strength"] == 0.0  # the pipeline is as it was
    other = pipeline(2, torch.Generator().manual_seed(1), 3, output_type="pt").images
    assert not torch.allclose(images, other, atol=1e-3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_network_of_many_strengths_may_have_any_dtype(tmp_path, dtype):
    shape = {**SHAPES["sdm"], "strength": 0.0, "trained_strengths": STRENGTHS}
    ShapedDDPMPipeline(network(), ShapedDDPMScheduler(shape=shape)).save_pretrained(tmp_path)
    loaded = ShapedDDPMPipeline.from_pretrained(tmp_path, torch_dtype=dtype)
    predicted = [
        unet(torch.ones(2, 3, 8, 8, dtype=unet.dtype), 500, torch.tensor([0.0, 400.0])).sample.double()
        for unet in (network(), loaded.unet)
    ]
    assert loaded.unet.dtype == dtype
    assert (predicted[1] - predicted[0]).std() < 0.02 * predicted[0].std()


@pytest.mark.parametrize("strength", [-0.41, 0.31])
def test_a_strength_outside_the_trained_range_is_refused_in_one_line(strength):
    scheduler = ShapedDDPMScheduler(shape={**SHAPES["sdm"], "trained_strengths": STRENGTHS})
    message = (
        rf"^the model was trained at strengths from -0.4 to 0.3, not at {strength}; use one in that range$"
    )
    with pytest.raises(ShapeError, match=message):
        ShapedDDPMPipeline(network(), scheduler)(strength=strength)


def test_a_model_of_one_strength_takes_no_other():
    with pytest.raises(
        ShapeError, match=r"^the model was trained at strength -0.4 alone; leave strength out$"
    ):
        at_strength(SHAPES["sdm"], 0.0)
