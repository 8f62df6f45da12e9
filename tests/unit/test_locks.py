"""One process at a time: real processes and real locks."""

import errno
import fcntl
import json
import os
import shutil
import signal
import socket
from datetime import datetime

import pytest

from shapednoise import locks
from shapednoise.locks import alone
from tests.unit.processes import processes

HOLD = "with alone(path, 'the work'): say('held')"
ASK = "with alone(path, 'the work') as waited: say(waited)"


@pytest.fixture
def started():
    with processes() as found:
        yield found


def holder(path) -> str:
    return json.loads(path.with_name(f"{path.name}.holder").read_text())


def said(process) -> str:
    return process.stdout.readline().strip()


def test_the_second_process_says_who_it_waits_for_and_goes_on_when_the_first_ends(tmp_path, started):
    path = tmp_path / "new" / "folder" / "work.lock"
    first = started.start(ASK, path)
    assert said(first) == "False"
    second = started.start(ASK, path)
    line = second.stderr.readline()
    who = holder(path)
    assert who.startswith(f"{socket.gethostname()}, process {first.pid}, since ")
    assert datetime.fromisoformat(who.rpartition(" ")[2]).tzinfo
    assert line.strip().endswith(f"waiting: the work is in the hands of {who} ({path})")
    first.stdin.close()
    assert said(second) == "True"
    assert second.communicate()[1] == "", "one line"


def test_processes_that_start_together_never_hold_it_together(tmp_path, started):
    """Each makes a file that must not exist yet, and removes it."""
    inside = tmp_path / "inside"
    body = (
        f"inside = Path({str(inside)!r})\n"
        "    for _ in range(3):\n"
        "        with alone(path, 'it'): inside.touch(exist_ok=False); inside.unlink(); path.unlink()\n"
    )
    running = [started.start(body, tmp_path / "work.lock") for _ in range(3)]
    for process in running:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors


def test_a_killed_holder_frees_it_and_is_not_named_any_more(tmp_path, started):
    path = tmp_path / "work.lock"
    killed = started.start(HOLD, path)
    assert said(killed) == "held"
    killed.kill()
    killed.wait()
    assert str(killed.pid) in holder(path)
    second = started.start(ASK, path)
    assert said(second) == "False"
    third = started.start(ASK, path)
    assert f"process {second.pid}," in third.stderr.readline()
    second.kill()
    assert said(third) == "True"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_waiting_process_at_once(tmp_path, started, number, code):
    path = tmp_path / "work.lock"
    with alone(path, "the work"):
        waiting = started.start(ASK, path)
        assert "waiting" in waiting.stderr.readline()
        waiting.send_signal(number)
        assert waiting.wait(timeout=0.5 * locks.POLL_S) == code
        assert waiting.stderr.read().count("\n") == 1


def test_the_holder_may_remove_the_folder_as_its_last_act(tmp_path, started):
    path = tmp_path / "folder" / "work.lock"
    with alone(path, "the work"):
        other = started.start(ASK, path)
        assert "waiting" in other.stderr.readline()
        shutil.rmtree(path.parent)
    assert said(other) == "True"
    third = started.start(ASK, path)
    assert f"process {other.pid}," in third.stderr.readline()


def test_an_error_in_the_block_frees_it(tmp_path):
    path = tmp_path / "work.lock"
    with pytest.raises(KeyError), alone(path, "the work"):
        raise KeyError
    with alone(path, "the work") as waited:
        assert not waited


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_without_flock_it_goes_on_after_one_line(tmp_path, monkeypatch, caplog, number):
    def flock(descriptor, operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with alone(tmp_path / "work.lock", "the work") as waited:
        assert not waited
    [line] = caplog.messages
    assert str(tmp_path) in line
    assert os.strerror(number) in line


def test_a_file_system_that_answers_eacces_for_a_held_lock_is_waited_for(tmp_path, monkeypatch):
    answers = [PermissionError(errno.EACCES, "held"), None, None]

    def flock(descriptor, operation):
        if answer := answers.pop(0):
            raise answer

    monkeypatch.setattr(fcntl, "flock", flock)
    with alone(tmp_path / "work.lock", "the work") as waited:
        assert waited


def test_on_a_full_disk_it_is_held_though_nobody_can_sign(tmp_path, started):
    body = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        f"    {HOLD}"
    )
    process = started.start(body, tmp_path / "work.lock")
    assert said(process) == "held"
    second = started.start(ASK, tmp_path / "work.lock")
    assert "in the hands of another process" in second.stderr.readline()


def test_a_folder_that_cannot_be_made_is_an_error_and_no_wait(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"), alone(tmp_path / "file" / "work.lock", "the work"):
        pass
