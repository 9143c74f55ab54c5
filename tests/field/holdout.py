"""The hold-out: incidents written by somebody who does not know how the analyzers work, to learn how far they carry.

Cases stand in `holdout/`, in the words of README.md and these: `source` (where the shapes come from), `group` (of
faults.yaml, or L), `served` (what there is to read, a run each: `kubernetes`, `plain|ecs|otel|fluent` logs, `state`
metrics of objects, `metrics` of the application besides), `page` (the alert in another form than Alertmanager's),
`elsewhere` (workloads of other namespaces), `nodes` (what is wrong with a node), `series` and `golden` (metrics),
`sidecar_crash` (a container beside the first), `crashed_on` (a DaemonSet's pod of one node), `forbidden` (kinds
that may not be read), `kubernetes_logs: false` (nor may logs), `verdict` (what it must be), `both` (every cause of
`truth` must be named), `past` (causes that may be named as over), `sure` (runs in which a wrong cause is claimed with
High: the worst kind of `open`).

    python -m tests.field.holdout            the table of README.md
    python -m tests.field.holdout NAME       what is said of one case
"""

from __future__ import annotations

import copy
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import yaml

from bot.cli.investigate import MemoryJournal
from bot.intake import read
from config.customers import Customer
from skills import registry
from tests.field import clusters, series, telemetry
from tests.field.clusters import FOLDER, Made
from tests.field.investigation import pod_logs, right, said
from tests.field.objects import NODES, NOW, Obj, address, ago, condition, meta, workload
from tests.skills.elasticsearch import cluster as elasticsearch
from tests.skills.kubernetes import server as kubernetes
from workers import agent
from workers.domain import Finding
from workers.llm.offline import Offline
from workers.simulation.faces.prometheus import Prometheus
from workers.simulation.faces.serve import Served

HOLDOUT = Path(FOLDER) / "holdout"
_ADDRESS = re.compile(r"\{ip:([\w-]+)\}")
_OPTIONAL = ("gateway.networking.k8s.io", "cert-manager.io", "cilium.io")


@dataclass(frozen=True)
class Run:
    case: dict[str, Any]
    mode: str

    @property
    def name(self) -> str:
        return f"{self.case['name']}-{self.mode}"

    @property
    def open(self) -> bool:
        return self.mode in self.case.get("open", ())


def runs() -> list[Run]:
    cases = [c for path in sorted(HOLDOUT.glob("*.yaml")) for c in yaml.safe_load(path.read_text())]
    return [Run(case, mode) for case in cases for mode in case["served"]]


# --- the cluster ----------------------------------------------------------------------------------------------------


def made(case: Mapping[str, Any]) -> Made:
    it = clusters.made(case)
    addresses = {o["metadata"]["name"]: o["spec"].get("clusterIP", "") for o in it.objects if o["kind"] == "Service"}
    lines = [replace(each, text=_addressed(each.text, addresses, it.namespace)) for each in it.lines]
    objects = [_noded(o, case.get("nodes", {})) for o in it.objects]
    for name, container in case.get("sidecar_crash", {}).items():
        objects = [_crashed(o, container) if o["metadata"]["name"].startswith(f"{name}-") else o for o in objects]
    application = yaml.safe_load((Path(FOLDER) / "applications" / f"{case['application']}.yaml").read_text())
    around = clusters.merged(application.get("elsewhere", {}), case.get("elsewhere", {}))
    for namespace, workloads in around.items():
        if not any(o["kind"] == "Namespace" and o["metadata"]["name"] == namespace for o in objects):
            objects.append(_namespace(namespace))
        for name, each in workloads.items():
            objects = [o for o in objects if not _of(o, namespace, name, each.get("service") or {})]
            objects += workload(name, each, namespace)
    for name, node in case.get("crashed_on", {}).items():
        objects = [_crashed(o, name) if _runs(o, name, node) else o for o in objects]
    return replace(it, objects=tuple(objects), lines=tuple(lines))


def _of(obj: Obj, namespace: str, name: str, service: Mapping[str, Any]) -> bool:
    """What stands there already of a workload that the case describes anew."""
    called, place = obj["metadata"]["name"], obj["metadata"].get("namespace")
    return place == namespace and (called in (name, service.get("name", name)) or called.startswith(f"{name}-"))


def _addressed(text: str, addresses: Mapping[str, str], namespace: str) -> str:
    """`{ip:cart}` is the cluster address of Service cart, also when it is gone by now."""
    return _ADDRESS.sub(lambda m: addresses.get(m[1]) or address(m[1], namespace, net="10.96.7"), text)


def _runs(obj: Obj, name: str, node: str) -> bool:
    called = obj["metadata"]["name"].startswith(f"{name}-")
    return bool(obj["kind"] == "Pod" and called and obj["spec"].get("nodeName") == node)


