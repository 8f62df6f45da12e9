"""Ten faults of machine, disk, files and user: what is said, what the user does, what the rerun ends with.

Hermetic: synthetic pictures, small models, a random Inception network. Each fault hits a copy of an
undisturbed run in which one point is made again. After it, and after what the user does about it, scores,
tables, samples and weights must be those of the undisturbed run byte for byte, with nothing half-written.

    python -m benchmarks.faults [--output table.md]
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM

import psutil
from filelock import FileLock

from benchmarks.common import facts_of, machine_name, markdown, new_parser
from shapednoise.files import sha256_of_file
from tests.conftest import REPOSITORY, random_inception
from tests.workspace import Workspace, make_workspace

POINT = "pictures/sdm/s0.40/published/tiny/seed42"
FOLDERS = {"train": "models", "sample": "samples", "features": "features", "scores": "scores"}  # of scripts
CHECKPOINTS = {"train": "checkpoints/training/**/[0-9]*.pt", "sample": "checkpoints/samples/**/done.json"}
TABLES = "tables/experiments/*.csv"
COMPARED = ("scores/**/*.json", TABLES, "samples/**/samples.npy", "models/**/*.safetensors")
WITH_THREADS = ("train", "sample", "features_data", "features_samples", "scores")
ONE_THREAD = ["--set-threads", *(f"{rule}=1" for rule in WITH_THREADS)]
HEADER = ("what happens", "what is said", "exit code", "what the user does", "the rerun", "equal")
AGAIN = "the same command"


@dataclass
class Row:
    """What became of a fault."""

    said: str = "nothing"
    code: int = 0
    user: str = AGAIN
    rerun: str = ""
    wrong: list[str] = field(default_factory=list)

    def cells(self, fault: str) -> list[str]:
        """The row of the table."""
        equal = f"NO: {'; '.join(self.wrong)}" if self.wrong else "yes"
        return [fault, self.said, str(self.code), self.user, self.rerun, equal]


@dataclass
class Run:
    """Snakemake at work; its output, standard error joined in, goes to a file."""

    process: subprocess.Popen
    output: Path

    @property
    def text(self) -> str:
        """The output so far."""
        return self.output.read_text(errors="replace")

    @property
    def ended(self) -> bool:
        """Whether Snakemake has ended."""
        return self.process.poll() is not None


class Trial:
    """A copy of a finished workspace, in which one fault is injected."""

    def __init__(self, finished: Workspace, folder: Path, options: Sequence[str]) -> None:
        """options: of Snakemake, with which the workspace was finished: other threads are other bits."""
        self.options = options
        self.workspace, self.folder = finished.copy(folder / "workspace"), folder
        self.results = self.workspace.path / "results" / "tiny"
        self.expected = self.digests()
        self.runs: list[Run] = []

    def digests(self) -> dict[str, str]:
        """sha256 of each file that is compared."""
        files = sorted(file for pattern in COMPARED for file in self.results.glob(pattern))
        return {str(file.relative_to(self.workspace.path)): sha256_of_file(file) for file in files}

    def lose(self, script: str) -> None:
        """Remove what a script has made for the point, and all that was made of it."""
        for name in list(FOLDERS)[list(FOLDERS).index(script) :]:
            shutil.rmtree(self.results / FOLDERS[name] / POINT)
        for table in self.results.glob(TABLES):
            table.unlink()

    def start(self, *arguments: str, retries: int = 0) -> Run:
        """Start a run for all that is compared, in a session of its own, as a terminal does."""
        output = self.folder / f"output{len(self.runs)}"
        options = ("--retries", str(retries), *self.options)
        with open(output, "w") as file:
            process = subprocess.Popen(
                self.workspace.command(*self.expected, *arguments, *options), cwd=self.workspace.path,
                env={**self.workspace.environment(), "OMP_NUM_THREADS": "1"}, stdout=file,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self.runs.append(Run(process, output))
        return self.runs[-1]

    def run(self, *arguments: str) -> Run:
        """A run to its end."""
        run = self.start(*arguments)
        run.process.wait()
        return run

    def processes(self) -> list[psutil.Process]:
        """All living processes in the workspace, also those whose Snakemake has ended."""
        path = str(self.workspace.path)
        return [one for one in psutil.process_iter(["cwd", "cmdline"]) if one.info["cwd"] == path]

    def job(self, script: str) -> int | None:
        """The process that runs a script."""
        name = f"scripts/{script}.py"
        jobs = [one.pid for one in self.processes() if (one.info["cmdline"] or [])[1:2] == [name]]
        return jobs[0] if jobs else None

    def under_way(self, script: str) -> bool:
        """Whether a script is at work, and has left something to go on from if it ever does."""
        pattern = CHECKPOINTS.get(script)
        return bool(self.job(script)) and (not pattern or any(self.results.glob(pattern)))

    def finish(self, row: Row) -> Row:
        """Run again as the user does; note what the rerun did and what is not as in the undisturbed run."""
        run = self.run()
        if "cannot be locked" in run.text:
            row.user = f"`snakemake --unlock`, {AGAIN}"
            self.run("--unlock")
            run = self.run()
        went_on = re.findall(r"continuing (?:from step|with) \d+\w*(?: \w+)?", run.text)
        row.rerun = ", ".join(dict.fromkeys(went_on)) or "from the last finished job"
        if run.process.returncode:
            row.wrong.append(f"the rerun ends with {run.process.returncode}: {run.text[-500:]}")
        return self.compare(row)

    def compare(self, row: Row) -> Row:
        """Note what is not as in the undisturbed run."""
        there = self.digests()
        changed = (name for name in self.expected | there if there.get(name) != self.expected.get(name))
        row.wrong += [f"{name} differs" for name in changed]
        row.wrong += [f"{path} is left" for path in self.workspace.path.rglob("*.partial.*")]
        if "Nothing to be done" not in self.run("--dry-run").text:
            row.wrong.append("not all is done")
        return row

    def close(self) -> None:
        """End all processes that are left."""
        for process in self.processes():
            with suppress(psutil.Error):
                process.kill()
        for run in self.runs:
            run.process.wait()


def told(run: Run, pattern: str) -> Row:
    """The row of a run that has ended: one message that fits the pattern, one error at most, no traceback."""
    said = re.search(pattern, run.text)
    row = Row((said and said[0].replace(POINT, "...")) or "nothing", run.process.returncode)
    errors = {line for line in run.text.splitlines() if line.startswith("error: ")}
    if not said or len(errors) > 1 or "Traceback" in run.text:
        row.wrong.append(f"what is said: {run.text[-2000:]}")
    return row


def interrupted(trial: Trial, script: str, signum: signal.Signals, whom: str, says: str = "") -> Row:
    """A signal to a job, to Snakemake, or to the whole session, while a script is at work."""
    trial.lose(script)
    run = trial.start(retries=2)
    wait_for(lambda: run.ended or trial.under_way(script))
    victim = trial.job(script) if whom == "job" else run.process.pid
    (os.killpg if whom == "all" else os.kill)(victim, signum)
    run.process.wait()
    row = told(run, says)
    if whom != "job":
        return trial.finish(row)
    row.user, row.rerun = "nothing", "in the same run"
    return trial.compare(row)


def full_disk(trial: Trial) -> Row:
    """No checkpoint and no log can be written: the training goes on, the sampling cannot."""
    trial.lose("train")
    trial.workspace.set("engine.checkpoint_steps", 2)
    small = ("-t", "tmpfs", "-o", "size=32k", "tmpfs")
    logs = trial.results / "logs"
    with mounted(trial.results / "checkpoints", *small), mounted(logs, *small):
        (logs / "somebody's file").write_bytes(bytes(32 * 1024))
        run = trial.run()
    row = told(run, r"No space left on device: .*make room.*")
    if "no checkpoint of step 2" not in run.text or row.code == 0:
        row.wrong.append("the disk was not full")
    row.user = f"makes room, {AGAIN}"
    return trial.finish(row)


def read_only(trial: Trial) -> Row:
    trial.lose("scores")
    place = trial.workspace.path / "results"
    with mounted(place, "--bind", str(place)):
        subprocess.run(["mount", "-o", "remount,ro,bind", place], check=True)
        run = trial.run()
    row = told(run, r"Read-only file system: results/tiny/config.json.*")
    row.user = f"makes it writable, {AGAIN}"
    return trial.finish(row)


def damaged_features(trial: Trial) -> Row:
    """One byte is another; the date is the old one, so that only the reader can notice."""
    [path] = trial.results.glob(f"features/{POINT}/*/random.npz")
    date, content = path.stat().st_mtime, bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    os.utime(path, (date, date))
    trial.lose("scores")
    return damaged(trial, path)


def truncated_samples(trial: Trial) -> Row:
    [path] = trial.results.glob(f"samples/{POINT}/*/samples.npy")
    os.truncate(path, path.stat().st_size * 2 // 3)
    return damaged(trial, path)


def damaged(trial: Trial, path: Path) -> Row:
    """The file is named by the job that reads it, and deleted."""
    name = re.escape(str(path.relative_to(trial.workspace.path)))
    row = told(trial.run(), f"{name} is damaged .*; delete it and run again")
    path.unlink()
    row.user = f"deletes it, {AGAIN}"
    return trial.finish(row)


def second_run(trial: Trial) -> Row:
    """The first one's training waits for a lock that this process holds, so that it is under way."""
    trial.lose("train")
    with FileLock(trial.results / "checkpoints" / "training" / POINT / "lock"):
        first = trial.start()
        wait_for(lambda: first.ended or "waiting" in first.text)
        row = told(trial.run(), "Directory cannot be locked")
        if row.code == 0 or first.ended:
            row.wrong.append("both ran")
    if first.process.wait():
        row.wrong.append(f"the first run failed: {first.text[-500:]}")
    row.user = "waits for the first one"
    return trial.finish(row)


