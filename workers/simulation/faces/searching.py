"""What the parts of the search share: documents, predicates, and the two ways in which a request is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Doc = Mapping[str, Any]
"""Flat: dotted names; `_at` is its moment, `_read` what its @timestamp says, `_n` its identity."""
Predicate = Callable[[Doc], bool]


class NoSuchQuery(Exception):
    """parsing_exception: the request is not one that this server knows."""

    def __init__(self, reason: str, kind: str = "parsing_exception") -> None:
        super().__init__(reason)
        self.reason, self.kind = reason, kind


class Failure(Exception):
    """An answer with an error of the real shape."""

    def __init__(self, status: int, kind: str, reason: str, **more: Any) -> None:
        super().__init__(reason)
        self.status, self.kind, self.reason, self.more = status, kind, reason, more


def listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
