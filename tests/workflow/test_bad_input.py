"""Bad input gets one clear line, an exit code that is not 0, and leaves nothing half-written."""

import os
import subprocess

import pytest

from tests.workspace import make_workspace

DRIFT = {"noise": "sdm", "strengths": [-0.4], "steps": [50]}


def error_lines(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith("error: ")]


@pytest.fixture
def fresh(tmp_path, repository, inception_weights):
    return make_workspace(tmp_path / "fresh", repository, inception_weights)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("recipes.tiny.training.batchsize", 3, "error: config: recipes.tiny.training.batchsize: unknown key"),
        ("strengths.grid", [0.40001, 0.0], "error: config: strengths.grid.0: strength 0.40001 has more than"),
        ("figures.fig2a.experiment", "cifar", "error: config: figures.fig2a.experiment: there is no 'cifar'"),
        (
            "recipes.tiny.sampling.images",
            4,
            "error: config: recipes.tiny.sampling.images: 4 images are fewer",
        ),
        ("figures.table", {"kind": "drift", **DRIFT}, "error: config: figures.table: a rule has this name"),
        ("figures.all", {"kind": "drift", **DRIFT}, "error: config: figures.all: a rule has this name"),
    ],
)
def test_a_bad_config_ends_before_any_dag_is_built(fresh, key, value, expected):
    fresh.set(key, value)
    done = fresh.snakemake("--dry-run")
    assert done.returncode != 0
    [line] = error_lines(done.stdout)
    assert line.startswith(expected)
    assert "Building DAG" not in done.stdout and "Traceback" not in done.stdout
    assert not (fresh.path / "results").exists()


def test_a_results_folder_of_another_config_is_refused(workspace):
    workspace.set("name", "other")
    workspace.set("strengths.grid", [-0.4, -0.2, 0.0])
    done = workspace.snakemake()
    assert done.returncode != 0
    [line] = error_lines(done.stdout)
    assert "results/tiny was made by configuration 'tiny', this one is 'other'" in line
    assert "give `results` in the config another folder" in line


def test_no_network_and_no_archive_lists_the_sources_and_where_to_drop_the_file(fresh):
    (fresh.path / "data" / "pictures.zip").unlink()
    sources = [{"file": "pictures.zip"}, {"url": "http://127.0.0.1:1/pictures.zip"}]
    fresh.set("datasets.pictures.sources", sources)
    done = fresh.snakemake("data/pictures/download.json")
    assert done.returncode != 0
    [line] = error_lines(done.stdout)
    for part in ("file pictures.zip", "url http://127.0.0.1:1/pictures.zip: cannot be reached",
                 "put the file at data/pictures.zip"):  # fmt: skip
        assert part in line
    assert not (fresh.path / "data" / "pictures").exists() or not list(
        (fresh.path / "data" / "pictures").iterdir()
    )


def test_a_truncated_archive_is_refused(fresh):
    archive = fresh.path / "data" / "pictures.zip"
    archive.write_bytes(archive.read_bytes()[:5000])
    done = fresh.snakemake("data/pictures/size16/images.npy")
    assert done.returncode != 0
    [line] = error_lines(done.stdout)
    assert "data/pictures.zip" in line and "run again" in line
    assert not (fresh.path / "data" / "pictures" / "size16" / "images.npy").exists()
    assert not [path for path in fresh.path.rglob("*") if "partial" in path.name]


def test_weights_of_the_wrong_checksum_are_refused(fresh):
    with open(fresh.path / "data" / "random.pth", "r+b") as file:
        file.seek(100_000)
        file.write(b"altered")
    done = fresh.snakemake("data/weights/random.pth")
    assert done.returncode != 0
    [line] = error_lines(done.stdout)
    assert "random.pth has sha256" in line and "put the file at data/random.pth" in line
    assert not (fresh.path / "data" / "weights" / "random.pth").exists()


def test_fewer_images_than_the_reference_wants_is_refused(fresh):
    fresh.set("recipes.tiny.scoring.reference_images", 61)
    done = fresh.snakemake("--dry-run")
    assert "60; lower it or write all" in error_lines(done.stdout)[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_during_sampling_leaves_nothing_and_a_rerun_finishes(workspace):
    """The samples of one point go to a file system of 4 KiB; then it is taken away again."""
    [folder] = workspace.path.glob("results/tiny/samples/pictures/sdm/s0.40/published/tiny/seed42/*")
    for file in folder.iterdir():
        file.unlink()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not allow to mount a small file system")
    try:
        done = workspace.snakemake()
        left = list(folder.iterdir())
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    assert done.returncode != 0
    [line] = error_lines(done.stdout)
    assert "No space left on device" in line and str(folder.relative_to(workspace.path)) in line
    assert not left
    workspace.run()
    assert not workspace.planned()
