"""MCP servers on loopback: one of the protocol's own making, and one that answers whatever a test wants."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ImageContent, TextContent, ToolAnnotations

from workers.simulation.faces.exchange import Ask, Reply, as_json

READS = ToolAnnotations(read_only_hint=True)
WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=True)

PAGES = {
    "cart memory": "The cart keeps a copy of every session in memory.\nIts limit was lowered to 128Mi on purpose.",
    "on call": "team-cart is on call this week.",
}


def wiki() -> MCPServer:
    """A knowledge base with tools that read, one that writes, and some that say nothing about themselves."""
    server = MCPServer("wiki", log_level="ERROR")

    @server.tool(annotations=READS)
    def search_pages(query: str, limit: int = 10) -> str:
        """Full text search over the pages of the team's wiki."""
        found = [text for title, text in PAGES.items() if query.lower() in title]
        return "\n".join(found[:limit])

    @server.tool(annotations=READS)
    def page_history(title: str) -> list[dict[str, Any]]:
        """Who changed a page and when."""
        return [{"title": title, "at": f"2026-03-04T13:0{i}:00Z", "by": "amira"} for i in range(3)]

    @server.tool(annotations=READS)
    def diagram(title: str) -> list[TextContent | ImageContent]:
        """The picture of a page."""
        return [
            TextContent(type="text", text=f"{title} calls db"),
            ImageContent(type="image", data="AAAA" * 100, mime_type="image/png"),
        ]

    @server.tool(annotations=READS)
    def broken(title: str) -> str:
        """Fails with the words of its own."""
        raise ToolError(f"no page is called {title!r}")

    @server.tool(annotations=READS)
    def dump() -> str:
        """Everything, which is a lot."""
        return "\n".join(f"line {i} token=abcdef-not-a-real-one" for i in range(5000))

    @server.tool(annotations=WRITES)
    def delete_page(title: str) -> str:
        """Removes a page."""
        raise AssertionError("nobody may call this")

    @server.tool()
    def silent_about_itself(title: str) -> str:
        """Says not whether it writes."""
        return f"{title} was read"

    return server


def many(count: int) -> MCPServer:
    server = MCPServer("many", log_level="ERROR")
    for number in range(count):
        server.add_tool(
            lambda service: f"{service} is fine",
            name=f"check_{number}",
            description=f"Check number {number} of a service's contract with its neighbours.",
            annotations=READS,
        )
    return server


@contextlib.contextmanager
def served(server: MCPServer, *, as_json: bool = False, stateless: bool = False) -> Iterator[str]:
    """The server's address for streamable HTTP."""
    app = server.streamable_http_app(json_response=as_json, stateless_http=stateless)
    running = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="on"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not running.started and time.monotonic() < until:
        time.sleep(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        running.should_exit = True
        running.force_exit = True
        thread.join(5)


@contextlib.contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A server that treats every request alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            with contextlib.suppress(ConnectionError):
                answer(self)

        def do_GET(self) -> None:
            self.do_POST()

        def do_DELETE(self) -> None:
            self.do_POST()

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/mcp"
    finally:
        server.shutdown()
        server.server_close()


def says(status: int, body: bytes, kind: str = "application/json") -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("content-type", kind)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


class Wiki:
    """An MCP server of one tool, in the shapes of the specification of 2025-06-18 (lifecycle, tools)."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()

    def answer(self, ask: Ask) -> Reply:
        if ask.method != "POST":
            return Reply(405, b"")
        asked = json.loads(ask.body)
        if "id" not in asked:
            return Reply(202, b"")
        told = {"jsonrpc": "2.0", "id": asked["id"]}
        result = _ANSWERS.get(asked["method"])
        lost = {"error": {"code": -32601, "message": "Method not found"}}
        return as_json(told | ({"result": result} if result else lost))


_ANSWERS: dict[str, Any] = {
    "initialize": {
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": {"name": "wiki", "version": "1"},
    },
    "tools/list": {
        "tools": [
            {
                "name": "search",
                "description": "Full text search.",
                "inputSchema": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
                "annotations": {"readOnlyHint": True},
            }
        ]
    },
    "tools/call": {"content": [{"type": "text", "text": "cart: its limit was lowered"}], "isError": False},
}
