"""A missing name, told by what siblings are configured with: a wrong address, or a Service that is gone."""

from __future__ import annotations

from tests.skills.kubernetes.shapes import Obj, app, causes, container, pod_spec, unwell


def with_store(called: str, host: str, *, well: bool = True) -> list[Obj]:
    env = [{"name": f"{called.upper()}_MYSQL_HOST", "value": host}]
    spec = pod_spec(container(env=env))
    return app(called, spec=spec) if well else unwell(called, spec=spec)


def leading(*objects: Obj) -> tuple[str, str]:
    best = next(s for s in causes(*objects) if s.analyzer == "kubernetes.dependencies")
    return str(best.entity), best.faults[0]


def test_what_two_siblings_name_under_the_same_key_was_meant() -> None:
    shop = [*app("ledger-leader"), *with_store("order", "ledger-leader"), *with_store("user", "ledger-leader")]
    found = leading(*shop, *with_store("station", "central-books", well=False))
    assert found == ("Deployment shop/station", "datastore_endpoint_wrong")


def test_siblings_with_a_store_each_do_not_say_what_was_meant() -> None:
    """Then the one without a Service lost it."""
    shop = [*app("order-db"), *app("user-db"), *with_store("order", "order-db"), *with_store("user", "user-db")]
    found = leading(*shop, *with_store("station", "central-books", well=False))
    assert found == ("Service shop/central-books", "service_deleted")
