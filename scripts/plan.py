"""Print what a run would do and cost: jobs a rule, GPU hours, storage, wall time. Nothing is run.

python scripts/plan.py --gpus 4 --configfile demo.yaml
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd

from shapednoise.config.base import suggestion
from shapednoise.config.schema import Config
from shapednoise.errors import UserError
from shapednoise.workflow.cli import run
from shapednoise.workflow.costs import Costs, rates
from shapednoise.workflow.plan import (
    Job,
    counts_of_own_pictures,
    planned_jobs,
    remarks,
    scratch_mb,
    table,
    wall_seconds,
)
from shapednoise.workflow.project import load_project_config

ROOT = Path(__file__).resolve().parents[1]
GROUPS = {"train": "models", "sample": "samples", "features_samples": "features"}  # that `keep` is about


def main() -> None:
    arguments = parse()
    config = load_project_config(ROOT, arguments.configfile)
    if arguments.gpus is not None:
        cluster = config.cluster.model_copy(update={"gpus": arguments.gpus})
        config = config.model_copy(update={"cluster": cluster})
    gpus = config.cluster.gpus
    for target in arguments.targets:
        if re.fullmatch(r"fig\w*", target) and target not in config.figures:
            raise UserError(f"there is no figure {target!r}; {suggestion(target, config.figures)}")
    found = rates(ROOT / "results/reference/bench", config.cluster)
    costs = Costs(config, found, counts_of_own_pictures(config))
    jobs = planned_jobs(dry_run(arguments), costs)
    if not jobs:
        print("nothing is left to do")
        return
    notes = remarks(jobs, costs)
    if arguments.short:
        print(f"{in_short(jobs, gpus)}; `make plan` says more")
        return
    print(jobs_table(jobs, gpus))
    print(f"\nrates: {found.source}")
    for line in [*times(jobs, config, gpus), *storage(jobs, config, gpus), *notes]:
        print(line)


def dry_run(arguments: argparse.Namespace) -> str:
    """What Snakemake would do now. Raises UserError with what it says where it would not."""
    overlays = ["--configfile", *map(str, arguments.configfile)] if arguments.configfile else []
    command = [
        *(sys.executable, "-m", "snakemake", *arguments.targets, "--dry-run", "--cores", "all"),
        *("--snakefile", str(ROOT / "Snakefile"), *overlays),
    ]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        raise UserError(errors[0] if errors else "\n".join(lines[-5:]))
    return done.stdout + done.stderr


def jobs_table(jobs: list[Job], gpus: int) -> str:
    """The table of rules; hours are of processors alone where there is no GPU."""
    found = table(jobs)
    found.loc["sum"] = found.sum()
    found["jobs"] = found["jobs"].astype(int)
    if not gpus:
        found["hours"] = found.pop("GPU hours") + found.pop("CPU hours")
    return found.reset_index().to_string(index=False, float_format=lambda value: f"{value:.2f}")


def in_short(jobs: list[Job], gpus: int) -> str:
    """What a run takes, in a line."""
    memory_gb = max(job.cost.memory_mb for job in jobs) / 1000
    files_gb = sum(job.cost.kept_mb for job in jobs) / 1000
    return (
        f"{len(jobs)} jobs, estimated {wall_time(jobs, gpus)}; memory: at most {memory_gb:.1f} GB for one "
        f"job; files: {files_gb:.1f} GB, besides downloads"
    )


def wall_time(jobs: list[Job], gpus: int) -> str:
    """How long it is until the last job ends, or the last of those that want a GPU."""
    if gpus:
        return f"wall time on {gpus} GPU{'s' if gpus > 1 else ''}: {duration(wall_seconds(jobs, gpus))}"
    return f"wall time, one job after the other: {duration(sum(job.cost.seconds for job in jobs))}"


def times(jobs: list[Job], config: Config, gpus: int):
    """Hours of GPUs and wall time; the trainings that a cluster's limit cuts."""
    if gpus:
        seconds = [job.cost.seconds for job in jobs if job.cost.gpu]
        yield f"GPU hours: {sum(seconds) / 3600:.1f} in {len(seconds)} jobs"
    yield wall_time(jobs, gpus) + (", and processors beside them" if gpus else "")
    yield f"memory: at most {max(job.cost.memory_mb for job in jobs) / 1000:.1f} GB for one job"
    limit = config.cluster.longest_minutes
    if limit and (cut := [job for job in jobs if job.cost.seconds > 60 * limit]):
        most = max(-(-job.cost.seconds // (60 * limit)) for job in cut)
        yield f"longer than {limit} minutes: {len(cut)} jobs, in up to {most:.0f} tries; see `retries`"


def storage(jobs: list[Job], config: Config, gpus: int):
    """Where the gigabytes go: what stays, what does not, and what is in progress at most."""
    groups = pd.Series([job.cost.kept_mb / 1000 for job in jobs]).groupby(
        [GROUPS.get(job.rule, "all else") for job in jobs]
    )
    sizes = groups.sum().to_dict()
    gone = {group: sizes.pop(group) for group in list(sizes) if not getattr(config.keep, group, True)}
    yield f"storage: {listed(sizes)}; below {config.results} and {config.data_dir}, besides downloads"
    if gone:
        yield f"not kept (`keep` in the config), removed once nothing needs them: {listed(gone)}"
    scratch = scratch_mb(jobs, max(gpus, 1)) / 1000
    yield f"in progress: at most {scratch:.1f} GB of checkpoints, removed when a job is done"


def listed(sizes: dict[str, float]) -> str:
    """Gigabytes of each group."""
    return ", ".join(f"{group} {size:.1f} GB" for group, size in sizes.items())


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} seconds"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="*", help="figures or files; all of the config's if none")
    parser.add_argument("--configfile", nargs="+", type=Path, default=[], help="overlays of config.yaml")
    parser.add_argument("--gpus", type=int, help="GPUs at once; 0: none; else the config's cluster.gpus")
    parser.add_argument("--short", action="store_true", help="one line alone")
    arguments = parser.parse_args()
    if arguments.gpus is not None and arguments.gpus < 0:
        parser.error("--gpus is 0 or more")
    return arguments


run(main)
