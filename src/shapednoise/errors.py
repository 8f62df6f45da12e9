"""Every error that a user can act on. The message of each is one line: what, where, what to do."""

import errno
import os
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
CANNOT_WRITE = (*FULL, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ELOOP)


class UserError(Exception):
    """An error with a message for the user, of one line."""

    exit_code = 2


class ConfigError(UserError):
    """The config is wrong; the message names the key and the remedy."""


class DamagedFile(UserError, ValueError):
    """A file whose content is not what was written."""

    def __init__(self, path: str | Path, why: object) -> None:
        reason = " ".join(str(why).split())[:200]
        super().__init__(f"{path} is damaged ({reason}); delete it and run again")


class Interrupted(UserError):
    """A training that was stopped by a signal, after its checkpoint was written if that was possible."""

    def __init__(self, signum: int, step: int, saved: bool) -> None:
        where = "there" if saved else "the last checkpoint"
        super().__init__(f"interrupted after step {step}; run again to continue from {where}")
        self.exit_code = 128 + signum


def cannot_write(error: OSError) -> str:
    """The message for a file that cannot be written, or not be read because permission is denied."""
    where = error.filename or "the output folder"
    remedy = "make room" if error.errno in FULL else "make it writable"
    if error.errno == errno.ELOOP:
        remedy = "remove this link, which leads elsewhere,"
    return (
        f"{os.strerror(error.errno or 0)}: {where}; nothing half-written was kept, "
        f"{remedy} and run the same command again"
    )
