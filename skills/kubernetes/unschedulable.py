"""The scheduler's message, read as counts per reason.

`0/4 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 3 Insufficient cpu.
preemption: 0/4 nodes are available: ...` Wordings: pkg/scheduler/framework/types.go FitError, and the ErrReason
constants of framework/plugins (nodeaffinity, taints, noderesources, interpodaffinity, nodeports, volumebinding,
volumerestrictions, volumezone, podtopologyspread, nodeunschedulable), in the forms that 1.18 to 1.34 used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CONTROL_PLANE = re.compile(
    r"node-role\.kubernetes\.io/(control-plane|master|etcd)|node-role\.kubernetes\.io/controlplane"
)
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("volume_node", r"volume node affinity conflict|PersistentVolume's node affinity|no available volume zone"),
        ("volume_writer", r"ReadWriteOncePod"),
        ("volume_lost", r"bound to non-existent (?:pv|persistentvolume)"),
        ("volume_space", r"enough free storage"),
        ("volume_bind", r"binding volumes|storageclass\.storage\.k8s\.io"),
        ("prefilter", r"filtered out by the prefilter"),
        ("anti_affinity", r"anti-affinity"),
        ("pod_affinity", r"pod affinity"),
        ("selector", r"node affinity|node selector|NodeAffinity|enforced by plugin NodeAffinity"),
        ("cordoned", r"were unschedulable|node\.kubernetes\.io/unschedulable"),
        ("taint", r"taint"),
        ("cpu", r"Insufficient cpu"),
        ("memory", r"Insufficient memory"),
        ("too_many_pods", r"Too many pods"),
        ("extended", r"Insufficient "),
        ("ports", r"free ports"),
        ("spread", r"topology spread"),
        ("volume_count", r"max volume count"),
        ("volume_missing", r'persistentvolumeclaim "[^"]+" (not found|is being deleted)|persistent volume claim not '
                           r"found"),
        ("volume_unbound", r"unbound immediate PersistentVolumeClaims?|available persistent volumes to bind|unbound "
                           r"PersistentVolumeClaims"),
    )
)  # fmt: skip


@dataclass(frozen=True)
class Reason:
    kind: str
    count: int
    """Nodes that it rules out; 0 where it concerns the pod and no node in particular."""
    words: str

    @property
    def is_control_plane(self) -> bool:
        """The taint that keeps workloads off the control plane is how it should be."""
        return bool(_CONTROL_PLANE.search(self.words))

    @property
    def taint(self) -> str:
        """`key=value` of the taint, or its key; empty when the message does not tell."""
        found = re.search(r"\{([^}:]+):?\s*([^}]*)\}", self.words)
        return "=".join(p for p in (found.group(1).strip(), found.group(2).strip()) if p) if found else ""


_AFTERTHOUGHT = re.compile(r"\.\s+(?:no new claims to deallocate,?|not found)\s*$")
"""What later plugins add since 1.34, of claims for devices that the pod does not have."""


def reasons(message: str) -> list[Reason]:
    """The distinct reasons, in the message's order; empty for a message of another kind."""
    body = _AFTERTHOUGHT.sub("", re.split(r"\.?\s+preemption:", message, maxsplit=1)[0])
    _, found, rest = body.partition("nodes are available:")
    listed = rest if found else body
    parts = re.split(r",\s+(?=\d+ )", listed.strip().rstrip("."))
    told = [reason for part in parts if (reason := _reason(part.strip()))]
    # Pods that may run on one node only (DaemonSets) were never meant for the others.
    return [r for r in told if r.kind != "prefilter"] or told


def _reason(words: str) -> Reason | None:
    match = re.match(r"(\d+) (.*)", words, re.DOTALL)
    count, told = (int(match.group(1)), match.group(2)) if match else (0, words)
    kind = next((kind for kind, pattern in _KINDS if pattern.search(told)), None)
    return Reason(kind, count, told.strip()) if kind else None


def node_count(message: str) -> int:
    match = re.search(r"0/(\d+) nodes are available", message)
    return int(match.group(1)) if match else 0
