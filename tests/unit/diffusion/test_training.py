"""Training: the published network, the data order, and a resume that changes nothing."""

import math
import signal

import numpy as np
import pytest
import torch

from shapednoise.config.sampling import SamplerSettings
from shapednoise.config.training import TrainingSettings
from shapednoise.data.images import load_images, on_device
from shapednoise.diffusion import training as train_module
from shapednoise.diffusion.checkpoints import Checkpoints
from shapednoise.diffusion.network import build_unet
from shapednoise.diffusion.sampling import BatchSampler, sample, sampling_scheduler
from shapednoise.diffusion.training import Training, derive_seed, train
from shapednoise.errors import Interrupted, UserError
from shapednoise.noise.process import ShapedProcess, linear_betas
from shapednoise.noise.schedulers import ShapedDDPMScheduler
from shapednoise.noise.shape import make_shape
from shapednoise.noise.strengths import training_process
from shapednoise.workflow.project import load_config

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 3, 8, 8), np.uint8)
TINY = TrainingSettings(
    unet={"channels": (8, 8), "layers_per_block": 1, "norm_groups": 4},
    epochs=3,
    batch_size=6,
    warmup_steps=2,
    learning_rate=1e-3,
)

MADE_BY = {"settings or images": "s", "code": "c", "torch": torch.__version__}


def training(
    axis, seed: int = 0, settings: TrainingSettings = TINY, images=IMAGES, strengths=None
) -> Training:
    """strengths: of one network that learns them all."""
    shape = {"operator": "sdm", "strength": -0.4, "axis": axis, "trained_strengths": strengths}
    process = training_process(shape, linear_betas(1e-4, 0.02, 1000), exact=False)
    return Training(images, process, settings, seed, torch.device("cpu"))


@pytest.mark.parametrize("kind", ["epsilon", "sample", "v_prediction"])
def test_the_loss_is_against_what_the_process_says_is_predicted(axis, kind):
    """One step of a network that outputs 0: the loss is the mean square of the target."""
    shape = make_shape("sdm", strength=-0.4, axis=axis)
    process = ShapedProcess(shape, linear_betas(1e-4, 0.02, 1000), False, kind)
    run = Training(IMAGES, process, TINY, 0, torch.device("cpu"))
    torch.nn.init.zeros_(run.unet.conv_out.weight)
    torch.nn.init.zeros_(run.unet.conv_out.bias)
    x0, timesteps, white = run._draw()
    target = process.target(x0, process.shape_noise(white, timesteps), timesteps)
    loss, _ = run.train_step()
    assert loss.item() == pytest.approx(target.square().mean().item(), rel=1e-5)


def weights(run: Training) -> list[torch.Tensor]:
    return [parameter.clone() for parameter in run.ema_unet().parameters()]


def finished(axis, tmp_path, **options) -> list[torch.Tensor]:
    run = training(axis, **options)
    train(run, Checkpoints(tmp_path / "unused", MADE_BY))
    assert run.step == 10
    return weights(run)


@pytest.mark.slow
def test_the_published_network_has_about_101_million_parameters(repository):
    settings = load_config(repository / "config.yaml").recipes["paper"].training.unet
    unet = build_unet(settings, 32)
    assert sum(p.numel() for p in unet.parameters()) == pytest.approx(101e6, rel=0.02)
    attention = [name for name, _ in unet.named_modules() if name.endswith("attentions")]
    assert attention == ["down_blocks.3.attentions", "up_blocks.0.attentions", "mid_block.attentions"]


@pytest.mark.parametrize("stop_at", [1, 4, 9])
def test_an_interrupted_training_continues_to_the_same_weights(axis, tmp_path, monkeypatch, stop_at):
    expected = finished(axis, tmp_path)
    checkpoints = Checkpoints(tmp_path / "checkpoints", MADE_BY)
    first = training(axis)
    steps = Training.train_step

    def stop_in_the_middle(self):
        if self.step + 1 == stop_at:
            signal.raise_signal(signal.SIGINT)
        return steps(self)

    monkeypatch.setattr(Training, "train_step", stop_in_the_middle)
    with pytest.raises(Interrupted, match=f"after step {stop_at}") as caught:
        train(first, checkpoints)
    assert caught.value.exit_code == 130
    monkeypatch.setattr(Training, "train_step", steps)
    second = training(axis)
    train(second, checkpoints)
    assert second.step == 10
    assert all(torch.equal(a, b) for a, b in zip(weights(second), expected, strict=True))


