"""Train one model and save it as a diffusers pipeline, with its provenance and its training curve."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from shapednoise.config.machine import EngineSettings
from shapednoise.config.training import SNAPSHOTS, TrainingSettings, snapshot_folder
from shapednoise.data.images import load_images
from shapednoise.diffusion.checkpoints import Checkpoints
from shapednoise.diffusion.device import compute_environment, configure_cpu
from shapednoise.diffusion.network import save_model
from shapednoise.diffusion.training import Training, reraise_oom, train, training_facts
from shapednoise.errors import UserError
from shapednoise.files import atomic_directory, read_json, sha256_of_json, write_json
from shapednoise.log import log
from shapednoise.noise.process import linear_betas
from shapednoise.noise.shape import with_data
from shapednoise.noise.strengths import training_process
from shapednoise.workflow.cli import json_from, positive, run, settings_from
from shapednoise.workflow.code import code_digest, operator_modules, stage_name
from shapednoise.workflow.gpus import claim_device
from shapednoise.workflow.locks import exclusive_lock
from shapednoise.workflow.provenance import ProvenanceRecorder, is_complete

# of a model's folder, besides snapshots; the weights are missing if the config does not keep them
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
FILES = (
    "scheduler/scheduler_config.json",
    "unet/config.json",
    WEIGHTS,
    "training.csv",
    "model_index.json",
    "provenance.json",
)


def main() -> None:
    arguments = parse()
    configure_cpu(arguments.threads)
    # of the modules that were imported; files may change while this process waits
    code = code_digest(stage_name("train", *operator_modules(arguments.shape)))
    with exclusive_lock(arguments.checkpoints / "lock", f"the training of {arguments.output}"):
        train_model(arguments, code)


def train_model(arguments: argparse.Namespace, code: str) -> None:
    """Train and save the model, unless it is there already."""
    settings: TrainingSettings = arguments.training
    engine: EngineSettings = arguments.engine
    spectrum = np.load(arguments.spectrum) if arguments.spectrum else None
    shape = with_data(arguments.shape, read_json(arguments.pca)["axes"], spectrum)
    pixels = read_json(arguments.manifest)["sha256_of_pixels"]
    facts = training_facts(settings, shape, arguments.marginal, arguments.seed, pixels)
    device = claim_device(engine.points_per_gpu)
    environment = compute_environment(settings.precision, device)
    fingerprint = {"settings or images": sha256_of_json(facts), **environment, "code": code}
    checkpoints = Checkpoints(
        arguments.checkpoints, fingerprint, 60 * engine.checkpoint_minutes, engine.checkpoint_steps
    )
    *files, index, provenance = (arguments.output / name for name in FILES)
    files += [Path(f"{arguments.output}{snapshot_folder(epoch)}", WEIGHTS) for epoch in settings.snapshots]
    if is_complete(provenance, fingerprint, *files, index):
        log.info("%s is there already, made by the same settings and code", arguments.output)
        checkpoints.remove()
        return
    images = load_images(arguments.images)
    if problem := settings.unfit(len(images), arguments.images_needed):
        raise UserError(f"{arguments.images}: {problem}")
    doubts = settings.doubts(len(images))
    for doubt in doubts:
        log.warning("%s", doubt)
    log.track(engine.tracker, arguments.output)
    recorder = ProvenanceRecorder(**facts, **environment, fingerprint=fingerprint, warnings=doubts)
    betas = linear_betas(**settings.schedule.for_diffusers())
    process = training_process(shape, betas, arguments.marginal == "exact", settings.prediction)
    with reraise_oom(settings):
        training = Training(images, process, settings, arguments.seed, device)
    train(training, checkpoints, engine.compile)
    (arguments.output / SNAPSHOTS).mkdir(parents=True, exist_ok=True)  # the workflow expects one
    with atomic_directory(arguments.output, last=index.name) as folder:
        for epoch in (*settings.snapshots, None):
            unet = training.ema_unet(epoch).to("cpu", memory_format=torch.contiguous_format)
            save_model(unet, facts["scheduler"], Path(f"{folder}{snapshot_folder(epoch)}"))
        pd.DataFrame(training.record.rows).to_csv(folder / "training.csv", index=False)
        seconds = round(training.record.seconds, 1)  # of all runs, where there were interruptions
        record = recorder.record(steps=training.steps, training_seconds=seconds)
        write_json(folder / provenance.name, record)
    checkpoints.remove()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="array of the data set (.npy)")
    parser.add_argument(
        "--images-needed", type=int, default=0, help="refuse to train on fewer, for the scores"
    )
    parser.add_argument("--manifest", type=Path, required=True, help="manifest of the array (.json)")
    parser.add_argument("--pca", type=Path, required=True, help="principal colour axes (.json)")
    parser.add_argument("--spectrum", type=Path, help="power spectrum of the data, for noise of it (.npy)")
    parser.add_argument(
        "--shape", type=json_from(dict), required=True, help="noise shape without its axis (JSON)"
    )
    parser.add_argument("--marginal", choices=["published", "exact"], default="published")
    parser.add_argument(
        "--training", type=settings_from(TrainingSettings), required=True, help="training settings (JSON)"
    )
    parser.add_argument("--seed", type=int, required=True, help="seed of weights, data order and noise")
    parser.add_argument("--threads", type=positive, default=torch.get_num_threads(), help="processor threads")
    parser.add_argument(
        "--checkpoints", type=Path, required=True, help="folder kept until the model is complete"
    )
    parser.add_argument(
        "--engine",
        type=settings_from(EngineSettings),
        default=EngineSettings(),
        help="performance settings, which do not affect results (JSON)",
    )
    parser.add_argument("--output", type=Path, required=True, help="folder of the model")
    return parser.parse_args()


run(main)
