"""A transcript as a model: what a person answered by hand, with citations by what a line says instead of its number.

Numbers of evidence move with every improvement of a skill; what was cited does not. `{{words}}` stands for the number
of the first line, change or edge that holds the words, `{{change: words}}` for the id of the first change that does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.llm.base import Message, Reply, ToolSpec
from workers.llm.scripted import Scripted

FOLDER = Path(__file__).parent
_LINE = re.compile(r"^\[(E\d+)\] (.*(?:\n    \| .*)*)", re.MULTILINE)
_ROWS = re.compile(r"^<(changes|topology)>\n(.*?)\n</\1>$", re.MULTILINE | re.DOTALL)
_CITED = re.compile(r"\{\{(change: )?(.+?)\}\}")


@dataclass(frozen=True)
class Transcript:
    scenario: str
    why: str
    """What a reader learns from it."""
    verdict: str
    causes: tuple[tuple[str, str], ...]
    """(entity, fault) of each cause."""
    replies: tuple[Any, ...]
    flags: str = ""
    """The feature flag that the customer's own MCP server knows of; empty: there is no such server."""


def all_of_them() -> Iterator[Transcript]:
    for path in sorted(FOLDER.glob("*.json")):
        kept = json.loads(path.read_text(encoding="utf-8"))
        expected = kept["expected"]
        yield Transcript(
            scenario=kept["scenario"],
            why=kept["why"],
            verdict=expected["verdict"],
            causes=tuple((c["entity"], c["fault"]) for c in expected["causes"]),
            replies=tuple(kept["replies"]),
            flags=kept.get("flags", ""),
        )


class Recited(Scripted):
    """Says a transcript; the last reply is said again when it was sent back."""

    def __init__(self, transcript: Transcript) -> None:
        super().__init__((*transcript.replies, transcript.replies[-1]), name=f"scripted:{transcript.scenario}")
        self.missed: list[str] = []
        """Words that no line held."""

    def reply(self, system: str, tools: Sequence[ToolSpec], messages: Sequence[Message], **more: Any) -> Reply:
        said = super().reply(system, tools, messages, **more)
        known, altered = lines(messages), changes(messages)
        content = [self._with_numbers(block, known, altered) for block in said.content]
        return Reply(content, said.stop_reason, said.usage, said.model)

    def _with_numbers(self, value: Any, known: Mapping[str, str], altered: Mapping[str, str]) -> Any:
        if isinstance(value, dict):
            return {k: self._with_numbers(v, known, altered) for k, v in value.items()}
        if isinstance(value, list):
            return [self._with_numbers(v, known, altered) for v in value]
        if not isinstance(value, str):
            return value

        def number(match: re.Match[str]) -> str:
            places = altered if match[1] else known
            found = next((name for name, text in places.items() if match[2] in text), None)
            if found is None:
                self.missed.append(match[2])
            return found or "E0"

        return _CITED.sub(number, value)


def _texts(messages: Sequence[Message]) -> Iterator[str]:
    for message in messages:
        for block in message["content"] if message["role"] == "user" else ():
            if block["type"] == "text":
                yield block["text"]
            elif block["type"] == "tool_result":
                yield "\n".join(part["text"] for part in block["content"])


def lines(messages: Sequence[Message]) -> dict[str, str]:
    """What stands behind each number, lines before rows."""
    found: dict[str, str] = {}
    for text in _texts(messages):
        for match in _LINE.finditer(text):
            found.setdefault(match[1], match[2].replace("\n    | ", "\n"))
    for tag, row in _rows(messages):
        said = _change(row) if tag == "changes" else f"{row['from']} -> {row['to']}"
        numbers = row.get("evidence") or ()
        for number in [numbers] if isinstance(numbers, str) else numbers:
            found.setdefault(number, said)
    return found


def changes(messages: Sequence[Message]) -> dict[str, str]:
    return {str(row["id"]): _change(row) for tag, row in _rows(messages) if tag == "changes"}


def _change(row: Mapping[str, Any]) -> str:
    return f"{row['entity']}: {row['what']} at {row['at']}"


def _rows(messages: Sequence[Message]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for text in _texts(messages):
        for match in _ROWS.finditer(text):
            yield from ((match[1], json.loads(line)) for line in match[2].splitlines())
