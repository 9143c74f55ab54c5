"""Small servers on loopback: one that answers by path as a REST API does, one that behaves in every wrong way."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Api:
    url: str
    requests: list[str] = field(default_factory=list)
    """`path?query` in the order of arrival."""
    headers: list[Mapping[str, str]] = field(default_factory=list)


@contextmanager
def serving(answer: Callable[[BaseHTTPRequestHandler, Api], None]) -> Iterator[Api]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            api.requests.append(self.path)
            api.headers.append(dict(self.headers))
            answer(self, api)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api = Api(f"http://127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json; charset=utf-8", **(headers or {})}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def rest(
    routes: Mapping[str, Any], missing: Any = None, next_pages: Mapping[str, int] | None = None
) -> Callable[[BaseHTTPRequestHandler, Api], None]:
    """By path; a list of lists is pages, announced as GitHub does by Link."""

    def answer(handler: BaseHTTPRequestHandler, api: Api) -> None:
        split = urlsplit(handler.path)
        query = parse_qs(split.query)
        if split.path not in routes:
            send(handler, 404, json.dumps(missing or {"message": "Not Found", "status": "404"}).encode())
            return
        found = routes[split.path]
        if callable(found):
            found = found(query)
        headers = {}
        if next_pages and split.path in next_pages:
            page = int(query.get("page", ["1"])[0])
            if page < next_pages[split.path]:
                headers["Link"] = f'<{api.url}{split.path}?page={page + 1}>; rel="next"'
            found = found[page - 1]
        send(handler, 200, json.dumps(found).encode(), headers)

    return answer


# Every wrong way


def status(code: int, body: object, headers: Mapping[str, str] | None = None) -> Answer:
    return lambda handler: send(handler, code, json.dumps(body).encode(), headers)


def garbage(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 200, b"<html><body>corporate proxy</body></html>")


def half(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'[{"id": 1, "created')
    handler.wfile.flush()
    handler.close_connection = True


def nothing(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(3)


def dripping(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    try:
        for _ in range(40):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.1)
    except OSError:
        pass


def huge(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(100_000_000))
    handler.end_headers()
    try:
        for _ in range(1600):
            handler.wfile.write(b" " * 62500)
    except OSError:
        pass


WRONG: Mapping[str, tuple[Answer, str]] = {
    "401": (status(401, {"message": "Bad credentials", "status": "401"}), "refused"),
    "403": (status(403, {"message": "Resource not accessible by personal access token"}), "refused"),
    "404": (status(404, {"message": "Not Found"}), "404"),
    "429": (status(429, {"message": "slow down"}, {"Retry-After": "60"}), "limits the rate"),
    "500": (status(500, {"message": "Server Error"}), "500"),
    "garbage": (garbage, "no JSON"),
    "half a body": (half, ""),
    "nothing": (nothing, ""),
    "slowly": (dripping, "not ended"),
    "100 MB": (huge, "larger than"),
}
"""What it does, and a word of the gap that names it."""


@contextmanager
def misbehaving(answer: Answer) -> Iterator[Api]:
    with serving(lambda handler, api: answer(handler)) as api:
        yield api
