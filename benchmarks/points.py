"""How long Snakemake plans and starts a config of many points: seconds against their number.

    python -m benchmarks.points [--points 125 250 500 1000 2000] [--output results/bench]

The demo's recipe with many strengths and 25 seeds, in a copy of the project whose scripts do nothing but
make their outputs, after data and weights were fetched: what is measured is Snakemake with these rules.
In every round: seconds of a dry-run (on the clock, and of the processor, which other processes disturb
less), seconds until the first job of a run starts, and seconds from the first to the tenth start while all
trainings are ready; then the run is ended. Prints the table; writes points.json.
"""

import argparse
import json
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from benchmarks.common import OUTPUT, facts_of, markdown, new_parser, publish

REPOSITORY = Path(__file__).resolve().parents[1]
PARTS = ("Snakefile", "rules", "scripts", "src", "config.yaml", "demo.yaml", "envs", "profiles")
SEEDS = 25
STARTS = 10  # jobs that a run starts before it is ended
BOUNDS = {"dry_run": 20, "first_start": 30}  # seconds, of a thousand points
MEASURES = {
    "dry_run": "a dry-run",
    "dry_run_cpu": "of the processor in a dry-run",
    "first_start": "until the first job starts",
    "nine_more": f"from the first to the {STARTS}th start",
}
MODEL = ("model_index.json", "scheduler/scheduler_config.json", "unet/config.json", "training.csv",
         "unet/diffusion_pytorch_model.safetensors", "snapshots/none", "provenance.json")  # fmt: skip
# What a script makes: the options that name it and, where that is a folder, the files there.
FILE = ("",)
OUTPUTS = {
    **{name: {"output": FILE} for name in ("download", "closed_form", "features", "neighbours", "scores")},
    "preprocess": {"images": FILE, "manifest": FILE},
    "weights": {"weights": FILE, "manifest": FILE},
    "train": {"output": MODEL},
    "sample": {"samples": FILE, "trajectory": FILE, "provenance": FILE},
    "pictures": {"grid": FILE, "strip": FILE, "gif": FILE},
}
EMPTY_JOB = """import sys
from pathlib import Path
for option, names in {outputs!r}.items():
    for name in names:
        file = Path(sys.argv[sys.argv.index("--" + option) + 1]) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text({record!r})
sys.exit()
"""
FETCHED = (
    "results/points/pca/cifar10_16.json",
    "results/points/features/data/cifar10_16/inception-ref1024-neighbours.npy",
)
START = re.compile(r"(?:local)?rule (\w+):")


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--points", type=number_of_points, nargs="+", default=[125, 250, 500, 1000, 2000],
                        help=f"numbers of sample sets, multiples of {SEEDS}")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder")
    arguments = parser.parse_args()
    results = facts_of("points", ["snakemake"]) | {"bounds_of_1000_points": BOUNDS}
    with tempfile.TemporaryDirectory() as name:
        base = Path(name) / "base"
        make_project(base)
        found = [measure(base, points) for _ in range(arguments.rounds) for points in arguments.points]
    results["rows"] = [summary(points, found) for points in arguments.points]
    publish(arguments.output, "points", results, table(results["rows"]))


def number_of_points(text: str) -> int:
    """A multiple of the seeds, with two strengths at least."""
    points = int(text)
    if points % SEEDS or not 2 <= points // SEEDS <= 1000:
        raise argparse.ArgumentTypeError(f"{points} is no multiple of {SEEDS}, from {2 * SEEDS} on")
    return points


def make_project(folder: Path) -> None:
    """A copy of the project with empty jobs, up to where the first training starts."""
    folder.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (REPOSITORY / part).is_dir() else shutil.copy
        copy(REPOSITORY / part, folder / part)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    data, weights = config["datasets"]["cifar10_16"], config["extractors"]["inception"]["sources"][0]
    made = {"images": data["images"], "sha256_of_pixels": data["sha256"], "sha256": weights["sha256"]}
    for script, outputs in OUTPUTS.items():
        path = folder / "scripts" / f"{script}.py"
        job = EMPTY_JOB.format(outputs=outputs, record=json.dumps(made))  # a record that plans accept
        path.write_text(job + path.read_text())  # its imports are still seen
    write_overlay(folder, 2 * SEEDS)
    done = subprocess.run(command(*FETCHED), cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])


