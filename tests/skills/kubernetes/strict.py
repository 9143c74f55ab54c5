"""Whether the official client's strict models accept an object: what they refuse is no object of Kubernetes."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from kubernetes import client

from tests.skills.kubernetes.shapes import Obj

OF_OTHER_GROUPS = frozenset(
    (
        "AuthorizationPolicy", "Certificate", "CiliumNetworkPolicy", "DeploymentConfig", "DestinationRule", "Gateway",
        "HTTPRoute", "PeerAuthentication", "Rollout", "VirtualService",
    )
)  # fmt: skip
"""Kinds of custom resources: the client has no models of them."""
_NAMES = {"Event": "CoreV1Event", "HorizontalPodAutoscaler": "V2HorizontalPodAutoscaler"}


def refusal(obj: Obj) -> str:
    """Why the model of its kind does not accept it; empty when it does."""
    return _refusal(obj["kind"], json.dumps(obj, sort_keys=True)) if obj["kind"] not in OF_OTHER_GROUPS else ""


@cache
def _refusal(kind: str, written: str) -> str:
    try:
        model(kind).from_dict(json.loads(written))
    except ValueError as error:
        return f"{kind} {json.loads(written)['metadata'].get('name')}: {' '.join(str(error).split())[:200]}"
    return ""


def model(kind: str) -> Any:
    return getattr(client, _NAMES.get(kind, f"V1{kind}"))
