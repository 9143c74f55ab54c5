"""What goes into a source and what comes out of it. Knows no source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workers.domain import Alert


@dataclass(frozen=True)
class Read:
    """What a payload turned out to be. Exactly one of the two is empty."""

    alerts: tuple[Alert, ...] = ()
    reason: str = ""
    """Why there is no alert in it, as the end of the sentence "Left alone: ..."."""

    def __post_init__(self) -> None:
        if bool(self.alerts) == bool(self.reason):
            raise ValueError("a Read has either alerts or a reason")


@dataclass(frozen=True)
class Origin:
    """Where a payload came from, as far as the caller knows."""

    channel: str = ""
    """Slack channel id or name; empty for a webhook."""
    received_at: datetime | None = None


@dataclass(frozen=True)
class Body:
    """A decoded webhook body: a JSON object whose types are anybody's guess."""

    data: Mapping[str, Any]
    origin: Origin = field(default_factory=Origin)


def text(value: object) -> str:
    """A string or a number as text; anything else, where a text was expected, is nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value) if abs(value) < 1e30 else ""
    return ""


def table(value: object) -> Mapping[str, Any]:
    """A JSON object, or an empty one where something else stands in its place."""
    return value if isinstance(value, Mapping) else {}


def rows(value: object) -> list[Any]:
    """A JSON array, or an empty one where something else stands in its place."""
    return value if isinstance(value, list) else []


def tables(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects of a JSON array."""
    return (row for row in rows(value) if isinstance(row, Mapping))


def first_text(data: Mapping[str, Any], *names: str) -> str:
    """The first of the named values that is a non-empty text."""
    return next((found for name in names if (found := text(data.get(name)).strip())), "")
