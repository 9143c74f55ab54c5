"""Traces: what an investigation did, span by span, written before the next step begins.

Large inputs and outputs are kept once, by their hash. Format: workers/trace.py.
"""

from __future__ import annotations

from workers.store.engine import Database
from workers.trace import Span, Trace


class Traces:
    def __init__(self, database: Database) -> None:
        self._db = database

    def start(self, trace: Trace, attempt: int) -> None:
        """Stores the trace's head; a later attempt replaces all of it but its beginning. Raises StaleAttempt."""
        raise NotImplementedError

    def add(self, span: Span, attempt: int) -> None:
        """Durable when it returns; idempotent by the span's id. Raises StaleAttempt."""
        raise NotImplementedError

    def get(self, trace_id: str) -> Trace | None:
        raise NotImplementedError

    def of_investigation(self, investigation_id: str) -> Trace | None:
        raise NotImplementedError

    def spans(self, trace_id: str) -> tuple[Span, ...]:
        """By sequence, then attempt; inputs and outputs whole."""
        raise NotImplementedError

    def attachment(self, sha256: str) -> bytes | None:
        """The canonical JSON of a large input or output."""
        raise NotImplementedError
