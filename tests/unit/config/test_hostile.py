"""Configs of others: absurd sizes and anchors end in one line; only the site says how jobs are submitted."""

import tracemalloc
from pathlib import Path

import pytest
import yaml

from shapednoise.errors import ConfigError
from shapednoise.workflow.project import (
    check_resources,
    load_config,
    load_project_config,
    parse_config,
    read_yaml,
)
from tests.unit.config.test_config import changed

TRAINING, SAMPLING = "recipes.paper.training", "recipes.paper.sampling"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (f"{TRAINING}.schedule.timesteps", 10**12),
        (f"{TRAINING}.unet.channels", [10**6] * 4),
        (f"{TRAINING}.unet.channels", [64] * 1000),
        (f"{TRAINING}.unet.layers_per_block", 10**9),
        (f"{TRAINING}.batch_size", 10**12),
        (f"{TRAINING}.epochs", 1e300),
        (f"{SAMPLING}.images", 10**12),
        ("recipes.paper.denoising", {"timesteps": 10**12}),
        (f"{SAMPLING}.seed", 10**30),
        ("recipes.paper.scoring.kid_subsets", 10**12),
        ("recipes.paper.scoring.bootstrap", 10**12),
        ("datasets.celeba64.size", 10**9),
        ("datasets.celeba64.crop", 10**9),
        ("extractors.inception.batch_size", 10**12),
        ("seeds.several", [10**400]),
        ("targets", ["x" * 10**6]),
    ],
)
def test_an_absurd_value_is_one_short_line(paper, key, value):
    with pytest.raises(ConfigError) as caught:
        parse_config(changed(paper, key, value))
    message = str(caught.value)
    assert message.startswith(f"config: {key}") and "\n" not in message and len(message) < 600


def test_more_sample_sets_than_a_plan_can_hold_are_refused_before_they_are_made(paper):
    content = changed(paper, "seeds.several", list(range(9000)))
    content = changed(content, "strengths.grid", [strength / 10 for strength in range(-10, 10)])
    tracemalloc.start()
    with pytest.raises(ConfigError, match=r"cifar10_sdm: 180,000 sample sets \(.*\), more than 50,000; take"):
        parse_config(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50 << 20


def bomb(folder: Path, first: str, others: str) -> Path:
    """A YAML file of ten lines whose anchors stand for 10^10 values."""
    lines = [f"a: &a {first}"]
    for before, name in zip("abcdefghi", "bcdefghij", strict=True):
        lines.append(f"{name}: &{name} {others.format(*[f'*{before}'] * 10)}")
    (folder / "bomb.yaml").write_text("\n".join([*lines, "targets: *j\n"]))
    return folder / "bomb.yaml"


@pytest.mark.parametrize(
    ("first", "others"),
    [
        ("[1, 1]", f"[{', '.join(['{}'] * 10)}]"),
        ("{k: 1}", f"{{{{{', '.join(f'k{i}: {{}}' for i in range(10))}}}}}"),
    ],
    ids=["lists", "mappings"],
)
def test_anchors_that_stand_for_billions_of_values_are_refused(tmp_path, repository, first, others):
    path = bomb(tmp_path, first, others)
    with pytest.raises(ConfigError, match="more than 200,000 values, its anchors written out; write fewer"):
        load_config(repository / "config.yaml", path)
    with pytest.raises(ConfigError, match="more than 200,000 values"):
        parse_config(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "a: [",
        "a: 1\nb: {c: 1, d: 2, c: 3}",
        "a: !!python/object/apply:os.getpid []",
        f"a: {'9' * 5000}",
        "- a",
    ],
)
def test_what_is_no_yaml_of_ours_is_one_line_that_names_the_file(tmp_path, text):
    (tmp_path / "overlay.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"overlay\.yaml (is no valid YAML|has no keys)") as caught:
        load_config(tmp_path / "overlay.yaml")
    assert "\n" not in str(caught.value)


def test_a_key_that_is_there_twice_is_named_with_its_line_and_merge_keys_are_none(tmp_path):
    file = tmp_path / "overlay.yaml"
    file.write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\nc: {<<: *a}\n")
    assert read_yaml(file) == {"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 2}, "c": {"x": 1, "y": 2}}
    file.write_text("strengths: {grid: [0]}\nname: mine\nstrengths: {few: [0]}\n")
    with pytest.raises(ConfigError, match=r"is no valid YAML \(line 3: strengths is there twice\)"):
        read_yaml(file)


def test_a_site_that_is_wrong_is_one_line(paper, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("site.yaml").write_text("cluster: {gpus: many}")
    with pytest.raises(ConfigError, match=r"^site\.yaml: in cluster: gpus: is no whole number"):
        check_resources(parse_config(paper))


def test_an_overlay_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match=r"overlay\.yaml cannot be read \(No such file or directory\)"):
        load_config(tmp_path / "overlay.yaml")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("slurm_extra", "; touch was-here"),
        ("slurm_extra", "--qos=a & touch was-here"),
        ("slurm_partition", "$(touch was-here)"),
        ("mem_mb_per_cpu", "1 `touch was-here`"),
        ("slurm_account", "me' --uid=root '"),
        ("qos", "a\ntouch was-here"),
        ("constraint", "a > was-here"),
        ("a; touch was-here", 1),
    ],
)
@pytest.mark.parametrize("group", ["every_job", "gpu_job"])
def test_resources_that_could_be_a_command_are_refused(paper, group, name, value):
    with pytest.raises(ConfigError, match=rf"^config: cluster\.{group}.* could be a command of the shell"):
        parse_config(changed(paper, f"cluster.{group}", {name: value}))


def test_resources_as_sites_have_them_are_taken(paper):
    site = {
        "slurm_account": "us-gpu", "slurm_partition": "a,b", "gres": "gpu:v100:1", "constraint": "[a|b]&c",
        "slurm_extra": "--qos=long --mail-user=me@site.org", "nodes": 1,
    }  # fmt: skip
    assert parse_config(changed(paper, "cluster.gpu_job", site)).cluster.gpu_job == site


def test_resources_of_an_overlay_are_refused_and_those_of_the_site_are_taken(
    tmp_path, repository, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    overlay = tmp_path / "overlay.yaml"
    for group in ("every_job", "gpu_job"):
        overlay.write_text(f"cluster: {{{group}: {{slurm_extra: --qos=mine}}}}")
        with pytest.raises(ConfigError, match=rf"cluster\.{group}: it goes to .* write it into site\.yaml$"):
            load_project_config(repository, [overlay])
    overlay.write_text("cluster: {gpus: 4}")
    assert load_project_config(repository, [overlay]).cluster.gpus == 4
    Path("site.yaml").write_text("cluster: {every_job: {slurm_account: us}}")
    config = load_project_config(repository, [overlay])
    assert config.cluster.every_job == {"slurm_account": "us"} and check_resources(config) is config
