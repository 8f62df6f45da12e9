"""Captions say how large a run is and whether it decides anything; pages are whole by themselves."""

import json
import shutil
import subprocess
from html.parser import HTMLParser

import pandas as pd
import pytest

from shapednoise.workflow.layout import Layout
from shapednoise.workflow.project import load_config
from shapednoise.workflow.report import COMPARE, figure_about, in_report, page, paper_of


@pytest.fixture(scope="module")
def paper(repository):
    return load_config(repository / "config.yaml")


@pytest.fixture(scope="module")
def demo(repository):
    return load_config(repository / "config.yaml", repository / "demo.yaml")


def test_captions_of_a_small_run_say_that_it_decides_nothing(demo, paper):
    small, large = figure_about(demo, "fig2a"), figure_about(paper, "fig2a")
    assert "Experiment cifar10_sdm: CIFAR-10, 16 x 16, seeds: 1, 256 generated images a point" in small
    assert "compared with 1,024 real ones, 0.6 epochs" in small
    assert "planned for claims: 3 seeds, 10 epochs; it decides none" in small
    assert "seeds: 3, 10,000 generated images a point, compared with all real ones" in large
    assert "it decides none" not in large
    assert figure_about(demo, "figB2").endswith("No network is trained for it.")


def test_captions_name_the_score_the_noise_and_the_data(paper, repository):
    study = load_config(repository / "config.yaml", repository / "study.yaml")
    begins = {
        "fig2c": "Inception Score against the strength of SDM and HDM noise on CIFAR-10: ",
        "figA1": "FID against the strength of power law noise on Fashion-MNIST: ",
        "figX3": "FID of every sampler ",
    }
    assert all(figure_about(paper, name).startswith(text) for name, text in begins.items())
    assert figure_about(study, "figY").startswith("FID's change from s = 0")
    curves = [name for name, figure in paper.figures.items() if figure.kind == "u_curve"]
    assert not any("of SDM)" in figure_about(paper, name) for name in curves)


def test_captions_without_training_name_the_data_and_how_many_images_there_are(paper):
    parts = {name: figure_about(paper, name).split("\n\n")[1] for name in ("figT3", "figS1", "figP", "figX4")}
    assert parts["figT3"] == "Data set: CelebA-64, 162,770 images."
    assert parts["figS1"] == "Data set: CIFAR-10, 50,000 images; noise images to measure: 512."
    assert "; real images to distort: 1,000; other real images to compare them with: 4,000." in parts["figP"]
    assert "Experiment cifar10_steps" in figure_about(paper, "figX4")
    unknown = paper.datasets["celeba64"].model_copy(update={"images": None})
    assert "CelebA-64, all images." in figure_about(
        paper.model_copy(update={"datasets": {**paper.datasets, "celeba64": unknown}}), "figT3"
    )


def test_a_step_that_is_planned_for_some_claims_decides_them(repository):
    study = load_config(repository / "config.yaml", repository / "study.yaml")
    assert {each.seeds for each in study.claims.values()} == {4, 2}
    assert {each.epochs for each in study.claims.values()} == {6, 15}
    for figure in ("figY1", "figY3"):
        assert "what it decides is in the table of claims" in figure_about(study, figure)


def test_figures_are_sorted_by_paper(paper):
    papers = {name: paper_of(name).split()[0] for name in paper.figures}
    assert {name for name, found in papers.items() if found == "SAGD"} == {"figA1", "figA2", "figA3", "figO"}
    assert {papers[name] for name in ("fig1", "fig2a", "fig2f", "fig3", "figB2")} == {"SDM"}
    assert {papers[name] for name in ("figT", "figP", "figR", "figS1", "figX1")} == {"This"}


def test_of_many_sample_sets_a_report_shows_the_ends_and_zero_of_one_seed(demo, paper):
    few, many = Layout(demo), Layout(paper)
    assert few.reports_all_samples() and not many.reports_all_samples()
    assert few.grids_of_report() == few.grids()
    shown = many.grids_of_report()
    assert set(shown) < set(many.grids())
    published = "ancestral50-leading-small-published-whitened-n10000/grid.png"
    ends = [path.split("/")[-6] for path in shown if "/cifar10/sdm/" in path and path.endswith(published)]
    assert ends == ["s-1.00", "s0.40"]
    assert [path for path in shown if "/cifar10/ddpm/" in path and path.endswith(published)]
    assert not [path for path in shown if "/seed42/" not in path]


class Cells(HTMLParser):
    """The texts of the cells of a page, and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.loaded: list[str] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.cells += [""] if tag in ("td", "th") else []
        self.inside = self.inside or tag in ("td", "th")
        self.loaded += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.cells[-1] += data


def test_a_page_shows_all_cells_as_they_are_and_loads_nothing():
    table = pd.DataFrame({"a < b": ["<script>alert(1)</script>", None], "c & d": [1.5, 2]})
    found = Cells(page("Title", "Said.", table))
    assert found.cells == ["a < b", "c & d", "<script>alert(1)</script>", "1.5", "", "2.0"]
    assert not found.loaded


def test_a_long_cell_opens_on_a_click_and_has_its_whole_text():
    text = "one/two & three " * 12
    html = page("Title", "Said.", pd.DataFrame({"long": [text], "short": ["a/b"]}))
    assert Cells(html).cells == ["long", "short", text, "a/b"]
    assert html.count("<details>") == 1


@pytest.mark.skipif(not shutil.which("node"), reason="no node here to run the page's script")
def test_columns_sort_by_their_numbers_and_names_in_their_order():
    def ordered(*cells: str) -> list[str]:
        script = f"{COMPARE} console.log(JSON.stringify({json.dumps(cells)}.sort(compare)))"
        return json.loads(subprocess.run(["node", "-e", script], check=True, capture_output=True).stdout)

    assert ordered("0.4", "-0.2", "0.0", "-0.8") == ["-0.8", "-0.2", "0.0", "0.4"]
    assert ordered("0.332 [0.285, 0.383]", "0.3193 [0.271, 0.372]", "") == [
        "", "0.3193 [0.271, 0.372]", "0.332 [0.285, 0.383]",
    ]  # fmt: skip
    assert ordered("10,000", "256", "9e-05") == ["9e-05", "256", "10,000"]
    assert ordered("C10", "C2", "S1") == ["C2", "C10", "S1"]


def test_a_picture_of_samples_is_listed_by_noise_strength_and_seed(demo):
    options = in_report(Layout(demo), "samples")
    one = {
        "dataset": "fashion",
        "noise": "sdm",
        "recipe": "demo",
        "seed": "42",
        "network": "s0.20",
        "sampler": "a50",
    }
    many = {**one, "network": "together_grid", "sampler": "s-0.40/a50"}
    assert [options["labels"](each)["strength"] for each in (one, many)] == ["0.2", "-0.4"]
    assert options["subcategory"](one) == "fashion, demo, a50"
    assert options["subcategory"](many) == "fashion, demo, together_grid, a50"


def test_a_picture_is_in_its_page():
    assert Cells(page("Title", "Said.", picture=b"\x89PNG")).loaded == ["data:image/png;base64,iVBORw=="]
