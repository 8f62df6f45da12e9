"""One process at a time: real processes and real locks."""

import errno
import fcntl
import os
import pwd
import shutil
import signal
import socket
from datetime import datetime

import pytest

from shapednoise.workflow import locks
from shapednoise.workflow.locks import exclusive_lock, hold_until_exit, holder_of, try_lock
from tests.unit.workflow.processes import processes, said

HOLD = "with exclusive_lock(path, 'the work'): say('held')"
KEEP = "hold_until_exit(path, 'it is being written by {}'.format); say('kept')"


@pytest.fixture
def started():
    with processes() as found:
        yield found


def test_the_second_process_says_who_it_waits_for_and_goes_on_when_the_first_ends(tmp_path, started):
    path = tmp_path / "new" / "folder" / "work.lock"
    first = started.start(HOLD, path)
    assert said(first) == "held"
    second = started.start(HOLD, path)
    line = second.stderr.readline()
    who = holder_of(path)
    user = pwd.getpwuid(os.getuid()).pw_name
    assert who.startswith(f"{user} on {socket.gethostname()}, process {first.pid}, since ")
    assert datetime.fromisoformat(who.rpartition(" ")[2]).tzinfo
    assert line.strip().endswith(f"waiting for {who}, which holds the lock on the work ({path})")
    first.stdin.close()
    assert said(second) == "held"
    assert second.communicate()[1] == "", "one line"


def test_processes_that_start_together_never_hold_it_together(tmp_path, started):
    """Each makes a file that must not exist yet, and removes it."""
    inside = tmp_path / "inside"
    body = (
        f"inside = Path({str(inside)!r})\n"
        "    for _ in range(3):\n"
        "        with exclusive_lock(path, 'it'):\n"
        "            inside.touch(exist_ok=False); inside.unlink(); path.unlink()\n"
    )
    running = [started.start(body, tmp_path / "work.lock") for _ in range(3)]
    for process in running:
        _, errors = process.communicate()
        assert process.returncode == 0, errors


def test_a_killed_holder_frees_it_and_is_not_named_any_more(tmp_path, started):
    path = tmp_path / "work.lock"
    killed = started.start(HOLD, path)
    assert said(killed) == "held"
    killed.kill()
    killed.wait()
    assert str(killed.pid) in holder_of(path)
    second = started.start(HOLD, path)
    assert said(second) == "held"
    third = started.start(HOLD, path)
    assert f"process {second.pid}," in third.stderr.readline()
    second.kill()
    assert said(third) == "held"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_waiting_process_though_the_lock_is_held(tmp_path, started, number, code):
    path = tmp_path / "work.lock"
    with exclusive_lock(path, "the work"):
        waiting = started.start(HOLD, path)
        assert "waiting" in waiting.stderr.readline()
        waiting.send_signal(number)
        assert waiting.wait() == code
        assert waiting.stderr.read().count("\n") == 1


def test_the_holder_may_remove_the_folder_as_its_last_act(tmp_path, started):
    path = tmp_path / "folder" / "work.lock"
    with exclusive_lock(path, "the work"):
        other = started.start(HOLD, path)
        assert "waiting" in other.stderr.readline()
        shutil.rmtree(path.parent)
    assert said(other) == "held"
    third = started.start(HOLD, path)
    assert f"process {other.pid}," in third.stderr.readline()


def test_an_error_in_the_block_frees_it(tmp_path):
    path = tmp_path / "work.lock"
    with pytest.raises(KeyError), exclusive_lock(path, "the work"):
        raise KeyError
    with try_lock(path) as free:
        assert free


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_without_flock_it_goes_on_after_one_line(tmp_path, monkeypatch, caplog, number):
    def flock(descriptor, operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with exclusive_lock(tmp_path / "work.lock", "the work"):
        pass
    [line] = caplog.messages
    assert str(tmp_path) in line
    assert os.strerror(number) in line


def test_a_file_system_that_answers_eacces_for_a_held_lock_is_waited_for(tmp_path, monkeypatch):
    answers = [PermissionError(errno.EACCES, "held"), None, None]

    def flock(descriptor, operation):
        if answer := answers.pop(0):
            raise answer

    monkeypatch.setattr(fcntl, "flock", flock)
    with exclusive_lock(tmp_path / "work.lock", "the work"):
        assert len(answers) == 1  # of the release


def test_on_a_full_disk_it_is_held_though_nobody_can_sign(tmp_path, started):
    body = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        f"    {HOLD}"
    )
    process = started.start(body, tmp_path / "work.lock")
    assert said(process) == "held"
    second = started.start(HOLD, tmp_path / "work.lock")
    assert "waiting for another process, which holds" in second.stderr.readline()


def test_a_folder_that_cannot_be_made_is_an_error_and_no_wait(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"), exclusive_lock(tmp_path / "file" / "work.lock", "the work"):
        pass


def test_what_another_process_keeps_is_refused_at_once_until_it_ends(tmp_path, started):
    path = tmp_path / "new" / "work.lock"
    first = started.start(KEEP, path)
    assert said(first) == "kept"
    second = started.start(KEEP, path)
    output, errors = second.communicate()
    assert (output, errors) == ("", f"error: it is being written by {holder_of(path)}\n")
    assert second.returncode == 2 and f"process {first.pid}," in errors
    first.kill()
    first.wait()
    assert said(started.start(KEEP, path)) == "kept"


def test_a_child_of_a_killed_holder_holds_nothing(tmp_path, started):
    path = tmp_path / "work.lock"
    child = "import subprocess; print(subprocess.Popen(['sleep', '600'], stdout=2).pid, flush=True)"
    first = started.start(f"hold_until_exit(path, str); {child}; say('kept')", path)
    pid = int(said(first))
    try:
        assert said(first) == "kept"
        first.kill()
        assert said(started.start(KEEP, path)) == "kept"
    finally:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_where_nothing_can_be_written_nothing_is_kept(tmp_path, monkeypatch, number):
    def read_only(*arguments, **options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(locks.FileLock, "acquire", read_only)
    hold_until_exit(tmp_path / "work.lock", str)


def test_whether_a_lock_is_free_is_seen_without_a_wait(tmp_path, started):
    path = tmp_path / "folder" / "work.lock"
    first = started.start(HOLD, path)
    assert said(first) == "held"
    with try_lock(path) as free:
        assert not free
    first.kill()
    first.wait()
    with try_lock(path) as free:
        assert free
        assert f"process {os.getpid()}," in holder_of(path)
        shutil.rmtree(path.parent)
    assert not path.parent.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_who_may_write_in_the_folder_may_hold_the_lock_after_another_user(tmp_path, started):
    path = tmp_path / "shared" / "work.lock"
    path.parent.mkdir()
    path.parent.chmod(0o777)
    for parent in path.parent.parents[:-1]:
        parent.chmod(parent.stat().st_mode | 0o055)
    for uid in (65533, 65534):
        body = f"os.setuid({uid}); {KEEP}"
        process = started.start(body, path)
        assert said(process) == "kept"
        assert f"process {process.pid}," in holder_of(path)
        refused = started.start(KEEP, path)
        assert holder_of(path) in refused.communicate()[1]
        process.kill()
        process.wait()
