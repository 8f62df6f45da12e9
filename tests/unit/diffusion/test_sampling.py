"""Sampling: image i is a function of (seed, i), whatever the batch and whatever the strength."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from shapednoise.config.sampling import SamplerSettings
from shapednoise.config.training import UNetSettings
from shapednoise.data.images import to_uint8
from shapednoise.diffusion.network import build_unet
from shapednoise.diffusion.sampling import (
    CPU_BATCH,
    BatchSampler,
    image_generators,
    sample,
    sampling_scheduler,
)
from shapednoise.errors import UserError
from shapednoise.noise.schedulers import (
    ShapedDDIMScheduler,
    ShapedDDPMScheduler,
    ShapedDPMSolverScheduler,
)
from shapednoise.resumable import ResumableArrays

SETTINGS = SamplerSettings(steps=5, images=10)


@pytest.fixture(scope="module")
def unet():
    torch.manual_seed(0)
    return build_unet(UNetSettings(channels=(8, 8), layers_per_block=1, norm_groups=4), 8).eval()


def draw(unet, axis, settings=SETTINGS, strength=-0.4, batch_size=10, work=None):
    """The images, and all arrays that are drawn."""
    trained = ShapedDDPMScheduler(shape={"operator": "sdm", "strength": strength, "axis": axis})
    scheduler = sampling_scheduler(trained, settings)
    drawn = sample(BatchSampler(unet, scheduler, settings, batch_size), work)
    return drawn["images"], drawn


def test_the_batch_size_does_not_change_the_images(unet, axis):
    whole, _ = draw(unet, axis)
    parts, _ = draw(unet, axis, batch_size=3)
    assert np.abs(whole.astype(int) - parts).max() <= 1  # a rounding in the last digit at most
    assert (whole == parts).mean() > 0.999


@pytest.mark.parametrize("method", ["ancestral", "ddim", "dpm_solver"])
def test_only_the_network_rounds_otherwise_in_batches_of_other_sizes(unet, axis, monkeypatch, method):
    """With a network of pixels alone, all is the same bit for bit, before it is rounded to bytes."""
    monkeypatch.setattr("shapednoise.diffusion.sampling.to_uint8", lambda x: x)
    monkeypatch.setattr(unet, "forward", lambda x, t, **_: SimpleNamespace(sample=torch.tanh(x)))
    settings = SETTINGS.model_copy(update={"method": method, "images": 14})
    trained = ShapedDDPMScheduler(shape={"operator": "sdm", "strength": -0.4, "axis": axis})
    whole, parts = (
        BatchSampler(unet, sampling_scheduler(trained, settings), settings, size).images(range(14))
        for size in (14, 4)
    )
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(parts, whole)


def test_more_images_begin_with_the_same_ones(unet, axis):
    few, _ = draw(unet, axis)
    more, _ = draw(unet, axis, SETTINGS.model_copy(update={"images": 14}), batch_size=7)
    assert (more[:10] == few).mean() > 0.999


def test_the_starting_noise_is_the_same_at_every_strength(axis):
    def start(strength):
        scheduler = ShapedDDPMScheduler(shape={"operator": "sdm", "strength": strength, "axis": axis})
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
@pytest.mark.parametrize(
    ("method", "kind", "own"),
    [
        ("ancestral", ShapedDDPMScheduler, {"variance_type": "fixed_large"}),
        ("ddim", ShapedDDIMScheduler, {"eta": 0.3}),
        ("dpm_solver", ShapedDPMSolverScheduler, {}),
    ],
)
def test_a_sampler_sets_the_scheduler(axis, reading, clamp, method, kind, own):
    shape = {"operator": "hdm", "strength": 0.2, "axis": axis}
    trained = ShapedDDPMScheduler(shape=shape, beta_end=0.03)
    settings = SamplerSettings(
        method=method, reading=reading, clamp=clamp, steps=20, spacing="trailing", variance="fixed_large",
        eta=0.3,
    )  # fmt: skip
    made = sampling_scheduler(trained, settings)
    config = made.config
    assert type(made) is kind
    assert config["shape"] == shape | {"version": 1}
    assert (config.clip_sample, config.clip_data) == (clamp == "whitened", clamp == "data")
    assert (config.reading, config.timestep_spacing, config.beta_end) == (reading, "trailing", 0.03)
    assert {name: config[name] for name in own} == own
    assert len(made.timesteps) == 20


@pytest.mark.parametrize("method", ["ddim", "dpm_solver"])
def test_every_method_draws_images_that_do_not_depend_on_the_batch(unet, axis, method):
    settings = SamplerSettings(method=method, steps=4, images=6, spacing="trailing")
    whole, trajectory = draw(unet, axis, settings)
    parts, _ = draw(unet, axis, settings, batch_size=4)
    assert np.abs(whole.astype(int) - parts).max() <= 1
    assert whole.std() > 10 and trajectory["timesteps"].tolist() == [999, 749, 499, 249]


def test_names_of_samplers_tell_their_settings_apart():
    ddim = SamplerSettings(method="ddim", eta=0.5, reading="exact", images=10)
    assert ddim.slug == "ddim50-leading-eta0.5-exact-off-n10"
    solver = SamplerSettings(method="dpm_solver", steps=20, spacing="trailing", images=10)
    assert solver.slug == "dpm_solver20-trailing-published-whitened-n10"
    assert SamplerSettings(images=10).slug == "ancestral50-leading-small-published-whitened-n10"


def test_interrupted_sampling_continues_to_the_same_images_and_trajectory(unet, axis, tmp_path, monkeypatch):
    settings = SamplerSettings(steps=2, images=2 * CPU_BATCH + 5)
    _, whole = draw(unet, axis, settings, batch_size=CPU_BATCH)
    images, drawn = BatchSampler.images, []

    def killed_at_the_second(self, indices, watch=None):
        drawn.append(indices.start)
        if drawn == [0, CPU_BATCH]:
            raise SystemExit
        return images(self, indices, watch)

    monkeypatch.setattr(BatchSampler, "images", killed_at_the_second)
    with pytest.raises(SystemExit):
        draw(
            unet,
            axis,
            settings,
            batch_size=CPU_BATCH,
            work=ResumableArrays(settings.images, tmp_path, "same"),
        )
    _, resumed = draw(
        unet, axis, settings, batch_size=CPU_BATCH, work=ResumableArrays(settings.images, tmp_path, "same")
    )
    assert drawn == [0, CPU_BATCH, CPU_BATCH, 2 * CPU_BATCH]
    for name in ("images", "timesteps", "frames"):
        np.testing.assert_array_equal(resumed[name], whole[name])


@pytest.mark.parametrize("method", ["ancestral", "dpm_solver"])
def test_out_of_memory_halves_the_batch_and_leaves_the_images_the_same(unet, axis, caplog, method):
    """PyTorch's own error, from the network, in the middle of a trajectory of more than three images."""
    settings = SamplerSettings(method=method, steps=4, images=10, spacing="trailing")
    whole, trajectory = draw(unet, axis, settings)

    def too_many(module, arguments):
        if len(arguments[0]) > 3 and int(arguments[1][0]) < 600:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    hook = unet.register_forward_pre_hook(too_many)
    halved, frames = draw(unet, axis, settings)
    hook.remove()
    said = [record.getMessage() for record in caplog.records]
    assert said == [f"out of memory: sampling continues with {n} images at a time" for n in (5, 2)]
    assert np.abs(whole.astype(int) - halved).max() <= 1
    assert frames["timesteps"].tolist() == trajectory["timesteps"].tolist()


