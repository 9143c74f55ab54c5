"""What cannot be opened is told in one line: the database, without its password, and what to do."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.store.samples import NOON
from workers.store import StoreError, open_store

_NOBODY = 65534


def _told(url: str, **options: float) -> str:
    with pytest.raises(StoreError) as told:
        open_store(url, **options)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = _told(f"postgresql://someone:made-up-word@127.0.0.1:{port}/gumshoe")
    assert f"127.0.0.1:{port}/gumshoe" in told
    assert "DATABASE_URL" in told
    assert "made-up-word" not in told


def test_a_database_that_does_not_exist_is_named(postgresql_server: str) -> None:
    url = sa.make_url(postgresql_server).set(database="nothing_here").render_as_string(hide_password=False)
    told = _told(url)
    assert "nothing_here" in told
    assert "create it" in told


def test_a_password_in_the_query_is_hidden_too() -> None:
    assert "made-up-word" not in _told("postgresql://127.0.0.1:1/gumshoe?password=made-up-word")


@pytest.mark.parametrize("url", ["", "gumshoe.db", "mysql://127.0.0.1/gumshoe", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_cannot_serve_says_what_would(url: str) -> None:
    assert "sqlite:///" in _told(url)


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    told = _told(f"sqlite:///{tmp_path}/file/state/gumshoe.db")
    assert str(tmp_path / "file" / "state") in told


@pytest.fixture
def sealed() -> Iterator[Path]:
    """A directory in which this process may not write; root may anywhere, so it steps down for the test."""
    # Not under pytest's own directory, which only its owner may enter.
    directory = Path(tempfile.mkdtemp(prefix="gumshoe-sealed-"))
    directory.chmod(0o555)
    was = os.geteuid()
    if was == 0:
        os.seteuid(_NOBODY)
    try:
        yield directory
    finally:
        os.seteuid(was)
        shutil.rmtree(directory)


def test_a_directory_that_is_not_writable_says_so(sealed: Path) -> None:
    told = _told(f"sqlite:///{sealed}/gumshoe.db")
    assert "writable" in told
    assert str(sealed) in told


def test_a_damaged_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "gumshoe.db"
    path.write_bytes(b"this was a shopping list " * 500)
    assert "damaged" in _told(f"sqlite:///{path}")


def test_a_file_damaged_in_the_middle_says_so(tmp_path: Path) -> None:
    path = tmp_path / "gumshoe.db"
    open_store(f"sqlite:///{path}").close()
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * 4096 * 8 + whole[4096 * 9 :])
    with pytest.raises(StoreError, match="damaged"):
        _use(f"sqlite:///{path}")


def _use(url: str) -> None:
    store = open_store(url)
    store.seen.first_time("Ev1", NOON)
    store.incidents.recent("acme")


def test_a_locked_file_says_so_after_the_time_to_wait(tmp_path: Path) -> None:
    path = tmp_path / "gumshoe.db"
    store = open_store(f"sqlite:///{path}", wait_seconds=0.1)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("begin immediate")
    with pytest.raises(StoreError, match="another process holds it"):
        store.seen.first_time("Ev1", NOON)
    assert store.notes.get("nothing") is None, "readers do not wait for a writer"
    holder.rollback()
    assert store.seen.first_time("Ev1", NOON)
    holder.close()
    store.close()


def test_records_of_a_newer_gumshoe_are_left_alone(new_database_url: str) -> None:
    open_store(new_database_url).close()
    engine = sa.create_engine(new_database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    engine.dispose()
    assert "newer Gumshoe" in _told(new_database_url)


def test_a_server_that_was_restarted_costs_nothing_but_a_new_connection(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        return  # there is no server
    store = open_store(database_url)
    store.notes.put("kept", "yes", NOON)
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        others = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and "
        connection.execute(sa.text(others + "datname = current_database()"))
    engine.dispose()
    assert store.notes.get("kept") == "yes"
    store.close()
