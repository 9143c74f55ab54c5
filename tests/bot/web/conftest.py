"""The web app under a real server, asked over loopback."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette

from bot.web import build_web
from config.customers import Customer
from config.settings import Settings
from workers.queue import Queue
from workers.store import Store

Ask = Callable[..., tuple[int, str, dict[str, str]]]


@pytest.fixture
def ask(settings: Settings, store: Store, queue: Queue, customer: Customer) -> Iterator[Ask]:
    with asking(build_web(settings, store, queue, {"acme": customer})) as request:
        yield request


@contextmanager
def asking(app: Starlette) -> Iterator[Ask]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]

    def request(
        path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, str, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET" if body is None else "POST", path, body, dict(headers or {}))
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text, {k.lower(): v for k, v in answer.getheaders()}

    yield request
    server.should_exit = True
    thread.join(5)
