"""A case to a cluster: the application's workloads with what the case changes, its events and its logs.

Words of the short form: README.md.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.field.objects import NOW, Obj, ago, event, meta, pod_name, surroundings, workload
from tests.field.stamps import stamped

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Line:
    at: datetime
    workload: str
    pod: str
    container: str
    text: str
    previous: bool


@dataclass(frozen=True)
class Made:
    namespace: str
    objects: tuple[Obj, ...]
    lines: tuple[Line, ...]


def cases() -> list[dict[str, Any]]:
    return [c for path in sorted((FOLDER / "cases").glob("*.yaml")) for c in yaml.safe_load(path.read_text())]


def made(case: Mapping[str, Any]) -> Made:
    application = yaml.safe_load((FOLDER / "applications" / f"{case['application']}.yaml").read_text())
    namespace = application["namespace"]
    workloads: dict[str, Any] = {
        name: merged(application.get("defaults", {}), it or {}) for name, it in application["workloads"].items()
    }
    if pattern := application.get("labels"):
        for name, it in workloads.items():
            it.setdefault("labels", {k: v.replace("NAME", name) for k, v in pattern.items()})
    for name, change in case.get("change", {}).items():
        workloads[name] = merged(workloads.get(name, {}), change)
    objects = [*surroundings(namespace)]
    for name, it in workloads.items():
        objects += workload(name, it, namespace)
    objects += [_whole(each, namespace) for each in copy.deepcopy(application.get("objects", []))]
    for each in case.get("remove", []):
        kind, _, name = each.partition(" ")
        objects = [o for o in objects if not _is(o, kind, name)]
    objects += [_whole(each, namespace) for each in copy.deepcopy(case.get("add", []))]
    objects += [event(namespace, _about(e, workloads)) for e in case.get("events", [])]
    lines = [*_lines(case, workloads)]
    return Made(namespace, tuple(objects), tuple(lines))


def merged(base: Any, change: Any) -> Any:
    """Mappings merge, everything else is replaced."""
    if isinstance(base, dict) and isinstance(change, dict):
        return {**base, **{k: merged(base.get(k), v) for k, v in change.items()}}
    return copy.deepcopy(change)


def _is(obj: Obj, kind: str, name: str) -> bool:
    if kind == "Service" and obj["kind"] == "EndpointSlice":
        return bool(obj["metadata"].get("labels", {}).get("kubernetes.io/service-name") == name)
    return bool(obj["kind"] == kind and obj["metadata"]["name"] == name)


_CLUSTER_WIDE = (
    "PersistentVolume",
    "StorageClass",
    "Namespace",
    "ValidatingWebhookConfiguration",
    "PriorityClass",
    "MutatingWebhookConfiguration",
    "IngressClass",
    "Node",
)


def _whole(each: Obj, namespace: str) -> Obj:
    """An object of a case with the metadata that the API server adds; `age` is minutes."""
    place = None if each["kind"] in _CLUSTER_WIDE else each["metadata"].get("namespace", namespace)
    given = each["metadata"]
    each["metadata"] = {**meta(given["name"], place, each.pop("age", 3000)), **given}
    return each


def _about(each: Mapping[str, Any], workloads: Mapping[str, Any]) -> dict[str, Any]:
    """`Pod cart` is the first pod of cart; `ReplicaSet cart` its current one."""
    kind, _, name = each["about"].partition(" ")
    if kind in ("Pod", "ReplicaSet") and name in workloads:
        called = pod_name(name, workloads[name])
        name = called if kind == "Pod" else called.rpartition("-")[0]
    return {**each, "about": f"{kind} {name}"}


_WHEN = re.compile(r"^-(?P<first>[\d.]+)(?:\.\.-?(?P<last>[\d.]+)/(?P<every>[\d.]+))? (?P<text>.*)$", re.DOTALL)


def _lines(case: Mapping[str, Any], workloads: Mapping[str, Any]) -> Iterator[Line]:
    """`-12 text`: twelve minutes ago; `-12..0/0.5 text`: every half minute from then on. {time} is the line's own."""
    for key, previous in (("logs", False), ("previous_logs", True)):
        for called, texts in case.get(key, {}).items():
            name, _, beside = called.partition("/")
            it = workloads.get(name)
            if it is None:
                raise KeyError(f"{case['name']}: logs of {name}, which the application does not have")
            found = sorted(_of(texts), key=lambda pair: pair[0])
            for at, text in found:
                pod, container = pod_name(name, it), beside or it.get("container_name", name)
                for line in text.splitlines():
                    yield Line(at, name, pod, container, line, previous)


def _of(texts: Sequence[str]) -> Iterator[tuple[datetime, str]]:
    for each in texts:
        match = _WHEN.match(each)
        assert match, each
        first, last, every = float(match["first"]), match["last"], match["every"]
        moments = [first]
        while every and moments[-1] - float(every) >= float(last):
            moments.append(moments[-1] - float(every))
        for minutes in moments:
            at = NOW - timedelta(minutes=minutes)
            yield at, stamped(match["text"], at)


def alert(case: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    """Alertmanager's webhook, version 4."""
    labels = {k: v for k, v in {"namespace": namespace, "severity": "critical", **case["alert"]}.items() if v}
    notes = {"summary": labels.pop("summary")} if "summary" in labels else {}
    one = {"status": "firing", "labels": labels, "annotations": notes, "startsAt": ago(case.get("firing", 5))}
    one |= {"endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": "f1e1d0c7a5b3"}
    whole = {"version": "4", "groupKey": "{}", "status": "firing", "receiver": "gumshoe", "truncatedAlerts": 0}
    whole |= {"groupLabels": {"alertname": labels["alertname"]}, "commonLabels": labels, "commonAnnotations": notes}
    return {**whole, "externalURL": "http://alertmanager.example.com", "alerts": [one]}
