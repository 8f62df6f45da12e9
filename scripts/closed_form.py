"""Compute a table, a spectrum or axes by one function of the package, and write what it returns.

Inputs and parameters are given by name: what a function takes is said by itself, such as
shapednoise.analysis.theory.theory_table.
"""

import argparse
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd

from shapednoise.files import atomic_path, write_json
from shapednoise.workflow.cli import call, inputs_and_parameters, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, parents=[inputs_and_parameters()])
    parser.add_argument("function", help="PACKAGE.MODULE:FUNCTION below shapednoise")
    parser.add_argument(
        "--output",
        type=Path,
        nargs="+",
        required=True,
        help="files to write, one a result (.csv, .npy, .json)",
    )
    arguments = parser.parse_args()

    module, _, function = arguments.function.partition(":")
    results = call(getattr(import_module(f"shapednoise.{module}"), function), arguments)
    results = results if isinstance(results, tuple) else (results,)
    for result, path in zip(results, arguments.output, strict=True):
        write(result, path)


def write(result: pd.DataFrame | np.ndarray | dict, path: Path) -> None:
    """Write a table, an array or a record, whole or not at all."""
    if isinstance(result, dict):
        write_json(path, result)
        return
    with atomic_path(path) as temporary:
        if isinstance(result, pd.DataFrame):
            result.to_csv(temporary, index=False)
        else:
            np.save(temporary, result)


run(main)
