"""All scores of a sample set, with their uncertainties, from features."""

import argparse
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from shapednoise.config.scoring import ScoringSettings
from shapednoise.data.images import load_images
from shapednoise.diffusion.device import configure_cpu
from shapednoise.errors import DamagedFile, UserError
from shapednoise.files import DAMAGED, read_json, write_json
from shapednoise.log import log
from shapednoise.metrics.extractors import why_no_logits
from shapednoise.metrics.features import read_features
from shapednoise.metrics.scores import score
from shapednoise.workflow.cli import positive, run, settings_from

SAME = ("network", "layer", "sha256_of_weights")


def main() -> None:
    arguments = parse()
    configure_cpu(arguments.threads)
    generated, record = read_features(arguments.generated)
    real, real_record = read_features(arguments.real, "features")
    if any(record[key] != real_record[key] for key in SAME):
        raise UserError(
            f"{arguments.generated} and {arguments.real} are features by different networks; "
            "delete the older one and run again"
        )
    real["neighbors"] = read_neighbors(arguments.neighbours) if arguments.neighbours else None
    generated["images"] = load_images(arguments.images)
    pca = read_json(arguments.pca)
    scores = score(generated, real, arguments.scoring, why_no_logits(record["network"]), pca)
    for warning in scores["warnings"]:
        log.warning("%s", warning)
    versions = {name: version(name) for name in ("torch", "torch-fidelity")}
    facts = {"extractor": arguments.extractor, "extraction": record, "versions": versions}
    write_json(arguments.output, {**arguments.point, **scores, **facts})


def read_neighbors(path: Path) -> np.ndarray:
    """The distances of the data set's images to their neighbors. Raises DamagedFile."""
    try:
        return np.load(path)
    except DAMAGED as error:
        raise DamagedFile(path, error) from error


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generated", type=Path, required=True, help="features of the samples (.npz)")
    parser.add_argument("--images", type=Path, required=True, help="the samples themselves (.npy)")
    parser.add_argument("--real", type=Path, required=True, help="features of the data set (.npz)")
    parser.add_argument("--pca", type=Path, required=True, help="color axes of the data set (.json)")
    parser.add_argument(
        "--neighbours", type=Path, help="distances of its images to their nearest neighbours (.npy)"
    )
    parser.add_argument(
        "--scoring", type=settings_from(ScoringSettings), required=True, help="scoring settings (JSON)"
    )
    parser.add_argument("--extractor", required=True, help="name of the extractor, for the record")
    parser.add_argument(
        "--point", type=json.loads, default={}, help="what was sampled, for the record (JSON)"
    )
    parser.add_argument("--threads", type=positive, default=torch.get_num_threads(), help="processor threads")
    parser.add_argument("--output", type=Path, required=True, help="scores to write (.json)")
    return parser.parse_args()


run(main)
