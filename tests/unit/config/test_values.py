"""Values as people write them in YAML: paths, switches and names, and the keys in messages about them."""

import pytest
import yaml

from shapednoise.errors import ConfigError
from shapednoise.workflow.project import parse_config
from tests.unit.config.test_config import changed


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("~/sdm/", "/home/me/sdm"),
        ("$SCRATCH/sdm", "/scratch/me/sdm"),
        ("${SCRATCH}//./sdm/", "/scratch/me/sdm"),
        ("./results/x/", "results/x"),
        ("../x", "../x"),
    ],
)
def test_paths_are_expanded_and_plain(paper, monkeypatch, written, meant):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("SCRATCH", "/scratch/me")
    for key in ("results", "data_dir"):
        assert getattr(parse_config(changed(paper, key, written)), key) == meant
    for group, name in (("datasets", "celeba64"), ("extractors", "inception")):
        config = parse_config(changed(paper, f"{group}.{name}.sources", [{"file": written}]))
        assert getattr(config, group)[name].sources[0].file == meant


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("$NOWHERE/x", r"\$NOWHERE .* is not known"),
        ("${NOWHERE}/x", "is not known"),
        ("~nobody-of-this-name/x", "~nobody-of-this-name .* is not known"),
        ("./", "is no folder for outputs"),
        ("", "is no folder for outputs"),
        ("results/{x}", "without braces"),
    ],
)
def test_a_path_that_means_nothing_is_one_line(paper, monkeypatch, written, says):
    monkeypatch.delenv("NOWHERE", raising=False)
    for key in ("results", "data_dir"):
        with pytest.raises(ConfigError, match=f"^config: {key}: .*{says}.*$"):
            parse_config(changed(paper, key, written))


@pytest.mark.parametrize("word", ["on", "off"])
def test_words_that_yaml_takes_for_booleans_are_words_where_they_are_choices(paper, word):
    value = yaml.safe_load(word)
    assert value is (word == "on")
    assert parse_config(changed(paper, "engine.compile", value)).engine.compile == word
    if word == "off":
        samplers = changed(paper, "experiments.cifar10_sdm.samplers", [{"clamp": value}])
        assert parse_config(samplers).samplers_of("cifar10_sdm")[0].clamp == word
        recipe = changed(paper, "recipes.paper.sampling.clamp", value)
        assert parse_config(recipe).recipes["paper"].sampling.clamp == word
        noises = parse_config(changed(paper, "noises.powerlaw.normalize", value)).noises
        assert noises["powerlaw"].normalize == word
    assert parse_config(changed(paper, "offline", value)).offline is value
    assert parse_config(changed(paper, "keep.models", value)).keep.models is value


def test_a_word_that_is_no_choice_stays_refused(paper):
    with pytest.raises(ConfigError, match=r"^config: noises.powerlaw.normalize: .* \(it is True\)$"):
        parse_config(changed(paper, "noises.powerlaw.normalize", yaml.safe_load("on")))


def test_a_layer_may_be_written_as_a_number(paper):
    assert (
        parse_config(changed(paper, "extractors.inception.layer", 768)).extractors["inception"].layer == "768"
    )


@pytest.mark.parametrize("name", ["off", "2024"])
def test_a_name_that_yaml_does_not_read_as_text_asks_for_quotes(paper, name):
    key = yaml.safe_load(name)
    with pytest.raises(ConfigError, match=f"^config: seeds.\\w+: YAML reads this name as {key}; put it in"):
        parse_config(changed(paper, "seeds", {**paper["seeds"], key: [1]}))


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ("name", None, "name"),  # the words that the schema adds may be keys of the file, too
        ("datasets.list", {"title": "A list"}, "datasets.list.reader"),
        ("recipes.paper.scoring.reference_images", "some", "recipes.paper.scoring.reference_images"),
        ("cluster.every_job", {"int": 1.5}, "cluster.every_job.int"),
        ("noises.a-b", {"operator": "ddpm"}, "noises.a-b"),
    ],
)
def test_keys_in_messages_are_those_of_the_file(paper, path, value, key):
    with pytest.raises(ConfigError) as caught:
        parse_config(changed(paper, path, value))
    assert str(caught.value).startswith(f"config: {key}: ")


def test_of_a_union_each_member_says_what_it_wants(paper):
    with pytest.raises(ConfigError, match=r"is no whole number.*, or: write all \(it is 'some'\)") as caught:
        parse_config(changed(paper, "recipes.paper.scoring.reference_images", "some"))
    assert "more)" not in str(caught.value)  # it is one problem


def test_a_tracker_that_is_not_known_is_refused_with_the_choices(paper):
    with pytest.raises(ConfigError, match=r"^config: engine\.tracker: .* none, tensorboard, trackio, wandb "):
        parse_config(changed(paper, "engine.tracker", "comet"))
