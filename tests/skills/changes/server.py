"""Small servers on loopback: one that answers by path as a REST API does, one that always says the same."""

from __future__ import annotations

import json
import threading
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


def status(code: int, body: object, headers: Mapping[str, str] | None = None) -> Answer:
    return lambda handler: send(handler, code, json.dumps(body).encode(), headers)


@contextmanager
def misbehaving(answer: Answer) -> Iterator[Api]:
    with serving(lambda handler, api: answer(handler)) as api:
        yield api
