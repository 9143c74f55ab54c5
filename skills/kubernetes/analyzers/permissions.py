"""Calls to the Kubernetes API that are refused (A7), from what workloads log, checked against the roles that exist.

Words of the API server (apiserver/pkg/endpoints/handlers/responsewriters/errors.go):
`configmaps "x" is forbidden: User "system:serviceaccount:shop:cart" cannot get resource "configmaps" in API group ""`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from skills.contract import Entity, Excerpt, Focus, LogLine, Symptom, Window
from skills.kubernetes import cite, writes
from skills.kubernetes.objects import Object, created, mapping, maps, name, namespace, strings, text
from skills.kubernetes.podlogs import Tail
from skills.kubernetes.pods import is_ready
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.permissions"
_FORBIDDEN = re.compile(
    r'User \\?"system:serviceaccount:(?P<ns>[^:"\\]+):(?P<sa>[^"\\]+)\\?" cannot (?P<verb>\w+) resource '
    r'\\?"(?P<resource>[^"\\]+)\\?"'
    r'(?: in API group \\?"(?P<group>[^"\\]*)\\?")?'
)


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found = []
    for key, lines in snapshot.logs.items():
        for line in reversed(lines):
            match = _FORBIDDEN.search(line.text)
            if match:
                found.append(_symptom(snapshot, Tail(*key), line, match))
                break
    return found


def _symptom(snapshot: Snapshot, tail: Tail, line: LogLine, match: re.Match[str]) -> Symptom:
    pod = snapshot.find("Pod", tail.namespace, tail.pod)
    owner = snapshot.owner_of(pod) if pod else Entity(kind="Pod", namespace=tail.namespace, name=tail.pod)
    account = f"{match['ns']}/{match['sa']}"
    verb, resource = match["verb"], match["resource"]
    roles = _roles(snapshot, match["ns"], match["sa"])
    granted = any(_grants(rule, verb, resource) for role, _ in roles for rule in maps(role, "rules"))
    evidence = [Excerpt(line.text[:500], tail.command, entity=owner, at=line.at if line.at.year > 1970 else None)]
    for role, kind in roles[:2]:
        rules = "; ".join(
            f"{','.join(strings(r, 'verbs'))} {','.join(strings(r, 'resources'))}" for r in maps(role, "rules")
        )
        evidence.append(
            cite.seen(snapshot, kind, role, f"{kind} {name(role)} of {account} grants: {rules or 'nothing'}")
        )
    suffers = pod is not None and not is_ready(pod)
    written = _last_written(snapshot, match["ns"], match["sa"], roles)
    if written:
        evidence.append(written[2])
    return Symptom(
        analyzer=NAME,
        entity=owner,
        faults=("rbac_permission_revoked",),
        summary=f"{owner.kind} {owner.name}: ServiceAccount {account} may not {verb} {resource}.",
        # Many operators ask for what they may do without: only one that does not run needs what it was refused.
        specificity=0.5 if granted else 0.96 if suffers else 0.6,
        evidence=tuple(evidence),
        onset=created(pod) if pod and suffers else _first_refused(snapshot, tail, match["sa"]),
        change=written[1] if written and not granted else None,
        victims=snapshot.victims_of(owner),
    )


def _first_refused(snapshot: Snapshot, tail: Tail, account: str) -> datetime | None:
    """When the pod was refused first, as far back as its log was read; a pod that runs was once allowed."""
    lines = (line for key, found in snapshot.logs.items() if Tail(*key) == tail for line in found)
    seen = [
        line.at for line in lines if line.at.year > 1970 and (m := _FORBIDDEN.search(line.text)) and m["sa"] == account
    ]
    return min(seen, default=None)


_SINCE = timedelta(days=2)


def _last_written(
    snapshot: Snapshot, place: str, account: str, roles: Sequence[tuple[Object, str]]
) -> tuple[datetime, str, Excerpt] | None:
    """The last write, of the last two days, to what gives the account its rights: (when, id, said)."""
    bindings = [
        (b, k) for k in ("RoleBinding", "ClusterRoleBinding") for b in snapshot.all(k) if _binds(b, place, account)
    ]
    found = []
    for obj, kind in (*roles, *bindings):
        manager, at = writes.last(kind, obj)
        if at is not None and manager and snapshot.clock - at < _SINCE:
            words = f"{kind} {name(obj)} was written {at:%Y-%m-%dT%H:%M:%SZ} by {manager}"
            found.append((at, writes.id_of_write(kind, obj), cite.seen(snapshot, kind, obj, words, verb="get", at=at)))
    return max(found, key=lambda f: f[:2], default=None)


def _roles(snapshot: Snapshot, place: str, account: str) -> list[tuple[Object, str]]:
    found = []
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        for binding in snapshot.all(kind):
            bound = _binds(binding, place, account)
            ref = mapping(binding, "roleRef")
            where = namespace(binding) if text(ref, "kind") == "Role" else ""
            role = snapshot.find(text(ref, "kind"), where, text(ref, "name"))
            if bound and role is not None:
                found.append((role, text(ref, "kind")))
    return found


def _binds(binding: Object, place: str, account: str) -> bool:
    return any(
        text(s, "kind") == "ServiceAccount" and text(s, "name") == account and text(s, "namespace") in ("", place)
        for s in maps(binding, "subjects")
    )


def _grants(rule: Object, verb: str, resource: str) -> bool:
    return bool({verb, "*"} & set(strings(rule, "verbs"))) and bool({resource, "*"} & set(strings(rule, "resources")))
