"""Calls to the Kubernetes API that are refused (A7), from what workloads log, checked against the roles that exist.

Words of the API server (apiserver/pkg/endpoints/handlers/responsewriters/errors.go):
`configmaps "x" is forbidden: User "system:serviceaccount:shop:cart" cannot get resource "configmaps" in API group ""`.
"""

from __future__ import annotations

import re
from datetime import datetime

from skills.contract import Entity, Excerpt, Focus, LogLine, Symptom, Window
from skills.kubernetes import cite
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
    return Symptom(
        analyzer=NAME,
        entity=owner,
        faults=("rbac_permission_revoked",),
        summary=f"{owner.kind} {owner.name}: ServiceAccount {account} may not {verb} {resource}.",
        # Many operators ask for what they may do without: only one that does not run needs what it was refused.
        specificity=0.5 if granted else 0.96 if suffers else 0.6,
        evidence=tuple(evidence),
        onset=created(pod) if pod else None,
        victims=snapshot.victims_of(owner),
    )


def _roles(snapshot: Snapshot, place: str, account: str) -> list[tuple[Object, str]]:
    found = []
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        for binding in snapshot.all(kind):
            bound = any(
                text(s, "kind") == "ServiceAccount"
                and text(s, "name") == account
                and text(s, "namespace") in ("", place)
                for s in maps(binding, "subjects")
            )
            ref = mapping(binding, "roleRef")
            where = namespace(binding) if text(ref, "kind") == "Role" else ""
            role = snapshot.find(text(ref, "kind"), where, text(ref, "name"))
            if bound and role is not None:
                found.append((role, text(ref, "kind")))
    return found


def _grants(rule: Object, verb: str, resource: str) -> bool:
    return bool({verb, "*"} & set(strings(rule, "verbs"))) and bool({resource, "*"} & set(strings(rule, "resources")))
