"""A server on loopback that misbehaves in a way that is called by name: always, or where it is told to.

Knows no system. Before a face of the simulated company it answers well until it is told to misbehave, so that what is
read before a failure can be told from what is not.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from workers.simulation.faces.exchange import Ask, Face

Behaviour = Callable[[BaseHTTPRequestHandler], None]
Where = Callable[[int, str], bool]
"""(number of the request from 1, its path) -> whether it misbehaves there."""

MEGABYTES = 100
LOGIN = b"<!DOCTYPE html><html><head><title>Sign in - Acme</title></head><body><form>password</form></body></html>"


@dataclass
class Server:
    url: str
    asked: list[str] = field(default_factory=list)
    """Method and path, in the order of arrival."""
    sent: int = 0
    """Bytes of a flood that somebody took."""
    product: str = "Elasticsearch"
    """What it calls itself, which Elasticsearch's own client asks for; nobody else minds."""


@contextlib.contextmanager
def misbehaving(
    behaviour: Behaviour,
    face: Face | None = None,
    where: Where = lambda number, path: True,
    *,
    host: str = "127.0.0.1",
    product: str = "Elasticsearch",
) -> Iterator[Server]:
    counted = threading.Lock()
    told = Server("", product=product)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version, sys_version = "loopback", ""

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with counted:
                told.asked.append(f"{self.command} {self.path}")
                number = len(told.asked)
            with contextlib.suppress(OSError):
                if face is None or where(number, self.path):
                    self.close_connection = True
                    behaviour(self)
                else:
                    _well(self, face, body, counted)

        do_POST = do_DELETE = do_GET  # noqa: N815  # the names that http.server looks for

        def log_message(self, *_: object) -> None: ...

    class Listener(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        request_queue_size = 64

    server = Listener((host, 0), Handler)
    server.told = told  # type: ignore[attr-defined]  # for the behaviours
    told.url = f"http://{f'[{host}]' if ':' in host else host}:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()


def _well(handler: BaseHTTPRequestHandler, face: Face, body: bytes, one_by_one: threading.Lock) -> None:
    split = urlsplit(handler.path)
    headers = {k.lower(): v for k, v in handler.headers.items()}
    asked = tuple(parse_qsl(split.query, keep_blank_values=True))
    with one_by_one:
        reply = face.answer(Ask(handler.command, unquote(split.path), asked, headers, body))
    send(handler, reply.status, reply.body, reply.content_type, **reply.headers)


def send(
    handler: BaseHTTPRequestHandler, status: int, body: bytes, kind: str = "application/json", **headers: str
) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    if product := "x-elastic-product" not in (name.lower() for name in headers) and _told(handler).product:
        handler.send_header("X-Elastic-Product", product)
    if handler.close_connection:
        handler.send_header("Connection", "close")
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def _told(handler: BaseHTTPRequestHandler) -> Server:
    found: Server = handler.server.told  # type: ignore[attr-defined]  # set above
    return found


# --- behaviours -------------------------------------------------------------------------------------------------------


def says(status: int, words: str, **headers: str) -> Behaviour:
    """A refusal in JSON that says back what was sent for authentication, as some servers do."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        echo = handler.headers.get("Authorization") or "nothing"
        body = f'{{"message": "{words}", "error": "{words}", "errorType": "", "code": {status}}}'
        send(handler, status, body.replace(words, f"{words} (got {echo})").encode(), **headers)

    return answer


def page(status: int, body: bytes) -> Behaviour:
    return lambda handler: send(handler, status, body, "text/html; charset=utf-8")


def gateway(status: int, phrase: str) -> Behaviour:
    """As nginx words it."""
    title = f"{status} {phrase}"
    return page(status, f"<html><head><title>{title}</title></head><body><h1>{title}</h1>nginx</body></html>".encode())


def garbage(handler: BaseHTTPRequestHandler) -> None:
    """Not UTF-8, with a colour for terminals, and what was sent for authentication said back across its 100th byte."""
    sent = (handler.headers.get("Authorization") or "nothing").encode()
    send(handler, 200, b"\x00\x9f\xff garbage \x1b[31m and more of it".ljust(85, b".") + sent)


def half_a_body(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"items": [{"metadata": {"na')


def half_of_a_json(handler: BaseHTTPRequestHandler) -> None:
    """A proxy ended the answer early and says that this was all."""
    send(handler, 200, b'{"items": [{"metadata": {"na')


def an_empty_body(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 200, b"")


def nothing(handler: BaseHTTPRequestHandler) -> None:
    """The connection is closed without a word."""


def silence(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(3)


def slowly(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then, so that no single read waits for long."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(60):
        handler.wfile.write(b" ")
        time.sleep(0.05)


def a_flood(handler: BaseHTTPRequestHandler) -> None:
    """A hundred megabytes, announced."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(MEGABYTES * 1_000_000))
    handler.end_headers()
    _pour(handler, MEGABYTES)


def an_endless_body(handler: BaseHTTPRequestHandler) -> None:
    """Chunks for as long as somebody takes them."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    _pour(handler, 10 * MEGABYTES, b"3e8\r\n%s\r\n" % (b" " * 1000))


def a_bomb(handler: BaseHTTPRequestHandler) -> None:
    """A gigabyte of blanks in one packed megabyte."""
    send(handler, 200, _bomb(), Content_Encoding="gzip")


def no_gzip(handler: BaseHTTPRequestHandler) -> None:
    """Says that it is packed, and is not."""
    send(handler, 200, b'{"items": []}', Content_Encoding="gzip")


def around_in_circles(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 302, b"", Location=handler.path)


def elsewhere(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 302, b"", Location="https://login.example.com/")


def _pour(handler: BaseHTTPRequestHandler, megabytes: int, block: bytes = b" " * 1000) -> None:
    part = block * 100
    for _ in range(megabytes * 10):
        handler.wfile.write(part)
        _told(handler).sent += len(part)


@functools.cache
def _bomb() -> bytes:
    """gzip members may follow each other: a thousand of a megabyte each."""
    return gzip.compress(b" " * 1_000_000, 9) * 1000


# --- other ways not to be reached -----------------------------------------------------------------------------------


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextlib.contextmanager
def untrusted(folder: Path) -> Iterator[str]:
    """An address whose certificate nobody has signed but itself."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    subprocess.run([*made.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            """A handshake that the other side gives up is what is wanted here."""

    server = Quiet(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"https://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
