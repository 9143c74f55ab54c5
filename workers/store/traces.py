"""Traces: what an investigation did, span by span, written before the next step begins.

Large inputs and outputs are kept once, compressed, by their hash. Format: workers/trace.py.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import Any

import sqlalchemy as sa

from workers.store.columns import clean
from workers.store.engine import Database
from workers.store.investigations import hold
from workers.store.tables import attachments, spans, traces
from workers.trace import Span, Trace

LARGE_BYTES = 8192


class Traces:
    def __init__(self, database: Database) -> None:
        self._db = database

    def start(self, trace: Trace, attempt: int) -> None:
        """Stores the trace's head; a later attempt replaces all of it but its beginning. Raises StaleAttempt."""
        with self._db.write() as connection:
            hold(connection, trace.investigation_id, attempt)
            self._db.upsert(connection, traces, trace.model_dump(), keep=("t0",))

    def add(self, span: Span, attempt: int) -> None:
        """Durable when it returns; idempotent by the span's id. Raises StaleAttempt."""
        values = span.model_dump() | span.model_dump(mode="json", include={"input", "output", "attributes"})
        with self._db.write() as connection:
            owner = sa.select(traces.c.investigation_id).where(traces.c.id == span.trace_id)
            hold(connection, connection.execute(owner).scalar_one_or_none() or "", attempt)
            for side in ("input", "output"):
                small, digest = self._put_away(connection, values[side])
                values |= {side: small, f"{side}_sha256": digest}
            self._db.insert_new(connection, spans, values)

    def get(self, trace_id: str) -> Trace | None:
        return self._first(traces.c.id == trace_id)

    def of_investigation(self, investigation_id: str) -> Trace | None:
        return self._first(traces.c.investigation_id == investigation_id)

    def spans(self, trace_id: str) -> tuple[Span, ...]:
        """By sequence, then attempt; inputs and outputs whole."""
        statement = sa.select(spans).where(spans.c.trace_id == trace_id)
        with self._db.read() as connection:
            rows = connection.execute(statement.order_by(spans.c.sequence, spans.c.attempt, spans.c.t0)).mappings()
            return tuple(_whole(connection, row) for row in rows.all())

    def last(self, investigation_id: str, name: str) -> Span | None:
        """The newest span of that name in the investigation's trace."""
        theirs = sa.select(traces.c.id).where(traces.c.investigation_id == investigation_id)
        statement = sa.select(spans).where(spans.c.trace_id.in_(theirs), spans.c.name == name)
        with self._db.read() as connection:
            newest = statement.order_by(spans.c.sequence.desc(), spans.c.attempt.desc()).limit(1)
            row = connection.execute(newest).mappings().first()
            return None if row is None else _whole(connection, row)

    def attachment(self, sha256: str) -> bytes | None:
        """The JSON of a large input or output, in UTF-8."""
        with self._db.read() as connection:
            return _attachment(connection, sha256)

    def _first(self, condition: sa.ColumnElement[bool]) -> Trace | None:
        with self._db.read() as connection:
            row = connection.execute(sa.select(traces).where(condition).order_by(traces.c.t0)).mappings().first()
            return None if row is None else Trace.model_validate(row)

    def _put_away(self, connection: sa.Connection, value: Any) -> tuple[Any, str | None]:
        """What the span's own row keeps, and the hash of what it does not."""
        text = clean(json.dumps(value, ensure_ascii=False, separators=(",", ":"))).encode()
        if len(text) <= LARGE_BYTES:
            return value, None
        digest = hashlib.sha256(text).hexdigest()
        row = {"sha256": digest, "size": len(text), "zlib": zlib.compress(text)}
        self._db.insert_new(connection, attachments, row)
        return None, digest


def _whole(connection: sa.Connection, row: sa.RowMapping) -> Span:
    values = dict(row)
    for side in ("input", "output"):
        digest = row[f"{side}_sha256"]
        if digest is not None:
            values[side] = json.loads(_attachment(connection, digest) or "null")
    return Span.model_validate(values)


def _attachment(connection: sa.Connection, sha256: str) -> bytes | None:
    packed = connection.execute(
        sa.select(attachments.c.zlib).where(attachments.c.sha256 == sha256)
    ).scalar_one_or_none()
    return None if packed is None else zlib.decompress(packed)
