"""A clock that is set back."""

import os
import re
import signal
from collections.abc import Iterator

from benchmarks.faults.runs import Bench, Row, Trial, kept, shortened, trial, wait_for


def clock_trials(bench: Bench) -> Iterator[Row]:
    yield clock_after_a_run(bench)
    yield clock_and_an_edit(bench)
    yield clock_within_a_run(bench)


def set_back(made: Trial, hours: float = 24) -> None:
    """What a clock that is set back comes to: all that was written lies in the future."""
    for path in made.workspace.path.rglob("*"):
        if path.is_file():
            date = path.stat().st_mtime + 3600 * hours
            os.utime(path, (date, date))


def executed(text: str) -> list[str]:
    """The rules of the jobs that a run has started."""
    return re.findall(r"^(?:local)?rule (\w+):", text, re.MULTILINE)


def clock_after_a_run(bench: Bench) -> Row:
    with trial(bench, bench.finished) as made:
        set_back(made)
        run = made.run()
        row = Row("the clock is set back by a day", "afterwards", shortened(run.text, made), run.wait())
        row.wrong = [f"{rule} ran again" for rule in executed(run.text)]
        made.finish(row)
        return row


def clock_and_an_edit(bench: Bench) -> Row:
    """The edit changes no number, so the results must be equal, but made again."""
    with trial(bench, bench.finished) as made:
        set_back(made)
        script = made.workspace.path / "scripts" / "scores.py"
        script.write_text(script.read_text() + "\n# edited\n")
        row = Row("the clock is set back by a day, then scripts/scores.py edited", "afterwards", code=0)
        run = made.start()
        made.finish(row, run=run)
        row.said, ran = shortened(run.text, made), sorted(executed(run.text))
        row.rerun += ": " + ", ".join(f"{ran.count(rule)} x {rule}" for rule in dict.fromkeys(ran))
        if ran != ["scores"] * 3 + ["table"]:
            row.wrong.append("not only the scores ran again")
        return row


def clock_within_a_run(bench: Bench) -> Row:
    with trial(bench, bench.fetched) as made:
        run = made.start()
        wait_for(lambda: run.ended or ("Finished jobid" in run.text and kept(made)))
        os.killpg(run.process.pid, signal.SIGKILL)
        finished = len(list(made.results.glob("models/**/model_index.json")))
        row = Row("power cut, then the clock is set back by a day", "train", code=run.wait())
        set_back(made)
        rerun = made.again(row)
        made.finish(row, run=rerun)
        row.said = shortened(rerun.text, made)
        if executed(rerun.text).count("train") != 3 - finished or "on from" not in row.rerun:
            row.wrong.append("trainings did not go on")
        return row
