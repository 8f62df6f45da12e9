"""Measure what a trained network leaves open of x_0, mode by mode, for an optimal reverse variance."""

import argparse
from pathlib import Path

import numpy as np

from shapednoise.config.machine import EngineSettings
from shapednoise.config.sampling import DenoisingSettings
from shapednoise.data.images import load_images
from shapednoise.diffusion.denoising import measure_denoising_variance
from shapednoise.diffusion.device import configure_cpu
from shapednoise.diffusion.sampling import load_model
from shapednoise.files import read_json, write_json
from shapednoise.noise.denoising_variance import DenoisingVariance
from shapednoise.noise.schedulers import with_scheduler
from shapednoise.noise.strengths import at_strength
from shapednoise.workflow.cli import positive, run, settings_from
from shapednoise.workflow.gpus import claim_device


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of the trained model")
    parser.add_argument("--strength", type=float, help="of the noise, for a network of many strengths")
    parser.add_argument("--images", type=Path, required=True, help="array of its training set (.npy)")
    parser.add_argument("--pca", type=Path, required=True, help="principal axes of the colors (.json)")
    parser.add_argument("--spectrum", type=Path, required=True, help="power spectrum of the data (.npy)")
    parser.add_argument(
        "--settings", type=settings_from(DenoisingSettings), default=DenoisingSettings(),
        help="how many images and timesteps (JSON)",
    )  # fmt: skip
    parser.add_argument(
        "--engine", type=settings_from(EngineSettings), default=EngineSettings(),
        help="performance settings, which do not affect results (JSON)",
    )  # fmt: skip
    parser.add_argument("--threads", type=positive, default=1, help="processor threads")
    parser.add_argument("--output", type=Path, required=True, help="what a scheduler takes (.json)")
    arguments = parser.parse_args()
    configure_cpu(arguments.threads)

    pipeline = load_model(arguments.model)
    of_data = DenoisingVariance.of_data(read_json(arguments.pca), np.load(arguments.spectrum))
    unet = pipeline.unet.to(claim_device(arguments.engine.points_per_gpu))
    scheduler = pipeline.scheduler
    if arguments.strength is not None:
        shape = at_strength(scheduler.config.shape, arguments.strength)
        scheduler = with_scheduler(scheduler, type(scheduler), shape=shape)
    measured = measure_denoising_variance(
        unet, scheduler, load_images(arguments.images), of_data, arguments.settings
    )
    write_json(arguments.output, measured.describe())


run(main)