Fault = Callable[[Trial], Row]
KILLED = partial(interrupted, signum=SIGKILL)
INTERRUPTIONS: dict[str, Fault] = {
    "a training is killed (out of memory)": partial(
        KILLED, script="train", whom="job", says="Trying to restart job"
    ),
    "power cut while sampling": partial(KILLED, script="sample", whom="all"),
    "Snakemake is killed while features are extracted": partial(KILLED, script="features", whom="Snakemake"),
    "SIGTERM to Snakemake while training": partial(
        interrupted, script="train", signum=SIGTERM, whom="Snakemake", says="Will exit after finishing.*jobs"
    ),
    "Ctrl-C while training": partial(
        interrupted, script="train", signum=SIGINT, whom="all", says="interrupted after step.*"
    ),
}
OTHERS: dict[str, Fault] = {
    "the disk is full at a checkpoint": full_disk,
    "the results are read-only": read_only,
    "a byte of the features is another": damaged_features,
    "the samples are cut off": truncated_samples,
    "a second run in the same folder": second_run,
}


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """A file system at a folder. Raises PermissionError where this user or machine does not mount."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid():
        raise PermissionError("mounting a file system needs root")
    done = subprocess.run(["mount", *options, folder], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PermissionError(done.stderr)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def wait_for(what: Callable[[], object], seconds: float = 600) -> None:
    """Wait until it is true."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError("it never came")
        time.sleep(0.05)


