"""Scores: equal to torch-fidelity's own run on the same images, and the right way round."""

import numpy as np
import pytest
import scipy.linalg
import torch
import torch_fidelity
from scipy.spatial.distance import cdist
from torch_fidelity.metric_prc import calculate_precision_recall_full

from shapednoise.config.scoring import ScoringSettings
from shapednoise.errors import UserError
from shapednoise.metrics.context import statistics
from shapednoise.metrics.extractors import load_extractor
from shapednoise.metrics.features import extract
from shapednoise.metrics.manifold import BLOCK, membership, neighbor_distances
from shapednoise.metrics.scores import score

SETTINGS = ScoringSettings(kid_subsets=10, kid_subset_size=20, is_splits=2)


def cloud(count: int, spread: float, seed: int, centre: float = 0.0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {"features": (centre + spread * rng.normal(size=(count, 16))).astype(np.float32)}


def test_a_collapsed_generator_has_precision_but_no_recall_and_no_coverage():
    scores = score(cloud(300, 0.05, 0), cloud(300, 1.0, 1), SETTINGS)
    assert scores["precision"] > 0.95 and scores["density"] > 0.95
    assert scores["recall"] < 0.05 and scores["coverage"] < 0.5


def test_an_exploded_generator_has_recall_but_no_precision():
    scores = score(cloud(300, 4.0, 0), cloud(300, 1.0, 1), SETTINGS)
    assert scores["precision"] < 0.05 and scores["density"] < 0.05
    assert scores["recall"] > 0.95


def test_identical_sets_have_no_distance():
    same = cloud(200, 1.0, 0)
    scores = score(same, same, SETTINGS)
    assert scores["fid"] == pytest.approx(0, abs=1e-3)
    assert (scores["precision"], scores["recall"], scores["f_score"]) == (1, 1, pytest.approx(1))
    assert (scores["density"], scores["coverage"]) == (pytest.approx(1, abs=0.02), 1)


def test_the_generated_set_comes_first():
    """Exchanged sets exchange precision and recall; what has a real set only changes."""
    one, other = cloud(300, 1.0, 0), cloud(250, 1.3, 1, centre=0.5)
    scores, exchanged = score(one, other, SETTINGS), score(other, one, SETTINGS)
    assert scores["precision"] != scores["recall"]
    assert (scores["precision"], scores["recall"]) == (exchanged["recall"], exchanged["precision"])
    assert scores["fid"] == pytest.approx(exchanged["fid"], rel=1e-6)
    assert scores["density"] != pytest.approx(exchanged["density"], rel=0.1)


def test_duplicates_among_the_generated_images_do_not_help():
    """Images that are repeated leave precision where it was; recall and coverage do not grow."""
    generated, real = cloud(300, 1.0, 0), cloud(300, 1.0, 1)
    few = {"features": generated["features"][:100]}
    repeated = {"features": np.tile(few["features"], (5, 1))}
    once, often = score(few, real, SETTINGS), score(repeated, real, SETTINGS)
    assert often["precision"] == pytest.approx(once["precision"], abs=1e-6)
    assert often["density"] == pytest.approx(once["density"], abs=1e-6)
    assert often["coverage"] == pytest.approx(once["coverage"], abs=1e-6)
    assert often["recall"] <= once["recall"]  # the balls around repeated images have radius 0
    values = [value for value in often.values() if isinstance(value, float)]
    assert np.isfinite(values).all()


def test_fid_is_that_of_an_independent_formula():
    generated, real = cloud(400, 1.2, 0, centre=0.3), cloud(500, 1.0, 1)
    expected = frechet_distance(generated["features"], real["features"])
    assert score(generated, real, SETTINGS)["fid"] == pytest.approx(expected, rel=1e-6)


def frechet_distance(one: np.ndarray, other: np.ndarray) -> float:
    """FID by scipy's matrix root, as the first implementations compute it."""
    one, other = one.astype(np.float64), other.astype(np.float64)
    difference = one.mean(0) - other.mean(0)
    first, second = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second).real
    return float(difference @ difference + np.trace(first) + np.trace(second) - 2 * np.trace(root))


