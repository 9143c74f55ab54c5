"""By which changes each fault comes about: of which object, to which part of it, and how long before it shows.

From what the systems do with a change: a template reaches pods with their rollout, a Service or a policy the data plane
within seconds, a mounted ConfigMap or Secret a program when the kubelet refreshes it or the program connects anew, a
CronJob its next run. A fault that is not listed (a full disk, a reboot, a surge of visitors) is no change's doing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from workers.llm.entities import WORKLOADS

MINUTES, HOUR, HOURS, DAY = timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(days=1)

Whose = Literal["own", "victim", "place", "named"]


@dataclass(frozen=True)
class Way:
    whose: Whose
    """own: of the culprit; victim: of what it makes suffer; place: in its namespace, or of the cluster; named: of an
    object that its symptoms name."""
    kinds: tuple[str, ...]
    """Of the changed object."""
    what: re.Pattern[str]
    """The part that must have been changed, in the words of a change's summary."""
    within: timedelta
    """From the change to what shows it."""
    made: bool = True
    """Whether the object's making can do it as well."""


ANYTHING = ""


def _way(whose: Whose, kinds: tuple[str, ...], what: str, within: timedelta) -> Way:
    return Way(whose, kinds, re.compile(what, re.IGNORECASE), within)


def _release(what: str, within: timedelta = HOUR, whose: Whose = "own") -> Way:
    return _way(whose, WORKLOADS, what, within)


def _write(kinds: str, what: str = ANYTHING, within: timedelta = HOURS, whose: Whose = "own") -> Way:
    return _way(whose, tuple(kinds.split()), what, within)


_MORE = r"Scaled up replica set|replicas [1-9]"
_TO_NOTHING = r"Scaled down replica set \S+ (?:from \d+ )?to 0|replicas (?:\d+ -> )?0\b"
_CODE = r"\bimage\b"
_OTHER_REGISTRY = r"\bimage ([^/\s]+)/\S+ -> (?!\1/)"
_STARTS = r"\bimage\b|\bcommand\b|\bargs\b|\benv\b|envFrom|workingDir|initContainer"
_VOLUMES = r"volume|claim"
_QUOTAS = "ResourceQuota LimitRange"
_ROLES = "Role RoleBinding ClusterRole ClusterRoleBinding"
_POLICIES = (
    "NetworkPolicy CiliumNetworkPolicy CiliumClusterwideNetworkPolicy AuthorizationPolicy PeerAuthentication"
    " DestinationRule"
)
_ROUTES = "Ingress HTTPRoute GRPCRoute TCPRoute Gateway VirtualService Route IngressClass"
_WEBHOOKS = "ValidatingWebhookConfiguration MutatingWebhookConfiguration"


def _quota(asked: str, limited: str) -> tuple[Way, ...]:
    """The quota was written, of this resource where its parts are told; else what asks for more than before met a quota
    that was always so."""
    lowered = _write(_QUOTAS, rf"^(?!.*->)|{limited}", HOURS, "place")
    return (lowered, _release(f"{asked}|{_MORE}|created", MINUTES, "victim"))


_SETTINGS = (
    _release(r"\benv\b|envFrom|config|\bargs\b|\bcommand\b"),
    _write("ConfigMap", ANYTHING, HOUR, "named"),
)
_SERVICE = "Service"

