"""The customer's MCP servers: their tools are listed when the investigation begins, and called as the model asks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from skills.contract import (
    Access,
    Check,
    FirstLook,
    Gap,
    SkillContext,
    Sources,
    Tool,
    ToolError,
    ToolInput,
    ToolResult,
)
from skills.mcp.arguments import sent
from skills.mcp.client import Connection
from skills.mcp.listing import Listed, Readable, chosen, tool_name
from skills.mcp.results import result_of
from skills.mcp.settings import Settings
from skills.trouble import failed

NAMED = 12


@dataclass(frozen=True)
class _Answer:
    """What one server said to the question for its tools."""

    connection: Connection
    listed: Listed | None
    why_not: ToolError | None = None


class Mcp:
    name = "mcp"
    sources = Sources()

    def __init__(self, access: Access) -> None:
        settings: Settings = access.settings
        self._servers = {
            name: (server, Connection(name, server, access)) for name, server in sorted(settings.servers.items())
        }
        self._answers: tuple[_Answer, ...] = ()

    @property
    def tools(self) -> Sequence[Tool]:
        """Known once `reach` has asked the servers."""
        tools: dict[str, Tool] = {}
        for answer in self._answers:
            for readable in answer.listed.readable if answer.listed else ():
                name = tool_name(answer.connection.name, readable.name)
                tools.setdefault(name, _tool(name, answer.connection, readable))
        return tuple(tools.values())

    def reach(self) -> None:
        """Asks every server for its tools, side by side. Raises ToolError when none of them answers."""
        self._answers = self._listed()
        silent = [str(a.why_not) for a in self._answers if a.listed is None]
        if len(silent) == len(self._answers):
            raise ToolError("; ".join(silent))

    def first_look(self, context: SkillContext) -> FirstLook:
        """Which servers there are, so that the model knows what it may look for; nothing is asked of them."""
        lines = [_told(a.connection.name, a.listed) for a in self._answers if a.listed is not None]
        gaps = tuple(Gap(f"MCP server {a.connection.name}", str(a.why_not)) for a in self._answers if a.listed is None)
        return FirstLook(text="\n".join(("tools by find_tool", *lines)), gaps=gaps)

    def checks(self) -> Sequence[Check]:
        return tuple(check for answer in self._listed() for check in _checks(answer))

    def _listed(self) -> tuple[_Answer, ...]:
        with ThreadPoolExecutor(len(self._servers)) as pool:
            return tuple(pool.map(self._list, self._servers))

    def _list(self, name: str) -> _Answer:
        server, connection = self._servers[name]
        try:
            return _Answer(connection, chosen(connection.tools(), server))
        except ToolError as error:
            return _Answer(connection, None, error)


def connect(access: Access) -> Mcp:
    return Mcp(access)


def _tool(name: str, connection: Connection, readable: Readable) -> Tool:
    says = f"{connection.name}: {readable.description}"
    run = partial(_call, connection, readable)
    return Tool(name, says, readable.input, run, (connection.name,), deferred=True)


def _call(connection: Connection, readable: Readable, given: ToolInput, context: SkillContext) -> ToolResult:
    arguments = sent(given)
    seconds = (context.deadline - datetime.now(UTC)).total_seconds() if context.deadline else 30.0
    answer = connection.call(readable.name, arguments, max(0.1, seconds))
    return result_of(connection.name, readable.name, arguments, answer)


def _told(name: str, listed: Listed) -> str:
    kinds: dict[str, list[str]] = {}
    for readable in listed.readable:
        kinds.setdefault(re.sub(r"\d+", "#", readable.name), []).append(readable.name)
    names = [group[0] if len(group) == 1 else f"{group[0]} and {len(group) - 1} alike" for group in kinds.values()]
    shown = ", ".join(names[:NAMED]) + (f" … {len(names) - NAMED} more" if len(names) > NAMED else "")
    withheld = f"; not offered, because they may write: {len(listed.refused)}" if listed.refused else ""
    return f"{name}: {shown or 'no tool that only reads'}{withheld}"


def _checks(answer: _Answer) -> Iterator[Check]:
    what = f"server {answer.connection.name}"
    if answer.why_not is not None:
        section = f"skills.mcp.servers.{answer.connection.name}"
        yield failed(what, answer.why_not, f"check {answer.connection.way.settings} of {section}")
    if answer.listed is None:
        return
    listed = answer.listed
    yield Check(
        what,
        bool(listed.readable),
        f"{len(listed.readable)} tools may be called; refused: {', '.join(listed.refused[:NAMED]) or 'none'}",
        "name the tools that only read under allow",
    )
    if unset := answer.connection.way.unset:
        yield Check(f"{what}, env", False, f"empty: {', '.join(unset)}", "set it, or take it out of the file")
    if listed.missing:
        yield Check(f"{what}, allow", False, f"it has no tool {', '.join(listed.missing)}", "correct the names")
    if listed.unusable:
        yield Check(f"{what}, schemas", False, f"input schema not usable: {', '.join(listed.unusable[:NAMED])}", "")
