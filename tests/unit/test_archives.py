"""Archives that would reach outside or fill the machine are refused, in one line, with nothing left."""

import gzip
import io
import stat
import struct
import tarfile
import zipfile

import pytest
from PIL import Image

from shapednoise.console import UserError
from shapednoise.data import archives as limits
from shapednoise.data.canonical import write_canonical
from shapednoise.settings.data import ImagesSettings
from tests.unit.archives import PIXELS, add, png, write_folder, write_tar, write_zip

GOOD = {f"{index}.png": png(PIXELS[index]) for index in range(5)}
MIB = 1 << 20


def refused(archive, tmp_path, match: str, **changes) -> None:
    """Reading the archive ends in one line that names it and the remedy, and leaves nothing."""
    settings = ImagesSettings(**{"reader": "folder", "size": 32, **changes})
    with pytest.raises(UserError, match=match) as caught:
        write_canonical(archive, settings, tmp_path / "out" / "images.npy")
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
