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

from shapednoise.config.data import ImagesSettings
from shapednoise.data import archives as limits
from shapednoise.data.preprocess import preprocess_archive
from shapednoise.errors import UserError
from tests.unit.data.archives import PIXELS, add, png, write_folder, write_tar, write_zip

GOOD = {f"{index}.png": png(PIXELS[index]) for index in range(5)}
MIB = 1 << 20


def refused(archive, tmp_path, match: str, **changes) -> None:
    """Reading the archive ends in one line that names it and the remedy, and leaves nothing."""
    settings = ImagesSettings(**{"reader": "folder", "size": 32, **changes})
    with pytest.raises(UserError, match=match) as caught:
        preprocess_archive(archive, settings, tmp_path / "out" / "images.npy")
    message = str(caught.value)
    assert "\n" not in message and archive.name in message and "; " in message
    assert not list((tmp_path / "out").iterdir())


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


def test_a_zip_bomb_by_its_ratio(tmp_path):
    archive = write_zip(tmp_path / "bomb.zip", GOOD | {"9.png": bytes(32 * MIB)}, zipfile.ZIP_DEFLATED)
    refused(archive, tmp_path, r"9\.png unpacks to 32 MiB, as a bomb does")


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
    archive = write_tar(tmp_path / "bomb.tar", GOOD | {"9.png": bytes(5 * MIB)}, mode)
    refused(archive, tmp_path, r"'9\.png' unpacks to 5 MiB, more than 4 MiB")


@pytest.mark.parametrize("write", [write_zip, write_tar])
def test_many_members_that_are_too_large_together(write, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "LARGEST_TOTAL", 4 * MIB)
    options = (zipfile.ZIP_DEFLATED,) if write is write_zip else ()
    archive = write(tmp_path / "bomb", {f"{index}.txt": bytes(MIB) for index in range(9)}, *options)
    refused(archive, tmp_path, "it would unpack to more than 5 MiB")


def test_a_picture_of_absurd_dimensions(tmp_path):
    buffer = io.BytesIO()
    Image.new("1", (12_000, 9_000)).save(buffer, "PNG")
    archive = write_folder(tmp_path / "pictures", GOOD | {"9.png": buffer.getvalue()})
    refused(archive, tmp_path, r"9\.png in .* is no readable picture .*decompression bomb")


@pytest.mark.parametrize("count", [40, 1 << 31])
def test_a_gzip_bomb_of_mnists_format(tmp_path, count):
    """More than the header says is not read on; a header that says too much is not believed."""
    content = struct.pack(">4I", 0x803, count, 28, 28) + bytes(40 * 784 + 64 * MIB)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(content))
    expected = "holds more than the 40 images" if count == 40 else "is unsafe: it would unpack to more than"
    refused(tmp_path / "bomb.gz", tmp_path, expected, reader="idx", channels=1)


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
    archive = bloated(tmp_path / "bomb.tgz", kind, size)
    tracemalloc.start()
    refused(archive, tmp_path, "is unsafe: its headers are absurdly large")
    assert tracemalloc.get_traced_memory()[1] < 16 * MIB
    tracemalloc.stop()


def test_headers_of_a_tar_that_are_too_large_together(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "LARGEST_HEADERS", 4 * MIB)
    archive = bloated(tmp_path / "bomb.tgz", b"g", MIB, times=5)
    refused(archive, tmp_path, "is unsafe: its headers are absurdly large")


@pytest.mark.parametrize("size", ["-512", str(1 << 40)])
def test_a_size_that_a_header_makes_absurd(size, tmp_path):
    with tarfile.open(tmp_path / "bomb.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("0.png")
        info.pax_headers = {"size": size}
        tar.addfile(info)
    refused(tmp_path / "bomb.tar", tmp_path, r"'0\.png' unpacks to")


def test_sparse_files_whose_map_may_have_any_length(tmp_path):
    with tarfile.open(tmp_path / "new.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("0.png")
        info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
        info.size = MIB
        tar.addfile(info, io.BytesIO(b"99999999\n" + b"0\n" * (MIB // 2)))
    refused(tmp_path / "new.tar", tmp_path, r"'0\.png' is a sparse file")
    with tarfile.open(tmp_path / "old.tar", "w") as tar:
        info = tarfile.TarInfo("0.png")
        info.type = tarfile.GNUTYPE_SPARSE
        tar.addfile(info)
    refused(tmp_path / "old.tar", tmp_path, r"'0\.png' is a sparse file")


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_what_else_genuine_headers_say_are_read(form, tmp_path):
    with tarfile.open(tmp_path / "long.tar.gz", "w:gz", format=form, pax_headers={"comment": "c"}) as tar:
        for index in range(5):
            add(tar, f"{'a' * 200}/{'é' * 100}/{index}.png", png(PIXELS[index]))
    settings = ImagesSettings(reader="folder", size=32)
    assert preprocess_archive(tmp_path / "long.tar.gz", settings, tmp_path / "images.npy").images == 5


MANY = {f"{index}.png": np.random.default_rng(index).bytes(MIB) for index in range(4)}


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_tar(path, MANY, "w:xz"),
        lambda path: write_zip(path, MANY, zipfile.ZIP_LZMA),
        lambda path: write_tar(path, MANY, "w:bz2"),
    ],
    ids=["tar.xz", "zip of LZMA", "tar.bz2"],
)
def test_an_archive_with_a_flipped_byte_is_damaged(write, tmp_path):
    archive = write(tmp_path / "flipped")
    content = bytearray(archive.read_bytes())
    content[MIB // 2 :: MIB] = bytes(255 - byte for byte in content[MIB // 2 :: MIB])
    archive.write_bytes(content)
    refused(archive, tmp_path, "is damaged")
