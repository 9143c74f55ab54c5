"""The desk on a real store and a real queue. No worker runs: tests put records into the store as a worker would."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.customers import Customer
from config.settings import Settings
from tests.bot.workspace import Room, workspace
from workers import valkey
from workers.queue import Queue, connect
from workers.store import Store, open_store


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = valkey.start(tmp_path_factory.mktemp("queue"))
    yield server.url
    server.stop()


@pytest.fixture
def queue(redis_url: str) -> Iterator[Queue]:
    queue = connect(redis_url)
    yield queue
    queue.close()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of the present schema, for each test to have a copy of."""
    path = tmp_path_factory.mktemp("store") / "gumshoe.db"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def settings(tmp_path: Path, migrated: Path) -> Settings:
    shutil.copy(migrated, tmp_path)
    return Settings(
        state_dir=tmp_path,
        customers_dir=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'gumshoe.db'}",
        redis_url=None,
        public_url="https://gumshoe.example.com",
        environment={"ACME_HOOK": "not-a-real-secret", "ACME_PD": "made-up-signing-key"},
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    store = open_store(settings.database_url)
    yield store
    store.close()


@pytest.fixture
def customer() -> Customer:
    webhooks = {
        "pagerduty_secret_env": "ACME_PD",
        "alertmanager_secret_env": "ACME_HOOK",
        "generic_secret_env": "ACME_HOOK",
    }
    skills = {"kubernetes": {"url": "http://127.0.0.1:1"}, "prometheus": {"url": "http://127.0.0.1:1"}}
    return Customer.model_validate(
        {"name": "acme", "slack": {"channels": ["alerts"]}, "webhooks": webhooks, "skills": skills}
    )


@pytest.fixture
def room(settings: Settings, store: Store, queue: Queue, customer: Customer) -> Iterator[Room]:
    with workspace(settings, store, queue, {"acme": customer}) as room:
        yield room
