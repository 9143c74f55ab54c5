"""What real clusters hold that looks like a cause and is none. Most lines of the field notes have their test here."""

from __future__ import annotations

from tests.skills.kubernetes.shapes import Obj, app, causes, container, leading, pod_spec, without


def worker(name: str, env: list[Obj], **spec: object) -> list[Obj]:
    return without(
        app(name, spec=pod_spec(container(image=f"x/{name}:1", port=None, env=env), **spec)), "Service", "EndpointSlice"
    )


SHOP = [o for n in ("cart", "orders", "search", "pricing", "geo") for o in app(n)]


def test_a_worker_whose_only_port_is_scraped_needs_no_service() -> None:
    env = [{"name": "SERVICE_NAME", "value": "mailer"}]
    named = pod_spec(
        container(image="x/mailer:1", port=None, env=env, ports=[{"name": "metrics", "containerPort": 9102}])
    )
    scraped = pod_spec(container(image="x/mailer:1", port=9102, env=env))
    annotated = without(app("mailer", spec=scraped), "Service", "EndpointSlice")
    annotated[0]["spec"]["template"]["metadata"]["annotations"] = {"prometheus.io/port": "9102"}
    assert causes(*SHOP, *without(app("mailer", spec=named), "Service", "EndpointSlice")) == []
    assert causes(*SHOP, *annotated) == []


def test_what_a_workload_calls_itself_is_no_address() -> None:
    env = [
        {"name": "SERVICE", "value": "mailer"},
        {"name": "OTEL_SERVICE", "value": "mail-sender"},
        {"name": "JOB_SERVER", "value": "mailer-worker"},
    ]
    objects = worker("mailer-worker", env)
    assert causes(*SHOP, *objects) == []


def test_a_host_of_the_pods_own_hosts_file_is_no_missing_service() -> None:
    alias = [{"ip": "10.1.2.3", "hostnames": ["legacy-db"]}]
    env = [{"name": "DB_HOST", "value": "legacy-db"}, {"name": "DB_URL", "value": "postgres://legacy-db:5432/x"}]
    assert causes(*SHOP, *worker("mailer", env, hostAliases=alias)) == []


def test_an_address_of_a_service_that_is_gone_is_still_seen() -> None:
    env = [{"name": "CART_HOST", "value": "cart"}]
    objects = [
        o for o in SHOP if not (o["kind"] in ("Service", "EndpointSlice") and o["metadata"]["name"].startswith("cart"))
    ]
    assert leading(*objects, *worker("mailer", env)) == ("Service shop/cart", "service_deleted")
