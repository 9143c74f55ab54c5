"""Who calls whom, as a mesh measures it: the edges that need no guess about namespaces.

Istio's standard metrics name source and destination with their namespaces (`istio_request_duration_milliseconds`, asked
by `analyzers.edges` of the sources; `istio_requests_total`, asked by `analyzers.traffic` of the destinations, which is
all that there is behind a gateway or in an ambient mesh). Service graphs of traces and clients' own metrics name the
peer only, so that they serve the analyzers and are no edges here.
"""

from __future__ import annotations

from skills.contract import Edge, Entity, Series
from skills.prometheus.look import Look

QUESTION = "mesh_calls"
UNKNOWN = ("", "unknown")
"""How Istio writes a peer that has no proxy."""


def edges(look: Look) -> tuple[Edge, ...]:
    """Each pair once, in the order of their names."""
    found: dict[tuple[Entity, Entity], Edge] = {}
    for series in look.ask(QUESTION):
        pair = _pair(series)
        if pair is None or not series.points:
            continue
        source, target = pair
        told = f"{source.name} in {source.namespace} calls {target.name} in {target.namespace}, as the mesh measures"
        found.setdefault(pair, Edge(source, target, "metric", look.excerpt(QUESTION, told, source)))
    for series in look.ask(PAIRS):
        for pair in _told_by_destination(series):
            source, target = pair
            told = f"{source.name} in {source.namespace} calls {target.name}, as the mesh measures at the destination"
            found.setdefault(pair, Edge(source, target, "metric", look.excerpt(PAIRS, told, source)))
    return tuple(found[pair] for pair in sorted(found, key=str))


PAIRS = "mesh_pairs"


def _told_by_destination(series: Series) -> list[tuple[Entity, Entity]]:
    """The caller and the very workload that answered: one of several behind a Service."""
    labels = series.labels
    space, caller = labels.get("source_workload_namespace", ""), labels.get("source_workload", "")
    place, callee = labels.get("destination_workload_namespace", ""), labels.get("destination_workload", "")
    if any(name in UNKNOWN for name in (space, caller, place, callee)) or not any(v > 0 for _, v in series.points):
        return []
    source = Entity(kind="Deployment", namespace=space, name=caller)
    return [(source, Entity(kind="Deployment", namespace=place, name=callee))] if caller != callee else []


def _pair(series: Series) -> tuple[Entity, Entity] | None:
    labels = series.labels
    names = [
        labels.get(n, "")
        for n in (
            "source_workload_namespace",
            "source_workload",
            "destination_service_namespace",
            "destination_service_name",
        )
    ]
    if any(name in UNKNOWN for name in names):
        return None
    space, caller, place, callee = names
    return Entity(kind="Deployment", namespace=space, name=caller), Entity(kind="Service", namespace=place, name=callee)
