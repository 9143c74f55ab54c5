"""Argo CD: what was synced, to which revision, by whom, and what failed to.

API: GET /api/v1/applications (argo-cd assets/swagger.json, v1alpha1ApplicationList): status.history (RevisionHistory),
status.operationState, status.resources, spec.source(s).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from skills.changes.happening import SHORT_SHA, Happening, revisions_in
from skills.changes.settings import ArgoCD
from skills.contract import Access, Entity, Excerpt, ToolError
from skills.rest import Door, Rest, at, moment, rows, text
from skills.trouble import Key, Party, secrets_of

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Rollout")
_FIELDS = (
    "items.metadata.name,items.metadata.namespace,items.spec.source,items.spec.sources,items.spec.destination,"
    "items.spec.project,items.status.history,items.status.operationState,items.status.resources,items.status.sync,"
    "items.status.health"
)

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def door(settings: ArgoCD, access: Access) -> Rest:
    headers = {"Accept": "application/json"}
    token = access.secret(settings.token_env) if settings.token_env else None
    if token:
        headers["Authorization"] = f"Bearer {token}"
    party = Party(
        "Argo CD",
        "skills.changes.argocd",
        settings.url,
        (Key("token_env", settings.token_env, bool(token)),),
        needs="get applications",
        secrets=secrets_of(token),
    )
    return Rest(Door(party, headers, settings.verify_tls, settings.ca_file), access.meter, access.timeout_seconds)


def applications(rest: Rest, settings: ArgoCD, until: float | None) -> list[Mapping[str, Any]]:
    """Raises ToolError."""
    asked = (*(("projects", p) for p in settings.projects), ("fields", _FIELDS))
    data = rest.get("/api/v1/applications", asked, until=until).data
    # A Go server writes an empty list as null.
    if not isinstance(data, Mapping) or not isinstance(data.get("items"), list | None):
        raise ToolError("Argo CD answered GET /api/v1/applications without items")
    return [app for app in rows(data, "items") if _counts(at(app, "spec", "destination"), settings.clusters)]


def _counts(destination: Any, clusters: Sequence[str]) -> bool:
    return not clusters or bool({text(destination, "name"), text(destination, "server")} & set(clusters))


def happenings(found: Sequence[Mapping[str, Any]], base: str, since: datetime) -> list[Happening]:
    return [h for app in found for h in (*_history(app, base, since), *_operation(app, base, since))]


def _history(app: Mapping[str, Any], base: str, since: datetime) -> list[Happening]:
    out = []
    for row in rows(app, "status", "history"):
        when = moment(row, "deployStartedAt") or moment(row, "deployedAt")
        if when is None or when < since:
            continue
        revision = _revision(row)
        source = _source(row) or _source(at(app, "spec"))
        by = text(row, "initiatedBy", "username") or ("automated sync" if at(row, "initiatedBy", "automated") else "")
        name = text(app, "metadata", "name")
        words = f"sync of {name} to {revision[:SHORT_SHA] if _is_sha(revision) else revision or '?'}"
        told = f"Argo CD {words} ({source}) began {when:%Y-%m-%dT%H:%M:%SZ}"
        if (ended := moment(row, "deployedAt")) is not None and ended != when:
            told += f", done {ended:%H:%M:%SZ}"
        out.append(_happening(app, base, f"argocd/{name}/{text(row, 'id')}", when, words, told, by, revision))
    return out


def _operation(app: Mapping[str, Any], base: str, since: datetime) -> list[Happening]:
    """A sync that did not succeed leaves no history; one that runs has none yet."""
    state = at(app, "status", "operationState")
    phase, when = text(state, "phase"), moment(state, "startedAt")
    if phase in ("", "Succeeded") or when is None or when < since:
        return []
    name = text(app, "metadata", "name")
    revision = text(state, "syncResult", "revision") or text(state, "operation", "sync", "revision")
    by = text(state, "operation", "initiatedBy", "username")
    words = f"sync of {name} {'still runs' if phase == 'Running' else phase.lower()}"
    told = f"Argo CD {words}, began {when:%Y-%m-%dT%H:%M:%SZ}"
    if message := " ".join(text(state, "message").split())[:300]:
        told += f": {message}"
    return [_happening(app, base, f"argocd/{name}/operation", when, words, told, by, revision)]


def _happening(
    app: Mapping[str, Any], base: str, id_: str, when: datetime, words: str, told: str, by: str, revision: str
) -> Happening:
    name = text(app, "metadata", "name")
    link = f"{base.rstrip('/')}/applications/{text(app, 'metadata', 'namespace') or 'argocd'}/{name}"
    return Happening(
        id_,
        when,
        "sync",
        words,
        (name,),
        (Excerpt(told + (f" by {by}" if by else ""), "GET /api/v1/applications", link=link, at=when),),
        by or None,
        touches=_touched(app),
        revisions=revisions_in(revision),
        manages=frozenset(_resource(r) for r in rows(app, "status", "resources")),
    )


def _touched(app: Mapping[str, Any]) -> tuple[Entity, ...]:
    """The workloads of an application; where it lists no resources, what bears its name where it is deployed."""
    found = [_resource(r) for r in rows(app, "status", "resources") if text(r, "kind") in WORKLOADS]
    if found:
        return tuple(found)
    place = text(app, "spec", "destination", "namespace") or None
    return (Entity(kind="Deployment", namespace=place, name=text(app, "metadata", "name")),)


def _resource(row: Mapping[str, Any]) -> Entity:
    return Entity(kind=text(row, "kind"), namespace=text(row, "namespace") or None, name=text(row, "name"))


def _revision(row: Any) -> str:
    many = at(row, "revisions")
    return text(row, "revision") or (", ".join(str(r)[:SHORT_SHA] for r in many) if isinstance(many, list) else "")


def _source(spec: Any) -> str:
    found = at(spec, "source") or next(iter(rows(spec, "sources")), {})
    repository = text(found, "repoURL").removesuffix(".git")
    where = text(found, "chart") or text(found, "path")
    target = text(found, "targetRevision")
    return " ".join(p for p in (repository, where, f"at {target}" if target else "") if p)


def _is_sha(revision: str) -> bool:
    return len(revision) == 40 and all(c in "0123456789abcdef" for c in revision)


def detail(rest: Rest, settings: ArgoCD, name: str, number: str) -> list[Excerpt]:
    """One sync: where from, who committed what it took, and what is out of step now. Raises ToolError."""
    app = next((a for a in applications(rest, settings, None) if text(a, "metadata", "name") == name), None)
    if app is None:
        return []
    found = [h for h in happenings([app], rest.door.base, _EVER) if h.id == f"argocd/{name}/{number}"]
    out = [e for h in found for e in h.evidence]
    row = next((r for r in rows(app, "status", "history") if text(r, "id") == number), None)
    if row is not None and _is_sha(text(row, "revision")):
        path = f"/api/v1/applications/{name}/revisions/{text(row, 'revision')}/metadata"
        told = rest.get(path).data
        first = (text(told, "message").splitlines() or [""])[0]
        words = f"revision {text(row, 'revision')[:SHORT_SHA]} by {text(told, 'author')}: {first}"
        out.append(Excerpt(words, f"GET {path}", at=moment(told, "date")))
    drifted = [
        f"{text(r, 'kind')} {text(r, 'name')}"
        for r in rows(app, "status", "resources")
        if text(r, "status") == "OutOfSync"
    ]
    now = f"now {text(app, 'status', 'sync', 'status') or '?'}, {text(app, 'status', 'health', 'status') or '?'}"
    now += f"; out of sync: {', '.join(drifted[:8])}" if drifted else ""
    return [*out, Excerpt(f"application {name}: {now}", "GET /api/v1/applications")]
