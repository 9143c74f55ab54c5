"""The skill connected to a served cluster, and two clusters to look at."""

from __future__ import annotations

from skills.contract import Access, Focus, QueryMeter, SkillContext
from skills.kubernetes.settings import Settings
from skills.kubernetes.tools import Kubernetes
from tests.skills.kubernetes.server import Cluster
from tests.skills.kubernetes.shapes import (
    NODES,
    NOW,
    NS,
    WINDOW,
    Obj,
    app,
    container,
    ended,
    endpoints,
    meta,
    pod_spec,
    unwell,
    waiting,
)

NAMESPACES: list[Obj] = [
    {"kind": "Namespace", "apiVersion": "v1", "metadata": meta(n, namespace=None), "status": {"phase": "Active"}}
    for n in ("default", "kube-system", "shop", "billing")
]


def kubernetes(url: str, token: str = "", limit: int | None = None, **settings: object) -> Kubernetes:
    wanted = Settings.model_validate({"url": url, "token_env": "SHOP_TOKEN" if token else None, **settings})
    return Kubernetes(Access(wanted, lambda name: token or None, QueryMeter("kubernetes", limit), timeout_seconds=2))


def context(**focus: object) -> SkillContext:
    asked = Focus(**{"namespace": NS, "service": "cart", "started_at": NOW, **focus})  # type: ignore[arg-type]  # test words
    return SkillContext(asked, NOW, WINDOW, WINDOW)


def broken_shop() -> Cluster:
    objects = [*NODES, *NAMESPACES, *app("cart"), *app("frontend")]
    for obj in objects:
        if obj["kind"] == "Service" and obj["metadata"]["name"] == "cart":
            obj["spec"]["selector"] = {"app": "cart", "track": "none"}
    return Cluster([*(o for o in objects if o["metadata"]["name"] != "cart-x1z2p"), endpoints("cart")])


def crowded() -> Cluster:
    """Twelve hundred pods in the alert's namespace, two of which do not run well."""
    crash = waiting("CrashLoopBackOff", "back-off", restarts=4, last=ended("OOMKilled", 137))
    limited = pod_spec(container(resources={"limits": {"memory": "64Mi"}}))
    many = [o for i in range(300) for o in app(f"svc-{i:03}", replicas=4, suffix=f"77aa{i:04}")]
    return Cluster([*NODES, *NAMESPACES, *many, *unwell("zz-late", suffix="88bb0000", spec=limited, statuses=[crash])])
