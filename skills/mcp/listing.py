"""Which tools of a server may be called: those that declare that they only read, and those that the customer names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import mcp_types as types

from skills.contract import ToolInput
from skills.mcp.arguments import Unusable, input_of
from skills.mcp.settings import Server

NAME_CHARACTERS = 64
DESCRIPTION_CHARACTERS = 600
MOST = 500


@dataclass(frozen=True)
class Readable:
    """A tool that may be called."""

    name: str
    """As the server calls it."""
    description: str
    input: type[ToolInput]


@dataclass(frozen=True)
class Listed:
    """What one server offers."""

    readable: tuple[Readable, ...]
    refused: tuple[str, ...] = ()
    """Names of those that neither declare themselves read-only nor are allowed."""
    unusable: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Names that the customer's file allows and the server does not have."""


def chosen(tools: Iterable[types.Tool], server: Server) -> Listed:
    readable, refused, unusable = [], [], []
    given = list(tools)[:MOST]
    for tool in given:  # in the server's order: its authors put first what matters
        if tool.name in server.deny or not (tool.name in server.allow or only_reads(tool)):
            refused.append(tool.name)
            continue
        try:
            takes = input_of(tool.input_schema)
        except Unusable:
            unusable.append(tool.name)
            continue
        title = tool.title or (tool.annotations.title if tool.annotations else None) or tool.name
        said = " ".join((tool.description or title).split())
        readable.append(Readable(tool.name, said[:DESCRIPTION_CHARACTERS], takes))
    names = {t.name for t in given}
    return Listed(
        tuple(readable), tuple(refused), tuple(unusable), tuple(sorted(a for a in server.allow if a not in names))
    )


def only_reads(tool: types.Tool) -> bool:
    """By its own declaration, which must not contradict itself. The hint's default is that a tool may write."""
    hints = tool.annotations
    return hints is not None and hints.read_only_hint is True and hints.destructive_hint is not True


def tool_name(server: str, tool: str) -> str:
    """`mcp_<server>_<tool>` in the letters that a model's API takes for a name."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", f"mcp_{server}_{tool}")[:NAME_CHARACTERS]
