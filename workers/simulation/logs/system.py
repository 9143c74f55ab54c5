"""The manner of data stores and system parts: PostgreSQL, Redis, RabbitMQ, klog, CoreDNS."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from workers.simulation import clock
from workers.simulation.company import Company


def _pg(at: float, pid: int, level: str, text: str) -> str:
    return (
        datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.")
        + f"{int(at * 1000) % 1000:03d} UTC [{pid}] {level}:  {text}"
    )


def postgres(at: float, rng: random.Random, database: str, user: str) -> tuple[str, str]:
    pid = rng.randint(60, 9000)
    draw = rng.random()
    if draw < 0.4:
        buffers = rng.randint(140, 2600)
        return "info", _pg(
            at,
            27,
            "LOG",
            f"checkpoint complete: wrote {buffers} buffers ({buffers / 163.84:.1f}%); 0 WAL file(s) added, 0 removed, {rng.randint(0, 2)} recycled; write={rng.uniform(20, 260):.3f} s, sync=0.0{rng.randint(10, 99)} s, total={rng.uniform(21, 262):.3f} s",  # noqa: E501
        )
    if draw < 0.55:
        return "info", _pg(at, 27, "LOG", "checkpoint starting: time")
    if draw < 0.8:
        return "info", _pg(
            at,
            pid,
            "LOG",
            f'automatic analyze of table "{database}.public.sessions" system usage: CPU: user: 0.0{rng.randint(1, 9)} s, system: 0.00 s, elapsed: 0.{rng.randint(10, 80)} s',  # noqa: E501
        )
    if draw < 0.92:
        return "info", _pg(
            at,
            pid,
            "LOG",
            f"duration: {rng.uniform(502, 910):.3f} ms  execute <unnamed>: SELECT count(*) FROM audit_log WHERE created_at > $1",  # noqa: E501
        )
    return "warning", _pg(at, pid, "WARNING", "there is no transaction in progress")


def pg_note(at: float, rng: random.Random, level: str, text: str) -> str:
    return _pg(at, rng.randint(60, 9000), level, text)


def redis(at: float, rng: random.Random) -> tuple[str, str]:
    when = datetime.fromtimestamp(at, UTC).strftime("%d %b %Y %H:%M:%S.") + f"{int(at * 1000) % 1000:03d}"
    texts = (
        f"{rng.randint(100, 9000)} changes in 300 seconds. Saving...",
        f"Background saving started by pid {rng.randint(200, 32000)}",
        "DB saved on disk",
        f"Fork CoW for RDB: current {rng.randint(1, 9)} MB, peak {rng.randint(9, 14)} MB, average {rng.randint(3, 8)} MB",  # noqa: E501
        "Background saving terminated with success",
    )
    return "info", f"1:M {when} * {rng.choice(texts)}"


def _peer(rng: random.Random, company: Company) -> str:
    return f"{company.pods_network}.{rng.randint(33, 70)}.{rng.randint(4, 250)}:{rng.randint(33000, 60000)}"


def rabbitmq(at: float, rng: random.Random, company: Company, own: str) -> tuple[str, str]:
    when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.") + f"{int(at * 1e6) % 1000000:06d}+00:00"
    pid, peer = f"<0.{rng.randint(600, 29000)}.0>", _peer(rng, company)
    texts = (
        f"accepting AMQP connection {pid} ({peer} -> {own}:5672)",
        f"connection {pid} ({peer} -> {own}:5672): user '{company.name}' authenticated and granted access to vhost '/'",
        f"closing AMQP connection {pid} ({peer} -> {own}:5672, vhost: '/', user: '{company.name}')",
    )
    return "info", f"{when} [info] {pid} {rng.choice(texts)}"


def klog_note(at: float, level: str, text: str) -> str:
    when = datetime.fromtimestamp(at, UTC).strftime("%m%d %H:%M:%S.") + f"{int(at * 1e6) % 1000000:06d}"
    return f"{level[0].upper()}{when}       1 {text}"


def klog(at: float, rng: random.Random, name: str, company: Company) -> tuple[str, str]:
    when = datetime.fromtimestamp(at, UTC).strftime("%m%d %H:%M:%S.") + f"{int(at * 1e6) % 1000000:06d}"
    draw = rng.random()
    if name == "coredns":
        outside, space = company.externals[0].host, company.application_namespaces[0]
        host = rng.choice(
            ("telemetry.vendorcloud.net.", f"{outside}.{space}.svc.cluster.local.", f"{outside}.internal.")
        )
        return (
            (
                "info",
                f'[INFO] {_peer(rng, company)} - {rng.randint(1000, 60000)} "A IN {host} udp 58 false 1232" NXDOMAIN qr,aa,rd 151 0.000{rng.randint(100, 400)}s',  # noqa: E501
            )
            if draw < 0.9
            else ("info", "[INFO] Reloading")
        )
    if draw < 0.75:
        return (
            "info",
            f'I{when}       1 reconciler.go:{rng.randint(80, 420)}] "Reconciled" items={rng.randint(1, 60)} duration="{rng.randint(2, 90)}ms"',  # noqa: E501
        )
    if draw < 0.95:
        return (
            "warning",
            f'W{when}       1 reflector.go:561] watch of *v1.Endpoints ended with: an error on the server ("unable to decode an event from the watch stream: context canceled") has prevented the request from succeeding',  # noqa: E501
        )
    return (
        "error",
        f'E{when}       1 leaderelection.go:332] error retrieving resource lock: Get "https://{company.services_network}.0.1:443/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{name}": net/http: request canceled',  # noqa: E501
    )


def kafka(at: float, rng: random.Random, company: Company) -> tuple[str, str]:
    when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S,") + f"{int(at * 1000) % 1000:03d}"
    group = rng.choice([s.name for s in company.services if s.consumes])
    member = f"{group}-{rng.getrandbits(32):08x}"
    texts = (
        f"[GroupCoordinator {rng.randint(0, 2)}]: Stabilized group {group} generation {rng.randint(40, 400)} with {rng.randint(2, 4)} members (kafka.coordinator.group.GroupCoordinator)",  # noqa: E501
        f"[GroupCoordinator {rng.randint(0, 2)}]: Dynamic member with id {member} joined group {group} (kafka.coordinator.group.GroupCoordinator)",  # noqa: E501
        f"[LocalLog partition={rng.choice(['positions', 'sensors', 'enriched'])}-{rng.randint(0, 5)}, dir=/var/lib/kafka/data] Rolled new log segment at offset {rng.randint(10**7, 10**8)} in {rng.randint(1, 9)} ms. (kafka.log.LocalLog)",  # noqa: E501
        "[GroupMetadataManager brokerId=1] Removed 0 expired offsets in 0 milliseconds. (kafka.coordinator.group.GroupMetadataManager)",  # noqa: E501
    )
    return "info", f"[{when}] INFO {rng.choice(texts)}"


def minio(at: float, rng: random.Random) -> tuple[str, str]:
    return "info", f"API: SYSTEM() Time: {clock.seconds(at)} scanner cycle {rng.randint(1000, 9000)} completed"
