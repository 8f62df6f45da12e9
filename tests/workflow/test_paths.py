"""Folders with spaces, quotes and other scripts: of the project, the work, the results and the data."""

import re
import subprocess

from tests.workspace import make_workspace

ODD = 'it\'s a "größe" $HOME & 数'


def test_every_file_and_parameter_in_a_command_is_quoted(repository):
    rules = "\n".join(file.read_text() for file in (repository / "rules").glob("*.smk"))
    commands = re.findall(r"\n    shell:\n((?:        .+\n)+)", rules)
    assert len(commands) == rules.count("    shell:\n")
    fields = re.findall(r"\{((?:input|output|log|params)\b[^}]*)\}", "".join(commands))
    assert len(fields) > 50
    names = {"params.kind", "params.subset", "params.function", "params.needed"}  # a word or a number each
    names |= {"params.spectrum", "params.strength", "params.denoising"}  # options, quoted where they are made
    assert {field for field in fields if not field.endswith(":q")} <= names


def test_a_run_from_another_folder_with_odd_names_everywhere(tmp_path, repository, inception_weights):
    """From a download to two figures. Paths of the config end in a slash and begin with ./ besides."""
    workspace = make_workspace(tmp_path / ODD / "project", repository, inception_weights)
    work = tmp_path / f"{ODD} of work"
    work.mkdir()
    (workspace.path / "data").rename(work / 'data\'s "ü"')
    workspace.set("data_dir", './data\'s "ü"/')
    workspace.set("results", './results/tiny\'s "ü"/')
    workspace.set("targets", ["figB2", "figS2"])
    arguments = ["--directory", str(work), "--snakefile", str(workspace.path / "Snakefile")]
    command = workspace.command("figB2", "figS2", *arguments)
    command[-1] = str(workspace.path / command[-1])  # the overlay
    done = subprocess.run(
        command, cwd=tmp_path, env=workspace.environment(), text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    assert "likely unintended" not in done.stdout
    made = {file.name for file in (work / "results" / 'tiny\'s "ü"' / "figures").iterdir()}
    assert made == {f"{figure}.{suffix}" for figure in ("figB2", "figS2") for suffix in ("pdf", "png")}
    assert {file.name for file in work.iterdir()} == {".snakemake", "results", 'data\'s "ü"'}
