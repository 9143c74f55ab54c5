"""Whom a symptom blames: the object whose spec or state is wrong (faults.yaml, culprit), as the cluster deploys it.

Logs and metrics know a store by a host name, events know a pod, an alert knows a Service. Who reads the objects knows
better, and says so in the edges: what a Service selects, and which Service a caller's own settings name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from skills.contract import Edge, Entity
from skills.faults import UnknownFault, fault
from skills.logfaults.places import store_kind
from workers.llm.entities import (
    WORKLOADS,
    family,
    is_claim_of,
    is_culprit_kind,
    owner_name,
    owning_workload,
    same_thing,
)
from workers.llm.graph import Graph
from workers.llm.offline.notes import Sign

OF_THE_CALLER = (
    "dependency_address_wrong",
    "datastore_credentials_rejected",
    "datastore_endpoint_wrong",
    "retry_storm",
    "config_value_harmful",
)
"""Faults that sit in the reference to a thing, not in the thing."""

OF_THE_CALLEE = (
    "service_selects_no_pods",
    "service_selects_foreign_pods",
    "service_target_port_wrong",
    "service_transport_wrong",
    "service_deleted",
    "scaled_to_zero",
    "readiness_probe_misconfigured",
    "slow_query_or_lock",
)
"""Faults that a caller's error suspects in what it calls; where that has no name, the caller is not the one."""


@dataclass(frozen=True)
class Scene:
    """Everything that was seen, as a place in which to look things up."""

    known: tuple[Entity, ...]
    graph: Graph
    edges: tuple[Edge, ...]
    seen: tuple[Entity, ...] = ()
    """What is known from the objects themselves, not from a line that names it."""

    @cached_property
    def objects(self) -> tuple[Entity, ...]:
        """What edges speak of, which come from the objects or from traffic that was really seen, and what changed."""
        ends = (e for edge in self.edges if edge.via != "log" for e in (edge.source, edge.target))
        return tuple(dict.fromkeys((*ends, *self.seen)))

    @cached_property
    def selected(self) -> tuple[Edge, ...]:
        return tuple(e for e in self.edges if e.via == "selector")


def scene(signs: Sequence[Sign], edges: Sequence[Edge], graph: Graph, changed: Iterable[Entity] = ()) -> Scene:
    known = [e for s in signs for e in (s.entity, *s.victims, *s.points_at)]
    known += [e for edge in edges for e in (edge.source, edge.target)]
    by_objects = (s.entity for s in signs if s.analyzer.startswith(("kubernetes.", "changes.")) and not by_lines(s))
    return Scene(tuple(dict.fromkeys(known)), graph, tuple(edges), (*by_objects, *changed))


def by_lines(sign: Sign) -> bool:
    """Whether a symptom rests on what log lines say."""
    return sign.analyzer.startswith("logs.") or sign.analyzer.endswith(".logs")


def is_cause(name: str) -> bool:
    try:
        return fault(name).is_cause
    except UnknownFault:
        return False


def culprit(entity: Entity, name: str, seen: Scene, victims: Sequence[Entity] = ()) -> Entity:
    """The object to blame: a pod's owner, the workload behind a Service, the claim of a full volume, or the namesake
    whose kind can have the fault."""
    entity = deployed(owning_workload(named(entity, seen), seen.known), seen, victims)
    kinds = fault(name).culprit
    if "volume_claim" in kinds and (claim := claim_of(entity, seen.known)):
        return claim
    if is_culprit_kind(entity.kind, kinds):
        return entity
    behind = [e for e in _behind(entity, seen) if is_culprit_kind(e.kind, kinds)]
    if len(behind) == 1:
        return behind[0]
    namesakes = [e for e in seen.known if same_thing(e, entity) and is_culprit_kind(e.kind, kinds)]
    if namesakes:
        return min(namesakes, key=str)
    # Where only traffic was seen, the workload behind a Service is called like it, most often a Deployment.
    guess = entity.kind in ("", "Service") and is_culprit_kind("Deployment", kinds)
    return entity.model_copy(update={"kind": "Deployment"}) if guess else entity


def named(entity: Entity, seen: Scene) -> Entity:
    """A node that is known by its address alone, by its name where an edge tells it."""
    if entity.kind != "Node":
        return entity
    return next((e.target for e in seen.edges if e.via == "address" and e.source == entity), entity)


