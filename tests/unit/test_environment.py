"""One list of pins: the lock, the environments made of it and the bounds agree, and suffice."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement

from tests.environments import bare_environment, make_environment, pins_of
from tests.workspace import PARTS

FILES = ["shapednoise.yaml", "workflow.yaml"]
CONDA_PYTHON = {"python_version": "3.12", "python_full_version": "3.12.0"}


@pytest.fixture(scope="module")
def lock(repository) -> dict[str, str]:
    """Name to version, as on Linux with the Python of the conda environments."""
    text = (repository / "envs" / "requirements.lock").read_text()
    pins = {}
    for name, version, marker in re.findall(r"^([\w.-]+)==(\S+?)(?: ; (.+?))? \\$", text, re.MULTILINE):
        if not marker or Marker(marker).evaluate(CONDA_PYTHON):
            pins[name] = version
    return pins


@pytest.mark.parametrize("file", FILES)
def test_conda_environments_pin_what_the_lock_pins(repository, lock, file):
    path = repository / "envs" / file
    assert yaml.safe_load(path.read_text())["dependencies"][:2] == ["python=3.12", "pip"]
    pins = pins_of(path)
    assert pins == {name: lock[name] for name in pins}
    assert list(pins) == sorted(pins)


def needed_by(repository, *extras: str) -> set[str]:
    """The packages that the project with these extras names, its own extras followed."""
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    texts = project["dependencies"] + [
        text for each in extras for text in project["optional-dependencies"][each]
    ]
    wanted = [Requirement(text) for text in texts]
    own = [extra for each in wanted if each.name == "shapednoise" for extra in each.extras]
    return {each.name for each in wanted} - {"shapednoise"} | (needed_by(repository, *own) if own else set())


def test_the_two_environments_have_every_dependency_of_the_workflow(repository):
    """One has what scripts need, the other Snakemake and what starts its jobs on a cluster."""
    scripts, workflow = (pins_of(repository / "envs" / file).keys() for file in FILES)
    snakemake = {"pygments", "snakemake", "snakemake-logger-plugin-rich"}
    assert scripts == needed_by(repository, "workflow") - snakemake
    assert snakemake | needed_by(repository, "cluster") - needed_by(repository) <= workflow


def test_every_rule_with_a_command_names_the_environment_of_the_scripts(repository):
    """But `code`, which runs none."""
    rules = rules_of(repository)
    assert len(rules) > 12
    assert {name for name, text in rules.items() if "    conda:\n        ENVIRONMENT\n" not in text} == {
        "code"
    }
    common = (repository / "rules" / "common.smk").read_text()
    [file] = re.findall(r'^ENVIRONMENT = "(.+?)"', common, re.MULTILINE)
    assert (repository / "rules" / file).resolve() == repository / "envs" / "shapednoise.yaml"


def rules_of(repository) -> dict[str, str]:
    """The rules that run something: name to text."""
    found = {}
    for file in [repository / "Snakefile", *sorted((repository / "rules").glob("*.smk"))]:
        for block in re.split(r"^(?=rule )", file.read_text(), flags=re.MULTILINE)[1:]:
            if re.search(r"^    (shell|run|script|notebook|wrapper):", block, re.MULTILINE):
                found[re.match(r"rule (\w+):", block)[1]] = block
    return found


@pytest.mark.slow
def test_the_environment_of_the_scripts_suffices_for_all_code(repository, tmp_path):
    python = make_environment(tmp_path / "env", pins_of(repository / "envs" / "shapednoise.yaml"))
    files = sorted([*repository.glob("scripts/*.py"), *repository.glob("src/**/*.py")])
    assert len(files) > 50
    assert missing_imports(repository, python, files) == ""


@pytest.mark.parametrize(
    ("pin", "file"),
    [("diffusers", "scripts/train.py"), ("pyarrow", "src/shapednoise/data/parquet.py")],
)
def test_a_pin_that_is_left_out_is_noticed(repository, tmp_path, pin, file):
    """At the start of a script, and where the import waits in a function."""
    pins = pins_of(repository / "envs" / "shapednoise.yaml")
    del pins[pin]
    python = make_environment(tmp_path / "env", pins)
    assert f"No module named '{pin}'" in missing_imports(repository, python, [repository / file])


def missing_imports(repository, python: Path, files: list[Path]) -> str:
    """What files of the project import and an environment does not have, a line each."""
    program = repository / "tests" / "missing_imports.py"
    done = subprocess.run(
        [python, program, *files], cwd=repository, text=True, capture_output=True, check=False,
        env={**bare_environment(), "PYTHONPATH": "src"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_environment_of_the_workflow_suffices_to_plan_a_run_on_a_cluster(repository, tmp_path):
    pins = pins_of(repository / "envs" / "workflow.yaml")
    planned = plan(repository, make_environment(tmp_path / "env", pins), tmp_path)
    assert planned.returncode == 0 and "Job stats" in planned.stdout, planned.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pin", "said"),
    [
        ("filelock", "No module named 'filelock'"),
        ("snakemake-executor-plugin-slurm", "invalid choice: 'slurm'"),
    ],
)
def test_a_pin_of_the_workflow_that_is_left_out_is_noticed(repository, tmp_path, pin, said):
    pins = pins_of(repository / "envs" / "workflow.yaml")
    del pins[pin]
    planned = plan(repository, make_environment(tmp_path / "env", pins), tmp_path)
    assert planned.returncode != 0 and said in planned.stdout


def plan(project: Path, python: Path, folder: Path) -> subprocess.CompletedProcess:
    """A dry-run of a project's figure by the Snakemake of an environment, in an empty folder."""
    command = [python, "-m", "snakemake", "--snakefile", project / "Snakefile", "--dry-run"]
    return subprocess.run(
        [*command, "--executor", "slurm", "--jobs", "4", "fig2a"], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, env=bare_environment(),
    )  # fmt: skip


