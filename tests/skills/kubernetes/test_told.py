"""What a reader is told of nodes, stores and a healthy namespace: what decides, and what can be cited."""

from __future__ import annotations

from skills.contract import ToolResult
from tests.skills.kubernetes.served import NAMESPACES, context, kubernetes
from tests.skills.kubernetes.server import Cluster, serving
from tests.skills.kubernetes.shapes import NS, app, meta, node, pod_spec


def ask(cluster: Cluster, verb: str, **arguments: str) -> ToolResult:
    with serving(cluster) as url:
        tool = next(t for t in kubernetes(url).tools if t.name == f"kubernetes_{verb}")
        return tool.run(tool.input(**arguments), context())


def test_a_node_tells_who_may_run_there_and_how_much_in_three_lines() -> None:
    tainted = node("worker-1")
    tainted["spec"]["taints"] = [{"key": "dedicated", "value": "batch", "effect": "NoSchedule"}]
    told = [e.text for e in ask(Cluster([tainted, *NAMESPACES, *app("cart")]), "nodes").evidence]
    assert "Node worker-1 taints dedicated=batch:NoSchedule" in told
    assert any(line.startswith("Node worker-1 allocatable cpu ") and "memory" in line for line in told)
    assert not any("machineID" in line or "{" in line for line in told)


def test_a_store_tells_what_it_claims() -> None:
    store = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": meta("cart-db"),
        "spec": {
            "replicas": 1,
            "serviceName": "cart-db",
            "selector": {"matchLabels": {"app": "cart-db"}},
            "template": {"metadata": {"labels": {"app": "cart-db"}}, "spec": pod_spec()},
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "data"},
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "20Gi"}}},
                }
            ],
        },
        "status": {"replicas": 1, "readyReplicas": 1},
    }
    told = ask(Cluster([node("worker-1"), *NAMESPACES, store]), "describe", kind="StatefulSet", name="cart-db")
    assert any("claims data: 20Gi of class (default), ReadWriteOnce" in e.text for e in told.evidence)


def test_that_nothing_deviates_can_be_cited() -> None:
    cluster = Cluster([node("worker-1"), *NAMESPACES, *app("cart")])
    told = ask(cluster, "overview", namespace=NS)
    assert told.status == "no_data"
    assert "pods ready" in told.evidence[0].text
    assert "1 of 1 nodes ready" in told.evidence[0].text
    with serving(cluster) as url:
        assert "pods ready" in kubernetes(url).first_look(context()).evidence[0].text
