"""Sampling: image i is a function of (seed, i), whatever the batch and whatever the strength."""

import numpy as np
import pytest
import torch

from shapednoise.data.scale import to_uint8
from shapednoise.model import build_unet
from shapednoise.noise.schedulers import ShapedDDPMScheduler
from shapednoise.sample import image_generators, sample, sampling_scheduler
from shapednoise.settings.sampling import SamplerSettings
from shapednoise.settings.training import UNetSettings

SETTINGS = SamplerSettings(steps=5, images=10)


@pytest.fixture(scope="module")
def unet():
    torch.manual_seed(0)
    return build_unet(UNetSettings(channels=(8, 8), layers_per_block=1, norm_groups=4), 8).eval()


def draw(unet, axis, settings=SETTINGS, strength=-0.4, batch_size=10):
    trained = ShapedDDPMScheduler(operator="sdm", strength=strength, axis=axis)
    images = np.zeros((settings.images, 3, 8, 8), np.uint8)

    def store(first, batch):
        images[first : first + len(batch)] = batch

    trajectory = sample(unet, sampling_scheduler(trained, settings), settings, store, batch_size)
    return images, trajectory.as_arrays()


def test_the_batch_size_does_not_change_the_images(unet, axis):
    whole, _ = draw(unet, axis)
    parts, _ = draw(unet, axis, batch_size=3)
    assert np.abs(whole.astype(int) - parts).max() <= 1  # a rounding in the last digit at most
    assert (whole == parts).mean() > 0.999


def test_more_images_begin_with_the_same_ones(unet, axis):
    few, _ = draw(unet, axis)
    more, _ = draw(unet, axis, SETTINGS.model_copy(update={"images": 14}), batch_size=7)
    assert (more[:10] == few).mean() > 0.999


def test_the_starting_noise_is_the_same_at_every_strength(axis):
    def start(strength):
        scheduler = ShapedDDPMScheduler(operator="sdm", strength=strength, axis=axis)
        white = torch.stack([torch.randn(3, 8, 8, generator=g) for g in image_generators(0, range(4))])
        return scheduler.process.whiten(scheduler.prior(white), 999)

    assert torch.allclose(start(-0.4), start(0.4), atol=1e-5)


def test_no_two_images_share_their_noise():
    seeds = {generator.initial_seed() for generator in image_generators(3, range(50_000))}
    assert len(seeds) == 50_000
    assert seeds.isdisjoint(g.initial_seed() for g in image_generators(4, range(1000)))


def test_the_trajectory_ends_at_the_images(unet, axis):
    images, trajectory = draw(unet, axis)
    assert trajectory["frames"].shape == (5, 8, 3, 8, 8)
    assert trajectory["timesteps"].tolist() == [800, 600, 400, 200, 0]
    np.testing.assert_array_equal(trajectory["frames"][-1], images[:8])


def test_rounding_is_to_the_nearest():
    x = torch.tensor([-2.0, -1.0, -1 + 1.4 / 255, 0.0, 1.0, 3.0])
    assert to_uint8(x).tolist() == [0, 0, 1, 128, 255, 255]


@pytest.mark.parametrize("clamp", ["whitened", "data", "off"])
@pytest.mark.parametrize("reading", ["published", "equations", "exact"])
def test_a_sampler_sets_the_scheduler(axis, reading, clamp):
    trained = ShapedDDPMScheduler(operator="hdm", strength=0.2, axis=axis)
    settings = SamplerSettings(
        reading=reading, clamp=clamp, steps=20, spacing="trailing", variance="fixed_large"
    )
    made = sampling_scheduler(trained, settings)
    config = made.config
    assert (config.operator, config.strength, config.axis) == ("hdm", 0.2, axis)
    assert (config.clip_sample, config.clip_data) == (clamp == "whitened", clamp == "data")
    assert (config.reading, config.timestep_spacing, config.variance_type) == (
        reading,
        "trailing",
        "fixed_large",
    )
    assert len(made.timesteps) == 20
