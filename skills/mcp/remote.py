"""A server at an address: streamable HTTP, with the answers bounded and noted as they pass (wire.py)."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from skills.contract import Access, LoadLimitReached, ToolError
from skills.mcp.settings import Server
from skills.mcp.spoken import FAILURES, first_of, mode_of, refusal
from skills.mcp.wire import MAX_BYTES, Wire
from skills.silence import unanswered
from skills.trouble import Answered, Key, Party, refused, secrets_of, unreadable

CONNECT_SECONDS = 3.0

T = TypeVar("T")


class Remote:
    """Asks over HTTP."""

    list_seconds = 4.0
    """How long a server may take to list its tools: every investigation waits for it."""
    settings = "url and token_env"
    """What to look at when nothing better is known."""
    unset: tuple[str, ...] = ()

    def __init__(self, name: str, server: Server, access: Access) -> None:
        assert server.url is not None
        self._url = server.url
        self._trust: str | bool = server.ca_file or True
        self._meter = access.meter
        self._timeout = access.timeout_seconds
        self._headers = _headers(server, access)
        self._party = _party(name, server, server.url, access)
        self._mode = "auto"
        """How the server is spoken to; known after the first question."""

    def ask(self, question: Callable[[Client], Awaitable[T]], what: str, seconds: float) -> T:
        seconds = min(seconds, self._timeout)
        try:
            wire = Wire(httpx2.AsyncHTTPTransport(verify=self._trust, retries=0), self._meter)
        except OSError as error:
            raise unanswered(self._party, error, what, seconds) from None
        try:
            return anyio.run(functools.partial(self._connected, question, wire, seconds))
        except TimeoutError as late:
            raise unanswered(self._party, late, what, seconds) from late
        except (*FAILURES, httpx2.HTTPError) as error:
            raise self._failed(error, what, wire, seconds) from error
        except ExceptionGroup as group:
            raise self._failed(first_of(group), what, wire, seconds) from group

    async def _connected(self, question: Callable[[Client], Awaitable[T]], wire: Wire, seconds: float) -> T:
        patience = httpx2.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
        with anyio.fail_after(seconds):
            async with (
                httpx2.AsyncClient(transport=wire, headers=self._headers, timeout=patience) as http,
                Client(
                    streamable_http_client(self._url, http_client=http, max_sse_event_size=MAX_BYTES),
                    read_timeout_seconds=seconds,
                    mode=self._mode,
                    cache=None,
                ) as client,
            ):
                self._mode = mode_of(client)
                return await question(client)
        raise AssertionError("the scope returns or raises")

    def _failed(self, error: BaseException, what: str, wire: Wire, seconds: float) -> ToolError:
        """In the words of what came over the wire; the client's own where the server spoke the protocol well."""
        if isinstance(wire.problem, LoadLimitReached):
            return wire.problem
        if wire.problem is not None:
            return unanswered(self._party, wire.problem, what, seconds)
        if wire.last is not None and wire.last.status >= 300:
            return refused(self._party, wire.last, what)
        if wire.last is not None and not _is_of_the_protocol(wire.last):
            return unreadable(self._party, wire.last, what)
        return refusal(self._party, error, what)


def _is_of_the_protocol(answer: Answered) -> bool:
    """A JSON-RPC message, or a stream of events that carry them."""
    kind = answer.headers.get("content-type", "")
    return bool(answer.body.strip()) and (b'"jsonrpc"' in answer.body or kind.startswith("text/event-stream"))


def _party(name: str, server: Server, url: str, access: Access) -> Party:
    named = [("token_env", server.token_env)] if server.token_env or not server.headers_env else []
    named += [(f"headers_env.{header}", variable) for header, variable in server.headers_env.items()]
    held = [(setting, variable, access.secret(variable) if variable else None) for setting, variable in named]
    return Party(
        f"MCP server {name}",
        f"skills.mcp.servers.{name}",
        url,
        tuple(Key(setting, variable, bool(value)) for setting, variable, value in held),
        needs="list and call its tools",
        secrets=secrets_of(*(value for _, _, value in held)),
    )


def _headers(server: Server, access: Access) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity", **server.headers}
    for name, variable in server.headers_env.items():
        if value := access.secret(variable):
            headers[name] = value
    if server.token_env and (token := access.secret(server.token_env)):
        headers["Authorization"] = f"Bearer {token}"
    return headers
