"""A8: an admission webhook was registered and does not answer; every new pod is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Altered, Blow, Thing, next_version, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.refusals import refuse_rollout
from workers.simulation.world import World, managed

FAULT = "admission_webhook_fault"
OPTIONS: Mapping[str, Any] = {"name": "image-policy", "service": "image-policy-webhook"}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    name, service = str(options["name"]), str(options["service"])
    hook = {
        "name": f"{name}.{world.company.domain}",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "timeoutSeconds": 10,
        "clientConfig": {"service": {"namespace": "kube-system", "name": service, "path": "/validate", "port": 443}},
        "rules": [
            {
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "operations": ["CREATE"],
                "resources": ["pods"],
                "scope": "Namespaced",
            }
        ],
    }
    edits = [managed("helm", at, {"f:webhooks": {}}, api_version="admissionregistration.k8s.io/v1")]
    world.put("ValidatingWebhookConfiguration", "", name, at, {"webhooks": [hook]}, managedFields=edits)
    url = f"https://{service}.kube-system.svc:443/validate?timeout=10s"
    message = f'Internal error occurred: failed calling webhook "{hook["name"]}": failed to call webhook: Post "{url}": context deadline exceeded'  # noqa: E501
    began = at + world.between(40, 100, "release", victim)

    def edit(template: Json) -> None:
        next_version(template)

    revision = refuse_rollout(world, it, began, edit, message)
    thing = Thing(
        "ValidatingWebhookConfiguration",
        "",
        name,
        (f"Deployment {it.namespace}/{victim}", f"Service kube-system/{service}"),
    )
    change = Altered("other", thing, at, (str(thing), f"{it.name}-{revision.hash}"))
    assert workload_thing(it)
    return Blow((thing,), began, change, evidence=("event.reason = FailedCreate and message ~ failed calling webhook",))
