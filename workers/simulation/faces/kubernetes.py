"""The Kubernetes API of the world: discovery, get, list, watch, logs, tables, access reviews. Read-only.

Formats: Kubernetes API reference 1.31; Status objects of k8s.io/apimachinery.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter

from workers.simulation import clock
from workers.simulation.api.resources import RESOURCES, Resource, resource, served
from workers.simulation.cluster import Json
from workers.simulation.faces.exchange import Ask, Reply, as_json
from workers.simulation.faces.selectors import Unparsable, field_matcher, label_matcher
from workers.simulation.faces.tables import table
from workers.simulation.scene import Scene

USER = "system:serviceaccount:monitoring:gumshoe-reader"
GROUPS = ("system:serviceaccounts", "system:serviceaccounts:monitoring", "system:authenticated")
_OPEN = ("/api", "/apis", "/healthz", "/livez", "/openapi", "/readyz", "/version")
"""What ClusterRole system:discovery lets everybody read that is no resource."""
_NEVER = frozenset({"customresourcedefinitions"})
"""What a role that reads workloads does not have; every cluster has them, and this one does not show its own."""
_CONNECTS = {"exec", "attach", "portforward", "proxy"}
"""Subresources of pods that are made, whatever the method."""


class Refusal(Exception):
    """An answer that is a Status with a code."""

    def __init__(self, code: int, reason: str, message: str, details: Json | None = None) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details or {}


class Kubernetes:
    def __init__(self, scene: Scene, *, token: str = "", forbidden: frozenset[str] = frozenset()) -> None:
        self._scene = scene
        self._token = token
        self._forbidden = forbidden | _NEVER
        self._served = served(scene.world.objects)
        self._groups = tuple(dict.fromkeys(r.group for r in self._served if r.group))
        """Plurals that the reader's role does not have."""
        self.refused: Counter[str] = Counter()

    def answer(self, ask: Ask) -> Reply:
        try:
            if self._token and ask.headers.get("authorization", "") != f"Bearer {self._token}":
                raise Refusal(401, "Unauthorized", "Unauthorized")
            return self._route(ask)
        except Refusal as refusal:
            if refusal.code in (405, 406, 501):
                self.refused[f"{ask.method} {ask.path}"] += 1
            return _status(refusal)

    def _route(self, ask: Ask) -> Reply:
        parts = [p for p in ask.path.split("/") if p]
        if ask.path in ("/healthz", "/livez", "/readyz"):
            return Reply(200, b"ok", "text/plain; charset=utf-8")
        if parts == ["version"]:
            version = self._scene.world.company.kubernetes
            return as_json(
                {
                    "major": "1",
                    "minor": version.split(".")[1],
                    "gitVersion": version,
                    "gitCommit": "a42f4f61c2c46553bfe338eefa9e81818c7360b4",
                    "gitTreeState": "clean",
                    "buildDate": "2025-01-15T23:01:10Z",
                    "goVersion": "go1.22.9",
                    "compiler": "gc",
                    "platform": "linux/amd64",
                }
            )
        if not _is_open(ask.path):
            raise Refusal(
                403, "Forbidden", f'forbidden: User "{USER}" cannot {ask.method.lower()} path "{ask.path}"', {}
            )
        if parts[:1] == ["openapi"]:
            self.refused[f"{ask.method} {ask.path}"] += 1
            raise Refusal(404, "NotFound", "the server could not find the requested resource")
        if parts == ["api"]:
            return as_json({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
        if parts == ["apis"]:
            return as_json({"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(g) for g in self._groups]})
        if parts[:1] == ["apis"] and len(parts) == 2 and parts[1] in self._groups:
            return as_json({"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1])})
        if parts[:1] == ["api"]:
            group, version, rest = "", parts[1] if len(parts) > 1 else "", parts[2:]
        elif parts[:1] == ["apis"] and len(parts) > 2:
            group, version, rest = parts[1], parts[2], parts[3:]
        else:
            raise _nothing_there()
        if not any((r.group, r.version) == (group, version) for r in self._served) and (group, version) not in _REVIEWS:
            raise _nothing_there()
        if not rest:
            return as_json(_resource_list(group, version))
        if ask.method == "POST" and rest[-1] in (
            "selfsubjectaccessreviews",
            "selfsubjectrulesreviews",
            "selfsubjectreviews",
        ):
            return self._review(ask, rest[-1])
        return self._objects(ask, group, version, rest)

    # Objects

    def _objects(self, ask: Ask, group: str, version: str, rest: list[str]) -> Reply:
        namespace = ""
        watched = rest[0] == "watch"
        if watched:
            rest = rest[1:]
        if rest[0] == "namespaces" and len(rest) > 2 and rest[2] != "status":
            namespace, rest = rest[1], rest[2:]
        found = resource(group, version, rest[0])
        if found is None:
            raise _nothing_there()
        name, sub = rest[1] if len(rest) > 1 else "", rest[2] if len(rest) > 2 else ""
        if ask.method != "GET" or sub in _CONNECTS:
            raise _forbidden(found, namespace, _verb(ask.method, name), name, sub)
        verb = "get" if len(rest) > 1 else "list"
        self._allowed(found, namespace, verb, name, sub)
        if verb == "list":
            if watched or ask.get("watch") in ("1", "true"):
                return self._watch(ask, found, namespace)
            return self._list(ask, found, namespace)
        named = self._get(found, namespace, name)
        if sub == "log" and found.plural == "pods":
            return self._log(ask, named)
        if sub == "scale" and "scale" in found.sub:
            spec = {"replicas": named["spec"].get("replicas", 0)}
            return as_json(
                {
                    "kind": "Scale",
                    "apiVersion": "autoscaling/v1",
                    "metadata": {
                        k: named["metadata"][k]
                        for k in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
                    },
                    "spec": spec,
                    "status": {"replicas": named["status"].get("replicas", 0)},
                }
            )
        if sub and sub != "status":
            raise _nothing_there()
        if _wants_table(ask):
            return as_json(
                table(found, [named], self._scene.world.now, named["metadata"]["resourceVersion"], _included(ask))
            )
        return as_json(named)

    def _allowed(self, found: Resource, namespace: str, verb: str, name: str, sub: str) -> None:
        plural = f"{found.plural}/{sub}" if sub else found.plural
        if plural in self._forbidden or found.plural in self._forbidden:
            raise _forbidden(found, namespace, verb, name, sub)

    def _get(self, found: Resource, namespace: str, name: str) -> Json:
        for each in self._scene.api.all(found):
            if each["metadata"]["name"] == name and each["metadata"].get("namespace", "") == namespace:
                return each
        raise Refusal(
            404,
            "NotFound",
            f'{_qualified(found)} "{name}" not found',
            {"name": name, "group": found.group, "kind": found.plural},
        )

    def _chosen(self, ask: Ask, found: Resource, namespace: str) -> list[Json]:
        try:
            by_label = label_matcher(ask.get("labelSelector"))
            by_field = field_matcher(ask.get("fieldSelector"), found.kind)
        except Unparsable as error:
            raise Refusal(400, "BadRequest", str(error)) from None
        return [
            o
            for o in self._scene.api.all(found)
            if (not namespace or o["metadata"].get("namespace") == namespace)
            and by_label(o["metadata"].get("labels", {}))
            and by_field(o)
        ]

    def _list(self, ask: Ask, found: Resource, namespace: str) -> Reply:
        chosen = self._chosen(ask, found, namespace)
        start = _continued(ask.get("continue"))
        limit = _whole(ask.get("limit"), "limit")
        page = chosen[start : start + limit] if limit else chosen[start:]
        metadata: Json = {"resourceVersion": self._scene.api.version}
        if start + len(page) < len(chosen):
            metadata["continue"] = urlsafe_b64encode(
                json.dumps(
                    {"v": "meta.k8s.io/v1", "rv": int(self._scene.api.version), "start": start + len(page)}
                ).encode()
            ).decode()
            if not ask.get("labelSelector") and not ask.get("fieldSelector"):
                metadata["remainingItemCount"] = len(chosen) - start - len(page)
        if _wants_table(ask):
            made = table(found, page, self._scene.world.now, "", _included(ask))
            made["metadata"] = metadata
            return as_json(made)
        items = [{k: v for k, v in o.items() if k not in ("kind", "apiVersion")} for o in page]
        return as_json(
            {"kind": f"{found.kind}List", "apiVersion": found.group_version, "metadata": metadata, "items": items}
        )

    def _watch(self, ask: Ask, found: Resource, namespace: str) -> Reply:
        """Bounded: what there is as ADDED events (when no version is given), then the end of the stream."""
        now, made = self._scene.world.now, []
        if ask.get("resourceVersion") in ("", "0"):
            chosen = self._chosen(ask, found, namespace)
            tables = _wants_table(ask)
            made = [
                {"type": "ADDED", "object": table(found, [o], now, "", _included(ask)) if tables else o} for o in chosen
            ]
        if ask.get("allowWatchBookmarks") in ("true", "1"):
            metadata = {"resourceVersion": self._scene.api.version, "creationTimestamp": None}
            mark = {"kind": found.kind, "apiVersion": found.group_version, "metadata": metadata}
            made.append({"type": "BOOKMARK", "object": mark})
        return Reply(200, b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in made))

    # Logs

    def _log(self, ask: Ask, pod: Json) -> Reply:
        names = [c["name"] for c in (*pod["spec"].get("initContainers", []), *pod["spec"]["containers"])]
        name, space = pod["metadata"]["name"], pod["metadata"]["namespace"]
        container = ask.get("container") or (
            pod["spec"]["containers"][0]["name"] if len(pod["spec"]["containers"]) == 1 else ""
        )
        if not container:
            raise Refusal(
                400,
                "BadRequest",
                f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]",
            )
        if container not in names:
            raise Refusal(400, "BadRequest", f"container {container} is not valid for pod {name}")
        statuses = [s for key in ("initContainerStatuses", "containerStatuses") for s in pod["status"].get(key, [])]
        status = next((s for s in statuses if s["name"] == container), None)
        previous = ask.get("previous") in ("true", "1")
        if status is None and not pod["spec"].get("nodeName"):
            return Reply(200, b"", "text/plain")
        if previous and not (status and status.get("lastState")):
            raise Refusal(400, "BadRequest", f'previous terminated container "{container}" in pod "{name}" not found')
        waiting = (status or {}).get("state", {}).get("waiting")
        if waiting and not previous and not (status or {}).get("lastState"):
            why = (
                "trying and failing to pull image"
                if "Image" in waiting["reason"]
                else f"{waiting['reason']}"
                if waiting["reason"] in ("ContainerCreating", "PodInitializing")
                else "is waiting to start"
            )
            text = (
                f'container "{container}" in pod "{name}" is waiting to start: {why}'
                if why != "is waiting to start"
                else f'container "{container}" in pod "{name}" is waiting to start: {waiting["reason"]}'
            )
            raise Refusal(400, "BadRequest", text)
        lines = self._scene.logs.of_container(space, name, container, previous=previous)
        since = (
            self._scene.world.now - _whole(ask.get("sinceSeconds"), "sinceSeconds") if ask.get("sinceSeconds") else 0.0
        )
        if ask.get("sinceTime"):
            try:
                since = clock.moment(ask.get("sinceTime"))
            except ValueError:
                raise Refusal(
                    400,
                    "BadRequest",
                    f'parsing time "{ask.get("sinceTime")}" as "2006-01-02T15:04:05Z07:00": cannot parse',
                ) from None
        stamped = ask.get("timestamps") in ("true", "1")
        out = [f"{clock.nanos(at)} {text}" if stamped else text for at, text in lines if at >= since]
        if ask.get("tailLines"):
            tail = _whole(ask.get("tailLines"), "tailLines")
            out = out[-tail:] if tail else []
        body = "".join(line + "\n" for line in out).encode()
        if ask.get("limitBytes"):
            body = body[: _whole(ask.get("limitBytes"), "limitBytes")]
        return Reply(200, body, "text/plain")

    # Access

    def _review(self, ask: Ask, plural: str) -> Reply:
        try:
            body = json.loads(ask.body)
        except ValueError:
            raise Refusal(400, "BadRequest", "the body of the request was not valid JSON") from None
        if plural == "selfsubjectreviews":
            body["status"] = {"userInfo": {"username": USER, "groups": list(GROUPS)}}
            return as_json(body, 201)
        if plural == "selfsubjectrulesreviews":
            body["status"] = self._rules()
            return as_json(body, 201)
        if path := (body.get("spec", {}).get("nonResourceAttributes") or {}).get("path", ""):
            body["status"] = {"allowed": _is_open(path)}
            return as_json(body, 201)
        asked = body.get("spec", {}).get("resourceAttributes") or {}
        name = asked.get("resource", "") + (f"/{asked['subresource']}" if asked.get("subresource") else "")
        allowed = (
            asked.get("verb") in ("get", "list", "watch")
            and asked.get("resource") not in self._forbidden
            and name not in self._forbidden
        )
        body["status"] = {"allowed": allowed} | (
            {
                "reason": 'RBAC: allowed by ClusterRoleBinding "gumshoe-reader" of ClusterRole "gumshoe-reader" to ServiceAccount "gumshoe-reader/gumshoe"'  # noqa: E501
            }
            if allowed
            else {}
        )
        return as_json(body, 201)

    def _rules(self) -> Json:
        """What the reader's role and that of everybody (system:basic-user, system:discovery) allow."""
        readable: dict[str, list[str]] = {}
        for each in self._served:
            names = (each.plural, f"{each.plural}/log") if "log" in each.sub else (each.plural,)
            for name in names:
                if not {name, each.plural} & self._forbidden and name not in readable.setdefault(each.group, []):
                    readable[each.group].append(name)
        rules = [
            {"verbs": ["create"], "apiGroups": ["authorization.k8s.io"],
             "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]},
            {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]},
        ]  # fmt: skip
        rules += [
            {"verbs": ["get", "list", "watch"], "apiGroups": [g], "resources": r} for g, r in readable.items() if r
        ]
        open_to_all = [path for p in _OPEN for path in (p, f"{p}/*")]
        return {
            "resourceRules": rules,
            "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": open_to_all}],
            "incomplete": False,
        }


_REVIEWS = {("authorization.k8s.io", "v1"), ("authentication.k8s.io", "v1")}


def _nothing_there() -> Refusal:
    return Refusal(404, "NotFound", "the server could not find the requested resource")


def _is_open(path: str) -> bool:
    return any(path == p or path.startswith(f"{p}/") for p in _OPEN)


def _verb(method: str, name: str) -> str:
    """The verb of RBAC; nothing is asked of a body."""
    if method == "DELETE" and not name:
        return "deletecollection"
    return {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}.get(method, method.lower())


def _qualified(found: Resource) -> str:
    return f"{found.plural}.{found.group}" if found.group else found.plural


def _forbidden(found: Resource, namespace: str, verb: str, name: str, sub: str) -> Refusal:
    """In the words of apimachinery's NewForbidden, with the reason that the RBAC authorizer gives."""
    subject = f'{_qualified(found)} "{name}" is forbidden' if name else f"{_qualified(found)} is forbidden"
    asked = f"{found.plural}/{sub}" if sub else found.plural
    scope = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    words = f'{subject}: User "{USER}" cannot {verb} resource "{asked}" in API group "{found.group}" {scope}'
    details = {"group": found.group, "kind": found.plural}
    return Refusal(403, "Forbidden", words, {"name": name, **details} if name else details)


def _status(refusal: Refusal) -> Reply:
    body: Json = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": refusal.message,
        "reason": refusal.reason,
        "code": refusal.code,
    }
    if refusal.details:
        body["details"] = refusal.details
    return as_json(body, refusal.code)


def _group(name: str) -> Json:
    versions = list(dict.fromkeys(r.version for r in RESOURCES if r.group == name))
    listed = [{"groupVersion": f"{name}/{v}", "version": v} for v in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _resource_list(group: str, version: str) -> Json:
    entries: list[Json] = []
    for each in RESOURCES:
        if (each.group, each.version) == (group, version):
            entry: Json = {
                "name": each.plural,
                "singularName": each.singular,
                "namespaced": each.namespaced,
                "kind": each.kind,
                "verbs": ["get", "list", "watch"],
            }
            if each.short:
                entry["shortNames"] = list(each.short)
            if each.is_everyday:
                entry["categories"] = ["all"]
            entries.append(entry)
            entries += [
                {
                    "name": f"{each.plural}/{s}",
                    "singularName": "",
                    "namespaced": each.namespaced,
                    "kind": "Scale" if s == "scale" else each.kind,
                    "verbs": ["get"],
                }
                for s in each.sub
            ]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": entries,
    }


def _included(ask: Ask) -> str:
    return ask.get("includeObject", "Metadata")


def _wants_table(ask: Ask) -> bool:
    return "as=Table" in ask.headers.get("accept", "")


def _continued(token: str) -> int:
    if not token:
        return 0
    try:
        return int(json.loads(urlsafe_b64decode(token))["start"])
    except (ValueError, KeyError, TypeError):
        raise Refusal(400, "BadRequest", "continue key is not valid") from None


def _whole(text: str, name: str) -> int:
    if not text:
        return 0
    try:
        value = int(text)
    except ValueError:
        raise Refusal(400, "BadRequest", f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
    if value < 0:
        raise Refusal(400, "Invalid", f"{name}: Invalid value: {value}: must be greater than or equal to 0")
    return value
