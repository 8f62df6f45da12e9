"""Runs that are disturbed, what is said of them, and what they are compared with."""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from shapednoise.files import sha256_of_file
from tests.conftest import REPOSITORY, random_inception
from tests.workspace import Workspace, make_workspace

TABLE = "results/tiny/tables/experiments/cifar10_sdm.csv"
FETCHED = ("data/pictures/size16/images.npy", "data/weights/random.pth")
POINT = "pictures/sdm/s0.40/published/tiny/seed42"
ONE_THREAD = ("train", "sample", "features_data", "features_samples", "neighbours", "scores")
OPTIONS = ("--resources", "gpu=2", "--set-threads", *(f"{rule}=1" for rule in ONE_THREAD))
RESULTS = ("scores/**/*.json", "tables/**/*.csv", "samples/**/samples.npy", "models/**/*.safetensors")
UNLOCK = "`snakemake --unlock`, the same command"
AGAIN = "the same command"
ERRORS = (r"(no checkpoint of step .*)", r"error: (.*)")  # what is quoted of an output, all of them
SAYINGS = (  # or else the first that is found
    r"(?m)^(KeyboardInterrupt)",
    r"(Failed to create output directory .*)",
    r"(Directory cannot be locked)",
    r"(the clock was set back: .*)",
    r"(Trying to restart job)",
    r"(Will exit after finishing currently running jobs)",
    r"(Nothing to be done)",
)


@dataclass
class Row:
    """A fault and what became of it."""

    fault: str
    moment: str
    said: str = "nothing"
    code: int | None = None  # None: the run went on
    user: str = AGAIN
    rerun: str = ""
    wrong: list[str] = field(default_factory=list)

    def cells(self) -> list[str]:
        """The row of the table."""
        code = "goes on" if self.code is None else str(self.code)
        equal = "NO: " + "; ".join(self.wrong) if self.wrong else "yes"
        return [self.fault, self.moment, self.said, code, self.user, self.rerun, equal]


HEADER = ["fault", "moment", "what was said", "exit code", "what the user does", "the rerun", "equal"]


