"""Data sets that are too small for a recipe: said before a training, and not guessed by the plan."""

import json
import subprocess
import sys

import numpy as np
import pytest
import yaml

from shapednoise.config.training import TrainingSettings
from shapednoise.errors import UserError
from shapednoise.workflow.costs import GPU_GUESS, Costs
from shapednoise.workflow.plan import Job, counts_of_own_pictures, remarks
from shapednoise.workflow.project import load_config
from tests.unit.data.archives import write_folder, write_tar, write_zip

PICTURES = {f"{index}.png": b"not opened" for index in range(300)} | {"readme": b""}
TINY = {
    "unet": {"channels": [8], "layers_per_block": 1, "norm_groups": 4},
    "batch_size": 20,
    "warmup_steps": 2,
}


@pytest.fixture
def mine(repository, tmp_path):
    """The papers' config with a folder of pictures whose number it does not say."""
    dataset = {"title": "Mine", "reader": "folder", "size": 32, "sources": [{"file": "my-pictures"}]}
    experiment = {"dataset": "mine", "noises": ["sdm"], "strengths": [-0.4], "seeds": "one"}
    overlay = {"data_dir": str(tmp_path), "datasets": {"mine": dataset}, "experiments": {"mine": experiment}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(overlay))
    return load_config(repository / "config.yaml", tmp_path / "mine.yaml")


def with_training(config, **changes):
    """The config, its recipe's training changed; KID on subsets of 100."""
    recipe = config.recipes["paper"]
    training = recipe.training.model_copy(update=changes)
    scoring = recipe.scoring.model_copy(update={"kid_subset_size": 100})
    recipe = recipe.model_copy(update={"training": training, "scoring": scoring})
    return config.model_copy(update={"recipes": config.recipes | {"paper": recipe}})


def training_of(costs: Costs) -> Job:
    wildcards = {"dataset": "mine", "recipe": "paper"}
    return Job("train", wildcards, costs.of("train", wildcards))


def planned(config) -> tuple[float, list[str]]:
    costs = Costs(config, GPU_GUESS, counts_of_own_pictures(config))
    job = training_of(costs)
    return job.cost.seconds, remarks([job, job], costs)


def test_a_training_within_its_warm_up_cannot_work():
    """The papers' recipe on 60 pictures: 5 steps of 500."""
    settings = TrainingSettings(**TINY | {"batch_size": 128, "warmup_steps": 500}, epochs=10)
    assert settings.steps(60) == 5
    assert settings.unfit(60, needed=1000) == (
        "the scores need 1000 images, there are 60; lower scoring.kid_subset_size (or reference_images); "
        "10 epochs of 60 images are 5 steps, no more than the warm-up; "
        "raise training.epochs to 4267 or more, or lower warmup_steps from 500"
    )
    advised = settings.model_copy(update={"epochs": 4267})
    assert advised.unfit(60) == "" and advised.steps(60) >= 4 * 500 and advised.doubts(60) == []
    assert not TrainingSettings(**TINY | {"warmup_steps": 0}, epochs=0.1).unfit(2)


def test_what_will_work_badly_is_said_in_numbers():
    settings = TrainingSettings(**TINY | {"warmup_steps": 3}, epochs=3)
    short, average = settings.doubts(60)
    assert short.startswith(
        "3 epochs of 60 images are 9 steps, few beside the warm-up; raise training.epochs to 4"
    )
    assert f"reaches back over about {10**0.75:.0f} of 9 steps" in average
    slow = settings.model_copy(update={"epochs": 1000, "ema": settings.ema.model_copy(update={"power": 1.0})})
    [average] = slow.doubts(60)
    assert "about 3001 of 3000 steps" in average
    assert not slow.model_copy(update={"ema": slow.ema.model_copy(update={"decay": 0.999})}).doubts(60)


@pytest.mark.parametrize("overlay", ["demo", "demo-sagd", "config"])
def test_the_configs_of_the_project_are_not_warned_of(repository, overlay):
    config = load_config(repository / "config.yaml", repository / f"{overlay}.yaml")
    for name, experiment in config.experiments.items():
        recipe, count = config.recipes[config.recipe_of(name)], config.images_of(experiment.dataset).images
        assert not recipe.training.unfit(count, recipe.scoring.real_images_needed())
        assert not recipe.training.doubts(count)


