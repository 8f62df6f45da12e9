"""Outputs appear whole or not at all."""

import errno
import os
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from safetensors import SafetensorError

from shapednoise.errors import DamagedFile, cannot_write
from shapednoise.files import (
    atomic_directory,
    atomic_path,
    growing_array,
    new_array,
    read_json,
    reserve_array,
    sha256_of_json,
    write_json,
)


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert read_json(path) == {"old": 1}
    assert names(tmp_path) == ["a.json"]


def test_not_a_number_is_refused(tmp_path):
    with pytest.raises(ValueError):
        write_json(tmp_path / "a.json", {"fid": float("nan")})
    assert not names(tmp_path)


def test_a_directory_appears_when_it_is_complete(tmp_path):
    target = tmp_path / "model"
    with pytest.raises(RuntimeError), atomic_directory(target, last="index") as folder:
        (folder / "index").write_text("x")
        raise RuntimeError
    assert not list(target.iterdir())
    with atomic_directory(target, last="index") as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "weights").write_text("w")
        (folder / "index").write_text("x")
        assert not list(target.iterdir())
    assert (target / "sub" / "weights").read_text() == "w"
    assert names(tmp_path) == ["model"]


def test_new_array_is_a_npy_file(tmp_path):
    expected = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    with new_array(tmp_path / "a.npy", (2, 3, 4), "uint8") as array:
        array[:] = expected
        assert not (tmp_path / "a.npy").exists()
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), expected)


def test_an_array_grows_block_by_block(tmp_path):
    expected = np.arange(240, dtype=np.uint8).reshape(20, 3, 4)
    with growing_array(tmp_path / "a.npy", (3, 4), "uint8") as append:
        for start in range(0, 20, 7):
            append(expected[start : start + 7])
        assert not (tmp_path / "a.npy").exists()
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy", mmap_mode="r"), expected)
    with pytest.raises(RuntimeError), growing_array(tmp_path / "b.npy", (3, 4), "uint8") as append:
        append(expected)
        raise RuntimeError
    assert names(tmp_path) == ["a.npy"]


@pytest.mark.parametrize(
    "write",
    [
        "with new_array(path, (1 << 20,), 'uint8') as array: array[:] = 1",
        "ResumableArrays(1 << 20, path.parent).append({'samples': np.ones(1, 'uint8')})",
        "with growing_array(path, (), 'uint8') as append: append(np.ones(1 << 20, 'uint8'))",
        "with growing_array(path, (), 'uint8') as append: [append(np.ones(999, 'uint8')) for _ in range(99)]",
    ],
)
def test_a_full_disk_is_said_in_one_line(tmp_path, write):
    """A limit on the size of files stands for the full disk; the error path is the same."""
    program = (
        "import resource, sys\n"
        "from shapednoise.workflow.cli import run\n"
        "import numpy as np\n"
        "from pathlib import Path\n"
        "from shapednoise.files import growing_array, new_array\n"
        "from shapednoise.resumable import ResumableArrays\n"
        f"path = Path({str(tmp_path / 'samples.npy')!r})\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))\n"
        "def main():\n"
        f"    {write}\n"
        "run(main)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert str(tmp_path / "samples.npy") in done.stderr
    assert os.strerror(errno.EFBIG) in done.stderr
    assert not names(tmp_path)


def test_digest_of_json_does_not_depend_on_the_order_of_keys():
    assert sha256_of_json({"a": 1, "b": [2]}) == sha256_of_json({"b": [2], "a": 1})
    assert sha256_of_json({"a": 1}) != sha256_of_json({"a": 2})


def test_a_directory_replaces_what_a_killed_process_left_of_it_and_nothing_else(tmp_path):
    others = [tmp_path / name for name in (".partial-seed42", ".partial-seed4.npy")]
    for folder in (*others, tmp_path / ".partial-seed4"):
        (folder / "unet").mkdir(parents=True)
    with atomic_directory(tmp_path / "seed4", last="index") as folder:
        assert not list(folder.iterdir())
    assert sorted(tmp_path.iterdir()) == sorted([*others, tmp_path / "seed4"])


def test_a_folder_that_is_replaced_is_never_a_mixture_that_looks_complete(tmp_path, monkeypatch):
    def write(content: str) -> None:
        with atomic_directory(tmp_path / "model", last="index") as folder:
            for name in ("a", "b", "index"):
                (folder / name).write_text(content)

    write("old")
    replace = Path.replace
    answers = iter([replace])  # the process is killed at the second move

    def killed(self, other):
        try:
            return next(answers)(self, other)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write("new")
    assert [(tmp_path / "model" / name).read_text() for name in ("a", "b")] == ["new", "old"]
    assert not (tmp_path / "model" / "index").exists()


@pytest.mark.parametrize("kind", [atomic_path, partial(atomic_directory, last="index")])
@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EROFS, os.strerror(errno.EROFS), "TEMPORARY"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_what_cannot_be_written_is_named_by_its_own_name(tmp_path, kind, error):
    with pytest.raises(OSError) as caught, kind(tmp_path / "result") as temporary:
        if getattr(error, "filename", None):
            error.filename = str(temporary)
        raise error
    assert caught.value.filename == str(tmp_path / "result")
    assert caught.value.errno in (errno.ENOSPC, errno.EROFS)


def test_an_error_of_another_file_is_left_as_it_is(tmp_path):
    with pytest.raises(PermissionError) as caught, atomic_path(tmp_path / "result"):
        raise PermissionError(errno.EACCES, "no", "input")
    assert caught.value.filename == "input"
    with pytest.raises(ValueError), atomic_path(tmp_path / "result"):
        raise ValueError("os error")


def test_a_write_removes_what_a_killed_one_left_on_this_machine(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    here = socket.gethostname()
    killed, alive, elsewhere = (
        tmp_path / f".{process}.{host}.partial.00000000.a.json"
        for process, host in ((ended.pid, here), (os.getppid(), here), (ended.pid, "else.where"))
    )
    for path in (killed, alive, elsewhere):
        path.touch()
    write_json(tmp_path / "a.json", 1)
    assert names(tmp_path) == sorted([alive.name, elsewhere.name, "a.json"])


def test_damaged_json_is_named(tmp_path):
    (tmp_path / "a.json").write_text('{"half": ')
    with pytest.raises(DamagedFile, match=r"a\.json is damaged .*; delete it and run again"):
        read_json(tmp_path / "a.json")


def test_no_link_can_be_planted_where_a_file_is_written(tmp_path):
    """The names of temporary files are not known beforehand, and what lies at the destination is replaced."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    here = f".{os.getpid()}.{socket.gethostname()}.partial"
    for name in ("a.json", f"{here}.a.json", f"{here}.b.npy"):
        (tmp_path / name).symlink_to(victim)
    write_json(tmp_path / "a.json", 1)
    with new_array(tmp_path / "b.npy", (2,), "uint8") as array:
        array[:] = 1
    assert victim.read_text() == "mine" and not (tmp_path / "a.json").is_symlink()
    (tmp_path / "c.npy").symlink_to(victim)
    with pytest.raises(OSError) as caught:
        reserve_array(tmp_path / "c.npy", (2,), "uint8")
    assert "remove this link" in cannot_write(caught.value) and victim.read_text() == "mine"
