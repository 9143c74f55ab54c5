"""One question to the API server: which objects of a kind, from where, selected how. And how a crowd is asked.

Of a namespace that holds more pods than one page, only those that deviate are read whole: pods that do not run by field
selector, pods that run and are not ready or have restarted by the server's own table (about 200 bytes a pod), and
then by the labels that their controllers gave them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skills.contract import ToolError
from skills.kubernetes.client import METADATA_ONLY, Client, Listing, Refused
from skills.kubernetes.kinds import CONFIG_MAP, EVENT, NODE, POD, REPLICA_SET, SECRET, SYSTEM_NAMESPACE, Kind
from skills.kubernetes.objects import Object, text

TABLE_PAGE = 2500
_ONE_PAGE = {CONFIG_MAP: 250, REPLICA_SET: 250, NODE: 100}
"""Large objects: beyond so many only those are read that something asks for."""
_DAEMONS = 100
"""Pods of one controller of kube-system that are read whole: there is one on every node."""
_MOST = 40
"""Deviating pods that are read whole; one of a workload speaks for its siblings."""
_OF_EACH = 3
_NORMAL_EVENTS = ("ScalingReplicaSet", "Killing", "Preempted")


@dataclass(frozen=True)
class Read:
    kind: Kind
    namespace: str = ""
    name: str = ""
    fields: str = ""
    labels: str = ""
    pages: int | None = None

    @property
    def path(self) -> str:
        return self.kind.path(self.namespace, self.name)

    @property
    def is_whole(self) -> bool:
        """All objects of the kind in that place, so that what is not among them does not exist."""
        return not (self.name or self.fields or self.labels)

    def __str__(self) -> str:
        return f"{self.kind.plural} {self.namespace}".strip()


def fetch(client: Client, each: Read, ends: float) -> Listing:
    """Raises ToolError."""
    within = ends - time.monotonic()
    if each.name:
        return Listing((client.get(each.path, within=within),))
    params = {k: v for k, v in (("fieldSelector", each.fields), ("labelSelector", each.labels)) if v}
    if each.kind is SECRET and each.is_whole:
        return _secrets(client, each, ends)
    daemons = each.kind is POD and bool(each.labels) and each.namespace == SYSTEM_NAMESPACE
    crowded = (each.is_whole or daemons) and each.pages is None and each.kind in (POD, EVENT, *_ONE_PAGE)
    if daemons:
        params["limit"] = str(_DAEMONS)
    if crowded and each.kind in _ONE_PAGE:
        params["limit"] = str(_ONE_PAGE[each.kind])
    listing = client.list(each.path, params, within=within, pages=1 if crowded else each.pages)
    if not listing.left_out or not crowded:
        return listing
    if each.kind is POD:
        return _crowd(client, each, listing, ends, {"labelSelector": each.labels} if each.labels else {})
    if each.kind is EVENT:
        return _many_events(client, each, listing, ends)
    if each.kind is NODE:
        return _many_nodes(client, each, listing, ends)
    if each.kind is REPLICA_SET:
        return Listing(listing.items, partial="those of workloads that moved or do not run are read by their labels")
    return listing


def _secrets(client: Client, each: Read, ends: float) -> Listing:
    """Metadata only, and without the releases of charts, which Helm keeps as Secrets by the hundred."""
    chosen = {"fieldSelector": "type!=helm.sh/release.v1"}
    try:
        return client.list(each.path, chosen, within=ends - time.monotonic(), accept=METADATA_ONLY)
    except Refused as error:
        if error.status != 400:
            raise
        return client.list(each.path, within=ends - time.monotonic(), accept=METADATA_ONLY)


# --- pods of a crowded namespace -----------------------------------------------------------------------------------


def _crowd(client: Client, each: Read, first: Listing, ends: float, chosen: dict[str, str]) -> Listing:
    found = _keyed(first.items)
    outside = {**chosen, "fieldSelector": "status.phase!=Running,status.phase!=Succeeded"}
    try:
        found |= _keyed(client.list(each.path, outside, within=ends - time.monotonic(), pages=2).items)
        rows = client.table(each.path, {**chosen, "limit": TABLE_PAGE}, within=ends - time.monotonic())
    except ToolError as error:
        return Listing(tuple(found.values()), f"{first.left_out}; {error}")
    names = [n for n in deviating(rows) if n not in found]
    for params in selectors(names):
        try:
            found |= _keyed(client.list(each.path, params, within=ends - time.monotonic(), pages=1).items)
        except ToolError as error:
            return Listing(tuple(found.values()), str(error))
    return Listing(tuple(found.values()), partial=f"{len(found)} of {len(rows)} pods were read whole, all as a table")


def _keyed(items: Iterable[Object]) -> dict[str, Object]:
    return {text(o, "metadata", "name"): o for o in items}


def deviating(rows: Sequence[dict[str, str]]) -> list[str]:
    """Names of pods that run and are not ready, or restarted within the hour, by the columns of `kubectl get pods`:
    READY 1/2, STATUS Running, RESTARTS `3 (5m ago)`."""
    found: list[str] = []
    of_each: dict[str, int] = {}
    for row in rows:
        ready, _, total = row.get("Ready", "").partition("/")
        status, restarts = row.get("Status", ""), row.get("Restarts", "")
        whole = ready == total or status in ("Completed", "Terminating", "Succeeded")
        lately = re.search(r"\((\d+m)?(\d+s)? ago\)", restarts)
        if not whole or lately:
            group = owner_part(row.get("Name", ""))
            of_each[group] = of_each.get(group, 0) + 1
            if of_each[group] <= _OF_EACH:
                found.append(row.get("Name", ""))
    return found[:_MOST]


def owner_part(pod: str) -> str:
    """The pod's name without what its controller appended."""
    return re.sub(r"(-[a-z0-9]{5}|-\d+)$", "", pod)