def write_overlay(folder: Path, points: int) -> None:
    """The overlay with this number of points."""
    strengths = [-0.4, *(step / 100 for step in range(points // SEEDS - 1))]
    grid, seeds = {"grid": strengths}, {"several": list(range(SEEDS))}
    names = {"name": "points", "results": "results/points", "targets": ["fig2a"]}
    separate = {"cifar10_sdm": {"together": None}}  # a network for every strength
    overlay = {**names, "strengths": grid, "seeds": seeds, "experiments": separate}
    (folder / "points.yaml").write_text(yaml.safe_dump(overlay))


def command(*arguments: str) -> list[str]:
    """A call of Snakemake."""
    start = [sys.executable, "-m", "snakemake", *arguments]
    return [*start, "--cores", "2", "--configfile", "demo.yaml", "points.yaml"]


def measure(base: Path, points: int) -> dict[str, float]:
    """One round, in a copy of the project."""
    with tempfile.TemporaryDirectory() as name:
        folder = shutil.copytree(base, Path(name) / "project")
        write_overlay(folder, points)
        seconds, processor, jobs = dry_run(folder)
        starts = [start for start, _ in starts_of_jobs(folder)]
    return {
        "points": points,
        "jobs": jobs,
        "dry_run": seconds,
        "dry_run_cpu": processor,
        "first_start": starts[0],
        "nine_more": starts[-1] - starts[0],
    }


def dry_run(folder: Path) -> tuple[float, float, int]:
    """Seconds of a dry-run, those of the processor, and how many jobs it plans."""
    began, used = time.monotonic(), processor_seconds()
    done = subprocess.run(
        command("--dry-run", "--quiet", "rules"), cwd=folder, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - began
    planned = re.search(r"^total +(\d+)$", done.stdout + done.stderr, re.MULTILINE)
    if done.returncode or not planned:
        raise SystemExit(done.stderr[-3000:])
    return seconds, processor_seconds() - used, int(planned[1])


def processor_seconds() -> float:
    """Of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def starts_of_jobs(folder: Path) -> list[tuple[float, str]]:
    """Seconds from the call to the start of each of the first jobs, and its rule; then the run is ended.

    The jobs that write the digests of the code are not counted: there are as many in a small run.
    """
    began, starts, lines = time.monotonic(), [], []
    with subprocess.Popen(
        command(), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout:
            lines.append(line)
            start = START.match(line)
            if start and start[1] != "code" and len(starts) < STARTS:
                starts.append((time.monotonic() - began, start[1]))
                if len(starts) == STARTS:
                    process.terminate()  # Snakemake lets the running jobs end
    if len(starts) < STARTS:
        raise SystemExit("".join(lines[-40:]))
    return starts


def summary(points: int, found: list[dict[str, float]]) -> dict[str, Any]:
    """The rounds of one number of points, and their medians."""
    rounds = [one for one in found if one["points"] == points]
    rows = {name: [round(one[name], 3) for one in rounds] for name in MEASURES}
    medians = {name: statistics.median(values) for name, values in rows.items()}
    return {"points": points, "jobs": rounds[0]["jobs"], "seconds": medians, "rounds": rows}


def table(rows: list[dict[str, Any]]) -> str:
    """The table that is printed; Markdown."""
    header = ["points", "jobs", *(f"{title}, s" for title in MEASURES.values())]
    cells = [[row["points"], row["jobs"], *row["seconds"].values()] for row in rows]
    return markdown(header, ([f"{cell:g}" for cell in line] for line in cells), text_columns=0)


if __name__ == "__main__":
    main()
