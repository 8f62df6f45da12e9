"""Write a page of the report: claims, training curves, scores, hyperparameters, provenance or the config."""

import argparse
import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import yaml

from shapednoise.analysis.curve import Interval
from shapednoise.errors import UserError
from shapednoise.figures.training_curves import draw_trainings
from shapednoise.files import read_json, write_text
from shapednoise.metrics.registry import METRICS
from shapednoise.workflow.cli import run
from shapednoise.workflow.report import INTRODUCTIONS, page

COLUMNS = {  # of the table of scores, as the page calls them; scores come between
    **{name: name for name in ("dataset", "noise", "strength", "seed")},
    "sampler.method": "method",
    "sampler.steps": "steps",
    "sampler.reading": "reading",
    "generated_images": "n",
    "real_images": "real",
    "extractor": "extractor",
    "recipe": "recipe",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", choices=PAGES)
    parser.add_argument("--inputs", type=Path, nargs="+", required=True, help="the tables or records")
    parser.add_argument("--output", type=Path, required=True, help="page to write (.html)")
    arguments = parser.parse_args()
    if missing := [file for file in arguments.inputs if not file.is_file()]:
        raise UserError(f"{missing[0]} is not there; run the workflow first")
    name = arguments.page
    made = PAGES[name](arguments.inputs)
    content = {str: "text", bytes: "picture"}.get(type(made), "table")
    write_text(arguments.output, page(name.capitalize(), INTRODUCTIONS[name], **{content: made}))


def claims(files: list[Path]) -> pd.DataFrame:
    table = pd.read_csv(files[0]).sort_values(
        "verdict", key=lambda verdict: verdict == "not run", kind="stable"
    )
    interval = [
        Interval(row.value, row.low, row.high).ends if pd.notna(row.low) and row.low != row.high else ""
        for row in table.itertuples()
    ]
    shown = table[["id", "verdict", "statement", "published", "measured"]].fillna("")
    shown = shown.assign(**{"95 % interval": interval})
    shown["n"] = table.images.map(whole)
    shown["seeds"] = table.seeds.map(whole)
    shown = shown.join(table[["source", "tier"]])
    shown["decided by"] = (table.criterion + ". " + table.note.fillna("")).str.strip()
    return shown.loc[:, (shown != "").any()]


def training(files: list[Path]) -> bytes:
    figure = draw_trainings({file.parts[-7:-1]: pd.read_csv(file) for file in files})
    picture = io.BytesIO()
    figure.savefig(picture, dpi=130)
    return picture.getvalue()


def scores(files: list[Path]) -> pd.DataFrame:
    table = pd.read_csv(files[0])
    point = table[[name for name in COLUMNS if name in table]].rename(columns=COLUMNS)
    shown = point[["noise", "strength", "seed"]]
    for metric in METRICS:
        if metric in table and table[metric].notna().any():
            ends = [table.get(f"{metric}_{end}", pd.Series(index=table.index)) for end in ("low", "high")]
            shown = shown.assign(
                **{METRICS[metric].label: [with_ends(*row) for row in zip(table[metric], *ends, strict=True)]}
            )
    return shown.join(point.drop(columns=list(shown.columns), errors="ignore"))


def hyperparameters(files: list[Path]) -> pd.DataFrame:
    table = pd.concat(pd.read_csv(file, keep_default_na=False, dtype=str) for file in files)
    return table.sort_values("differs", key=lambda column: column != "True", kind="stable")


def provenance(files: list[Path]) -> pd.DataFrame:
    rows = []
    for file in files:
        record = read_json(file)
        git = record["git"]
        rows.append(
            {
                "model": "/".join(file.parts[-7:-1]),
                "made": record["date"],
                "minutes": f"{record['seconds'] / 60:.1f}",
                "commit": f"{(git['commit'] or '?')[:12]}{' edited' if git['edited'] else ''}",
                "versions": ", ".join(f"{name} {version}" for name, version in record["versions"].items()),
                "hardware": ", ".join(f"{name} {value}" for name, value in record["hardware"].items()),
            }
        )
    return pd.DataFrame(rows)


def config(files: list[Path]) -> str:
    return yaml.safe_dump(read_json(files[0]), sort_keys=False, width=100, allow_unicode=True)


def whole(number: float) -> str:
    return f"{int(number):,}" if pd.notna(number) else ""


def with_ends(value: float, low: float, high: float) -> str:
    return (
        f"{value:.4g} [{low:.3g}, {high:.3g}]" if pd.notna(low) else "" if pd.isna(value) else f"{value:.4g}"
    )


PAGES: dict[str, Callable[[list[Path]], pd.DataFrame | str | bytes]] = {
    "claims": claims, "training": training, "scores": scores,
    "hyperparameters": hyperparameters, "provenance": provenance, "config": config,
}  # fmt: skip
run(main)