def test_the_lock_satisfies_the_bounds(repository, lock):
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert extras.pop("trackers")  # the user's choice
    for text in [*project["dependencies"], *(text for extra in extras.values() for text in extra)]:
        requirement = Requirement(text)
        if requirement.name == "shapednoise":  # its own extras
            continue
        assert requirement.specifier.contains(lock[requirement.name]), text
        assert all(bound.operator == ">=" for bound in requirement.specifier), f"{text}: lower bounds only"


def test_the_lock_names_no_hosts_and_hashes_everything(repository):
    text = (repository / "envs" / "requirements.lock").read_text()
    assert "://" not in text
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in block, block[:60]


@pytest.fixture(scope="module")
def definition(repository) -> dict[str, list[str]]:
    """The sections of the Apptainer definition, the lines of each; the header is ''."""
    text = (repository / "envs" / "shapednoise.def").read_text()
    parts = re.split(r"^%(\w+)\n", f"%\n{text}".removeprefix("%\n"), flags=re.MULTILINE)
    sections = dict(zip(["", *parts[1::2]], parts[::2], strict=True))
    return {
        name: [line.strip() for line in body.splitlines() if line.strip()] for name, body in sections.items()
    }


def test_the_image_has_the_conda_files_python_and_installs_the_lock_by_its_hashes(definition):
    assert definition[""][0] == "Bootstrap: docker"
    assert re.fullmatch(r"From: python@sha256:[0-9a-f]{64}", definition[""][1])
    assert (
        "python -m pip install --no-cache-dir --require-hashes --only-binary=:all: "
        "--no-binary=connection-pool -r envs/requirements.lock" in definition["post"]
    )
    own = [line for line in definition["post"] if "pip install" in line and "requirements.lock" not in line]
    assert own == ["python -m pip install --no-cache-dir --no-deps --no-build-isolation -e ."]
    assert not [line for lines in definition.values() for line in lines if "://" in line]
    assert {"labels", "help", "environment", "runscript", "test"} <= definition.keys()


@pytest.mark.slow
def test_the_image_holds_all_that_a_run_needs(repository, definition, tmp_path):
    """A plan is made of what is copied, by the command that the image runs."""
    image, folder = tmp_path / "image", tmp_path / "folder"
    for line in definition["files"]:
        source, target = line.split()
        copied = image / Path(target).relative_to("/")
        copied.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-fLr", source, copied], cwd=repository, check=True)
    project = image / "opt" / "shapednoise"
    assert {path.name for path in project.iterdir()} >= set(PARTS)
    folder.mkdir()
    python = make_environment(tmp_path / "env", pins_of(repository / "envs" / "workflow.yaml"))
    (tmp_path / "env" / "bin" / "snakemake").write_text(f'#!/bin/sh\nexec {python} -m snakemake "$@"\n')
    (tmp_path / "env" / "bin" / "snakemake").chmod(0o755)
    script = "\n".join(definition["runscript"]).replace("/opt/shapednoise", str(project))
    command = ["sh", "-c", script, "run", "--dry-run", "--cores", "1", "--configfile", project / "demo.yaml"]
    planned = subprocess.run(
        command, cwd=folder, text=True, capture_output=True, check=False,
        env=bare_environment() | {"PATH": f"{python.parent}:/usr/bin:/bin"},
    )  # fmt: skip
    assert planned.returncode == 0 and "Job stats" in planned.stdout + planned.stderr, planned.stderr
