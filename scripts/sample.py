"""Draw a sample set from a trained model: uint8 images and the trajectory of the first few.

Sampling that is interrupted keeps what it has in the folder of --shards; the same command goes on.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers.utils import logging as diffusers_logging

from shapednoise.config.machine import EngineSettings
from shapednoise.config.sampling import SamplerSettings
from shapednoise.diffusion.device import numbers_of, use_threads
from shapednoise.diffusion.sampling import Sampling, sample, sampling_scheduler
from shapednoise.errors import UserError
from shapednoise.files import (
    atomic_path,
    new_array,
    remove_partials,
    sha256_of_json,
    sha256_of_path,
    write_json,
)
from shapednoise.log import log
from shapednoise.noise.pipeline import ShapedDDPMPipeline
from shapednoise.shards import Shards
from shapednoise.workflow.cli import run, settings_from
from shapednoise.workflow.code import code_digest
from shapednoise.workflow.gpus import claim_device
from shapednoise.workflow.locks import alone
from shapednoise.workflow.provenance import is_complete, start


def main() -> None:
    arguments = parse()
    use_threads(arguments.threads)
    code = code_digest("sample")  # of what was imported; files may change while this process waits
    with alone(arguments.shards / "lock", f"the sampling of {arguments.samples}"):
        draw_samples(arguments, code)


def draw_samples(arguments: argparse.Namespace, code: str) -> None:
    """Draw and save the sample set, unless it is there already."""
    settings: SamplerSettings = arguments.sampler
    engine: EngineSettings = arguments.engine
    unet, scheduler = load(arguments.model, settings)
    device = claim_device(engine.points_per_gpu)
    facts = {"sampler": settings.model_dump(mode="json"), **numbers_of(settings.precision, device)}
    model = [sha256_of_path(arguments.model / part) for part in ("unet", "scheduler")]
    fingerprint = sha256_of_json([facts, model, code])
    shards = Shards(arguments.shards, fingerprint)
    if is_complete(arguments.provenance, fingerprint, arguments.samples, arguments.trajectory):
        log.info("%s is there already, made by the same settings and code", arguments.samples)
        shards.remove()
        return
    arguments.provenance.unlink(missing_ok=True)  # of older samples, which these replace
    remove_partials(arguments.samples)
    record = start(**facts, fingerprint=fingerprint)
    sharing = engine.points_per_gpu
    sampling = Sampling(unet.to(device), scheduler, settings, arguments.batch_size, engine.compile, sharing)
    shape = (settings.images, unet.config.in_channels, unet.config.sample_size, unet.config.sample_size)
    with new_array(arguments.samples, shape, "uint8") as images:

        def store(first: int, batch: np.ndarray) -> None:
            images[first : first + len(batch)] = batch

        trajectory = sample(sampling, store, shards)
    with atomic_path(arguments.trajectory) as temporary:
        np.savez(temporary, **trajectory.as_arrays())
    write_json(arguments.provenance, record())
    shards.remove()


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
    parser.add_argument(
        "--engine",
        type=settings_from(EngineSettings),
        default=EngineSettings(),
        help="how fast and how safely to compute (JSON)",
    )
    parser.add_argument(
        "--shards", type=Path, required=True, help="folder kept until the sample set is complete"
    )
    parser.add_argument("--samples", type=Path, required=True, help="array to write (.npy)")
    parser.add_argument("--trajectory", type=Path, required=True, help="trajectory to write (.npz)")
    parser.add_argument("--provenance", type=Path, required=True, help="provenance to write (.json)")
    return parser.parse_args()


run(main)
