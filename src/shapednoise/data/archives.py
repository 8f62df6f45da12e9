"""The files of a zip, a tar or a directory, none of which can reach outside or exhaust the machine.

An archive with an absolute name, `..`, a link or a device, or one beyond the limits of size and ratio
(zip-bomb guard), is refused as a whole: a genuine one has none of them. Nothing is extracted under a name
of the archive; members are read one at a time.
"""

import bz2
import gzip
import io
import lzma
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from shapednoise.errors import FULL, UserError
from shapednoise.files import files_of, is_system_file

DAMAGED = (EOFError, OSError, RuntimeError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile)
LARGEST_FILE = 256 << 20
LARGEST_TOTAL = 4 << 30  # or LARGEST_GROWTH times the archive, whose pictures are compressed already
LARGEST_GROWTH = 20
LARGEST_RATIO = 200  # of a member of a zip that is larger than SMALL
SMALL = 1 << 20
LARGEST_HEADER = 1 << 20  # of a tar: a long name, or what else it says about a file
LARGEST_HEADERS = 256 << 20  # of all its headers, or the archive's own size
PACKED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
UTF8_NAME, ENCRYPTED = 0x800, 0x1  # bits of a file's flags in a zip
ABOUT_NEXT = (*tarfile.GNU_TYPES, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)


class Member(NamedTuple):
    """A regular file: its name, relative, with `/` between its parts, and what reads its content."""

    name: str
    read: Callable[[], bytes]


@contextmanager
def members(archive: Path) -> Iterator[list[Member]]:
    """The regular files of an archive or a directory but those of the system, in the order of their names.

    Of files of the same name the last counts, as in unpacking. Raises UserError where it is unsafe or no
    archive, and one of DAMAGED where it is damaged.
    """
    if archive.is_dir():
        yield [Member(name, (archive / name).read_bytes) for name in files_of(archive)]
    elif zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as pack:
            yield _sorted(_members_of_zip(archive, pack))
    else:
        with _tar(archive) as tar, tempfile.TemporaryFile() as unpacked:
            yield _sorted(_members_of_tar(archive, tar, unpacked))


def _sorted(found: Iterator[Member]) -> list[Member]:
    last = {member.name: member for member in found if not is_system_file(member.name)}
    return [last[name] for name in sorted(last)]


def _members_of_zip(archive: Path, pack: zipfile.ZipFile) -> Iterator[Member]:
    """The files of a zip; the module stops reading at the size that was declared."""
    total = 0
    for info in pack.infolist():
        name, kind = _name_in_zip(info), stat.S_IFMT(info.external_attr >> 16)
        _check_member(archive, name, info.file_size, kind in (0, stat.S_IFREG, stat.S_IFDIR))
        if info.flag_bits & ENCRYPTED:
            raise UserError(f"{archive} is encrypted; pack it anew without a password")
        check_growth(archive, info)
        total += info.file_size
        check_total(archive, total)
        if not name.endswith("/"):
            yield Member(PurePosixPath(name).as_posix(), partial(pack.read, info))


def _name_in_zip(info: zipfile.ZipInfo) -> str:
    """A name with `/` between its parts; macOS writes UTF-8 without the flag that says so."""
    name = info.filename
    if not info.flag_bits & UTF8_NAME:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode()
    return name.replace("\\", "/")


def _tar(archive: Path) -> tarfile.TarFile:
    """A tar of any compression, opened. Raises UserError where a file is whole, but no tar."""
    try:
        return tarfile.open(archive, tarinfo=careful_headers(archive))
    except tarfile.ReadError:
        with open(archive, "rb") as file:
            begin = file.read(tarfile.BLOCKSIZE)
        opener = next((PACKED[magic] for magic in PACKED if begin.startswith(magic)), None)
        if opener:
            with opener(archive) as file:
                file.read(SMALL)  # more than a block of bzip2, whose checksum comes last
        elif not begin or begin.startswith(b"PK") or b"ustar" in begin:
            raise
        raise UserError(f"{archive} is neither a zip nor a tar; pack its files as one of them") from None


