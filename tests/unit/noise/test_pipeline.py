"""The pipeline: it does what those of diffusers do, with the shaped prior; saved and loaded as they are."""

import json
import os
import subprocess
import sys
import warnings

import accelerate
import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DDPMPipeline, DDPMScheduler

from shapednoise import (
    ShapedDDIMScheduler,
    ShapedDDPMPipeline,
    ShapedDDPMScheduler,
    ShapedDPMSolverScheduler,
)
from shapednoise.noise import PIPELINE_CODE
from tests.unit.noise.shapes import SHAPES
from tests.unit.noise.test_schedulers import tiny_unet

KINDS = (ShapedDDPMScheduler, ShapedDDIMScheduler, ShapedDPMSolverScheduler)
CPU = torch.device("cpu")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def shaped_pipeline(scheduler=None, unet=None) -> ShapedDDPMPipeline:
    pipeline = ShapedDDPMPipeline(unet or tiny_unet(), scheduler or ShapedDDPMScheduler(shape=SHAPES["sdm"]))
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def latent(pipeline, **options) -> torch.Tensor:
    return pipeline(2, seeded(), 4, output_type="latent", **options).images


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_network_of_any_dtype_gives_about_the_same_images(tmp_path, kind, dtype):
    """The state is never of less than float32, so that only the network's rounding is left."""
    pipeline = shaped_pipeline(kind(shape=SHAPES["product"]))
    expected = latent(pipeline)
    pipeline.save_pretrained(tmp_path)
    loaded = ShapedDDPMPipeline.from_pretrained(tmp_path, torch_dtype=dtype)
    images = latent(loaded)
    assert torch.equal(images, latent(pipeline.to(dtype)))
    assert images.dtype == torch.promote_types(dtype, torch.float32)
    if dtype != torch.float64:  # which draws other random numbers
        assert (images - expected).std() < 0.05 * expected.std()
    assert loaded(1, seeded(), 2).images[0].size == (8, 8)


def offload_by_accelerate(pipeline) -> None:
    """What enable_sequential_cpu_offload does, which accelerate cannot do twice without a GPU."""
    accelerate.cpu_offload(pipeline.unet, execution_device=CPU)


@pytest.mark.parametrize(
    "offload",
    [
        offload_by_accelerate,
        lambda pipeline: pipeline.enable_model_cpu_offload(device="cpu"),
        lambda pipeline: pipeline.enable_group_offload(CPU, CPU, offload_type="leaf_level"),
    ],
)
def test_an_offloaded_network_draws_the_same_images_twice(offload):
    """Weights lie on the meta device, or wherever; noise is drawn on the execution device."""
    pipeline = shaped_pipeline()
    expected = latent(pipeline)
    offload(pipeline)
    for _ in range(2):
        assert torch.equal(latent(pipeline), expected)


def test_offloaded_weights_are_freed_at_the_end(monkeypatch):
    pipeline, freed = shaped_pipeline(), []
    monkeypatch.setattr(pipeline, "maybe_free_model_hooks", lambda: freed.append(True))
    latent(pipeline)
    assert freed == [True]


def test_what_diffusers_own_pipelines_can_be_asked(capsys):
    pipeline = shaped_pipeline()
    expected = latent(pipeline)
    pipeline.set_progress_bar_config(disable=False)
    assert torch.equal(pipeline(2, seeded(), 4, output_type="latent", return_dict=False)[0], expected)
    assert "4/4" in capsys.readouterr().err
    pipeline.set_progress_bar_config(disable=True)
    tensors = pipeline(2, seeded(), 4, output_type="pt").images
    assert torch.allclose(tensors, (expected / 2 + 0.5).clamp(0, 1))
    arrays = pipeline(2, seeded(), 4, output_type="np").images
    assert np.array_equal(arrays, tensors.permute(0, 2, 3, 1).numpy())
    pictures = pipeline(2, seeded(), 4).images
    assert np.array_equal(np.array(pictures[1]), (arrays[1] * 255).round().astype(np.uint8))
    assert capsys.readouterr().err == ""


def test_a_list_of_generators_makes_each_image_its_own():
    pipeline = shaped_pipeline()
    together = pipeline(3, [seeded(i) for i in range(3)], 4, output_type="latent").images
    alone = pipeline(1, [seeded(2)], 4, output_type="latent").images
    assert torch.allclose(together[2], alone[0], atol=1e-5)


def test_the_callback_sees_and_replaces_the_state():
    pipeline, seen = shaped_pipeline(), []

    def callback(caller, index, timestep, inputs):
        seen.append((caller is pipeline, index, timestep, tuple(inputs["latents"].shape)))
        return {"latents": torch.zeros_like(inputs["latents"])} if index == 3 else None

    assert not latent(pipeline, callback_on_step_end=callback).any()
    assert seen == [(True, i, t, (2, 3, 8, 8)) for i, t in enumerate([750, 500, 250, 0])]
    inputs: list = []
    latent(
        pipeline,
        callback_on_step_end=lambda *arguments: inputs.append(arguments[3]),
        callback_on_step_end_tensor_inputs=[],
    )
    assert inputs == [{}] * 4


def test_eta_is_that_of_ddim():
    """eta = 0 is deterministic given the prior, eta = 1 is not, None is that of the config."""
    pipeline = shaped_pipeline(ShapedDDIMScheduler(shape=SHAPES["sdm"], eta=1.0))
    ancestral = latent(pipeline)
    assert torch.equal(latent(pipeline, eta=1.0), ancestral)
    pipeline.scheduler = ShapedDDIMScheduler(shape=SHAPES["sdm"])
    assert torch.equal(latent(shaped_pipeline(pipeline.scheduler), eta=0.0), latent(pipeline))
    assert not torch.allclose(latent(pipeline), ancestral, atol=1e-2)


