"""The tutorial runs, and what it shows agrees with the formulas; the API's page names what is public."""

import json
import runpy

import matplotlib.pyplot as plt
import numpy as np
import pytest

import shapednoise


@pytest.fixture(scope="module")
def notebook(repository):
    return repository / "docs" / "tutorial.ipynb"


def test_the_tutorial_is_kept_without_outputs_and_in_short_cells(notebook):
    cells = [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
    assert cells and not any(cell["outputs"] or cell["execution_count"] for cell in cells)
    assert max(len(cell["source"]) for cell in cells) <= 15


def test_the_spectrum_of_the_tutorial_is_that_of_the_studys_images(repository):
    """Its sum over frequencies is the variance of the colours but for that of the mean image (Parseval)."""
    pca = json.loads((repository / "results/reference/study/cifar10.json").read_text())
    spectrum = np.load(repository / "docs" / "tutorial_spectrum.npy")
    shares = spectrum.mean((1, 2)) / pca["eigenvalues"]
    assert spectrum.shape == (3, 16, 16) and ((shares > 0.97) & (shares < 1)).all()
    mirrored = np.roll(spectrum[:, ::-1, ::-1], 1, (1, 2))
    np.testing.assert_array_equal(spectrum, mirrored)  # as of real images


@pytest.mark.slow
def test_the_tutorial_runs_and_says_what_the_formulas_say(repository, notebook, tmp_path, monkeypatch):
    monkeypatch.chdir(notebook.parent)
    run = runpy.run_path(str(repository / "docs" / "run_notebook.py"))["run"]
    plt.figure()  # of the caller: it is none of the notebook's pictures
    variables = run(notebook, tmp_path)
    for s, measured in variables["measured"].items():
        assert measured == pytest.approx(np.exp(-2 * s), rel=0.02)
    # steps with the optimal variance lose nothing, but start from white noise and not from x_t at t = 980
    share = float((1 - variables["betas"][:981].double()).prod())
    signal = share * variables["spectrum"]
    marginal = signal + 1 - share
    expected = 1 + signal / marginal * (1 / marginal - 1)
    np.testing.assert_allclose(variables["ratio"], expected, rtol=1e-9)
    assert variables["variances"][-0.4] > variables["variances"][0.0] > variables["variances"][0.4]
    page = (tmp_path / "tutorial.md").read_text()
    pictures = sorted(path.name for path in tmp_path.glob("*.png"))
    assert len(pictures) == 5 and all(f"![]({name})" in page for name in pictures)
    assert "the formula says 7.389" in page


def test_the_page_of_the_api_names_all_that_the_package_exports(repository):
    page = (repository / "docs" / "api.md").read_text()
    assert [name for name in shapednoise.__all__ if f"[`{name}`]" not in page] == []