def test_a_signal_that_comes_after_the_look_for_one_ends_the_next_step(axis, tmp_path, monkeypatch):
    """The checkpoint is that of the step that the message names."""
    checkpoints = Checkpoints(tmp_path / "checkpoints", MADE_BY)

    def signalled(steps, seconds):
        if steps == 3:
            signal.raise_signal(signal.SIGUSR1)
        return False

    monkeypatch.setattr(checkpoints, "due", signalled)
    with pytest.raises(Interrupted, match="after step 4; run again to continue from there") as caught:
        train(training(axis), checkpoints)
    assert caught.value.exit_code == 138
    assert [path.name[:9] for path in checkpoints.folder.iterdir()] == ["000000004"]


def test_a_signal_during_the_last_step_loses_nothing(axis, tmp_path, monkeypatch):
    expected = finished(axis, tmp_path)
    steps = Training.train_step

    def signalled_at_the_end(self):
        if self.step == 9:
            signal.raise_signal(signal.SIGTERM)
        return steps(self)

    monkeypatch.setattr(Training, "train_step", signalled_at_the_end)
    run = training(axis)
    train(run, Checkpoints(tmp_path / "checkpoints", MADE_BY))
    assert all(torch.equal(a, b) for a, b in zip(weights(run), expected, strict=True))


def killed_after(axis, monkeypatch, checkpoints: Checkpoints, step: int, **options) -> None:
    """A training that ends without a word after this step."""
    steps = Training.train_step

    def killed(self):
        if self.step == step:
            raise SystemExit
        return steps(self)

    monkeypatch.setattr(Training, "train_step", killed)
    with pytest.raises(SystemExit):
        train(training(axis, **options), checkpoints)
    monkeypatch.setattr(Training, "train_step", steps)


@pytest.mark.parametrize("strengths", [None, [-0.4, 0.0, 0.4]])
def test_a_periodic_checkpoint_continues_to_the_same_weights(axis, tmp_path, monkeypatch, strengths):
    """A process that is killed leaves its last two periodic checkpoints; snapshots are among what it did."""
    options = {"settings": TINY.model_copy(update={"snapshots": (1, 2)}), "strengths": strengths}
    whole = training(axis, **options)
    train(whole, Checkpoints(tmp_path / "unused", MADE_BY))
    checkpoints = Checkpoints(tmp_path / "checkpoints", MADE_BY, every_steps=2)
    killed_after(axis, monkeypatch, checkpoints, 7, **options)
    assert [path.name[:9] for path in sorted(checkpoints.folder.iterdir())] == ["000000004", "000000006"]
    second = training(axis, **options)
    train(second, Checkpoints(tmp_path / "checkpoints", MADE_BY))
    for epoch in (1, 2, None):
        expected = [parameter.clone() for parameter in whole.ema_unet(epoch).parameters()]
        assert all(
            torch.equal(a, b) for a, b in zip(second.ema_unet(epoch).parameters(), expected, strict=True)
        )


def test_a_snapshot_is_the_average_after_its_epoch(axis, tmp_path):
    run = training(axis, settings=TINY.model_copy(update={"snapshots": (1,)}))
    train(run, Checkpoints(tmp_path / "unused", MADE_BY))
    stopped = training(axis)
    for _ in range(4):  # 20 images in batches of 6
        stopped.train_step()
    for average, weight in zip(weights(stopped), run.ema_unet(1).parameters(), strict=True):
        assert torch.equal(average, weight)


