"""Draw a sample set from a trained model: uint8 images and the trajectory of the first few."""

import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers.utils import logging as diffusers_logging

from shapednoise.console import UserError, run, settings_from
from shapednoise.device import pick_device, use_threads
from shapednoise.files import atomic_path, new_array, write_json
from shapednoise.noise.pipeline import ShapedDDPMPipeline
from shapednoise.provenance import start
from shapednoise.sample import sample, sampling_scheduler
from shapednoise.settings.sampling import SamplerSettings


def main() -> None:
    arguments = parse()
    use_threads(arguments.threads)
    settings: SamplerSettings = arguments.sampler
    record = start(sampler=settings.model_dump(mode="json"))
    device = pick_device()
    unet, scheduler = load(arguments.model, settings)
    shape = (settings.images, unet.config.in_channels, unet.config.sample_size, unet.config.sample_size)
    with new_array(arguments.samples, shape, "uint8") as images:

        def store(first: int, batch: np.ndarray) -> None:
            images[first : first + len(batch)] = batch

        trajectory = sample(unet.to(device), scheduler, settings, store, arguments.batch_size)
    with atomic_path(arguments.trajectory) as temporary:
        np.savez(temporary, **trajectory.as_arrays())
    write_json(arguments.provenance, record())


def load(folder: Path, settings: SamplerSettings):
    """The network and the scheduler of a model's folder, the scheduler set to this sampler."""
    diffusers_logging.disable_progress_bar()
    try:
        pipeline = ShapedDDPMPipeline.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise UserError(f"{folder} holds no complete model ({error}); delete it and run again") from error
    return pipeline.unet.eval(), sampling_scheduler(pipeline.scheduler, settings)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of the trained model")
    parser.add_argument(
        "--sampler", type=settings_from(SamplerSettings), required=True, help="sampler settings (JSON)"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="processor threads")
    parser.add_argument("--batch-size", type=int, help="images at once; does not change the images")
    parser.add_argument("--samples", type=Path, required=True, help="array to write (.npy)")
    parser.add_argument("--trajectory", type=Path, required=True, help="trajectory to write (.npz)")
    parser.add_argument("--provenance", type=Path, required=True, help="provenance to write (.json)")
    return parser.parse_args()


run(main)
