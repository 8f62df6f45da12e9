"""Results that are damaged after the run that made them."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.faults.runs import AGAIN, POINT, Bench, Row, Trial, faults_of, shortened, trial

FEATURES, SAMPLES = f"features/{POINT}/*/random.npz", f"samples/{POINT}/*/samples.npy"
WEIGHTS = f"models/{POINT}/unet/*.safetensors"
SCORES = f"scores/{POINT}/*/*.json"


def damage_trials(bench: Bench) -> Iterator[Row]:
    for keep_date in (False, True):
        yield damaged(bench, "features, bytes turned in the middle", FEATURES, turn, (SCORES,), keep_date)
        yield damaged(bench, "samples.npy is cut off", SAMPLES, cut, (FEATURES, SCORES), keep_date)
    yield damaged(bench, "the weights are cut off", WEIGHTS, cut, (), False)


def turn(path: Path) -> None:
    """Turn 16 bytes in the middle of a file."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 16] = bytes(byte ^ 0xFF for byte in content[middle : middle + 16])
    path.write_bytes(content)


def cut(path: Path) -> None:
    """Leave two thirds of a file."""
    os.truncate(path, path.stat().st_size * 2 // 3)


def damaged(
    bench: Bench,
    what: str,
    name: str,
    damage: Callable[[Path], None],
    readers: tuple[str, ...],
    keep_date: bool,
) -> Row:
    """A result is damaged; with its old date it is only read by a job whose own result is lost."""
    with trial(bench, bench.finished) as made:
        made.retries = 0
        [file] = made.results.glob(name)
        row = Row(what, "afterwards, its date is new")
        date = file.stat().st_mtime
        damage(file)
        if keep_date:
            os.utime(file, (date, date))
            row.moment = "afterwards, its date is old; what was made of it is lost"
            if "Nothing to be done" not in made.run("--dry-run").text:
                row.wrong.append("the file was missed before it was read")
            for path in (path for reader in readers for path in made.results.glob(reader)):
                path.unlink()
        run = made.run()
        row.code, row.said = run.process.returncode, shortened(run.text, made)
        row.wrong += faults_of(run.text)
        delete(made, row)
        row.user = "deletes it, " + AGAIN
        made.finish(row)
        return row


def delete(made: Trial, row: Row) -> None:
    """Do what was said: delete the file or folder that the error names."""
    named = re.search(
        r"(results/\S+) (?:is damaged|holds no complete model).*; delete it and run again", row.said
    )
    if not row.code or not named:
        row.wrong.append("nothing was said of it")
        return
    path = made.workspace.path / named[1].replace("...", POINT)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
