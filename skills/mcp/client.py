"""One question to one MCP server, in time: connect, ask, leave. A failure is a ToolError with the server's words.

The protocol's own client is asynchronous, so each question has a small event loop of its own; nothing else here has.
Protocol: modelcontextprotocol.io, specification 2025-11-25 and 2026-07-28, "Transports" and "Tools".
"""

from __future__ import annotations

import logging

import mcp_types as types
from mcp import Client

from skills.contract import Access
from skills.mcp.local import Local
from skills.mcp.remote import Remote
from skills.mcp.settings import Server

MOST_PAGES = 20


class Connection:
    """What is needed to ask one server; no socket and no process is held between questions."""

    def __init__(self, name: str, server: Server, access: Access) -> None:
        self.name = name
        self.way: Local | Remote = Local(name, server, access) if server.command else Remote(name, server, access)
        # Its warnings and tracebacks quote whole replies, credentials that were said back among them. What a server did
        # wrong is told in our own words.
        logging.getLogger("mcp").setLevel(logging.CRITICAL)

    def tools(self) -> tuple[types.Tool, ...]:
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

        return self.way.ask(listed, "tools/list", self.way.list_seconds)

    def call(self, tool: str, arguments: dict[str, object], seconds: float) -> types.CallToolResult:
        """What a tool answers, be it an error of its own. Raises ToolError."""

        async def called(client: Client) -> types.CallToolResult:
            return await client.call_tool(tool, arguments)

        return self.way.ask(called, tool, seconds)
