"""Captions say how large a run is and whether it decides anything; pages are whole by themselves."""

from html.parser import HTMLParser

import pandas as pd
import pytest

from shapednoise.workflow.project import load_config
from shapednoise.workflow.report import figure_about, page, paper_of


@pytest.fixture(scope="module")
def paper(repository):
    return load_config(repository / "config.yaml")


@pytest.fixture(scope="module")
def demo(repository):
    return load_config(repository / "config.yaml", repository / "demo.yaml")


def test_captions_of_a_small_run_say_that_it_decides_nothing(demo, paper):
    small, large = figure_about(demo, "fig2a"), figure_about(paper, "fig2a")
    assert "Experiment cifar10_sdm: CIFAR-10, 16 x 16, seeds: 1, 256 generated images a point" in small
    assert "compared with 1024 real ones, 0.6 epochs" in small
    assert "planned for claims: 3 seeds, 10 epochs; it decides none" in small
    assert "seeds: 3, 10,000 generated images a point, compared with all real ones" in large
    assert "it decides none" not in large
    assert figure_about(demo, "figB2").endswith("No network is trained for it.")


def test_figures_are_sorted_by_paper(paper):
    papers = {name: paper_of(name).split()[0] for name in paper.figures}
    assert {name for name, found in papers.items() if found == "SAGD"} == {"figA1", "figA2", "figA3", "figO"}
    assert {papers[name] for name in ("fig1", "fig2a", "fig2f", "fig3", "figB2")} == {"SDM"}
    assert {papers[name] for name in ("figT", "figP", "figR", "figS1", "figX1")} == {"This"}


class Cells(HTMLParser):
    """The texts of the cells of a page, and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.loaded: list[str] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.inside = tag in ("td", "th")
        self.cells += [""] if self.inside else []
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


def test_a_picture_is_in_its_page():
    assert Cells(page("Title", "Said.", picture=b"\x89PNG")).loaded == ["data:image/png;base64,iVBORw=="]
