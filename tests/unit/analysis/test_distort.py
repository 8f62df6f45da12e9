"""Distorted images have the variances that the theory says; the table says what each sampler does."""

import numpy as np
import pytest
import torch

from shapednoise.analysis.distort import distorted_images
from shapednoise.analysis.pca import color_pca
from shapednoise.analysis.predicted_fid import predicted_fid_table
from shapednoise.analysis.spectrum import power_spectrum
from shapednoise.analysis.theory import predict_sampler
from shapednoise.config.sampling import SamplerSettings
from shapednoise.config.training import ScheduleSettings
from shapednoise.data.images import held_out_indices, reference_indices
from shapednoise.errors import UserError

SCHEDULE = ScheduleSettings().for_diffusers()
WHITE = {"operator": "ddpm"}


@pytest.fixture(scope="module", params=[1, 3], ids=["grey", "colour"])
def images(request) -> np.ndarray:
    """Smooth random pictures far from black and white, float16, whose channels are alike: (3000, C, 8, 8)."""
    generator = torch.Generator().manual_seed(0)
    white = torch.randn(3000, 1, 8, 8, generator=generator) + 0.3 * torch.randn(
        3000, request.param, 8, 8, generator=generator
    )
    fy, fx = (torch.fft.fftfreq(8).abs(),) * 2
    smooth = torch.fft.ifft2(torch.fft.fft2(white) / (0.3 + fy[:, None] + fx)).real
    return (0.12 * smooth + 0.1).half().numpy()


@pytest.fixture(scope="module")
def facts(images) -> dict:
    pca = color_pca(images)
    return {"spectrum": power_spectrum(images, pca), "pca": pca, "schedule": SCHEDULE}


@pytest.mark.parametrize(
    "sampler", [{"steps": 5}, {"steps": 20, "variance": "fixed_large"}], ids=["attenuates", "adds noise"]
)
def test_every_mode_gets_the_variance_of_the_theory(images, facts, sampler):
    distorted = distorted_images(images, count=2000, apart_from=1000, shape=WHITE, sampler=sampler, **facts)
    assert distorted.dtype == np.uint8
    found = power_spectrum(distorted, facts["pca"])
    wanted = predict_sampler(
        facts["spectrum"], facts["pca"], WHITE, SamplerSettings(**sampler), SCHEDULE
    ).samples
    rounding = (2 / 255) ** 2 / 12
    np.testing.assert_allclose(found, wanted + rounding, rtol=6 * np.sqrt(2 / 2000))
    assert abs(wanted / facts["spectrum"] - 1).max() > 0.2


def test_the_images_are_the_same_for_every_sampler_and_none_of_the_reference(images, facts):
    as_they_are = distorted_images(images, count=500, apart_from=1000, shape=WHITE, sampler=None, **facts)
    nearly = distorted_images(
        images, count=500, apart_from=1000, shape=WHITE, sampler={"steps": 1000}, **facts
    )
    assert np.corrcoef(as_they_are.ravel(), nearly.ravel())[0, 1] > 0.99
    assert not set(held_out_indices(3000, 2000, 1000)) & set(reference_indices(3000, 1000))


def test_too_few_images_and_a_spectrum_of_another_size_are_refused(images, facts):
    few = {"count": 2500, "apart_from": 1000, "shape": WHITE, "sampler": None}
    with pytest.raises(
        UserError, match="has 3000 images, too few to keep 2500 apart from a reference of 1000"
    ):
        distorted_images(images, **few, **facts)
    other = facts | {"spectrum": facts["spectrum"][:, :4, :4]}
    with pytest.raises(UserError, match=r"spectrum is of \d x 4 x 4, the images are \d x 8 x 8"):
        distorted_images(images, **few | {"count": 10}, **other)


def test_the_table_has_scores_and_distances_the_best_first(facts):
    sampler = SamplerSettings(steps=20).in_theory()
    point = {"noise": "ddpm", "strength": 0.0, "shape": WHITE, "sampler": sampler, "fid": 9.0, "warnings": []}
    floor = {"noise": "undistorted", "strength": 0.0, "shape": WHITE, "sampler": None, "fid": 2.0}
    table = predicted_fid_table([point, floor], facts["spectrum"], facts["pca"], SCHEDULE)
    assert table.noise.tolist() == ["undistorted", "ddpm"] and table.fid.tolist() == [2.0, 9.0]
    assert table.steps[1] == 20 and np.isnan(table.kl[0])
    found = predict_sampler(facts["spectrum"], facts["pca"], WHITE, SamplerSettings(steps=20), SCHEDULE)
    assert table.kl[1] == pytest.approx(found.kl) and table.distance[1] == pytest.approx(found.distance)
