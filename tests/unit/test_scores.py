"""Scores: equal to torch-fidelity's own run on the same images, and the right way round."""

import numpy as np
import pytest
import torch
import torch_fidelity

from shapednoise.console import UserError
from shapednoise.metrics.features import extract, load_extractor
from shapednoise.metrics.scores import score
from shapednoise.settings.scoring import ScoringSettings

SETTINGS = ScoringSettings(kid_subsets=10, kid_subset_size=20, is_splits=2)


def cloud(count: int, spread: float, seed: int, centre: float = 0.0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {"features": (centre + spread * rng.normal(size=(count, 16))).astype(np.float32)}


def test_a_collapsed_generator_has_precision_but_no_recall():
    scores = score(cloud(300, 0.05, 0), cloud(300, 1.0, 1), SETTINGS)
    assert scores["precision"] > 0.95
    assert scores["recall"] < 0.05


def test_an_exploded_generator_has_recall_but_no_precision():
    scores = score(cloud(300, 4.0, 0), cloud(300, 1.0, 1), SETTINGS)
    assert scores["precision"] < 0.05
    assert scores["recall"] > 0.95


def test_identical_sets_have_no_distance():
    same = cloud(200, 1.0, 0)
    scores = score(same, same, SETTINGS)
    assert scores["fid"] == pytest.approx(0, abs=1e-3)
    assert (scores["precision"], scores["recall"], scores["f_score"]) == (1, 1, pytest.approx(1))


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
    """The same images through torch_fidelity.calculate_metrics and through our files of features."""
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
    for ours, theirs in names.items():
        assert found[ours] == pytest.approx(expected[theirs], rel=1e-3, abs=1e-6), ours
    assert found["is_missing"] is None
