"""An MCP server of the company: its tools are declared in a file, what they answer is improvised, then stays so.

The way in is the protocol's streamable HTTP with plain JSON replies and no sessions (specification 2025-11-25, "Base
protocol / Transports / Streamable HTTP" and "Server features / Tools"). A tool's call becomes a GET of the system
behind it, so that cassettes, facts and checks are those of any other system.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]  # ships no types

from workers.simulation.faces.exchange import Ask, Face, Reply, as_json

Json = dict[str, Any]
VERSIONS = ("2025-03-26", "2025-06-18", "2025-11-25")
METHOD_NOT_FOUND, INVALID_PARAMS, PARSE_ERROR, INVALID_REQUEST = -32601, -32602, -32700, -32600


@cache
def declared(name: str) -> Json:
    """title, version and tools of `mcp/NAME.yaml`."""
    source = files("workers.simulation") / "mcp" / f"{name}.yaml"
    found: Json = yaml.safe_load(source.read_text(encoding="utf-8"))
    return found


def about(name: str) -> str:
    """What whoever answers in its place must know: each tool's path with what it gives and takes."""
    tools = (f"GET /{t['name']}: {t['description']} {json.dumps(t['inputSchema'])}" for t in declared(name)["tools"])
    return "\n".join((declared(name)["title"], *tools))


class Mcp:
    def __init__(self, name: str, behind: Face) -> None:
        self.refused: Counter[str] = Counter()
        self._declared, self._behind = declared(name), behind
        self._tools = {tool["name"]: tool for tool in self._declared["tools"]}

    def answer(self, ask: Ask) -> Reply:
        if ask.path.rstrip("/") != "/mcp":
            return as_json({"detail": "Not Found"}, 404)
        if ask.method != "POST":
            return Reply(405, b"", "text/plain", {"allow": "POST"})
        try:
            asked = json.loads(ask.body)
        except ValueError:
            return _error(None, PARSE_ERROR, "Parse error", 400)
        if not isinstance(asked, dict) or not isinstance(asked.get("method"), str):
            return _error(None, INVALID_REQUEST, "Invalid Request", 400)
        if "id" not in asked:
            return Reply(202, b"")
        return self._method(asked["id"], asked["method"], asked.get("params") or {})

    def _method(self, number: Any, method: str, params: Json) -> Reply:
        if method == "initialize":
            wanted = params.get("protocolVersion")
            return _result(
                number,
                {
                    "protocolVersion": wanted if wanted in VERSIONS else VERSIONS[-1],
                    "capabilities": {"tools": {"listChanged": False}},
                    "serverInfo": {"name": self._declared["title"], "version": self._declared["version"]},
                },
            )
        if method == "ping":
            return _result(number, {})
        if method == "tools/list":
            return _result(number, {"tools": list(self._tools.values())})
        if method == "tools/call":
            return self._call(number, params)
        self.refused[method] += 1
        return _error(number, METHOD_NOT_FOUND, f"Method not found: {method}")

    def _call(self, number: Any, params: Json) -> Reply:
        tool = self._tools.get(str(params.get("name")))
        given = params.get("arguments") or {}
        if tool is None:
            return _error(number, INVALID_PARAMS, f"Unknown tool: {params.get('name')}")
        if (wrong := best_match(Draft202012Validator(tool["inputSchema"]).iter_errors(given))) is not None:
            return _result(number, _content(f"Input validation error: {wrong.message}", failed=True))
        query = tuple(sorted((str(key), _plain(value)) for key, value in given.items()))
        method = "GET" if tool["annotations"]["readOnlyHint"] else "POST"
        reply = self._behind.answer(Ask(method, f"/{tool['name']}", query))
        return _result(number, _content(reply.body.decode("utf-8", "replace"), failed=reply.status >= 400))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _content(text: str, *, failed: bool) -> Json:
    return {"content": [{"type": "text", "text": text}], "isError": failed}


def _result(number: Any, result: Json) -> Reply:
    return as_json({"jsonrpc": "2.0", "id": number, "result": result})


def _error(number: Any, code: int, message: str, status: int = 200) -> Reply:
    return as_json({"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}, status)
