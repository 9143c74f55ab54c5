"""F10: an authorization policy of the service mesh allows fewer callers than there are; the proxies answer 403.

Istio: an ALLOW policy that selects a workload denies whatever it does not name
(istio.io/latest/docs/reference/config/security/authorization-policy). The body is "RBAC: access denied", and Envoy's
access log has the detail rbac_access_denied_matched_policy[none].
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from math import inf
from typing import Any

from workers.simulation import dice
from workers.simulation.blow import Altered, Blow, Thing
from workers.simulation.cluster import Json, Run
from workers.simulation.world import DAY, EdgeEffect, LogNote, World, managed

FAULT = "mesh_policy_blocks"
OPTIONS: Mapping[str, Any] = {"name": "", "allowed": "ingress-nginx"}
_API = "security.istio.io/v1"


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    name = str(options["name"] or f"{victim}-callers")
    _mesh(world, it.namespace)
    principal = f"cluster.local/ns/{options['allowed']}/sa/{options['allowed']}"
    spec = {
        "selector": {"matchLabels": dict(it.selector)},
        "action": "ALLOW",
        "rules": [{"from": [{"source": {"principals": [principal]}}]}],
    }
    edits = [managed("argocd-controller", at, {"f:spec": {}}, api_version=_API)]
    world.put("AuthorizationPolicy", it.namespace, name, at, {"spec": spec}, managedFields=edits)
    began = at + world.between(1.1, 3.2, "pushed", victim)
    world.edges.append(EdgeEffect("*", victim, "denied", began))
    path = it.part.routes[0].path
    line = (
        f'"{it.part.routes[0].method} {path} HTTP/1.1" 403 - rbac_access_denied_matched_policy[none] - "-" 0 19 0 - '
        f'"-" "-" "{{id}}" "{victim}:{it.part.port}" "-" inbound|{it.part.port}||'
    )
    world.log_notes.append(LogNote(victim, began, world.now, 26, "info", (line,), container="istio-proxy"))
    thing = Thing("AuthorizationPolicy", it.namespace, name)
    return Blow(
        (thing,),
        began,
        Altered("policy", thing, at, (str(thing), name)),
        evidence=("log ~ RBAC: access denied", f"AuthorizationPolicy {name}"),
    )


def _mesh(world: World, namespace: str) -> None:
    """The namespace has been in the mesh for long: every pod of it has the proxy, and mutual TLS is strict."""
    born = world.founded + 88 * DAY
    space = world.objects["Namespace"][("", namespace)]
    space["metadata"]["labels"]["istio-injection"] = "enabled"
    mode = {"spec": {"mtls": {"mode": "STRICT"}}}
    world.put("PeerAuthentication", namespace, "default", born, mode)
    proxy: Json = {
        "name": "istio-proxy",
        "image": f"{world.company.registry}/proxyv2:1.23.3",
        "imagePullPolicy": "IfNotPresent",
        "args": ["proxy", "sidecar", "--domain", "$(POD_NAMESPACE).svc.cluster.local"],
        "ports": [{"name": "http-envoy-prom", "containerPort": 15090, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "10m", "memory": "40Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}},
        "readinessProbe": {
            "httpGet": {"path": "/healthz/ready", "port": 15021, "scheme": "HTTP"},
            "periodSeconds": 15,
            "timeoutSeconds": 3,
            "failureThreshold": 4,
            "successThreshold": 1,
        },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": [],
    }
    for it in world.workloads.values():
        if it.namespace != namespace or it.kind != "Deployment":
            continue
        for revision in it.revisions:
            revision.template["spec"]["containers"].append(deepcopy(proxy))
            revision.template["metadata"]["annotations"]["sidecar.istio.io/status"] = (
                f'{{"containers":["istio-proxy"],"revision":"default","hash":"{dice.hexadecimal(12, namespace)}"}}'
            )
        for pod in it.pods:
            first = pod.runs[pod.main][0] if pod.runs.get(pod.main) else None
            if first:
                end = pod.runs[pod.main][-1].ended if pod.deleted < inf else inf
                pod.runs["istio-proxy"] = [Run(first.started - 0.3, first.started + 1.1, end)]
