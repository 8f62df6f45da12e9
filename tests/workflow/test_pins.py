"""A data folder that another configuration has filled: the plan says so and nothing is changed."""

import json

import pytest

from tests.workspace import make_workspace


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "record", "says"),
    [
        (
            "weights/random.json",
            {"source": "file other.pth", "sha256": "0" * 64},
            "extractors.random.sources file other.pth, sha256 000",
        ),
        (
            "pictures/download.json",
            {"file": "/home/a/pictures", "source": "file /home/a/pictures", "sha256": "0" * 64},
            "datasets.pictures.sources file /home/a/pictures, sha256 000",
        ),
        (
            "pictures/size16/manifest.json",
            {"size": 16, "images": 50, "limit": 50, "sha256_of_pixels": "0" * 64},
            "datasets.pictures.images 50, the config says 60",
        ),
    ],
)
def test_what_another_configuration_has_made_is_named_by_the_plan(
    tmp_path, repository, inception_weights, file, record, says
):
    fresh = make_workspace(tmp_path / "fresh", repository, inception_weights)
    path = fresh.path / "data" / file
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(record))
    done = fresh.snakemake("fig2c", "--dry-run")
    [line] = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
    assert done.returncode != 0 and f"data/{file} was made with {says}" in line
    assert json.loads(path.read_text()) == record
