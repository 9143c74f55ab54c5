"""The manner of Go services: zap's JSON lines, errors wrapped with %w, panics with goroutine traces."""

from __future__ import annotations

import json
import random
from typing import Any

from workers.simulation import clock
from workers.simulation.logs.line import Trouble


def zap(at: float, level: str, caller: str, message: str, **fields: Any) -> str:
    return json.dumps(
        {
            "level": "warn" if level == "warning" else level,
            "ts": clock.millis(at),
            "caller": caller,
            "msg": message,
            **fields,
        },
        separators=(",", ":"),
    )


def access(at: float, rng: random.Random, client: str, method: str, path: str, code: int, ms: float) -> str:
    return zap(
        at,
        "info",
        "httpx/middleware.go:71",
        "request",
        method=method,
        path=path,
        status=code,
        duration_ms=round(ms, 2),
        remote=f"{client}:{rng.randint(32768, 60999)}",
        trace_id=f"{rng.getrandbits(128):032x}",
    )


def started(at: float, service: str, version: str, port: int) -> list[tuple[float, str, str]]:
    return [
        (
            at + 0.1,
            "info",
            zap(at + 0.1, "info", "cmd/main.go:41", "starting", service=service, version=version, go="go1.23.3"),
        ),
        (at + 0.2, "info", zap(at + 0.2, "info", "config/config.go:66", "configuration loaded", keys=14)),
        (at + 0.9, "info", zap(at + 0.9, "info", "httpx/server.go:52", "listening", addr=f":{port}")),
    ]


def stopped(at: float, service: str) -> list[tuple[float, str, str]]:
    return [
        (
            at - 1.9,
            "info",
            zap(at - 1.9, "info", "cmd/main.go:88", "received signal, shutting down", signal="terminated"),
        ),
        (at - 0.3, "info", zap(at - 0.3, "info", "cmd/main.go:97", "bye", service=service)),
    ]


def failure(at: float, service: str, method: str, path: str, it: Trouble) -> tuple[str, str]:
    if it.kind == "exception":
        if it.detail.get("panic"):
            return "error", f"panic: {it.detail['error']}\n\ngoroutine 4187 [running]:\n" + "\n".join(
                f"{f.split('|')[2]}(...)\n\t/src/{f.split('|')[0]}:{f.split('|')[1]} +0x1d4"
                for f in it.detail.get("frames", f"{service}/server.go|88|main.handle|").split(";;")
            )
        return "error", zap(
            at,
            "error",
            it.detail.get("caller", "api/handler.go:118"),
            "request failed",
            method=method,
            path=path,
            status=it.code,
            error=it.detail.get("error", "unexpected state"),
        )
    if it.kind == "overload":
        return "warning", zap(
            at,
            "warning",
            "httpx/limiter.go:44",
            "too many requests in flight, shedding",
            method=method,
            path=path,
            status=503,
            in_flight=256,
        )
    if it.kind == "shed":
        return "warning", zap(
            at,
            "warning",
            "httpx/limiter.go:61",
            it.detail.get("message", "rate limited"),
            method=method,
            path=path,
            status=it.code,
        )
    if it.kind == "upstream":
        return "error", zap(
            at,
            "error",
            f"clients/{it.peer}.go:83",
            "upstream call failed",
            peer=it.peer,
            url=it.url,
            error=f"{it.peer}: unexpected status 500 Internal Server Error",
            path=path,
            status=it.code,
        )
    verb = "" if it.engine else f'{"Post" if method == "POST" else "Get"} "{it.url}": '
    return "error", zap(
        at,
        "error",
        f"clients/{it.peer}.go:83" if not it.engine else "store/store.go:112",
        "upstream call failed" if not it.engine else "query failed",
        peer=it.peer,
        error=verb + _error(it),
        path=path,
        status=it.code,
    )


def _error(it: Trouble) -> str:
    host, _, _ = it.host.partition(":")
    resolver = it.detail.get("resolver") or it.resolver
    if "error" in it.detail:
        return it.detail["error"]
    if it.engine == "postgres":
        found = {
            "auth": f'failed to connect to `user={it.user} database={it.database}`: {it.address} ({host}): failed SASL auth: FATAL: password authentication failed for user "{it.user}" (SQLSTATE 28P01)',  # noqa: E501
            "pool": f"failed to connect to `user={it.user} database={it.database}`: {it.address} ({host}): server error: FATAL: sorry, too many clients already (SQLSTATE 53300)",  # noqa: E501
            "pool_wait": "acquire connection: context deadline exceeded",
            "lock": "ERROR: canceling statement due to lock timeout (SQLSTATE 55P03)",
            "slow_query": "ERROR: canceling statement due to statement timeout (SQLSTATE 57014)",
            "read_only": "ERROR: cannot execute INSERT in a read-only transaction (SQLSTATE 25006)",
            "privilege": f"ERROR: permission denied for table {it.detail.get('table', 'orders')} (SQLSTATE 42501)",
            "disk_full": 'ERROR: could not extend file "base/16384/24617": No space left on device (SQLSTATE 53100)',
        }
        if it.kind in found:
            return found[it.kind]
    return {
        "refused": f"dial tcp {it.address}: connect: connection refused",
        "timeout": "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        if not it.engine
        else f"dial tcp {it.address}: i/o timeout",
        "no_such_host": f"dial tcp: lookup {host} on {resolver}: no such host",
        "dns_timeout": f"dial tcp: lookup {host} on {resolver}: read udp {it.source}:47731->{resolver}: i/o timeout",
        "reset": f"read tcp {it.source}:52114->{it.address}: read: connection reset by peer",
        "tls": it.detail.get(
            "x509", "tls: failed to verify certificate: x509: certificate has expired or is not yet valid"
        ),
        "denied": "unexpected status 403 Forbidden: RBAC: access denied",
        "http_404": "unexpected status 404 Not Found",
        "http_429": "unexpected status 429 Too Many Requests",
        "http_503": "unexpected status 503 Service Unavailable",
        "auth": "WRONGPASS invalid username-password pair or user is disabled.",
        "oom": "OOM command not allowed when used memory > 'maxmemory'.",
    }.get(it.kind, it.kind)


NOISE: tuple[tuple[str, str, str], ...] = (
    ("info", "flags/watch.go:77", "flag snapshot loaded"),
    ("info", "cache/lru.go:131", "cache compacted"),
    ("warning", "httpx/middleware.go:80", "slow request"),
    ("error", "session/store.go:94", "session not found"),
    ("warning", "clients/retry.go:39", "retrying after transient error"),
    ("debug", "metrics/push.go:58", "pushed samples"),
    ("info", "gc/ticker.go:29", "pool trimmed"),
    ("error", "api/validate.go:52", "validation failed"),
)