def test_statistics_are_numpys_in_float64():
    features = cloud(5000, 1.0, 0, centre=30.0)["features"]
    found = statistics(features)
    np.testing.assert_allclose(found["mu"], features.astype(np.float64).mean(0), rtol=1e-12)
    np.testing.assert_allclose(found["sigma"], np.cov(features, rowvar=False), rtol=1e-9, atol=1e-12)


def test_few_images_are_warned_about():
    few, many = cloud(2047, 1.0, 0), cloud(2048, 1.0, 1)
    settings = SETTINGS.model_copy(update={"bootstrap": 0})
    [warning] = score(few, many, settings)["warnings"]
    assert "only 2047 generated images" in warning and "biased upward" in warning
    [warning] = score(many, few, settings)["warnings"]
    assert "only 2047 real images" in warning
    assert score(many, many, settings)["warnings"] == []
    wide = {"features": np.random.default_rng(0).normal(size=(40, 50)).astype(np.float32)}
    assert "covariance is singular" in " ".join(score(wide, wide, settings)["warnings"])


def test_features_of_two_extractors_are_refused():
    with pytest.raises(UserError, match="have 8 features, the real ones 9; extract both with one"):
        score(
            {"features": np.ones((50, 8), np.float32)}, {"features": np.ones((50, 9), np.float32)}, SETTINGS
        )


def test_features_that_are_not_finite_are_refused():
    broken = cloud(50, 1, 0)
    broken["features"][3, 3] = np.nan
    with pytest.raises(UserError, match="features of the generated images are not finite"):
        score(broken, cloud(50, 1, 1), SETTINGS)


@pytest.fixture(scope="module")
def two_sets() -> tuple[np.ndarray, np.ndarray]:
    """Generated and real features; the real ones are more than one block of distances."""
    return cloud(230, 1.2, 0)["features"], cloud(BLOCK + 120, 1.0, 1)["features"]


def test_density_and_coverage_are_those_of_all_pairs(two_sets):
    """Against the formulas of the paper on whole matrices of distances."""
    generated, real = two_sets
    radii = np.sort(cdist(real, real), axis=1)[:, 5]
    inside = cdist(real, generated) < radii[:, None]
    found = membership(generated, real, neighbor_distances(real), 3, 5)
    np.testing.assert_allclose(found.dense, inside.sum(0) / 5)
    np.testing.assert_array_equal(found.covered, inside.any(1))
    assert 0.2 < found.covered.mean() < 0.9


@pytest.mark.parametrize("neighbors", [1, 3, 10])
def test_precision_and_recall_are_torch_fidelitys(two_sets, neighbors):
    generated, real = two_sets
    found = membership(generated, real, neighbor_distances(real), neighbors, 5)
    expected = calculate_precision_recall_full(*map(torch.from_numpy, two_sets), neighbors)
    assert (found.precise.mean(), found.recalled.mean()) == pytest.approx(expected, abs=1e-6)
    assert 0.1 < expected[0] < 1 and 0.1 < expected[1] < 1


@pytest.mark.parametrize("centre", [1000.0, 10_000.0])
def test_features_far_from_the_origin_have_the_scores_of_their_distances(centre):
    """Against distances in float64: scipy subtracts before it squares."""
    features = (cloud(400, 1.0, 0, centre)["features"], cloud(500, 1.1, 1, centre)["features"])
    generated, real = (each.astype(np.float64) for each in features)
    among, own = (np.sort(cdist(each, each), axis=1) for each in (real, generated))
    distances = cdist(real, generated)
    found = membership(*features, neighbor_distances(features[1]), 3, 5)
    np.testing.assert_array_equal(found.precise, (distances <= among[:, 3, None]).any(0))
    np.testing.assert_array_equal(found.recalled, (distances <= own[:, 3]).any(1))
    np.testing.assert_allclose(found.dense, (distances < among[:, 5, None]).sum(0) / 5)
    np.testing.assert_array_equal(found.covered, (distances < among[:, 5, None]).any(1))


