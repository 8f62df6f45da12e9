"""The words and pages of a run's report: captions of figures and samples, tables to read in a browser."""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import pandas as pd

from shapednoise.config.figures import FigureSettings
from shapednoise.config.schema import Config
from shapednoise.metrics.registry import METRICS
from shapednoise.workflow.layout import Layout, experiments_of

PAPERS = {
    r"fig(\d|B)": "SDM (Singh et al. 2025)",
    r"fig[AO]": "SAGD (Scimeca et al. 2025)",
}  # names in config.yaml
SORTS = "A click on a column sorts by it."
INTRODUCTIONS = {  # of the pages, on top of each and as its caption
    "claims": "The verdict on each claim of the papers and of this project, by code, from this run's tables; "
    "tier: the scale that is asked about. A run that differs from the published hyperparameters in what "
    f"matters decides none that needs training. What was not run stands last. {SORTS}",
    "training": "The mean squared error of the predicted noise, a mean of 50 steps, and the learning rate. "
    "A lower loss with another noise says nothing about its images: what is predicted differs.",
    "scores": f"One row a sample set; in brackets 95 % intervals over the generated images. {SORTS}",
    "hyperparameters": "Those of each experiment beside the published ones or, where the source is ours, "
    f"beside what this project asks for; what differs stands first. {SORTS}",
    "provenance": f"When, by what code and on what hardware each model was made. {SORTS}",
    "config": "The config of this run, defaults and overlays resolved.",
}
FOLDED = 140  # a cell of more letters shows its beginning and opens on a click
NO_TRAINING = "No network is trained for it."
NUMBERS = ("image", "images", "reference_images")  # settings of figures, said as their descriptions begin
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 1rem; color: #1a1a1a; background: #fff }
table { border-collapse: collapse; width: 100% } th { cursor: pointer }
th, td { text-align: left; vertical-align: top; padding: .35rem .45rem; border-bottom: 1px solid #ccc }
th { background: #f2f2f2; position: sticky; top: 0 } pre { white-space: pre-wrap; overflow-wrap: anywhere }
img { max-width: 100% } summary { cursor: pointer }
details:not([open]) > summary::after { content: " \\2026" }
@media (max-width: 700px) {
  body { margin-top: 2.5rem } h1 { font-size: 1.5em } img { max-width: none; width: 45rem }
  thead { display: block } thead::before { content: "Sort by: "; color: #666 }
  th { display: inline-block; position: static }
  tr { display: block; border-bottom: 2px solid #888; padding: .5rem 0 }
  td { display: flex; gap: .6rem; overflow-wrap: anywhere; border: 0; padding: .15rem 0 }
  td:empty { display: none }
  td::before { content: attr(data-name); flex: 0 0 6.5rem; color: #666 }
}
"""
COMPARE = """
const number = text => parseFloat(text.replace(/,(?=[0-9]{3})/g, ""));
const compare = (a, b) => number(a) - number(b) || a.localeCompare(b, "en", { numeric: true });
"""  # by the number that a text begins with, then as a text
SORT = """
document.querySelectorAll("th").forEach((head, column) => head.onclick = () => {
  const rows = [...head.closest("table").tBodies[0].rows], up = head.dataset.up !== "yes";
  head.dataset.up = up ? "yes" : "no";
  const of = row => row.cells[column].textContent;
  rows.sort((a, b) => (up ? 1 : -1) * compare(of(a), of(b)));
  rows.forEach(row => row.parentNode.append(row));
});
"""


def paper_of(figure: str) -> str:
    """Whose figure it is, by its name in config.yaml."""
    return next((paper for names, paper in PAPERS.items() if re.match(names, figure)), "This project")


def figure_about(config: Config, name: str) -> str:
    """What a figure shows, of how many images and seeds, and whether it can decide anything."""
    figure = config.figures[name]
    parts = [scale_of(config, each) for each in experiments_of(figure)]
    about = figure.about(config)
    if hasattr(figure, "metric"):
        about = about.replace("A score", METRICS[figure.metric].label)
    return "\n\n".join([about, *data_of(config, figure), *(parts or [NO_TRAINING])])


def data_of(config: Config, figure: FigureSettings) -> Iterator[str]:
    """The data set that a figure names, and how many images of which kind its settings have."""
    if hasattr(figure, "dataset"):
        images = config.images_of(figure.dataset).images
        parts = [f"{config.datasets[figure.dataset].title}, {f'{images:,}' if images else 'all'} images"]
        for name in NUMBERS:
            if hasattr(figure, name):
                what = (type(figure).model_fields[name].description or name).partition(";")[0].rstrip(".")
                parts.append(f"{what[0].lower()}{what[1:]}: {getattr(figure, name):,}")
        yield f"Data set: {'; '.join(parts)}."


def scale_of(config: Config, experiment: str) -> str:
    """How large the runs of an experiment are, and whether that is what was planned for claims."""
    recipe, seeds = config.recipes[config.recipe_of(experiment)], len(config.seeds_of(experiment))
    images = {sampler.images for sampler in config.samplers_of(experiment)}
    reference, epochs = recipe.scoring.reference_images, recipe.training.epochs
    plans = sorted((planned.seeds, planned.epochs) for planned in config.claims.values())
    decides = "what it decides is in the table of claims"
    if plans and not any(seeds >= least[0] and epochs >= least[1] for least in plans):
        decides = f"planned for claims: {plans[0][0]} seeds, {plans[0][1]:g} epochs; it decides none"
    return (
        f"Experiment {experiment}: {config.title_of(experiment)}, seeds: {seeds}, "
        f"{' or '.join(f'{n:,}' for n in sorted(images))} generated images a point, compared with "
        f"{reference if reference == 'all' else f'{reference:,}'} real ones, {epochs:g} epochs; {decides}."
    )


def run_about(layout: Layout) -> list[str]:
    """What was run: of each experiment its scale, noises and strengths."""
    config, found = layout.config, []
    for name in layout.wanted_experiments():
        experiment = config.experiments[name]
        networks = "one network for all strengths" if experiment.together else "a network for each strength"
        strengths = ", ".join(f"{strength:g}" for strength in config.strengths_of(name))
        noises = ", ".join(experiment.noises)
        found.append(f"{scale_of(config, name)} Noise: {noises} at s = {strengths}, {networks}.")
    return found or [NO_TRAINING]


def sample_set_about(layout: Layout, wildcards: Mapping[str, str]) -> str:
    """Of which network and sampler pictures are. wildcards: those of their rule."""
    recipe, sampler = layout.config.recipes[wildcards["recipe"]], layout.sampler_of(wildcards)
    return (
        f"{layout.config.datasets[wildcards['dataset']].title}: "
        f"the first of {sampler.images:,} images, not chosen; noise {wildcards['noise']} at strength "
        f"{layout.strength_of(wildcards):g}, {sampler.steps} steps of {sampler.method}, training seed "
        f"{wildcards['seed']}, {sampler.epoch or recipe.training.epochs:g} epochs. Picture i starts from one "
        "noise in every sample set. Pictures decide no claim."
    )


def in_report(layout: Layout, picture: str) -> dict[str, Any]:
    """Where a picture of sample sets stands in the report: the options of Snakemake's `report`."""

    def kind(wildcards: Mapping[str, str]) -> str:
        """What sample sets share that differ by noise, strength and seed alone."""
        _, of_many, sampler = wildcards["sampler"].rpartition("/")
        network = [wildcards["network"]] if of_many else []
        return ", ".join([wildcards["dataset"], wildcards["recipe"], *network, sampler])

    def labels(wildcards: Mapping[str, str]) -> dict[str, str]:
        strength = f"{layout.strength_of(wildcards):g}"
        return {
            "picture": picture,
            "noise": wildcards["noise"],
            "strength": strength,
            "seed": wildcards["seed"],
        }

    place = {"caption": "../report/caption.rst", "category": "3. Samples", "subcategory": kind}
    return {**place, "labels": labels}


def page(
    title: str, introduction: str, table: pd.DataFrame | None = None, text: str = "", picture: bytes = b""
) -> str:
    """A page of a report that needs no other file: a table whose columns sort, a text as it is, or a PNG."""
    parts = [f"<h1>{escape(title)}</h1><p>{escape(introduction)}</p>"]
    if table is not None:
        heads = "".join(f"<th>{escape(str(name))}</th>" for name in table.columns)
        rows = "".join(f"<tr>{_cells(row)}</tr>" for row in table.fillna("").astype(str).to_dict("records"))
        parts.append(f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>")
        parts.append(f"<script>{COMPARE}{SORT}</script>")
    if text:
        parts.append(f"<pre>{escape(text)}</pre>")
    if picture:
        parts.append(f'<img alt="{escape(title)}" src="data:image/png;base64,{b64encode(picture).decode()}">')
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _cells(row: Mapping[str, Any]) -> str:
    return "".join(f'<td data-name="{escape(name)}">{_folded(value)}</td>' for name, value in row.items())


def _folded(text: str) -> str:
    head = text[: FOLDED // 4].rpartition(" ")[0] if len(text) > FOLDED else ""
    begins, goes_on = (escape(part).replace("/", "/<wbr>") for part in (head, text[len(head) :]))
    return f"<details><summary>{begins}</summary>{goes_on}</details>" if head else goes_on
