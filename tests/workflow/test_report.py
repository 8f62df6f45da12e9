"""Snakemake's own report of a finished run: one file that loads nothing, with claims, figures and tables."""

import json
import re
import subprocess
import sys
import zipfile

import pandas as pd
from PIL import Image

from tests.browser import found, needs_chromium

WIDTHS = (1280, 390)  # of a laptop and of a phone, in pixels
FIGURES = """
const figures = {}, app = view.eval("app"), category = "2. Figures";
for (const subcategory in view.eval("categories")[category]) {
  app.showCategory(category);
  await settled();
  app.setView({ navbarMode: "subcategory", category, subcategory });
  await settled();
  for (const row of view.document.querySelectorAll("nav tbody tr")) {
    row.querySelector("a").click();
    await settled();
    const image = view.document.querySelector(".grow img");
    while (!image.complete) await settled();
    const { left, right } = image.getBoundingClientRect();
    const visible = image.checkVisibility() && 0 <= left && left + 100 < right && right <= view.innerWidth;
    figures[row.cells[0].textContent] = [image.naturalWidth, image.naturalHeight, visible];
  }
}
const { scrollWidth, clientWidth } = view.document.documentElement;
const pane = view.document.querySelector(".grow.h-screen").offsetWidth;
return { figures, beyond: scrollWidth - clientWidth, readable: pane >= 390 };
"""
CLAIMS = """
const page = view.document, heads = [...page.querySelectorAll("th")];
page.querySelectorAll("details").forEach(each => each.open = true);
const { scrollWidth, clientWidth } = page.documentElement;
const cut = [...heads, ...page.querySelectorAll("td")].filter(cell => cell.textContent).filter(cell => {
  const { left, right } = cell.getBoundingClientRect();
  return !cell.checkVisibility() || left < 0 || right > clientWidth || cell.scrollWidth > cell.clientWidth;
});
heads[0].click();
const ids = [...page.querySelectorAll("tbody tr")].map(row => row.cells[0].textContent);
return { ids, cut: cut.map(cell => cell.textContent), beyond: scrollWidth - clientWidth };
"""


def test_a_report_has_claims_figures_samples_and_tables_in_one_file(workspace):
    workspace.run("pages")
    for file in ("report.html", "report.zip"):
        workspace.run("pages", "--report", file, "--report-stylesheet", "report/report.css")
    html = (workspace.path / "report.html").read_text()
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=[\"']https?:", html)
    categories = json.loads(re.search(r"var categories = (\{.*\});", html)[1])
    assert set(categories) == {"1. Claims", "2. Figures", "3. Samples", "4. Training and tables"}
    assert set(categories["2. Figures"]) == {"SDM (Singh et al. 2025)", "This project"}
    assert (workspace.path / "report" / "report.css").read_text() in html
    figures = [file for files in categories["2. Figures"].values() for file in files]
    assert len(figures) == len(workspace.overlay["targets"])
    assert all(file.endswith(".png") for file in figures)
    assert "planned for claims: 3 seeds, 10 epochs; it decides none" in html
    results = workspace.path / "results" / "tiny"
    claims, page = pd.read_csv(results / "claims.csv"), (results / "report" / "claims.html").read_text()
    assert page.count("<tr>") == len(claims) + 1 and all(f">{name}<" in page for name in claims.id)
    assert 'src="data:image/png;base64,' in (results / "report" / "training.html").read_text()
    with zipfile.ZipFile(workspace.path / "report.zip") as archive:
        assert "report/report.html" in archive.namelist() and archive.testzip() is None
    assert not workspace.planned("pages")


@needs_chromium
def test_a_browser_shows_the_report_at_both_widths_without_a_network(workspace):
    """There is no error and no request; all that the console says is a hint of Tailwind."""
    workspace.run("pages")
    workspace.run("pages", "--report", "report.html", "--report-stylesheet", "report/report.css")
    results = workspace.path / "results" / "tiny"
    sizes = {}
    for name in workspace.overlay["targets"]:
        with Image.open(results / "figures" / f"{name}.png") as picture:
            sizes[name] = [*picture.size, True]
    ids = list(pd.read_csv(results / "claims.csv").id)
    for width in WIDTHS:
        report, said = found(workspace.path / "report.html", width, FIGURES)
        assert [line for line in said if "tailwindcss" not in line] == []
        assert report == {"figures": sizes, "beyond": 0, "readable": True}
        claims, said = found(results / "report" / "claims.html", width, CLAIMS)
        assert said == []
        assert claims == {"ids": ids, "cut": [], "beyond": 0}


def test_a_run_ends_with_where_to_look_and_a_dry_run_does_not(repository, tmp_path):
    """One job, the digests of a stage's code, where figures and claims are there."""
    (tmp_path / "results" / "mine" / "figures").mkdir(parents=True)
    (tmp_path / "results" / "mine" / "claims.md").touch()
    (tmp_path / "Makefile").touch()
    for name, text in (("one", "name: mine"), ("two", "results: results/mine")):
        (tmp_path / f"{name}.yaml").write_text(text)

    def last_lines(*options: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--snakefile", repository / "Snakefile", "--cores", "1",
             "results/mine/code/page.json", *options, "--configfile", "one.yaml", "two.yaml"],
            cwd=tmp_path, text=True, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [
            line for line in done.stderr.splitlines() if line.startswith(("figures: ", "claims: ", "one "))
        ]

    assert last_lines("--dry-run") == []
    assert last_lines() == [
        "figures: results/mine/figures",
        "claims: results/mine/claims.md",
        "one file to mail: make report CONFIG='one.yaml two.yaml'",
    ]
