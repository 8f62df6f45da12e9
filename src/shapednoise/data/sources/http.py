"""One file over HTTP: resumed safely, tried again, limited in time, with its rate shown.

What has arrived is `NAME.part`, and `NAME.part.json` notes which version of the file it is part of (ETag
or Last-Modified, total length). A download is resumed only from the same version: the note goes along as
If-Range, and an answer that starts elsewhere or belongs to another version starts the download anew.
Proxies are taken from the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY).
"""

import contextlib
import hashlib
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import Any
from urllib.parse import urljoin

import requests
import urllib3

from shapednoise.files import no_link, read_json, write_json
from shapednoise.log import progress

CONNECT_SECONDS, STALL_SECONDS = 10, 30
SECONDS_BEFORE_RATE = 20  # a rate is judged after this long
LONGEST_WAIT = 60
REDIRECTS = 10
CHUNK = 1 << 16
HTML_PAGE = "an HTML page, not the file (a quota or log-in page?)"
RETRYABLE_STATUS = (408, 425, 429)  # of the 4xx; 5xx are retried, too


class SourceError(Exception):
    """A source could not serve the file, and another try would not help; the message says why.

    What lets people in, the user and the query of an address, is left out of it.
    """

    def __init__(self, message: str) -> None:
        message = re.sub(r"://[^/\s@]+@", "://", message)
        super().__init__(re.sub(r"((?:://|url: /)[^\s?]*)\?[^\s)]*", r"\1?...", message)[:300])


class RetryableError(Exception):
    """This try failed; another one may not."""


@dataclass(frozen=True)
class Limits:
    """How long a download may go on.

    seconds: in all, from now. least_kb_per_s: slower than this after 20 s, it is given up. tries: in a row
    that may bring nothing. verified: whether a checksum will tell whether the content is right. bytes: the
    largest file.
    """

    seconds: float
    least_kb_per_s: float = 0
    tries: int = 4
    verified: bool = False
    bytes: int = 8 * 10**9
    began: float = field(default_factory=time.monotonic)

    def check(self, ahead: float = 0) -> None:
        """Raise SourceError where the time is over, or would be `ahead` seconds later."""
        if time.monotonic() + ahead - self.began > self.seconds:
            raise SourceError(f"too slow: not done after {self.seconds:g} s")

    def too_large(self) -> str:
        """Say that a file is."""
        return f"larger than {self.bytes / 1e9:g} GB (largest_gb)"


class Session(requests.Session):
    """A session that follows no redirect from https to http, where others could read and change the file."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where an answer leads. Raises SourceError."""
        target = super().get_redirect_target(resp)
        if target and resp.url.startswith("https:") and not urljoin(resp.url, target).startswith("https:"):
            raise SourceError("redirects from https to an address without encryption")
        return target


