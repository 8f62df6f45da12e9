"""The registry of claims, and the table of their verdicts as a file and as Markdown."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from shapednoise import claims
from shapednoise.claims import registry
from shapednoise.claims.evidence import Evidence
from shapednoise.claims.registry import all_claims, claim
from shapednoise.claims.table import COLUMNS, claims_markdown, claims_table, holm
from shapednoise.claims.tiers import PAPER
from shapednoise.errors import UserError
from tests.unit.claims.synthetic import PCA, as_published, drift, scores, theory, u

NEW = """
from shapednoise.claims.registry import Finding, claim, decide_exactly
from shapednoise.claims.tiers import Tier

@claim("C13", source="another paper", statement="a", published="b", criterion="c", tiers=[Tier("mine")])
def _new(evidence):
    return Finding(decide_exactly(True), "as it is")
"""


def test_every_claim_of_the_papers_and_every_prediction_is_there_once():
    ids = [claim.id for claim in all_claims() if claim.tier is PAPER]
    assert ids == [*(f"C{n}" for n in range(1, 13)), "S1", "S2", "S3", *(f"X{n}" for n in range(6))]


def test_a_claim_is_added_by_one_function(tmp_path, monkeypatch):
    (tmp_path / "new_claims.py").write_text(NEW)
    monkeypatch.setattr(registry, "CLAIMS", {found.key: found for found in all_claims()})
    monkeypatch.setattr(claims, "__path__", [*claims.__path__, str(tmp_path)])
    table = claims_table(Evidence())
    del sys.modules["shapednoise.claims.new_claims"]
    assert table.id.tolist()[11:14] == ["C12", "C13", "S1"]
    assert table.verdict[12] == "reproduced" and table.source[12] == "another paper"
    counts = claims_markdown(table, pd.DataFrame()).split("\n\n")[1]
    assert counts == "- SDM: 12 not run\n- another paper, mine: 1 reproduced\n- SAGD: 3 not run\n" \
        "- this project: 6 not run"  # fmt: skip


def test_an_id_is_of_one_claim():
    with pytest.raises(ValueError, match="C1 is registered twice"):
        claim("C1", source="", statement="", published="", criterion="")(lambda evidence: None)


def differing(**columns) -> pd.DataFrame:
    return as_published("cifar10_sdm", **{"differs": True, **columns})


def lines_of(text: str) -> list[str]:
    """Lines without the spaces that align a table."""
    return [" ".join(line.split()) for line in text.splitlines()]


def test_the_markdown_has_every_claim_and_every_difference():
    hyperparameters = pd.concat([differing(key="training.epochs", published="10", run="0.25"),
                                 as_published("cifar10_sdm"), as_published("cifar10_sdm"),
                                 differing(run="1e-06", decides=False), differing(run="a | b")])  # fmt: skip
    tables = {"scores": scores(u(-0.4)), "hyperparameters": hyperparameters}
    evidence = Evidence({kind: {"cifar10_sdm": table} for kind, table in tables.items()} | {"pca": PCA})
    text = claims_markdown(claims_table(evidence), hyperparameters)
    lines = lines_of(text)
    assert {"- SDM: 11 not run, 1 reproduced", "- this project: 6 not run"} <= set(lines)
    for found in (each for each in all_claims() if each.tier is PAPER):
        assert any(
            line.startswith(f"| {found.id} | **") and f" | {found.statement} | {found.published} |" in line
            for line in lines
        )
        assert f"- **{found.id}** ({found.where}) {found.criterion}." in text
    assert "| cifar10_sdm | training.epochs | 10 | paper | **0.25** |" in lines
    assert "| cifar10_sdm | k | 1 | paper | **1e-06** (does not decide) |" in lines
    assert "| cifar10_sdm | k | 1 | paper | **a \\| b** |" in lines
    assert "| cifar10_sdm | the other 2 | | | as published |" in lines
    widths = {line.count("|") for line in text.split("## How")[0].splitlines() if line.startswith("|")}
    assert widths == {10}


def test_a_measured_claim_has_its_interval_and_its_counts_in_the_markdown():
    tables = {"scores": scores(u(-0.4)), "hyperparameters": as_published("cifar10_sdm")}
    evidence = Evidence({kind: {"cifar10_sdm": table} for kind, table in tables.items()})
    table = claims_table(evidence, {"every": {"seeds": 3, "epochs": 10}})
    row = table.set_index("id").loc["C2"]
    [line] = (line for line in lines_of(claims_markdown(table, pd.DataFrame())) if line.startswith("| C2 "))
    interval = f"{row.value:.3g} [{row.low:.3g}, {row.high:.3g}]"
    seeds = f"3 / 3 / {row.seeds_needed:.0f}"
    expected = f"| {row.measured} | {interval} | {row.p_holm:.2g} | 10,000 | {seeds} |"
    assert line.startswith("| C2 | **reproduced** |") and line.endswith(expected)
    assert 2 <= row.seeds_needed <= 4 and row.p == row.p_holm < 0.05  # the largest of two


def test_p_values_are_adjusted_by_holms_method():
    found = holm(pd.Series([0.04, np.nan, 0.01, 0.03, 0.6]))
    assert found.tolist() == pytest.approx([0.09, np.nan, 0.04, 0.09, 0.6], nan_ok=True)


def test_more_seeds_or_epochs_than_were_planned_are_said():
    run = as_published("cifar10_sdm", key="training.epochs", run="20.0", published="10", decides=False)
    tables = {"scores": scores(u(-0.4)), "hyperparameters": run}
    evidence = Evidence({kind: {"cifar10_sdm": table} for kind, table in tables.items()})

    def note(**plan):
        return claims_table(evidence, plan).set_index("id").note["C1"]

    assert note(every={"seeds": 3, "epochs": 20}) == ""
    assert note(every={"seeds": 3, "epochs": 10}) == "more than was planned: 20 epochs, 10 planned"
    of_one = {"every": {"seeds": 3, "epochs": 20}, "C1": {"seeds": 2, "epochs": 20}}
    assert note(**of_one) == "more than was planned: 3 seeds, 2 planned"
    with pytest.raises(UserError, match=r"claims: C77 is no claim"):
        note(C77={"seeds": 3, "epochs": 10})


def test_the_script_joins_tables_of_one_name(repository, tmp_path):
    """Of theory here: each figure has half of the steps. A null among hyperparameters stays one."""

    def write(name, table):
        table.to_csv(tmp_path / name, index=False)
        return str(tmp_path / name)

    whole = theory(-0.7, -0.4, -0.2, 0.0)["theory"]["cifar10"]
    parts = [write(f"theory{k}.csv", part) for k, part in whole.groupby(whole.steps > 100)]
    drifts = {name: [write(f"{name}.csv", part)] for name, part in drift(0.008)["drift"].items()}
    null = differing(key="noises.sdm.times", published="null", run='{"noise": "powerlaw"}')
    (tmp_path / "pca.json").write_text(json.dumps(PCA["cifar10"]))
    evidence = {
        "scores": {"cifar10_sdm": [write("scores.csv", scores(u(-0.4)).assign(warnings="Few images."))]},
        "hyperparameters": {"cifar10_sdm": [write("hyperparameters.csv", null)]},
        "theory": {"cifar10": parts},
        "drift": drifts,
        "pca": {"cifar10": [str(tmp_path / "pca.json")]},
    }
    schedule = {"timesteps": 1000, "beta_start": 1e-4, "beta_end": 0.02}
    sdm = {"operator": "sdm", "schedule": "beta", "times": None, "normalize": "off"}
    defaults = {"training": {"schedule": schedule}, "noises": {"sdm": sdm}}
    table, markdown = tmp_path / "claims.csv", tmp_path / "claims.md"
    script = [sys.executable, "scripts/claims.py", "--evidence", json.dumps(evidence),
              "--defaults", json.dumps(defaults), "--plan", "{}", "--table", table,
              "--markdown", markdown, "--models"]  # fmt: skip
    for seed, warnings in enumerate([["Too short."], ["Too short."], []]):
        model = tmp_path / f"models/mine/sdm/s-0.40/published/paper/seed{seed}/provenance.json"
        model.parent.mkdir(parents=True)
        model.write_text(json.dumps({"warnings": warnings}))
        script.append(model)
    subprocess.run(script, cwd=repository, check=True)
    found = pd.read_csv(table).set_index("id")
    assert list(found.columns) == COLUMNS[1:]
    assert found.index[found.verdict == "reproduced"].tolist() == ["C10", "C11"]
    assert found.verdict["X0"] == "holds" and pd.isna(found.p["X0"])
    notes = (
        "## Warnings\n\n- Trained on mine by recipe paper: Too short.\n- Scores of cifar10_sdm: Few images.\n"
    )
    assert markdown.read_text().endswith(notes)
    assert "published null" in found.note["C1"] and "| null " in markdown.read_text()
