"""Data folders that several configurations share: what is there is what a config says, or one line."""

import json
from pathlib import Path

import pytest

from shapednoise.workflow.layout import Layout
from shapednoise.workflow.pins import other_array, other_download, other_weights
from shapednoise.workflow.project import load_config

A, B = "a" * 64, "b" * 64
FILE, PINNED = {"file": "mine.zip"}, {"file": "mine.zip", "sha256": A}
ARRAY = {
    "reader": "folder", "channels": 3, "size": 32, "crop": None, "part": None, "limit": None,
    "images": 40, "sha256_of_pixels": A,
}  # fmt: skip
CORRUPTED = {"corrupts": "cifar10", "band": [0.1, 0.2], "seed": 0}


@pytest.fixture
def layout(tmp_path, repository):
    """Layouts of the project's config with an entry `mine` of its data sets or extractors."""

    def make(group: str, **entry) -> Layout:
        overlay = {"data_dir": str(tmp_path), group: {"mine": entry}}
        (tmp_path / "overlay.yaml").write_text(json.dumps(overlay))
        return Layout(load_config(repository / "config.yaml", tmp_path / "overlay.yaml"))

    return make


def record(path: Path, **content) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def one_line(found: str, path: Path, made: str, wanted: str) -> None:
    assert f"{path} was made with " in found and "\n" not in found
    assert f"{made}, the config says {wanted}; nothing was changed: give " in found
    assert f"or delete {path} and run again" in found


@pytest.mark.parametrize(
    ("made", "sources", "fits"),
    [
        ({"source": "file mine.zip", "sha256": A}, [FILE], True),
        ({"source": "file mine.zip", "sha256": A}, [PINNED], True),
        ({"source": "url http://mirror/mine.zip", "sha256": A}, [PINNED], True),  # another mirror
        ({"source": "file mine.zip", "sha256": B}, [PINNED], False),  # of the same name, not the content
        ({"source": "file /home/a/mine.zip", "sha256": B}, [FILE], False),
        ({"source": "file theirs.zip", "sha256": B}, [PINNED], False),
    ],
)
def test_what_was_fetched_for_another_source_is_refused(layout, tmp_path, made, sources, fits):
    data = layout("datasets", title="Mine", reader="folder", size=32, sources=sources)
    weights = layout("extractors", network="mine:Network", sources=sources)
    assert not other_download(data, "mine") and not other_weights(weights, "mine")  # nothing is there
    for path, found in (
        (tmp_path / "mine" / "download.json", lambda: other_download(data, "mine")),
        (tmp_path / "weights" / "mine.json", lambda: other_weights(weights, "mine")),
    ):
        record(path, **made)
        if fits:
            assert not found()
        else:
            says = "file mine.zip" if sources == [FILE] else f"sha256 {A}"
            one_line(found(), path, f"sources {made['source']}, sha256 {made['sha256']}", says)


def test_pixels_that_the_config_knows_may_come_from_anywhere(layout, tmp_path):
    mine = layout("datasets", title="Mine", reader="folder", size=32, sources=[PINNED], sha256=A)
    record(tmp_path / "mine" / "download.json", source="url http://elsewhere", sha256=B)
    assert not other_download(mine, "mine")
    record(tmp_path / "mine" / "size32" / "manifest.json", **ARRAY)
    assert not other_array(mine, "mine")
    path = tmp_path / "mine" / "size32" / "manifest.json"
    record(path, **ARRAY | {"sha256_of_pixels": B})
    one_line(other_array(mine, "mine"), path, f"datasets.mine.sha256 {B}", A)


@pytest.mark.parametrize(
    ("made", "wanted", "difference"),
    [
        ({}, {}, None),
        ({}, {"images": 40}, None),  # all that there are
        ({"limit": 40}, {"images": 40}, None),
        ({"limit": 40}, {}, ("images 40", "None")),  # there may be more
        ({}, {"images": 30}, ("images 40", "30")),
        ({"reader": "cifar"}, {}, ("reader cifar", "folder")),
        ({"crop": 16}, {}, ("crop 16", "None")),
    ],
)
def test_an_array_that_other_settings_made_is_refused(layout, tmp_path, made, wanted, difference):
    mine = layout("datasets", title="Mine", reader="folder", size=32, sources=[FILE], **wanted)
    path = tmp_path / "mine" / "size32" / "manifest.json"
    record(path, **ARRAY | made)
    if difference:
        one_line(other_array(mine, "mine"), path, *difference)
    else:
        assert not other_array(mine, "mine")
    older = ARRAY | {"images": 40}
    del older["limit"], older["reader"]
    record(path, **older)
    assert bool(other_array(mine, "mine")) == (wanted == {"images": 30})


@pytest.mark.parametrize(("name", "value"), [("band", [0.1, 0.3]), ("seed", 1), ("corrupts", "cifar100")])
def test_noise_in_another_band_is_refused(layout, tmp_path, name, value):
    path = tmp_path / "mine" / "size32" / "manifest.json"
    record(path, **CORRUPTED)
    assert not other_array(layout("datasets", **CORRUPTED), "mine")
    found = other_array(layout("datasets", **CORRUPTED | {name: value}), "mine")
    one_line(found, path, f"datasets.mine.{name} {CORRUPTED[name]}", str(value))


def test_another_network_under_the_name_of_an_extractor_is_refused(layout, tmp_path):
    path = tmp_path / "weights" / "mine.json"
    record(path, network="clip-vit-b-32", source="file mine.zip", sha256=A)
    found = other_weights(layout("extractors", network="clip-vit-b-16", sources=[FILE]), "mine")
    one_line(found, path, "extractors.mine.network clip-vit-b-32", "clip-vit-b-16")
    record(path, source="torch.hub: clip-vit-b-32", sha256=A)
    assert not other_weights(layout("extractors", network="clip-vit-b-32"), "mine")
    found = other_weights(layout("extractors", network="clip-vit-b-16"), "mine")
    one_line(found, path, "extractors.mine.source torch.hub: clip-vit-b-32", "torch.hub: clip-vit-b-16")