def inject(fault: Fault, finished: Workspace, folder: Path, options: Sequence[str] = ONE_THREAD) -> Row:
    """A fault in a copy of a finished workspace below a folder; nothing of it runs on."""
    trial = Trial(finished, folder, options)
    try:
        return fault(trial)
    finally:
        trial.close()


def undisturbed_run(folder: Path) -> Workspace:
    """A finished run of three points, whose training and sampling take some seconds."""
    workspace = make_workspace(folder / "finished", REPOSITORY, random_inception(folder / "inception.pth"))
    workspace.set("recipes.tiny.training.epochs", 150)  # 450 steps
    workspace.set("recipes.tiny.sampling", {"images": 200, "steps": 75})
    workspace.set("engine.checkpoint_steps", 20)
    workspace.run("results/tiny/tables/experiments/cifar10_sdm.csv", *ONE_THREAD)
    return workspace


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--output", type=Path, help="file to write the table to (.md)")
    output = parser.parse_args().output
    facts = facts_of("faults", ("snakemake", "torch", "diffusers", "numpy"))
    rows = []
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        finished = undisturbed_run(Path(name))
        for fault, injected in (INTERRUPTIONS | OTHERS).items():
            try:
                with tempfile.TemporaryDirectory(dir=name) as folder:
                    rows.append(inject(injected, finished, Path(folder)).cells(fault))
                print(" | ".join(rows[-1]), flush=True)
            except PermissionError as error:
                print(f"{fault}: left out, {error}", flush=True)
    if output:
        versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
        made_on = f"{machine_name(facts)}; {versions}; commit {facts['git']['commit']}"
        output.write_text(f"{made_on}\n\n{markdown(HEADER, rows, len(HEADER))}\n", encoding="utf-8")
    raise SystemExit(0 if all(cells[-1] == "yes" for cells in rows) else 1)


if __name__ == "__main__":
    main()
