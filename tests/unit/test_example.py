"""The example of docs/noise.md: diffusers' training loop with three lines changed."""

import argparse
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDPMPipeline
from PIL import Image

from shapednoise import ShapedDDPMPipeline

PLAIN = {
    "ShapedDDPMScheduler(shape=args.shape)": "DDPMScheduler()",
    "noise = noise_scheduler.shape_noise(noise, timesteps)": "pass",
    "ShapedDDPMPipeline(unet=model, scheduler=noise_scheduler)": (
        "DDPMPipeline(unet=model, scheduler=noise_scheduler)"
    ),
}
SESSION = """
import torch, diffusers, shapednoise
pipeline = shapednoise.ShapedDDPMPipeline.from_pretrained({folder!r})
images = pipeline(3, torch.Generator().manual_seed(0), 4, output_type="np").images
assert images.shape == (3, 8, 8, 1) and 0 <= images.min() and images.max() <= 1
assert pipeline.scheduler.config["shape"]["operator"] == "sagd_powerlaw"
"""


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("example") / "images.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (16, 1, 8, 8), np.uint8))
    return path


def train(script: Path, images: Path, output: Path, *options: str) -> None:
    command = [sys.executable, str(script), "--images", str(images), "--output", str(output)]
    small = ["--channels", "8", "8", "--steps", "3", "--batch-size", "8"]
    done = subprocess.run([*command, *small, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
def test_three_changed_lines_train_a_shaped_model_that_loads_in_a_new_session(repository, images, tmp_path):
    script, model = repository / "examples" / "train_unconditional.py", tmp_path / "model"
    train(script, images, model, "--shape", '{"operator": "sagd_powerlaw", "strength": -0.2}')
    subprocess.run([sys.executable, "-c", SESSION.format(folder=str(model))], check=True, capture_output=True)


@pytest.mark.slow
def test_the_three_lines_are_all_that_differs_from_diffusers(repository, images, tmp_path):
    """Put back, with diffusers' classes, it trains the weights of ours with white noise, bit for bit."""
    text = (repository / "examples" / "train_unconditional.py").read_text()
    for ours, theirs in PLAIN.items():
        assert text.count(ours) == 1
        text = text.replace(ours, theirs)
    text = text.replace(
        "from shapednoise import ShapedDDPMPipeline, ShapedDDPMScheduler",
        "from diffusers import DDPMPipeline, DDPMScheduler",
    )
    assert "shapednoise" not in text
    plain = tmp_path / "plain.py"
    plain.write_text(text)
    train(plain, images, tmp_path / "a")
    train(repository / "examples" / "train_unconditional.py", images, tmp_path / "b")
    first = DDPMPipeline.from_pretrained(tmp_path / "a").unet.state_dict()
    second = ShapedDDPMPipeline.from_pretrained(tmp_path / "b").unet.state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    ("shape", "dtype", "settings", "message"),
    [
        ((7, 1, 8, 8), np.uint8, {}, "--batch-size 8 is outside 1..7"),
        ((0, 1, 8, 8), np.uint8, {}, "--batch-size 8 is outside 1..0"),
        ((8, 1, 8, 8), np.uint8, {"batch_size": 0}, "--batch-size 0 is outside 1..8"),
        ((8, 1, 8, 8), np.float32, {}, "holds float32 (8, 1, 8, 8), not uint8"),
        ((8, 8, 8), np.uint8, {}, "holds uint8 (8, 8, 8)"),
        ((8, 1, 7, 8), np.uint8, {}, "2 levels need sides that 2 divides"),
        ((8, 1, 8, 8), np.uint8, {"steps": 0}, "--steps 0 trains nothing"),
        (None, np.uint8, {}, "cannot be read"),
    ],
)
def test_what_makes_no_training_is_one_line(repository, tmp_path, shape, dtype, settings, message):
    file = tmp_path / "images.npy"
    if shape is not None:
        np.save(file, np.zeros(shape, dtype))
    example = runpy.run_path(str(repository / "examples" / "train_unconditional.py"))
    arguments = {"images": str(file), "batch_size": 8, "steps": 3, "channels": [8, 8]} | settings
    with pytest.raises(SystemExit) as stopped:
        example["load_images"](argparse.Namespace(**arguments))
    text = stopped.value.code
    assert text.startswith("error: ") and message in text and "\n" not in text


@pytest.mark.slow
def test_one_oblong_image_and_a_batch_of_one(repository, tmp_path):
    np.save(tmp_path / "images.npy", np.zeros((1, 1, 8, 12), np.uint8))
    script = repository / "examples" / "train_unconditional.py"
    train(script, tmp_path / "images.npy", tmp_path / "model", "--batch-size", "1")
    pipeline = ShapedDDPMPipeline.from_pretrained(tmp_path / "model")
    assert pipeline(1, num_inference_steps=2, output_type="pt").images.shape == (1, 1, 8, 12)


@pytest.mark.slow
def test_the_quickstart_draws_three_strengths_from_the_same_noise(repository, tmp_path):
    picture = tmp_path / "quickstart.png"
    command = [sys.executable, str(repository / "examples/quickstart.py"), "--output", str(picture)]
    subprocess.run(command, check=True, cwd=tmp_path)
    image = np.asarray(Image.open(picture), float)
    assert image.shape == (3 * 64, 16 * 64, 3)
    rows = image[::4, ::4].reshape(3, -1)
    assert (np.corrcoef(rows) > 0.8).all()
    deviations = rows.std(1)
    assert deviations[0] > deviations[1] > deviations[2]  # the more noise along v, the more variance is left
