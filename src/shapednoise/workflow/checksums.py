"""The sha256 of every file of a results folder, in its file SHA256SUMS, as `sha256sum --check` reads it.

A run writes it at its end, of the files that it made or that are new. Of those of earlier runs the old line
stays: what has changed since is found by scripts/verify.py and before results are adopted. This finds rot and
mix-ups. It is no protection against forgery: who changes a file can change its line, too.
"""

from collections.abc import Iterator
from pathlib import Path

from shapednoise.errors import DamagedFile, UserError
from shapednoise.files import files_of, sha256_of_file, write_text

NAME, PENDING = "SHA256SUMS", ".SHA256SUMS.pending"
OTHERS = ("logs/", "benchmarks/", "checkpoints/", "code/", "trackers/")  # of a run, not of its results
_begun: set[Path] = set()  # by this process


def begin(folder: Path) -> None:
    """Note when a run begins in a folder; after one that was killed, when that one began."""
    if not (folder / PENDING).exists():
        write_text(folder / PENDING, "")
    _begun.add(folder)


def end(folder: Path) -> None:
    """Record what has been made since `begin`, if that was called here."""
    if folder in _begun:
        record(folder, since=(folder / PENDING).stat().st_mtime)
        (folder / PENDING).unlink()
        _begun.remove(folder)


def record(folder: Path, since: float = 0) -> None:
    """Write the digests of a folder's files; of older ones, seconds since the epoch, those on record stay."""
    known, lines = recorded(folder) if (folder / NAME).is_file() and since else {}, []
    for name in _files(folder):
        status = (folder / name).stat()
        old = known.get(name) if max(status.st_mtime, status.st_ctime) < since else None
        lines.append(f"{old or sha256_of_file(folder / name)}  {name}\n")
    write_text(folder / NAME, "".join(lines))


def differences(folder: Path) -> Iterator[str]:
    """A line for each file that is other than recorded, missing, or not recorded. Raises UserError."""
    known, found = recorded(folder), set(_files(folder))
    for name in sorted(known.keys() | found):
        path = folder / name
        if name not in found:
            yield f"{path}: missing"
        elif name not in known:
            yield f"{path}: not recorded"
        elif (sha256 := sha256_of_file(path)) != known[name]:
            yield f"{path}: changed, sha256 {sha256}, recorded {known[name]}"


def recorded(folder: Path) -> dict[str, str]:
    """The sha256 on record of a folder's files, by their names. Raises UserError."""
    path = folder / NAME
    if not path.is_file():
        raise UserError(
            f"there is no {path}; a run of this version writes it, or, where you trust what is there, "
            f"`python scripts/verify.py --record {folder}`"
        )
    pairs = [line.partition("  ") for line in path.read_text(encoding="utf-8").splitlines()]
    if not all(len(sha256) == 64 and name for sha256, _, name in pairs):
        raise DamagedFile(path, "a line is no sha256 and name")
    return {name: sha256 for sha256, _, name in pairs}


def _files(folder: Path) -> list[str]:
    """The names of results, without hidden files and what a run keeps beside them."""
    names = (name for name in files_of(folder) if name != NAME and not name.startswith(OTHERS))
    return [name for name in names if not any(part.startswith(".") for part in name.split("/"))]
