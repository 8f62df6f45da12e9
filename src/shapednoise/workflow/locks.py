"""One process at a time: file locks, which the kernel drops when their process ends, however it ends."""

import errno
import json
import os
import pwd
import re
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from shapednoise.errors import UserError
from shapednoise.files import write_text
from shapednoise.log import log

POLL_S = 1.0
MOMENT_S = 0.1  # the first pause: a holder has written by then who it is
NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)

_kept: list[FileLock | None] = []  # locks of this process, held until it ends


@contextmanager
def alone(path: Path, what: str) -> Iterator[bool]:
    """Hold `path` (a lock file, its folder is made) for the block: one process at a time does `what`.

    Yields whether it had to wait (then another process may have finished the work meanwhile). One line
    says who is waited for. A process that is killed holds nothing any more. Where the file system has no
    locks, one line says so and the block runs unlocked. Raises OSError where no file can be written.

    The lock file is left behind, or removed with its folder in the block, as its last act.
    """

    def waiting(holders: list[str]) -> str:
        return f"waiting: {what} is in the hands of {holders[0]} ({path})"

    _, lock, waited = _take_first([path], waiting)
    try:
        yield waited
    finally:
        if lock:
            lock.release()


def keep(path: Path, refusal: Callable[[str], str]) -> None:
    """Hold `path` (a lock file, its folder is made) until this process ends, however it ends.

    If another process holds it, it is not waited for: UserError with the line that `refusal` makes of
    who that is. Where no file can be written, nothing is held. A child that is forked and starts another
    program holds nothing.
    """
    try:
        _kept.append(_take_now(path))
    except Timeout:
        raise UserError(refusal(holder_of(path))) from None
    except OSError as error:
        if error.errno not in READ_ONLY:
            raise


@contextmanager
def if_free(path: Path) -> Iterator[bool]:
    """Hold `path` for the block unless another process holds it, which is what it yields: whether it is free.

    The block may remove the lock file with its folder, as its last act.
    """
    try:
        lock = _take(path)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        if lock:
            lock.release()


def claim_slot(names: Sequence[str], per_device: int, folder: Path) -> int:
    """Take a free slot of one of the named devices until this process ends; returns the device's index.

    per_device: slots a device has. The devices fill evenly: the first slot of each, then the second of
    each. folder: where the locks are, one file a slot; made for this user alone. If all slots are taken,
    one line names the processes and the call waits until one ends.
    Raises UserError if the folder cannot be made or is another user's.
    """
    _make_private(folder)
    safe = [re.sub(r"[^\w.-]", "_", name) for name in names]
    slots = [folder / f"{name}.slot{slot}" for slot in range(per_device) for name in safe]

    def waiting(holders: list[str]) -> str:
        return f"waiting for a GPU: all {len(slots)} slots are taken, by {'; '.join(holders)}"

    number, lock, _ = _take_first(slots, waiting)
    _kept.append(lock)
    return number % len(names)


def _make_private(folder: Path) -> None:
    remedy = "the slots of the GPUs are kept there; set TMPDIR to a folder of yours"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {folder}: {error.strerror}; {remedy}") from None
    if folder.lstat().st_uid != os.getuid():
        raise UserError(f"the folder {folder} is another user's; {remedy}")


def _take_first(
    paths: Sequence[Path], waiting: Callable[[list[str]], str]
) -> tuple[int, FileLock | None, bool]:
    """Take the first lock that no other process holds: its number, the lock, and whether there was a wait.

    waiting: makes the one line that is logged before a wait, from the holders in the order of `paths`.
    """
    attempt = 0
    while True:
        for number, path in enumerate(paths):
            with suppress(Timeout, FileNotFoundError):  # the latter: its holder removes the folder
                return number, _take(path), attempt > 0
        if attempt == 1:
            log.info("%s", waiting([holder_of(path) for path in paths]))
        time.sleep(POLL_S if attempt else MOMENT_S)
        attempt += 1


def _take_now(path: Path) -> FileLock | None:
    """As _take; if another process holds it, that has had a moment to say who it is."""
    with suppress(Timeout):
        return _take(path)
    time.sleep(MOMENT_S)
    return _take(path)


def _take(path: Path) -> FileLock | None:
    """The lock, held by this process; None where there are no locks. Raises Timeout if another holds it.

    Who may write in its folder may hold it after this user.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o644 | path.parent.stat().st_mode & 0o022
    # a soft lock would outlive a killed process
    lock = FileLock(path, timeout=0, mode=mode, fallback_to_soft=False)
    try:
        lock.acquire()
    except OSError as error:
        if isinstance(error, Timeout) or error.errno not in NO_LOCKS:
            raise
        log.warning("no locks in %s (%s): start one process at a time", path.parent, error.strerror)
        return None
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    who = f"{_user()} on {socket.gethostname()}, process {os.getpid()}, since {now}"
    with suppress(OSError):  # a full disk
        write_text(_signature(path), json.dumps(who))
    return lock


def _user() -> str:
    """The name of this process's user, as the system has it."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"


def _signature(path: Path) -> Path:
    return path.with_name(f"{path.name}.holder")


def holder_of(path: Path) -> str:
    """Who holds a lock (user, host, process, since when), as it says itself; true only while it is held."""
    try:
        return str(json.loads(_signature(path).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return "another process"
