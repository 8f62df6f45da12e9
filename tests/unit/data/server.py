"""A real HTTP server on the loopback that behaves and misbehaves, and a small Hugging Face hub."""

import hashlib
import http.server
import re
import threading
from typing import ClassVar
from urllib.parse import urlsplit

CONTENT = bytes(range(256)) * 4096
OLDER = bytes(reversed(CONTENT))
SHA256 = hashlib.sha256(CONTENT).hexdigest()
TOTAL, THIRD = len(CONTENT), len(CONTENT) // 3
COMMIT = "0b2714987fa478483af9968de7c934580d0bb9a2"


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT by the behaviour that the path begins with; notes every request and its headers."""

    requests: ClassVar[list] = []
    released = threading.Event()  # at the end of a test

    def do_GET(self):
        asked = self.headers.get("Range")
        self.start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        self.requests.append((self.path, self.start, self.headers.get("If-Range")))
        behaviour = re.match(r"/?(\w*)", urlsplit(self.path).path)[1]
        self.nth = sum(seen == self.path for seen, *_ in self.requests)
        getattr(self, f"serve_{behaviour}", self.serve)()

    def do_HEAD(self):
        self.do_GET()

    def answer(self, status: int, body: bytes, sent: int | None = None, **headers) -> None:
        """An answer with these headers, of which `sent` bytes of the body are sent."""
        self.send_response(status)
        headers = {"Content_Length": len(body), "ETag": '"one"', **headers}
        for name, value in headers.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[:sent])
        self.wfile.flush()
        self.close_connection = True

    def serve(self, sent: int | None = None, **headers) -> None:
        """What an honest server does, up to the bytes that are sent and to these headers."""
        if not self.start:
            return self.answer(200, CONTENT, sent, **headers)
        if self.start >= TOTAL:
            return self.answer(416, b"", Content_Range=f"bytes */{TOTAL}", **headers)
        place = f"bytes {self.start}-{TOTAL - 1}/{TOTAL}"
        self.answer(206, CONTENT[self.start :], sent, **{"Content_Range": place, **headers})

    def serve_missing(self):
        self.send_error(404)

    def serve_busy(self):
        if self.nth > 2:
            return self.serve()
        wait = {"date": "Fri, 01 Jan 2100 00:00:00 GMT", "short": "7", "odd": "soon"}
        self.answer(503, b"", Retry_After=wait.get(self.path.split("-")[1]))

    def serve_again(self):
        self.serve(TOTAL // 8)

    def serve_cut(self, **headers):
        """The first answer ends after a third of the file."""
        self.serve(THIRD if self.nth == 1 else None, **headers)

    serve_drops = serve_cut

    def serve_untold(self):
        self.serve_cut(ETag=None)

    def serve_weak(self):
        self.serve_cut(ETag='W/"one"', Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT")

    def serve_norange(self):
        self.answer(200, CONTENT, THIRD if self.nth == 1 else None)

    def serve_changed(self):
        """The file changes after the first answer; an honest server heeds If-Range."""
        if self.nth == 1:
            return self.answer(200, OLDER, THIRD)
        self.answer(200, CONTENT, ETag='"two"')

    def serve_careless(self):
        """The same of a server that does not heed If-Range."""
        if self.nth == 1:
            return self.answer(200, OLDER, THIRD)
        self.serve(ETag='"two"')

    def resume_with(self, place: str | None) -> None:
        self.serve_cut(**({"Content_Range": place} if self.start else {}))

    def serve_elsewhere(self):
        """A server that answers with another range than it was asked for."""
        self.resume_with(f"bytes 5-{TOTAL - 1}/{TOTAL}")

    def serve_longer(self):
        """A server whose file has another length now, and the same ETag."""
        self.resume_with(f"bytes {self.start}-{TOTAL}/{TOTAL + 1}")

    def serve_placeless(self):
        self.resume_with(None)

    def serve_promises(self):
        self.serve(Content_Length=TOTAL + 1000 - self.start)

    def serve_withholds(self):
        self.answer(200, CONTENT, Content_Length=TOTAL - 1000)

    def serve_chunks(self):
        self.protocol_version = "HTTP/1.1"
        pieces = [CONTENT[:THIRD], CONTENT[THIRD:], b""]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        self.answer(200, body, Content_Length=None, Transfer_Encoding="chunked")

    def serve_quota(self):
        self.answer(200, b"\n<!DOCTYPE html><html>quota exceeded</html>", Content_Type="application/zip")

    def serve_login(self):
        self.answer(200, b"please log in", Content_Type="text/html; charset=utf-8")

    def serve_moved(self):
        self.answer(302, b"", Location=f"/good-{self.path.split('-')[1]}")

    def serve_loop(self):
        self.answer(302, b"", Location=self.path)

    def serve_stalls(self):
        self.serve_cut()
        if self.nth == 1:
            self.released.wait()

    def serve_datasets(self):
        """The hub: a file at a revision, with the headers that its client asks for."""
        if "gone" in self.path:
            return self.answer(404, b"", X_Error_Code="EntryNotFound")
        if "private" in self.path:
            return self.answer(401, b"", X_Error_Code="RepoNotFound")
        self.serve(X_Repo_Commit=COMMIT)

    def serve_api(self):
        self.send_error(404)

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    """A server that does not mind clients that hang up."""

    def handle_error(self, request, client_address):
        pass