def _members_of_tar(archive: Path, tar: tarfile.TarFile, unpacked: BinaryIO) -> Iterator[Member]:
    """The files of a tar, each checked before its content is unpacked.

    What is compressed can only be read from its beginning: the files are put, one after the other, into a
    temporary one, from which they are read in any order.
    """
    total, plain = 0, isinstance(tar.fileobj, io.BufferedReader)
    for info in tar:
        _check_member(archive, info.name, info.size, info.isfile() or info.isdir())
        info.pax_headers = {}  # each member would keep a copy of what is said about all
        total += info.size
        check_total(archive, total)
        if info.isfile():
            file, start = (tar.fileobj, info.offset_data) if plain else (unpacked, unpacked.tell())
            if not plain:
                _unpack(tar.extractfile(info), unpacked)
            name = PurePosixPath(info.name.replace("\\", "/")).as_posix()
            yield Member(name, partial(_read_part, file, start, info.size))


def _unpack(file: BinaryIO, destination: BinaryIO) -> None:
    try:
        shutil.copyfileobj(file, destination)
        destination.flush()
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise OSError(error.errno, error.strerror, f"{tempfile.gettempdir()} (TMPDIR)") from None


def _read_part(file: BinaryIO, start: int, size: int) -> bytes:
    file.seek(start)
    content = file.read(size)
    if len(content) < size:
        raise EOFError("it ends early")
    return content


def careful_headers(archive: Path) -> type[tarfile.TarInfo]:
    """What reads the headers of one archive, for tarfile.open, which holds them all in memory.

    Raises UserError before one that is too large, or of too many, is read; a sparse file has a map of
    any length, and a genuine archive has none.
    """
    largest, total = max(LARGEST_HEADERS, archive.stat().st_size), 0

    class Header(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: bytes, encoding: str, errors: str) -> tarfile.TarInfo:
            nonlocal total
            try:
                info = super().frombuf(buf, encoding, errors)
            except (
                tarfile.EmptyHeaderError,
                tarfile.TruncatedHeaderError,
                tarfile.InvalidHeaderError,
            ) as error:
                raise tarfile.ReadError(f"it ends early, {error}") from error  # where tarfile sees an end
            if info.type == tarfile.GNUTYPE_SPARSE:
                raise _unsafe(archive, f"{info.name!r} is a sparse file")
            size = info.size if info.type in ABOUT_NEXT else 0
            total += tarfile.BLOCKSIZE + size
            if not 0 <= size <= LARGEST_HEADER or total > largest:
                raise _unsafe(archive, "its headers are beyond the size limits of the zip-bomb guard")
            return info

        def _proc_gnusparse_10(self, member: tarfile.TarInfo, *_: object) -> None:
            raise _unsafe(archive, f"{member.name!r} is a sparse file")

    return Header


def _check_member(archive: Path, name: str, size: int, plain: bool) -> None:
    """Raise UserError for a name that leaves the archive, for what is no plain file, and for a huge one."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise _unsafe(archive, f"the name {name!r} leads outside of it")
    if not plain:
        raise _unsafe(archive, f"{name!r} is a link or a device (tar --dereference packs what links lead to)")
    check_file(archive, name, size)


def check_file(archive: Path, name: str, size: int) -> None:
    """Raise UserError where a file of an archive, of `size` bytes, is larger than LARGEST_FILE."""
    if not 0 <= size <= LARGEST_FILE:
        raise _unsafe(archive, f"{name!r} unpacks to {size >> 20} MiB, more than {LARGEST_FILE >> 20} MiB")


def check_growth(archive: Path, info: zipfile.ZipInfo) -> None:
    """Raise UserError where a member of a zip unpacks to much more than it is in it."""
    if info.file_size > max(SMALL, LARGEST_RATIO * info.compress_size):
        size = f"{info.filename} unpacks to {info.file_size >> 20} MiB"
        raise _unsafe(archive, f"{size}, beyond the zip-bomb guard's ratio limit of {LARGEST_RATIO}")


def check_total(archive: Path, total: int) -> None:
    """Raise UserError where the content of an archive, `total` bytes, is beyond LARGEST_TOTAL."""
    if total > max(LARGEST_TOTAL, LARGEST_GROWTH * archive.stat().st_size):
        raise _unsafe(archive, f"it would unpack to more than {total >> 20} MiB")


def _unsafe(archive: Path, reason: str) -> UserError:
    return UserError(f"{archive} is unsafe: {reason}; delete it and get it from another source")
