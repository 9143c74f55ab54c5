"""Label and field selectors, in the grammar of the Kubernetes API."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Labels = Mapping[str, str]


class Unparsable(Exception):
    """The selector is not in the grammar."""


_SET = re.compile(r"^\s*(?P<key>[\w./-]+)\s+(?P<op>in|notin)\s*\((?P<values>[^)]*)\)\s*$")
_EQUAL = re.compile(r"^\s*(?P<key>[\w./-]+)\s*(?P<op>==|=|!=)\s*(?P<value>[\w.-]*)\s*$")
_EXISTS = re.compile(r"^\s*(?P<not>!?)\s*(?P<key>[\w./-]+)\s*$")


def label_matcher(text: str) -> Callable[[Labels], bool]:
    tests = [_label_test(t) for t in re.split(r",(?![^(]*\))", text)] if text.strip() else []
    return lambda labels: all(t(labels) for t in tests)


def _label_test(text: str) -> Callable[[Labels], bool]:
    if found := _SET.match(text):
        key, values = found["key"], {v.strip() for v in found["values"].split(",")}
        if found["op"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUAL.match(text):
        key, value = found["key"], found["value"]
        if found["op"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _EXISTS.match(text):
        key, negated = found["key"], bool(found["not"])
        return lambda labels: (key in labels) != negated
    raise Unparsable(f"unable to parse requirement: found '{text}', expected: !, identifier, or 'end of string'")


_FIELDS: dict[str, set[str]] = {
    "Pod": {
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    },
    "Event": {
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    },
    "Node": {"spec.unschedulable"},
    "Secret": {"type"},
    "Namespace": {"status.phase"},
    "Job": {"status.successful"},
    "ReplicaSet": {"status.replicas"},
}
_COMMON = {"metadata.name", "metadata.namespace"}


def field_matcher(text: str, kind: str) -> Callable[[Any], bool]:
    """Only the fields that the real server indexes; others are refused as it refuses them."""
    tests: list[tuple[str, bool, str]] = []
    for term in (t for t in text.split(",") if t.strip()):
        found = re.match(r"^\s*([^=!]+?)\s*(==|=|!=)\s*(.*?)\s*$", term)
        if not found:
            raise Unparsable(f"invalid selector: '{text}'; can't understand '{term}'")
        key = found[1]
        if key not in _COMMON | _FIELDS.get(kind, set()):
            raise Unparsable(f"field label not supported: {key}")
        tests.append((key, found[2] != "!=", found[3]))
    return lambda it: all((_field(it, key) == value) is wanted for key, wanted, value in tests)


def _field(it: Any, path: str) -> str:
    if path == "source":
        path = "source.component"
    value = it
    for part in path.split("."):
        value = value.get(part, "") if isinstance(value, Mapping) else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "false" if value == "" and path.endswith(("unschedulable", "hostNetwork")) else str(value)
