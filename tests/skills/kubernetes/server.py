# ruff: noqa: E501  (the wordings of Kubernetes are quoted whole)
"""A small API server on loopback: lists with paging, field and label selectors, single objects, logs, and misbehaviour.

It serves objects in the documented wire shapes, and nothing that the official client's strict models do not accept.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from skills.kubernetes.kinds import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    ENDPOINTS,
    IN_NAMESPACE,
    LEASE,
    OF_CLUSTER,
    OPTIONAL,
    Kind,
)
from tests.skills.kubernetes.strict import refusal

KINDS: tuple[Kind, ...] = (*IN_NAMESPACE, *OF_CLUSTER, LEASE, ENDPOINTS, CLUSTER_ROLE, CLUSTER_ROLE_BINDING)
Misbehave = Callable[[BaseHTTPRequestHandler], bool]


@dataclass
class Cluster:
    """What the server serves. `objects` in wire shape, with kind."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    logs: dict[tuple[str, str, str, bool], str] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    """Plurals that are answered with 403."""
    token: str = ""
    served_optional: bool = False
    misbehave: Misbehave | None = None
    requests: Counter[str] = field(default_factory=Counter)
    paths: list[str] = field(default_factory=list)


@contextmanager
def serving(cluster: Cluster) -> Iterator[str]:
    if wrong := [why for obj in cluster.objects if (why := refusal(obj))]:
        raise AssertionError("; ".join(wrong))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(cluster))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _handler(cluster: Cluster) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            with suppress(BrokenPipeError, ConnectionResetError):
                _answer(cluster, self)

    return Handler


def _answer(cluster: Cluster, handler: BaseHTTPRequestHandler) -> None:
    split = urlsplit(handler.path)
    query = {k: v[0] for k, v in parse_qs(split.query).items()}
    cluster.requests[split.path] += 1
    cluster.paths.append(handler.path)
    if cluster.misbehave is not None and cluster.misbehave(handler):
        return None
    if cluster.token and handler.headers.get("Authorization") != f"Bearer {cluster.token}":
        return status(handler, 401, "Unauthorized", "Unauthorized")
    if split.path == "/version":
        return send(handler, {"major": "1", "minor": "33", "gitVersion": "v1.33.1"})
    if split.path == "/apis":
        groups = [k.base.removeprefix("/apis/") for k in (OPTIONAL if cluster.served_optional else ())]
        return send(handler, {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
            {"name": g.split("/")[0], "versions": [{"groupVersion": g, "version": g.split("/")[1]}]} for g in dict.fromkeys(groups)
        ]})  # fmt: skip
    _resource(cluster, handler, split.path, query)
    return None


def _resource(cluster: Cluster, handler: BaseHTTPRequestHandler, path: str, query: dict[str, str]) -> None:
    parts = path.strip("/").split("/")
    base_length = 2 if parts[0] == "api" else 3
    base, rest = "/" + "/".join(parts[:base_length]), parts[base_length:]
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    kinds = [*KINDS, *(OPTIONAL if cluster.served_optional else ())]
    kind = next((k for k in kinds if k.base == base and k.plural == rest[0]), None) if rest else None
    if kind is None:
        handler.send_response(404)
        handler.send_header("Content-Type", "text/plain; charset=utf-8")
        body = b"404 page not found\n"
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        return None
    if kind.plural in cluster.forbidden:
        verb = "get" if len(rest) > 1 else "list"
        where = f' in the namespace "{namespace}"' if namespace else " at the cluster scope"
        group = "" if parts[0] == "api" else parts[1]
        return status(handler, 403, "Forbidden",
            f'{kind.plural} is forbidden: User "system:serviceaccount:gumshoe:reader" cannot {verb} resource "{kind.plural}" in API group "{group}"{where}')  # fmt: skip
    found = [
        o
        for o in cluster.objects
        if o["kind"] == kind.name and (not namespace or o["metadata"].get("namespace") == namespace)
    ]
    if len(rest) == 3 and rest[2] == "log":
        return _log(cluster, handler, namespace, rest[1], query)
    if len(rest) == 2:
        one = next((o for o in found if o["metadata"]["name"] == rest[1]), None)
        if one is None:
            return status(handler, 404, "NotFound", f'{kind.plural} "{rest[1]}" not found')
        return send(handler, one)
    found = [
        o
        for o in found
        if _selected(o, query.get("fieldSelector", "")) and _labelled(o, query.get("labelSelector", ""))
    ]
    offset, limit = int(query.get("continue", "0")), int(query.get("limit", "0")) or len(found) or 1
    page = found[offset : offset + limit]
    metadata: dict[str, Any] = {"resourceVersion": "1"}
    if offset + limit < len(found):
        metadata |= {"continue": str(offset + limit), "remainingItemCount": len(found) - offset - limit}
    accept = handler.headers.get("Accept", "")
    if "as=Table" in accept:
        return send(handler, _table(page, metadata))
    items = [{k: v for k, v in o.items() if k not in ("kind", "apiVersion")} for o in page]
    list_kind = f"{kind.name}List"
    if "as=PartialObjectMetadataList" in accept:
        items, list_kind = [{"metadata": o["metadata"]} for o in items], "PartialObjectMetadataList"
    send(handler, {"kind": list_kind, "apiVersion": kind.base.split("/", 2)[2], "metadata": metadata, "items": items})
    return None


def _table(pods: list[dict[str, Any]], metadata: dict[str, Any]) -> dict[str, Any]:
    """meta.k8s.io/v1 Table of pods or nodes (pkg/printers/internalversion printers.go)."""
    if pods and pods[0]["kind"] == "Node":
        return _nodes_table(pods, metadata)
    rows = []
    for pod in pods:
        statuses = pod["status"].get("containerStatuses", [])
        ready = sum(1 for s in statuses if s.get("ready"))
        reasons = [s["state"]["waiting"]["reason"] for s in statuses if "waiting" in s.get("state", {})]
        state = reasons[0] if reasons else pod["status"].get("phase", "")
        restarts = str(sum(s.get("restartCount", 0) for s in statuses))
        total = len(pod["spec"]["containers"])
        rows.append({"cells": [pod["metadata"]["name"], f"{ready}/{total}", state, restarts, "5d"], "object": None})
    names = ("Name", "Ready", "Status", "Restarts", "Age")
    columns = [{"name": n, "type": "string", "format": "", "description": "", "priority": 0} for n in names]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": columns,
        "rows": rows,
    }


def _nodes_table(nodes: list[dict[str, Any]], metadata: dict[str, Any]) -> dict[str, Any]:
    rows = []
    for node in nodes:
        ready = any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"]["conditions"])
        state = ("Ready" if ready else "NotReady") + (
            ",SchedulingDisabled" if node["spec"].get("unschedulable") else ""
        )
        rows.append({"cells": [node["metadata"]["name"], state, "<none>", "5d", "v1.33.1"], "object": None})
    columns = [{"name": n} for n in ("Name", "Status", "Roles", "Age", "Version")]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": columns,
        "rows": rows,
    }


def _selected(obj: dict[str, Any], selector: str) -> bool:
    for each in filter(None, selector.split(",")):
        path, operator, wanted = re.split(r"(!=|==?)", each, maxsplit=1)
        value: Any = obj
        for key in path.split("."):
            value = value.get(key, {}) if isinstance(value, dict) else ""
        if (value != wanted) is (operator != "!="):
            return False
    return True


def _labelled(obj: dict[str, Any], selector: str) -> bool:
    labels = obj["metadata"].get("labels", {})
    for each in filter(None, re.split(r",(?![^(]*\))", selector)):
        among = re.fullmatch(r"(\S+) in \(([^)]*)\)", each)
        key, _, wanted = each.partition("=")
        if among and labels.get(among.group(1)) not in among.group(2).split(","):
            return False
        if not among and labels.get(key) != wanted:
            return False
    return True


def _log(cluster: Cluster, handler: BaseHTTPRequestHandler, namespace: str, pod: str, query: dict[str, str]) -> None:
    key = (namespace, pod, query.get("container", ""), query.get("previous") == "true")
    if key not in cluster.logs:
        words = (
            f'previous terminated container "{key[2]}" in pod "{pod}" not found'
            if key[3]
            else "container is waiting to start: PodInitializing"
        )
        return status(handler, 400, "BadRequest", words)
    lines = cluster.logs[key].splitlines()[-int(query.get("tailLines", "1000000")) :]
    body = "".join(f"{line}\n" for line in lines).encode()
    handler.send_response(200)
    handler.send_header("Content-Type", "text/plain")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
    return None


def send(handler: BaseHTTPRequestHandler, body: Any, code: int = 200) -> None:
    raw = json.dumps(body).encode()
    handler.send_response(code)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(raw)))
    handler.end_headers()
    handler.wfile.write(raw)


def status(handler: BaseHTTPRequestHandler, code: int, reason: str, message: str) -> None:
    """meta/v1 Status, as the API server answers failures."""
    send(handler, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
                   "reason": reason, "code": code}, code)  # fmt: skip


def wait_for_ever(handler: BaseHTTPRequestHandler) -> bool:
    time.sleep(3)
    return True
