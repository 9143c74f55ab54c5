"""The log of Web API calls: who asked for what, in which order, and what was answered. Tests read it."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import asdict, dataclass

from bot.local_slack.records import Json


@dataclass(frozen=True)
class LoggedCall:
    number: int
    at: float
    method: str
    args: Json
    status: int
    answer: Json
    fault: str | None = None
    """The kind of misbehaviour that struck it, if one did."""


class CallLog:
    def __init__(self, keep: int = 5_000) -> None:
        self._lock = threading.Lock()
        self._calls: deque[LoggedCall] = deque(maxlen=keep)
        self._count = 0

    def add(self, at: float, method: str, args: Json, status: int, answer: Json, fault: str | None) -> None:
        with self._lock:
            self._count += 1
            self._calls.append(LoggedCall(self._count, at, method, args, status, answer, fault))

    def of(self, method: str | None = None, since: int = 0) -> list[Json]:
        with self._lock:
            return [asdict(c) for c in self._calls if c.number > since and method in {None, c.method}]
