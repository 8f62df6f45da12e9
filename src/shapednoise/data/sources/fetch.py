"""Get a file from the first source that has it, verified, and say which one it was.

Sources are tried in their order. What has the wrong sha256 or is a web page never stays under the final
name. Offline, only files of the user's own and what was fetched before are used.
"""

import hashlib
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from shapednoise.config.data import DownloadSettings, Source
from shapednoise.data.sources.http import HTML_PAGE, Limits, SourceError
from shapednoise.data.sources.kinds import FETCHERS
from shapednoise.errors import UserError
from shapednoise.files import read_json, sha256_of_path
from shapednoise.log import log

NOT_FETCHED = "not fetched yet"


def fetch_configured(
    snapshot: Path, group: str, name: str, offline: bool = False
) -> tuple[dict[str, Any], Path, Source]:
    """Fetch a data set or the weights of an extractor from the sources that the config lists.

    snapshot: config.json of the results folder. group: `datasets` or `extractors`; name: an entry of
    it. offline: use no network, whatever the config says. Returns the entry, and what `fetch` does.
    Raises UserError where there is no such entry or none of its sources works.
    """
    config = read_json(snapshot)
    data_dir, entry = Path(config["data_dir"]), config[group].get(name, {})
    if not entry.get("sources"):
        known = ", ".join(other for other, settings in config[group].items() if settings.get("sources"))
        raise UserError(f"{snapshot} has no sources of {name!r} below {group}; choose one of {known}")
    sources = [Source(**source) for source in entry["sources"]]
    settings = DownloadSettings(**config["download"])
    folder = data_dir / "downloads" / name
    return entry, *fetch(name, sources, data_dir, folder, settings, offline or config["offline"])


def fetch(
    what: str,
    sources: Sequence[Source],
    data_dir: Path,
    folder: Path,
    settings: DownloadSettings | None = None,
    offline: bool = False,
) -> tuple[Path, Source]:
    """Return the path of the verified file (or directory) and the source it came from.

    what: name for messages. data_dir: where `file` sources are looked for. folder: where downloads
    are kept; one process at a time works there. Raises UserError that lists every source with its
    failure when none works.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = settings or DownloadSettings()
    failures = []
    with FileLock(folder / ".lock"):
        deadline = time.monotonic() + settings.total_s
        for source in sources:
            path = _path_of(source, data_dir, folder)
            try:
                if not path.exists() and not source.file:
                    limits = _limits(source, settings, deadline, offline)
                    FETCHERS[source.kind](_expanded(source), path, limits)
                _verify(path, source)
            except SourceError as error:
                log.info("%s: %s: %s", what, source, error)
                failures.append(f"{source}: {error}")
            else:
                log.info("%s: from %s", what, source)
                return path, source
    raise UserError(_no_source(what, sources, data_dir, failures, offline))


def missing_sources(what: str, sources: Sequence[Source], data_dir: Path, folder: Path) -> str | None:
    """The message that no source works without a network; None where one does.

    Files are looked for and not verified: that is quick enough to be done for every plan.
    """
    failures = []
    for source in sources:
        path = _path_of(source, data_dir, folder)
        if path.exists():
            return None
        failures.append(f"{source}: {f'there is no {path}' if source.file else NOT_FETCHED}")
    return _no_source(what, sources, data_dir, failures, offline=True)


def _no_source(
    what: str, sources: Sequence[Source], data_dir: Path, failures: list[str], offline: bool
) -> str:
    own = [str(data_dir / source.file) for source in sources if source.file]
    remedies = ["run `make fetch` while online"] if offline else []
    remedies += [f"put the file at {' or '.join(own)}"] if own else []
    remedy = " or ".join(remedies) or "add a source to the config"
    works = "works offline" if offline else "works"
    return f"no source of {what} {works} ({'; '.join(failures)}); {remedy} and run again"


def _expanded(source: Source) -> str:
    """The address with the values of the environment. Raises SourceError where one is not there."""
    if not source.url:
        return source.address
    address = os.path.expandvars(source.url)
    if unknown := re.search(r"\$(\w+|\{\w+\})", address):
        raise SourceError(f"{unknown[0]} is not set; set it in the environment")
    return address


def _path_of(source: Source, data_dir: Path, folder: Path) -> Path:
    """Where the file of a source is, or will be once it is fetched: no two addresses share a name."""
    if source.file:
        return data_dir / source.file
    if source.url:
        name = source.url.partition("?")[0].rstrip("/").rsplit("/", 1)[-1]
        return folder / f"{hashlib.sha256(source.url.encode()).hexdigest()[:8]}-{name}"
    return folder / str(source).replace("/", "_").replace(" ", "-")


def _limits(source: Source, settings: DownloadSettings, deadline: float, offline: bool) -> Limits:
    """What is left for a source. Raises SourceError where it is not to be tried."""
    if offline:
        raise SourceError(NOT_FETCHED)
    left = deadline - time.monotonic()
    if left <= 0:
        raise SourceError(f"not tried, all sources together took {settings.total_s:g} s")
    verified = source.sha256 is not None
    seconds, most = min(source.timeout_s, left), int(1e9 * source.largest_gb)
    return Limits(seconds, source.least_kb_per_s, settings.tries, verified, most)


def _verify(path: Path, source: Source) -> None:
    """Raise SourceError, and remove what was fetched, where the file is not what was wanted."""
    if not path.exists():
        raise SourceError(f"there is no {path}")
    if problem := _problem(path, source.sha256):
        if not source.file:
            path.unlink()
        raise SourceError(problem)


def _problem(path: Path, sha256: str | None) -> str:
    if path.is_file():
        with open(path, "rb") as file:
            if file.read(512).lstrip().lower().startswith((b"<!doctype html", b"<html")):
                return f"{path.name} is {HTML_PAGE}"
    if sha256 and (found := sha256_of_path(path)) != sha256:
        return f"{path.name} has sha256 {found[:16]}..., expected {sha256[:16]}... (truncated or altered)"
    return ""
