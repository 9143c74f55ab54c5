"""JSON over HTTP for skills that speak REST: bounded in time and size, with refusals in words that say what to do.

Knows no vendor. What differs (base address, headers, where the credential comes from) is handed in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from skills.contract import QueryMeter
from skills.trouble import Answered, NotThere, Party, RateLimited, refused, unreadable
from skills.wire import Trust, Wire

__all__ = ["Answer", "Asked", "Door", "NotThere", "RateLimited", "Rest", "at", "moment", "rows", "text"]

MAX_BYTES = 12_000_000
MOVES = 2
"""Redirects that are followed."""

Asked = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    data: Any
    headers: Mapping[str, str]

    @property
    def has_next(self) -> bool:
        """RFC 8288: Link: <...>; rel="next"."""
        return 'rel="next"' in self.headers.get("link", "")


@dataclass(frozen=True)
class Door:
    """How one system is reached."""

    party: Party
    headers: Mapping[str, str]
    verify_tls: bool = True
    ca_file: str | None = None

    @property
    def base(self) -> str:
        return self.party.base


class Rest:
    """GET requests to one system. Safe to share between threads. One that limits the rate is not asked again."""

    def __init__(self, door: Door, meter: QueryMeter, timeout_seconds: float) -> None:
        self.door = door
        trust = Trust(door.verify_tls, door.ca_file)
        self._wire = Wire(door.party, door.headers, meter, timeout_seconds, trust, MAX_BYTES)

    def get(self, path: str, asked: Asked = (), *, until: float | None = None) -> Answer:
        """`until`: monotonic time at which nobody waits any longer. Raises ToolError."""
        form = urlencode(list(asked))
        shown = f"GET {path}?{form}" if form else f"GET {path}"
        answer = self._moved(f"{self.door.base.rstrip('/')}{path}" + (f"?{form}" if form else ""), shown, until)
        if not 200 <= answer.status < 300:
            problem = refused(self.door.party, answer, shown)
            if isinstance(problem, RateLimited):
                self._wire.leave_alone(problem)
            raise problem
        try:
            return Answer(json.loads(answer.body), answer.headers)
        except (ValueError, RecursionError):
            raise unreadable(self.door.party, answer, shown) from None

    def _moved(self, address: str, shown: str, until: float | None) -> Answered:
        """A renamed repository is answered with its new place. The credentials go nowhere but to the host they are
        for."""
        answer = self._wire.ask(address, shown, until=until)
        for _ in range(MOVES):
            there = urljoin(address, answer.headers.get("location", ""))
            if answer.status not in (301, 302, 307, 308) or _origin(there) != _origin(address):
                break
            address = there
            answer = self._wire.ask(address, shown, until=until)
        return answer


def _origin(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.netloc


# What is read out of somebody else's JSON may be missing or of another type; these never raise.


def text(obj: Any, *path: str) -> str:
    """A string, or a whole number as its digits; "" for anything else."""
    found = at(obj, *path)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return found if isinstance(found, str) else ""


def at(obj: Any, *path: str) -> Any:
    for key in path:
        obj = obj.get(key) if isinstance(obj, Mapping) else None
    return obj


def rows(obj: Any, *path: str) -> list[Mapping[str, Any]]:
    """The objects of a list; [] for anything else."""
    found = at(obj, *path)
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def moment(obj: Any, *path: str) -> datetime | None:
    """An RFC 3339 time, aware UTC."""
    try:
        found = datetime.fromisoformat(text(obj, *path).replace("Z", "+00:00"))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
