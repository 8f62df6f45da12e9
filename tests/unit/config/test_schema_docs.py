"""config.schema.json and docs/config.md say what the config's model says, and editors can use them."""

import json
import re
import subprocess
import sys

import jsonschema
import pytest
import yaml


class YAML12(yaml.SafeLoader):
    """Numbers as editors read them: 1e-6 is one."""


YAML12.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^-?\d+(\.\d*)?e[-+]?\d+$"), [*"-0123456789"]
)


@pytest.mark.parametrize("file", ["config.schema.json", "docs/config.md"])
def test_it_is_what_the_model_makes(repository, tmp_path, file):
    (tmp_path / "docs").mkdir()
    command = [sys.executable, "scripts/config_docs.py", "--folder", tmp_path]
    subprocess.run(command, cwd=repository, check=True)
    assert (repository / file).read_text() == (tmp_path / file).read_text(), "run `make config-docs`"


@pytest.fixture
def schema(repository):
    return json.loads((repository / "config.schema.json").read_text())


def test_every_key_has_a_meaning(schema):
    groups = {"Config": schema, **schema["$defs"]}
    keys = [
        (name, key, value) for name, group in groups.items() for key, value in group["properties"].items()
    ]
    assert len(keys) > 150
    assert not [(name, key) for name, key, value in keys if not value.get("description")]


@pytest.mark.parametrize(
    ("key", "value", "wrong"),
    [
        ("engine", {"compile": "auto"}, {"compile": "sometimes"}),
        ("engine", {"checkpoint_steps": 5}, {"checkpoint_step": 5}),
        ("noises", {"mine": {"operator": "sdm"}}, {"mine": {"operator": "sdm", "eps": 0.1}}),
        (
            "figures",
            {"mine": {"kind": "drift", "noise": "sdm", "strengths": [0.1], "steps": [50]}},
            {"mine": {"kind": "d"}},
        ),
    ],
)
def test_an_editor_takes_the_config_and_marks_what_is_wrong(repository, schema, key, value, wrong):
    text = (repository / "config.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=config.schema.json\n")
    config = yaml.load(text, YAML12)
    jsonschema.validate(config | {key: value}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(config | {key: wrong}, schema)