def test_every_image_has_a_strength_of_its_own_and_the_network_is_told_it(axis):
    """Noise of a step as that of each image's strength alone; all strengths come up alike."""
    strengths = [-0.4, 0.0, 0.4]
    run = training(axis, strengths=strengths, settings=TINY.model_copy(update={"batch_size": 300}))
    told, noises = [], []
    run.unet.register_forward_pre_hook(lambda module, arguments: told.append(arguments))
    target = run.process.target
    run.process.target = lambda x0, noise, times: noises.append(noise) or target(x0, noise, times)
    _, timesteps, white = run._draw()
    run.train_step()
    [(_, times, labels)], [noise] = told, noises
    assert torch.equal(times, timesteps)
    for strength in strengths:
        chosen = torch.isclose(labels, torch.tensor(1000 * (strength + 0.4)))
        single = training_process(
            {"operator": "sdm", "strength": strength, "axis": axis}, run.process.betas, False
        )
        torch.testing.assert_close(noise[chosen], single.shape_noise(white[chosen], timesteps[chosen]))
        assert 70 < chosen.sum() < 130


@pytest.mark.parametrize("every", [1, 3, 4])  # in the middle of a row of the curve, and at its end
def test_the_curve_of_an_interrupted_training_is_that_of_the_undisturbed(axis, tmp_path, monkeypatch, every):
    monkeypatch.setattr(train_module, "LOG_STEPS", 4)
    whole = training(axis)
    train(whole, Checkpoints(tmp_path / "unused", MADE_BY))
    checkpoints = Checkpoints(tmp_path / "checkpoints", MADE_BY, every_steps=every)
    killed_after(axis, monkeypatch, checkpoints, 7)
    second = training(axis)
    train(second, checkpoints)
    rows = [[{**row, "images_per_second": 0} for row in run.record.rows] for run in (whole, second)]
    assert rows[0] == rows[1]
    assert [row["step"] for row in rows[0]] == [4, 8, 10]


