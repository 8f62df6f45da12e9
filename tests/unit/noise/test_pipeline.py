"""The pipeline: saved and loaded as any of diffusers."""

import json
import subprocess
import sys

import pytest
import torch
from diffusers import (
    DDIMPipeline,
)

from shapednoise import (
    ShapedDDIMScheduler,
    ShapedDDPMPipeline,
    ShapedDDPMScheduler,
    ShapedDPMSolverScheduler,
)
from tests.unit.noise.shapes import SHAPES
from tests.unit.noise.test_schedulers import tiny_unet


def test_diffusers_own_pipeline_takes_a_shaped_scheduler():
    """DDIMPipeline passes eta and use_clipped_model_output to `step`."""
    pipeline = DDIMPipeline(tiny_unet(), ShapedDDIMScheduler(shape=SHAPES["sdm"]))
    pipeline.scheduler = ShapedDDIMScheduler(shape=SHAPES["sdm"])
    pipeline.set_progress_bar_config(disable=True)
    images = pipeline(2, torch.Generator().manual_seed(0), num_inference_steps=3, output_type="np").images
    assert images.shape == (2, 8, 8, 3)


@pytest.mark.slow
def test_a_saved_pipeline_samples_in_three_lines_of_a_new_session(tmp_path):
    pipeline = ShapedDDPMPipeline(tiny_unet(), ShapedDDPMScheduler(shape=SHAPES["sdm"]))
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
    assert saved["shape"]["strength"] == -0.4


@pytest.mark.parametrize("kind", [ShapedDDIMScheduler, ShapedDPMSolverScheduler])
def test_a_saved_pipeline_keeps_its_sampler_and_its_shape(tmp_path, kind):
    pipeline = ShapedDDPMPipeline(tiny_unet(), kind(shape=SHAPES["product"]))
    pipeline.save_pretrained(tmp_path)
    loaded = ShapedDDPMPipeline.from_pretrained(tmp_path)
    assert type(loaded.scheduler) is kind
    assert loaded.scheduler.config["shape"] == pipeline.scheduler.config["shape"]
    images = [p(2, torch.Generator().manual_seed(1), 3, output_type="pt").images for p in (pipeline, loaded)]
    assert torch.equal(*images)


def test_output_types():
    pipeline = ShapedDDPMPipeline(tiny_unet(), ShapedDDPMScheduler())
    tensors = pipeline(2, torch.Generator().manual_seed(0), 2, output_type="pt").images
    arrays = pipeline(2, torch.Generator().manual_seed(0), 2, output_type="np").images
    pictures = pipeline(2, torch.Generator().manual_seed(0), 2).images
    assert tensors.shape == (2, 3, 8, 8) and tensors.min() >= 0 and tensors.max() <= 1
    assert arrays.shape == (2, 8, 8, 3)
    assert pictures[0].size == (8, 8)
