"""Archives that would reach outside or fill the machine are refused, in one line, with nothing left."""

import gzip
import io
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shapednoise.data import archives as limits
from tests.unit.data.archives import PIXELS, add, png, read, refused, write_folder, write_tar, write_zip

GOOD = {f"{index}.png": png(PIXELS[index]) for index in range(5)}
MIB = 1 << 20


@pytest.mark.parametrize("reader", ["folder", "cifar"])
@pytest.mark.parametrize("name", ["../evil.png", "a/../../evil.png", "/etc/evil.png", "..\\evil.png"])
@pytest.mark.parametrize("write", [write_zip, write_tar])
def test_names_that_lead_outside(write, name, reader, tmp_path):
    archive = write(tmp_path / "archive", GOOD | {name: png(PIXELS[0])})
    refused(archive, tmp_path, r"is unsafe: the name .*evil.* leads outside of it", reader=reader)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar(kind, tmp_path):
    with tarfile.open(tmp_path / "linked.tar", "w") as tar:
        add(tar, "0.png", GOOD["0.png"])
        link = tarfile.TarInfo("9.png")
        link.type, link.linkname = kind, "/etc/passwd"
        tar.addfile(link)
    refused(tmp_path / "linked.tar", tmp_path, r"'9\.png' is a link or a device")


def test_a_link_in_a_zip(tmp_path):
    link = zipfile.ZipInfo("9.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "linked.zip", "w") as pack:
        pack.writestr("0.png", GOOD["0.png"])
        pack.writestr(link, "/etc/passwd")
    refused(tmp_path / "linked.zip", tmp_path, r"'9\.png' is a link or a device")


def test_a_zip_beyond_the_limit_of_ratio(tmp_path):
    archive = write_zip(tmp_path / "large.zip", GOOD | {"9.png": bytes(32 * MIB)}, zipfile.ZIP_DEFLATED)
    refused(archive, tmp_path, r"9\.png unpacks to 32 MiB, beyond the zip-bomb guard's ratio limit of 200")


def test_a_zip_that_declares_less_than_it_holds(tmp_path):
    archive = write_zip(tmp_path / "liar.zip", {"0.png": bytes(8 * MIB)}, zipfile.ZIP_DEFLATED)
    content = archive.read_bytes()
    true, false = struct.pack("<I", 8 * MIB), struct.pack("<I", 1000)
    assert content.count(true) == 2
    archive.write_bytes(content.replace(true, false))
    refused(archive, tmp_path, "is damaged .*CRC")


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_member_that_is_too_large_is_not_unpacked(mode, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "LARGEST_FILE", 4 * MIB)
    archive = write_tar(tmp_path / "large.tar", GOOD | {"9.png": bytes(5 * MIB)}, mode)
    refused(archive, tmp_path, r"'9\.png' unpacks to 5 MiB, more than 4 MiB")


@pytest.mark.parametrize(("write", "options"), [(write_zip, [zipfile.ZIP_DEFLATED]), (write_tar, [])])
def test_many_members_that_are_too_large_together(write, options, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "LARGEST_TOTAL", 4 * MIB)
    archive = write(tmp_path / "large", {f"{index}.txt": bytes(MIB) for index in range(9)}, *options)
    refused(archive, tmp_path, "it would unpack to more than 5 MiB")


def test_a_picture_of_absurd_dimensions(tmp_path):
    buffer = io.BytesIO()
    Image.new("1", (12_000, 9_000)).save(buffer, "PNG")
    archive = write_folder(tmp_path / "pictures", GOOD | {"9.png": buffer.getvalue()})
    refused(archive, tmp_path, r"9\.png in .* is no readable picture .*decompression bomb")


@pytest.mark.parametrize(
    ("count", "says"),
    [(40, "holds more than the 40 images"), (1 << 31, "is unsafe: it would unpack to more")],
)
def test_mnists_format_that_unpacks_to_more_than_it_should(tmp_path, count, says):
    """More than the header says is not read on; a header that says too much is not believed."""
    content = struct.pack(">4I", 0x803, count, 28, 28) + bytes(40 * 784 + 64 * MIB)
    (tmp_path / "large.gz").write_bytes(gzip.compress(content))
    refused(tmp_path / "large.gz", tmp_path, says, reader="idx", channels=1)


def bloated(path: Path, kind: bytes, size: int, times: int = 1) -> Path:
    """A tar.gz that begins with headers of zeros that say something about the next file."""
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = kind, size
    start = header.tobuf(tarfile.GNU_FORMAT) + bytes(max(0, size))
    good = write_tar(path.with_suffix(".good"), GOOD, "w").read_bytes()
    path.write_bytes(gzip.compress(start * times + good, 1))
    return path


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g", b"X"])
@pytest.mark.parametrize("size", [32 * MIB, -512], ids=["large", "negative"])
def test_a_header_of_a_tar_that_is_too_large_is_not_read(kind, size, tmp_path):
    archive = bloated(tmp_path / "large.tgz", kind, size)
    tracemalloc.start()
    refused(archive, tmp_path, "is unsafe: its headers are beyond the size limits")
    assert tracemalloc.get_traced_memory()[1] < 16 * MIB
    tracemalloc.stop()


def test_headers_of_a_tar_that_are_too_large_together(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "LARGEST_HEADERS", 4 * MIB)
    archive = bloated(tmp_path / "large.tgz", b"g", MIB, times=5)
    refused(archive, tmp_path, "is unsafe: its headers are beyond the size limits")


def tar_of_one(path: Path, content: bytes = b"", kind: bytes = tarfile.REGTYPE, **headers: str) -> Path:
    """A tar with one file, of whose headers this is said."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("0.png")
        info.type, info.size, info.pax_headers = kind, len(content), headers
        tar.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("size", ["-512", str(1 << 40)])
def test_a_size_that_a_header_makes_absurd(size, tmp_path):
    refused(tar_of_one(tmp_path / "large.tar", size=size), tmp_path, r"'0\.png' unpacks to")


def test_sparse_files_whose_map_may_have_any_length(tmp_path):
    version = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
    new = tar_of_one(tmp_path / "new.tar", b"99999999\n" + b"0\n" * (MIB // 2), **version)
    old = tar_of_one(tmp_path / "old.tar", kind=tarfile.GNUTYPE_SPARSE)
    for archive in (new, old):
        refused(archive, tmp_path, r"'0\.png' is a sparse file")


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_what_else_genuine_headers_say_are_read(form, tmp_path):
    with tarfile.open(tmp_path / "long.tar.gz", "w:gz", format=form, pax_headers={"comment": "c"}) as tar:
        for index in range(5):
            add(tar, f"{'a' * 200}/{'é' * 100}/{index}.png", png(PIXELS[index]))
    assert read(tmp_path / "long.tar.gz", tmp_path)[1].images == 5


MANY = {f"{index}.png": np.random.default_rng(index).bytes(MIB) for index in range(4)}


@pytest.mark.parametrize(
    ("write", "option"), [(write_tar, "w:xz"), (write_zip, zipfile.ZIP_LZMA), (write_tar, "w:bz2")]
)
def test_an_archive_with_a_flipped_byte_is_damaged(write, option, tmp_path):
    archive = write(tmp_path / "flipped", MANY, option)
    content = bytearray(archive.read_bytes())
    content[MIB // 2 :: MIB] = bytes(255 - byte for byte in content[MIB // 2 :: MIB])
    archive.write_bytes(content)
    refused(archive, tmp_path, "is damaged")
