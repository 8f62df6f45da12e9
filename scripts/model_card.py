"""Write the README.md of a trained model as the Hugging Face hub reads it, from its provenance and scores."""

import argparse
import json
import shutil
from pathlib import Path

from huggingface_hub import EvalResult, ModelCardData

from shapednoise.files import read_json, write_text
from shapednoise.metrics.registry import METRICS
from shapednoise.noise.shape import TRAINED
from shapednoise.workflow.cli import run

GRID = "samples.png"


def main() -> None:
    arguments = parse()
    model = arguments.model
    scores = [read_json(file) for file in arguments.scores]
    if arguments.grid:
        shutil.copyfile(arguments.grid, model / GRID)
    provenance = read_json(model / "provenance.json")
    shape = read_json(model / "scheduler" / "scheduler_config.json")["shape"]
    losses, grid = (model / "training.csv").is_file(), bool(arguments.grid)
    text = card(arguments.dataset, provenance, shape, scores, grid, losses)
    write_text(model / "README.md", text)


def card(dataset: dict, provenance: dict, shape: dict, scores: list[dict], grid: bool, losses: bool) -> str:
    strengths = shape.get(TRAINED) or [shape.get("strength", 0)]
    many = "s" if len(strengths) > 1 else ""
    noise = f"{shape['operator']} at strength{many} {', '.join(f'{s:g}' for s in strengths)}"
    shown = scores[0]["strength"] if scores else strengths[0]
    at = f", strength={shown:g}" if many else ""
    data = ModelCardData(
        library_name="diffusers",
        pipeline_tag="unconditional-image-generation",
        tags=["shapednoise", "diffusion", "arxiv:2508.14871", "arxiv:2510.09660"],
        datasets=[dataset["hub"]] if dataset["hub"] else None,
        model_name=f"{dataset['title']}, {noise}",
        eval_results=results(dataset, scores) or None,
    )
    made_of = json.dumps({key: value for key, value in shape.items() if key != "spectrum"})
    training, git, hardware = (provenance[key] for key in ("training", "git", "hardware"))
    processor = hardware.get("gpu", hardware["cpu"])
    return f"""---
{data.to_yaml()}
---

# {dataset["title"]}, {noise}

A diffusion model whose forward noise is shaped, of the library shapednoise.
{f"{chr(10)}![The first samples, not chosen]({GRID}){chr(10)}" if grid else ""}
## Use

```python
from shapednoise import ShapedDDPMPipeline

images = ShapedDDPMPipeline.from_pretrained(FOLDER_OR_REPOSITORY)(batch_size=4{at}).images
```

`DiffusionPipeline.from_pretrained(..., trust_remote_code=True)` loads it too, where shapednoise is installed.

## How it was made

- data: {dataset["title"]}; mind their licence before you share it: {dataset["licence"] or "not stated"}
- noise: `{made_of}`
- training: {training["epochs"]:g} epochs, {provenance["steps"]} steps of {training["batch_size"]} images,
  seed {provenance["seed"]}, {provenance["seconds"] / 60:.1f} minutes on {processor}
- code: commit {git["commit"] or "not known"}{" with edits" if git["edited"] else ""}
- torch {provenance["torch"]}, {provenance["precision"]}

`provenance.json` has all of it{", `training.csv` the losses" if losses else ""}.

## Scores

{table(scores)}
"""


def results(dataset: dict, scores: list[dict]) -> list[EvalResult]:
    return [
        EvalResult(
            task_type="unconditional-image-generation", dataset_type=dataset["hub"] or dataset["name"],
            dataset_name=dataset["title"], metric_type=metric, metric_value=round(row[metric], 4),
            metric_name=f"{METRICS[metric].label} [{interval(row, metric)}], {setting(row)}",
        )
        for row in scores for metric in METRICS if row.get(metric) is not None
    ]  # fmt: skip


def interval(row: dict, metric: str) -> str:
    low, high = row.get(f"{metric}_low"), row.get(f"{metric}_high")
    return "" if low is None else f"{low:.4g} to {high:.4g}"


def setting(row: dict) -> str:
    sampler = row["sampler"]
    return (
        f"s = {row['strength']:g}, {sampler['steps']} steps of {sampler['method']}, "
        f"{row['generated_images']:,} images against {row['real_images']:,}, extractor {row['extractor']}"
    )


def table(scores: list[dict]) -> str:
    if not scores:
        return "None were computed."
    lines = ["| samples | score | value | 95 % interval over images |", "| --- | --- | ---: | --- |"]
    lines += [
        f"| {setting(row)} | {METRICS[metric].label} | {row[metric]:.4g} | {interval(row, metric)} |"
        for row in scores for metric in METRICS if row.get(metric) is not None
    ]  # fmt: skip
    return "\n".join(lines)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of a trained model")
    parser.add_argument("--dataset", type=json.loads, required=True, help="name, title, licence, hub (JSON)")
    parser.add_argument("--scores", type=Path, nargs="*", default=[], help="scores of its samples (.json)")
    parser.add_argument("--grid", type=Path, help="a grid of its samples (.png)")
    return parser.parse_args()


run(main)
