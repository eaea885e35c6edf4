"""A server of files over HTTP that knows ranges, on this machine alone, for the time of a test."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Served", "serve"]


class Served:
    """What is offered, by path, in parts if `ranges`, and how many bytes of it were sent."""

    def __init__(self, files: dict[str, bytes], *, ranges: bool) -> None:
        self.files, self.ranges = files, ranges
        self.sent = self.requests = 0
        self.url = ""


@contextmanager
def serve(files: dict[str, bytes], *, ranges: bool = True) -> Iterator[Served]:
    """Serve files at `url/NAME` until the block ends."""
    served = Served(files, ranges=ranges)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, *, body: bool) -> None:
            data = served.files.get(self.path.lstrip("/"))
            wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            part, status = data or b"", 404 if data is None else 200
            if data is not None and wanted and served.ranges:
                first, last = int(wanted[1]), int(wanted[2] or len(data) - 1)
                part, status = data[first : last + 1], 206
            self.send_response(status)
            self.send_header("Content-Length", str(len(part)))
            if served.ranges:
                self.send_header("Accept-Ranges", "bytes")
            if status == 206:
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(data or b'')}")
            self.end_headers()
            if body:
                served.sent += len(part)
                served.requests += 1
                self.wfile.write(part)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
