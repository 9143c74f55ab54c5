"""The durable records of Gumshoe: SQLite in WAL mode by default, PostgreSQL by DATABASE_URL.

The one package that knows SQL. Methods are verbs of the domain, return frozen records of `workers.domain` and
`workers.trace`, and own their transaction; times go in and come out aware, in UTC. Redis is a queue, this the record.

Any method may raise StoreError (the database cannot be reached, is locked or damaged).
"""

from __future__ import annotations

from workers.store.engine import Database
from workers.store.errors import NoSuchRecord, StaleAttempt, StoreError
from workers.store.feedback import FeedbackRows
from workers.store.findings import Findings
from workers.store.flags import Flags
from workers.store.guidance import GuidanceBook
from workers.store.ignored import IgnoredRows
from workers.store.incidents import Incidents
from workers.store.investigations import Investigations
from workers.store.mutes import Mutes
from workers.store.notes import Notes
from workers.store.outbox import Outbox
from workers.store.schema import migrate
from workers.store.seen import Seen
from workers.store.toggles import Toggles
from workers.store.traces import Traces

__all__ = ["NoSuchRecord", "StaleAttempt", "Store", "StoreError", "open_store"]


class Store:
    """Every record, by what it is. Safe to share between threads; may be inherited by a forked child."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.incidents = Incidents(database)
        self.investigations = Investigations(database)
        self.findings = Findings(database)
        self.traces = Traces(database)
        self.outbox = Outbox(database)
        self.feedback = FeedbackRows(database)
        self.guidance = GuidanceBook(database)
        self.toggles = Toggles(database)
        self.mutes = Mutes(database)
        self.flags = Flags(database)
        self.ignored = IgnoredRows(database)
        self.seen = Seen(database)
        self.notes = Notes(database)

    def dispose_after_fork(self) -> None:
        """Forgets the parent's connections without closing them. Also done by itself at a child's first use."""
        self._database.dispose_after_fork()

    def close(self) -> None:
        """Closes all connections; the store can be used again and then opens new ones."""
        self._database.close()


def open_store(database_url: str, *, wait_seconds: float = 30.0) -> Store:
    """Opens the records and migrates them to this version's schema; several processes may do so at once.

    `wait_seconds`: how long to wait for a lock or a connection. Raises StoreError in one line.
    """
    database = Database(database_url, wait_seconds=wait_seconds)
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return Store(database)
