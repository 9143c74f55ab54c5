"""Who is to blame for what was sighted: twins told apart by how many names, writers and addresses are involved.

A pattern alone says what a line says. This module looks at all of them together: one unknown name is a deleted Service
or a wrong address, many unknown names are DNS; a refused connection to a data store may be a wrong endpoint; what a
host outside the cluster does is that host's fault.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from skills.contract import Entity, Role
from skills.logfaults.places import (
    Host,
    Resolve,
    entity_of,
    is_store,
    store_in,
    store_kind,
    store_workload,
    usual_ports,
)
from skills.logfaults.sightings import Seen, Sighting, store_named_by


@dataclass(frozen=True)
class Case:
    """Sightings of one pattern by one writer about one host."""

    sightings: tuple[Sighting, ...]
    """Oldest first, at least one."""
    novelty: float
    known: int
    """How many of them the baseline holds."""

    @property
    def name(self) -> str:
        return self.sightings[0].pattern.name

    @property
    def writer(self) -> Entity:
        return self.sightings[0].writer

    @property
    def host(self) -> Host | None:
        return self.sightings[0].host


@dataclass(frozen=True)
class Verdict:
    entity: Entity
    faults: tuple[str, ...]
    role: Role
    says: str
    specificity: float
    points_at: tuple[Entity, ...] = ()
    victims: tuple[Entity, ...] = ()


def judge(
    cases: Sequence[Case], seen: Seen, namespace: str, resolve: Resolve | None = None
) -> Iterator[tuple[Case, Verdict]]:
    """Each case with its verdict."""
    unknown_names = _unknown_names(cases)
    lacking = {case.writer.name for case in cases if case.name in ("mongodb user missing", "sql role missing")}
    for case in cases:
        sighting = case.sightings[0]
        target = entity_of(case.host, namespace, resolve) if case.host else None
        if sighting.relayed:
            says = f"{case.writer.name} passes on an error of what it calls, which {sighting.pattern.says}"
            yield case, Verdict(case.writer, (), "effect", says, 0.4)
        elif case.name in ("no such host", "dns not answering"):
            yield case, _dns(case, target, unknown_names)
        elif sighting.pattern.culprit == "store":
            yield case, _store(case, target, seen, namespace)
        elif sighting.pattern.faults[:1] == ("datastore_credentials_rejected",):
            yield case, _credentials(case, target, seen, namespace, lacking)
        elif case.name == "tls certificate":
            yield case, _certificate(case, target)
        elif sighting.pattern.role == "effect":
            yield case, _effect(case, target)
        else:
            yield case, _own(case, target)


# --- the writer itself ----------------------------------------------------------------------------------------------


def _own(case: Case, target: Entity | None) -> Verdict:
    pattern = case.sightings[0].pattern
    if pattern.name in _OF_STATEMENTS and is_store(case.writer, case.sightings[0].record.text):
        # A server logs the bad statements of its clients: it is well, and they say the same themselves.
        return Verdict(case.writer, (), "effect", f"{case.writer.name} says of a client: it {pattern.says}", 0.3)
    subject = f": {case.sightings[0].object}" if case.sightings[0].object else ""
    says = f"{case.writer.name} {pattern.says}{subject}"
    return Verdict(case.writer, pattern.faults, pattern.role, says, pattern.specificity, _points(target, case.writer))


_OF_STATEMENTS = ("schema missing", "contract broken", "programming error")


def _points(target: Entity | None, writer: Entity) -> tuple[Entity, ...]:
    return (target,) if target is not None and target != writer else ()


# --- effects --------------------------------------------------------------------------------------------------------

_UNREACHABLE = ("refused", "connect timed out", "reset", "no healthy upstream", "cannot connect")


def _effect(case: Case, target: Entity | None) -> Verdict:
    pattern = case.sightings[0].pattern
    if target is not None and target.kind == "external" and case.name != "retries":
        return _third_party(case, target)
    faults = pattern.faults
    if case.host is not None and case.host.is_local and case.name in _UNREACHABLE:
        faults = ("dependency_address_wrong", "boot_dependency_missing", *faults)
    elif case.host is not None and case.name in _UNREACHABLE:
        faults = _of_store(faults, store_kind(case.host.name, case.host.port))
        if odd := _odd_port(case, case.host, faults):
            return odd
    says = f"{case.writer.name} {pattern.says}" + (f": {case.host}" if case.host else "")
    if case.name != "retries" and _TRIED_AGAIN.search(case.sightings[0].record.text):
        # What failed tells more than that it was tried again; the latter is kept for whoever sees the load grow.
        faults, says = (*faults, "retry_storm"), f"{says}, and tries again"
    return Verdict(case.writer, faults, "effect", says, pattern.specificity, _points(target, case.writer))


_TRIED_AGAIN = re.compile(
    r"\battempt (?:#|number )?\d+ ?(?:/|of) ?\d+|\bretry(?:ing)?\b.{0,30}\b\d+ ?(?:/|of) ?\d+"
    r"|retries (?:exhausted|exceeded)",
    re.IGNORECASE,
)


def _odd_port(case: Case, host: Host, faults: tuple[str, ...]) -> Verdict | None:
    """A store that cannot be reached at a port on which no store of its kind listens: the address is wrong."""
    usual = usual_ports(store_kind(host.name)) if not host.is_address else ()
    if host.port is None or not usual or host.port in usual:
        return None
    says = f"{case.writer.name} looks for {host.name} at port {host.port}, not {usual[0]}, and cannot reach it"
    named = ("datastore_endpoint_wrong", "dependency_address_wrong", "config_value_harmful")
    rest = tuple(f for f in faults if f not in named)
    return Verdict(case.writer, (*named, *rest), "cause", says, 0.78)


def _of_store(faults: tuple[str, ...], kind: str) -> tuple[str, ...]:
    """What else explains that a data store cannot be reached."""
    if kind in ("redis", "memcached"):
        return (*faults, "cache_unavailable", "datastore_endpoint_wrong")
    return (*faults, "datastore_endpoint_wrong") if kind else (*faults, "dependency_address_wrong")


def _third_party(case: Case, target: Entity) -> Verdict:
    """Whatever a host outside the cluster does to us, the cause is there, or on the way to it."""
    pattern = case.sightings[0].pattern
    faults = ("external_dependency_failing", *(f for f in pattern.faults if f != "external_dependency_failing"))
    says = f"{case.writer.name} {pattern.says}: {case.host}, which is outside the cluster"
    # Who answers 5xx or 429 is there, and says itself that it cannot serve; silence may also be our way out.
    weight = 0.75 if case.name in ("upstream error", "rate limited") else min(0.7, pattern.specificity)
    return Verdict(target, faults, "cause", says, weight, victims=(case.writer,))


# --- names ----------------------------------------------------------------------------------------------------------


def _unknown_names(cases: Iterable[Case]) -> dict[str, set[Entity]]:
    """Names that could not be resolved, and who asked."""
    names: dict[str, set[Entity]] = defaultdict(set)
    for case in cases:
        if case.name in ("no such host", "dns not answering") and not case.sightings[0].relayed:
            names[case.host.name if case.host else ""].add(case.writer)
    return names


def _dns(case: Case, target: Entity | None, unknown: dict[str, set[Entity]]) -> Verdict:
    """F5 (one name, several writers), F7 (one name, one writer), F6 (many names: cluster DNS, or one pod's policy)."""
    pattern = case.sightings[0].pattern
    names = {name for name, writers in unknown.items() if name and case.writer in writers}
    writers = set().union(*unknown.values())
    says = f"{case.writer.name} {pattern.says}" + (f": {case.host.name}" if case.host else "")
    resolver = Host(case.sightings[0].resolver.strip("[]")) if case.sightings[0].resolver else None
    if resolver is not None and resolver.is_public_address and (target is None or target.kind == "Service"):
        says = f"{case.writer.name} asks {resolver.name}, which is not the cluster's DNS, for {case.host}"
        return Verdict(case.writer, ("dns_resolution_failing",), "cause", says, 0.92)
    others = set().union(*(w for name, w in unknown.items() if name)) if unknown else set()
    if len(names) >= 3 and len(others) == 1:
        says = f"{case.writer.name} can resolve none of {len(names)} names, while others do not complain"
        return Verdict(case.writer, ("dns_resolution_failing",), "cause", says, 0.75)
    if len({name for name in unknown if name}) >= 3 or (case.name == "dns not answering" and len(writers) >= 2):
        dns = Entity(kind="Deployment", namespace="kube-system", name="coredns")
        says = f"{len(writers)} workloads cannot resolve {len(unknown)} names, among them {case.host or 'unnamed'}"
        return Verdict(dns, ("dns_resolution_failing",), "cause", says, 0.8, victims=tuple(sorted(writers, key=str)))
    if case.name == "dns not answering":
        return Verdict(case.writer, pattern.faults, "effect", says, pattern.specificity, _points(target, case.writer))
    if target is not None and target.kind == "external":
        faults: tuple[str, ...] = ("dns_resolution_failing", "dependency_address_wrong", "external_dependency_failing")
        return Verdict(case.writer, faults, "effect", says, 0.6, _points(target, case.writer))
    faults = pattern.faults
    kind = store_kind(case.host.name, case.host.port) if case.host else ""
    alone = len(unknown.get(case.host.name if case.host else "", ())) == 1
    if kind and alone:
        faults = (faults[0], "datastore_endpoint_wrong", *faults[1:])
    return Verdict(case.writer, faults, "effect", says, pattern.specificity, _points(target, case.writer))


# --- certificates ---------------------------------------------------------------------------------------------------


def _certificate(case: Case, target: Entity | None) -> Verdict:
    """An expired certificate is its owner's; one that is not trusted may as well be our own trust that is out of date.
    Of a host that is not ours nobody here can renew anything: it fails us."""
    pattern, text = case.sightings[0].pattern, case.sightings[0].record.text
    says = f"{case.writer.name} {pattern.says}" + (f" of {case.host}" if case.host else "")
    victims = (case.writer,) if target is not None else ()
    if "remote error: tls:" in text:
        # Go crypto/tls quotes the alert of the other end, which does not believe what the writer presents.
        says = f"{case.writer.name} presents a certificate that {case.host or 'its peer'} does not believe"
        return Verdict(case.writer, pattern.faults, "cause", says, 0.8, victims=_points(target, case.writer))
    if target is not None and target.kind == "external":
        if _OUT_OF_DATE.search(text):
            faults = ("external_dependency_failing",)
            return Verdict(target, faults, "cause", f"{says}, which is outside the cluster", 0.75, victims=victims)
        return Verdict(case.writer, pattern.faults, "cause", says, 0.7, points_at=(target,))
    return Verdict(target or case.writer, pattern.faults, "cause", says, pattern.specificity, victims=victims)


_OUT_OF_DATE = re.compile(r"expired|NotTimeValid|validity check failed|NotAfter|CERT_HAS_EXPIRED", re.IGNORECASE)


# --- data stores ----------------------------------------------------------------------------------------------------


def _store(case: Case, target: Entity | None, seen: Seen, namespace: str) -> Verdict:
    """The store's own state: its workload if it says so itself, else the one behind the host that the client names."""
    sighting = case.sightings[0]
    pattern = sighting.pattern
    subject = f" ({sighting.object})" if sighting.object else ""
    if is_store(case.writer, sighting.record.text):
        says = f"{case.writer.name} says: {pattern.says}{subject}"
        return Verdict(case.writer, pattern.faults, pattern.role, says, pattern.specificity)
    host, service = _store_of_client(case, target, seen, namespace, pattern.store)
    if host is None or service is None:
        says = f"{case.writer.name}: its data store, or it, {pattern.says}{subject}"
        return Verdict(case.writer, pattern.faults, "effect", says, pattern.specificity * 0.9)
    says = (
        f"{host.name}: {case.writer.name} {pattern.says}{subject}"
        if pattern.role == "effect"
        else (f"{host.name} by the word of {case.writer.name}: {pattern.says}{subject}")
    )
    if pattern.role == "effect" and (odd := _odd_port(case, host, pattern.faults)):
        return odd
    if pattern.role == "effect":
        return Verdict(case.writer, pattern.faults, "effect", says, pattern.specificity, (service,))
    blamed = store_workload(host, service)
    return Verdict(blamed, pattern.faults, pattern.role, says, pattern.specificity, (service,), victims=(case.writer,))


def _credentials(case: Case, target: Entity | None, seen: Seen, namespace: str, lacking: set[str]) -> Verdict:
    """Credentials are their user's: the client. A store's own log knows the user's name, not the workload.

    `lacking`: stores that say themselves that they do not know the user; their clients are then its victims.
    """
    sighting = case.sightings[0]
    pattern = sighting.pattern
    user = f" as {sighting.object}" if sighting.object else ""
    if is_store(case.writer, sighting.record.text):
        says = f"{case.writer.name} rejects somebody's credentials{user}"
        return Verdict(case.writer, pattern.faults, "effect", says, pattern.specificity * 0.75)
    host, service = _store_of_client(case, target, seen, namespace, pattern.store)
    says = f"{case.writer.name} {pattern.says}{user}" + (f" at {host}" if host else "")
    if service is not None and service.name in lacking:
        faults = ("datastore_privilege_missing", "datastore_credentials_rejected")
        return Verdict(case.writer, faults, "effect", says, pattern.specificity, _points(service, case.writer))
    return Verdict(case.writer, pattern.faults, "cause", says, pattern.specificity, _points(service, case.writer))


def _store_of_client(
    case: Case, target: Entity | None, seen: Seen, namespace: str, kind: str
) -> tuple[Host | None, Entity | None]:
    if case.host is not None and target is not None and not case.host.is_address:
        return case.host, target
    text = case.sightings[0].record.text
    if database := case.sightings[0].object:
        text = text.replace(database, "")  # orders-db may be what a client calls its database, not its host
    host = store_named_by(seen, case.writer, kind) or store_in(text) or store_named_by(seen, case.writer, "")
    return host, entity_of(host, namespace) if host else None
