"""A Messages API on loopback that answers from a script, for the real SDK to talk to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Told:
    """One scripted answer. `body` is a list of content blocks, a whole message, or raw bytes."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    stop_reason: str | None = None
    silence_seconds: float = 0.0


def error(status: int, kind: str, words: str, **headers: str) -> Told:
    body = {"type": "error", "error": {"type": kind, "message": words}}
    return Told(body, status, {k.replace("_", "-"): v for k, v in headers.items()})


def call(name: str, given: Any, number: int = 0) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{name}_{number}", "name": name, "input": given}


@dataclass
class Api:
    url: str
    requests: list[dict[str, Any]]
    """Bodies as they came, in order."""
    headers: list[dict[str, str]]


@contextmanager
def serve(*script: Told | Callable[[dict[str, Any]], Told], port: int = 0) -> Iterator[Api]:
    """Answers in order; the last one again and again. A callable makes its answer of the request's body."""
    api = Api("", [], [])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer takes 40 ms more than it is told to

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            said = script[min(len(api.requests), len(script) - 1)]
            told = said if isinstance(said, Told) else said(body)
            api.requests.append(body)
            api.headers.append({k.lower(): v for k, v in self.headers.items()})
            time.sleep(told.silence_seconds)
            data = told.body if isinstance(told.body, bytes) else json.dumps(_message(told, body)).encode()
            self.send_response(told.status)
            for name, value in {"content-type": "application/json", **told.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            try:
                self.wfile.write(data)
            except OSError:
                return  # the client did not wait

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()


def _message(told: Told, request: dict[str, Any]) -> Any:
    if not isinstance(told.body, list):
        return told.body
    blocks: Sequence[dict[str, Any]] = told.body
    calls = any(b["type"] == "tool_use" for b in blocks)
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": blocks,
        "stop_reason": told.stop_reason or ("tool_use" if calls else "end_turn"),
        "stop_sequence": None,
        "usage": {
            "input_tokens": 1000,
            "output_tokens": 100,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 2000,
        },
    }
