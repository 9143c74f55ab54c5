"""Turns what was seen into citable excerpts: one line, the command that shows it again, and a link where one is
known."""

from __future__ import annotations

from datetime import datetime

from skills.contract import Entity, Excerpt
from skills.kubernetes.events import Event
from skills.kubernetes.kinds import plural
from skills.kubernetes.objects import Object, condition, entity, one_line, text, time_of
from skills.kubernetes.snapshot import Snapshot


def seen(
    snapshot: Snapshot, kind: str, obj: Object, words: str, *, verb: str = "describe", at: datetime | None = None
) -> Excerpt:
    """Something that stands in an object. `verb` get: `kubectl get -o yaml`, for what describe hides."""
    return about(snapshot, entity(kind, obj), words, verb=verb, at=at)


def about(
    snapshot: Snapshot, target: Entity, words: str, *, verb: str = "describe", at: datetime | None = None
) -> Excerpt:
    return Excerpt(
        text=one_line(words, 700),
        query=command(target, verb),
        link=link(snapshot, target),
        entity=target,
        at=at,
    )


def told(snapshot: Snapshot, event: Event) -> Excerpt:
    """An event, in the cluster's own words."""
    target = Entity(kind=event.kind, namespace=event.namespace or None, name=event.name)
    place = "" if event.kind == "Node" else f"-n {event.namespace} "
    return Excerpt(
        text=one_line(str(event), 700),
        query=f"kubectl {place}get events --field-selector involvedObject.name={event.name}",
        link=link(snapshot, target),
        entity=target,
        at=event.last,
    )


def stated(snapshot: Snapshot, kind: str, obj: Object, condition_type: str) -> Excerpt:
    """A status condition."""
    found = condition(obj, condition_type)
    words = f"{condition_type}={text(found, 'status')} {text(found, 'reason')}: {text(found, 'message')}"
    at = time_of(found.get("lastTransitionTime"))
    return seen(snapshot, kind, obj, f"{kind} {entity(kind, obj).name} {words}", at=at)


def absent(snapshot: Snapshot, kind: str, namespace: str | None, words: str) -> Excerpt:
    """Something that is not there, with the list that does not show it."""
    place = f"-n {namespace} " if namespace else ""
    return Excerpt(text=one_line(words, 700), query=f"kubectl {place}get {plural(kind)}", entity=None)


def command(target: Entity, verb: str = "describe") -> str:
    place = f"-n {target.namespace} " if target.namespace else ""
    if verb == "get":
        return f"kubectl {place}get {target.kind.lower()} {target.name} -o yaml"
    return f"kubectl {place}{verb} {target.kind.lower()} {target.name}"


def link(snapshot: Snapshot, target: Entity) -> str | None:
    """Address of the object: `link_base` with {kind} {plural} {namespace} {name} filled in, else the Dashboard's
    form."""
    base = snapshot.link_base
    if not base:
        return None
    words = {
        "kind": target.kind.lower(),
        "plural": plural(target.kind),
        "namespace": target.namespace or "",
        "name": target.name,
    }
    if "{" in base:
        for key, value in words.items():
            base = base.replace(f"{{{key}}}", value)
        return base
    place = f"{target.namespace}/" if target.namespace else ""
    return f"{base.rstrip('/')}/#/{words['kind']}/{place}{target.name}"
