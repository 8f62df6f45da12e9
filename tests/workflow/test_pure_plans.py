"""What only looks changes no file: dry-runs, lint, lists, reports and plans."""

import subprocess
import sys

OVERLAY = "overlay.yaml"  # each call of the workspace writes it


def tree(workspace) -> dict[str, tuple]:
    """Names, times and bytes of all files but Snakemake's own notes, compiled modules and the overlay."""
    files = {}
    for path in workspace.path.rglob("*"):
        parts = path.relative_to(workspace.path).parts
        if path.is_file() and parts[0] not in {".snakemake", OVERLAY} and "__pycache__" not in parts:
            files["/".join(parts)] = (path.stat().st_mtime_ns, path.read_bytes())
    return files


def test_looking_changes_no_file(workspace, tmp_path):
    """After an edit of the trainer and of the config, so that there is much to do."""
    workspace.edit("src/shapednoise/diffusion/training.py", "LOG_STEPS = 50", "LOG_STEPS = 51")
    workspace.set("strengths.grid", [-0.4, -0.2, 0.0, 0.4])
    before = tree(workspace)
    report = str(tmp_path / "report.zip")
    for arguments in (["--dry-run"], ["--lint"], ["--list"], ["--summary"], ["--report", report]):
        workspace.snakemake(*arguments)
    command = [sys.executable, "scripts/plan.py", "--configfile", OVERLAY]
    environment = {**workspace.environment(), "PYTHONPATH": "src"}
    subprocess.run(command, cwd=workspace.path, env=environment, check=True, capture_output=True)
    after = tree(workspace)
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == set()
