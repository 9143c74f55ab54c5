"""Brings a database to this version's schema, also when several processes start at the same moment.

The whole migration is one transaction under a lock: on SQLite the write lock, on PostgreSQL an advisory one. Who comes
second waits, and finds the work done.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from workers.store.engine import Database
from workers.store.errors import StoreError
from workers.store.trouble import in_one_line, shown

HEAD = "0002"
"""The last revision in migrations/versions. Known here so that a start with nothing to do need not load Alembic."""


def migrate(database: Database) -> None:
    """Raises StoreError: not reachable, locked, damaged, not permitted, or made by a newer Gumshoe."""
    database.make_directory()
    with in_one_line(database.url, also=(sa.exc.ProgrammingError, sa.exc.InterfaceError)):
        with database.read() as connection:
            found = _revision(connection)
        if found == HEAD:
            return
        with database.write() as connection:
            database.lock(connection, "gumshoe migrations")
            found = _revision(connection)
            if found == HEAD:
                return
            if found is not None and found > HEAD:
                raise StoreError(
                    f"{shown(database.url)}: made by a newer Gumshoe (revision {found}, this one knows {HEAD}): "
                    "update Gumshoe, or let DATABASE_URL name another database"
                )
            _upgrade(connection)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("select version_num from alembic_version")).scalar_one_or_none()


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415 - a quarter of a second that only a start with work to do should pay
    from alembic.config import Config  # noqa: PLC0415 - the same

    config = Config()
    # The file format that Config comes from gives % a meaning of its own.
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
