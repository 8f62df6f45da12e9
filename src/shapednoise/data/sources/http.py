"""One file over HTTP: resumed safely, tried again, limited in time, with its rate shown.

What has arrived is `NAME.part`, and `NAME.part.json` notes which version of the file it is part of (ETag
or Last-Modified, total length). A download is resumed only from the same version: the note goes along as
If-Range, and an answer that starts elsewhere or belongs to another version starts the download anew.
Proxies are taken from the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY).
"""

import contextlib
import re
import time
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any

import requests
import urllib3

from shapednoise.files import read_json, write_json
from shapednoise.log import progress

CONNECT_SECONDS, STALL_SECONDS = 10, 30
PATIENCE_SECONDS = 20
LONGEST_WAIT = 60
REDIRECTS = 10
CHUNK = 1 << 16
HTML_PAGE = "an HTML page, not the file (a quota or log-in page?)"
PASSING = (408, 416, 425, 429)  # answers 4xx after which another try may succeed


class SourceError(Exception):
    """A source could not serve the file, and another try would not help; the message says why."""


class _Again(Exception):
    """This try failed; another one may not."""


@dataclass(frozen=True)
class Limits:
    """How long a download may go on, from its start.

    seconds: in all. least_kb_per_s: slower than this after 20 s, it is given up. tries: so many in a row
    may bring nothing. verified: whether a checksum will tell whether the content is right.
    """

    seconds: float
    least_kb_per_s: float = 0
    tries: int = 4
    verified: bool = False