def turn_a_byte(path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


HARMS = {
    "torn in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "one bit turned": turn_a_byte,
    "renamed": lambda path: path.rename(path.with_name("000000006-0123456789abcdef.pt")),
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_checkpoint_is_said_and_the_one_before_it_used(axis, tmp_path, monkeypatch, caplog, harm):
    caplog.set_level("INFO", "shapednoise")
    checkpoints = Checkpoints(tmp_path / "checkpoints", MADE_BY, every_steps=2)
    killed_after(axis, monkeypatch, checkpoints, 7)
    HARMS[harm](max(checkpoints.folder.iterdir()))
    second = training(axis)
    train(second, Checkpoints(tmp_path / "checkpoints", MADE_BY))
    said = [record.getMessage() for record in caplog.records]
    assert "is damaged" in said[0] and "000000006-" in said[0] and "is not used" in said[0]
    assert said[1] == "continuing from step 4 of 10"
    assert all(torch.equal(a, b) for a, b in zip(weights(second), finished(axis, tmp_path), strict=True))


@pytest.mark.parametrize("other", ["settings or images", "code"])
def test_a_checkpoint_of_something_else_is_said_and_not_used(axis, tmp_path, monkeypatch, caplog, other):
    folder = tmp_path / "checkpoints"
    killed_after(axis, monkeypatch, Checkpoints(folder, MADE_BY | {other: "x"}, every_steps=2), 7)
    fresh = training(axis)
    train(fresh, Checkpoints(folder, MADE_BY, every_steps=5))
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [f"was made by other {other} and is not used" in line for line in said] == [True, True, False]
    assert said[2] == f"no checkpoint in {folder} can be used; training starts from step 0"
    assert all(torch.equal(a, b) for a, b in zip(weights(fresh), finished(axis, tmp_path), strict=True))
    assert [path.name[:9] for path in folder.iterdir()] == ["000000005"]  # the foreign ones are gone


def test_a_checkpoint_that_cannot_be_written_does_not_end_the_training(axis, tmp_path, caplog):
    (tmp_path / "checkpoints").write_text("a file where the folder should be")
    run = training(axis)
    train(run, Checkpoints(tmp_path / "checkpoints", MADE_BY, every_steps=4))
    said = [record.getMessage() for record in caplog.records]
    assert [line.split(":")[0] for line in said] == ["no checkpoint of step 4", "no checkpoint of step 8"]
    assert all(torch.equal(a, b) for a, b in zip(weights(run), finished(axis, tmp_path), strict=True))


def test_what_a_crash_left_of_a_checkpoint_is_removed(axis, tmp_path):
    left = tmp_path / "checkpoints" / ".4711.partial.pt"
    left.parent.mkdir()
    left.write_bytes(b"half")
    train(training(axis), Checkpoints(tmp_path / "checkpoints", MADE_BY))
    assert not left.exists()


def out_of_memory(*arguments, **options):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def test_out_of_memory_names_the_recipe_value(axis, tmp_path):
    run = training(axis)
    run.unet.conv_act.forward = out_of_memory
    with pytest.raises(UserError, match="out of memory with batch_size 6; lower the recipe"):
        train(run, Checkpoints(tmp_path / "unused", MADE_BY))


def test_a_network_that_cannot_be_compiled_is_used_as_it_is(axis, tmp_path, monkeypatch, caplog):
    def broken(graph, inputs):
        raise RuntimeError("no compiler on this machine\nand more")

    make = torch.compile
    monkeypatch.setattr(torch, "compile", lambda network, **options: make(network, backend=broken, **options))
    run = training(axis)
    run.compile(wanted=False)
    [said] = [record.getMessage() for record in caplog.records if record.name == "shapednoise"]
    assert run.network is run.unet
    assert "no compiler on this machine" in said and "continuing without it" in said and "\n" not in said
    with pytest.raises(UserError, match=r"torch\.compile fails .*; set engine\.compile: off"):
        train(training(axis), Checkpoints(tmp_path / "unused", MADE_BY), compile="on")


def test_the_pace_that_decides_on_compiling_is_not_that_of_the_first_steps(axis, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(train_module, "LOG_STEPS", 1000)
    clock, paces = [0.0], []
    monkeypatch.setattr(train_module.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(train_module, "compile_pays_off", lambda pace, steps: paces.append((pace, steps)))
    run = training(axis, settings=TINY.model_copy(update={"epochs": 12}))
    step = run.train_step

    def timed_step():
        run.device = torch.device("cpu")  # where it computes; the loop takes it for a GPU
        clock[0] += 5.0 if run.step < train_module.WARM_STEPS else 0.25
        values = step()
        run.device = torch.device("cuda" if run.step < run.steps else "cpu")
        return values

    run.train_step = timed_step
    train(run, Checkpoints(tmp_path / "checkpoints", MADE_BY), compile="auto")
    done = train_module.WARM_STEPS + train_module.PACE_STEPS
    assert paces == [(0.25, run.steps - done)]


@pytest.mark.parametrize("pace", [0.01, 0.1])
def test_compiling_pays_where_enough_is_left(pace):
    steps = math.ceil(train_module.COMPILE_SECONDS / (train_module.COMPILE_GAIN * pace))
    assert train_module.compile_pays_off(pace, steps + 1)
    assert not train_module.compile_pays_off(pace, steps - 1)


def test_grey_images_are_trained_and_drawn_with_one_channel(tmp_path):
    scheduler = ShapedDDPMScheduler(shape={"operator": "sagd_powerlaw", "strength": -0.3})
    run = Training(IMAGES[:, :1], scheduler.process, TINY, 0, torch.device("cpu"))
    train(run, Checkpoints(tmp_path / "unused", MADE_BY))
    settings = SamplerSettings(steps=3, images=4)
    drawn = sample(BatchSampler(run.ema_unet().eval(), sampling_scheduler(scheduler, settings), settings))
    assert drawn["frames"].shape == (3, 4, 1, 8, 8)
    assert drawn["images"].shape == (4, 1, 8, 8) and drawn["images"].std() > 10


def test_images_of_the_unit_scale_reach_the_network_as_they_are(axis):
    halves = (IMAGES / 127.5 - 1).astype(np.float16)
    halves[:, 0, 0, 0] = 3.0
    run, plain = training(axis, images=halves), training(axis)
    x0, reference = run._draw()[0], plain._draw()[0]
    assert x0.dtype == torch.float32 and x0.max() == 3.0
    inside = x0 < 3
    torch.testing.assert_close(x0[inside], reference[inside], atol=1e-3, rtol=0)


def test_other_seeds_give_other_weights(axis, tmp_path):
    one, other = finished(axis, tmp_path), finished(axis, tmp_path, seed=1)
    assert not all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_every_epoch_visits_every_image_once(axis):
    run = training(axis)
    visited = []
    for _ in range(10):
        visited += run._indices().tolist()
        run.step += 1
    assert sorted(visited[:20]) == sorted(visited[20:40]) == list(range(20))
    assert visited[:20] != visited[20:40]


@pytest.mark.slow
def test_the_curve_is_finite_and_falls(axis, tmp_path, monkeypatch):
    monkeypatch.setattr(train_module, "LOG_STEPS", 20)
    images = np.repeat(IMAGES[:2], 10, 0)
    settings = TINY.model_copy(update={"epochs": 90, "learning_rate": 3e-3})
    run = training(axis, settings=settings, images=images)
    train(run, Checkpoints(tmp_path / "unused", MADE_BY))
    losses = [row["loss"] for row in run.record.rows]
    assert len(losses) == 15 and run.record.rows[-1]["step"] == 300
    assert np.isfinite(losses).all()
    assert np.mean(losses[-3:]) < 0.6 * losses[0]
    assert run.record.rows[-1]["learning_rate"] == pytest.approx(0, abs=1e-6)


def test_a_loss_that_is_not_finite_stops_the_training_and_names_the_step(axis, tmp_path):
    run = training(axis)
    run.train_step()
    with torch.no_grad():
        next(run.unet.parameters()).fill_(torch.nan)
    with pytest.raises(UserError, match="the loss is not finite at step 2; lower the recipe's learning_rate"):
        train(run, Checkpoints(tmp_path / "unused", MADE_BY))


def test_a_gradient_that_is_not_finite_is_never_in_a_checkpoint(axis, tmp_path):
    """The loss of that step is a number, and the weights after it are none."""
    run = training(axis)
    run.unet.conv_out.bias.register_hook(lambda gradient: gradient * (torch.nan if run.step == 4 else 1.0))
    checkpoints = Checkpoints(tmp_path / "checkpoints", MADE_BY, every_steps=1)
    with pytest.raises(UserError, match="the gradient is not finite at step 5"):
        train(run, checkpoints)
    assert [path.name[:9] for path in sorted(checkpoints.folder.iterdir())] == ["000000003", "000000004"]


def test_seeds_are_functions_of_their_numbers():
    assert derive_seed(1, 2) == derive_seed(1, 2)
    assert len({derive_seed(a, b) for a in range(20) for b in range(20)}) == 400
    assert 0 <= derive_seed(42, 0) < 2**63


def test_on_a_processor_the_data_set_stays_memory_mapped(axis, tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    images = load_images(tmp_path / "images.npy")
    mapped = training(axis, images=images)
    assert np.shares_memory(mapped.images.numpy(), images)
    whole = training(axis)
    assert [loss.item() for loss in mapped.train_step()] == [loss.item() for loss in whole.train_step()]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_data_set_beyond_the_gpu_is_one_line_with_its_size(tmp_path):
    with open(tmp_path / "images.npy", "wb") as file:  # of 400 GB, of which none is written
        header = {"descr": "|u1", "fortran_order": False, "shape": (500_000, 3, 512, 512)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 500_000 * 3 * 512 * 512)
    with pytest.raises(
        UserError, match=r"500000 images of 3 x 512 x 512, 393.2 GB\) does not fit .*lower its"
    ):
        on_device(load_images(tmp_path / "images.npy"), torch.device("cuda"))
