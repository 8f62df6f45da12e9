"""Arrays that a job fills from the front, so that one that was killed goes on where it was.

They are not results: they lie in a folder of their own, are removed when the result is complete, and are
used only by a job with the same inputs, settings and code.
"""

import json
import os
import shutil
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from shapednoise.files import atomic_path, read_json, reserve_array, write_text
from shapednoise.log import log

Arrays = dict[str, np.ndarray]
RECORD = "done.json"


class ResumableArrays:
    """Arrays with one row an image, as .npy files of a folder or, without a folder, in memory.

    The file `done.json` names the rows that are done, with a checksum of each batch.
    """

    def __init__(self, rows: int, folder: Path | None = None, fingerprint: str = "") -> None:
        """fingerprint: a digest of all that the arrays depend on; arrays of another one are not used."""
        self.rows, self.folder, self.fingerprint = rows, folder, fingerprint
        self.arrays: Arrays = {}
        self._extras: list[str] = []
        self._batches: list[tuple[int, int]] = []  # end and checksum
        if folder and (folder / RECORD).is_file():
            try:
                self._resume(folder)
            except Exception as error:  # NumPy's of damaged headers are of many kinds
                why = " ".join(str(error).split())
                log.warning("what was done in %s is damaged (%s); it is done again", folder, why)
                self.arrays, self._batches = {}, []

    @property
    def done(self) -> int:
        """How many rows are done."""
        return self._batches[-1][0] if self._batches else 0

    def append(self, batch: Arrays, extras: Arrays | None = None) -> None:
        """Write the next rows of each array. extras: whole arrays that come with the first rows.

        The disk space of all rows is reserved with the first ones. Raises OSError that names the file.
        """
        start, end = self.done, self.done + len(next(iter(batch.values())))
        if not start:
            self._extras = list(extras or {})
            whole = {name: ((self.rows, *part.shape[1:]), part.dtype) for name, part in batch.items()}
            whole |= {name: (part.shape, part.dtype) for name, part in (extras or {}).items()}
            self.arrays = {name: self._allocate(name, *kind) for name, kind in whole.items()}
            for name in self._extras:
                self.arrays[name][...] = extras[name]
        for name, part in batch.items():
            self.arrays[name][start:end] = part
        self._batches.append((end, self._checksum(start, end)))
        if self.folder:
            record = {
                "fingerprint": self.fingerprint, "arrays": self._kinds(), "extras": self._extras,
                "batches": self._batches,
            }  # fmt: skip
            write_text(self.folder / RECORD, json.dumps(record))

    def publish(self, name: str, destination: Path) -> None:
        """Make a complete array the file `destination`, without a copy where they share a file system."""
        self.arrays[name].flush()
        with atomic_path(destination) as temporary:
            try:
                os.link(self._path(name), temporary)  # a job that is killed now still has it
            except OSError:
                shutil.copyfile(self._path(name), temporary)

    def remove(self) -> None:
        """Remove the folder, when the result is complete."""
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.npy"

    def _allocate(self, name: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        if not self.folder:
            return np.empty(shape, dtype)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._path(name).unlink(missing_ok=True)  # it may be published: never write into it
        return reserve_array(self._path(name), shape, dtype)

    def _kinds(self) -> dict[str, list]:
        return {name: [array.dtype.str, *array.shape] for name, array in self.arrays.items()}

    def _checksum(self, start: int, end: int) -> int:
        """The checksum of these rows, with the extras if they are the first."""
        checksum = 0
        for name, array in self.arrays.items():
            if name not in self._extras:
                checksum = zlib.crc32(array[start:end], checksum)
            elif not start:
                checksum = zlib.crc32(array, checksum)
        return checksum

    def _resume(self, folder: Path) -> None:
        """Take up the batches that are there and whole."""
        record = read_json(folder / RECORD)
        if record["fingerprint"] != self.fingerprint:
            log.warning("%s is of other inputs, settings or code; it is done anew", folder)
            return
        self._extras = record["extras"]
        self.arrays = {name: np.load(self._path(name), mmap_mode="r+") for name in record["arrays"]}
        if self._kinds() != record["arrays"]:
            raise ValueError("the kind of an array has changed")
        self._batches = list(self._whole(record["batches"]))
        log.info("continuing from image %d of %d", self.done, self.rows)

    def _whole(self, batches: list[tuple[int, int]]) -> Iterable[tuple[int, int]]:
        start = 0
        for end, checksum in batches:
            if self._checksum(start, end) != checksum:
                log.warning("%s is damaged after image %d; the rest is done again", self.folder, start)
                return
            yield end, checksum
            start = end
