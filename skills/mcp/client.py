"""One question to one MCP server, in time: connect, ask, leave. A failure is a ToolError with the server's words.

The protocol's own client is asynchronous, so each question has a small event loop of its own; nothing else here has.
Protocol: modelcontextprotocol.io, specification 2025-11-25 and 2026-07-28, "Streamable HTTP" and "Tools".
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import httpx2
import mcp_types as types
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic import ValidationError

from skills.contract import Access, LoadLimitReached, ToolError
from skills.mcp.settings import Server
from skills.mcp.wire import MAX_BYTES, Wire
from skills.said import one_line
from skills.silence import unanswered
from skills.trouble import Answered, Key, Party, Refused, refused, secrets_of, unreadable

MOST_PAGES = 20
CONNECT_SECONDS = 3.0

T = TypeVar("T")


class Connection:
    """What is needed to ask one server; no socket is held between questions."""

    def __init__(self, name: str, server: Server, access: Access) -> None:
        self.name = name
        self._server = server
        self._meter = access.meter
        self._timeout = access.timeout_seconds
        self._headers = _headers(server, access)
        self._party = _party(name, server, access)
        # Its warnings and tracebacks quote whole replies, credentials that were said back among them. What a server did
        # wrong is told in our own words.
        logging.getLogger("mcp").setLevel(logging.CRITICAL)
        self._mode = "auto"
        """How the server is spoken to; known after the first question, which saves the others a request."""

    def tools(self, seconds: float) -> tuple[types.Tool, ...]:
        """Every tool that the server has. Raises ToolError."""

        async def listed(client: Client) -> tuple[types.Tool, ...]:
            found: list[types.Tool] = []
            cursor: str | None = None
            for _ in range(MOST_PAGES):
                page = await client.list_tools(cursor=cursor)
                found.extend(page.tools)
                cursor = page.next_cursor
                if not cursor:
                    break
            return tuple(found)

        return self._ask(listed, "tools/list", seconds)

    def call(self, tool: str, arguments: dict[str, object], seconds: float) -> types.CallToolResult:
        """What a tool answers, be it an error of its own. Raises ToolError."""

        async def called(client: Client) -> types.CallToolResult:
            return await client.call_tool(tool, arguments)

        return self._ask(called, tool, seconds)

    def _ask(self, question: Callable[[Client], Awaitable[T]], what: str, seconds: float) -> T:
        seconds = min(seconds, self._timeout)
        try:
            wire = Wire(httpx2.AsyncHTTPTransport(verify=self._trust(), retries=0), self._meter)
        except OSError as error:
            raise unanswered(self._party, error, what, seconds) from None
        try:
            return anyio.run(functools.partial(self._connected, question, wire, seconds))
        except TimeoutError as late:
            raise unanswered(self._party, late, what, seconds) from late
        except (MCPError, httpx2.HTTPError, ValidationError, RuntimeError, OSError) as error:
            raise self._failed(error, what, wire, seconds) from error
        except ExceptionGroup as group:
            raise self._failed(_first(group), what, wire, seconds) from group

    async def _connected(self, question: Callable[[Client], Awaitable[T]], wire: Wire, seconds: float) -> T:
        patience = httpx2.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
        with anyio.fail_after(seconds):
            async with (
                httpx2.AsyncClient(transport=wire, headers=self._headers, timeout=patience) as http,
                Client(
                    streamable_http_client(self._server.url, http_client=http, max_sse_event_size=MAX_BYTES),
                    read_timeout_seconds=seconds,
                    mode=self._mode,
                    cache=None,
                ) as client,
            ):
                spoken = client.protocol_version
                self._mode = "legacy" if spoken in HANDSHAKE_PROTOCOL_VERSIONS else spoken
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
        words = self._party.hushed(one_line(str(error)) or type(error).__name__)
        return Refused(f"{self._party.system} refused: {words}", asked=self._party.question(what), words=words)

    def _trust(self) -> str | bool:
        return self._server.ca_file or True


def _is_of_the_protocol(answer: Answered) -> bool:
    """A JSON-RPC message, or a stream of events that carry them."""
    kind = answer.headers.get("content-type", "")
    return bool(answer.body.strip()) and (b'"jsonrpc"' in answer.body or kind.startswith("text/event-stream"))


def _party(name: str, server: Server, access: Access) -> Party:
    named = [("token_env", server.token_env)] if server.token_env or not server.headers_env else []
    named += [(f"headers_env.{header}", variable) for header, variable in server.headers_env.items()]
    held = [(setting, variable, access.secret(variable) if variable else None) for setting, variable in named]
    return Party(
        f"MCP server {name}",
        f"skills.mcp.servers.{name}",
        server.url,
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


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that the others follow from."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