@pytest.mark.parametrize("size", [(8, 12), [10, 6]])
@pytest.mark.parametrize("name", ["sdm", "bandpass", "product"])
def test_sizes_need_not_be_square(size, name):
    pipeline = shaped_pipeline(ShapedDDPMScheduler(shape=SHAPES[name]), tiny_unet(sample_size=size))
    assert latent(pipeline).shape == (2, 3, *size)


def test_odd_sizes():
    blocks = {"down_block_types": ("DownBlock2D",), "up_block_types": ("UpBlock2D",)}
    unet = tiny_unet(sample_size=(7, 5), block_out_channels=(8,), **blocks)
    images = latent(shaped_pipeline(ShapedDDPMScheduler(shape=SHAPES["product"]), unet))
    assert bool(torch.isfinite(images).all()) and images.shape == (2, 3, 7, 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output_type": "jpeg"}, "output_type 'jpeg'"),
        ({"eta": 0.5}, "ShapedDDPMScheduler has no eta"),
        ({"callback_on_step_end_tensor_inputs": ["prompt_embeds"]}, "latents"),
        ({"generator": [seeded()]}, "1 generators for 2 images"),
        ({"num_inference_steps": 0}, "num_inference_steps is 0"),
        ({"batch_size": 0}, "batch_size 0"),
        ({"batch_size": 1.5}, "batch_size 1.5"),
        ({"generator": 42}, r"give torch.Generator\(\).manual_seed\(42\)"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        shaped_pipeline()(**({"batch_size": 2} | options))


def test_a_shape_that_is_no_description_is_named():
    with pytest.raises(ValueError, match="a noise shape is a mapping, not 'sdm'"):
        ShapedDDPMScheduler(shape="sdm")
    with pytest.raises(ValueError, match="give another operator"):
        ShapedDDPMScheduler(shape={"strength": 1})


def test_a_plain_scheduler_is_refused_before_the_call():
    with pytest.raises(ValueError, match="DDPMScheduler is not shaped; use convert_scheduler"):
        ShapedDDPMPipeline(tiny_unet(), DDPMScheduler())
    pipeline = shaped_pipeline()
    with pytest.raises(ValueError, match="DDIMScheduler is not shaped"):
        pipeline.scheduler = DDIMScheduler()


def test_diffusers_own_pipeline_says_that_it_starts_from_white_noise():
    pipeline = DDPMPipeline(tiny_unet(), ShapedDDPMScheduler(shape=SHAPES["sdm"]))
    pipeline.set_progress_bar_config(disable=True)
    with pytest.warns(UserWarning, match="start from scheduler.prior") as caught:
        for seed in range(2):
            pipeline(8, seeded(seed), num_inference_steps=3, output_type="np")
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        latent(shaped_pipeline())


def test_the_conversion_to_plain_ddim_says_that_the_shape_is_lost(caplog):
    """DDIMPipeline makes a DDIMScheduler of any other, by from_config; diffusers warns of what it ignores."""
    DDIMScheduler.from_config(ShapedDDIMScheduler(shape=SHAPES["sdm"]).config)
    assert "'strength': -0.4" in caplog.text and "will be ignored" in caplog.text


GENERIC = """
import sys, torch
from diffusers import DDPMPipeline, DiffusionPipeline
for kind in (DiffusionPipeline, DDPMPipeline):
    try:
        kind.from_pretrained(sys.argv[1])
    except ValueError as error:
        for named in ("trust_remote_code=True", "from_shapednoise_import_ShapedDDPMPipeline"):
            assert named in str(error), error
    else:
        raise AssertionError("loaded without a word")
    pipeline = kind.from_pretrained(sys.argv[1], trust_remote_code=True)
    assert type(pipeline).__name__ == "ShapedDDPMPipeline"
    images = pipeline(2, torch.Generator().manual_seed(0), 4, output_type="latent").images
torch.save(images, sys.argv[2])
"""


@pytest.mark.slow
def test_generic_loading_names_flag_and_import_and_works_with_the_flag(tmp_path):
    """Without an import of shapednoise; nothing in the folder is run by ShapedDDPMPipeline itself."""
    pipeline, folder = shaped_pipeline(), tmp_path / "model"
    pipeline.save_pretrained(folder)
    environment = os.environ | {"HF_MODULES_CACHE": str(tmp_path / "modules")}
    command = [sys.executable, "-c", GENERIC, folder, tmp_path / "images.pt"]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    assert torch.equal(torch.load(tmp_path / "images.pt"), latent(pipeline))
    for name in PIPELINE_CODE:
        (folder / name).write_text("raise RuntimeError('this file was run')")
    assert type(ShapedDDPMPipeline.from_pretrained(folder)) is ShapedDDPMPipeline


@pytest.mark.slow
def test_a_saved_pipeline_samples_in_three_lines_of_a_new_session(tmp_path):
    pipeline = shaped_pipeline()
    pipeline.save_pretrained(tmp_path)
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
    assert saved["shape"]["strength"] == -0.4


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_pipeline_keeps_its_sampler_and_its_shape(tmp_path, kind):
    pipeline = shaped_pipeline(kind(shape=SHAPES["product"]))
    pipeline.save_pretrained(tmp_path)
    loaded = ShapedDDPMPipeline.from_pretrained(tmp_path)
    assert type(loaded.scheduler) is kind
    assert loaded.scheduler.config["shape"] == pipeline.scheduler.config["shape"]
    assert torch.equal(latent(loaded), latent(pipeline))
