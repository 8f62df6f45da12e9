"""What a run will do and cost: jobs a rule, hours, files, and the wall time on so many GPUs."""

import csv
import heapq
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from shapednoise.config.schema import Config
from shapednoise.data.folder import count_pictures
from shapednoise.errors import UserError
from shapednoise.workflow.costs import UNKNOWN_COUNT, Cost, Costs
from shapednoise.workflow.layout import MODEL, SAMPLES

JOB = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):$")
WILDCARDS = re.compile(r"^    wildcards: (.+)$")
CHAIN = {"train": 0, "sample": 1, "features_samples": 2}  # the jobs of a point that want a GPU, in order


@dataclass(frozen=True)
class Job:
    """A job of a rule, with the values of the rule's wildcards."""

    rule: str
    wildcards: dict[str, str]
    cost: Cost


def planned_jobs(dry_run: str, costs: Costs) -> list[Job]:
    """The jobs that the output of `snakemake --dry-run` names, each with its cost."""
    found: list[tuple[str, dict[str, str]]] = []
    for line in dry_run.splitlines():
        if match := JOB.match(line):
            found.append((match[1], {}))
        elif found and (match := WILDCARDS.match(line)):
            found[-1][1].update(part.split("=", 1) for part in match[1].split(", "))
    rules = set(costs.config.figures) | {"all", "fetch", "prepare", "code"}  # which compute nothing
    return [Job(rule, w, costs.of(rule, w)) for rule, w in found if rule not in rules]


def counts_of_own_pictures(config: Config) -> dict[str, int]:
    """The pictures of data sets that are a directory or a zip of the user's, where the config has no number.

    Only the first source that is there counts, as in a run.
    """
    found = {}
    for name, settings in config.datasets.items():
        if config.clean_of(name) == name and settings.reader == "folder" and not settings.images:
            places = (Path(config.data_dir, source.file) for source in settings.sources if source.file)
            place = next((place for place in places if place.exists()), None)
            if place and (place.is_dir() or zipfile.is_zipfile(place)):
                found[name] = count_pictures(place, settings)
    return found


def remarks(jobs: Iterable[Job], costs: Costs) -> list[str]:
    """What trainings will do badly, and which data sets' sizes are guessed.

    Raises UserError for a training that will be refused.
    """
    lines = []
    for name, recipe in sorted(
        {(j.wildcards["dataset"], j.wildcards["recipe"]) for j in jobs if j.rule == "train"}
    ):
        settings, count = costs.config.recipes[recipe], costs.count(name)
        if count is None:
            lines.append(
                f"{name}: how many images it has is known once it was read; reckoned with {UNKNOWN_COUNT:,}"
            )
        elif problem := settings.training.unfit(count, settings.scoring.real_images_needed()):
            raise UserError(f"recipe {recipe} on {name}: {problem}")
        else:
            lines += [
                f"warning: recipe {recipe} on {name}: {doubt}" for doubt in settings.training.doubts(count)
            ]
    return lines


def table(jobs: Iterable[Job]) -> pd.DataFrame:
    """By rule: jobs, hours on a GPU and on processors, GB of outputs; the longest first."""
    rows = [
        {
            "rule": job.rule,
            "jobs": 1,
            "GPU hours": job.cost.seconds / 3600 if job.cost.gpu else 0.0,
            "CPU hours": 0.0 if job.cost.gpu else job.cost.seconds / 3600,
            "GB": job.cost.kept_mb / 1000,
        }
        for job in jobs
    ]
    columns = ["rule", "jobs", "GPU hours", "CPU hours", "GB"]
    summed = pd.DataFrame(rows, columns=columns).groupby("rule").sum()
    return summed.sort_values(["GPU hours", "CPU hours", "jobs"], ascending=False)


def wall_seconds(jobs: Iterable[Job], gpus: int) -> float:
    """The time until the last GPU job ends, where each takes the first free GPU once its input is there.

    A point's jobs follow one another: training, its sample sets, the features of each.
    """
    free = [0.0] * gpus
    ready: dict[str, float] = {}  # when an output is there, by the path of its model or sample set
    for job in sorted((job for job in jobs if job.cost.gpu), key=lambda job: CHAIN.get(job.rule, -1)):
        begin = max(heapq.heappop(free), *(ready.get(path, 0.0) for path in _inputs(job)), 0.0)
        end = begin + job.cost.seconds
        heapq.heappush(free, end)
        if job.rule in CHAIN:
            ready[_output(job)] = end
    return max(free)


def _inputs(job: Job) -> Iterator[str]:
    if job.rule == "sample":
        yield MODEL.format(**job.wildcards)
    if job.rule == "features_samples":
        yield SAMPLES.format(**job.wildcards)


def _output(job: Job) -> str:
    return {"train": MODEL, "sample": SAMPLES, "features_samples": SAMPLES + "/{extractor}"}[job.rule].format(
        **job.wildcards
    )


def scratch_mb(jobs: Iterable[Job], at_once: int) -> float:
    """The most that files in progress take while so many jobs run."""
    return sum(heapq.nlargest(at_once, (job.cost.scratch_mb for job in jobs)))


def seconds_of_jobs(results: Path) -> dict[str, float]:
    """Wall-clock seconds by job, a path that begins with the rule's name. Raises UserError for none."""
    folder = results / "benchmarks"
    seconds = {}
    for file in sorted(folder.rglob("*.tsv")):
        with open(file, encoding="utf-8") as lines:
            *_, last = csv.DictReader(lines, delimiter="\t")
        seconds[file.relative_to(folder).as_posix().removesuffix(".tsv")] = float(last["s"])
    if not seconds:
        raise UserError(f"{results} has no benchmarks; run the workflow first")
    return seconds
