"""A report of a bug says what is needed, and not who and where."""

import json
import os
import subprocess
import sys
from pathlib import Path

import torch


def test_the_last_run_is_reported_without_names(repository, tmp_path):
    project = tmp_path / "home" / "ada" / "clone"
    for file, text in {
        ".snakemake/log/1.log": "older",
        ".snakemake/log/2.log": f"host: box.example\ncd {project}/results && fails for ada\nadapted",
        "results/mine/logs/train/a.log": "\n".join(map(str, range(100))) + f"\n{project.parent}/secret",
        "results/mine/config.json": json.dumps({"name": "mine"}),
    }.items():
        path = project / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    os.utime(project / ".snakemake" / "log" / "1.log", (0, 0))
    names = {"HOME": str(project.parent), "LOGNAME": "ada", "HOSTNAME": "box.example"}
    command = [sys.executable, str(Path(repository, "scripts", "bug_info.py")), "--lines", "5"]
    done = subprocess.run(
        command, cwd=project, text=True, capture_output=True, check=True, env=os.environ | names
    )
    assert done.stdout.split("\n\n", 1)[1].splitlines() == [
        "last log of a run, .snakemake/log/2.log:",
        "host: HOST", "cd ./results && fails for USER", "adapted", "",
        "last log of a job, results/mine/logs/train/a.log:", "96", "97", "98", "99", "~/secret",
    ]  # fmt: skip
    assert f"torch {torch.__version__.split('+')[0]}" in done.stdout
    assert "config of the last run: mine" in done.stdout and "cores: " in done.stdout
