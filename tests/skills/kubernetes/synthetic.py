# ruff: noqa: E501  (objects are written as the API writes them)
"""A large cluster of made-up objects, served from bytes that were made before: 10 to 10,000 pods, in one namespace or
in many, one of whose Services selects nobody.

Run as a program it serves until its input ends, and prints its address; a process of its own, so that what is measured
is the reader and not the two sharing an interpreter. Objects have the weight of real ones: a pod about 6 KB, with its
managed fields, a node about 11 KB, with its images.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from skills.kubernetes.kinds import IN_NAMESPACE, LEASE, OF_CLUSTER, Kind
from tests.skills.kubernetes.shapes import (
    Obj,
    ago,
    container,
    deployment,
    ended,
    endpoints,
    event,
    meta,
    node,
    pod,
    pod_spec,
    replica_set,
    service,
    waiting,
)

REPLICAS = 10
CULPRIT = "svc-0003"
"""The Service whose selector matches nobody."""
_COLUMNS = {
    "pods": ("Name", "Ready", "Status", "Restarts", "Age", "IP", "Node", "Nominated Node", "Readiness Gates"),
    "nodes": ("Name", "Status", "Roles", "Age", "Version"),
}
FIELDS = {"f:spec": {f"f:part{i}": {f"f:key{j}": {} for j in range(10)} for i in range(20)}}


class Synthetic:
    """Items by (plural, namespace), each encoded once."""

    def __init__(self, pods: int, nodes: int, namespaces: int) -> None:
        self.items: dict[tuple[str, str], list[tuple[str, dict[str, str], bytes]]] = defaultdict(list)
        """(name, labels, body)"""
        self.rows: dict[str, list[bytes]] = defaultdict(list)
        self.wrong: dict[str, list[int]] = defaultdict(list)
        """Numbers of the pods of a namespace that are not running."""
        for i in range(nodes):
            self._add("nodes", _node(f"node-{i:04}"))
        for space in ("default", "kube-system"):
            self._add("namespaces", {"metadata": meta(space, namespace=None), "status": {"phase": "Active"}})
        apps = max(1, pods // REPLICAS)
        for i in range(apps):
            self._app(i, f"team-{i % namespaces:02}", min(REPLICAS, pods), nodes)
        for i in range(namespaces):
            self._add("namespaces", {"metadata": meta(f"team-{i:02}", namespace=None), "status": {"phase": "Active"}})

    def _app(self, number: int, space: str, replicas: int, nodes: int) -> None:
        name, suffix = f"svc-{number:04}", f"7f{number:06}"
        env = [{"name": f"SETTING_{k}", "value": f"value-{k}"} for k in range(15)]
        env.append(
            {"name": "NEXT_ADDR", "value": f"svc-{number + 1:04}:8080"}
            if number % 2 == 0
            else {"name": "A", "value": "b"}
        )
        spec = pod_spec(
            container(
                image=f"registry.example.com/acme/{name}:1.{number}.0",
                env=env,
                resources={"limits": {"memory": "512Mi"}},
            )
        )
        crashes = number % 300 == 7
        found: list[Obj] = [deployment(name, spec=spec, replicas=replicas), service(name)]
        found += [replica_set(name, suffix if k == 0 else f"6a{number:04}{k:02}", spec=spec, replicas=replicas if k == 0 else 0,
                              revision=3 - k, age=9000 + 1000 * k) for k in range(3)]  # fmt: skip
        pods = []
        for k in range(replicas):
            status = (
                [waiting("CrashLoopBackOff", "back-off 5m0s", restarts=9, last=ended("Error", 1))]
                if crashes and k == 0
                else None
            )
            made = pod(f"{name}-{suffix}-{_letters(k)}", labels={"app": name, "pod-template-hash": suffix}, spec=spec, statuses=status,
                       replica_set=f"{name}-{suffix}", node=f"node-{(number * replicas + k) % nodes:04}", namespace=space)  # fmt: skip
            pods.append(made["metadata"]["name"])
            found.append(made)
        if name == CULPRIT:
            found[1]["spec"]["selector"] = {"app": name, "track": "none"}
        found.append(endpoints(name, *(pods if name != CULPRIT else ())))
        found.append({"kind": "ConfigMap", "metadata": meta(f"{name}-conf"), "data": {"app.conf": "x = 1\n" * 200}})
        found += [
            event("Pod", pods[0], "Pulled", "Container image already present on machine", minutes=30, warning=False)
            for _ in range(2)
        ]
        if crashes:
            found.append(event("Pod", pods[0], "BackOff", "Back-off restarting failed container"))
        for obj in found:
            obj["metadata"]["namespace"] = space
            self._add(_PLURAL[obj["kind"]], obj)

    def _add(self, plural: str, obj: Obj) -> None:
        metadata = obj["metadata"]
        metadata["managedFields"] = [{"manager": "kube-controller-manager", "operation": "Update", "time": ago(9000), "fieldsType": "FieldsV1", "fieldsV1": FIELDS}]  # fmt: skip
        space = metadata.get("namespace", "")
        body = json.dumps({k: v for k, v in obj.items() if k not in ("kind", "apiVersion")}).encode()
        if plural == "pods":
            statuses = obj["status"].get("containerStatuses", [])
            ready = sum(1 for s in statuses if s["ready"])
            state = next((s["state"]["waiting"]["reason"] for s in statuses if "waiting" in s["state"]), "Running")
            cells = [
                metadata["name"],
                f"{ready}/1",
                state,
                str(sum(s["restartCount"] for s in statuses)),
                "6d",
                "10.1.1.1",
                "node-0001",
                "<none>",
                "<none>",
            ]
            self.rows[space].append(json.dumps({"cells": cells, "object": None}).encode())
        self.items[(plural, space)].append((metadata["name"], metadata.get("labels", {}), body))

    def answer(self, path: str, query: dict[str, str], accept: str) -> tuple[int, bytes]:
        if path == "/apis":
            return 200, b'{"kind": "APIGroupList", "groups": []}'
        parts = path.strip("/").split("/")
        rest = parts[2:] if parts[0] == "api" else parts[3:]
        space = rest[1] if rest[:1] == ["namespaces"] and len(rest) > 2 else ""
        rest = rest[2:] if space else rest
        if rest[-1:] == ["log"]:
            return 200, b"2026-03-14T14:59:00.000000000Z listening\n"
        if len(rest) > 1 or not rest or rest[0] not in _KINDS:
            return 404, b'{"kind": "Status", "message": "not found", "code": 404}'
        return 200, self._list(rest[0], space, query, accept)

    def _list(self, plural: str, space: str, query: dict[str, str], accept: str) -> bytes:
        offset, limit = int(query.get("continue", "0")), int(query.get("limit", "500"))
        fields, labelled = query.get("fieldSelector", ""), query.get("labelSelector", "")
        if "as=Table" in accept:
            rows, columns = self.rows[space], [{"name": n} for n in _COLUMNS[plural]]
            if plural == "nodes":
                rows = [
                    json.dumps({"cells": [n, "Ready", "<none>", "90d", "v1.33.1"]}).encode()
                    for n, _, _ in self.items[("nodes", "")]
                ]
            head = json.dumps(
                {"kind": "Table", "metadata": _more(offset, limit, len(rows)), "columnDefinitions": columns}
            )
            return head[:-1].encode() + b', "rows": [' + b",".join(rows[offset : offset + limit]) + b"]}"
        items = self.items[(plural, space)]
        if labelled or fields:
            items = [i for i in items if _fits(i, fields, labelled)]
        bodies = [body for _, _, body in items[offset : offset + limit]]
        head = json.dumps({"kind": "List", "metadata": _more(offset, limit, len(items))})
        return head[:-1].encode() + b', "items": [' + b",".join(bodies) + b"]}"


def _letters(number: int) -> str:
    return "abcde"[number % 5] + "bcdfg"[number // 5 % 5] + "x7k"


def _node(name: str) -> Obj:
    made = node(name)
    made["status"]["images"] = [
        {"names": [f"registry.example.com/acme/image-{i}@sha256:{i:064x}", f"registry.example.com/acme/image-{i}:1.0"], "sizeBytes": 10**8}
        for i in range(50)
    ]  # fmt: skip
    return made


def _more(offset: int, limit: int, total: int) -> dict[str, Any]:
    if offset + limit >= total:
        return {"resourceVersion": "1"}
    return {"resourceVersion": "1", "continue": str(offset + limit), "remainingItemCount": total - offset - limit}


def _fits(item: tuple[str, dict[str, str], bytes], fields: str, labelled: str) -> bool:
    name, labels, body = item
    for each in filter(None, fields.split(",")):
        path, operator, wanted = re.split(r"(!=|=)", each, maxsplit=1)
        found = {"metadata.name": name}.get(path) or _at(body, path)
        if (found == wanted) is (operator == "!="):
            return False
    for each in filter(None, re.split(r",(?![^(]*\))", labelled)):
        among = re.fullmatch(r"(\S+) in \(([^)]*)\)", each)
        key, _, wanted = each.partition("=")
        if (among and labels.get(among[1]) not in among[2].split(",")) or (not among and labels.get(key) != wanted):
            return False
    return True


def _at(body: bytes, path: str) -> str:
    found = re.search(rb'"%s": "([^"]*)"' % path.rpartition(".")[2].encode(), body)
    return found.group(1).decode() if found else ""


_EVERY: tuple[Kind, ...] = (*IN_NAMESPACE, *OF_CLUSTER, LEASE)
_KINDS = {k.plural for k in _EVERY}
_PLURAL = {k.name: k.plural for k in _EVERY}


def main() -> None:
    pods, nodes, namespaces = map(int, sys.argv[1:4])
    cluster = Synthetic(pods, nodes, namespaces)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            split = urlsplit(self.path)
            query = {k: v[0] for k, v in parse_qs(split.query).items()}
            code, body = cluster.answer(split.path, query, self.headers.get("Accept", ""))
            self.send_response(code)
            self.send_header("Content-Type", "text/plain" if split.path.endswith("/log") else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
