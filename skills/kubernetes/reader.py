"""Reads a snapshot in waves: few lists in parallel first, then what these make worth reading. Within seconds, each
failure a gap and never a crash.

Values of Secrets never cross the wire where the server can help it (metadata-only lists), and are dropped on arrival
where it cannot.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime

from skills.contract import Gap, ToolError
from skills.kubernetes.client import Client, Denied, Listing, NotServed
from skills.kubernetes.kinds import (
    CONFIG_MAP,
    ENDPOINT_SLICE,
    ENDPOINTS,
    EVENT,
    FIRST,
    IN_SYSTEM,
    LIGHT,
    NAMESPACE,
    NODE,
    OPTIONAL,
    POD,
    SECRET,
    SYSTEM_NAMESPACE,
    Kind,
)
from skills.kubernetes.objects import Object, mapping, maps, text
from skills.kubernetes.reads import Read, fetch
from skills.kubernetes.snapshot import WORKLOAD_KINDS, Snapshot
from skills.trouble import Trouble, Unanswered

THREADS = 8
_IN_NAMESPACE = re.compile(r' in the namespace "[^"]*"')
"""As the API server words it."""


class Reading:
    """What has been read of one cluster so far, wave by wave."""

    def __init__(self, client: Client, namespaces: Sequence[str], now: datetime, link_base: str | None) -> None:
        self._client, self._now, self._link_base = client, now, link_base
        self.namespaces = tuple(dict.fromkeys(namespaces))
        self.served: frozenset[str] | None = None
        """`group/version` of everything that the cluster serves; None until asked."""
        self.done: set[Read] = set()
        self._objects: dict[str, dict[str, Object]] = defaultdict(dict)
        self._missed: list[tuple[str, str, str]] = []
        """What was wanted, why it is not there, and how it was asked for."""
        self._whole: set[tuple[str, str]] = set()
        self._errors: list[ToolError] = []
        self._late: list[str] = []
        self._seconds = 0.0
        self._last: tuple[tuple[int, ...], Snapshot] | None = None

    def add_namespaces(self, places: Iterable[str]) -> None:
        self.namespaces = tuple(dict.fromkeys([*self.namespaces, *places]))

    def read(self, reads: Iterable[Read], seconds: float, *, discover: bool = False) -> None:
        """All of them in parallel; what is not there in time is a gap."""
        wanted = [r for r in dict.fromkeys(reads) if r not in self.done]
        ends = time.monotonic() + max(0.0, seconds)
        self._seconds += max(0.0, seconds)
        pool = ThreadPoolExecutor(THREADS, thread_name_prefix="kubernetes")
        try:
            futures = {pool.submit(fetch, self._client, each, ends): each for each in wanted}
            groups = pool.submit(_served_groups, self._client, ends) if discover else None
            wait(futures, timeout=max(0.0, ends - time.monotonic()))
            wait([groups] if groups else [], timeout=max(0.0, ends - time.monotonic()))
        finally:
            # Threads that still wait for a slow server end with their own timeouts; nobody waits for them here.
            pool.shutdown(wait=False, cancel_futures=True)
        if groups:
            self.served = groups.result() if groups.done() and not groups.cancelled() else frozenset()
        for future, each in futures.items():
            self.done.add(each)
            self._take(future, each)

    def _take(self, future: Future[Listing], each: Read) -> None:
        if not future.done() or future.cancelled():
            self._late.append(str(each))
            return
        error = future.exception()
        if error is None:
            listing = future.result()
            self._keep(each.kind, listing.items)
            if listing.left_out:
                self._missed.append((str(each), listing.left_out, ""))
            elif each.is_whole and not listing.partial:
                self._whole.add((each.kind.name, each.namespace))
        elif isinstance(error, ToolError):
            self._errors.append(error)
            if not (isinstance(error, NotServed) and (each.kind.optional or each.kind.name != "Pod")):
                why, asked = (_told(error), error.asked) if isinstance(error, Trouble) else (str(error), "")
                self._missed.append((_what(each, error), why, asked))
        else:
            raise error

    def _keep(self, kind: Kind, items: Iterable[Object]) -> None:
        for obj in items:
            kept = _without_values(obj) if kind is SECRET else obj
            place, called = text(obj, "metadata", "namespace"), text(obj, "metadata", "name")
            self._objects[kind.name][f"{place}/{called}" if called else str(id(obj))] = kept

    def is_unserved(self, kind: Kind) -> bool:
        return any(isinstance(e, NotServed) and f"/{kind.plural}" in e.asked for e in self._errors)

    def raise_if_nothing(self) -> None:
        """Raises ToolError (the first one) when nothing could be read at all."""
        if any(self._objects.values()) or not (self._errors or self._late):
            return
        if self._errors and len(self._errors) + len(self._late) == len(self.done):
            raise self._errors[0]
        if self._late and not self._errors:
            raise Unanswered(
                f"Kubernetes did not answer within {self._seconds:.3g} s: nothing was read",
                "look at the health of Kubernetes, or raise skills.kubernetes.first_look_seconds",
            )

    def snapshot(self) -> Snapshot:
        gaps = list(_merged(self._missed))
        if self._late:
            told = _some(self._late)
            gaps.append(Gap(told, f"not read within {self._seconds:.3g} s"))
        made = Snapshot(
            objects={kind: tuple(found.values()) for kind, found in self._objects.items()},
            namespaces=self.namespaces,
            complete=frozenset(self._complete()),
            now=self._now,
            gaps=tuple(gaps),
            link_base=self._link_base,
            complete_in=frozenset(self._whole),
        )
        count = tuple(len(self._objects[k]) for k in (*WORKLOAD_KINDS, "ConfigMap"))
        if self._last and self._last[0] == count and "references" in self._last[1].memo:
            # The costliest thing to find out, and the same as long as nothing that holds addresses has come.
            made.memo["references"] = self._last[1].memo["references"]
        self._last = count, made
        return made

    def _complete(self) -> Iterable[str]:
        """Kinds of the cluster that were read, and those that were read in each of the namespaces."""
        for kind in {kind for kind, _ in self._whole}:
            places = {place for k, place in self._whole if k == kind}
            if "" in places or set(self.namespaces) <= places:
                yield kind


def first_wave(namespaces: Sequence[str], primary: Sequence[str]) -> list[Read]:
    """Everything of the primary namespaces, enough of the others; nodes, and what all clusters rest on."""
    places = list(dict.fromkeys(namespaces))
    inside = [Read(kind, place) for kind in FIRST for place in places if place in primary or kind in LIGHT]
    head = len(places) * 6
    system = [Read(kind, SYSTEM_NAMESPACE) for kind in IN_SYSTEM if SYSTEM_NAMESPACE not in primary]
    around = [
        Read(CONFIG_MAP, SYSTEM_NAMESPACE, name="coredns"),
        # Events about nodes have no namespace of their own and are kept in `default`.
        Read(EVENT, "default", fields="involvedObject.kind=Node"),
        # Controllers may say that all is well where the kubelet says otherwise.
        Read(EVENT, SYSTEM_NAMESPACE, fields="type=Warning", pages=1),
    ]
    return [*inside[:head], Read(NODE), *inside[head:], Read(NAMESPACE), *system, *around]


def optional_kinds(reading: Reading, places: Sequence[str], *, mesh: bool) -> list[Read]:
    """Kinds of meshes, gateways and certificates that are served, and Endpoints where there are no slices."""
    found: list[Read] = []
    seen: set[str] = set()
    for kind in OPTIONAL:
        if kind.name in seen or kind.base.removeprefix("/apis/") not in (reading.served or ()):
            continue
        seen.add(kind.name)
        if kind.base.startswith("/apis/security.istio.io") or kind.name == "DestinationRule":
            if not mesh:
                continue  # nothing there has a proxy that would heed it
            if kind.name != "DestinationRule" and "istio-system" not in places:
                found.append(Read(kind, "istio-system"))
        found += [Read(kind, place) for place in places]
    if reading.is_unserved(ENDPOINT_SLICE):
        found += [Read(ENDPOINTS, place) for place in reading.namespaces]
    return found


def whole_namespace(place: str) -> list[Read]:
    return [Read(kind, place) for kind in FIRST]


def pods_of_node(node: str) -> Read:
    """In all namespaces: who shares the node."""
    return Read(POD, fields=f"spec.nodeName={node},status.phase=Running", pages=1)


def _served_groups(client: Client, ends: float) -> frozenset[str]:
    """`group/version` of everything that the cluster serves; where it does not say, all that might be served."""
    try:
        answer = client.get("/apis", within=ends - time.monotonic())
    except NotServed:
        return frozenset(kind.base.removeprefix("/apis/") for kind in OPTIONAL)
    except ToolError:
        return frozenset()
    return frozenset(text(v, "groupVersion") for g in maps(answer, "groups") for v in maps(g, "versions"))


def _what(each: Read, error: ToolError) -> str:
    if isinstance(error, Denied):
        verb = "get" if each.name else "list"
        return f"{verb} {each.kind.plural}" + (f" in {each.namespace}" if each.namespace else "")
    return str(each)


def _told(error: Trouble) -> str:
    return "; ".join(p for p in (error.said, error.remedy) if p)


def _merged(missed: list[tuple[str, str, str]]) -> Iterator[Gap]:
    """One gap for each distinct reason, with the first question that met it; what is forbidden in one namespace after
    the other is one."""
    by_reason: dict[str, dict[str, str]] = defaultdict(dict)
    told: dict[str, str] = {}
    for what, why, asked in missed:
        reason = _IN_NAMESPACE.sub("", why)
        told.setdefault(reason, why)
        by_reason[reason].setdefault(what, asked)
    for reason, struck in by_reason.items():
        why, asked = told[reason], next(iter(struck.values()))
        others = f" and {len(struck) - 1} more" if len(struck) > 1 else ""
        yield Gap(_some(list(struck)), f"{why}; asked: {asked}{others}" if asked else why)


def _some(what: list[str]) -> str:
    return ", ".join(what[:8]) + (f" and {len(what) - 8} more" if len(what) > 8 else "")


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
