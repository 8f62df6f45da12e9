"""The sha256 of results: what has changed since a run is named, whenever it was changed."""

import hashlib
import os
import subprocess
import sys
import time

import pytest

from shapednoise.errors import DamagedFile, UserError
from shapednoise.workflow.checksums import NAME, PENDING, begin, differences, end, record

FILES = ("models/a/unet/weights.safetensors", "samples/a/samples.npy", "scores/a.json", "claims.csv")


@pytest.fixture
def results(tmp_path):
    """A results folder after a run."""
    folder = tmp_path / "results"
    begin_a_run(folder)
    for name in (*FILES, "logs/train.log", "models/a/.hidden", "config.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    end(folder)
    return folder


def begin_a_run(folder) -> None:
    """After a tick of the file system's clock, so that what is there was made before."""
    time.sleep(0.05)
    begin(folder)


def test_the_record_is_one_that_sha256sum_reads(results):
    listed = dict(line.split("  ")[::-1] for line in (results / NAME).read_text().splitlines())
    assert listed == {
        name: hashlib.sha256(name.encode()).hexdigest() for name in sorted((*FILES, "config.json"))
    }
    subprocess.run(["sha256sum", "--check", "--quiet", NAME], cwd=results, check=True)
    assert not list(differences(results)) and not (results / PENDING).exists()


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_a_missing_and_a_strange_file_are_named(results, name):
    path = results / name
    content, status = path.read_bytes(), path.stat()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    [line] = differences(results)
    assert line.startswith(f"{path}: changed, sha256 ") and hashlib.sha256(content).hexdigest() in line
    path.rename(path.with_name("strange"))
    strange = path.with_name("strange")
    assert set(differences(results)) == {f"{path}: missing", f"{strange}: not recorded"}


def test_what_was_edited_between_runs_is_named_after_the_next_one_and_what_that_made_is_not(results):
    (results / FILES[2]).write_text("better scores")
    begin_a_run(results)
    (results / FILES[1]).write_text("drawn anew")
    (results / "tables").mkdir()
    (results / "tables" / "new.csv").write_text("new")
    end(results)
    [line] = differences(results)
    assert line.startswith(f"{results / FILES[2]}: changed")


def test_what_a_killed_run_has_made_is_recorded_by_the_next_one(results):
    begin_a_run(results)
    (results / FILES[0]).write_text("trained anew")
    begin(results)  # after a power cut
    end(results)
    assert not list(differences(results))


def test_a_process_that_did_not_begin_a_run_records_nothing(results):
    before = (results / NAME).read_bytes()
    (results / FILES[0]).write_text("others")
    end(results)
    assert (results / NAME).read_bytes() == before


def test_a_record_that_is_none_is_one_line(results):
    (results / NAME).write_text("no sha256")
    with pytest.raises(DamagedFile):
        list(differences(results))
    (results / NAME).unlink()
    with pytest.raises(UserError, match=r"there is no .*SHA256SUMS; a run of this version writes it"):
        list(differences(results))


def test_the_script_says_what_does_not_fit(results, repository, tmp_path):
    def verify(*arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, str(repository / "scripts" / "verify.py"), *arguments]
        environment = os.environ | {"PYTHONPATH": str(repository / "src")}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    done = verify(str(results))
    assert done.returncode == 0 and done.stdout == f"{results}: no files are not as recorded\n"
    (results / FILES[3]).write_text("reproduced")
    done = verify(str(results))
    assert done.returncode == 2 and f"{results / FILES[3]}: changed" in done.stdout
    assert done.stderr == (
        "error: 1 files are not as recorded; get them again, or delete them and run again\n"
    )


def test_the_reference_results_are_those_that_were_recorded(repository):
    """scripts/reference.py records them; by hand: python scripts/verify.py --record results/reference/NAME"""
    folders = [path for path in (repository / "results" / "reference").iterdir() if path.is_dir()]
    assert [line for folder in folders for line in differences(folder)] == []


def test_older_files_keep_their_record(results):
    known = (results / NAME).read_bytes()
    (results / FILES[0]).write_text("others")
    record(results, since=2**40)
    assert (results / NAME).read_bytes() == known
    record(results)
    assert not list(differences(results))