class Part:
    """What has arrived of a file, and the note of which version of the file it is."""

    def __init__(self, destination: Path, url: str) -> None:
        """destination: path of the complete file. url: where it comes from."""
        self.url, self.address = url, hashlib.sha256(url.encode()).hexdigest()
        self.path = destination.with_name(f"{destination.name}.part")
        self.note = destination.with_name(f"{destination.name}.part.json")

    @property
    def size(self) -> int:
        """Bytes that have arrived."""
        return self.path.stat().st_size if self.path.exists() else 0

    def version(self) -> dict[str, Any]:
        """The note of these bytes, empty where there is none or they come from another address."""
        with contextlib.suppress(OSError, ValueError):
            note = read_json(self.note)
            return note if note["address"] == self.address else {}
        return {}

    def begin(self, reply: requests.Response) -> None:
        """Start with no bytes, of the version that this answer brings."""
        self.discard()
        note = {"address": self.address, "total": _length(reply), "validator": _validator(reply)}
        write_json(self.note, note)

    def discard(self) -> None:
        """Forget what has arrived."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def download(url: str, destination: Path, limits: Limits) -> None:
    """Get `url` as `destination`, which appears when it is complete.

    A download that was interrupted goes on where it stopped. Raises SourceError.
    """
    part = Part(destination, url)
    best_size, failed_attempts = part.size, 0
    while True:
        try:
            _receive(part, limits)
            part.note.unlink(missing_ok=True)
            part.path.replace(destination)
            return
        except (RetryableError, requests.RequestException, urllib3.exceptions.HTTPError) as error:
            _raise_if_permanent(error, part)
            failed_attempts = 0 if part.size > best_size else failed_attempts + 1
            best_size = max(best_size, part.size)
            if failed_attempts >= limits.tries:
                raise SourceError(" ".join(str(error).split())[:200] or type(error).__name__) from None
            wait = _retry_after(error) or min(2**failed_attempts, LONGEST_WAIT)
            limits.check(wait)
            sleep(wait)


def _raise_if_permanent(error: Exception, part: Part) -> None:
    """Raise SourceError where another try would end in the same way."""
    if isinstance(error, requests.TooManyRedirects):
        raise SourceError(f"more than {REDIRECTS} redirects") from None
    answer = getattr(error, "response", None)
    if answer is not None and 400 <= answer.status_code < 500 and answer.status_code not in RETRYABLE_STATUS:
        raise SourceError(str(error)[:200]) from None
    cause = getattr(error.args[0], "reason", None) if error.args else None
    unreachable = urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError
    if isinstance(cause, unreachable) and not part.size:  # the next source is a better use of time
        raise SourceError("cannot be reached") from None


def _retry_after(error: Exception) -> float:
    """Seconds that the server asks to wait before the next try, at most LONGEST_WAIT; 0: it does not."""
    answer = getattr(error, "response", None)
    value = "" if answer is None else answer.headers.get("Retry-After", "")
    with contextlib.suppress(urllib3.exceptions.InvalidHeader, OverflowError):
        return min(urllib3.Retry().parse_retry_after(value), LONGEST_WAIT)
    return 0


def _receive(part: Part, limits: Limits) -> None:
    """Append what is missing to the part; start anew where it cannot be resumed safely."""
    version = part.version()
    if not version or not (version["validator"] or limits.verified):
        part.discard()  # nothing would tell whether the rest belongs to the same file
    have = part.size
    if have and have == version["total"]:
        return
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    if have and version["validator"]:
        headers["If-Range"] = version["validator"]
    with Session() as session:
        session.max_redirects = REDIRECTS
        timeouts = (CONNECT_SECONDS, STALL_SECONDS)
        with session.get(part.url, headers=headers, stream=True, timeout=timeouts) as reply:
            total = _total(reply, part, have)
            if (total or 0) > limits.bytes:
                part.discard()
                raise SourceError(limits.too_large())
            _append(reply, part, total, limits)
    if total is not None and part.size != total:
        raise RetryableError(f"got {part.size} of {total} bytes")


def _total(reply: requests.Response, part: Part, have: int) -> int | None:
    """The length of the whole file, after checking that this answer continues the part or starts anew.

    Raises RetryableError, with the part gone, where the answer is of another place or another version.
    """
    if reply.status_code != requests.codes.requested_range_not_satisfiable:
        reply.raise_for_status()
        if reply.headers.get("Content-Type", "").startswith("text/html"):
            part.discard()
            raise SourceError(HTML_PAGE)
        if reply.status_code != requests.codes.partial_content:
            part.begin(reply)
            return _length(reply)
    version, place = part.version(), reply.headers.get("Content-Range", "")  # bytes 5-9/10
    total = version.get("total")
    continues = place.startswith(f"bytes {have}-") and (total is None or place.endswith(f"/{total}"))
    if not continues or _validator(reply) not in (None, version.get("validator")):
        part.discard()
        raise RetryableError("the server cannot resume this download, or the file has changed")
    return total


def _append(reply: requests.Response, part: Part, total: int | None, limits: Limits) -> None:
    """Write what the answer brings, as it arrives. Raises SourceError where that is too slow."""
    start, answered = part.size, time.monotonic()
    bar = progress(total=total, initial=start, unit="B", unit_scale=True, desc=part.path.stem)
    with open(part.path, "ab", opener=no_link) as file, bar:
        while chunk := reply.raw.read1(CHUNK):
            file.write(chunk)
            bar.update(len(chunk))
            limits.check()
            if file.tell() > limits.bytes:
                raise SourceError(limits.too_large())
            seconds, received = time.monotonic() - answered, file.tell() - start
            if seconds > SECONDS_BEFORE_RATE and received < 1000 * limits.least_kb_per_s * seconds:
                raise SourceError(f"too slow: {received / seconds / 1000:.0f} kB/s")


def _validator(reply: requests.Response) -> str | None:
    """What identifies this version of the file: a strong ETag, or else the time of its last change."""
    etag = reply.headers.get("ETag", "W/")
    return reply.headers.get("Last-Modified") if etag.startswith("W/") else etag


def _length(reply: requests.Response) -> int | None:
    length = reply.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None
