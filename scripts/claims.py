"""Decide every claim of the papers from the tables of a run, as far as it was run."""

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd

from shapednoise.claims.evidence import Evidence
from shapednoise.claims.published_hyperparameters import defaults_table
from shapednoise.claims.table import claims_markdown, claims_table
from shapednoise.files import atomic_path, read_json, write_text
from shapednoise.workflow.cli import run


def main() -> None:
    arguments = parse()
    tables = {
        kind: {name: read(kind, paths) for name, paths in files.items()}
        for kind, files in arguments.evidence.items()
    }
    claims = claims_table(Evidence(tables, defaults_table(arguments.defaults)), arguments.plan)
    experiments = list(tables.get("hyperparameters", {}).values())
    hyperparameters = pd.concat(experiments, ignore_index=True) if experiments else pd.DataFrame()
    notes = warnings_section(arguments.models, tables.get("scores", {}))
    write_text(arguments.markdown, claims_markdown(claims, hyperparameters) + notes)
    with atomic_path(arguments.table) as temporary:
        claims.to_csv(temporary, index=False)


def warnings_section(models: list[Path], scores: dict[str, pd.DataFrame]) -> str:
    """What trainings and scores were warned of, each once; nothing where there was nothing."""
    lines = [
        f"- Trained on {path.parts[-7]} by recipe {path.parts[-3]}: {warning}"  # as in layout.MODEL
        for path in models if path.is_file() for warning in read_json(path).get("warnings", [])
    ]  # fmt: skip
    for name, table in scores.items():
        lines += [f"- Scores of {name}: {text}" for text in table.get("warnings", pd.Series()).dropna()]
    return "\n".join(["\n## Warnings\n", *dict.fromkeys(lines)]) + "\n" if lines else ""


def read(kind: str, paths: list[str]) -> Any:
    """The tables of one name, one below the other; of a data set's PCA, the content of its file."""
    if kind == "pca":
        return read_json(paths[-1])
    # hyperparameters are JSON, whose null is a text here
    options = {"keep_default_na": False, "dtype": {"published": str, "run": str}}
    options = options if kind == "hyperparameters" else {}
    return pd.concat([pd.read_csv(path, **options) for path in paths], ignore_index=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--evidence",
        type=json.loads,
        required=True,
        help="files of the run as JSON, {kind: {name: [paths]}}; claims.evidence.Evidence has the kinds",
    )
    parser.add_argument(
        "--defaults", type=json.loads, required=True, help="schedule and noises of the theory (JSON)"
    )
    parser.add_argument(
        "--plan", type=json.loads, default={}, help="seeds and epochs planned for claims (JSON)"
    )
    parser.add_argument(
        "--models", type=Path, nargs="*", default=[], help="provenance.json of each model, for its warnings"
    )
    parser.add_argument("--table", type=Path, required=True, help="table to write (.csv)")
    parser.add_argument("--markdown", type=Path, required=True, help="the same to read (.md)")
    return parser.parse_args()


run(main)
