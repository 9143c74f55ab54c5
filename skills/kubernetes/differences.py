"""What differs between two pod templates or specs, in words a person would use: `cart limits.memory 512Mi -> 128Mi`.

Lists of named things (containers, env, volumes, ports) are compared by name, so that a reordering is no difference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from skills.kubernetes.objects import Object, created, dig, mapping, maps, one_line, text, time_of
from skills.redact import Redactor

_ABSENT = object()
_SHORT = {
    "spec.": "",
    "resources.limits.": "limits.",
    "resources.requests.": "requests.",
    "metadata.labels.": "label ",
    "metadata.annotations.": "annotation ",
}
_UNTOLD = ("kubectl.kubernetes.io/restartedAt", "pod-template-hash", "controller-revision-hash")
_REDACTOR = Redactor()


@dataclass(frozen=True)
class Difference:
    container: str
    """Empty for what concerns the whole pod."""
    path: str
    """Within the container or the spec: `image`, `env.REDIS_ADDR`, `resources.limits.memory`, `nodeSelector.disk`."""
    before: str
    """Empty: it was not there."""
    after: str
    """Empty: it is not there any more."""

    def __str__(self) -> str:
        path = self.path
        for long, short in _SHORT.items():
            path = path.removeprefix(long) if not short else path.replace(long, short)
        path = path.replace("env.", "env ") if path.startswith("env.") else path
        who = f"{self.container} " if self.container else ""
        return f"{who}{path} {self.before or '(none)'} -> {self.after or '(removed)'}"


def of_templates(before: Object, after: Object) -> list[Difference]:
    """Differences between two pod templates (`{metadata, spec}`), most telling first."""
    found = list(_compare("", "", _keyed(before), _keyed(after)))
    return sorted((d for d in found if not d.path.endswith(_UNTOLD)), key=_weight)


def of_specs(applied: Any, live: Any) -> list[Difference]:
    """Where the live object departs from what was last applied: only fields that were applied are compared, and keys
    added to maps that the server never fills by itself (selectors, node selectors, env, ports)."""
    return [d for d in _compare("", "", _keyed(applied), _keyed(live), drift=True) if not d.path.endswith(_UNTOLD)]


def restarted_at(template: Object) -> str:
    return text(template, "metadata", "annotations", "kubectl.kubernetes.io/restartedAt")


def _weight(difference: Difference) -> tuple[int, str]:
    order = ("image", "resources", "env", "command", "args", "livenessProbe", "readinessProbe", "ports")
    head = difference.path.split(".")[0]
    return (order.index(head) if head in order else len(order), difference.path)


def _keyed(value: Any) -> Any:
    """Lists of named things become maps by name, plain lists stay."""
    if isinstance(value, Mapping):
        return {k: _keyed(v) for k, v in value.items()}
    if isinstance(value, list) and value and all(isinstance(v, Mapping) for v in value):
        keys = [text(v, "name") or _port_key(v) for v in value]
        if all(keys) and len(set(keys)) == len(keys):
            return {k: _item(v) for k, v in zip(keys, value, strict=True)}
        if all(keys) and any("value" in v or "valueFrom" in v for v in value):
            return {k: _item(v) for k, v in zip(keys, value, strict=True)}
    return value


def _port_key(value: Mapping[str, Any]) -> str:
    port = value.get("containerPort", value.get("port"))
    return f"{port}" if isinstance(port, int) else ""


def _item(value: Mapping[str, Any]) -> Any:
    rest = {k: v for k, v in value.items() if k != "name"}
    if set(rest) <= {"value"} and "name" in value:
        masked = _REDACTOR.value({"name": value["name"], "value": str(rest.get("value", ""))})
        return masked["value"]
    return _keyed(rest)


_CONTAINER_LISTS = ("containers", "initContainers")
_NEVER_FILLED = ("selector", "nodeSelector", "matchLabels", "env", "labels")


def _compare(container: str, path: str, before: Any, after: Any, *, drift: bool = False) -> Iterator[Difference]:
    whole = path == "env" or path.startswith("resources") or path in ("metadata.annotations", "metadata.labels")
    if whole and (isinstance(before, Mapping) or isinstance(after, Mapping)):
        # Limits, variables and annotations that are given for the first time are told one by one, like altered ones.
        before, after = ({} if side is _ABSENT or side == [] else side for side in (before, after))
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        listed = path.rpartition(".")[2] if path.rpartition(".")[2] in _CONTAINER_LISTS and not container else ""
        added = not drift or path.rpartition(".")[2] in _NEVER_FILLED
        for key in [*before, *([k for k in after if k not in before] if added else [])]:
            old, new = before.get(key, _ABSENT), after.get(key, _ABSENT)
            if listed:
                yield from _container(str(key), listed == "initContainers", old, new, drift=drift)
            else:
                yield from _compare(container, f"{path}.{key}".lstrip("."), old, new, drift=drift)
    elif drift and _are_filled_alike(before, after):
        for old, new in zip(before, after, strict=True):
            yield from _compare(container, path, _keyed(old), _keyed(new), drift=True)
    elif before != after and not (drift and _same_number(before, after)):
        yield Difference(container, path, _shown(before), _shown(after))


def _are_filled_alike(before: Any, after: Any) -> bool:
    """Lists of as many things without names (claim templates, rules), in each of which the server fills in defaults."""
    lists = isinstance(before, list) and isinstance(after, list) and len(before) == len(after)
    return lists and all(isinstance(each, Mapping) for each in (*before, *after))


def _container(called: str, is_init: bool, before: Any, after: Any, *, drift: bool) -> Iterator[Difference]:
    if before is _ABSENT or after is _ABSENT:
        path = "initContainer" if is_init else "container"
        yield Difference(called, path, "" if before is _ABSENT else _brief(before), _brief(after))
    else:
        yield from _compare(called, "", before, after, drift=drift)


def _brief(container: Any) -> str:
    if container is _ABSENT:
        return ""
    return f"image {text(container, 'image')}" if text(container, "image") else "present"


def _same_number(before: Any, after: Any) -> bool:
    """`replicas: 1` and `port: "80"` are written in more than one way; absent and empty are the same."""
    return str(before) == str(after) or (after is _ABSENT and before in (None, "", [], {}, 0, False))


def _shown(value: Any) -> str:
    if value is _ABSENT or value is None:
        return ""
    if isinstance(value, str):
        return one_line(_REDACTOR.text(value), 120) or '""'
    return one_line(_REDACTOR.text(json.dumps(value, separators=(",", ":"), sort_keys=True, default=str)), 120)


def last_applied(obj: Object) -> Object:
    """The manifest that `kubectl apply` kept in the object's annotation; empty when there is none."""
    kept = text(obj, "metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")
    if not kept:
        return {}
    try:
        manifest = json.loads(kept)
    except ValueError:
        return {}
    return manifest if isinstance(manifest, dict) else {}


