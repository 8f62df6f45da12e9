"""The server of the download tests."""

import threading

import pytest

from shapednoise.data.sources import http as transfer
from tests.unit.data.server import Handler, Server


@pytest.fixture
def pauses(monkeypatch) -> list[float]:
    """The seconds for which downloads would have waited between tries."""
    waited: list[float] = []
    monkeypatch.setattr(transfer, "sleep", waited.append)
    return waited


@pytest.fixture
def server(pauses):
    Handler.requests = []
    Handler.released.clear()
    with Server(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        Handler.released.set()
        running.shutdown()