class Part:
    """What has arrived of a file, and the note of which version of the file it is."""

    def __init__(self, kept: Path, url: str) -> None:
        """kept: path of the complete file. url: where it comes from."""
        self.url = url
        self.path = kept.with_name(f"{kept.name}.part")
        self.note = kept.with_name(f"{kept.name}.part.json")

    @property
    def size(self) -> int:
        """Bytes that have arrived."""
        return self.path.stat().st_size if self.path.exists() else 0

    def version(self) -> dict[str, Any]:
        """The note of these bytes, empty where there is none or they come from another address."""
        with contextlib.suppress(OSError, ValueError):
            note = read_json(self.note)
            return note if note["url"] == self.url else {}
        return {}

    def begin(self, reply: requests.Response) -> None:
        """Start with no bytes, of the version that this answer brings."""
        self.discard()
        write_json(self.note, {"url": self.url, "total": _length(reply), "validator": _validator(reply)})

    def discard(self) -> None:
        """Forget what has arrived."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def download(url: str, kept: Path, limits: Limits) -> Path:
    """Get `url` and return `kept`, which appears when it is complete.

    A download that was interrupted goes on where it stopped. Raises SourceError.
    """
    part, began = Part(kept, url), time.monotonic()
    most, fruitless = part.size, 0
    while True:
        try:
            _receive(part, limits, began)
            part.note.unlink(missing_ok=True)
            return part.path.replace(kept)
        except (_Again, requests.RequestException, urllib3.exceptions.HTTPError) as error:
            _refuse_what_stays(error, part)
            fruitless = 0 if part.size > most else fruitless + 1
            most = max(most, part.size)
            if fruitless >= limits.tries:
                raise SourceError(" ".join(str(error).split())[:200] or type(error).__name__) from None
            wait = _asked_wait(error) or min(2**fruitless, LONGEST_WAIT)
            _check_time(limits, began, wait)
            sleep(wait)


def _refuse_what_stays(error: Exception, part: Part) -> None:
    """Raise SourceError where another try would end in the same way."""
    if isinstance(error, requests.TooManyRedirects):
        raise SourceError(f"more than {REDIRECTS} redirects") from None
    answer = getattr(error, "response", None)
    if answer is not None and 400 <= answer.status_code < 500 and answer.status_code not in PASSING:
        raise SourceError(str(error)[:200]) from None
    cause = getattr(error.args[0], "reason", None) if error.args else None
    unreachable = isinstance(
        cause, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError
    )
    if unreachable and not part.size:  # the next source is a better use of time
        raise SourceError("cannot be reached") from None


def _asked_wait(error: Exception) -> float:
    """Seconds that the server asks to wait before the next try, at most LONGEST_WAIT; 0: it does not."""
    answer = getattr(error, "response", None)
    value = "" if answer is None else answer.headers.get("Retry-After", "")
    with contextlib.suppress(urllib3.exceptions.InvalidHeader, OverflowError):
        return min(urllib3.Retry().parse_retry_after(value), LONGEST_WAIT)
    return 0


def _receive(part: Part, limits: Limits, began: float) -> None:
    """Append what is missing to the part; start anew where it cannot be resumed safely."""
    version = part.version()
    if not version or not (version["validator"] or limits.verified):
        part.discard()  # nothing would tell whether the rest belongs to the same file
    have = part.size
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    if have and version["validator"]:
        headers["If-Range"] = version["validator"]
    with requests.Session() as session:
        session.max_redirects = REDIRECTS
        timeouts = (CONNECT_SECONDS, STALL_SECONDS)
        with session.get(part.url, headers=headers, stream=True, timeout=timeouts) as reply:
            total = _total(reply, part, have)
            if total != part.size or not total:
                _append(reply, part, total, limits, began)
    if total is not None and part.size != total:
        raise _Again(f"got {part.size} of {total} bytes")


def _total(reply: requests.Response, part: Part, have: int) -> int | None:
    """The length of the whole file, after checking that this answer continues the part or starts anew.

    Raises _Again, with the part gone, where the answer is of another place or another version.
    """
    asked_too_far = reply.status_code == requests.codes.requested_range_not_satisfiable
    if not asked_too_far:
        reply.raise_for_status()
    if not asked_too_far and reply.headers.get("Content-Type", "").startswith("text/html"):
        part.discard()
        raise SourceError(HTML_PAGE)
    if not asked_too_far and reply.status_code != requests.codes.partial_content:
        part.begin(reply)
        return _length(reply)
    version, [start, total] = part.version(), _content_range(reply)
    places = start is None and total == have if asked_too_far else start == have
    same = version.get("total") in (None, total) and _validator(reply) in (None, version.get("validator"))
    if not (places and same):
        part.discard()
        raise _Again("the server cannot resume this download, or the file has changed")
    return total


def _append(reply: requests.Response, part: Part, total: int | None, limits: Limits, began: float) -> None:
    """Write what the answer brings, as it arrives. Raises SourceError where that is too slow."""
    start, answered = part.size, time.monotonic()
    bar = progress(total=total, initial=start, unit="B", unit_scale=True, desc=part.path.stem)
    with open(part.path, "ab") as file, bar:
        while chunk := reply.raw.read1(CHUNK):
            file.write(chunk)
            bar.update(len(chunk))
            _check_time(limits, began)
            seconds, received = time.monotonic() - answered, file.tell() - start
            if seconds > PATIENCE_SECONDS and received < 1000 * limits.least_kb_per_s * seconds:
                raise SourceError(f"too slow: {received / seconds / 1000:.0f} kB/s")


def _check_time(limits: Limits, began: float, ahead: float = 0) -> None:
    """Raise SourceError where the time is over, or would be after so many seconds more."""
    if time.monotonic() + ahead - began > limits.seconds:
        raise SourceError(f"too slow: not done after {limits.seconds:g} s")


def _validator(reply: requests.Response) -> str | None:
    """What identifies this version of the file: a strong ETag, or else the time of its last change."""
    etag = reply.headers.get("ETag", "W/")
    return reply.headers.get("Last-Modified") if etag.startswith("W/") else etag


def _length(reply: requests.Response) -> int | None:
    length = reply.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _content_range(reply: requests.Response) -> tuple[int | None, int | None]:
    """Start and total of a Content-Range, `bytes 5-9/10` or `bytes */10`; None where it has none."""
    found = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", reply.headers.get("Content-Range", ""))
    start, total = found.groups() if found else ("-1", "*")
    return int(start) if start else None, int(total) if total != "*" else None