def deployed(entity: Entity, seen: Scene, victims: Sequence[Entity] = ()) -> Entity:
    """A guess of a workload from a host name, corrected by what is really there.

    A bare host name in a connection string is resolved in the caller's own namespace first, but log texts shorten
    names: the store that the victim's own settings name is meant, wherever it lives; else the only namesake.
    """
    if family(entity.kind) != "app" or entity.kind == "Service":
        return entity
    here = [e for e in seen.objects if same_thing(e, entity)]
    if not here:
        alike = [e for e in seen.objects if _is_namesake(e, entity)]
        of_victims = [e for e in alike if any(seen.graph.distance(v, e) == 1 for v in victims)]
        places = {e.namespace for e in of_victims or alike}
        if len(places) != 1:
            return entity
        entity = entity.model_copy(update={"namespace": next(iter(places))})
        here = [e for e in seen.objects if same_thing(e, entity)]
    if entity in here and entity.kind in WORKLOADS:
        return entity
    workloads = {e for e in (*here, *(b for e in here for b in _behind(e, seen))) if e.kind in WORKLOADS}
    return next(iter(workloads)) if len(workloads) == 1 else entity


def _is_namesake(known: Entity, guessed: Entity) -> bool:
    return family(known.kind) == "app" and owner_name(known.kind, known.name) == guessed.name


def _behind(entity: Entity, seen: Scene) -> tuple[Entity, ...]:
    """The workloads that a Service selects, by whatever name."""
    return tuple(dict.fromkeys(e.target for e in seen.selected if e.source == entity or _is_its_service(e, entity)))


def _is_its_service(edge: Edge, entity: Entity) -> bool:
    return edge.source.kind == "Service" and entity.kind in ("", "Service") and same_thing(edge.source, entity)


def claim_of(workload: Entity, known: Iterable[Entity]) -> Entity | None:
    """The claim of a workload, where one was seen."""
    if workload.kind == "PersistentVolumeClaim":
        return workload
    return min((e for e in known if is_claim_of(e, workload)), key=str, default=None)


def _only_store_of(writer: Entity, name: str, seen: Scene) -> list[Entity]:
    """A store's own state, told by a client that does not say which: the one store of that kind that it depends on."""
    wanted = ("redis", "memcached") if name == "cache_unavailable" else ()
    used = [e.target for e in seen.edges if e.via != "log" and same_thing(e.source, writer)]
    stores = dict.fromkeys(t for t in used if (kind := store_kind(t.name)) and (not wanted or kind in wanted))
    if len(stores) > 1 and name in _OF_DATABASES:
        # Caches and brokers have no primary, no locks and no tables.
        stores = dict.fromkeys(t for t in stores if store_kind(t.name) in _DATABASES) or stores
    return [culprit(next(iter(stores)), name, seen, (writer,))] if len(stores) == 1 else []


_OF_ITS_CLIENTS = ("datastore_credentials_rejected", "datastore_endpoint_wrong")
_DATABASES = ("mongodb", "mysql", "postgres", "other")
_OF_DATABASES = ("datastore_read_only_or_lagging", "slow_query_or_lock", "datastore_privilege_missing")


def blamed_by(sign: Sign, name: str, seen: Scene) -> list[Entity]:
    """Whom a sufferer's symptom suspects: what it points at, if that can have the fault, else the sufferer itself."""
    if not is_cause(name):
        return []
    kinds = fault(name).culprit
    if sign.points_at and name not in OF_THE_CALLER:
        pointed = (culprit(p, name, seen, (sign.entity,)) for p in sign.points_at)
        return [e for e in pointed if is_culprit_kind(e.kind, kinds)]
    if name in OF_THE_CALLEE:
        return []
    if name in _OF_ITS_CLIENTS and by_lines(sign) and store_kind(sign.entity.name):
        return []  # a store that turns somebody away does not know whom; the client says so itself
    # What a client says of its store's state is about the store, whatever the second guess at it is.
    of_a_store = is_cause(sign.faults[0]) and fault(sign.faults[0]).culprit == ("datastore",)
    if (kinds == ("datastore",) or (of_a_store and by_lines(sign))) and not store_kind(sign.entity.name):
        return _only_store_of(sign.entity, name, seen)
    own = culprit(sign.entity, name, seen)
    return [own] if is_culprit_kind(own.kind, kinds) else []
