"""Draw a figure of one kind, from the files that it reads and the parameters that it takes.

Both are given by name: what a kind takes is said by its `draw` in src/shapednoise/figures.
"""

import argparse
from importlib import import_module
from pathlib import Path

from shapednoise.config.figures import FIGURE_KINDS
from shapednoise.figures.style import save
from shapednoise.workflow.cli import call, inputs_and_parameters, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, parents=[inputs_and_parameters()])
    parser.add_argument("kind", help="the kind of figure, a module of the package figures")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="figures to write (.pdf, .png)")
    arguments = parser.parse_args()

    import_module(f"shapednoise.figures.{arguments.kind}")  # registers the kind
    save(call(FIGURE_KINDS[arguments.kind].draw, arguments), arguments.output)


run(main)