def _namespace(name: str) -> Obj:
    labels = {"kubernetes.io/metadata.name": name}
    found = {"apiVersion": "v1", "kind": "Namespace", "metadata": meta(name, None, labels=labels)}
    return {**found, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}


def _crashed(obj: Obj, container: str) -> Obj:
    """A pod one of whose other containers keeps ending."""
    if obj["kind"] != "Pod":
        return obj
    found = copy.deepcopy(obj)
    end = {"exitCode": 1, "reason": "Error", "startedAt": ago(0.6), "finishedAt": ago(0.5)}
    for each in found["status"]["containerStatuses"]:
        if each["name"] == container:
            words = f"back-off 1m20s restarting failed container={container} pod={obj['metadata']['name']}"
            each |= {"ready": False, "started": False, "restartCount": 4, "lastState": {"terminated": end}}
            each["state"] = {"waiting": {"reason": "CrashLoopBackOff", "message": words}}
    for each in found["status"]["conditions"]:
        if each["type"] in ("Ready", "ContainersReady"):
            words = f"containers with unready status: [{container}]"
            each |= {"status": "False", "reason": "ContainersNotReady", "message": words}
    return found


def _noded(obj: Obj, nodes: Mapping[str, Any]) -> Obj:
    """A node, or its lease, with what the case says of it: conditions {type: [status, reason, message, minutes]}."""
    name = obj["metadata"]["name"]
    if name not in nodes or name not in NODES:
        return obj
    told = nodes[name]
    if obj["kind"] == "Lease" and "lease" in told:
        stamp = ago(told["lease"]).replace("Z", ".000000Z")
        return {**obj, "spec": {**obj["spec"], "renewTime": stamp}}
    if obj["kind"] != "Node":
        return obj
    found = {**obj, "status": {**obj["status"]}, "spec": {**obj["spec"]}}
    conditions = {c["type"]: c for c in obj["status"]["conditions"]}
    for kind, (status, reason, message, minutes) in told.get("conditions", {}).items():
        beat = ago(minutes if status == "Unknown" else 0.5)
        conditions[kind] = {**condition(kind, status, reason, message, minutes), "lastHeartbeatTime": beat}
    found["status"]["conditions"] = list(conditions.values())
    found["status"]["allocatable"] = {**obj["status"]["allocatable"], **told.get("allocatable", {})}
    found["spec"] |= {k: told[k] for k in ("taints", "unschedulable") if k in told}
    labels = {**obj["metadata"].get("labels", {}), **told.get("labels", {})}
    found["metadata"] = {**obj["metadata"], "labels": labels, "annotations": told.get("annotations", {})}
    return found


