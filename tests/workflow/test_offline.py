"""After `fetch`, runs need no network: it is cut off, and they complete."""

import functools
import http.server
import subprocess
import threading

import pytest

from tests.workspace import make_workspace

CUT_OFF = ["unshare", "--map-root-user", "--net"]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def served(tmp_path, repository, inception_weights):
    """A workspace whose pictures and weights are behind a server, and the server."""
    fresh = make_workspace(tmp_path / "fresh", repository, inception_weights)
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("pictures.zip", "grey.gz", "random.pth"):
        (fresh.path / "data" / name).rename(outside / name)
    handler = functools.partial(Quiet, directory=outside)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        for group, name, file in (
            ("datasets", "pictures", "pictures.zip"),
            ("datasets", "grey", "grey.gz"),
            ("extractors", "random", "random.pth"),
        ):
            fresh.set(f"{group}.{name}.sources", [{"file": file}, {"url": f"{address}/{file}"}])
        yield fresh
        server.shutdown()


def test_a_run_with_the_network_cut_off_completes_after_fetch(served):
    try:
        subprocess.run([*CUT_OFF, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine does not allow to cut a process off from the network (unshare)")
    served.set("targets", ["fig2f"])
    served.run("fetch")
    wanted = ["results/tiny/pca/pictures.json", "results/tiny/features/data/pictures/random-ref16.npz"]
    command = [*CUT_OFF, *served.command(*wanted), "--config", "offline=true"]
    done = subprocess.run(
        command, cwd=served.path, env=served.environment(), text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert all((served.path / file).exists() for file in wanted)


def test_offline_what_was_not_fetched_is_named_with_the_remedy(served):
    """The server is there, and not asked."""
    for target, kept in (("data/grey/download.json", "grey.gz"), ("data/weights/random.pth", "random.pth")):
        done = served.snakemake(target, "--config", "offline=true")
        assert done.returncode != 0
        [line] = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
        assert f"there is no data/{kept}" in line and "not fetched yet" in line
        assert f"run `make fetch` while online or put the file at data/{kept}" in line
        assert not (served.path / target).exists()
    served.run("data/grey/download.json", "--config", "offline=false")
