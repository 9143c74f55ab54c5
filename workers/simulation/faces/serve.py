"""Faces on sockets: one event loop, one port and one thread a face. The only part that knows HTTP servers.

A face answers one request after another in its own thread, so that a long query of one never holds up another.
Answers depend on the world alone and come out the same whatever the order of arrival.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from workers.simulation.faces.exchange import Ask, Face


class Served:
    """Running servers. `close()` ends them and waits."""

    def __init__(self, faces: Mapping[str, Face]) -> None:
        self._sockets = {name: _listen() for name in faces}
        by_port = {s.getsockname()[1]: faces[name] for name, s in self._sockets.items()}
        threads = {port: ThreadPoolExecutor(1, thread_name_prefix=f"face-{port}") for port in by_port}
        self._threads = tuple(threads.values())
        self.urls = {name: f"http://127.0.0.1:{s.getsockname()[1]}" for name, s in self._sockets.items()}

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                return
            request = Request(scope, receive)
            query = tuple(request.query_params.multi_items())
            headers = {k.lower(): v for k, v in request.headers.items()}
            ask = Ask(request.method, request.url.path, query, headers, await request.body())
            port = scope["server"][1]
            reply = await asyncio.get_running_loop().run_in_executor(threads[port], by_port[port].answer, ask)
            body = b"" if request.method == "HEAD" else reply.body
            response = Response(body, reply.status, dict(reply.headers), reply.content_type)
            await response(scope, receive, send)

        config = uvicorn.Config(
            app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1, ws="none"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="simulation", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._server.run(sockets=list(self._sockets.values()))

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=5)
        for thread in self._threads:
            thread.shutdown(cancel_futures=True)
        for each in self._sockets.values():
            each.close()


def _listen() -> socket.socket:
    """Listening already: a client that connects at once is not refused."""
    it = socket.socket()
    it.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    it.bind(("127.0.0.1", 0))
    it.listen(128)
    return it
