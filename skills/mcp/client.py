"""One question to one MCP server, in time: connect, ask, leave. A failure is a ToolError with the server's words.

The protocol's own client is asynchronous, so each question has a small event loop of its own; nothing else here has.
Protocol: modelcontextprotocol.io, specification 2025-11-25 and 2026-07-28, "Streamable HTTP" and "Tools".
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import httpx2
import mcp_types as types
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic import ValidationError

from skills.contract import Access, ToolError
from skills.mcp.settings import Server
from skills.mcp.wire import MAX_BYTES, Wire

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
        wire = Wire(httpx2.AsyncHTTPTransport(verify=self._trust(), retries=0), self._meter)
        try:
            return anyio.run(functools.partial(self._connected, question, wire, seconds))
        except TimeoutError as late:
            raise ToolError(f"MCP server {self.name} did not answer {what} within {seconds:.3g} s") from late
        except (MCPError, httpx2.HTTPError, ValidationError, RuntimeError, OSError) as error:
            raise self._failed(error, what, wire) from error
        except ExceptionGroup as group:
            raise self._failed(_first(group), what, wire) from group

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

    def _failed(self, error: BaseException, what: str, wire: Wire) -> ToolError:
        words = wire.problem or " ".join(str(error).split())[:300] or type(error).__name__
        hint = "; check token_env and headers" if words.startswith(("401", "403")) else ""
        return ToolError(f"MCP server {self.name} at {self._server.url} did not answer {what}: {words}{hint}")

    def _trust(self) -> str | bool:
        return self._server.ca_file or True


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
