"""Connections and transactions on SQLite and PostgreSQL. The only place that knows how the two differ.

SQLite: WAL, writers begin with BEGIN IMMEDIATE (a deferred transaction that writes late fails at once when another
was faster), and readers have an engine of their own so that they never wait for a writer.
"""

from __future__ import annotations


class Database:
    """Two engines on one database. Connections do not survive a fork: a child that inherits one forgets it."""

    def __init__(self, url: str, *, wait_seconds: float = 30.0) -> None:
        self.url = url
        self.wait_seconds = wait_seconds

    def close(self) -> None:
        raise NotImplementedError

    def dispose_after_fork(self) -> None:
        raise NotImplementedError
