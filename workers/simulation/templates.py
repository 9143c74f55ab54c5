"""Pod templates in the manner of each kind of workload: what a team's chart would have rendered."""

from __future__ import annotations

from typing import Any

from workers.simulation.cluster import Json
from workers.simulation.company import Company, External, Job, Platform, Running, Service, Store
from workers.simulation.quantities import amount


def of(part: Running, company: Company) -> Json:
    """The PodTemplateSpec of a workload, without its pod-template-hash."""
    if isinstance(part, Service):
        return _service(part, company)
    if isinstance(part, Store):
        return _store(part, company)
    if isinstance(part, Job):
        return _job(part, company)
    assert isinstance(part, Platform)
    return _platform(part, company)


def address(name: str, company: Company, namespace: str) -> tuple[str, int]:
    """Host and port by which a workload of `namespace` reaches a part."""
    part = company.parts[name]
    if isinstance(part, External):
        return part.host, part.port
    host = part.name if part.namespace == namespace else f"{part.name}.{part.namespace}.svc.cluster.local"
    return host, part.port


def env_name(dependency: str, language: str) -> str:
    """The variable in which a service finds a dependency."""
    return dependency.upper().replace("-", "_") + ("_ADDR" if language == "go" else "_URL")


def _service(part: Service, company: Company) -> Json:
    spec = _pod(part, company)
    container = _container(part, company, part.image, part.version)
    container["env"] = [*_common_env(part), *_dependency_env(part, part.dependencies, company)]
    container["envFrom"] = [{"configMapRef": {"name": f"{part.name}-config"}}]
    container["ports"] = [{"name": "http", "containerPort": part.port, "protocol": "TCP"}]
    if part.worker:
        probe: Json = {"exec": {"command": ["python", "-m", f"{part.name}.healthcheck"]}}
    else:
        probe = {"httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"}}
    ready = probe if part.worker else {"httpGet": {"path": "/readyz", "port": "http", "scheme": "HTTP"}}
    container["livenessProbe"] = _probe(probe, delay=10, period=10)
    container["readinessProbe"] = _probe(ready, delay=3, period=5)
    container["securityContext"] = {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "runAsUser": 10001}
    if part.volume_gib:
        spec["volumes"].append({"name": "data", "persistentVolumeClaim": {"claimName": f"{part.name}-data"}})
        container["volumeMounts"].append({"name": "data", "mountPath": f"/var/lib/{part.name}"})
    spec["containers"] = [container]
    return {
        "metadata": {"labels": _labels(part), "annotations": _scrape(9102 if part.worker else part.port)},
        "spec": spec,
    }


_ENGINES: dict[str, tuple[str, str, str, str]] = {
    # engine: image, volume's path, probe, port's name
    "postgres": ("postgres", "/var/lib/postgresql/data", "pg_isready -U postgres", "tcp-postgres"),
    "redis": ("redis", "/data", "redis-cli ping", "tcp-redis"),
    "rabbitmq": ("rabbitmq", "/var/lib/rabbitmq", "rabbitmq-diagnostics -q ping", "amqp"),
    "kafka": ("kafka", "/var/lib/kafka", "kafka-broker-api-versions.sh --bootstrap-server $POD_IP:9092", "tcp-kafka"),
    "minio": ("minio", "/export", "mc ready local", "http"),
}


def _store(part: Store, company: Company) -> Json:
    image, path, check, port = _ENGINES[part.engine]
    spec = _pod(part, company)
    spec["terminationGracePeriodSeconds"] = 60
    container = _container(part, company, image, part.version)
    container["name"] = part.engine
    container["ports"] = [{"name": port, "containerPort": part.port, "protocol": "TCP"}]
    if part.engine == "postgres":
        container["env"] = [
            {"name": "POSTGRES_DB", "value": part.database},
            {
                "name": "POSTGRES_PASSWORD",
                "valueFrom": {"secretKeyRef": {"name": f"{part.name}-admin", "key": "password"}},
            },
            {"name": "PGDATA", "value": f"{path}/pgdata"},
        ]
        container["args"] = ["-c", f"max_connections={part.max_connections}", "-c", "log_min_duration_statement=500"]
    probe = {"exec": {"command": ["sh", "-c", check]}}
    container["livenessProbe"] = _probe(probe, delay=30, period=10, failures=6)
    container["readinessProbe"] = _probe(probe, delay=5, period=10)
    container["volumeMounts"].insert(0, {"name": "data", "mountPath": path})
    spec["volumes"].insert(0, {"name": "data", "persistentVolumeClaim": {"claimName": f"data-{part.name}-0"}})
    spec["securityContext"] = {"fsGroup": 999}
    spec["containers"] = [container]
    return {"metadata": {"labels": _labels(part), "annotations": {}}, "spec": spec}


