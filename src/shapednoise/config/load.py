"""Read a config: YAML files laid over one another, parsed and checked.

Nothing here imports torch: the workflow parses the config at every start.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Union

import yaml
from pydantic import Field, ValidationError, create_model

from shapednoise.config.base import Name, one_line
from shapednoise.config.figures import FIGURE_KINDS, FigureSettings
from shapednoise.config.schema import Config
from shapednoise.errors import ConfigError


def parse_config(content: Mapping[str, Any]) -> Config:
    """A Config from a plain dictionary, with the kinds of figures that are registered.

    Raises:
        ConfigError: one line that names the key and the remedy.
    """
    try:
        return _config_model(tuple(FIGURE_KINDS.values())).model_validate(dict(content))
    except ValidationError as error:
        raise ConfigError(f"config: {one_line(error, content)}") from None


def json_schema() -> dict[str, Any]:
    """The JSON schema of config.yaml, with the kinds of figures that are registered."""
    return _config_model(tuple(FIGURE_KINDS.values())).model_json_schema()


@cache
def _config_model(kinds: tuple[type[FigureSettings], ...]) -> type[Config]:
    """The schema, in which a figure is of one of these kinds."""
    figure = Annotated[Union[kinds], Field(discriminator="kind")]  # noqa: UP007
    field = Field(description=Config.model_fields["figures"].description)
    figures = (dict[Name, figure], field)
    return create_model("Config", __base__=Config, __doc__=Config.__doc__, figures=figures)


def load_config(*paths: str | Path) -> Config:
    """A Config from YAML files, later ones laid over earlier ones key by key. Raises ConfigError."""
    merged: dict[str, Any] = {}
    for path in paths:
        merge(merged, read_over(path, {}))
    return parse_config(merged)


def read_over(path: str | Path, overlay: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a YAML file with an overlay laid over it key by key."""
    merged = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    merge(merged, overlay)
    return merged


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
