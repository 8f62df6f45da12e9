"""Train one model and save it as a diffusers pipeline, with its provenance and its training curve."""

import argparse
from pathlib import Path

import pandas as pd
import torch

from shapednoise.console import json_from, run, settings_from
from shapednoise.data.images import load_images
from shapednoise.device import pick_device, use_threads
from shapednoise.files import atomic_directory, read_json, sha256_of_json, write_json
from shapednoise.imports import code_digest
from shapednoise.model import save_model
from shapednoise.noise.process import ShapedProcess, linear_betas
from shapednoise.noise.shape import SHAPE_VERSION, checked, make_shape, with_axis
from shapednoise.provenance import start
from shapednoise.settings.training import TrainingSettings
from shapednoise.train import Checkpointing, Training, train


def main() -> None:
    arguments = parse()
    use_threads(arguments.threads)
    training_settings: TrainingSettings = arguments.training
    images = load_images(arguments.images)
    schedule = training_settings.schedule
    shape = with_axis(arguments.shape, read_json(arguments.pca)["axes"][0])
    scheduler = {
        **schedule.for_diffusers(),
        "prediction_type": training_settings.prediction,
        "shape": {"version": SHAPE_VERSION, **shape},
        "reading": arguments.marginal,
        "clip_sample": arguments.marginal == "published",  # the published code clamps, the equations do not
    }
    betas = linear_betas(**schedule.for_diffusers())
    process = ShapedProcess(
        make_shape(**shape), betas, arguments.marginal == "exact", training_settings.prediction
    )
    facts = {
        "training": training_settings.model_dump(mode="json"),
        "scheduler": scheduler,
        "seed": arguments.seed,
        "sha256_of_pixels": read_json(arguments.manifest)["sha256_of_pixels"],
    }
    training = Training(images, process, training_settings, arguments.seed, pick_device())
    numbers = {"device": training.device.type, "precision": str(training.dtype).removeprefix("torch.")}
    fingerprint = sha256_of_json({**facts, **numbers, "code": code_digest(Path(__file__))})
    record = start(**facts, **numbers, fingerprint=fingerprint)
    train(training, Checkpointing(arguments.checkpoint, fingerprint))
    with atomic_directory(arguments.output, last="model_index.json") as folder:
        unet = training.ema_unet().to("cpu", memory_format=torch.contiguous_format)
        save_model(unet, scheduler, folder)
        pd.DataFrame(training.rows).to_csv(folder / "training.csv", index=False)
        seconds = round(training.seconds, 1)  # of all runs, where there were interruptions
        write_json(folder / "provenance.json", record(steps=training.steps, training_seconds=seconds))
    arguments.checkpoint.unlink(missing_ok=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="canonical array (.npy)")
    parser.add_argument("--manifest", type=Path, required=True, help="manifest of the array (.json)")
    parser.add_argument("--pca", type=Path, required=True, help="principal colour axes (.json)")
    parser.add_argument(
        "--shape", type=json_from(checked), required=True, help="noise shape without its axis (JSON)"
    )
    parser.add_argument("--marginal", choices=["published", "exact"], default="published")
    parser.add_argument(
        "--training", type=settings_from(TrainingSettings), required=True, help="training settings (JSON)"
    )
    parser.add_argument("--seed", type=int, required=True, help="of initial weights, data order and noise")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="processor threads")
    parser.add_argument("--checkpoint", type=Path, required=True, help="kept until the model is complete")
    parser.add_argument("--output", type=Path, required=True, help="folder of the model")
    return parser.parse_args()


run(main)
