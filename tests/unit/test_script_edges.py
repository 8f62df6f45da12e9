"""Scripts with inputs at the edge: one line, an exit code that is not 0, and nothing written."""

import json
import runpy
import sys

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "none.npy", np.zeros((0, 3, 8, 8), np.uint8))
    np.save(tmp_path / "one.npy", np.zeros((1, 3, 8, 8), np.uint8))
    np.save(tmp_path / "floats.npy", np.zeros((2, 3, 8, 8), np.float32))
    np.save(tmp_path / "rows.npy", np.zeros((2, 8), np.uint8))
    frames = np.zeros((0, 1, 3, 8, 8), np.uint8)
    np.savez(tmp_path / "empty.npz", timesteps=np.zeros(0), frames=frames)
    (tmp_path / "manifest.json").write_text(json.dumps({"images": 0}))
    (tmp_path / "pca.json").write_text(json.dumps({"axes": np.eye(3).tolist()}))
    return tmp_path


PCA = "closed_form.py analysis.pca:color_pca --output out.json --inputs images="
SPECTRUM = "closed_form.py analysis.spectrum:power_spectrum --output out.npy --inputs pca=pca.json images="
CORRUPT = 'corrupt.py --settings {"corrupts":"grey","band":[0.2,0.3]} --clean-manifest manifest.json '
CORRUPT += "--images out.npy --manifest out.json --clean "
PICTURES = "pictures.py --grid out.png --strip strip.png --gif out.gif --samples "
SAMPLE = "sample.py --model . --checkpoints c --samples out.npy --trajectory t.npz --provenance p.json "
SAMPLE += '--sampler {"images":2} '


@pytest.mark.parametrize(
    ("command", "says"),
    [
        *((PCA + name, "images N x C x H x W") for name in ("none.npy", "floats.npy", "rows.npy")),
        (PCA + "one.npy", "of one and the same colour"),
        (PCA + "nowhere.npy", "there is no nowhere.npy; make it first"),
        ("closed_form.py analysis.pca:color_pca --output out.json --inputs pca=x.md", "give a file of .csv"),
        ("download.py a --output out.json --config a.yaml", "a.yaml is no .json; give the config.json"),
        (SPECTRUM + "none.npy", "images N x C x H x W"),
        *((CORRUPT + name, "images N x C x H x W") for name in ("none.npy", "floats.npy")),
        (PICTURES + "none.npy --trajectory empty.npz", "images N x C x H x W"),
        (PICTURES + "one.npy --trajectory empty.npz", "empty.npz has no frames"),
        ("table.py --output out.csv --scores manifest.json", "manifest.json holds no scores of a sample set"),
        (SAMPLE + "--batch-size 0", "'0' is no whole number of 1 or more"),
        (SAMPLE + "--threads -2", "'-2' is no whole number of 1 or more"),
        (SAMPLE, "holds no complete model"),
    ],
)
def test_edges_are_one_line(folder, repository, monkeypatch, capfd, command, says):
    script, *arguments = command.split()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(repository / "scripts" / script), run_name="__main__")
    assert ended.value.code == 2
    [line] = [line for line in capfd.readouterr().err.splitlines() if "error: " in line]
    assert says in line
    assert not list(folder.glob("out.*"))


def test_tables_tell_apart_the_baselines_of_networks_of_all_strengths(tmp_path, repository, monkeypatch):
    """At s = 0 two noises' networks are both a ddpm."""
    point = {"dataset": "a", "noise": "ddpm", "strength": 0.0, "seed": 1, "warnings": []}
    files = []
    all_strengths = [(f"{noise}/together_g", "together_g") for noise in ("sdm", "hdm")]
    for folder, network in (*all_strengths, ("ddpm/s0.00", "separate")):
        files.append(tmp_path / "scores" / "a" / folder / "scores.json")
        files[-1].parent.mkdir(parents=True)
        files[-1].write_text(json.dumps(point | {"network": network}))
    arguments = ["table.py", "--scores", *map(str, files), "--output", str(tmp_path / "table.csv")]
    monkeypatch.setattr(sys, "argv", arguments)
    runpy.run_path(str(repository / "scripts" / "table.py"), run_name="__main__")
    networks = pd.read_csv(tmp_path / "table.csv").network
    assert list(networks) == ["sdm/together_g", "hdm/together_g", "separate"]
