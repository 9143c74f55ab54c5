"""A real Valkey for the tests of the queue, once for each file's session, empty for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from workers.queue import Queue, connect
from workers.valkey import Valkey, start


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = start(tmp_path_factory.mktemp("valkey"))
    yield server
    server.stop()


@pytest.fixture
def client(valkey: Valkey) -> Iterator[redis.Redis]:
    connection = redis.Redis.from_url(valkey.url)
    connection.flushall()
    yield connection
    connection.close()


@pytest.fixture
def queue(valkey: Valkey, client: redis.Redis) -> Iterator[Queue]:
    connected = connect(valkey.url)
    yield connected
    connected.close()