def _job(part: Job, company: Company) -> Json:
    spec = _pod(part, company)
    spec["restartPolicy"] = "Never"
    container = _container(part, company, part.image, part.version)
    container["command"] = ["python", "-m", f"{part.image}.jobs.{part.name.replace('-', '_')}"]
    container["env"] = _dependency_env(part, part.calls, company)
    spec["containers"] = [container]
    return {"metadata": {"labels": _labels(part)}, "spec": spec}


def _platform(part: Platform, company: Company) -> Json:
    spec = _pod(part, company)
    container = _container(part, company, part.image.split(":")[0], part.image.split(":")[1])
    container["name"] = part.name.removeprefix("ingress-nginx-")
    if part.port:
        container["ports"] = [
            {"name": "main", "containerPort": part.port, "protocol": "UDP" if part.port == 53 else "TCP"}
        ]
        probe: Json = (
            {"tcpSocket": {"port": part.port}}
            if part.port != 53
            else {"httpGet": {"path": "/ready", "port": 8181, "scheme": "HTTP"}}
        )
        container["readinessProbe"] = _probe(probe, delay=5, period=10)
    if part.kind == "DaemonSet":
        spec["tolerations"] = [{"operator": "Exists"}]
        spec["hostNetwork"] = part.name != "filebeat"
    if part.priority:
        spec["priorityClassName"] = "system-node-critical" if part.kind == "DaemonSet" else "system-cluster-critical"
        spec["priority"] = part.priority
    spec["containers"] = [container]
    return {"metadata": {"labels": dict(part.labels), "annotations": {}}, "spec": spec}


def _pod(part: Running, company: Company) -> Json:
    return {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": part.name,
        "serviceAccount": part.name,
        "securityContext": {},
        "schedulerName": "default-scheduler",
        "imagePullSecrets": [{"name": "registry-pull"}],
        "volumes": [],
    }


def _container(part: Running, company: Company, image: str, version: str) -> Json:
    resources: Json = {"requests": {}, "limits": {}}
    for resource, (request, limit) in (("cpu", part.cpu), ("memory", part.memory)):
        if request:
            resources["requests"][resource] = request
        if limit:
            resources["limits"][resource] = limit
    return {
        "name": part.name,
        "image": f"{company.registry}/{image}:{version}",
        "imagePullPolicy": "IfNotPresent",
        "resources": {k: v for k, v in resources.items() if v},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": [],
    }


def _common_env(part: Service) -> list[Json]:
    return [
        {"name": "SERVICE_NAME", "value": part.name},
        {"name": "PORT", "value": str(part.port)},
        {"name": "LOG_FORMAT", "value": "json" if part.language == "go" else "plain"},
        {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
    ]


def _dependency_env(part: Any, calls: tuple[str, ...], company: Company) -> list[Json]:
    """Addresses in plain sight, passwords by reference."""
    env: list[Json] = []
    for call in calls:
        target = company.parts[call]
        host, port = address(call, company, part.namespace)
        if isinstance(target, Store) and target.engine == "postgres":
            prefix = "DB"
            secret = {"name": f"{part.name}-db", "key": "password"}
            env += [
                {"name": f"{prefix}_HOST", "value": host},
                {"name": f"{prefix}_PORT", "value": str(port)},
                {"name": f"{prefix}_NAME", "value": target.database},
                {"name": f"{prefix}_USER", "value": target.user},
                {"name": f"{prefix}_PASSWORD", "valueFrom": {"secretKeyRef": secret}},
            ]
        elif isinstance(target, External):
            env.append(
                {
                    "name": env_name(call, "python"),
                    "value": f"https://{host}" if port == 443 else f"smtp://{host}:{port}",
                }
            )
        else:
            scheme = {"redis": "redis://", "rabbitmq": "amqp://", "kafka": ""}.get(
                getattr(target, "engine", ""), "http://"
            )
            value = f"{host}:{port}" if part.language == "go" else f"{scheme}{host}:{port}"
            env.append({"name": env_name(call, part.language), "value": value})
    return env


def _probe(check: Json, *, delay: int, period: int, failures: int = 3) -> Json:
    return {
        **check,
        "initialDelaySeconds": delay,
        "timeoutSeconds": 2,
        "periodSeconds": period,
        "successThreshold": 1,
        "failureThreshold": failures,
    }


def _labels(part: Running) -> dict[str, str]:
    return {"app": part.name, "app.kubernetes.io/name": part.name, "team": part.team}


def _scrape(port: int) -> dict[str, str]:
    return {"prometheus.io/scrape": "true", "prometheus.io/port": str(port), "prometheus.io/path": "/metrics"}


def set_limit(template: Json, resource: str, limit: str, request: str = "") -> None:
    """Change a container's limit, and its request where it would exceed it."""
    resources = template["spec"]["containers"][0]["resources"]
    resources["limits"][resource] = limit
    if request or amount(resources["requests"].get(resource, "0")) > amount(limit):
        resources["requests"][resource] = request or limit