WAYS: dict[str, tuple[Way, ...]] = {
    "cpu_quota_exhausted": _quota(r"requests\.cpu|limits\.cpu|resources", r"\bcpu\b"),
    "memory_quota_exhausted": _quota(r"requests\.memory|limits\.memory|resources", r"\bmemory\b"),
    "pod_count_quota_exhausted": _quota("->", r"\bpods\b|count/"),
    "service_object_quota_exhausted": _quota("->", r"\bservices\b"),
    "storage_quota_exhausted": _quota("volume|claim|storage", "storage|claim"),
    "service_account_absent": (_release("serviceAccount"),),
    # A right that is given takes none away.
    "rbac_permission_revoked": (
        replace(_write(_ROLES, "^(?!created)", DAY, "place"), made=False),
        _release("serviceAccount"),
    ),
    "admission_webhook_fault": (_write(_WEBHOOKS), _release(ANYTHING)),
    "pod_security_violation": (
        _write("Namespace", "pod-security", DAY, "place"),
        _release("securityContext|host(?:Network|PID|IPC|Path|Port)|volume|capabilities|privileged"),
    ),
    "api_server_overload": (_release(ANYTHING),),
    "node_selector_unmatched": (_release("nodeSelector"), _write("Node", "label", DAY, "place")),
    "node_affinity_unmatched": (_release("affinity|nodeSelector"), _write("Node", "label", DAY, "place")),
    "anti_affinity_blocks_replica": (_release("affinity|topologySpread"), _release(_MORE)),
    "taint_not_tolerated": (_release("toleration"), _write("Node", "taint", DAY, "place")),
    "nodes_cordoned": (_write("Node", "unschedulable|cordon|NodeNotSchedulable", timedelta(days=3), "place"),),
    "cpu_requests_do_not_fit": (_release(r"requests\.cpu|resources"), _release(_MORE)),
    "memory_requests_do_not_fit": (_release(r"requests\.memory|resources"), _release(_MORE)),
    "preempted_by_priority": (_release(f"created|priority|{_MORE}", HOUR, "named"),),
    "pinned_to_missing_node_or_port": (_release("nodeName|hostPort|hostNetwork|nodeSelector|ports"),),
    "storage_class_missing": (_release(_VOLUMES, HOUR, "victim"), _release(_VOLUMES)),
    "pvc_matches_no_volume": (_release(_VOLUMES, HOUR, "victim"), _release(_VOLUMES)),
    "volume_held_by_other_claim": (_release(_VOLUMES, HOUR, "victim"), _release(_VOLUMES)),
    "volume_cannot_attach": (_release(_VOLUMES), _release(ANYTHING)),
    "volume_permission_denied": (_release("securityContext|volume|fsGroup"), _release(_CODE)),
    "image_not_found": (_release(_CODE),),
    "registry_credentials_missing": (
        _release("imagePullSecret|serviceAccount"),
        _write("Secret ServiceAccount", ANYTHING, DAY, "named"),
        _release(_OTHER_REGISTRY),
    ),
    "image_wrong_architecture": (_release(_CODE),),
    "secret_or_configmap_missing": (_release(r"\benv\b|envFrom|volume|secret|configMap"),),
    "container_command_invalid": (_release(r"\bcommand\b|\bargs\b"), _release(_CODE)),
    "init_container_stuck": (_release("initContainer|init"), _release(_STARTS)),
    "security_context_rejected": (_release("securityContext|runAs"), _release(_CODE)),
    "boot_dependency_missing": (_release(_STARTS),),
    "memory_limit_too_low": (
        _release(r"limits\.memory"),
        _release(r"env (?:\w*JAVA|\w*JVM|NODE_OPTIONS|GOMEMLIMIT)|resources"),
    ),
    "memory_leak": (_release(_CODE, timedelta(days=7)), _release(r"\benv\b", DAY)),
    "cpu_throttled_by_limit": (_release(r"limits\.cpu"),),
    "cpu_hot_loop": (_release(_CODE), _release(r"\benv\b")),
    "liveness_probe_misconfigured": (_release("livenessProbe|startupProbe"), _release(r"\bports\b|\bimage\b")),
    "liveness_probe_too_aggressive": (_release("livenessProbe|startupProbe"), _release(r"\bimage\b|limits")),
    "readiness_probe_misconfigured": (_release("readinessProbe"), _release(r"\bports\b|\bimage\b")),
    "port_conflict_in_pod": (_release(r"\bcontainer\b|\bports\b|hostNetwork|\bargs\b|\benv\b"),),
    "process_limit_exhausted": (_release(r"ulimit|limits|\benv\b|\bimage\b"),),
    "scaled_to_zero": (_release(_TO_NOTHING),),
    "autoscaler_misconfigured": (
        _write("HorizontalPodAutoscaler ScaledObject VerticalPodAutoscaler"),
        _release(r"requests\.|resources", HOUR, "victim"),
    ),
    "rollout_deadlocked": (_release(ANYTHING, DAY),),
    "unlimited_neighbour": (_release(r"limits|resources", DAY),),
    "service_selects_no_pods": (_write(_SERVICE, "selector|^Service \\w+$"), _release("label")),
    "service_selects_foreign_pods": (_write(_SERVICE, "selector|^Service \\w+$"), _release("label|created", HOUR)),
    "service_target_port_wrong": (_write(_SERVICE, "port|^Service \\w+$"), _release(r"\bports\b|\benv\b \w*PORT")),
    "service_transport_wrong": (_write(_SERVICE, "port|protocol|^Service \\w+$"),),
    "service_deleted": (_write(_SERVICE, "delet"),),
    "dns_resolution_failing": (_release("dnsPolicy|dnsConfig"), _write("ConfigMap", ANYTHING, HOURS, "named")),
    "dependency_address_wrong": _SETTINGS,
    "ingress_route_wrong": (_write(_ROUTES),),
    "network_policy_blocks": (_write(_POLICIES),),
    "mesh_policy_blocks": (_write(_POLICIES),),
    "traffic_locality_imbalance": (
        _write(_SERVICE, "traffic|topology|^Service \\w+$"),
        _release("affinity|nodeSelector"),
    ),
    "tls_certificate_invalid": (_write("Secret Certificate certificate"),),
    "datastore_credentials_rejected": (
        _release(r"\benv\b|envFrom|secret"),
        _write("Secret", ANYTHING, DAY, "named"),
    ),
    "datastore_endpoint_wrong": _SETTINGS,
    "connection_pool_exhausted": (
        _release(rf"{_MORE}|\benv\b \w*POOL|\benv\b \w*CONN", HOURS, "victim"),
        _release(r"\benv\b \w*(?:POOL|CONN)|max_connections|\bargs\b"),
    ),
    # What nobody does every hour breaks when it is done for the first time.
    "code_defect_in_release": (_release(_CODE), _release(_CODE, DAY)),
    "feature_flag_harmful": (
        _write("ConfigMap feature_flag", ANYTHING, DAY, "named"),
        _write("feature_flag ConfigMap", within=DAY),
    ),
    "config_value_harmful": (
        _write("ConfigMap", ANYTHING, HOUR, "named"),
        _release(r"\benv\b|envFrom|\bargs\b|config"),
    ),
    "contract_broken_between_services": (_release(_CODE),),
    "silent_wrong_result": (_release(_CODE),),
    "scheduled_job_failing": (_release(ANYTHING, timedelta(days=2)),),
    "queue_backlog": (_release(rf"{_CODE}|\benv\b|{_TO_NOTHING}"),),
    "garbage_collection_stalls": (_release(rf"limits\.memory|\benv\b|{_CODE}"),),
}
"""By fault, in order of preference."""

NEVER_BY_ITSELF = frozenset(
    {
        "service_account_absent", "node_selector_unmatched", "node_affinity_unmatched", "taint_not_tolerated",
        "nodes_cordoned", "cpu_requests_do_not_fit", "memory_requests_do_not_fit", "pinned_to_missing_node_or_port",
        "rbac_permission_revoked", "admission_webhook_fault", "pod_security_violation", "scaled_to_zero",
        "service_selects_no_pods", "service_selects_foreign_pods", "service_target_port_wrong",
        "service_transport_wrong", "service_deleted", "ingress_route_wrong", "network_policy_blocks",
        "mesh_policy_blocks", "code_defect_in_release", "feature_flag_harmful", "config_value_harmful",
        "contract_broken_between_services", "datastore_credentials_rejected", "datastore_endpoint_wrong",
        "dependency_address_wrong", "container_command_invalid", "security_context_rejected",
        "image_wrong_architecture", "secret_or_configmap_missing", "registry_credentials_missing", "rollout_deadlocked",
    }
)  # fmt: skip
"""Faults that somebody made, by the meaning of their name: where no change is seen, it was not seen."""
