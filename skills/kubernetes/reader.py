"""Reads a snapshot: many small lists in parallel, within a few seconds, each failure a gap and never a crash.

Values of Secrets never cross the wire where the server can help it (metadata-only lists), and are dropped on arrival
where it cannot.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime

from skills.contract import Gap, ToolError
from skills.kubernetes.client import METADATA_ONLY, Client, Denied, Listing, NotServed
from skills.kubernetes.kinds import (
    CONFIG_MAP,
    ENDPOINTS,
    EVENT,
    IN_NAMESPACE,
    IN_SYSTEM,
    LEASE,
    OF_CLUSTER,
    OPTIONAL,
    SECRET,
    SYSTEM_NAMESPACE,
    Kind,
)
from skills.kubernetes.objects import Object, mapping, maps, text
from skills.kubernetes.snapshot import Snapshot

THREADS = 8


@dataclass(frozen=True)
class _Read:
    kind: Kind
    namespace: str = ""
    name: str = ""
    selector: str = ""

    @property
    def path(self) -> str:
        return self.kind.path(self.namespace, self.name)


def read(client: Client, namespaces: Sequence[str], now: datetime, seconds: float, link_base: str | None) -> Snapshot:
    """Raises ToolError (the first one) only when nothing could be read at all."""
    ends = time.monotonic() + seconds
    plan = _plan(namespaces)
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="kubernetes")
    try:
        futures = {pool.submit(_one, client, each, ends): each for each in plan}
        groups = pool.submit(_served_groups, client, ends)
        wait(futures, timeout=max(0.0, ends - time.monotonic()))
        wait([groups], timeout=max(0.0, ends - time.monotonic()))
        more = _follow_ups(_served(groups), futures, namespaces)
        later = {pool.submit(_one, client, each, ends): each for each in more}
        wait(later, timeout=max(0.0, ends - time.monotonic()))
    finally:
        # Threads that still wait for a slow server end with their own timeouts; nobody waits for them here.
        pool.shutdown(wait=False, cancel_futures=True)
    return _assemble({**futures, **later}, tuple(namespaces), now, seconds, link_base)


def extend(snapshot: Snapshot, client: Client, reads: Iterable[tuple[Kind, str]], seconds: float) -> Snapshot:
    """The snapshot with a few more lists, such as those of a namespace that the first ones pointed to."""
    ends = time.monotonic() + seconds
    objects = {kind: list(found) for kind, found in snapshot.objects.items()}
    gaps = list(snapshot.gaps)
    complete = set(snapshot.complete)
    wanted = [_Read(kind, place) for kind, place in reads]
    with ThreadPoolExecutor(THREADS, thread_name_prefix="kubernetes") as pool:
        for each, outcome in zip(wanted, pool.map(lambda r: _attempt(client, r, ends), wanted), strict=True):
            if isinstance(outcome, ToolError):
                gaps += [] if isinstance(outcome, NotServed) else [_gap(each, outcome)]
                continue
            have = {text(o, "metadata", "uid") or id(o) for o in objects.get(each.kind.name, [])}
            fresh = [o for o in _kept(each.kind, outcome.items) if text(o, "metadata", "uid") not in have]
            objects.setdefault(each.kind.name, []).extend(fresh)
            if not each.kind.namespaced and not outcome.left_out:
                complete.add(each.kind.name)
    return replace(
        snapshot,
        objects={kind: tuple(found) for kind, found in objects.items()},
        complete=frozenset(complete),
        gaps=tuple(gaps),
    )


def _plan(namespaces: Sequence[str]) -> list[_Read]:
    places = list(dict.fromkeys(namespaces))
    inside = [_Read(kind, place) for kind in IN_NAMESPACE for place in places]
    cluster = [_Read(kind) for kind in OF_CLUSTER]
    system = [_Read(kind, SYSTEM_NAMESPACE) for kind in IN_SYSTEM if SYSTEM_NAMESPACE not in places or kind is LEASE]
    around = [
        _Read(CONFIG_MAP, SYSTEM_NAMESPACE, "coredns"),
        _Read(LEASE, "kube-node-lease"),
        # Events about nodes have no namespace of their own and are kept in `default`.
        _Read(EVENT, "default", selector="involvedObject.kind=Node"),
    ]
    first = len(places) * 6
    return [*inside[:first], cluster[0], *inside[first:], *cluster[1:], *system, *around]


def _one(client: Client, each: _Read, ends: float) -> Listing:
    within = ends - time.monotonic()
    if each.name:
        return Listing((client.get(each.path, within=within),))
    accept = METADATA_ONLY if each.kind is SECRET else "application/json"
    params = {"fieldSelector": each.selector} if each.selector else None
    return client.list(each.path, params, within=within, accept=accept)


def _attempt(client: Client, each: _Read, ends: float) -> Listing | ToolError:
    try:
        return _one(client, each, ends)
    except ToolError as error:
        return error


def _served_groups(client: Client, ends: float) -> frozenset[str]:
    """`group/version` of everything that the cluster serves; where it does not say, all that might be served."""
    try:
        answer = client.get("/apis", within=ends - time.monotonic())
    except NotServed:
        return frozenset(kind.base.removeprefix("/apis/") for kind in OPTIONAL)
    except ToolError:
        return frozenset()
    return frozenset(text(v, "groupVersion") for g in maps(answer, "groups") for v in maps(g, "versions"))


def _served(groups: Future[frozenset[str]]) -> frozenset[str]:
    return groups.result() if groups.done() and not groups.cancelled() else frozenset()


def _follow_ups(groups: frozenset[str], futures: dict[Future[Listing], _Read], places: Sequence[str]) -> list[_Read]:
    """Kinds of meshes, gateways and certificates that are served, and Endpoints where there are no slices."""
    found: list[_Read] = []
    seen: set[str] = set()
    for kind in OPTIONAL:
        if kind.name in seen or kind.base.removeprefix("/apis/") not in groups:
            continue
        seen.add(kind.name)
        found += [_Read(kind, place) for place in places]
        if kind.name in ("AuthorizationPolicy", "PeerAuthentication") and "istio-system" not in places:
            found.append(_Read(kind, "istio-system"))
    slices = [f for f, r in futures.items() if r.kind.name == "EndpointSlice" and f.done() and not f.cancelled()]
    if any(isinstance(f.exception(), NotServed) for f in slices):
        found += [_Read(ENDPOINTS, place) for place in places]
    return found


def _assemble(
    futures: dict[Future[Listing], _Read],
    namespaces: tuple[str, ...],
    now: datetime,
    seconds: float,
    link_base: str | None,
) -> Snapshot:
    objects: dict[str, list[Object]] = defaultdict(list)
    gaps: list[Gap] = []
    errors: list[ToolError] = []
    unread: set[str] = set()
    late: list[str] = []
    for future, each in futures.items():
        if not future.done() or future.cancelled():
            unread.add(each.kind.name)
            late.append(f"{each.kind.plural} {each.namespace}".strip())
            continue
        error = future.exception()
        if error is None:
            listing = future.result()
            objects[each.kind.name] += _kept(each.kind, listing.items)
            if listing.left_out:
                unread.add(each.kind.name)
                gaps.append(Gap(f"{each.kind.plural} {each.namespace}".strip(), listing.left_out))
        elif isinstance(error, ToolError):
            unread.update([each.kind.name] if each.namespace in ("", *namespaces) else [])
            errors.append(error)
            if not (isinstance(error, NotServed) and (each.kind.optional or each.kind.name != "Pod")):
                gaps.append(_gap(each, error))
        else:
            raise error
    if late:
        gaps.append(Gap(", ".join(late[:8]) + (" …" if len(late) > 8 else ""), f"not read within {seconds:.3g} s"))
    if not any(objects.values()) and (errors or late):
        if errors and len(errors) + len(late) == len(futures):
            raise errors[0]
        if late and not errors:
            raise ToolError(f"kubernetes: nothing was read within {seconds:.3g} s")
    read_kinds = {each.kind.name for each in futures.values()} - unread
    return Snapshot(
        objects={kind: tuple(found) for kind, found in objects.items()},
        namespaces=namespaces,
        complete=frozenset(read_kinds),
        now=now,
        gaps=_merged(gaps),
        link_base=link_base,
    )


def _gap(each: _Read, error: ToolError) -> Gap:
    if isinstance(error, Denied):
        verb = "get" if each.name else "list"
        return Gap(f"{verb} {each.kind.plural}" + (f" in {each.namespace}" if each.namespace else ""), str(error))
    return Gap(f"{each.kind.plural} {each.namespace}".strip(), str(error))


def _merged(gaps: list[Gap]) -> tuple[Gap, ...]:
    """One gap for each distinct reason; where one reason struck many lists, they are counted."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for gap in gaps:
        by_reason[gap.why].append(gap.what)
    return tuple(Gap(", ".join(dict.fromkeys(what)), why) for why, what in by_reason.items())


def _kept(kind: Kind, items: Iterable[Object]) -> list[Object]:
    if kind is SECRET:
        return [_without_values(o) for o in items]
    return list(items)


def _without_values(secret: Object) -> Object:
    """Metadata, type and the names of keys, where the server sent more than metadata."""
    keys = [*mapping(secret, "data"), *mapping(secret, "stringData")]
    kept: Object = {"metadata": mapping(secret, "metadata")}
    annotations = mapping(secret, "metadata", "annotations")
    if "kubectl.kubernetes.io/last-applied-configuration" in annotations:
        # kubectl apply keeps the whole Secret, values and all, in this annotation.
        others = {k: v for k, v in annotations.items() if not k.endswith("last-applied-configuration")}
        kept["metadata"] = {**kept["metadata"], "annotations": others}
    if "data" in secret or "stringData" in secret:
        kept["keys"] = keys
    if text(secret, "type"):
        kept["type"] = text(secret, "type")
    return kept
