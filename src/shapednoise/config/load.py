"""Read a config: YAML files laid over one another, parsed and checked.

Nothing here imports torch: the workflow parses the config at every start.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from shapednoise.config.checks import one_line
from shapednoise.config.schema import Config
from shapednoise.errors import ConfigError


def parse_config(content: Mapping[str, Any]) -> Config:
    """A Config from a plain dictionary. Raises ConfigError."""
    try:
        return Config.model_validate(dict(content))
    except ValidationError as error:
        raise ConfigError(f"config: {one_line(error)}") from None


def load_config(*paths: str | Path) -> Config:
    """A Config from YAML files, later ones laid over earlier ones key by key. Raises ConfigError."""
    merged: dict[str, Any] = {}
    for path in paths:
        merge(merged, yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {})
    return parse_config(merged)


def load_project_config(root: Path, overlays: Iterable[Path]) -> Config:
    """The Config that Snakemake has in the working folder: config.yaml of the project, site.yaml, overlays.

    Raises ConfigError.
    """
    site = Path("site.yaml")
    return load_config(root / "config.yaml", *([site] if site.is_file() else []), *overlays)


def merge(base: dict[str, Any], overlay: Mapping[str, Any]) -> None:
    """Lay `overlay` over `base` in place: dictionaries key by key, all else replaced."""
    for key, value in overlay.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = value
