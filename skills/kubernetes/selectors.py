"""Label selectors and node selectors, as the API server and the scheduler evaluate them.

Formats: apimachinery pkg/apis/meta/v1 LabelSelector; core/v1 NodeSelectorTerm (terms are ORed, requirements ANDed).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skills.kubernetes.objects import Object, labels, mapping, maps, name, strings, text


def matches_map(selector: Mapping[str, Any], found: Mapping[str, str]) -> bool:
    """Every label of the selector is there with that value; an empty selector matches everything."""
    return all(found.get(key) == str(value) for key, value in selector.items())


def matches(selector: Any, found: Mapping[str, str]) -> bool:
    """A LabelSelector (`matchLabels` and `matchExpressions`). An empty one matches everything, an absent one
    nothing."""
    if not isinstance(selector, Mapping):
        return False
    expressions = maps(selector, "matchExpressions")
    return matches_map(mapping(selector, "matchLabels"), found) and all(_holds(e, found) for e in expressions)


def _holds(requirement: Object, found: Mapping[str, str]) -> bool:
    key, values = text(requirement, "key"), strings(requirement, "values")
    match text(requirement, "operator"):
        case "In":
            return found.get(key) in values
        case "NotIn":
            return found.get(key) not in values
        case "Exists":
            return key in found
        case "DoesNotExist":
            return key not in found
        case "Gt":
            return _integer(found.get(key)) is not None and _compare(found.get(key), values) > 0
        case "Lt":
            return _integer(found.get(key)) is not None and _compare(found.get(key), values) < 0
    return False


def _integer(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _compare(value: Any, values: list[str]) -> int:
    left, right = _integer(value), _integer(values[0]) if values else None
    return 0 if left is None or right is None else (left > right) - (left < right)


def node_matches_selector(pod_spec: Object, node: Object) -> bool:
    return matches_map(mapping(pod_spec, "nodeSelector"), labels(node))


def node_matches_affinity(pod_spec: Object, node: Object) -> bool:
    """Required node affinity only; preferences keep nothing from being scheduled."""
    required = mapping(pod_spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    return not required or matches_node_selector(required, node)


def matches_node_selector(selector: Object, node: Object) -> bool:
    terms = maps(selector, "nodeSelectorTerms")
    return any(_term_matches(term, node) for term in terms)


def _term_matches(term: Object, node: Object) -> bool:
    expressions, fields = maps(term, "matchExpressions"), maps(term, "matchFields")
    if not expressions and not fields:
        return False
    by_field = {"metadata.name": name(node)}
    return all(_holds(e, labels(node)) for e in expressions) and all(_holds(f, by_field) for f in fields)


def tolerates(pod_spec: Object, taint: Object) -> bool:
    return any(_tolerates(t, taint) for t in maps(pod_spec, "tolerations"))


def _tolerates(toleration: Object, taint: Object) -> bool:
    effect = text(toleration, "effect")
    if effect and effect != text(taint, "effect"):
        return False
    key = text(toleration, "key")
    if key and key != text(taint, "key"):
        return False
    if text(toleration, "operator") == "Exists":
        return True
    return bool(key) and text(toleration, "value") == text(taint, "value")


def describe(selector: Mapping[str, Any]) -> str:
    """A LabelSelector or a plain map for people: `app=cart, tier in (a,b)`."""
    plain = mapping(selector, "matchLabels") if _is_label_selector(selector) else dict(selector)
    parts = [f"{key}={value}" for key, value in plain.items()]
    for e in maps(selector, "matchExpressions"):
        parts.append(" ".join(filter(None, [text(e, "key"), text(e, "operator"), ",".join(strings(e, "values"))])))
    return ", ".join(parts) or "(everything)"


def _is_label_selector(selector: Mapping[str, Any]) -> bool:
    return isinstance(selector.get("matchLabels"), Mapping) or isinstance(selector.get("matchExpressions"), list)
