"""Kubelets without containers: they start what the scheduler has placed, and fail where a kubelet would fail.

What a program does cannot be seen in its image, so a case says it: `Behaviour`. Everything else is read from the pod:
references to Secrets and ConfigMaps, probe ports, memory limits, commands. Statuses, reasons and messages are those of
pkg/kubelet (kuberuntime/kuberuntime_container.go, images/types.go, prober, status/generate.go, kubelet_pods.go,
volume/secret) and of containerd 2.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2 as httpx

Obj = dict[str, Any]


@dataclass(frozen=True)
class Behaviour:
    """What the program in an image does, or what its registry says."""

    pull: str = ""
    """absent, unauthorized: the registry's answer; unresolved: no registry by that name."""
    exits: int | None = None
    """Code with which it ends soon after its start; 0 is success."""
    after: float = 1.0
    """Seconds that it runs before that."""
    needs_mib: int = 0
    """Memory; a lower limit gets it killed."""
    has: tuple[str, ...] = ()
    """Programs in the image; a command that is none of them does not start. Empty: whatever is asked for."""
    root: bool = False
    ready_after: float = 1.5
    """Seconds until its readiness probe succeeds; a probe of a port that it does not have never does."""
    path: str = ""
    """Where the probe must ask; another path is answered by 404. Empty: anywhere."""
    kills: bool = False
    """Whether its liveness probe fails although it works."""


@dataclass
class _Running:
    began: float
    state: str = "new"
    next_at: float = 0.0
    restarts: dict[str, int] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    address: str = ""