@pytest.mark.parametrize("write", [write_folder, write_zip])
def test_the_plan_counts_the_pictures_of_a_folder_and_of_a_zip(mine, tmp_path, write):
    write(tmp_path / "my-pictures", PICTURES)
    assert counts_of_own_pictures(mine) == {"mine": 300}
    with pytest.raises(
        UserError, match=r"recipe paper on mine: the scores need 1000 images, there are 300; .*24 st"
    ):
        planned(mine)
    long = with_training(mine, epochs=10.0, warmup_steps=10)
    seconds, notes = planned(long)
    assert seconds == pytest.approx(10 + 24 * (training_of(Costs(long, GPU_GUESS)).cost.seconds - 10) / 3907)
    assert len(notes) == 2 and all(note.startswith("warning: recipe paper on mine: ") for note in notes)
    assert "24 steps, few beside the warm-up" in notes[0] and "of 24 steps" in notes[1]


def test_the_plan_says_what_it_does_not_know_and_takes_a_manifests_word(mine, tmp_path):
    write_tar(tmp_path / "my-pictures", PICTURES)
    assert counts_of_own_pictures(mine) == {}
    _, notes = planned(with_training(mine))
    assert notes == ["mine: how many images it has is known once it was read; reckoned with 50,000"]
    write_folder(tmp_path / "mine" / "size32", {"manifest.json": b'{"images": 6400}'})
    assert Costs(mine, GPU_GUESS, {"mine": 7}).count("mine") == 6400
    _, notes = planned(with_training(mine, epochs=50.0))
    assert notes == []


def test_a_config_that_says_its_number_is_refused_at_once(repository, mine, tmp_path):
    overlay = yaml.safe_load((tmp_path / "mine.yaml").read_text())
    overlay["datasets"]["mine"]["images"] = 2000
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(overlay))
    with pytest.raises(
        UserError, match=r"recipes\.paper\.training\.epochs: mine: 10 epochs of 2000 .* 157 steps, no"
    ):
        load_config(repository / "config.yaml", tmp_path / "mine.yaml")


def test_a_folder_of_pictures_is_not_where_their_array_goes(repository, mine, tmp_path):
    overlay = (tmp_path / "mine.yaml").read_text().replace("my-pictures", "mine")
    (tmp_path / "mine.yaml").write_text(overlay)
    with pytest.raises(UserError, match=r"datasets\.mine\.sources: .*mine is where .* rename"):
        load_config(repository / "config.yaml", tmp_path / "mine.yaml")


@pytest.mark.parametrize(
    ("options", "changes", "says"),
    [
        (["--images-needed", "1000"], {}, r"the scores need 1000 images, there are 60; lower scoring"),
        ([], {"warmup_steps": 500}, r"3 epochs of 60 images are 9 steps, no more than the warm-up"),
        ([], {}, None),
    ],
    ids=["too few", "too short", "doubtful"],
)
def test_the_training_job_refuses_before_its_first_step(repository, tmp_path, options, changes, says):
    images = np.random.default_rng(0).integers(0, 256, (60, 3, 8, 8), np.uint8)
    np.save(tmp_path / "images.npy", images)
    (tmp_path / "manifest.json").write_text(json.dumps({"sha256_of_pixels": "0"}))
    (tmp_path / "pca.json").write_text(json.dumps({"axes": np.eye(3).tolist()}))
    done = subprocess.run(
        [
            *(sys.executable, "scripts/train.py", "--images", tmp_path / "images.npy", *options),
            *("--manifest", tmp_path / "manifest.json", "--pca", tmp_path / "pca.json", "--seed", "0"),
            *("--shape", '{"operator": "ddpm"}', "--training", json.dumps(TINY | {"epochs": 3} | changes)),
            *("--checkpoints", tmp_path / "checkpoints", "--output", tmp_path / "model"),
        ],
        cwd=repository, text=True, capture_output=True, check=False,
    )  # fmt: skip
    if says:
        [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert done.returncode == 2 and f"images.npy: {says}" in line and not (tmp_path / "model").exists()
    else:
        assert done.returncode == 0, done.stderr
        [doubt] = json.loads((tmp_path / "model" / "provenance.json").read_text())["warnings"]
        assert "reaches back over about 6 of 9 steps" in doubt and doubt in done.stderr