def alert(case: Mapping[str, Any], namespace: str) -> Any:
    """Alertmanager's webhook, or what `page` says: a body of Grafana, PagerDuty or of nobody that we know."""
    if "page" not in case:
        return clusters.alert(case, namespace)
    page = dict(case["page"])
    form, firing = page.pop("form"), ago(case.get("firing", 5))
    if form == "grafana":
        one = {"status": "firing", "labels": page["labels"], "annotations": page.get("annotations", {})}
        one |= {"startsAt": firing, "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "c6eadffa33fcdf37"}
        one |= {"generatorURL": "https://grafana.example.com/alerting/1/edit", "values": page.get("values", {})}
        one |= {"silenceURL": "https://grafana.example.com/alerting/silence/new", "dashboardURL": "", "panelURL": ""}
        whole = {"receiver": "hook", "status": "firing", "orgId": 1, "alerts": [one], "groupLabels": {}}
        whole |= {"commonLabels": page["labels"], "commonAnnotations": {}, "version": "1", "groupKey": "{}:{}"}
        return {**whole, "externalURL": "https://grafana.example.com/", "truncatedAlerts": 0, "state": "alerting"}
    if form == "pagerduty":
        data = {"id": "PEXAMPLE1", "type": "incident", "number": 7, "status": "triggered", "created_at": firing}
        data |= {"html_url": "https://example.pagerduty.com/incidents/PEXAMPLE1", "urgency": "high", "priority": None}
        data |= {"incident_key": "k", "title": page["title"], "service": {"id": "PSVC1", "summary": page["service"]}}
        event = {"id": "01EXAMPLE", "event_type": "incident.triggered", "resource_type": "incident", "data": data}
        return {"event": {**event, "occurred_at": firing, "agent": None, "client": None}}
    return {**page, "started_at": firing}


# --- one run --------------------------------------------------------------------------------------------------------


def finding(run: Run) -> Finding:
    it = made(run.case)
    parts = run.mode.split("+")
    with ExitStack() as stack:
        custom = any(o["apiVersion"].startswith(_OPTIONAL) or "istio.io" in o["apiVersion"] for o in it.objects)
        logs = pod_logs(it) if run.case.get("kubernetes_logs", True) else {}
        forbidden = set(run.case.get("forbidden", ()))
        cluster = kubernetes.Cluster(list(it.objects), logs, forbidden, served_optional=custom)
        skills: dict[str, Any] = {"kubernetes": {"url": stack.enter_context(kubernetes.serving(cluster))}}
        for part in parts:
            if part in telemetry.LAYOUTS:
                store = elasticsearch.Cluster(*telemetry.documents(it, part))
                stack.enter_context(elasticsearch.serve(store))
                skills["elasticsearch"] = {"url": store.url, "index": "logs-*"}
            elif part in ("state", "metrics"):
                served = Served({"prometheus": _prometheus(run.case, it, whole=part == "metrics")})
                stack.callback(served.close)
                skills["prometheus"] = {"url": served.urls["prometheus"]}
        customer = Customer.model_validate({"name": "field", "skills": skills})
        request = agent.Request(
            customer=customer,
            incident_id="i",
            investigation_id="i",
            trace_id="0" * 32,
            alerts=read(alert(run.case, it.namespace)).alerts,
            now=NOW,
        )
        connected = agent.connect_all(customer, registry.toggles(customer), lambda name: None)
        journal = MemoryJournal(True)
        return agent.investigate(
            request, Offline(), connected, journal, clock=lambda: datetime.now(UTC), monotonic=time.monotonic
        )


def _prometheus(case: Mapping[str, Any], it: Made, *, whole: bool) -> Prometheus:
    found = [*series.object_state(it.objects)]
    if whole:
        pods = _first_pods(it.objects)
        found += [series.parsed(text, pods) for text in case.get("series", [])]
        found += [s for each in case.get("golden", []) for s in series.golden(each, it.namespace, pods)]
    scene = SimpleNamespace(metrics=series.Metrics(found), world=SimpleNamespace(now=NOW.timestamp()))
    return Prometheus(cast(Any, scene), cast(Any, NoRules()))


def _first_pods(objects: Iterable[Obj]) -> dict[str, str]:
    """By the name of their workload; `ingest.1` is the second of ingest."""
    found: dict[str, str] = {}
    of = {
        o["metadata"]["name"]: o["metadata"]["ownerReferences"][0]["name"] for o in objects if o["kind"] == "ReplicaSet"
    }
    for pod in (o for o in objects if o["kind"] == "Pod" and "ownerReferences" in o["metadata"]):
        owner = pod["metadata"]["ownerReferences"][0]["name"]
        name = of.get(owner, owner)
        number = next(n for n in count() if f"{name}.{n}" not in found)
        found.setdefault(name, pod["metadata"]["name"])
        found[f"{name}.{number}"] = pod["metadata"]["name"]
    return found


class NoRules:
    """A Prometheus whose rules are evaluated elsewhere."""

    firing: tuple[()] = ()

    def series(self, name: str) -> list[Any]:
        return []

    def described(self, names: frozenset[str]) -> list[Any]:
        return []

    def all_alerts(self) -> list[Any]:
        return []


def passed(case: Mapping[str, Any], found: Finding) -> bool:
    verdict = case.get("verdict")
    if verdict is not None and found.verdict not in (verdict if isinstance(verdict, list) else [verdict]):
        return False
    if case.get("both"):
        return set(case["truth"]) <= set(said(found))
    if found.verdict == "recovered" and found.causes and said(found)[0] in case.get("past", ()):
        return True
    if isinstance(case["truth"], list) and "none" in case["truth"]:
        return right(case, found) or right({**case, "truth": "none"}, found)
    return right(case, found)


def wrongly_sure(case: Mapping[str, Any], found: Finding) -> bool:
    """A first cause of band High that is none of the true ones."""
    if passed(case, found) or not found.causes or found.causes[0].confidence.band != "high":
        return False
    truth = case["truth"]
    return said(found)[0] not in (truth if isinstance(truth, list) else [truth])


# --- the table ------------------------------------------------------------------------------------------------------


def rows(wanted: list[str]) -> Iterator[tuple[Run, Finding, float]]:
    for run in runs():
        if not wanted or any(w in run.name for w in wanted):
            before = time.process_time()
            found = finding(run)
            yield run, found, time.process_time() - before


def main(wanted: list[str]) -> None:
    for run, found, seconds in rows(wanted):
        mark = "right" if passed(run.case, found) else "HIGH AND WRONG" if wrongly_sure(run.case, found) else "wrong"
        marks = [f"[{c.confidence.band} {c.confidence.value:.2f}]" for c in found.causes]
        causes = [f"{told} {each}" for told, each in zip(said(found), marks, strict=True)]
        print(f"{mark:14} {run.case['group']} {run.name} ({seconds:.2f} s) {found.verdict}: {'; '.join(causes)}")
        if wanted:
            print(f"    truth {run.case['truth']} {run.case.get('also', '')}\n    {found.headline.text}")
            for each in found.evidence[:12]:
                print(f"    {each.id} {each.skill}.{each.tool}: {each.excerpt[:300]!r}")


if __name__ == "__main__":
    main(sys.argv[1:])
