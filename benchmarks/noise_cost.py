"""What shaping the noise adds to a training step of the published network.

    python benchmarks/noise_cost.py [--batch-size 128] [--rounds 5] [--output cost.json]

One process, one network, one optimizer: in every round each noise takes a step in turn, so that
the machine's noise hits all of them alike, and the extra work alone (shaping the noise; for a
singular shape, projecting image and error; for a blur, blurring the image; for one network of many
strengths, which has a second network of its own kind here, drawing and embedding them) is timed by itself.
Printed per noise: the median of the extra work as a share of the median plain step, the median
over rounds of step / plain step, and the floating-point operations and bytes of the extra work,
counted from its definition, beside those of the network.
"""

import argparse
import json
import math
import platform
import statistics
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.utils.benchmark import timer
from torch.utils.flop_counter import FlopCounterMode

from shapednoise.diffusion.device import pick_device
from shapednoise.diffusion.training import Training
from shapednoise.noise.process import ShapedProcess, linear_betas
from shapednoise.noise.strengths import training_process
from shapednoise.workflow.project import load_config

AXIS = (np.array([0.5580, 0.5775, 0.5960]) / np.linalg.norm([0.5580, 0.5775, 0.5960])).tolist()
NOISES = {
    "ddpm": {},
    "sdm": {"operator": "sdm", "strength": -0.4, "axis": AXIS},
    "hdm": {"operator": "hdm", "strength": -0.4, "axis": AXIS},
    "powerlaw": {"operator": "sagd_powerlaw", "strength": -0.1, "schedule": "constant"},
    "bandpass": {"operator": "sagd_bandpass", "low_band": [0, 0.1], "high_band": [0.2, 1],
                 "schedule": "constant"},
    "blur": {"operator": "blur", "strength": 20.0},
    "sdm x powerlaw": {"operator": "sdm", "strength": -0.4, "axis": AXIS,
                       "times": {"operator": "sagd_powerlaw", "strength": -0.1}},
    "sdm, 8 strengths": {"operator": "sdm", "strength": 0.0, "axis": AXIS,
                         "trained_strengths": [-1.0, -0.8, -0.6, -0.4, -0.2, 0.0, 0.2, 0.4]},
}  # fmt: skip
SIZE = 32
REPEATS = 20  # of the extra work in a round


