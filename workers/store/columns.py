"""The kinds of columns: times as ISO text in UTC, JSON as text, words that every database can hold, bounded keys.

SQLite's DateTime forgets the time zone; ISO text of fixed width sorts by time in both databases and can be read by eye.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

KEY_CHARACTERS = 300
"""PostgreSQL cannot index a value of more than about 2,700 bytes; a fingerprint comes from outside and may be one."""


def clean(text: str) -> str:
    """Without what a database refuses: NUL (PostgreSQL) and halves of surrogate pairs (both)."""
    return text.replace("\x00", "?").encode("utf-8", "replace").decode("utf-8")


def bounded(key: str) -> str:
    """The key itself, or where it is long its beginning and its hash."""
    key = clean(key)
    if len(key) <= KEY_CHARACTERS:
        return key
    return f"{key[: KEY_CHARACTERS - 65]}~{hashlib.sha256(key.encode()).hexdigest()}"


class Moment(sa.types.TypeDecorator[datetime]):
    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone: times in the store are aware")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class Words(sa.types.TypeDecorator[str]):
    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else clean(value)


class Key(sa.types.TypeDecorator[str]):
    """What rows are found by. A long one is kept as its beginning and its hash, and found by the whole."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else bounded(value)


class Json(sa.types.TypeDecorator[Any]):
    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else clean(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        return None if value is None else json.loads(value)
