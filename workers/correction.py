"""What a person says was really true of an incident, as one sentence that people write and code reads back.

    false alarm
    memory_limit_too_low of Deployment shop/cart
    recovered: node_rebooted of Node ip-10-0-32-240
    inconclusive is never a truth

It stands first in the words of the correction; whatever follows is for people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from skills.contract import Entity
from skills.faults import UnknownFault, fault

TrueVerdict = Literal["incident", "recovered", "false_alarm"]
_CAUSE = re.compile(r"^(recovered\s*[:,]\s*)?([a-z][a-z0-9_]+|[A-K]\d+) of (\w+ \S+)\s*$", re.I)
_KINDS = {
    kind.lower(): kind
    for kind in (
        "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "CronJob", "Job", "Pod", "Rollout", "DeploymentConfig",
        "Service", "Ingress", "HTTPRoute", "GRPCRoute", "TCPRoute", "Gateway", "VirtualService", "IngressClass",
        "Route", "Node", "Namespace", "ResourceQuota", "LimitRange", "Secret", "ConfigMap", "Certificate",
        "ServiceAccount", "PersistentVolumeClaim", "PersistentVolume", "NetworkPolicy", "CiliumNetworkPolicy",
        "CiliumClusterwideNetworkPolicy", "AuthorizationPolicy", "PeerAuthentication", "DestinationRule",
        "HorizontalPodAutoscaler", "VerticalPodAutoscaler", "ScaledObject", "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration", "Lease", "ComponentStatus", "external", "feature_flag",
    )
}  # fmt: skip
"""What a fault of the vocabulary may be blamed on: prose seldom begins with one of these words."""
_CULPRIT = re.compile(r"^([A-Za-z]\w+) (?:([\w.-]+)/)?([\w.:-]*\w)$")


@dataclass(frozen=True)
class Correction:
    verdict: TrueVerdict
    entity: Entity | None = None
    fault: str = ""

    def __str__(self) -> str:
        if self.entity is None:
            return "false alarm"
        return f"{'recovered: ' if self.verdict == 'recovered' else ''}{self.fault} of {self.entity}"


def culprit(text: str) -> Entity | None:
    """`Deployment shop/cart`, `node worker-3`, `external api.example.com`; None where the kind is none of these."""
    found = _CULPRIT.match(text.strip())
    kind = _KINDS.get(found[1].lower()) if found else None
    return Entity(kind=kind, namespace=found[2] or None, name=found[3]) if found and kind else None


def read(words: str) -> Correction | None:
    """What the first line says; None when it is prose."""
    first = words.strip().partition("\n")[0].strip().rstrip(".")
    if first.lower().replace("_", " ").replace("-", " ") == "false alarm":
        return Correction("false_alarm")
    found = _CAUSE.match(first)
    if found is None:
        return None
    try:
        known = fault(found[2].lower() if "_" in found[2] else found[2].upper())
    except UnknownFault:
        return None
    entity = culprit(found[3])
    if not known.is_cause or entity is None:
        return None
    return Correction("recovered" if found[1] else "incident", entity, known.name)