class Run:
    """Snakemake in a session of its own, as a terminal starts it; its output goes to a file."""

    def __init__(self, workspace: Workspace, *arguments: str) -> None:
        self.output = tempfile.NamedTemporaryFile("r", errors="replace")  # noqa: SIM115 - as long as it
        self.mark()
        with open(self.output.name, "w") as file:
            self.process = subprocess.Popen(
                workspace.command(*arguments, *OPTIONS), cwd=workspace.path,
                env={**workspace.environment(), "OMP_NUM_THREADS": "1"}, stdout=file,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    @property
    def text(self) -> str:
        """The output so far, standard error joined in."""
        self.output.seek(0)
        return self.output.read()

    def mark(self) -> None:
        """Count seconds and output from here."""
        self.since, self.began = len(self.text), time.monotonic()

    @property
    def ended(self) -> bool:
        """Whether Snakemake has ended."""
        return self.process.poll() is not None

    def wait(self, seconds: float = 600) -> int:
        """Wait for Snakemake's end; its exit code."""
        return self.process.wait(seconds)

    def members(self) -> list[psutil.Process]:
        """All living processes of the session, those that have lost Snakemake too."""
        return [process for process in psutil.process_iter() if session_of(process) == self.process.pid]

    def jobs(self) -> dict[int, str]:
        """The processes that train, sample or extract, and the name of their script."""
        found = {}
        for process in self.members():
            script = script_of(process)
            if script in ("train", "sample", "features"):
                found[process.pid] = script
        return found

    def close(self) -> None:
        """End all processes that are left of it."""
        for process in self.members():
            with suppress(psutil.Error):
                process.kill()
        self.process.wait()


def session_of(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except OSError:
        return None


def script_of(process: psutil.Process) -> str | None:
    with suppress(psutil.Error):
        arguments = process.cmdline()
        if len(arguments) > 1 and arguments[1].startswith("scripts/"):
            return Path(arguments[1]).stem
    return None


class Trial:
    """A workspace in which runs are disturbed, until one is through."""

    def __init__(self, source: Workspace, folder: Path, expected: dict[str, str]) -> None:
        self.workspace, self.expected = source.copy(folder / "workspace"), expected
        # what is there already misses nothing that it was made of, so all are wanted by name
        self.targets = [f"results/tiny/{name}" for name in expected]
        self.runs: list[Run] = []
        self.retries = 2  # as in profiles/default

    @property
    def results(self) -> Path:
        """Its results folder."""
        return self.workspace.path / "results" / "tiny"

    def start(self, *arguments: str) -> Run:
        """Start a run for the table and the scores."""
        self.runs.append(Run(self.workspace, *self.targets, *arguments, "--retries", str(self.retries)))
        return self.runs[-1]

    def run(self, *arguments: str) -> Run:
        """A run to its end."""
        run = self.start(*arguments)
        run.wait()
        return run

    def again(self, row: Row) -> Run:
        """Start again as a user does: where a dead run has left its lock, that is removed first."""
        run = self.start()
        wait_for(lambda: run.ended or "Select jobs" in run.text or "Nothing to be done" in run.text)
        if run.ended and "cannot be locked" in run.text:
            row.user = UNLOCK
            self.run("--unlock")
            run = self.start()
        return run

    def finish(self, *rows: Row, run: Run | None = None) -> None:
        """Let the rerun come to its end, and note what it did and whether all is equal."""
        run = run or self.again(rows[-1])
        code = run.wait(1200)
        rows[-1].rerun = what_it_did(run)
        wrong = [] if code == 0 else [f"the rerun ended with {code}: {saying(run.text)}"]
        if code:
            print(run.text[-4000:], file=sys.stderr)
        wrong += self.differences()
        for row in rows:
            row.wrong += wrong

    def differences(self) -> list[str]:
        """What is not as in the undisturbed run."""
        there = digests(self.workspace)
        wrong = [name for name in {*there, *self.expected} if there.get(name) != self.expected.get(name)]
        partial = [path.name for path in self.workspace.path.rglob("*") if "partial" in path.name]
        plan = self.run("--dry-run")
        todo = [] if "Nothing to be done" in plan.text else ["not all is done"]
        return [f"{name} differs" for name in wrong] + [f"{name} is left" for name in partial] + todo

    def close(self) -> None:
        """End all processes that are left of all runs."""
        for run in self.runs:
            run.close()


@contextmanager
def trial(bench: "Bench", source: Workspace) -> Iterator[Trial]:
    """A trial in a folder of its own, which is removed with all processes of it."""
    folder = Path(tempfile.mkdtemp(prefix="trial-", dir=bench.folder))
    made = Trial(source, folder, bench.expected)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Bench:
    """What all trials start from and are compared with."""

    folder: Path
    fetched: Workspace  # data and weights are there
    finished: Workspace  # so is all the rest, undisturbed
    expected: dict[str, str]
    seconds: float
    kills: int
    choose: random.Random


def prepare(folder: Path, kills: int = 0, seed: int = 0) -> Bench:
    """The workspaces that trials are copies of."""
    weights = random_inception(folder / "inception.pth")
    fetched = make_workspace(folder / "fetched", REPOSITORY, weights)
    fetched.set("recipes.tiny.training.epochs", 150)  # 450 steps
    fetched.set("recipes.tiny.sampling", {"images": 72, "steps": 75})  # two shards
    fetched.set("engine.checkpoint_steps", 20)
    fetched.run(*FETCHED, *OPTIONS)
    finished = fetched.copy(folder / "finished")
    run = Run(finished, TABLE)
    if run.wait(900):
        raise SystemExit(run.text[-3000:])
    seconds = time.monotonic() - run.began
    return Bench(folder, fetched, finished, digests(finished), seconds, kills, random.Random(seed))


def digests(workspace: Workspace) -> dict[str, str]:
    """sha256 of each result that is compared."""
    results = workspace.path / "results" / "tiny"
    files = sorted(file for pattern in RESULTS for file in results.glob(pattern))
    return {str(file.relative_to(results)): sha256_of_file(file) for file in files}


def faults_of(text: str) -> list[str]:
    """Whether a traceback was shown, but Python's own of a Ctrl-C while a job is starting."""
    shown = text.count("Traceback (most") > len(re.findall("^KeyboardInterrupt", text, re.MULTILINE))
    if not shown:
        return []
    print(text[max(0, text.index("Traceback") - 300) :][:4000], file=sys.stderr)
    return ["a traceback was shown"]


def saying(text: str) -> str:
    """What is quoted of an output."""
    errors = [match[1].strip() for pattern in ERRORS if (match := re.search(pattern, text))]
    others = (match[1] for pattern in SAYINGS if (match := re.search(pattern, text)))
    return "; then ".join(errors) or next(others, "nothing")


def what_it_did(run: Run) -> str:
    """How long a run took, and where its jobs went on."""
    text, seconds = run.text[run.since :], time.monotonic() - run.began
    steps = re.findall(r"continuing from step (\d+)", text)
    shards = re.findall(r"continuing with (\d+) shards", text)
    went = [f"step {step}" for step in steps] + [f"{number} shards" for number in shards]
    if "is there already" in text:
        went.append("what another process had finished")
    return f"{seconds:.0f} s" + (", on from " + ", ".join(went) if went else "")


def wait_for(what: Callable[[], object], seconds: float = 600) -> None:
    """Wait until it is true."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError("it never came")
        time.sleep(0.05)


def lose(made: Trial, *names: str) -> None:
    """Remove results."""
    for name in names:
        shutil.rmtree(made.results / name)


def kept(made: Trial) -> bool:
    """Whether a training has left a checkpoint."""
    return any(made.results.glob("checkpoints/training/**/[0-9]*.pt"))


def shortened(text: str, made: Trial) -> str:
    """What is quoted of an output, with short paths."""
    return saying(text).replace(f"{made.workspace.path}/", "").replace(POINT, "...")