def drift(obj: Object) -> list[Difference]:
    """Where the object's spec departs from its last-applied manifest: somebody edited it in place."""
    manifest = last_applied(obj)
    return of_specs(mapping(manifest, "spec"), mapping(obj, "spec")) if mapping(manifest, "spec") else []


def owner_of_field(obj: Object, *path: str) -> tuple[str, str]:
    """(manager, time) of the last write that owns the field, from metadata.managedFields; empty strings if unknown."""
    best = ("", "")
    for entry in maps(obj, "metadata", "managedFields"):
        fields = mapping(entry, "fieldsV1")
        owned = dig(fields, *[f"f:{key}" for key in path]) is not None
        if owned and text(entry, "subresource") != "status" and text(entry, "time") > best[1]:
            best = (text(entry, "manager"), text(entry, "time"))
    return best


_FRESH = timedelta(hours=2)


def written_at(obj: Object, clock: datetime, *path: str) -> datetime | None:
    """When the field got its value: its owner's last write; else the object's birth, unless that is long ago and the
    object tells of no writes at all (`kubectl get -o json` leaves managedFields out), since then nobody knows."""
    written, born = time_of(owner_of_field(obj, *path)[1]), created(obj)
    if written is not None or maps(obj, "metadata", "managedFields"):
        return written or born
    return born if born is not None and clock - born < _FRESH else None


@dataclass(frozen=True)
class Write:
    manager: str
    at: datetime | None
    keys: tuple[str, ...]
    """Below the field, those that the writer set; empty when nobody tells."""


def last_write(obj: Object, field: str) -> Write:
    """The last write to a field such as `data` by something other than a status update, from metadata.managedFields."""
    entries = [
        e
        for e in maps(obj, "metadata", "managedFields")
        if dig(e, "fieldsV1", f"f:{field}") is not None and text(e, "subresource") != "status"
    ]
    if not entries:
        return Write("", None, ())
    newest = max(entries, key=lambda e: text(e, "time"))
    keys = [k.removeprefix("f:") for k in mapping(newest, "fieldsV1", f"f:{field}") if k.startswith("f:")]
    return Write(text(newest, "manager"), time_of(newest.get("time")), tuple(keys))


def plain_value(key: str, value: Any) -> str:
    """A short value of a ConfigMap as it stands; hidden where its key or shape says that it is a secret."""
    masked = _REDACTOR.value({"name": key, "value": str(value)})
    return one_line(str(masked["value"]), 60) or '""'
