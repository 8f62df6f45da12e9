"""Texts of users in figures: no mathematics in them, and letters of every script that a font has."""

import warnings

import matplotlib as mpl
import pytest
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

from shapednoise.figures.style import new_figure, save


def letters_of(family: str) -> set[str]:
    return {chr(code) for code in get_font(findfont(FontProperties(family=[family]))).get_charmap()}


@pytest.fixture
def title(tmp_path):
    """Save a figure with a title; the families of the title's font."""

    def saved(text: str) -> list[str]:
        figure, [[ax]] = new_figure(2, 2)
        ax.set_title(text, parse_math=False)
        save(figure, [tmp_path / "a.png", tmp_path / "a.pdf"])
        return ax.title.get_fontfamily()

    return saved


def test_letters_that_the_default_font_lacks_come_from_another_font(title, caplog):
    """From one that comes with matplotlib: what this system has besides is unknown."""
    letter = min(filter(str.isprintable, letters_of("STIXGeneral") - letters_of("DejaVu Sans")))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        families = title(f"A {letter}")
    assert any(letter in letters_of(family) for family in families)
    assert not caplog.records
    assert title("A") == mpl.rcParams["font.family"]


def test_letters_that_no_font_has_are_said_in_one_line(title, caplog, monkeypatch):
    default = [
        font for font in fontManager.ttflist if font.name in ("DejaVu Sans", "Last Resort High-Efficiency")
    ]
    monkeypatch.setattr(fontManager, "ttflist", default)
    with warnings.catch_warnings(record=True) as others:
        warnings.simplefilter("always")
        title("\u6570 and \u30de")
    assert not others
    [line] = caplog.messages
    assert line.startswith("no font of this system has \u30de\u6570: ")
