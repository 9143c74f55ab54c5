"""The migrations and the tables agree, and starting is safe for several processes at once."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import workers.store.schema
from workers.store import open_store
from workers.store.tables import metadata

FORK = multiprocessing.get_context("fork")


def test_the_migrations_make_exactly_the_tables(new_database_url: str) -> None:
    open_store(new_database_url).close()
    engine = sa.create_engine(new_database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        names = sa.inspect(connection)
        for table in metadata.sorted_tables:
            found = {index["name"] for index in names.get_indexes(table.name)}
            assert {index.name for index in table.indexes} <= found
    engine.dispose()


def test_the_head_that_the_code_knows_is_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(workers.store.schema.__file__).with_name("migrations")))
    assert ScriptDirectory.from_config(config).get_heads() == [workers.store.schema.HEAD]


def test_processes_that_start_together_find_one_schema(new_database_url: str) -> None:
    gate = FORK.Barrier(5)
    children = [FORK.Process(target=_open_at_once, args=(gate, new_database_url)) for _ in range(5)]
    for child in children:
        child.start()
    for child in children:
        child.join(30)
    assert [child.exitcode for child in children] == [0] * 5


def test_a_second_start_changes_nothing(new_database_url: str) -> None:
    first = open_store(new_database_url)
    first.notes.put("kept", "yes", datetime(2026, 11, 25, 12, tzinfo=UTC))
    first.close()
    second = open_store(new_database_url)
    assert second.notes.get("kept") == "yes"
    second.close()


def _open_at_once(gate, url: str) -> None:  # type: ignore[no-untyped-def] # Barrier's type is private to its context
    gate.wait(20)
    open_store(url).close()
