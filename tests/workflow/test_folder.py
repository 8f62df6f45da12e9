"""The overlay of the documentation, as it stands there, on a folder of pictures, up to its scores."""

import json
import re

import numpy as np
import pandas as pd
import yaml

from shapednoise.workflow.project import merge
from tests.unit.data.archives import png, write_folder
from tests.workspace import make_workspace


def documented_overlay(repository) -> str:
    text = (repository / "docs" / "data.md").read_text()
    section = text.split("## Pictures of your own")[1]
    return re.search(r"```yaml\n(.*?)```", section, re.DOTALL)[1]


def pictures(count: int) -> dict[str, bytes]:
    """Pictures of two classes and of several shapes."""
    rng = np.random.default_rng(0)
    shapes = [(40 + index % 3, 44, 3) for index in range(count)]
    noise = [rng.normal(128, 40, (1, 1, 3)) + rng.normal(0, 20, shape) for shape in shapes]
    images = [png(picture.clip(0, 255).astype(np.uint8)) for picture in noise]
    return {f"{'cat' if i % 4 else 'dog'}/{i:03d}.png": image for i, image in enumerate(images)}


def test_it_brings_a_folder_to_its_scores(tmp_path, repository, inception_weights):
    text = documented_overlay(repository)
    assert len(text.splitlines()) == 8
    fresh = make_workspace(tmp_path / "fresh", repository, inception_weights)
    merge(fresh.overlay, yaml.safe_load(text))
    fresh.set("experiments.mine.strengths", [-0.4, 0.0])  # one model fewer
    write_folder(fresh.path / "data" / "my-pictures", pictures(40))
    fresh.run()

    manifest = json.loads((fresh.path / "data" / "mine" / "size32" / "manifest.json").read_text())
    assert (manifest["source"], manifest["images"]) == ("file my-pictures", 40)
    assert manifest["classes"] == {"cat": 30, "dog": 10}
    results = fresh.path / "results" / "mine"
    assert len(json.loads((results / "pca" / "mine.json").read_text())["axes"]) == 3
    table = pd.read_csv(results / "tables" / "scores.csv")
    assert sorted(table.strength) == [-0.4, 0.0] and np.isfinite(table.fid).all()
    assert (results / "figures" / "mine.pdf").stat().st_size > 1000
    assert not fresh.planned()

    fresh.set("datasets.mine.licence", "my own")
    assert fresh.planned() == {"model_card": 2}
    fresh.set("datasets.mine.crop", 36)
    planned = fresh.planned()
    assert planned["preprocess"] == planned["pca"] == 1 and planned["train"] == 2
    fresh.run("data/mine/crop36-size32/images.npy")
    assert (fresh.path / "data" / "mine" / "size32" / "images.npy").exists()


def test_more_than_there_is_ends_in_one_clear_line(tmp_path, repository, inception_weights):
    """What the config cannot know is found when the jobs run."""
    fresh = make_workspace(tmp_path / "fresh", repository, inception_weights)
    merge(fresh.overlay, yaml.safe_load(documented_overlay(repository)))
    fresh.set("recipes.tiny.scoring.reference_images", 50)
    fresh.set("figures.fig1", {"dataset": "mine", "image": 40})
    write_folder(fresh.path / "data" / "my-pictures", pictures(40))
    for target, message in (
        ("results/mine/features/data/mine/random-ref50.npz", "has 40 images, 50 are wanted"),
        ("fig1", "has 40 images, none of index 40"),
    ):
        done = fresh.snakemake(target)
        [line] = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
        assert done.returncode != 0 and message in line