class Kubelets:
    """One thread for all nodes. `stop(node)` is the end of that node's kubelet: no lease, no status, silence."""

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.Client(
            base_url=url, verify=False, headers={"Authorization": f"Bearer {token}"}, timeout=20
        )
        self._behaviours: dict[tuple[str, str], Behaviour] = {}
        self._pods: dict[str, _Running] = {}
        self._gone: set[str] = set()
        self._sick: set[str] = set()
        self._back: set[str] = set()
        self._leased: dict[str, float] = {}
        self._addresses = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.failures: list[str] = []
        self._thread.start()

    def behave(self, namespace: str, image: str, behaviour: Behaviour) -> None:
        self._behaviours[(namespace, image)] = behaviour

    def stop(self, *nodes: str) -> None:
        self._gone |= set(nodes)

    def sicken(self, *nodes: str) -> None:
        """Their kubelets live; what they say of their node is the case's to write."""
        self._sick |= set(nodes)

    def again(self, *nodes: str) -> None:
        """Whoever was away posts the status of all its pods anew."""
        self._back |= set(nodes)
        self._gone -= set(nodes)
        self._sick -= set(nodes)

    def close(self) -> None:
        self._over.set()
        self._thread.join(20)
        self._client.close()

    def _run(self) -> None:
        while not self._over.wait(0.7):
            try:
                self._nodes()
                self._tick()
            except httpx.HTTPError as error:  # the API server restarts, or has not begun
                self.failures.append(repr(error))

    # --- nodes -----------------------------------------------------------------------------------------------------

    def _nodes(self) -> None:
        now = time.monotonic()
        if now - self._leased.get("", -99) < 5:
            return
        self._leased[""] = now
        for node in self._get("/api/v1/nodes"):
            called = node["metadata"]["name"]
            if called in self._gone:
                continue
            ready = any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"].get("conditions", []))
            if not ready and called not in self._sick:
                self._patch(f"/api/v1/nodes/{called}/status", {"status": _node_status(called)})
            self._renew(called)

    def _renew(self, node: str) -> None:
        place = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        spec = {"holderIdentity": node, "leaseDurationSeconds": 40, "renewTime": f"{_now():%Y-%m-%dT%H:%M:%S.%fZ}"}
        body = {"metadata": {"name": node, "namespace": "kube-node-lease"}, "spec": spec}
        done = self._client.patch(
            f"{place}/{node}", json={"spec": spec}, headers={"Content-Type": "application/merge-patch+json"}
        )
        if done.status_code == 404:
            self._client.post(place, json=body)

    # --- pods ------------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        found = self._get("/api/v1/pods", fieldSelector="spec.nodeName!=", resourceVersion="0")
        back, self._back = self._back, set()
        for pod in found:
            if pod["spec"]["nodeName"] in self._gone:
                continue
            it = self._pods.setdefault(pod["metadata"]["uid"], _Running(time.monotonic()))
            if pod["spec"]["nodeName"] in back and it.state == "settled":
                it.state, it.next_at = "running", 0.0
            if "deletionTimestamp" in pod["metadata"]:
                self._end(pod, it)
            elif it.next_at <= time.monotonic():
                it.next_at = time.monotonic() + self._step(pod, it)
        known = {p["metadata"]["uid"] for p in found}
        for uid in [u for u in self._pods if u not in known]:
            del self._pods[uid]

    def _end(self, pod: Obj, it: _Running) -> None:
        if it.state == "new" and pod["status"].get("phase") in ("Succeeded", "Failed"):
            it.state = "over"
        if it.state != "ending":
            for each in pod["spec"]["containers"] if it.state != "over" else ():
                self._tell(pod, "Normal", "Killing", f"Stopping container {each['name']}", each["name"])
            it.state = "ending"
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
        self._client.request("DELETE", _path(pod), json=options)

    def _step(self, pod: Obj, it: _Running) -> float:
        """What is next for a pod; seconds until it is looked at again."""
        if pod["status"].get("phase") in ("Succeeded", "Failed"):
            return 60
        if it.state == "new":
            it.state = "settled" if pod["status"].get("phase") == "Running" else "mounting"
        if it.state == "mounting":
            missing = self._unmounted(pod)
            if missing:
                volume, why = missing
                self._tell(pod, "Warning", "FailedMount", f'MountVolume.SetUp failed for volume "{volume}" : {why}')
                if "creating" not in it.told:
                    it.told.add("creating")
                    self._status(pod, it, [_waiting(c, "ContainerCreating", "") for c in pod["spec"]["containers"]])
                return 4
            self._addresses += 1
            it.address = f"10.244.{self._addresses // 250 + 1}.{self._addresses % 250 + 2}"
            it.state = "init"
        if it.state == "init":
            stuck = self._init(pod, it)
            if stuck:
                return stuck
            it.state = "starting"
        if it.state == "starting":
            return self._start(pod, it)
        if it.state == "running":
            return self._probe(pod, it)
        return 3600

    def _unmounted(self, pod: Obj) -> tuple[str, str] | None:
        place = pod["metadata"]["namespace"]
        for volume in pod["spec"].get("volumes", []):
            for kind, key in (("secret", "secretName"), ("configMap", "name")):
                it = volume.get(kind)
                if it and not it.get("optional") and not self._has(place, f"{kind.lower()}s", it[key]):
                    return volume["name"], f'{kind.lower()} "{it[key]}" not found'
        return None

    def _init(self, pod: Obj, it: _Running) -> float:
        done = []
        each_of = pod["spec"].get("initContainers", [])
        for position, each in enumerate(each_of):
            behaviour = self._behaviour(pod, each)
            if each.get("restartPolicy") == "Always":
                done.append(_running(each, 0))
                continue
            if behaviour.exits in (None, 0) and behaviour.after < 10:
                done.append(_ended(each, 0, "Completed"))
                continue
            later = [_waiting(c, "PodInitializing", "") for c in each_of[position + 1 :]]
            main = [_waiting(c, "PodInitializing", "") for c in pod["spec"]["containers"]]
            count = it.restarts.get(each["name"], 0)
            if behaviour.exits is None:
                self._status(pod, it, main, init=[*done, _running(each, 0, ready=False), *later], pending=True)
                self._began(pod, each, it)
                return 3600
            it.restarts[each["name"]] = count + 1
            self._status(pod, it, main, init=[*done, _crashed(pod, each, behaviour.exits, count), *later], pending=True)
            self._began(pod, each, it)
            self._back_off(pod, each)
            return 6
        if each_of:
            it.told.add("init")
        return 0

    def _start(self, pod: Obj, it: _Running) -> float:
        statuses, again, over = [], 0.0, 0
        for each in pod["spec"]["containers"]:
            behaviour, count = self._behaviour(pod, each), it.restarts.get(each["name"], 0)
            refused = self._refused(pod, each, behaviour, count)
            if refused:
                statuses.append(refused)
                again = 5
            elif behaviour.exits is not None and pod["spec"]["restartPolicy"] != "Always":
                code = behaviour.exits
                if time.monotonic() - it.began < behaviour.after:
                    statuses.append(_running(each, 0))
                    again = again or behaviour.after
                else:
                    statuses.append(_ended(each, code, "Error" if code else "Completed"))
                    over += 1
            elif self._dies(each, behaviour):
                it.restarts[each["name"]] = count + 1
                code, reason = (137, "OOMKilled") if behaviour.needs_mib else (behaviour.exits or 0, "")
                statuses.append(_crashed(pod, each, code, count, reason))
                if count:
                    self._back_off(pod, each)
                again = 5 if count < 4 else 20
            else:
                statuses.append(_running(each, count, ready=_unprobed(each)))
            if not refused:
                self._began(pod, each, it)
        if over == len(statuses):
            failed = any(s["state"]["terminated"]["exitCode"] for s in statuses)
            self._status(pod, it, statuses, phase="Failed" if failed else "Succeeded")
            return 3600
        self._status(pod, it, statuses, init=self._inits_done(pod))
        if again:
            return again
        it.state = "running"
        return max(
            (self._behaviour(pod, c).ready_after for c in pod["spec"]["containers"] if not _unprobed(c)), default=0.0
        )

    def _probe(self, pod: Obj, it: _Running) -> float:
        statuses, again = [], 0.0
        for each in pod["spec"]["containers"]:
            behaviour, count = self._behaviour(pod, each), it.restarts.get(each["name"], 0)
            failed = self._unready(each, behaviour, it)
            if failed:
                self._tell(pod, "Warning", "Unhealthy", f"Readiness probe failed: {failed}", each["name"])
                again = 5
            if behaviour.kills:
                answer = "HTTP probe failed with statuscode: 404"
                self._tell(pod, "Warning", "Unhealthy", f"Liveness probe failed: {answer}", each["name"])
                told = f"Container {each['name']} failed liveness probe, will be restarted"
                self._tell(pod, "Normal", "Killing", told, each["name"])
                it.restarts[each["name"]] = count = count + 1
                again = 8
            statuses.append(_running(each, count, ready=not failed, killed=behaviour.kills))
        self._status(pod, it, statuses, init=self._inits_done(pod))
        if not again:
            it.state = "settled"
        return again

    def _unready(self, each: Obj, behaviour: Behaviour, it: _Running) -> str:
        probe = each.get("readinessProbe", {}).get("httpGet")
        if not probe:
            return ""
        ports = {p.get("name"): p["containerPort"] for p in each.get("ports", [])}
        port = ports.get(probe["port"], probe["port"])
        if ports and port not in ports.values():
            where = f"{it.address}:{port}"
            return f'Get "http://{where}{probe.get("path", "/")}": dial tcp {where}: connect: connection refused'
        if behaviour.path and probe.get("path") != behaviour.path:
            return "HTTP probe failed with statuscode: 404"
        return ""

    def _refused(self, pod: Obj, each: Obj, behaviour: Behaviour, count: int) -> Obj | None:
        place, image = pod["metadata"]["namespace"], each["image"]
        if behaviour.pull:
            registry = image.partition("/")[0]
            words = {
                "absent": f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": failed to '
                f'resolve reference "{image}": {image}: not found',
                "unauthorized": f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": '
                f"failed to authorize: failed to fetch anonymous token: unexpected status from GET request to "
                f"https://{registry}/token: 401 Unauthorized",
                "unresolved": f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": '
                f'failed to do request: Head "https://{registry}/v2/": dial tcp: lookup {registry} on 10.0.0.2:53: no '
                "such host",
            }[behaviour.pull]
            self._tell(pod, "Normal", "Pulling", f'Pulling image "{image}"', each["name"])
            self._tell(pod, "Warning", "Failed", f'Failed to pull image "{image}": {words}', each["name"])
            self._tell(pod, "Warning", "Failed", "Error: ErrImagePull", each["name"])
            self._tell(pod, "Normal", "BackOff", f'Back-off pulling image "{image}"', each["name"])
            self._tell(pod, "Warning", "Failed", "Error: ImagePullBackOff", each["name"])
            return _waiting(each, "ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {words}')
        wrong = self._unconfigured(pod, each, behaviour, place)
        if wrong:
            self._tell(pod, "Warning", "Failed", f"Error: {wrong}", each["name"])
            return _waiting(each, "CreateContainerConfigError", wrong)
        command = [*each.get("command", []), *each.get("args", [])][:1]
        if behaviour.has and command and command[0] not in behaviour.has:
            words = (
                "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create "
                f'failed: unable to start container process: error during container init: exec: "{command[0]}": '
                "executable file not found in $PATH"
            )
            self._tell(pod, "Warning", "Failed", f"Error: {words}", each["name"])
            self._back_off(pod, each)
            status = _crashed(pod, each, 128, count, "StartError")
            status["lastState"]["terminated"] |= {"message": words, "startedAt": "1970-01-01T00:00:00Z"}
            return status
        return None

    def _unconfigured(self, pod: Obj, each: Obj, behaviour: Behaviour, place: str) -> str:
        kinds = {"secretKeyRef": ("secret", "Secret"), "configMapKeyRef": ("configmap", "ConfigMap")}
        for variable in each.get("env", []):
            for ref, (kind, title) in kinds.items():
                it = variable.get("valueFrom", {}).get(ref)
                if not it or it.get("optional"):
                    continue
                found = self._object(place, f"{kind}s", it["name"])
                if found is None:
                    return f'{kind} "{it["name"]}" not found'
                if it["key"] not in found.get("data", {}):
                    return f"couldn't find key {it['key']} in {title} {place}/{it['name']}"
        for source in each.get("envFrom", []):
            for ref, kind in (("secretRef", "secret"), ("configMapRef", "configmap")):
                it = source.get(ref)
                if it and not it.get("optional") and self._object(place, f"{kind}s", it["name"]) is None:
                    return f'{kind} "{it["name"]}" not found'
        context = {**pod["spec"].get("securityContext", {}), **each.get("securityContext", {})}
        if behaviour.root and context.get("runAsNonRoot") and not context.get("runAsUser"):
            who = f'(pod: "{pod["metadata"]["name"]}_{place}({pod["metadata"]["uid"]})", container: {each["name"]})'
            return f"container has runAsNonRoot and image will run as root {who}"
        return ""

    @staticmethod
    def _dies(each: Obj, behaviour: Behaviour) -> bool:
        if behaviour.needs_mib:
            limit = each.get("resources", {}).get("limits", {}).get("memory", "")
            return bool(limit) and _mib(limit) < behaviour.needs_mib
        return behaviour.exits is not None

    def _inits_done(self, pod: Obj) -> list[Obj]:
        return [
            _running(c, 0) if c.get("restartPolicy") == "Always" else _ended(c, 0, "Completed")
            for c in pod["spec"].get("initContainers", [])
        ]

    def _behaviour(self, pod: Obj, each: Obj) -> Behaviour:
        image, place = each["image"], pod["metadata"]["namespace"]
        given = self._behaviours.get((place, image)) or self._behaviours.get(("", image))
        once = pod["spec"]["restartPolicy"] != "Always"
        return given or (Behaviour(exits=0) if once else Behaviour())

    # --- what is written -------------------------------------------------------------------------------------------

    def _began(self, pod: Obj, each: Obj, it: _Running) -> None:
        if each["name"] in it.told:
            return
        it.told.add(each["name"])
        present = f'Container image "{each["image"]}" already present on machine'
        self._tell(pod, "Normal", "Pulled", present, each["name"])
        self._tell(pod, "Normal", "Created", f"Created container: {each['name']}", each["name"])
        self._tell(pod, "Normal", "Started", f"Started container {each['name']}", each["name"])
        if "httpGet" in each.get("readinessProbe", {}):  # the first probe comes before the program listens
            port = next((p["containerPort"] for p in each.get("ports", [])), 8080)
            where = f"{it.address}:{port}"
            path = each["readinessProbe"]["httpGet"].get("path", "/")
            words = f'Get "http://{where}{path}": dial tcp {where}: connect: connection refused'
            self._tell(pod, "Warning", "Unhealthy", f"Readiness probe failed: {words}", each["name"])

    def _back_off(self, pod: Obj, each: Obj) -> None:
        meta = pod["metadata"]
        who = f"{meta['name']}_{meta['namespace']}({meta['uid']})"
        words = f"Back-off restarting failed container {each['name']} in pod {who}"
        self._tell(pod, "Warning", "BackOff", words, each["name"])

    def _status(
        self,
        pod: Obj,
        it: _Running,
        statuses: list[Obj],
        *,
        init: list[Obj] | None = None,
        phase: str = "",
        pending: bool = False,
    ) -> None:
        ready = all(s["ready"] for s in statuses)
        alive = it.address != ""
        started = any("running" in s["state"] or "terminated" in s["state"] or "terminated" in s.get("lastState", {})
                      for s in statuses)  # fmt: skip
        unready = [s["name"] for s in statuses if not s["ready"]]
        done = phase == "Succeeded"
        conditions = [
            _condition("PodReadyToStartContainers", alive and not phase),
            _condition("Initialized", not pending, "ContainersNotInitialized", "containers with incomplete status: "
                       f"[{' '.join(s['name'] for s in init or [] if not s['ready'])}]"),
            *(
                _condition(kind, ready, "PodCompleted" if done else "PodFailed" if phase else "ContainersNotReady",
                           "" if phase else f"containers with unready status: [{' '.join(unready)}]")
                for kind in ("Ready", "ContainersReady")
            ),
        ]  # fmt: skip
        status: Obj = {
            "phase": phase or ("Running" if started and not pending else "Pending"),
            "conditions": conditions,
            "containerStatuses": statuses,
            "startTime": pod["status"].get("startTime") or f"{_now():%Y-%m-%dT%H:%M:%SZ}",
            "qosClass": pod["status"].get("qosClass", "Burstable"),
        }
        if init is not None and init:
            status["initContainerStatuses"] = init
        if alive:
            status |= {"hostIP": _address(pod["spec"]["nodeName"]), "podIP": it.address, "podIPs": [{"ip": it.address}]}
            status["hostIPs"] = [{"ip": status["hostIP"]}]
        self._patch(f"{_path(pod)}/status", {"status": _kept(pod, status)})

    def _tell(self, pod: Obj, kind: str, reason: str, message: str, container: str = "") -> None:
        meta, node = pod["metadata"], pod["spec"]["nodeName"]
        place = f"/api/v1/namespaces/{meta['namespace']}/events"
        stamp = f"{_now():%Y-%m-%dT%H:%M:%SZ}"
        for each in self._get(place, fieldSelector=f"involvedObject.uid={meta['uid']},reason={reason}"):
            if each["message"] == message:
                again = {"count": each.get("count", 1) + 1, "lastTimestamp": stamp}
                self._patch(f"{place}/{each['metadata']['name']}", again, "application/merge-patch+json")
                return
        about = {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}
        about |= {"apiVersion": "v1", "resourceVersion": meta["resourceVersion"]}
        if container:
            initial = any(c["name"] == container for c in pod["spec"].get("initContainers", []))
            about["fieldPath"] = f"spec.{'initContainers' if initial else 'containers'}{{{container}}}"
        source = {"component": "kubelet", "host": node}
        body = {
            "metadata": {"name": f"{meta['name']}.{uuid.uuid4().hex[:16]}", "namespace": meta["namespace"]},
            "involvedObject": about,
            "type": kind,
            "reason": reason,
            "message": message,
            "source": source,
            "reportingComponent": "kubelet",
            "reportingInstance": node,
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "count": 1,
        }
        self._client.post(place, json=body)

    # --- the API ---------------------------------------------------------------------------------------------------

    def _get(self, path: str, **query: str) -> list[Obj]:
        done = self._client.get(path, params=query)
        found: list[Obj] = done.json().get("items") or [] if done.status_code == 200 else []
        return found

    def _object(self, place: str, plural: str, name: str) -> Obj | None:
        done = self._client.get(f"/api/v1/namespaces/{place}/{plural}/{name}")
        return done.json() if done.status_code == 200 else None

    def _has(self, place: str, plural: str, name: str) -> bool:
        return self._object(place, plural, name) is not None

    def _patch(self, path: str, body: Mapping[str, Any], kind: str = "application/strategic-merge-patch+json") -> None:
        done = self._client.patch(path, json=body, headers={"Content-Type": kind})
        if done.status_code not in (200, 404, 409):
            self.failures.append(f"{path}: {done.text[:300]}")


# --- shapes ----------------------------------------------------------------------------------------------------------


def _now() -> datetime:
    return datetime.now(UTC)


def _stamp(seconds_ago: float = 0) -> str:
    return f"{_now() - timedelta(seconds=seconds_ago):%Y-%m-%dT%H:%M:%SZ}"


def _path(pod: Obj) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


def _address(node: str) -> str:
    return f"10.0.4.{sum(map(ord, node)) % 200 + 10}"


def _mib(size: str) -> float:
    units = {"Ki": 1 / 1024, "Mi": 1, "Gi": 1024}
    return float(size[:-2]) * units[size[-2:]] if size[-2:] in units else float(size) / 2**20


def _unprobed(each: Obj) -> bool:
    return "readinessProbe" not in each


def _condition(kind: str, holds: bool, reason: str = "", message: str = "") -> Obj:
    found: Obj = {"type": kind, "status": "True" if holds else "False", "lastTransitionTime": _stamp()}
    found |= {"reason": reason, "message": message} if reason and not holds else {"reason": None, "message": None}
    return found


def _common(each: Obj, restarts: int, ready: bool) -> Obj:
    digest = f"{abs(hash(each['image'])):064x}"[:64]
    return {
        "name": each["name"],
        "image": each["image"],
        "imageID": f"{each['image'].rpartition(':')[0]}@sha256:{digest}",
        "containerID": f"containerd://{uuid.uuid4().hex}{uuid.uuid4().hex}",
        "ready": ready,
        "restartCount": restarts,
    }


def _waiting(each: Obj, reason: str, message: str) -> Obj:
    state = {"reason": reason, **({"message": message} if message else {})}
    it = _common(each, 0, False) | {"imageID": "", "started": False, "state": {"waiting": state}}
    del it["containerID"]
    return it


def _running(each: Obj, restarts: int, *, ready: bool = True, killed: bool = False) -> Obj:
    it = _common(each, restarts, ready) | {"started": True, "state": {"running": {"startedAt": _stamp()}}}
    if killed:
        it["lastState"] = {"terminated": _terminated(it, 0, "Completed", 30)}
    return it


def _terminated(status: Obj, code: int, reason: str, ran: float) -> Obj:
    times = {"startedAt": _stamp(ran), "finishedAt": _stamp()}
    return {"exitCode": code, "reason": reason, "containerID": status["containerID"], **times}


def _ended(each: Obj, code: int, reason: str) -> Obj:
    it = _common(each, 0, reason == "Completed") | {"started": False}
    it["state"] = {"terminated": _terminated(it, code, reason, 2)}
    return it


def _crashed(pod: Obj, each: Obj, code: int, restarts: int, reason: str = "") -> Obj:
    meta, seconds = pod["metadata"], min(10 * 2**restarts, 300)
    who = f"{each['name']} pod={meta['name']}_{meta['namespace']}({meta['uid']})"
    shown = f"{seconds}s" if seconds < 60 else f"{seconds // 60}m{seconds % 60}s"
    told = {"reason": "CrashLoopBackOff", "message": f"back-off {shown} restarting failed container={who}"}
    it = _common(each, restarts + 1, False) | {"started": False, "state": {"waiting": told}}
    it["lastState"] = {"terminated": _terminated(it, code, reason or ("Error" if code else "Completed"), 2)}
    return it


def _kept(pod: Obj, status: Obj) -> Obj:
    """Conditions keep the time of their last change; running containers keep their start."""
    before = {c["type"]: c for c in pod["status"].get("conditions", [])}
    for each in status["conditions"]:
        old = before.get(each["type"])
        if old and old["status"] == each["status"]:
            each["lastTransitionTime"] = old.get("lastTransitionTime")
    for key in ("containerStatuses", "initContainerStatuses"):
        known = {c["name"]: c for c in pod["status"].get(key, [])}
        for each in status.get(key, []):
            old = known.get(each["name"])
            if old and old["restartCount"] == each["restartCount"] and set(old["state"]) == set(each["state"]):
                each["state"], each["containerID"] = (
                    old["state"] if "waiting" not in each["state"] else each["state"],
                    old.get("containerID", ""),
                )
    return status


def _node_status(node: str) -> Obj:
    well = {
        "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
    }
    return {
        "conditions": [
            {"type": kind, "status": status, "reason": reason, "message": message}
            | {"lastHeartbeatTime": _stamp(), "lastTransitionTime": _stamp()}
            for kind, (status, reason, message) in well.items()
        ],
        "addresses": [{"type": "InternalIP", "address": _address(node)}, {"type": "Hostname", "address": node}],
        "nodeInfo": {
            "architecture": "amd64",
            "operatingSystem": "linux",
            "kubeletVersion": "v1.34.4",
            "kubeProxyVersion": "",
            "containerRuntimeVersion": "containerd://2.1.4",
            "kernelVersion": "6.8.0-79-generic",
            "osImage": "Ubuntu 24.04.3 LTS",
            "machineID": uuid.uuid5(uuid.NAMESPACE_DNS, node).hex,
            "systemUUID": str(uuid.uuid5(uuid.NAMESPACE_DNS, node + ".system")),
            "bootID": str(uuid.uuid5(uuid.NAMESPACE_DNS, node + ".boot")),
        },
    }
