"""Slots on GPUs: who gets which. The slots are real, taken by real processes; the GPUs are not."""

import os
import re
import stat
import tempfile
from types import SimpleNamespace

import pytest
import torch

from shapednoise.errors import UserError
from shapednoise.workflow import gpus, locks
from shapednoise.workflow.locks import claim_slot
from tests.unit.workflow.processes import processes, said

CLAIM = "say(claim_slot({names}, {slots}, path))"


@pytest.fixture
def started():
    with processes() as found:
        yield found


@pytest.fixture(autouse=True)
def no_slot_is_kept():
    """What a test takes in this process is given back."""
    yield
    while locks._held:
        locks._held.pop().release()


def claim(started, folder, names=("GPU-a", "GPU-b"), slots=2):
    return started.start(CLAIM.format(names=list(names), slots=slots), folder)


def test_processes_spread_over_the_devices_and_one_too_many_waits_for_a_killed_one(tmp_path, started):
    folder = tmp_path / "slots"
    running = []
    for expected in "0101":
        running.append(claim(started, folder))
        assert said(running[-1]) == expected
    fifth = claim(started, folder)
    line = fifth.stderr.readline().strip()
    # in the order of the slots: the first of each device, then the second of each
    assert "waiting for a GPU: all 4 slots are taken, by " in line
    assert re.findall(r"process (\d+),", line) == [str(process.pid) for process in running]
    running[3].kill()
    assert said(fifth) == "1"
    assert fifth.communicate()[1] == "", "one line"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_processes_that_start_together_get_devices_of_their_own(tmp_path, started):
    running = [claim(started, tmp_path, ["a", "b", "c"], 1) for _ in range(3)]
    assert sorted(said(process) for process in running) == ["0", "1", "2"]


def test_processes_that_see_other_devices_keep_apart_by_the_names(tmp_path):
    assert claim_slot(["a", "b"], 1, tmp_path) == 0
    assert claim_slot(["b", "a"], 1, tmp_path) == 0, "b is free"
    assert claim_slot(["a", "b", "c/d"], 1, tmp_path) == 2


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "slots"):
        with pytest.raises(UserError, match=r"cannot make .*file.*TMPDIR"):
            claim_slot(["a"], 1, folder)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_another_users_folder_is_refused(tmp_path):
    os.chown(tmp_path, 12345, -1)
    with pytest.raises(UserError, match="another user's"):
        claim_slot(["a"], 1, tmp_path)


@pytest.fixture
def two_gpus(tmp_path, monkeypatch):
    """A machine with two GPUs, as torch shows it; the list of what was made the current device."""
    current = []
    uuids = ["6d1a-a", "6d1a-b"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda i: SimpleNamespace(uuid=uuids[i]))
    monkeypatch.setattr(torch.cuda, "set_device", current.append)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(gpus, "_claimed", [])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return SimpleNamespace(current=current, folder=tmp_path / f"shapednoise-gpus-{os.getuid()}", uuids=uuids)


def test_a_process_claims_one_device_once(two_gpus, started):
    other = claim(started, two_gpus.folder, two_gpus.uuids, 1)
    assert said(other) == "0"
    second = torch.device("cuda", 1)
    assert [gpus.claim_device(), gpus.claim_device(1)] == [second, second]
    assert two_gpus.current == [second]
    assert {file.name for file in two_gpus.folder.glob("*.slot0")} == {"6d1a-a.slot0", "6d1a-b.slot0"}


def test_without_a_gpu_nothing_is_claimed(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpus.claim_device() == torch.device("cpu")
    assert not locks._held


def test_a_device_without_a_uuid_of_its_own_is_named_by_host_and_entry(two_gpus, monkeypatch):
    assert [gpus._name(0), gpus._name(1)] == two_gpus.uuids
    two_gpus.uuids[:] = ["00000000-0000", "00000000-0000"]
    names = [gpus._name(0), gpus._name(1)]
    assert [name.rpartition("-")[2] for name in names] == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1, 0")
    assert [gpus._name(1), gpus._name(0)] == names
    two_gpus.uuids[0] = "6d1a-whole"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-GPU-6d1a/1/0")
    assert gpus._name(0).endswith("-MIG-GPU-6d1a/1/0")
