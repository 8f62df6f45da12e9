"""Write config.schema.json, which editors check config.yaml by, and docs/config.md, of the config's model."""

import argparse
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from shapednoise.config.load import json_schema
from shapednoise.files import write_text
from shapednoise.workflow.cli import run
from shapednoise.workflow.project import FIGURE_KINDS

INTRODUCTION = f"""# Every key of the config

Made from the model in `src/shapednoise/config` by `make config-docs`, as is `config.schema.json`, by which an
editor with YAML's language server checks and completes [config.yaml](../config.yaml) as you type. Snakemake
checks more: names that nothing defines, and what does not fit together.

NAME is a name of your own, `[]` an entry of a list; "see there" is the default of each key of that group. The
{len(FIGURE_KINDS)} kinds of figures and the operators of noises are told apart by `kind` and `operator`.
"""
BOUNDS = {"minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "exclusiveMaximum": "< {}"}
TYPES = {
    "string": "text",
    "number": "number",
    "integer": "whole number",
    "boolean": "`true` or `false`",
    "null": "`null`",
}
TELLS_APART = ("kind", "operator")
Schema = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(), help="the project's folder")
    folder = parser.parse_args().folder
    schema = without_titles(json_schema())
    write_text(folder / "config.schema.json", json.dumps(schema, indent=1) + "\n")
    write_text(folder / "docs" / "config.md", markdown(schema))


def without_titles(schema: Any) -> Any:
    """The schema without the titles that only repeat the names of keys."""
    if isinstance(schema, list):
        return [without_titles(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: without_titles(value)
        for key, value in schema.items()
        if key != "title" or not isinstance(value, str)
    }


def markdown(schema: Schema) -> str:
    """One section a group of settings, in the order of the config, each followed by those that it holds."""
    places: dict[str, list[str]] = {}

    def visit(place: str, group: Schema) -> None:
        for key in group["properties"].items():
            for name, reached in references(place, *key):
                known = name in places
                places.setdefault(name, []).append(reached)
                if not known:
                    visit(reached, schema["$defs"][name])

    visit("", schema)
    sections = [INTRODUCTION, table(schema)]
    for name, found in places.items():
        group = schema["$defs"][name]
        where = ", ".join(f"`{place}`" for place in dict.fromkeys(found))
        sections += [f"## {heading(name)}\n\n{where}: {group['description']}\n", table(group)]
    return "\n".join(sections)


def references(place: str, key: str, value: Schema) -> Iterator[tuple[str, str]]:
    """The groups of settings that a key's value may be, each with its place in the config."""
    here = f"{place}.{key}" if place and key else place + key
    if "$ref" in value:
        yield value["$ref"].rpartition("/")[2], here
    for each in [*value.get("oneOf", []), *value.get("anyOf", [])]:
        yield from references(here, "", each)
    if isinstance(value.get("additionalProperties"), dict):
        yield from references(f"{here}.NAME", "", value["additionalProperties"])
    if "items" in value:
        yield from references(f"{here}[]", "", value["items"])


def table(group: Schema) -> str:
    """The keys of a group of settings."""
    rows = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    keys = group.get("properties", {})
    for key, value in sorted(keys.items(), key=lambda item: item[0] not in TELLS_APART):
        default = "required" if key in group.get("required", []) else shown(value.get("default"))
        cells = [f"`{key}`", type_of(value), default, value.get("description", "")]
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows) + "\n"


def shown(default: Any) -> str:
    """A default as YAML has it; those of a group of settings stand in its own section."""
    return "see there" if isinstance(default, dict) and default else f"`{json.dumps(default)}`"


def type_of(value: Schema) -> str:
    """What a value may be, in words."""
    kind = value.get("type")
    if "$ref" in value:
        name = heading(value["$ref"].rpartition("/")[2])
        words = f"[{name}](#{name.lower()})"
    elif options := value.get("oneOf") or value.get("anyOf"):
        words = " or ".join(dict.fromkeys(map(type_of, options)))
    elif "enum" in value or "const" in value:
        words = " or ".join(f"`{each}`" for each in value.get("enum", [value.get("const")]))
    elif "prefixItems" in value:
        words = f"[{', '.join(map(type_of, value['prefixItems']))}]"
    elif kind == "array":
        words = re.sub("^(text|number|whole number)", r"\1s", type_of(value["items"]))
        words = f"list of {words}"
    elif kind == "object":
        inner = value.get("additionalProperties")
        words = f"NAME: {type_of(inner)}" if isinstance(inner, dict) else "keys and values"
    else:
        limits = {bound: value[bound] for bound in BOUNDS if bound in value}
        bounds = " and ".join(BOUNDS[bound].format(plain(limit)) for bound, limit in limits.items())
        words = f"{TYPES[kind]} {bounds}".strip()
    return words


def plain(limit: float) -> str:
    """A bound as one writes it."""
    return "2^63" if limit == 2**63 else str(int(limit) if limit == int(limit) else limit)


def heading(name: str) -> str:
    """A group of settings as its section is called: by its `kind` or `operator`, where it has one."""
    keys = groups()[name].get("properties", {})
    told = [keys[key]["const"] for key in TELLS_APART if "const" in keys.get(key, {})]
    return told[0] if told else name.removesuffix("Settings")


@cache
def groups() -> Schema:
    """The groups of settings by the names of their classes."""
    return json_schema()["$defs"]


run(main)
