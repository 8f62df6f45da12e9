"""Take over results that were copied into the results folder, unless other settings or code made them.

Data that is missing is prepared first. Then Snakemake notes the files as made by the present rules
(`--touch`), so that the next run plans nothing of what is there. Run it in the project's folder.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shapednoise.config.load import load_project_config
from shapednoise.config.schema import Config
from shapednoise.errors import UserError
from shapednoise.workflow import import_results as adoption
from shapednoise.workflow.cli import run
from shapednoise.workflow.code import code_digest
from shapednoise.workflow.layout import wanted_sample_sets
from shapednoise.workflow.provenance import git_state

PROJECT = Path(__file__).resolve().parents[1]


def main() -> None:
    arguments = parse()
    config = load_project_config(PROJECT, arguments.configfiles)
    models, samples = adoption.models_there(config), adoption.samples_there(config)
    check(config, models, samples)
    note_commits(adoption.commits_of(config, models))
    if arguments.check:
        return
    snakemake(arguments.configfiles, "prepare", "--touch", "--quiet", "all")  # what is there
    snakemake(arguments.configfiles, "prepare")  # what is not
    refuse(differences("models", models, lambda model: adoption.difference_of_images(config, model)))
    with times_kept(Path(config.data_dir)):
        snakemake(arguments.configfiles, "--touch", "--quiet", "all", "--forceall")
    wanted = wanted_sample_sets(config)
    lacking = len({each.model for each in wanted}) - len(models), len(wanted) - len(samples)
    print(f"adopted {len(models)} models and {len(samples)} sample sets in {config.results}", end="")
    print("; {} and {} are yet to be made".format(*lacking) if any(lacking) else "")


def check(config: Config, models: list, samples: list) -> None:
    """Refuse results that other settings or code made, and name each."""
    if keys := adoption.changed_settings(config):
        raise UserError(f"{config.results} was made by other settings: {', '.join(sorted(keys))}")
    trainer, sampler = (code_digest(name) for name in ("train", "sample"))
    refuse(
        [
            *differences("models", models, lambda m: adoption.difference_of_model(config, m, trainer)),
            *differences("samples", samples, lambda s: adoption.difference_of_samples(config, s, sampler)),
        ]
    )


def note_commits(theirs: set[str]) -> None:
    """Say if other code than the trainer's and the sampler's may have been another."""
    ours = git_state()["commit"]
    if theirs - {ours}:
        print(
            f"note: made at commit {', '.join(sorted(theirs))}, this is {ours}; the code of models and "
            "samples is the same, features, scores, tables and figures do not say theirs"
        )


def differences(kind: str, made: Iterable, difference: Callable[[Any], list[str]]) -> list[str]:
    """A line for each of these models or sample sets that something else made than what would now."""
    found = ((each.path, difference(each)) for each in made)
    return [f"{kind}/{path}: other {', other '.join(names)}" for path, names in found if names]


def refuse(lines: list[str]) -> None:
    """Raise UserError if there are any, after printing them."""
    print("\n".join(lines), end="\n" if lines else "")
    if lines:
        raise UserError(
            f"{len(lines)} of the models and sample sets were made by something else than the present "
            "settings, code and images; nothing was adopted"
        )


@contextmanager
def times_kept(folder: Path) -> Iterator[None]:
    """Keep the times of a folder's files: what other results depend on becomes no newer."""
    before = {file: file.stat() for file in folder.rglob("*") if file.is_file()}
    try:
        yield
    finally:
        for file, status in before.items():
            if file.stat().st_mtime_ns != status.st_mtime_ns:
                os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def snakemake(configfiles: list[Path], *arguments: str) -> None:
    """Run Snakemake on the same configuration. Raises UserError if it fails, which says why itself."""
    overlays = ["--configfile", *map(str, configfiles)] if configfiles else []
    snakefile = ["--snakefile", str(PROJECT / "Snakefile"), "--cores", "all"]
    command = [sys.executable, "-m", "snakemake", *arguments, *snakefile, *overlays]
    if subprocess.run(command, check=False).returncode:
        raise UserError(f"`snakemake {' '.join(arguments[:2])}` has failed; nothing was adopted")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("configfiles", type=Path, nargs="*", help="overlays of config.yaml, as of the run")
    parser.add_argument("--check", action="store_true", help="only say whether all fits")
    return parser.parse_args()


run(main)
