"""How threads that wait for each other wait: a job alone, and two that share the cores, as in a run.

    python -m benchmarks.waiting

Each job has as many threads as there are cores. libgomp's spin long before they sleep, unless GOMP_SPINCOUNT
is small, which rules/common.smk sets, or OMP_WAIT_POLICY is PASSIVE. By turns: images per second of all jobs
together, and the median over rounds of the ratio to spinning.
"""

import os
import statistics
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

from benchmarks.common import markdown, new_parser
from benchmarks.ways import Sampling, TrainingSteps
from shapednoise.diffusion.device import configure_cpu
from shapednoise.workflow.project import load_config

PARTS = {"training": TrainingSteps, "sampling": Sampling}
POLICIES = {
    "spin": {},
    "soon": {"GOMP_SPINCOUNT": "1000"},
    "sleep": {"OMP_WAIT_POLICY": "PASSIVE"},
}


def work(part: str, threads: int, seconds: float) -> None:
    """Say `ready`, wait for a line, and say the images per second of so many seconds."""
    configure_cpu(threads)
    config = load_config(Path("config.yaml"), Path("study.yaml"))
    side = PARTS[part](config, config.recipe, 16, 64, last=False, compile=False)
    side.step()
    print("ready", flush=True)
    sys.stdin.readline()
    began, images = time.monotonic(), 0
    while (spent := time.monotonic() - began) < seconds:
        side.step()
        images += side.images
    print(images / spent, flush=True)


def rate(part: str, jobs: int, policy: str, threads: int, seconds: float) -> float:
    """Images per second of jobs that run side by side."""
    set_here = {name for policy in POLICIES.values() for name in policy}
    environment = {name: text for name, text in os.environ.items() if name not in set_here}
    command = [sys.executable, "-m", "benchmarks.waiting", "--work", part]
    command += ["--threads", str(threads), "--seconds", str(seconds)]
    running = [
        subprocess.Popen(
            command,
            env=environment | POLICIES[policy],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(jobs)
    ]
    for process in running:
        process.stdout.readline()
    for process in running:
        process.stdin.write("\n")
        process.stdin.flush()
    return sum(float(process.communicate()[0]) for process in running)


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of a job")
    parser.add_argument("--work", choices=PARTS, help="be one of the jobs")
    arguments = parser.parse_args()
    options = (arguments.threads, arguments.seconds)
    if arguments.work:
        work(arguments.work, *options)
        return
    cases = list(product(PARTS, (1, 2)))
    found = {
        case: [[rate(*case, policy, *options) for policy in POLICIES] for _ in range(arguments.rounds)]
        for case in cases
    }
    rows = []
    for (part, jobs), rates in found.items():
        for policy, own in zip(POLICIES, zip(*rates, strict=True), strict=True):
            ratios = [rate / round[0] for rate, round in zip(own, rates, strict=True)]
            numbers = (statistics.median(own), statistics.median(ratios), min(ratios), max(ratios))
            rows.append([part, str(jobs), policy, *(f"{number:.3g}" for number in numbers)])
    print(markdown(["part", "jobs", "threads", "images/s", "ratio", "least", "most"], rows, text_columns=3))


if __name__ == "__main__":
    main()
