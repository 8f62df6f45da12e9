"""Archives that would reach outside or fill the machine are refused, in one line, with nothing left."""

import gzip
import io
import resource
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
from shapednoise.errors import FULL
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


FOREIGN = {
    f"{kind}/{index}.png": png(PIXELS[index]) for index in range(10) for kind in ("katze", "h\u00fchner")
}


def zip_of(path: Path, names: dict[bytes, bytes]) -> Path:
    """A zip with names of these bytes, as its flags do not say that they are UTF-8."""
    stand_ins = {f"<{index:-<{len(name) - 2}d}>": name for index, name in enumerate(names)}
    pictures = dict(zip(stand_ins, names.values(), strict=True))
    content = write_zip(path, pictures).read_bytes()
    for stand_in, name in stand_ins.items():
        assert content.count(stand_in.encode()) == 2
        content = content.replace(stand_in.encode(), name)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "spelling",
    [
        lambda name: name.encode(),
        lambda name: name.encode("cp437"),
        lambda name: name.replace("/", "\\").encode("cp437"),
        lambda name: b"./" + name.encode(),
    ],
    ids=["macOS", "Windows", "Windows with backslashes", "from here"],
)
def test_zips_of_other_systems_keep_folders_and_classes(spelling, tmp_path):
    hidden = {"katze/._0.png": b"no picture", ".cache/0.png": b"neither", "katze/.1.png": b"nor this"}
    names = {spelling(name): content for name, content in (FOREIGN | hidden).items()}
    images, content = read(zip_of(tmp_path / "foreign.zip", names), tmp_path)
    assert content.classes == {"h\u00fchner": 10, "katze": 10}
    expected, _ = read(write_folder(tmp_path / "folder", FOREIGN), tmp_path)
    np.testing.assert_array_equal(images, expected)


def test_a_tar_with_backslashes_keeps_its_classes(tmp_path):
    names = {name.replace("/", "\\"): content for name, content in FOREIGN.items()}
    assert read(write_tar(tmp_path / "a.tar", names), tmp_path)[1].classes == {"h\u00fchner": 10, "katze": 10}


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_file_that_was_added_again_to_a_tar_counts_once(mode, tmp_path):
    with tarfile.open(tmp_path / "a.tar", mode) as tar:
        for name, content in [*GOOD.items(), ("0.png", png(PIXELS[9]))]:
            add(tar, name, content)
    images, _ = read(tmp_path / "a.tar", tmp_path)
    np.testing.assert_array_equal(images, PIXELS[[9, 1, 2, 3, 4]].transpose(0, 3, 1, 2))


def bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="the system does not count what is read")
@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_in_any_order_is_read_once(mode, tmp_path):
    """What is compressed is read, what was unpacked is read back; going back would cost many times that."""
    order = np.random.default_rng(1).permutation(120)
    pictures = {f"{index:03d}.png": png(PIXELS[index % 50]) for index in order}
    archive = write_tar(tmp_path / "a.tar", pictures, mode)
    read(write_tar(tmp_path / "first.tar", GOOD, mode), tmp_path)  # imports and caches
    before = bytes_read()
    images, _ = read(archive, tmp_path)
    assert bytes_read() - before < 4 * archive.stat().st_size + 2 * images.nbytes
    np.testing.assert_array_equal(images, np.resize(PIXELS, (120, 32, 32, 3)).transpose(0, 3, 1, 2))


def test_no_room_for_what_is_unpacked_names_the_place(tmp_path):
    archive = write_tar(tmp_path / "a.tgz", {"large.txt": bytes(MIB)} | GOOD)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIB // 2, hard))
    try:
        with pytest.raises(OSError, match="TMPDIR") as caught:
            read(archive, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.errno in FULL


@pytest.mark.parametrize("more", [0, 100])
def test_a_tar_that_ends_between_its_files_is_damaged(more, tmp_path):
    """Where tarfile sees an end, as after the last file."""
    content = write_tar(tmp_path / "a.tar", GOOD, "w").read_bytes()
    with tarfile.open(tmp_path / "a.tar") as tar:
        fourth = tar.getmembers()[3].offset
    (tmp_path / "a.tar").write_bytes(content[: fourth + more])
    refused(tmp_path / "a.tar", tmp_path, "is damaged .*ends early")
    garbled = content[:fourth] + b"x" * 512 + content[fourth + 512 :]
    (tmp_path / "b.tar").write_bytes(garbled)
    refused(tmp_path / "b.tar", tmp_path, "is damaged")


@pytest.mark.parametrize(
    "content",
    [GOOD["0.png"], b"7z\xbc\xaf\x27\x1c" + bytes(600), b"a text", gzip.compress(b"a text" * 200)],
    ids=["a picture", "7z", "a text", "gzipped, no tar"],
)
def test_what_is_no_archive_is_not_called_damaged(content, tmp_path):
    (tmp_path / "other").write_bytes(content)
    refused(tmp_path / "other", tmp_path, "is neither a zip nor a tar; pack its files as one of them")


def test_a_zip_in_a_compression_that_is_not_known_is_not_called_damaged(tmp_path):
    """Windows packs large files by Deflate64."""
    archive = write_zip(tmp_path / "a.zip", GOOD, zipfile.ZIP_DEFLATED)
    content = bytearray(archive.read_bytes())
    for signature, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        start = content.find(signature)
        while start >= 0:
            content[start + place] = 9
            start = content.find(signature, start + 4)
    archive.write_bytes(content)
    refused(archive, tmp_path, "cannot be read .*pack it anew, with deflate")
