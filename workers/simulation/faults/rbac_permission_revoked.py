"""A7: a workload reads the Kubernetes API, and its Role has lost the verb that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.world import DAY, LogNote, OwnEffect, World

FAULT = "rbac_permission_revoked"
OPTIONS = {"resource": "configmaps", "share": 0.35}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it, resource = world.workload(victim), options["resource"]
    name, account = f"{victim}-reader", f"system:serviceaccount:{it.namespace}:{victim}"
    rules = [{"apiGroups": [""], "resources": [resource], "verbs": ["get", "list", "watch"]}]
    born = world.founded + 20 * DAY
    world.put("Role", it.namespace, name, born, {"rules": rules})
    world.put(
        "RoleBinding",
        it.namespace,
        name,
        born,
        {
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": victim, "namespace": it.namespace}],
        },
    )

    def revoke(body: Json) -> None:
        body["rules"] = [{"apiGroups": [""], "resources": ["endpoints"], "verbs": ["get"]}]

    world.edit("Role", it.namespace, name, at, revoke, "kubectl-edit", {"f:rules": {}})
    refused = f'{resource} is forbidden: User "{account}" cannot list resource "{resource}" in API group "" in the namespace "{it.namespace}"'  # noqa: E501
    if it.part.language == "python":
        error = "kubernetes.client.exceptions.ApiException: (403) Reason: Forbidden; " + refused
    else:
        error = f"failed to list *v1.ConfigMap: {refused}"
    world.log_notes.append(
        LogNote(
            victim,
            at + 4,
            world.now,
            5,
            "error",
            (f"tenant refresh failed: {error}".replace("{", "{{").replace("}", "}}"),),
        )
    )
    world.own.append(
        OwnEffect(
            victim,
            "exception",
            at + 65,
            share=float(options["share"]),
            detail={"error": error, "caller": "tenants/cache.go:58"},
        )
    )
    role = Thing("Role", it.namespace, name)
    return Blow(
        (workload_thing(it),),
        at + 4,
        Altered("policy", role, at, (str(role), f"RoleBinding {it.namespace}/{name}")),
        evidence=("log ~ is forbidden: User",),
    )
