"""Connections and transactions on SQLite and PostgreSQL. The only place that knows how the two differ.

SQLite: WAL; writers begin with BEGIN IMMEDIATE (a deferred transaction that writes late fails at once when another
was faster), and readers have an engine of their own, so that they never wait for a writer.
PostgreSQL: READ COMMITTED; what SQLite serialises by itself takes a row lock or `Database.lock` there.
"""

from __future__ import annotations

import os
import random
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from workers.store.errors import StoreError
from workers.store.trouble import in_one_line, shown


class Database:
    """Two engines on one database. Connections do not survive a fork: a child that inherits them forgets them."""

    def __init__(self, url: str, *, wait_seconds: float = 30.0) -> None:
        self.url = _parse(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._writers = _sqlite_engine(self.url, wait_seconds, "begin immediate")
            self._readers = _sqlite_engine(self.url, wait_seconds, "begin")
        else:
            self._writers = self._readers = _postgresql_engine(self.url, wait_seconds)
        self._pid = os.getpid()

    def make_directory(self) -> None:
        """The directory of an SQLite file. Raises StoreError when it cannot be made."""
        if self.is_sqlite:
            directory = Path(str(self.url.database)).parent
            try:
                directory.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"{shown(self.url)}: cannot make the directory {directory} ({error.strerror}): "
                    "create it, or let DATABASE_URL or GUMSHOE_STATE name another place"
                ) from None

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction, committed at the end, undone by an exception. Raises StoreError."""
        self._forget_the_parents_connections()
        with in_one_line(self.url), self._writers.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent look. Raises StoreError."""
        self._forget_the_parents_connections()
        with in_one_line(self.url), self._readers.connect() as connection:
            yield connection

    def lock(self, connection: sa.Connection, name: str) -> None:
        """Lets one transaction at a time go on under this name; SQLite has but one writer anyway."""
        if not self.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))

    def insert_new(self, connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> bool:
        """False when a row with the same unique key is there already; it stays as it is."""
        insert = sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)
        first = next(iter(table.primary_key.columns))
        stored = connection.execute(insert.values(**values).on_conflict_do_nothing().returning(first))
        return stored.first() is not None

    def upsert(
        self, connection: sa.Connection, table: sa.Table, values: Mapping[str, Any], keep: tuple[str, ...] = ()
    ) -> None:
        """Inserts the row, or replaces all but its key and the columns in `keep`."""
        keys = [column.name for column in table.primary_key.columns]
        changes = {name: value for name, value in values.items() if name not in keep and name not in keys}
        insert = sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)
        connection.execute(insert.values(**values).on_conflict_do_update(index_elements=keys, set_=changes))

    def dispose_after_fork(self) -> None:
        """Drops the parent's connections without closing them: the parent goes on using them."""
        self._writers.dispose(close=False)
        self._readers.dispose(close=False)
        self._pid = os.getpid()

    def close(self) -> None:
        self._writers.dispose()
        self._readers.dispose()

    def _forget_the_parents_connections(self) -> None:
        if self._pid != os.getpid():
            self.dispose_after_fork()


def new_id(prefix: str) -> str:
    """Short enough for a web address, long enough never to meet another; fits rq's alphabet."""
    return prefix + secrets.token_hex(6)


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise StoreError(
            "DATABASE_URL cannot be read: use sqlite:///FILE or postgresql://USER@HOST/NAME, with the characters "
            "@ : / of a password percent-encoded"
        ) from None
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError(
            f"{shown(parsed)}: neither SQLite nor PostgreSQL; use sqlite:///FILE or postgresql://HOST/NAME"
        )
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise StoreError(f"{shown(parsed)}: several processes share the records, so name a file: sqlite:///FILE")
    return parsed


def _sqlite_engine(url: sa.URL, wait_seconds: float, begin: str) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": wait_seconds})

    @sa.event.listens_for(engine, "connect")
    def _set_up(dbapi: Any, _: Any) -> None:
        dbapi.isolation_level = None  # the driver must not open transactions by itself
        for pragma in (f"busy_timeout={int(wait_seconds * 1000)}", "synchronous=normal", "foreign_keys=on"):
            dbapi.execute(f"pragma {pragma}")
        _write_ahead(dbapi, wait_seconds)

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _write_ahead(dbapi: Any, wait_seconds: float) -> None:
    """Changing to WAL needs the file alone. Where two ask for it at once SQLite refuses both instead of waiting, so
    that neither waits for the other: one of them asks again. Later connections find it in place."""
    until = time.monotonic() + wait_seconds
    while True:
        try:
            dbapi.execute("pragma journal_mode=wal")
            return
        except sqlite3.OperationalError as refused:
            if "locked" not in str(refused) or time.monotonic() > until:
                raise
            time.sleep(0.01 + random.random() * 0.04)


def _postgresql_engine(url: sa.URL, wait_seconds: float) -> sa.Engine:
    # pool_pre_ping: a server that was restarted costs one new connection, not a failed investigation.
    return sa.create_engine(
        url, pool_pre_ping=True, pool_timeout=wait_seconds, connect_args={"connect_timeout": max(2, int(wait_seconds))}
    )
