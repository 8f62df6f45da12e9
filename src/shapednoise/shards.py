"""Results in pieces on disk, so that sampling or extraction that was interrupted goes on where it was.

Shards are not results: they live apart, are removed when the result is complete, and are used only by a
job with the same inputs, settings and code.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from shapednoise.files import DAMAGED, atomic_path
from shapednoise.log import log

Arrays = dict[str, np.ndarray]


class Shards:
    """Pieces of one result below a folder; without a folder nothing is kept."""

    def __init__(self, folder: Path | None, fingerprint: str) -> None:
        """fingerprint: a digest of all that the result depends on."""
        self.folder = folder
        self.fingerprint = fingerprint
        self._mismatch_told = self._reuse_told = False

    def get(self, start: int, compute: Callable[[], Arrays]) -> Arrays:
        """The shard that begins at image `start`: from disk where it is there, else computed and kept."""
        if self.folder is None:
            return compute()
        path = self.folder / f"{start:09d}.npz"
        found = self._read(path)
        if found is None:
            found = compute()
            with atomic_path(path) as temporary:
                np.savez(temporary, fingerprint=np.array(self.fingerprint), **found)
        return found

    def remove(self) -> None:
        """Remove the folder, when the result is complete."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self, path: Path) -> Arrays | None:
        """The arrays of a shard; None where there is none that fits, which is said in one line."""
        if not path.is_file():
            return None
        try:
            with np.load(path) as arrays:
                found = {name: arrays[name] for name in arrays.files}
        except DAMAGED as error:
            log.warning("shard %s is damaged (%s); its images are done again", path, error)
            return None
        if str(found.pop("fingerprint", "")) == self.fingerprint:
            if not self._reuse_told:
                there = len(list(path.parent.glob("[0-9]*.npz")))
                log.info("continuing with %d shards in %s", there, path.parent)
                self._reuse_told = True
            return found
        if not self._mismatch_told:
            log.warning("shards in %s are of other inputs, settings or code; they are replaced", path.parent)
            self._mismatch_told = True
        return None
