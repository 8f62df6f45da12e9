"""Downloads against a real HTTP server on the loopback that behaves and misbehaves."""

import hashlib
import http.server
import threading
from pathlib import Path
from typing import ClassVar

import pytest

from shapednoise.console import UserError
from shapednoise.data import download
from shapednoise.data.download import fetch
from shapednoise.settings.data import Source

CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT by the behaviour that the path names; notes every request."""

    requests: ClassVar[list] = []

    def do_GET(self):
        asked = self.headers.get("Range")
        self.requests.append((self.path, asked))
        behaviour = self.path.strip("/").split("-")[0]
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        first_time = sum(path == self.path for path, _ in self.requests) == 1
        if behaviour == "missing":
            return self.send_error(404)
        if behaviour == "busy" and first_time:
            return self.send_error(503)
        if behaviour == "norange":
            start, asked = 0, None
        body = b"<html>quota exceeded</html>" if behaviour == "quota" else CONTENT[start:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if behaviour in ("drops", "norange") and first_time:
            body = body[: len(body) // 3]
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    Handler.requests = []
    monkeypatch.setattr(download.time, "sleep", lambda seconds: None)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def get(tmp_path: Path, *sources: Source) -> tuple[Path, Source]:
    return fetch("pictures", sources, tmp_path / "data", tmp_path / "data" / "downloads")


@pytest.mark.parametrize("behaviour", ["good", "busy", "drops", "norange"])
def test_a_download_ends_with_the_right_content(server, tmp_path, behaviour):
    source = Source(url=f"{server}/{behaviour}-archive.tgz", sha256=SHA256)
    path, used = get(tmp_path, source)
    assert path.read_bytes() == CONTENT
    assert used == source
    assert not list(path.parent.glob("*.part"))


def test_a_dropped_download_resumes_where_it_stopped(server, tmp_path):
    get(tmp_path, Source(url=f"{server}/drops-archive.tgz", sha256=SHA256))
    (_, first), (_, second) = Handler.requests
    assert first is None
    resumed_at = int(second.removeprefix("bytes=").rstrip("-"))
    assert len(CONTENT) // 3 - download.CHUNK < resumed_at <= len(CONTENT) // 3


def test_what_was_fetched_is_not_fetched_again(server, tmp_path):
    source = Source(url=f"{server}/good-archive.tgz", sha256=SHA256)
    get(tmp_path, source)
    get(tmp_path, source)
    assert len(Handler.requests) == 1


def test_a_wrong_checksum_is_refused_and_the_next_source_used(server, tmp_path, caplog):
    quota = Source(url=f"{server}/quota-page.tgz", sha256=SHA256)
    good = Source(url=f"{server}/good-archive.tgz", sha256=SHA256)
    path, used = get(tmp_path, quota, good)
    assert used == good and path.read_bytes() == CONTENT
    assert not (path.parent / "quota-page.tgz").exists()


def test_a_dropped_in_file_comes_first_and_stays_where_it_is(server, tmp_path):
    (tmp_path / "data").mkdir()
    dropped = tmp_path / "data" / "archive.tgz"
    dropped.write_bytes(CONTENT)
    path, _ = get(tmp_path, Source(file="archive.tgz", sha256=SHA256), Source(url=f"{server}/good"))
    assert path == dropped
    assert not Handler.requests


def test_no_source_at_all_is_one_line_with_every_failure_and_where_to_put_the_file(server, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "archive.tgz").write_bytes(CONTENT[:1000])
    sources = [
        Source(file="archive.tgz", sha256=SHA256),
        Source(url=f"{server}/missing-archive.tgz"),
        Source(url="http://127.0.0.1:1/archive.tgz"),
        Source(npm="no-such-package@1.0.0", timeout_s=0.01),
    ]
    with pytest.raises(UserError) as caught:
        get(tmp_path, *sources)
    message = str(caught.value)
    assert "\n" not in message
    for part in ("truncated", "404", "cannot be reached", "npm no-such-package@1.0.0"):
        assert part in message
    assert f"put the file at {tmp_path / 'data' / 'archive.tgz'}" in message
    assert (tmp_path / "data" / "archive.tgz").exists()


@pytest.fixture
def apt_get(tmp_path, monkeypatch) -> Path:
    """A folder of commands with an apt-get that knows one package and leaves it where it is called."""
    folder = tmp_path / "commands"
    folder.mkdir()
    (folder / "apt-get").write_text(
        "#!/bin/sh\n"
        'case "$3" in\n'
        '  known=1.0-1) printf "%s" "$1 $2 $3" > known_1.0-1_all.deb;;\n'
        '  *) echo "E: Unable to locate package $3" >&2; exit 100;;\n'
        "esac\n"
    )
    (folder / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_a_debian_package_is_fetched_once_and_kept(apt_get, tmp_path):
    source = Source(deb="known=1.0-1", sha256=hashlib.sha256(b"download --quiet known=1.0-1").hexdigest())
    path, used = get(tmp_path, source)
    assert used == source and str(source) == "deb known=1.0-1"
    assert [file.name for file in path.parent.iterdir() if file.name != ".lock"] == [path.name]
    (apt_get / "apt-get").unlink()
    assert get(tmp_path, source)[0] == path
    with pytest.raises(UserError, match="deb other: apt-get is not installed"):
        get(tmp_path, Source(deb="other"))


def test_a_debian_package_that_is_not_there_says_so(apt_get, tmp_path):
    with pytest.raises(UserError, match="deb other: E: Unable to locate package other"):
        get(tmp_path, Source(deb="other"))


def test_a_slow_source_gives_way_to_the_next_one(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "PATIENCE_SECONDS", 0)
    slow = Source(url=f"{server}/good-slow.tgz", least_kb_per_s=1e9)
    good = Source(url=f"{server}/good-archive.tgz", sha256=SHA256)
    assert get(tmp_path, slow, good)[1] == good


def test_the_time_limit_of_a_source_holds(server, tmp_path):
    with pytest.raises(UserError, match="too slow: not done after 1e-09 s"):
        get(tmp_path, Source(url=f"{server}/good-archive.tgz", timeout_s=1e-9))