def test_neighbours_are_the_nearest_others(two_sets):
    _, real = two_sets
    found = neighbor_distances(real)
    np.testing.assert_allclose(found, np.sort(cdist(real, real), axis=1)[:, 1:21], rtol=1e-3)
    assert neighbor_distances(real[:4]).shape == (4, 3)


def test_neighbours_that_are_handed_over_change_no_score(two_sets):
    generated, real = ({"features": features} for features in two_sets)
    with_neighbors = real | {"neighbors": neighbor_distances(real["features"])}
    assert score(generated, with_neighbors, SETTINGS) == score(generated, real, SETTINGS)


def test_too_few_images_are_refused_with_the_remedy():
    with pytest.raises(UserError, match="19 generated images, the scores need 20; raise"):
        score(cloud(19, 1, 0), cloud(40, 1, 1), SETTINGS)
    with pytest.raises(UserError, match="19 real images"):
        score(cloud(40, 1, 0), cloud(19, 1, 1), SETTINGS)


def test_without_the_classification_layer_there_is_no_inception_score():
    scores = score(cloud(50, 1, 0), cloud(50, 1, 1), SETTINGS)
    assert scores["is"] is None and scores["is_std"] is None
    assert "classification layer" in scores["is_missing"]


class Images(torch.utils.data.Dataset):
    def __init__(self, images: np.ndarray) -> None:
        self.images = torch.from_numpy(images)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.images[index]


def test_grey_and_float16_images_have_the_features_of_their_8_bit_colours(inception_weights):
    extractor = load_extractor(inception_weights, torch.device("cpu"))
    grey = np.random.default_rng(0).integers(0, 256, (3, 1, 32, 32), np.uint8)
    scaled = (grey / 127.5 - 1).astype(np.float16)
    scaled[0, 0, 0, 0], grey[0, 0, 0, 0] = 1.7, 255  # beyond the scale: clamped
    found = [extract(extractor, images, np.arange(3), 2) for images in (grey, scaled, np.repeat(grey, 3, 1))]
    assert found[0]["features"].shape == (3, 2048)
    for other in found[1:]:
        np.testing.assert_array_equal(found[0]["features"], other["features"])


@pytest.mark.slow
def test_all_scores_equal_torch_fidelitys_own(inception_weights):
    """The same images through torch_fidelity.calculate_metrics and through files of features."""
    rng = np.random.default_rng(0)
    generated = rng.integers(0, 200, (24, 3, 32, 32), np.uint8)
    real = rng.integers(0, 256, (30, 3, 32, 32), np.uint8)
    expected = torch_fidelity.calculate_metrics(
        input1=Images(generated), input2=Images(real), cuda=False, batch_size=8,
        fid=True, kid=True, isc=True, prc=True, kid_subsets=10, kid_subset_size=20, isc_splits=2,
        feature_extractor_weights_path=str(inception_weights), cache=False, verbose=False,
        feature_extractor="inception-v3-compat", feature_layer_prc="2048",
    )  # fmt: skip
    extractor = load_extractor(inception_weights, torch.device("cpu"))
    features = [extract(extractor, images, np.arange(len(images)), 7) for images in (generated, real)]
    found = score(*features, SETTINGS)
    names = {
        "fid": "frechet_inception_distance",
        "kid": "kernel_inception_distance_mean",
        "kid_std": "kernel_inception_distance_std",
        "is": "inception_score_mean",
        "is_std": "inception_score_std",
        "precision": "precision",
        "recall": "recall",
        "f_score": "f_score",
    }
    for name, key in names.items():
        assert found[name] == pytest.approx(expected[key], rel=1e-3, abs=1e-6), name
    assert found["is_missing"] is None
