"""Locks between processes, by filelock: the kernel drops one when its process ends, however it ends."""

import errno
import itertools
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
FIRST_PAUSE_S = 0.1  # after which a holder has written who it is
NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)

_held: list[FileLock] = []  # by this process until it ends


@contextmanager
def exclusive_lock(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file `path` for the block; while another process holds it, log who that is and wait.

    The block may remove the lock file with its folder, as its last act. Without locks in the file system
    (some NFS) the block runs after a warning. Raises OSError if the file cannot be written.
    """

    def waiting(holders: list[str]) -> str:
        return f"waiting for {holders[0]}, which holds the lock on {what} ({path})"

    _, lock = _first_free([path], waiting)
    try:
        yield
    finally:
        lock.release()


def hold_until_exit(path: Path, refusal: Callable[[str], str]) -> None:
    """Hold the lock file `path` until this process ends. Where no file can be written, nothing is held.

    Raises UserError with the line that `refusal` makes of the holder if another process holds it.
    """
    try:
        _held.append(_acquire(path, timeout=2 * FIRST_PAUSE_S))
    except Timeout:
        raise UserError(refusal(holder_of(path))) from None
    except OSError as error:
        if error.errno not in READ_ONLY:
            raise


@contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Hold the lock file `path` for the block unless another process does. Yields whether it is held here.

    The block may remove the lock file with its folder, as its last act.
    """
    try:
        lock = _acquire(path)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def claim_slot(names: Sequence[str], per_device: int, folder: Path) -> int:
    """Hold one of the `per_device` slots of a device until this process ends; returns the device's index.

    Slots are locks in `folder`, which is made for this user alone. Devices fill evenly. If all slots are
    taken, log by whom and wait. Raises UserError if the folder cannot be made or is another user's.
    """
    remedy = "it holds the locks on the GPUs; set TMPDIR to a folder of yours"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {folder}: {error.strerror}; {remedy}") from None
    if folder.lstat().st_uid != os.getuid():
        raise UserError(f"the folder {folder} is another user's; {remedy}")
    safe = [re.sub(r"[^\w.-]", "_", name) for name in names]
    slots = [folder / f"{name}.slot{slot}" for slot in range(per_device) for name in safe]

    def waiting(holders: list[str]) -> str:
        return f"waiting for a GPU: all {len(slots)} slots are taken, by {'; '.join(holders)}"

    number, lock = _first_free(slots, waiting)
    _held.append(lock)
    return number % len(names)


def holder_of(path: Path) -> str:
    """The user, host and process that took a lock last, and when; true only while it is held."""
    try:
        return str(json.loads(_signature(path).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return "another process"


def _first_free(paths: Sequence[Path], waiting: Callable[[list[str]], str]) -> tuple[int, FileLock]:
    """Index and lock of the first path that no other process holds.

    waiting: makes the line that is logged before a wait, from the holders in the order of `paths`.
    """
    for attempt in itertools.count():
        for number, path in enumerate(paths):
            with suppress(Timeout, FileNotFoundError):  # the latter if its holder removes the folder
                return number, _acquire(path)
        if attempt == 1:
            log.info("%s", waiting([holder_of(path) for path in paths]))
        time.sleep(POLL_S if attempt else FIRST_PAUSE_S)
    raise AssertionError


def _acquire(path: Path, timeout: float = 0) -> FileLock:
    """The lock, held by this process or, with a warning, by nobody where there are no locks.

    Users who may write in the folder may take the lock after this one. Raises Timeout if another holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o644 | path.parent.stat().st_mode & 0o022
    # a soft lock would outlive a killed process
    lock = FileLock(path, timeout, mode, poll_interval=FIRST_PAUSE_S, fallback_to_soft=False)
    try:
        lock.acquire()
    except OSError as error:
        if isinstance(error, Timeout) or error.errno not in NO_LOCKS:
            raise
        log.warning("no locks in %s (%s): start one process at a time", path.parent, error.strerror)
        return lock
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    who = f"{_user()} on {socket.gethostname()}, process {os.getpid()}, since {now}"
    with suppress(OSError):  # a full disk
        write_text(_signature(path), json.dumps(who))
    return lock


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"


def _signature(path: Path) -> Path:
    return path.with_name(f"{path.name}.holder")
