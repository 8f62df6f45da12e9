"""Which code a rule depends on."""

import pytest

from shapednoise.claims.registry import all_claims
from shapednoise.metrics.registry import METRICS
from shapednoise.workflow.code import PACKAGE, code_digests, import_closure, module_digest, modules_of


def reached(script: str) -> set[str]:
    prefix = "src/shapednoise/"
    return {file.removeprefix(prefix) for file in code_digests(script) if file.startswith(prefix)}


def test_the_trainer_reaches_the_process_but_no_plotting_and_no_scores():
    modules = reached("train")
    assert {"diffusion/training.py", "diffusion/network.py", "noise/process.py", "noise/shape.py"} <= modules
    unreached = ("figures", "metrics", "config", "workflow", "claims", "analysis", "data/sources")
    unreached += ("errors.py", "files.py", "log.py")
    assert not any(module.startswith(unreached) for module in modules)
    sampling = {"diffusion/sampling.py", "noise/pipeline.py", "noise/schedulers.py", "noise/reverse_step.py"}
    assert modules.isdisjoint(sampling)


def test_sampling_does_not_reach_the_trainer():
    assert "diffusion/training.py" not in reached("sample")


def test_imports_are_followed_through_modules(tmp_path):
    package = tmp_path / "src" / "shapednoise"
    (package / "deep").mkdir(parents=True)
    (package / "deep" / "__init__.py").write_text("")
    (package / "deep" / "a.py").write_text("from shapednoise.deep import b\n")
    (package / "deep" / "b.py").write_text("import shapednoise.wide.c\nimport numpy\n")
    (package / "wide").mkdir()
    (package / "wide" / "__init__.py").write_text("NOT_EMPTY = True\n")
    (package / "wide" / "c.py").write_text("VALUE = 1\n")
    (package / "deep" / "unreached.py").write_text("VALUE = 1\n")
    script = tmp_path / "script.py"
    script.write_text("def main():\n    from shapednoise.deep.a import something\n")
    names = [file.relative_to(tmp_path).as_posix() for file in import_closure([script], tmp_path / "src")]
    modules = ["deep/a.py", "deep/b.py", "wide/__init__.py", "wide/c.py"]
    assert names == ["script.py", *(f"src/shapednoise/{module}" for module in modules)]


SOURCE = """
def halve(x, log=None):
    return x / 2
"""
SAME = [
    '"""A module."""\n' + SOURCE,
    SOURCE.replace("return", '"""Halve a number."""\n    return'),
    SOURCE.replace("return x / 2", "return (\n        x\n        / 2  # half\n    )"),
    SOURCE.replace("return", 'log.info("halving %s", x)\n    return'),
]
OTHER = [SOURCE.replace("2", "3"), SOURCE.replace("halve", "half"), SOURCE + "\nimport numpy\n"]


@pytest.mark.parametrize("source", SAME)
def test_prose_and_formatting_change_no_digest(source):
    assert module_digest(source) == module_digest(SOURCE)


@pytest.mark.parametrize("source", OTHER)
def test_what_can_change_a_result_changes_the_digest(source):
    assert module_digest(source) != module_digest(SOURCE)


def test_messages_of_errors_and_descriptions_change_no_digest():
    one = 'if x:\n    raise ValueError(f"{x} is wrong") from None\ny = Field(1, description="a")'
    other = 'if x:\n    raise ValueError("wrong value") from None\ny = Field(1, description="b")'
    assert module_digest(one) == module_digest(other)
    assert module_digest(one) != module_digest(one.replace("ValueError", "KeyError"))
    assert module_digest(one) != module_digest(one.replace("Field(1", "Field(2"))


def test_the_modules_of_a_package_are_those_that_define_what_is_registered():
    defined = {metric.measure.__module__ for metric in METRICS.values()}
    assert {f"{PACKAGE}.{module}" for module in modules_of("metrics.measures")} == defined
    defined = {claim.decide.__module__ for claim in all_claims()}
    assert {f"{PACKAGE}.{module}" for module in modules_of("claims")} > defined


def test_a_digest_is_that_of_other_versions_of_python():
    """Their syntax trees have other fields, and unparse as other texts: results are carried between them."""
    source = """
@decorated
class Kept(dict[str, "Kept"]):
    async def call(self, first, /, *rest: int, key: str = "'", **more) -> None:
        text = f"{first!r:>{len(rest)}} {more['key']} {'nested'}" "joined"
        match rest:
            case [1, *others] if others:
                return [x for x in (*others, -1e-5, ..., None) if (y := x)]
        try:
            del self[key], text
        except* OSError as error:
            raise KeyError(f"{error}") from error
"""
    assert module_digest(source) == "7f9141a62d7750ce"
