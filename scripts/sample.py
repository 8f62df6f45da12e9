"""Draw a sample set from a trained model: uint8 images and the trajectory of the first few.

Sampling that is interrupted keeps its images in the folder of --checkpoints; the same command continues it.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from shapednoise.config.machine import EngineSettings
from shapednoise.config.sampling import SamplerSettings
from shapednoise.diffusion.device import compute_environment, configure_cpu
from shapednoise.diffusion.sampling import BatchSampler, load_model, sample, sampling_scheduler
from shapednoise.errors import UserError
from shapednoise.files import (
    atomic_path,
    read_json,
    sha256_of_json,
    sha256_of_path,
    write_json,
)
from shapednoise.log import log
from shapednoise.noise.denoising_variance import DenoisingVariance
from shapednoise.resumable import ResumableArrays
from shapednoise.workflow.cli import positive, run, settings_from
from shapednoise.workflow.code import code_digest, operator_modules, stage_name
from shapednoise.workflow.gpus import claim_device
from shapednoise.workflow.locks import exclusive_lock
from shapednoise.workflow.provenance import ProvenanceRecorder, is_complete


def main() -> None:
    arguments = parse()
    configure_cpu(arguments.threads)
    # of the modules that were imported; files may change while this process waits
    code = code_digest(stage_name("sample", *operator_modules(shape_of(arguments.model))))
    with exclusive_lock(arguments.checkpoints / "lock", f"the sampling of {arguments.samples}"):
        draw_samples(arguments, code)


def draw_samples(arguments: argparse.Namespace, code: str) -> None:
    """Draw and save the sample set, unless it is there already."""
    settings: SamplerSettings = arguments.sampler
    engine: EngineSettings = arguments.engine
    pipeline = load_model(arguments.model)
    described = read_json(arguments.denoising_variance) if arguments.denoising_variance else None
    if settings.optimal and settings.variance_from == "spectrum" and arguments.pca and arguments.spectrum:
        described = DenoisingVariance.of_data(
            read_json(arguments.pca), np.load(arguments.spectrum)
        ).describe()
    if settings.optimal and not described:
        raise UserError("an optimal variance needs --denoising-variance, or --pca and --spectrum")
    denoising = DenoisingVariance(**described) if described else None
    scheduler = sampling_scheduler(pipeline.scheduler, settings, arguments.strength, denoising)
    device = claim_device(engine.points_per_gpu)
    environment = compute_environment(settings.precision, device)
    facts = {"sampler": settings.model_dump(mode="json"), "strength": arguments.strength, **environment}
    if described:
        facts["denoising_variance"] = sha256_of_json(described)
    model = [sha256_of_path(arguments.model / part) for part in ("unet", "scheduler")]
    fingerprint = sha256_of_json([facts, model, code])
    work = ResumableArrays(settings.images, arguments.checkpoints, fingerprint)
    if is_complete(arguments.provenance, fingerprint, arguments.samples, arguments.trajectory):
        log.info("%s is there already, made by the same settings and code", arguments.samples)
        work.remove()
        return
    arguments.provenance.unlink(missing_ok=True)  # of older samples, which these replace
    log.track(engine.tracker, arguments.samples.parent)
    recorder = ProvenanceRecorder(**facts, fingerprint=fingerprint)
    sharing = engine.points_per_gpu
    sampler = BatchSampler(
        pipeline.unet.to(device), scheduler, settings, arguments.batch_size, engine.compile, sharing
    )
    drawn = sample(sampler, work)
    log.images(drawn["images"])
    with atomic_path(arguments.trajectory) as temporary:
        np.savez(temporary, timesteps=drawn["timesteps"], frames=drawn["frames"])
    work.publish("images", arguments.samples)
    write_json(arguments.provenance, recorder.record())
    work.remove()


def shape_of(folder: Path) -> dict:
    """The noise shape of a model."""
    file = folder / "scheduler" / "scheduler_config.json"
    if not file.is_file():
        raise UserError(f"{folder} holds no complete model: there is no {file}; delete it and run again")
    return read_json(file)["shape"]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of the trained model")
    parser.add_argument(
        "--sampler", type=settings_from(SamplerSettings), required=True, help="sampler settings (JSON)"
    )
    parser.add_argument(
        "--strength", type=float, help="of the noise, for a network that was trained on many strengths"
    )
    parser.add_argument("--denoising-variance", type=Path, help="of an optimal variance: measured (.json)")
    parser.add_argument("--pca", type=Path, help="of one in closed form: the colors' axes (.json)")
    parser.add_argument("--spectrum", type=Path, help="of one in closed form: the data's spectrum (.npy)")
    parser.add_argument("--threads", type=positive, default=torch.get_num_threads(), help="processor threads")
    parser.add_argument(
        "--batch-size",
        type=positive,
        help="images at once; the noise does not depend on it, the network's rounding does: a few values "
        "differ by one of 256 levels in float32, more of them in low precision",
    )
    parser.add_argument(
        "--engine",
        type=settings_from(EngineSettings),
        default=EngineSettings(),
        help="performance settings, which do not affect results (JSON)",
    )
    parser.add_argument(
        "--checkpoints", type=Path, required=True, help="folder kept until the sample set is complete"
    )
    parser.add_argument("--samples", type=Path, required=True, help="array to write (.npy)")
    parser.add_argument("--trajectory", type=Path, required=True, help="trajectory to write (.npz)")
    parser.add_argument("--provenance", type=Path, required=True, help="provenance to write (.json)")
    return parser.parse_args()


run(main)
