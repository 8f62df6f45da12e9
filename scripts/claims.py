"""Decide every claim of the papers from the tables of a run, as far as it was run."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from shapednoise.claims.evidence import Evidence
from shapednoise.claims.published import defaults_table
from shapednoise.claims.table import claims_markdown, claims_table
from shapednoise.files import atomic_path, read_json, write_text
from shapednoise.workflow.cli import run


def main() -> None:
    arguments = parse()
    evidence = Evidence(
        scores=tables(arguments.scores),
        hyperparameters=tables(arguments.hyperparameters),
        sharpness=tables(arguments.sharpness),
        theory=tables(arguments.theory),
        score_limit=tables(arguments.score_limit),
        pca={name: read_json(path) for name, path in arguments.pca},
        drift=pd.concat([pd.read_csv(path) for path in arguments.drift]) if arguments.drift else None,
        defaults=defaults_table(arguments.defaults),
    )
    claims = claims_table(evidence)
    runs = list(evidence.hyperparameters.values())
    hyperparameters = pd.concat(runs, ignore_index=True) if runs else pd.DataFrame()
    write_text(arguments.markdown, claims_markdown(claims, hyperparameters))
    with atomic_path(arguments.table) as temporary:
        claims.to_csv(temporary, index=False)


def tables(pairs: Sequence[tuple[str, Path]]) -> dict[str, pd.DataFrame]:
    """The tables of each name, those of the same name one below the other."""
    found: dict[str, list[pd.DataFrame]] = {}
    for name, path in pairs:
        found.setdefault(name, []).append(pd.read_csv(path))
    return {name: pd.concat(parts, ignore_index=True) for name, parts in found.items()}


def named(text: str) -> tuple[str, Path]:
    """NAME=PATH."""
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PATH")
    return name, Path(path)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    several = {"nargs": "*", "default": [], "type": named, "metavar": "NAME=PATH"}
    parser.add_argument("--scores", **several, help="scores of an experiment (.csv)")
    parser.add_argument("--hyperparameters", **several, help="hyperparameters of an experiment (.csv)")
    parser.add_argument("--sharpness", **several, help="sharpness of an experiment's samples (.csv)")
    parser.add_argument("--theory", **several, help="closed-form distances on a data set (.csv)")
    parser.add_argument("--score-limit", **several, help="errors of the score on a data set (.csv)")
    parser.add_argument("--pca", **several, help="principal colour axes of a data set (.json)")
    parser.add_argument("--drift", nargs="*", default=[], type=Path, help="tables of drift (.csv)")
    parser.add_argument(
        "--defaults", type=json.loads, required=True, help="schedule and noises of the theory (JSON)"
    )
    parser.add_argument("--table", type=Path, required=True, help="table to write (.csv)")
    parser.add_argument("--markdown", type=Path, required=True, help="the same to read (.md)")
    return parser.parse_args()


run(main)