@pytest.mark.slow
def test_a_compiled_sampler_is_compiled_once(unet, axis, monkeypatch):
    """Whatever the timestep; a backend that runs the graph as it is counts."""
    graphs = []

    def counting(graph, inputs):
        graphs.append(graph)
        return graph.forward

    make = torch.compile
    monkeypatch.setattr(
        torch, "compile", lambda network, **options: make(network, backend=counting, **options)
    )
    settings = SamplerSettings(steps=20, images=6)
    plain, _ = draw(unet, axis, settings, batch_size=6)
    trained = ShapedDDPMScheduler(shape={"operator": "sdm", "strength": -0.4, "axis": axis})
    sampler = BatchSampler(unet, sampling_scheduler(trained, settings), settings, 6, compile="on")
    made = len(graphs)
    drawn = sample(sampler)
    assert made >= 1 and len(graphs) == made
    assert np.abs(drawn["images"].astype(int) - plain).max() <= 1


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), UserError, "out of memory while sampling one image"),
        (RuntimeError("shape mismatch"), RuntimeError, "shape mismatch"),
    ],
)
def test_if_not_even_one_image_fits_or_the_network_is_broken_that_is_said(unet, axis, error, kind, said):
    def broken(module, arguments):
        raise error

    hook = unet.register_forward_pre_hook(broken)
    with pytest.raises(kind, match=said):
        draw(unet, axis)
    hook.remove()


def test_images_between_two_records_are_whole_batches():
    """So that a compiled network sees one size, but for the last."""
    sizes = []

    class Sampler:
        settings, batch_size, device = SETTINGS.model_copy(update={"images": 320}), 50, torch.device("cpu")

        def images(self, indices, watch=None):
            sizes.append(len(indices))
            if watch:
                watch(0, torch.zeros(len(indices), 3, 8, 8))
            return np.zeros((len(indices), 3, 8, 8), np.uint8)

    assert len(sample(Sampler())["images"]) == 320
    assert sizes == [150, 150, 20]
