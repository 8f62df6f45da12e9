"""Snakemake's own report of a finished run: one file that loads nothing, with claims, figures and tables."""

import json
import re
import zipfile

import pandas as pd


def test_a_report_has_claims_figures_samples_and_tables_in_one_file(workspace):
    workspace.run("pages")
    for file in ("report.html", "report.zip"):
        workspace.run("pages", "--report", file)
    html = (workspace.path / "report.html").read_text()
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=[\"']https?:", html)
    categories = json.loads(re.search(r"var categories = (\{.*\});", html)[1])
    assert set(categories) == {"1. Claims", "2. Figures", "3. Samples", "4. Tables"}
    assert set(categories["2. Figures"]) == {"SDM (Singh et al. 2025)", "This project"}
    figures = [file for files in categories["2. Figures"].values() for file in files]
    assert len(figures) == len(workspace.overlay["targets"])
    assert all(file.endswith(".png") for file in figures)
    assert "planned for claims: 3 seeds, 10 epochs; it decides none" in html
    results = workspace.path / "results" / "tiny"
    claims, page = pd.read_csv(results / "claims.csv"), (results / "report" / "claims.html").read_text()
    assert page.count("<tr>") == len(claims) + 1 and all(f">{name}<" in page for name in claims.id)
    with zipfile.ZipFile(workspace.path / "report.zip") as archive:
        assert "report/report.html" in archive.namelist() and archive.testzip() is None
    assert not workspace.planned("pages")
