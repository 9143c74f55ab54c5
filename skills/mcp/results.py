"""What a tool of an MCP server answered, as a result like our own: bounded, in citable lines, other kinds named."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import mcp_types as types

from skills.contract import Excerpt, ToolResult

LINES = 40
CHARACTERS = 8000
FULL_CHARACTERS = 200_000
ROW_CHARACTERS = 1200


def result_of(server: str, tool: str, arguments: Mapping[str, Any], answer: types.CallToolResult) -> ToolResult:
    """The answer for the model, each of its lines to be cited by a number."""
    asked = f"{server}: {tool}({json.dumps(dict(arguments), ensure_ascii=False, sort_keys=True)})"
    parts = [part.strip() for part in _parts(answer)]
    text = "\n".join(parts)
    if answer.is_error:
        return ToolResult(
            "error", f"{asked} failed: {text[:CHARACTERS] or 'no reason given'}", full=text[:FULL_CHARACTERS]
        )
    lines = [line for part in parts for line in _lines(part)]
    if not lines:
        return ToolResult("no_data", f"{asked} answered nothing")
    kept = list(_bounded(lines))
    cut = f", the first {len(kept)} of them here; ask for less" if len(kept) < len(lines) else ""
    return ToolResult(
        "ok",
        f"{len(lines)} lines from {asked}{cut}",
        tuple(Excerpt(text=line, query=asked) for line in kept),
        full=text[:FULL_CHARACTERS],
    )


def _parts(answer: types.CallToolResult) -> Iterator[str]:
    """Text as it is; what no text can show by its kind and size."""
    for block in answer.content:
        if isinstance(block, types.TextContent):
            yield block.text
        elif isinstance(block, types.ImageContent | types.AudioContent):
            yield f"({block.type} {block.mime_type}, {len(block.data) * 3 // 4} bytes, not shown)"
        elif isinstance(block, types.ResourceLink):
            yield f"(resource {block.name}: {block.uri})"
        elif isinstance(block.resource, types.TextResourceContents):
            yield block.resource.text
        else:
            yield f"(resource {block.resource.uri}, not shown)"
    if not answer.content and answer.structured_content is not None:
        yield json.dumps(answer.structured_content, ensure_ascii=False)


def _lines(text: str) -> Iterator[str]:
    """One observation each: an item of a JSON list, or a line of text with what is indented below it."""
    rows = _rows(text)
    if rows is not None:
        yield from (json.dumps(row, ensure_ascii=False)[:ROW_CHARACTERS] for row in rows)
        return
    held: list[str] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        if held and line[:1] in (" ", "\t"):
            held.append(line.rstrip())
            continue
        if held:
            yield "\n".join(held)[:ROW_CHARACTERS]
        held = [line.rstrip()]
    if held:
        yield "\n".join(held)[:ROW_CHARACTERS]


def _rows(text: str) -> list[Any] | None:
    """The items, where the text is JSON: a list, or an object around one list."""
    if text[:1] not in ("[", "{"):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    if isinstance(value, dict):
        lists = [v for v in value.values() if isinstance(v, list)]
        rest = {k: v for k, v in value.items() if not isinstance(v, list)}
        value = [*([rest] if rest else []), *lists[0]] if len(lists) == 1 else [value]
    return list(value)


def _bounded(lines: Iterable[str]) -> Iterator[str]:
    left = CHARACTERS
    for number, line in enumerate(lines):
        if number >= LINES or (number and len(line) > left):
            return
        left -= len(line)
        yield line
