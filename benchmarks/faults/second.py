"""Two runs in one folder."""

from collections.abc import Iterator

from benchmarks.faults.runs import POINT, Bench, Row, kept, lose, shortened, trial, wait_for


def second_run(bench: Bench) -> Iterator[Row]:
    """Another run in the same folder, while the first one trains."""
    with trial(bench, bench.finished) as made:
        lose(made, f"models/{POINT}", f"samples/{POINT}", f"features/{POINT}", f"scores/{POINT}", "tables")
        first = made.start()
        wait_for(lambda: first.ended or kept(made))
        second = made.run()
        row = Row("a second run in the same folder", "train", shortened(second.text, made), second.wait())
        if row.code == 0 or first.ended:
            row.wrong.append("both ran")
        row.user = "waits for the first one"
        made.finish(row, run=first)
        yield row
