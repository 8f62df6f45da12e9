"""Train one model and save it as a diffusers pipeline, with its provenance and its training curve."""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from shapednoise.config.machine import EngineSettings
from shapednoise.config.training import TrainingSettings
from shapednoise.data.images import load_images
from shapednoise.diffusion.checkpoints import Checkpoints
from shapednoise.diffusion.device import numbers_of, use_threads
from shapednoise.diffusion.network import save_model
from shapednoise.diffusion.training import Training, memory_needed, train
from shapednoise.files import atomic_directory, read_json, remove_partials, sha256_of_json, write_json
from shapednoise.log import log
from shapednoise.noise.process import ShapedProcess, linear_betas
from shapednoise.noise.shape import SHAPE_VERSION, make_shape, with_axis
from shapednoise.workflow.cli import json_from, run, settings_from
from shapednoise.workflow.code import code_digest
from shapednoise.workflow.gpus import claim_device
from shapednoise.workflow.locks import alone
from shapednoise.workflow.provenance import is_complete, start

# Of a model's folder. The weights may be gone where the config does not keep them.
FILES = (
    "scheduler/scheduler_config.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "training.csv",
    "model_index.json",
    "provenance.json",
)


def main() -> None:
    arguments = parse()
    use_threads(arguments.threads)
    code = code_digest("train")  # of what was imported; files may change while this process waits
    with alone(arguments.checkpoints / "lock", f"the training of {arguments.output}"):
        train_model(arguments, code)


def train_model(arguments: argparse.Namespace, code: str) -> None:
    """Train and save the model, unless it is there already."""
    settings: TrainingSettings = arguments.training
    engine: EngineSettings = arguments.engine
    scheduler = scheduler_config(arguments)
    facts = {
        "training": settings.model_dump(mode="json"),
        "scheduler": scheduler,
        "seed": arguments.seed,
        "sha256_of_pixels": read_json(arguments.manifest)["sha256_of_pixels"],
    }
    device = claim_device(engine.points_per_gpu)
    numbers = numbers_of(settings.precision, device)
    fingerprint = {"settings or images": sha256_of_json(facts), **numbers, "code": code}
    checkpoints = Checkpoints(
        arguments.checkpoints, fingerprint, 60 * engine.checkpoint_minutes, engine.checkpoint_steps
    )
    *files, index, provenance = (arguments.output / name for name in FILES)
    if is_complete(provenance, fingerprint, *files, index):
        log.info("%s is there already, made by the same settings and code", arguments.output)
        checkpoints.remove()
        return
    remove_partials(arguments.output)
    record = start(**facts, **numbers, fingerprint=fingerprint)
    betas = linear_betas(**settings.schedule.for_diffusers())
    shape = {name: value for name, value in scheduler["shape"].items() if name != "version"}
    process = ShapedProcess(make_shape(**shape), betas, arguments.marginal == "exact", settings.prediction)
    with memory_needed(settings):
        training = Training(load_images(arguments.images), process, settings, arguments.seed, device)
    train(training, checkpoints, engine.compile)
    with atomic_directory(arguments.output, last=index.name) as folder:
        unet = training.ema_unet().to("cpu", memory_format=torch.contiguous_format)
        save_model(unet, scheduler, folder)
        pd.DataFrame(training.record.rows).to_csv(folder / "training.csv", index=False)
        seconds = round(training.record.seconds, 1)  # of all runs, where there were interruptions
        write_json(folder / provenance.name, record(steps=training.steps, training_seconds=seconds))
    checkpoints.remove()


def scheduler_config(arguments: argparse.Namespace) -> dict[str, Any]:
    """The config of the ShapedDDPMScheduler that goes with the model."""
    settings: TrainingSettings = arguments.training
    shape = with_axis(arguments.shape, read_json(arguments.pca)["axes"][0])
    return {
        **settings.schedule.for_diffusers(),
        "prediction_type": settings.prediction,
        "shape": {"version": SHAPE_VERSION, **shape},
        "reading": arguments.marginal,
        "clip_sample": arguments.marginal == "published",  # the published code clamps, the equations do not
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="canonical array (.npy)")
    parser.add_argument("--manifest", type=Path, required=True, help="manifest of the array (.json)")
    parser.add_argument("--pca", type=Path, required=True, help="principal colour axes (.json)")
    parser.add_argument(
        "--shape", type=json_from(dict), required=True, help="noise shape without its axis (JSON)"
    )
    parser.add_argument("--marginal", choices=["published", "exact"], default="published")
    parser.add_argument(
        "--training", type=settings_from(TrainingSettings), required=True, help="training settings (JSON)"
    )
    parser.add_argument("--seed", type=int, required=True, help="of initial weights, data order and noise")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="processor threads")
    parser.add_argument(
        "--checkpoints", type=Path, required=True, help="folder kept until the model is complete"
    )
    parser.add_argument(
        "--engine",
        type=settings_from(EngineSettings),
        default=EngineSettings(),
        help="how fast and how safely to compute (JSON)",
    )
    parser.add_argument("--output", type=Path, required=True, help="folder of the model")
    return parser.parse_args()


run(main)
