"""Data sets in the config: clean, corrupted, grey, and where their arrays are."""

import pytest

from shapednoise.errors import ConfigError
from shapednoise.workflow.layout import Layout
from shapednoise.workflow.project import parse_config
from tests.unit.config.test_config import changed


def test_the_place_of_an_array_says_what_was_done_to_the_pictures(paper):
    config = parse_config(paper)
    assert Layout(config).prepared("cifar10") == "cifar10/size32"
    assert Layout(config).prepared("celeba64") == "celeba64/crop140-size64"
    assert Layout(config).prepared("mnist") == "mnist/size32-grey"
    assert Layout(config).prepared("fashion_band1") == "fashion_band1/size32-grey"
    parts = {
        Layout(parse_config(changed(paper, "datasets.celeba64.part", part))).prepared("celeba64")
        for part in ([0, 0.9], [0.9, 1.0])
    }
    assert parts == {"celeba64/crop140-size64-part0-0.9", "celeba64/crop140-size64-part0.9-1"}


def test_parts_that_differ_a_little_have_their_own_places(paper):
    places = {
        Layout(parse_config(changed(paper, "datasets.celeba64.part", [0, b]))).prepared("celeba64")
        for b in (0.5, 0.5000001, 0.50000001)
    }
    assert len(places) == 3


def test_what_follows_from_a_number_that_is_not_known_is_not_checked(paper):
    content = changed(paper, "datasets.cifar10.images", None)
    parse_config(content)
    content = changed(content, "figures.fig1.image", 10**6)
    content = changed(content, "recipes.paper.scoring.reference_images", 10**6)
    del content["experiments"]["cifar100_sdm"], content["experiments"]["celeba64_sdm"]
    for figure in ("fig2d", "fig2e"):
        del content["figures"][figure]
        content["targets"].remove(figure)
    parse_config(content)


def test_data_sets_say_their_terms_and_how_their_sources_are_verified(paper):
    """A file of the hub may change: its pixels, or its number and classes, must decide."""
    for name, settings in parse_config(paper).datasets.items():
        if name.startswith("fashion_band"):
            continue
        assert settings.licence, name
        for source in settings.sources:
            verified = settings.sha256 or (settings.images and settings.per_class)
            assert source.sha256 or verified, f"{name}: {source}"


BAND = {"title": "CIFAR-10 with noise", "corrupts": "cifar10", "band": [0.1, 0.2]}


def test_a_corrupted_data_set_is_compared_with_the_clean_one(paper):
    content = changed(paper, "datasets.cifar10_band", BAND)
    config = parse_config(changed(content, "experiments.cifar10_sdm.dataset", "cifar10_band"))
    assert (config.clean_of("cifar10_band"), config.clean_of("cifar10")) == ("cifar10", "cifar10")
    assert config.images_of("cifar10_band") is config.datasets["cifar10"]
    assert config.datasets["cifar10_band"].seed == 0
    assert {wanted.model.dataset for wanted in Layout(config).sample_sets("cifar10_sdm")} == {"cifar10_band"}
    assert parse_config(config.model_dump(mode="json")) == config  # as the snapshot of a run is read


@pytest.mark.parametrize(
    ("change", "key", "remedy"),
    [
        ({"corrupts": "cifar"}, "corrupts", "there is no 'cifar'; did you mean 'cifar10'"),
        ({"corrupts": "again"}, "corrupts", "again is corrupted itself; name a clean data set"),
        ({"corrupts": "noisy"}, "corrupts", "names itself"),
        ({"band": [0.2, 0.1]}, "noisy", "band [0.2, 0.1] is empty; write the lower frequency first"),
        ({"band": [0.2, 0.2]}, "noisy", "lower frequency first"),
        ({"band": [0.2, 0.8]}, "band.1", "must be 0.7072 or less"),
        ({"band": [-0.1, 0.8]}, "band.0", "must be 0 or more"),
        ({"band": [0.1, float("nan")]}, "band.1", "finite number"),
        ({"band": [0.1]}, "band.1", "is missing"),
        ({"band": [0.01, 0.02]}, "band", "32 x 32 images have no frequency in it; widen it"),
        ({"size": 32}, "size", "unknown key; known: band, corrupts, seed, title"),
        ({"bnad": [0.1, 0.2]}, "bnad", "did you mean 'band'"),
    ],
)
def test_a_bad_corruption_is_one_line(paper, change, key, remedy):
    content = changed(paper, "datasets.again", BAND)
    content = changed(content, "datasets.noisy", {**BAND, **change})
    with pytest.raises(ConfigError) as caught:
        parse_config(content)
    message = str(caught.value)
    assert "\n" not in message and remedy in message
    assert message.startswith("config: datasets.noisy") and key in message


def test_a_clean_data_set_without_sources_is_not_taken_for_a_corrupted_one(paper):
    with pytest.raises(ConfigError, match=r"datasets\.new\.sources: is missing; add it"):
        parse_config(
            changed(paper, "datasets.new", {"title": "N", "reader": "cifar", "images": 9, "size": 32})
        )


@pytest.mark.parametrize("noise", ["sdm", "hdm"])
def test_noises_of_colours_are_refused_on_grey_images(paper, noise):
    content = changed(paper, "experiments.cifar10_sdm.dataset", "fashion_mnist")
    content = changed(content, "experiments.cifar10_sdm.noises", ["ddpm", noise])
    message = f"experiments.cifar10_sdm.noises: {noise} squeezes a colour axis and fashion_mnist is grey; use"
    with pytest.raises(ConfigError, match=message):
        parse_config(content)
    parse_config(changed(content, "experiments.cifar10_sdm.noises", ["ddpm"]))
    with pytest.raises(ConfigError, match=r"figures.fig1.noise: sdm squeezes .* fashion_mnist is grey"):
        parse_config(changed(paper, "figures.fig1.dataset", "fashion_mnist"))


def test_what_is_omitted_is_what_is_corrupted_and_the_title_says_it(paper):
    config = parse_config(paper)
    for k in range(1, 9):
        corrupted, noise = config.datasets[f"fashion_band{k}"], config.noises[f"omit{k}"]
        assert corrupted.band == (noise.low_band[1], noise.high_band[0])
        assert corrupted.title == f"Fashion-MNIST, noise in {corrupted.band[0]}-{corrupted.band[1]}"
    named = parse_config(changed(paper, "datasets.fashion_band1.title", "Mine"))
    assert named.datasets["fashion_band1"].title == "Mine"
