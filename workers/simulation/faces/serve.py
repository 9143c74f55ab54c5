"""Faces on sockets: one event loop, one port and one thread a face. The only part that knows HTTP.

A face answers one request after another in its own thread, so that a long query of one never holds up another.
Answers depend on the world alone and come out the same whatever the order of arrival. HTTP/1.1 as RFC 9112 has it, as
far as clients of these systems speak it: persistent connections, bodies by length or in chunks, no upgrades.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

from workers.simulation.faces.exchange import Ask, Face, Reply

log = logging.getLogger(__name__)

MOST_HEAD = 65_536
MOST_BODY = 20_000_000
_PHRASES = {int(status): status.phrase for status in HTTPStatus}


class Malformed(Exception):
    """A request that is none; its connection is closed."""


class Served:
    """Running servers. `close()` ends them and waits."""

    def __init__(self, faces: Mapping[str, Face]) -> None:
        self._sockets = {name: _listen() for name in faces}
        self.urls = {name: f"http://127.0.0.1:{s.getsockname()[1]}" for name, s in self._sockets.items()}
        self._threads = {name: ThreadPoolExecutor(1, thread_name_prefix=f"face-{name}") for name in faces}
        self._loop = asyncio.new_event_loop()
        self._connections: set[_Connection] = set()
        for name, face in faces.items():
            self._loop.run_until_complete(self._serve(name, face))
        self._thread = threading.Thread(target=self._run, name="simulation", daemon=True)
        self._thread.start()

    async def _serve(self, name: str, face: Face) -> None:
        await self._loop.create_server(
            lambda: _Connection(face, self._threads[name], self._connections), sock=self._sockets[name]
        )

    def _run(self) -> None:
        self._loop.run_forever()
        for each in list(self._connections):
            each.drop()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        for thread in self._threads.values():
            thread.shutdown(cancel_futures=True)
        for each in self._sockets.values():
            each.close()


@dataclass(frozen=True)
class _Request:
    ask: Ask
    length: int
    """Of its bytes, head and body."""
    keep: bool


class _Connection(asyncio.Protocol):
    """Requests of one client, answered in their order."""

    def __init__(self, face: Face, thread: ThreadPoolExecutor, connections: set[_Connection]) -> None:
        self._face, self._thread, self._connections = face, thread, connections
        self._buffer = bytearray()
        self._busy = self._invited = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._connections.discard(self)

    def drop(self) -> None:
        if self._transport:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._busy:
            self._next()

    def _next(self) -> None:
        try:
            request = _parsed(self._buffer)
        except (Malformed, ValueError) as problem:
            self._write(Reply(400, f"400 Bad Request: {problem}".encode(), "text/plain; charset=utf-8"), "GET", False)
            return
        if request is None:
            self._invite()
            return
        del self._buffer[: request.length]
        self._busy, self._invited = True, False
        loop = asyncio.get_running_loop()
        answer = self._thread.submit(self._face.answer, request.ask)

        def tell(done: Future[Reply]) -> None:
            with suppress(RuntimeError):  # the servers were closed meanwhile, and nobody waits any more
                loop.call_soon_threadsafe(self._say, request, done)

        answer.add_done_callback(tell)

    def _invite(self) -> None:
        """A client that waits to be asked for its body."""
        if not self._invited and self._transport and b"100-continue" in self._buffer[:MOST_HEAD].lower():
            self._invited = True
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _say(self, request: _Request, done: Future[Reply]) -> None:
        self._busy = False
        if self._transport is None or done.cancelled():
            return
        if (problem := done.exception()) is not None:
            log.error("%s %s broke a face", request.ask.method, request.ask.path, exc_info=problem)
            reply = Reply(500, b"Internal Server Error", "text/plain; charset=utf-8")
        else:
            reply = done.result()
        self._write(reply, request.ask.method, request.keep)
        if self._buffer and request.keep:
            self._next()

    def _write(self, reply: Reply, method: str, keep: bool) -> None:
        assert self._transport
        kind = reply.content_type
        if kind.startswith("text/") and "charset" not in kind:
            kind += "; charset=utf-8"
        head = [f"HTTP/1.1 {reply.status} {_PHRASES.get(reply.status, 'Unknown')}", f"content-type: {kind}"]
        head += [f"{name}: {value}" for name, value in reply.headers.items()]
        head += [f"content-length: {len(reply.body)}", *(() if keep else ("connection: close",)), "", ""]
        body = b"" if method == "HEAD" else reply.body
        self._transport.write("\r\n".join(head).encode("latin-1", "replace") + body)
        if not keep:
            self._transport.close()


def _parsed(buffer: bytearray) -> _Request | None:
    """The first request of a buffer; None while it is not whole. Raises Malformed or ValueError."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > MOST_HEAD:
            raise Malformed("the head is too long")
        return None
    first, *lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise Malformed("no request line")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "chunked" in headers.get("transfer-encoding", "").lower():
        found = _unchunked(buffer, end + 4)
        if found is None:
            return None
        body, length = found
    else:
        length = end + 4 + int(headers.get("content-length") or 0)
        if length > MOST_BODY:
            raise Malformed("the body is too long")
        if len(buffer) < length:
            return None
        body = bytes(buffer[end + 4 : length])
    # A client of a proxy sends the whole address.
    target = words[1] if words[1].startswith("/") else urlsplit(words[1])._replace(scheme="", netloc="").geturl()
    path, _, query = target.partition("?")
    keep = headers.get("connection", "").lower() != "close" and words[2] == "HTTP/1.1"
    asked = tuple(parse_qsl(query, keep_blank_values=True))
    return _Request(Ask(words[0], unquote(path) or "/", asked, headers, body), length, keep)


def _unchunked(buffer: bytearray, start: int) -> tuple[bytes, int] | None:
    """(body, where it ends) of a body in chunks; None while it is not whole. Raises ValueError."""
    parts: list[bytes] = []
    at = start
    while True:
        line = buffer.find(b"\r\n", at)
        if line < 0:
            return None
        size = int(bytes(buffer[at:line]).split(b";")[0], 16)
        if len(buffer) < line + 2 + size + 2:
            return None
        if size == 0:
            return b"".join(parts), line + 4
        parts.append(bytes(buffer[line + 2 : line + 2 + size]))
        at = line + 2 + size + 2
        if at - start > MOST_BODY:
            raise ValueError("the body is too long")


def _listen() -> socket.socket:
    """Listening already: a client that connects at once is not refused."""
    it = socket.socket()
    it.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Inherited by its connections. Without it the end of an answer waits 40 ms for the client's late acknowledgement:
    # asyncio sets it for sockets that name their protocol alone.
    it.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    it.bind(("127.0.0.1", 0))
    it.listen(128)
    return it
