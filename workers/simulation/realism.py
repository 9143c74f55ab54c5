"""Tells: what would let a reader see that a world is made up. Run over what the faces answer, never over the world.

A tell is a kind and where it stands. A world without tells is not thereby real; a world with one is not. Looked for:
clocks that cannot be, ids and addresses that repeat, names nobody uses in production, addresses outside of the networks
of the cluster or of the reader's own machine, objects without their neighbours, services that say nothing or only one
thing, numbers too round, and accounts (restarts, replicas, endpoints) that differ between systems.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workers.simulation.clock import moment
from workers.simulation.giveaways import ADDRESS, LOOPBACK, NAMES
from workers.simulation.sampling import MEASURED, Sample

Json = dict[str, Any]


@dataclass(frozen=True)
class Tell:
    kind: str
    where: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}"


def tells(it: Sample) -> list[Tell]:
    """All that are found, each kind by its own check, in a stable order."""
    return [Tell(kind, where) for kind, check in CHECKS.items() for where in sorted(set(check(it)))]


# Clocks


def impossible_clock(it: Sample) -> Iterator[str]:
    for key, found in it.objects.items():
        for each in found:
            if moment(each["metadata"]["creationTimestamp"]) > it.now + 1:
                yield f"{key} {each['metadata']['name']} was created after now"
    born = {p["metadata"]["uid"]: moment(p["metadata"]["creationTimestamp"]) for p in it.objects.get("pods", ())}
    for event in it.objects.get("events", ()):
        first, last = moment(event["firstTimestamp"]), moment(event["lastTimestamp"])
        about = f"event {event['reason']} of {event['involvedObject']['name']}"
        if last > it.now + 1 or first > last:
            yield f"{about} is from after now, or ends before it begins"
        if first < born.get(event["involvedObject"].get("uid", ""), first) - 1:
            yield f"{about} is older than its object"
    for pod in it.objects.get("pods", ()):
        yield from _container_clocks(pod, it.now)
    for line in it.lines:
        if moment(line["@timestamp"]) > it.now + 1:
            yield "a log line is from after now"
    for alert in it.alert["alerts"]:
        if moment(alert["startsAt"]) > it.now + 1:
            yield "the alert starts after now"
    for where, body in it.bodies.items():
        for key, stamp in STAMP.findall(body):
            if moment(stamp) > it.now + 1 and not FUTURE.search(key):
                yield f"{where}: {key} is {stamp}, after now"


STAMP = re.compile(r'"(\w+)":"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"')
FUTURE = re.compile(r"expir|until|next|not_?after|deadline|valid|ends?At|^end$", re.IGNORECASE)


def _container_clocks(pod: Json, now: float) -> Iterator[str]:
    created, name = moment(pod["metadata"]["creationTimestamp"]), pod["metadata"]["name"]
    for status in pod["status"].get("containerStatuses", ()):
        for state in (status.get("state", {}), status.get("lastState", {})):
            for phase in state.values():
                started, ended = phase.get("startedAt"), phase.get("finishedAt")
                if started and not started.startswith("1970") and not created - 1 <= moment(started) <= now + 1:
                    yield f"a container of {name} started outside of its pod's life"
                if started and ended and moment(started) > moment(ended):
                    yield f"a container of {name} ended before it started"


# Ids, names and addresses


def repeated_id(it: Sample) -> Iterator[str]:
    uids = Counter(o["metadata"]["uid"] for key, found in it.objects.items() if key != "events" for o in found)
    yield from (f"uid {uid} stands for {n} objects" for uid, n in uids.items() if n > 1)
    containers = Counter(
        s["containerID"]
        for p in it.objects.get("pods", ())
        for s in p["status"].get("containerStatuses", ())
        if s.get("containerID")
    )
    yield from (f"container {i} runs {n} times" for i, n in containers.items() if n > 1)
    addresses = Counter(
        p["status"]["podIP"]
        for p in it.objects.get("pods", ())
        if p["status"].get("podIP") and not p["spec"].get("hostNetwork") and p["status"]["phase"] == "Running"
    )
    yield from (f"address {ip} belongs to {n} pods" for ip, n in addresses.items() if n > 1)
    traces = Counter(
        (str(line.get("trace", {}).get("id") if isinstance(line.get("trace"), dict) else line.get("trace_id")))
        for line in it.lines
    )
    yield from (f"trace {t} is in {n} lines" for t, n in traces.items() if n > 60 and t not in ("None", ""))


def unlikely_name(it: Sample) -> Iterator[str]:
    for key, found in it.objects.items():
        for each in found:
            text = f"{each['metadata']['name']} {each.get('message', '')}"
            if NAMES.search(text):
                yield f"{key} {text.strip()[:90]}"
    for line in it.lines:
        if hit := NAMES.search(_text(line)):
            yield f"a log line says {hit[0]!r}"
    if hit := NAMES.search(json.dumps(it.alert)):
        yield f"the alert says {hit[0]!r}"
    for where, body in it.bodies.items():
        if hit := NAMES.search(body):
            yield f"{where} says {hit[0]!r}"


def loopback(it: Sample) -> Iterator[str]:
    yield from (f"{where} says {hit[0]}" for where, text in _texts(it) if (hit := LOOPBACK.search(text)))


def foreign_address(it: Sample) -> Iterator[str]:
    """Private addresses that belong to no network of the cluster and to no configuration."""
    own = (it.company.nodes.network, it.company.pods_network, it.company.services_network)
    said = set(ADDRESS.findall(json.dumps(it.objects.get("configmaps", ()))))
    for where, text in _texts(it):
        for found in ADDRESS.findall(text):
            private = found.startswith(("10.", "192.168.")) or re.match(r"172\.(1[6-9]|2\d|3[01])\.", found)
            if private and found not in said and not found.startswith(tuple(f"{n}." for n in own)):
                yield f"{where} says {found}"
            if any(int(part) > 255 for part in found.split(".")):
                yield f"{where} says {found}, which is no address"


def _texts(it: Sample) -> Iterator[tuple[str, str]]:
    for key, found in it.objects.items():
        for each in found:
            if key != "configmaps":
                yield f"{key} {each['metadata']['name']}", json.dumps(each)
    for line in it.lines:
        yield f"a log line of {_service(line)}", _text(line)
    yield "the alert", json.dumps(it.alert)
    yield from it.bodies.items()


def _text(line: Json) -> str:
    return str(line.get("message") or line.get("log") or "")


def _service(line: Json) -> str:
    """By whichever schema the documents have."""
    if isinstance(line.get("service"), dict):
        return str(line["service"].get("name", ""))
    kubernetes = line.get("kubernetes", {})
    labels = kubernetes.get("labels", {}) if isinstance(kubernetes, dict) else {}
    return str(labels.get("app") or line.get("service.name") or kubernetes.get("container_name", ""))


# Neighbours


def missing_neighbour(it: Sample) -> Iterator[str]:
    nodes = {n["metadata"]["name"] for n in it.objects.get("nodes", ())}
    owners = {
        (kind, o["metadata"].get("namespace"), o["metadata"]["name"])
        for kind, key in (
            ("ReplicaSet", "replicasets"),
            ("StatefulSet", "statefulsets"),
            ("DaemonSet", "daemonsets"),
            ("Job", "jobs"),
        )
        for o in it.objects.get(key, ())
    }
    accounts = {(a["metadata"]["namespace"], a["metadata"]["name"]) for a in it.objects.get("serviceaccounts", ())}
    claims = {(c["metadata"]["namespace"], c["metadata"]["name"]) for c in it.objects.get("claims", ())}
    heard = {e["involvedObject"].get("uid") for e in it.objects.get("events", ())}
    for pod in it.objects.get("pods", ()):
        name, space, spec = pod["metadata"]["name"], pod["metadata"]["namespace"], pod["spec"]
        running = pod["status"]["phase"] == "Running"
        if running and nodes and spec.get("nodeName") not in nodes:
            yield f"pod {name} runs on a node that is not there"
        for owner in pod["metadata"].get("ownerReferences", ()):
            if owners and (owner["kind"], space, owner["name"]) not in owners:
                yield f"pod {name} belongs to {owner['kind']} {owner['name']}, which is not there"
        if running and accounts and (space, spec.get("serviceAccountName", "default")) not in accounts:
            yield f"pod {name} runs under an account that is not there"
        for volume in spec.get("volumes", ()):
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            if running and claim and claims and (space, claim) not in claims:
                yield f"pod {name} runs with a claim {claim} that is not there"
        young = it.now - moment(pod["metadata"]["creationTimestamp"]) < 1800
        if young and running and "events" in it.objects and pod["metadata"]["uid"] not in heard:
            yield f"pod {name} came up within the half hour without an event"
    volumes = {v["metadata"]["name"] for v in it.objects.get("volumes", ())}
    for claim in it.objects.get("claims", ()):
        if claim["status"]["phase"] == "Bound" and volumes and claim["spec"].get("volumeName") not in volumes:
            yield f"claim {claim['metadata']['name']} is bound to a volume that is not there"


def accounts_differ(it: Sample) -> Iterator[str]:
    """Restarts by object and by metric; available replicas and ready pods; endpoints and addresses of pods."""
    pods = it.objects.get("pods", ())
    counted = {
        (m["namespace"], m["pod"], m["container"]): v
        for m, v in it.measured.get("kube_pod_container_status_restarts_total", ())
    }
    backing_off = {
        e["involvedObject"].get("uid")
        for e in it.objects.get("events", ())
        if e["reason"] == "BackOff" and "restarting failed container" in e["message"]
    }
    for pod in pods:
        statuses = pod["status"].get("containerStatuses", ())
        for status in statuses:
            key = (pod["metadata"]["namespace"], pod["metadata"]["name"], status["name"])
            if key in counted and abs(counted[key] - status["restartCount"]) > 1:
                yield f"{key[1]} restarted {status['restartCount']} times by its status and {counted[key]:g} by metric"
        every = (*statuses, *pod["status"].get("initContainerStatuses", ()))
        if pod["metadata"]["uid"] in backing_off and every and not any(s["restartCount"] for s in every):
            yield f"{pod['metadata']['name']} is restarted by its events and never by its status"
    known = {p["status"].get("podIP") for p in pods} - {None}
    for each in it.objects.get("endpoints", ()):
        for subset in each.get("subsets", ()) or ():
            for address in (*(subset.get("addresses") or ()), *(subset.get("notReadyAddresses") or ())):
                if pods and address["ip"] not in known:
                    yield f"endpoint {address['ip']} of {each['metadata']['name']} is no pod's"
    yield from _replicas(it)


def _replicas(it: Sample) -> Iterator[str]:
    ready: Counter[tuple[str, str]] = Counter()
    for pod in it.objects.get("pods", ()):
        labels = pod["metadata"].get("labels", {})
        good = any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ()))
        if good and "deletionTimestamp" not in pod["metadata"]:
            ready[(pod["metadata"]["namespace"], str(labels.get("pod-template-hash")))] += 1
    hashes: dict[tuple[str, str], set[str]] = {}
    for each in it.objects.get("replicasets", ()):
        owner = each["metadata"]["ownerReferences"][0]["name"]
        made = hashes.setdefault((each["metadata"]["namespace"], owner), set())
        made.add(each["metadata"]["name"].removeprefix(f"{owner}-"))
    for each in it.objects.get("deployments", ()):
        key = (each["metadata"]["namespace"], each["metadata"]["name"])
        pods = sum(ready[(key[0], h)] for h in hashes.get(key, ()))
        if it.objects.get("pods") and pods != each["status"].get("availableReplicas", 0):
            yield f"{key[1]} has {each['status'].get('availableReplicas', 0)} available replicas and {pods} ready pods"


# Noise


def silent_service(it: Sample) -> Iterator[str]:
    """A service with running pods that wrote nothing of late."""
    if not it.lines or "logs" in it.silent:
        return
    oldest = min(moment(line["@timestamp"]) for line in it.lines)
    heard = {_service(line) for line in it.lines}
    if it.now - oldest < 240:
        return
    for service in it.company.services:
        up = [
            p
            for p in it.objects.get("pods", ())
            if p["metadata"]["labels"].get("app") == service.name
            and any(s.get("ready") for s in p["status"].get("containerStatuses", ()))
        ]
        if up and service.name not in heard and f"logs:{service.name}" not in it.silent:
            yield f"{service.name} is up and wrote nothing since {it.now - oldest:.0f} s"


def logs_without_noise(it: Sample) -> Iterator[str]:
    by_service: dict[str, list[Json]] = {}
    for line in it.lines:
        by_service.setdefault(_service(line), []).append(line)
    for name, lines in by_service.items():
        if len(lines) < 30 or name not in it.company.parts:
            continue
        times = [moment(x["@timestamp"]) for x in lines]
        shapes = Counter(re.sub(r"[0-9a-f]{6,}|\d+", "#", _text(x).partition("\n")[0])[:120] for x in lines)
        if len(shapes) < 3 and max(times) - min(times) > 240:
            yield f"{name} wrote {len(lines)} lines of {len(shapes)} shapes"
        same = Counter(re.sub(r"^\S+ \S+ ", "", _text(x)) for x in lines).most_common(1)[0][1]
        if same == len(lines):
            yield f"{name} wrote the same line {same} times"
    seconds = [moment(x["@timestamp"]) % 1 for x in it.lines]
    if len(seconds) > 50 and sum(1 for s in seconds if s < 0.001) > len(seconds) * 0.2:
        yield "log lines are written on the full second"


def round_number(it: Sample) -> Iterator[str]:
    for name in MEASURED:
        values = [v for _, v in it.measured.get(name, ()) if v > 5000]
        smooth = [v for v in values if v % (2**20 if "bytes" in name else 1000) == 0]
        if len(values) > 8 and len(smooth) > len(values) * 0.3:
            yield f"{len(smooth)} of {len(values)} values of {name} are round"
        if len(values) > 8 and len(set(values)) < len(values) * 0.5:
            yield f"the values of {name} repeat"


CHECKS: Mapping[str, Callable[[Sample], Iterator[str]]] = {
    "impossible clock": impossible_clock,
    "repeated id": repeated_id,
    "unlikely name": unlikely_name,
    "loopback": loopback,
    "foreign address": foreign_address,
    "missing neighbour": missing_neighbour,
    "accounts differ": accounts_differ,
    "silent service": silent_service,
    "logs without noise": logs_without_noise,
    "round number": round_number,
}
