"""Whatever byte of a kept array turns, and wherever its file is cut off: it is never taken for whole."""

import json

import numpy as np
import pytest

from shapednoise.errors import DamagedFile
from shapednoise.files import write_json
from shapednoise.metrics.features import read_features, write_features
from shapednoise.workflow.provenance import is_complete

ARRAYS = {"features": np.arange(24, dtype=np.float32).reshape(4, 6), "logits": np.ones((4, 2), np.float32)}
MASKS = (0x01, 0x20, 0x80, 0xFF)


def damaged_contents(content: bytes):
    """Every byte turned, in turn, and the file cut off at every seventh."""
    for place in range(len(content)):
        turned = bytearray(content)
        turned[place] ^= MASKS[place % len(MASKS)]
        yield bytes(turned)
    yield from (content[:length] for length in range(0, len(content), 7))


def same(arrays) -> bool:
    return set(arrays) == set(ARRAYS) and all(np.array_equal(arrays[name], ARRAYS[name]) for name in ARRAYS)


def test_damaged_features_are_named_or_as_written(tmp_path):
    """Some bytes of a zip file, such as its dates, mean nothing to the arrays."""
    path = tmp_path / "features.npz"
    write_features(path, ARRAYS, {"network": "n"})
    refused, whole = 0, path.read_bytes()
    for content in damaged_contents(whole):
        path.write_bytes(content)
        try:
            arrays, record = read_features(path)
        except DamagedFile as error:
            refused += 1
            assert str(error).startswith(f"{path} is damaged (")
            assert str(error).endswith("; delete it and run again")
            assert "\n" not in str(error)
        else:
            assert same(arrays) and record == {"network": "n"}
    assert refused > len(whole) // 2


@pytest.mark.parametrize("content", ["", "{", json.dumps({"fingerprint": "other"})])
def test_a_provenance_that_cannot_be_read_is_of_no_complete_result(tmp_path, content):
    path = tmp_path / "provenance.json"
    write_json(path, {"fingerprint": "f"})
    assert is_complete(path, "f")
    path.write_text(content)
    assert not is_complete(path, "f")
