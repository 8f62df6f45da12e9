"""Whether what lies in a shared data folder is what a config says, by what was recorded when it was made.

Another configuration, or another clone, may have put it there under the same name. Nothing is hashed here,
since every plan asks; scripts/verify.py recomputes what is recorded.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shapednoise.config.data import CorruptedSettings, Source
from shapednoise.files import read_json
from shapednoise.workflow.layout import Layout

OF_PICTURES = ("reader", "channels", "size", "crop", "part")
OF_NOISE = ("corrupts", "band", "seed")


def other_download(layout: Layout, dataset: str) -> str:
    """What was downloaded for a data set that its sources do not have; empty: nothing.

    Where the config has the sha256 of the pixels, it decides, and not where they came from.
    """
    settings, path = layout.config.datasets[dataset], Path(layout.download(dataset))
    if settings.sha256 or not path.is_file():
        return ""
    return _other_source(path, read_json(path), settings.sources, f"datasets.{dataset}")


def other_weights(layout: Layout, extractor: str) -> str:
    """What an extractor's weights are that the config does not say; empty: nothing."""
    settings, key = layout.config.extractors[extractor], f"extractors.{extractor}"
    path = Path(layout.data, "weights", f"{extractor}.json")
    if not path.is_file():
        return ""
    record = read_json(path)
    if settings.sources:
        network = record.get("network", settings.network)  # of an older version: not recorded
        return _other(path, key, "network", network, settings.network) or _other_source(
            path, record, settings.sources, key
        )
    return _other(path, key, "source", record.get("source"), f"torch.hub: {settings.network}")


def other_array(layout: Layout, dataset: str) -> str:
    """What a data set's array was made of or by that the config does not say; empty: nothing."""
    settings, path = layout.config.datasets[dataset], Path(layout.manifest(dataset))
    if not path.is_file():
        return ""
    record, wanted, key = read_json(path), settings.model_dump(mode="json"), f"datasets.{dataset}"
    for name in OF_NOISE if isinstance(settings, CorruptedSettings) else OF_PICTURES:
        if problem := _other(path, key, name, record.get(name, wanted[name]), wanted[name]):
            return problem
    if isinstance(settings, CorruptedSettings):
        return ""
    if settings.sha256:
        pixels = record.get("sha256_of_pixels")
        if problem := _other(path, key, "sha256", pixels, settings.sha256):
            return problem
    count = record.get("images")
    limit = record.get("limit", settings.images and count)  # of an older version: not recorded
    if settings.images in (limit, count if limit is None else limit):
        return ""
    return _other(path, key, "images", limit or count, settings.images)


def _other_source(path: Path, record: dict[str, Any], sources: Sequence[Source], key: str) -> str:
    """What is wrong with a file's origin: neither a sha256 of the config nor a source of it that has none."""
    unpinned = [str(source) for source in sources if source.sha256 is None]
    pins = [source.sha256 for source in sources if source.sha256]
    sha256, source = record.get("sha256"), record.get("source")
    if sha256 in pins or source in unpinned:
        return ""
    made = f"{source}, sha256 {sha256}"
    wanted = [*(f"sha256 {pin}" for pin in dict.fromkeys(pins)), *unpinned]
    return _line(path, f"{key}.sources", made, " or ".join(wanted))


def _other(path: Path, key: str, name: str, made: Any, wanted: Any) -> str:
    return "" if made == wanted else _line(path, f"{key}.{name}", made, wanted)


def _line(path: Path, key: str, made: Any, wanted: Any) -> str:
    kind, name = key.split(".")[:2]
    return (
        f"{path} was made with {key} {made}, the config says {wanted}; nothing was changed: give "
        f"{kind}.{name} another name or the config another data_dir, or delete {path} and run again"
    )
