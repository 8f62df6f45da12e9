"""Which code a rule depends on."""

import pytest

from shapednoise.imports import reached_files


def reached(repository, script: str) -> set[str]:
    src = repository / "src"
    files = reached_files(repository / "scripts" / f"{script}.py", src)
    return {file.relative_to(src / "shapednoise").as_posix() for file in files[1:]}


def test_the_trainer_reaches_the_process_but_no_plotting_and_no_scores(repository):
    modules = reached(repository, "train")
    assert {"train.py", "model.py", "noise/process.py", "noise/shape.py"} <= modules
    assert not any(module.startswith(("figures", "metrics", "settings")) for module in modules)
    assert modules.isdisjoint(
        {"sample.py", "config.py", "noise/pipeline.py", "noise/schedulers.py", "noise/steps.py"}
    )


@pytest.mark.parametrize("kind", ["u_curve", "precision_recall", "sample_grids", "drift", "forward_noise"])
def test_a_figure_reaches_its_own_module_and_no_other_figures(repository, kind):
    figures = {module for module in reached(repository, f"figure_{kind}") if module.startswith("figures")}
    assert f"figures/{kind}.py" in figures
    shared = {f"figures/{module}.py" for module in ("style", "tiles", "curves")}
    assert figures <= shared | {f"figures/{kind}.py"}


def test_sampling_does_not_reach_the_trainer(repository):
    assert "train.py" not in reached(repository, "sample")


def test_imports_are_followed_through_modules(tmp_path):
    package = tmp_path / "src" / "shapednoise"
    (package / "deep").mkdir(parents=True)
    (package / "a.py").write_text("from shapednoise.deep import b\n")
    (package / "deep" / "b.py").write_text("import shapednoise.c\nimport numpy\n")
    (package / "c.py").write_text("")
    (package / "unreached.py").write_text("")
    script = tmp_path / "script.py"
    script.write_text("def main():\n    from shapednoise.a import something\n")
    names = [file.name for file in reached_files(script, tmp_path / "src")]
    assert names == ["script.py", "a.py", "c.py", "b.py"]
