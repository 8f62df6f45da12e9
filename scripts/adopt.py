"""Take over results that were copied into the results folder, unless other settings or code made them.

Missing data are prepared first. Then Snakemake records the files as made by the present rules (`--touch`),
so that the next run plans only what is not there. Run it in the project's folder.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shapednoise.errors import UserError
from shapednoise.workflow.checksums import differences
from shapednoise.workflow.cli import run
from shapednoise.workflow.import_results import ImportedResults
from shapednoise.workflow.project import load_project_config
from shapednoise.workflow.provenance import git_state
from shapednoise.workflow.shared_scores import SharedScores

PROJECT = Path(__file__).resolve().parents[1]


def main() -> None:
    arguments = parse()
    config = load_project_config(PROJECT, arguments.configfiles)
    results = SharedScores(config, arguments.scores) if arguments.scores else ImportedResults(config)
    if keys := results.changed_settings():
        raise UserError(f"{results.folder} was made by other settings: {', '.join(keys)}")
    changed = [line for line in differences(results.folder) if "missing" not in line.rpartition(": ")[2]]
    if arguments.scores:
        refuse(changed)
        adopt_scores(results, arguments)
        return
    refuse(changed + results.differences_of_models() + results.differences_of_samples())
    present = git_state()["commit"]
    if others := results.commits() - {present}:
        print(
            f"note: made at commit {', '.join(sorted(others))}, this is {present}; the code of models and "
            "samples is the same, features, scores, tables and figures do not record theirs"
        )
    if arguments.check:
        return
    snakemake(arguments.configfiles, "prepare", "--touch", "--quiet", "all")  # what is there
    snakemake(arguments.configfiles, "prepare")  # what is not
    refuse(results.differences_of_models())  # now that the images are there
    with times_kept(Path(config.data_dir)):
        snakemake(arguments.configfiles, "--touch", "--quiet", "all", "--forceall")
    models, samples = len(results.models), len(results.samples)
    missing = len(results.wanted_models) - models, len(results.wanted_samples) - samples
    print(f"adopted {models} models and {samples} sample sets in {config.results}", end="")
    print("; {} and {} are yet to be made".format(*missing) if any(missing) else "")


def adopt_scores(shared: SharedScores, arguments: argparse.Namespace) -> None:
    """Take over scores without models and images, into a results folder that has nothing yet."""
    results = shared.config.results
    if Path(results, "scores").exists():
        raise UserError(f"{results} is there already; scores are taken over before the first run")
    refuse(shared.changed_code())
    if not shared.scores:
        raise UserError(f"{shared.folder} has no score that this config wants")
    if arguments.check:
        return
    snakemake(arguments.configfiles, "prepare")
    snakemake(arguments.configfiles, *shared.needed())
    refuse(shared.differences_of_models())
    count = shared.take()
    with times_kept(Path(shared.config.data_dir)):
        snakemake(arguments.configfiles, "--touch", "--quiet", "all", "--forceall")
    print(f"took over {count} scores of {len(shared.models)} models; the next run makes the rest")


def refuse(lines: list[str]) -> None:
    """Print these lines and raise UserError if there are any."""
    if lines:
        print("\n".join(lines))
        raise UserError(
            f"{len(lines)} files, models, sample sets or stages are not as recorded, or not of the present "
            "settings, code and images; nothing was adopted"
        )


@contextmanager
def times_kept(folder: Path) -> Iterator[None]:
    """Restore the times of a folder's files, on which other results depend."""
    before = {file: file.stat() for file in folder.rglob("*") if file.is_file()}
    try:
        yield
    finally:
        for file, status in before.items():
            if file.stat().st_mtime_ns != status.st_mtime_ns:
                os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def snakemake(configfiles: list[Path], *arguments: str) -> None:
    """Run Snakemake on the same configuration. Raises UserError if it fails; its own message says why."""
    overlays = ["--configfile", *map(str, configfiles)] if configfiles else []
    snakefile = ["--snakefile", str(PROJECT / "Snakefile"), "--cores", "all"]
    command = [sys.executable, "-m", "snakemake", *arguments, *snakefile, *overlays]
    if subprocess.run(command, check=False).returncode:
        raise UserError(f"`snakemake {' '.join(arguments[:2])}` failed; nothing was adopted")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("configfiles", type=Path, nargs="*", help="overlays of config.yaml, as of the run")
    parser.add_argument(
        "--scores", type=Path, help="a folder of scores without models, kept by scripts/reference.py --scores"
    )
    parser.add_argument("--check", action="store_true", help="only say whether all fits")
    return parser.parse_args()


run(main)
