"""FID, KID, Inception Score, precision, recall and F-score of a sample set, from features."""

import argparse
import json
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from shapednoise.console import UserError, run, settings_from
from shapednoise.files import write_json
from shapednoise.metrics.scores import Features, score
from shapednoise.settings.scoring import ScoringSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generated", type=Path, required=True, help="features of the samples (.npz)")
    parser.add_argument("--real", type=Path, required=True, help="features of the data set (.npz)")
    parser.add_argument(
        "--scoring", type=settings_from(ScoringSettings), required=True, help="scoring settings (JSON)"
    )
    parser.add_argument("--extractor", required=True, help="name of the extractor, for the record")
    parser.add_argument(
        "--point", type=json.loads, default={}, help="what was sampled, for the record (JSON)"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="processor threads")
    parser.add_argument("--output", type=Path, required=True, help="scores to write (.json)")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    scores = score(load(arguments.generated), load(arguments.real, "features"), arguments.scoring)
    versions = {name: version(name) for name in ("torch", "torch-fidelity")}
    record = {**arguments.point, **scores, "extractor": arguments.extractor, "versions": versions}
    write_json(arguments.output, record)


def load(path: Path, *names: str) -> Features:
    """The arrays of a features file, or those of them that are named."""
    try:
        with np.load(path) as arrays:
            return {name: arrays[name] for name in names or arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is damaged ({error}); delete it and run again") from error


run(main)
