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
from shapednoise.config.checks import unused_lists
from shapednoise.config.figures import FIGURE_KINDS, FigureSettings
from shapednoise.config.machine import ClusterSettings
from shapednoise.config.schema import Config
from shapednoise.errors import ConfigError
from shapednoise.log import log

MOST_VALUES = 200_000  # of a config, its anchors written out
SITE = Path("site.yaml")  # in the working folder


def parse_config(content: Mapping[str, Any]) -> Config:
    """A Config from a plain dictionary, with the kinds of figures that are registered.

    Raises:
        ConfigError: one line that names the key and the remedy.
    """
    _check_size(content)
    try:
        config = _config_model(tuple(FIGURE_KINDS.values())).model_validate(dict(content))
    except ValidationError as error:
        raise ConfigError(f"config: {one_line(error, content)}") from None
    for line in unused_lists(config):
        log.warning("config: %s", line)
    return config


def json_schema() -> dict[str, Any]:
    """The JSON schema of config.yaml, with the kinds of figures that are registered."""
    return _config_model(tuple(FIGURE_KINDS.values())).model_json_schema()


@cache
def _config_model(kinds: tuple[type[FigureSettings], ...]) -> type[Config]:
    """The schema, in which a figure is of one of these kinds."""
    figure = Annotated[Union[kinds], Field(discriminator="kind")]  # type: ignore[valid-type]  # noqa: UP007
    field = Field(description=Config.model_fields["figures"].description)
    figures = (dict[Name, figure], field)
    return create_model("Config", __base__=Config, __doc__=Config.__doc__, figures=figures)


def load_config(*paths: str | Path) -> Config:
    """A Config from YAML files, later ones laid over earlier ones key by key. Raises ConfigError."""
    merged: dict[str, Any] = {}
    for path in paths:
        merge(merged, read_yaml(Path(path)))
    return parse_config(merged)


class _Loader(yaml.SafeLoader):
    """YAML in which no key is there twice: of two, the second would count and nobody know."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.YAMLError(f"line {key.start_mark.line + 1}: {key.value} is there twice")
            seen.add(str(key.value))
        return node


def read_yaml(path: Path) -> dict[str, Any]:
    """The content of a YAML file. Raises ConfigError where it is none."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader) or {}
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror}); give a YAML file that is there"
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"{path} is no valid YAML ({' '.join(str(error).split())[:200]}); correct it"
        ) from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path} has no keys; write `key: value` lines")
    _check_size(content)
    return content


def _check_size(content: Any) -> None:
    """Raise ConfigError for more than MOST_VALUES: a few anchors can stand for any number of them."""
    seen, left = 0, [content]
    while left:
        value = left.pop()
        seen += 1
        if seen > MOST_VALUES:
            raise ConfigError(
                f"config: more than {MOST_VALUES:,} values, its anchors written out; write fewer"
            )
        if isinstance(value, Mapping | list | tuple):
            left.extend(value.values() if isinstance(value, Mapping) else value)


def check_resources(config: Config) -> Config:
    """Raise ConfigError where an overlay says what goes to the command that submits jobs: the site does."""
    cluster = read_yaml(SITE).get("cluster") or {} if SITE.is_file() else {}
    try:
        ours = ClusterSettings.model_validate(cluster)
    except ValidationError as error:
        raise ConfigError(f"{SITE}: in cluster: {one_line(error, cluster)}") from None
    for group in ("every_job", "gpu_job"):
        if getattr(config.cluster, group) != getattr(ours, group):
            raise ConfigError(
                f"config: cluster.{group}: it goes to the command that submits jobs; write it into {SITE}"
            )
    return config


def read_over(path: str | Path, overlay: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a YAML file with an overlay laid over it key by key. Raises ConfigError."""
    merged = read_yaml(Path(path))
    merge(merged, overlay)
    return merged


def load_project_config(root: Path, overlays: Iterable[Path]) -> Config:
    """The Config that Snakemake has in the working folder: config.yaml of the project, site.yaml, overlays.

    Raises ConfigError.
    """
    return check_resources(load_config(root / "config.yaml", *([SITE] if SITE.is_file() else []), *overlays))


def merge(base: dict[str, Any], overlay: Mapping[str, Any]) -> None:
    """Lay `overlay` over `base` in place: dictionaries key by key, all else replaced."""
    for key, value in overlay.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = value