def main() -> None:
    """Time, count, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--batch-size", type=int, help="default: 128 on a GPU, 8 on a CPU")
    parser.add_argument("--rounds", type=int, help="steps of each noise; default: 50 on a GPU, 5 on a CPU")
    parser.add_argument("--output", type=Path, help="where to write the numbers (.json)")
    arguments = parser.parse_args()

    device = pick_device()
    gpu = device.type == "cuda"
    batch, rounds = arguments.batch_size or (128 if gpu else 8), arguments.rounds or (50 if gpu else 5)
    config = load_config(Path(__file__).parents[1] / "config.yaml")
    settings = config.recipes["paper"].training.model_copy(update={"batch_size": batch})
    images = np.random.default_rng(0).integers(0, 256, (4 * batch, 3, SIZE, SIZE), np.uint8)
    betas = linear_betas(1e-4, 0.02, 1000)
    processes = {name: training_process(shape, betas, exact=False) for name, shape in NOISES.items()}
    one, of_strengths = (
        Training(images, processes[name], settings, 0, device) for name in ("ddpm", "sdm, 8 strengths")
    )
    trainings = {name: one if process.labels is None else of_strengths for name, process in processes.items()}
    network = count_network(one, batch)
    times = measure(trainings, processes, rounds)
    rows = [row(name, trainings[name], processes[name], times, batch, network) for name in NOISES]
    processor = f"{platform.machine()} processor, {torch.get_num_threads()} threads"
    machine = torch.cuda.get_device_name() if gpu else processor
    print(f"{machine}, batch {batch}, {one.dtype}, {rounds} rounds")
    print(f"network: {network / 1e12:.3f} TFLOP a step")
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.4g}".format))
    if arguments.output:
        facts = {"device": machine, "batch_size": batch, "rounds": rounds, "rows": rows}
        arguments.output.write_text(json.dumps(facts, indent=1))


def count_network(training: Training, batch: int) -> int:
    """Floating-point operations of one training step: forward, and twice that backward."""
    x = torch.zeros(1, 3, SIZE, SIZE, device=training.device)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        training.unet(x, torch.zeros(1, device=training.device))
    return 3 * batch * counter.get_total_flops()


def extra_work(
    training: Training, process: ShapedProcess, white: torch.Tensor, timesteps: torch.Tensor
) -> None:
    """What a training step does for this noise and not for white noise."""
    timesteps, labels = training._strengths(timesteps)
    if labels:
        unet = training.unet
        embedded = unet.class_embedding(unet.time_proj(*labels))
        torch.autograd.grad(embedded.sum(), list(unet.class_embedding.parameters()))
    noise = process.shape_noise(white, timesteps)
    process.blur(white, timesteps)  # nothing for all other noises
    if not process.noise_gains((SIZE, SIZE)).full:
        process.project(noise, timesteps)
        process.loss(noise, white, timesteps)


def measure(
    trainings: dict[str, Training], processes: dict[str, ShapedProcess], rounds: int
) -> dict[str, dict[str, list[float]]]:
    """Seconds of whole steps and of the extra work alone, by noise, in turn; one round warms up."""
    times: dict[str, dict[str, list[float]]] = {name: {"step": [], "extra": []} for name in processes}
    for _ in range(rounds + 1):
        for name, process in processes.items():
            training = trainings[name]
            training.process = process
            _, timesteps, white = training._draw()
            start = timer()
            training.train_step()
            stepped = timer()
            for _ in range(REPEATS):
                extra_work(training, process, white, timesteps)
            times[name]["step"].append(stepped - start)
            times[name]["extra"].append((timer() - stepped) / REPEATS)
    return {name: {kind: found[1:] for kind, found in both.items()} for name, both in times.items()}


def row(name: str, training: Training, process: ShapedProcess, times: dict, batch: int, network: int) -> dict:
    """One line of the table; the plain step's own multiplication by 1 is no extra work."""
    plain = times["ddpm"]["step"]
    flops, moved = counted(process, batch)
    if process.labels is not None:  # forward, and twice that backward, of the embedding's layers
        flops += 6 * batch * sum(weight.numel() for weight in training.unet.class_embedding.parameters())
    extra = 0.0 if name == "ddpm" else statistics.median(times[name]["extra"])
    return {
        "noise": name,
        "step_s": statistics.median(times[name]["step"]),
        "extra_ms": 1e3 * extra,
        "extra_share": extra / statistics.median(plain),
        "step_over_plain": statistics.median(a / b for a, b in zip(times[name]["step"], plain, strict=True)),
        "extra_flops": flops,
        "extra_flops_share": flops / network,
        "extra_bytes": moved,
    }


def counted(process: ShapedProcess, batch: int) -> tuple[int, int]:
    """Floating-point operations and least bytes read and written of the extra work, float32.

    A color shape: 2 n + 3 operations a number (projection, outer product, scaling), n channels. A
    frequency shape: a real transform and its inverse, 2.5 N log2 N each (N pixels), and a complex
    number times a real one a coefficient. A singular shape does the latter three times, a blur twice.
    """
    numbers, pixels, channels = batch * 3 * SIZE**2, SIZE**2, 3
    kind = type(process.shape).__name__
    color = numbers * (2 * channels + 3) if kind in ("ColorShape", "ProductShape") else 0
    transform = 2 * 2.5 * pixels * math.log2(pixels) + 2 * SIZE * (SIZE // 2 + 1)
    planes = {"FourierShape": channels, "ProductShape": channels + 1}.get(kind, 0) * batch
    gains = process.noise_gains((SIZE, SIZE))
    passes = (1 if gains.full else 3) + (gains.signal is not None)
    moved = {"IsotropicShape": 0, "ColorShape": 2, "FourierShape": 6, "ProductShape": 10}[kind]
    return int(color + passes * planes * transform), 4 * passes * moved * numbers


if __name__ == "__main__":
    main()