def selectors(names: Sequence[str]) -> list[dict[str, str]]:
    """List parameters that cover these pods in few requests: by template hash, by the name label of StatefulSets,
    else each by its name."""
    hashes, ordinals, others = [], [], []
    for each in names:
        replica = re.fullmatch(r".+-([a-z0-9]{6,10})-[a-z0-9]{5}", each)
        if replica:
            hashes.append(replica.group(1))
        elif re.fullmatch(r".+-\d{1,4}", each):
            ordinals.append(each)
        else:
            others.append(each)
    found = []
    if hashes:
        found.append({"labelSelector": f"pod-template-hash in ({','.join(dict.fromkeys(hashes))})"})
    if ordinals:
        found.append({"labelSelector": f"statefulset.kubernetes.io/pod-name in ({','.join(ordinals)})"})
    return found + [{"fieldSelector": f"metadata.name={n}"} for n in others[:5]]


def _many_nodes(client: Client, each: Read, first: Listing, ends: float) -> Listing:
    """Those that are not ready or cordoned, by the server's table; where pods wait for a place, all are read later."""
    found = _keyed(first.items)
    try:
        rows = client.table(each.path, {"limit": TABLE_PAGE}, within=ends - time.monotonic())
        unwell = [r["Name"] for r in rows if r.get("Status") != "Ready" and r.get("Name", "") not in found]
        for called in unwell[:8]:
            found[called] = client.get(f"{each.path}/{called}", within=ends - time.monotonic())
    except ToolError as error:
        return Listing(tuple(found.values()), f"{first.left_out}; {error}")
    return Listing(tuple(found.values()), partial=f"{len(found)} of {len(rows)} nodes were read whole, all as a table")


def _many_events(client: Client, each: Read, first: Listing, ends: float) -> Listing:
    """Warnings, and the few normal events that tell of a change."""
    found = {text(o, "metadata", "uid") or id(o): o for o in first.items}
    wanted = [("type=Warning", 3), *((f"reason={r}", 1) for r in _NORMAL_EVENTS)]
    for selector, pages in wanted:
        try:
            more = client.list(each.path, {"fieldSelector": selector}, within=ends - time.monotonic(), pages=pages)
        except ToolError as error:
            return Listing(tuple(found.values()), f"{first.left_out}; {error}")
        found |= {text(o, "metadata", "uid") or id(o): o for o in more.items}
    return Listing(tuple(found.values()), partial=f"warnings and changes only ({len(found)} events)")
