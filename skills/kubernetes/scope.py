"""Which namespaces an investigation looks into: few, the alert's first. Never the whole of a large cluster."""

from __future__ import annotations

from collections.abc import Sequence

from skills.contract import Focus, ToolError
from skills.kubernetes.client import Client, Denied
from skills.kubernetes.kinds import DAEMON_SET, DEPLOYMENT, NAMESPACE, SERVICE, SYSTEM_NAMESPACES, Kind
from skills.kubernetes.objects import Object, name, namespace, text

MOST = 6
_STATEFUL_SET = Kind("StatefulSet", "/apis/apps/v1", "statefulsets")
# Exporters label their series with their own namespace; the object's is then moved to exported_namespace.
_LABELS = ("exported_namespace", "kubernetes_namespace", "k8s_namespace_name", "k8s_namespace", "kube_namespace")
_NAMES = (
    "deployment",
    "statefulset",
    "daemonset",
    "workload",
    "exported_service",
    "service",
    "app",
    "job_name",
    "cronjob",
)


def of_focus(focus: Focus) -> str:
    """The namespace that the alert names; empty when it names none."""
    labelled = next((focus.labels[label] for label in _LABELS if focus.labels.get(label)), "")
    return labelled or focus.labels.get("namespace", "") or focus.namespace


def choose(client: Client, configured: Sequence[str], focus: Focus, within: float) -> tuple[str, ...]:
    """The namespaces to read, at most six. Raises ToolError when nothing says where to look and listing fails."""
    wanted = of_focus(focus)
    if configured:
        ordered = sorted(configured, key=lambda n: n != wanted)
        return tuple(dict.fromkeys(ordered))[:MOST]
    if wanted:
        return (wanted,)
    holding = _holding(client, _service_names(focus), within)
    if holding:
        return tuple(holding)[:MOST]
    return _applications(client.list(NAMESPACE.path(), within=within).items)


def _service_names(focus: Focus) -> list[str]:
    named = [focus.service, *(focus.labels.get(label, "") for label in _NAMES)]
    return list(dict.fromkeys(n for n in named if n and "/" not in n))[:2]


def _holding(client: Client, names: Sequence[str], within: float) -> list[str]:
    """Namespaces in which a Service or workload has one of these names; two to four small requests."""
    found: list[str] = []
    for called in names:
        for kind in (SERVICE, DEPLOYMENT, _STATEFUL_SET, DAEMON_SET):
            try:
                items = client.list(kind.path(), {"fieldSelector": f"metadata.name={called}"}, within=within).items
            except Denied:
                continue
            except ToolError:
                return found
            # Servers that ignore field selectors would answer with everything.
            found += [namespace(o) for o in items if name(o) == called]
        if found:
            break
    return list(dict.fromkeys(n for n in found if n))


def _applications(items: Sequence[Object]) -> tuple[str, ...]:
    """Active namespaces that look like applications: young ones last, since tools come and go."""
    names = [name(n) for n in items if text(n, "status", "phase") != "Terminating"]
    ours = [n for n in names if n not in SYSTEM_NAMESPACES]
    return tuple([n for n in ours if n != "default"] + [n for n in ours if n == "default"])[:MOST]
