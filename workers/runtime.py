"""What a worker process holds while it lives: settings, customers, store, queue. Composed once, inherited by forks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from config.customers import Customer, load_all
from config.settings import ConfigError, Settings, load
from skills import registry
from workers import valkey
from workers.queue import Queue, connect
from workers.store import Store, open_store


@dataclass(frozen=True)
class Runtime:
    settings: Settings
    customers: dict[str, Customer]
    store: Store
    queue: Queue

    def customer(self, name: str) -> Customer:
        """Raises ConfigError when the file of a customer with open work has been taken away."""
        try:
            return self.customers[name]
        except KeyError:
            raise ConfigError(f"{self.settings.customers_dir}: no file for customer {name!r} any more") from None


def customers(settings: Settings) -> dict[str, Customer]:
    """Every customer by name, with skill settings checked. Raises ConfigError or SkillError naming file and key."""
    found = {customer.name: customer for customer in load_all(settings.customers_dir)}
    for customer in found.values():
        registry.validate(customer, f"{settings.customers_dir}, customer {customer.name}")
    return found


def redis_url(settings: Settings) -> str:
    """REDIS_URL, or the Valkey of this state directory, started if it does not run."""
    return settings.redis_url or valkey.start(settings.state_dir).url


@cache
def runtime() -> Runtime:
    """This process's runtime. Raises ConfigError, SkillError, StoreError or QueueError, each in one line."""
    settings = load()
    return Runtime(settings, customers(settings), open_store(settings.database_url), connect(redis_url(settings)))
