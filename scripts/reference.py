"""Keep the small results of a finished run, tables and figures, with how they came about."""

import argparse
import shutil
from pathlib import Path
from typing import Any

from shapednoise import ShapedDDPMPipeline
from shapednoise.errors import UserError
from shapednoise.files import atomic_directory, atomic_path, read_json, write_json
from shapednoise.workflow.checksums import record as record_sha256
from shapednoise.workflow.cli import run
from shapednoise.workflow.plan import seconds_of_jobs
from shapednoise.workflow.shared_scores import SHARED

KEPT = (
    *("claims.csv", "claims.md", "tables/scores.csv", "tables/theory/*.csv"),
    *("tables/predicted_fid/*.csv", "tables/public_fids/*.csv"),
    *("figures/*.png", "figures/*.pdf", "pca/*.json"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="results folder of a finished run")
    parser.add_argument("output", type=Path, help="folder to keep them in, such as results/reference/demo")
    parser.add_argument("--command", required=True, help="the command that made the results, for the record")
    parser.add_argument(
        "--scores", action="store_true", help="keep the scores too, to go on from them without the models"
    )
    parser.add_argument("--model", type=Path, help="a model to keep, too")
    arguments = parser.parse_args()

    results, output = arguments.results, arguments.output
    models = sorted((results / "models").rglob("provenance.json"))
    if not models:
        raise UserError(f"{results} has no models; run the workflow first")
    kept = {file: file.name for pattern in KEPT for file in results.glob(pattern)}
    for pattern in SHARED if arguments.scores else ():
        kept |= {file: file.relative_to(results) for file in results.glob(pattern)}
    for file, place in kept.items():
        with atomic_path(output / place) as temporary:
            shutil.copyfile(file, temporary)
    record = {"command": arguments.command, "models": trainings(models)}
    record["seconds_of_jobs"] = seconds_of_jobs(results)
    write_json(output / "provenance.json", record)
    if arguments.model:
        keep_model(arguments.model, output / "model")
    record_sha256(output)


def trainings(models: list[Path]) -> list[dict[str, Any]]:
    """How many models were trained, and in how many seconds, by each code, hardware and precision."""
    found: list[dict[str, Any]] = []
    for trained in map(read_json, models):
        facts = {key: trained[key] for key in ("git", "versions", "hardware", "precision", "device")}
        same = next((each for each in found if facts.items() <= each.items()), None)
        if same is None:
            found.append(same := {**facts, "count": 0, "seconds": 0.0, "last": ""})
        same["count"] += 1
        same["seconds"] = round(same["seconds"] + trained["training_seconds"], 1)
        same["last"] = max(same["last"], trained["date"])
    return found


def keep_model(model: Path, output: Path) -> None:
    """Save a model and its provenance, no snapshots; other files there, such as a card, stay."""
    pipeline = ShapedDDPMPipeline.from_pretrained(model)
    with atomic_directory(output, "model_index.json") as folder:
        pipeline.save_pretrained(folder)
        shutil.copyfile(model / "provenance.json", folder / "provenance.json")


run(main)
