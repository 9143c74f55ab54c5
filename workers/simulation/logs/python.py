"""The manner of Python services: logging's default form, uvicorn's access lines, tracebacks."""

from __future__ import annotations

import random

from workers.simulation import clock
from workers.simulation.logs.line import Trouble


def stamp(at: float) -> str:
    return clock.spaced(at)


def plain(at: float, level: str, logger: str, text: str) -> str:
    return f"{stamp(at)} {level.upper():<8} [{logger}] {text}"


def access(at: float, rng: random.Random, client: str, method: str, path: str, code: int, ms: float) -> str:
    return plain(
        at,
        "info",
        "uvicorn.access",
        f'{client}:{rng.randint(32768, 60999)} - "{method} {path} HTTP/1.1" {code} {ms:.1f}ms',
    )


def started(at: float, service: str, version: str, port: int) -> list[tuple[float, str, str]]:
    return [
        (at + 0.4, "info", plain(at + 0.4, "info", f"{service}.main", f"starting {service} {version} (python 3.12.7)")),
        (
            at + 1.9,
            "info",
            plain(at + 1.9, "info", f"{service}.config", "configuration loaded from environment, 14 keys"),
        ),
        (at + 3.1, "info", plain(at + 3.1, "info", "uvicorn.error", "Started server process [1]")),
        (at + 3.3, "info", plain(at + 3.3, "info", "uvicorn.error", "Application startup complete.")),
        (
            at + 3.4,
            "info",
            plain(
                at + 3.4, "info", "uvicorn.error", f"Uvicorn running on http://0.0.0.0:{port} (Press CTRL+C to quit)"
            ),
        ),
    ]


def stopped(at: float, service: str) -> list[tuple[float, str, str]]:
    return [
        (at - 1.7, "info", plain(at - 1.7, "info", "uvicorn.error", "Shutting down")),
        (at - 1.2, "info", plain(at - 1.2, "info", "uvicorn.error", "Waiting for application shutdown.")),
        (at - 0.4, "info", plain(at - 0.4, "info", "uvicorn.error", "Finished server process [1]")),
    ]


def failure(at: float, service: str, method: str, path: str, it: Trouble) -> tuple[str, str]:
    """Level and text of what the service writes when a request fails so."""
    if it.kind == "exception":
        return "error", plain(
            at, "error", f"{service}.api", f"unhandled exception in {method} {path}"
        ) + "\n" + traceback(service, it.detail)
    if it.kind == "overload":
        return "warning", plain(
            at,
            "warning",
            f"{service}.limiter",
            f"worker queue full ({it.detail.get('depth', '128')} waiting), rejecting {method} {path}",
        )
    if it.kind == "shed":
        return "warning", plain(
            at, "warning", f"{service}.limiter", it.detail.get("message", f"rate limit reached, answering {it.code}")
        )
    if it.kind == "upstream":
        return "error", plain(
            at,
            "error",
            f"{service}.clients.{it.peer.replace('-', '_')}",
            f"{it.peer} answered 500 for {it.url}; giving up after 2 attempts",
        )
    error = _error(it)
    head = plain(
        at,
        "error",
        f"{service}.clients.{it.peer.replace('-', '_')}",
        f"call to {it.peer} failed: {error.splitlines()[0]}",
    )
    return "error", head + "\n" + _client_trace(service, it, error)


def _error(it: Trouble) -> str:
    """The exception that the client library raises, as `type: text`."""
    host, _, port = it.host.partition(":")
    if "error" in it.detail:
        return it.detail["error"]
    if it.engine == "postgres":
        where = f'connection to server at "{host}" ({it.address.partition(":")[0]}), port {port} failed'
        return {
            "refused": f"psycopg.OperationalError: {where}: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?",  # noqa: E501
            "timeout": f"psycopg.errors.ConnectionTimeout: connection timeout expired ({host}:{port})",
            "no_such_host": f"psycopg.OperationalError: [Errno -2] Name or service not known (host: '{host}')",
            "dns_timeout": f"psycopg.OperationalError: [Errno -3] Temporary failure in name resolution (host: '{host}')",  # noqa: E501
            "auth": f'psycopg.OperationalError: {where}: FATAL:  password authentication failed for user "{it.user}"',
            "pool": f"psycopg.OperationalError: {where}: FATAL:  sorry, too many clients already",
            "pool_wait": "sqlalchemy.exc.TimeoutError: QueuePool limit of size 10 overflow 0 reached, connection timed out, timeout 30.00 (Background on this error at: https://sqlalche.me/e/20/3o7r)",  # noqa: E501
            "lock": "psycopg.errors.LockNotAvailable: canceling statement due to lock timeout",
            "slow_query": "psycopg.errors.QueryCanceled: canceling statement due to statement timeout",
            "read_only": "psycopg.errors.ReadOnlySqlTransaction: cannot execute INSERT in a read-only transaction",
            "privilege": f"psycopg.errors.InsufficientPrivilege: permission denied for table {it.detail.get('table', 'orders')}",  # noqa: E501
            "disk_full": 'psycopg.errors.DiskFull: could not extend file "base/16384/24617": No space left on device\nHINT:  Check free disk space.',  # noqa: E501
            "reset": "psycopg.OperationalError: consuming input failed: server closed the connection unexpectedly",
        }.get(it.kind, f"psycopg.OperationalError: {where}: {it.kind}")
    if it.engine == "redis":
        return {
            "refused": f"redis.exceptions.ConnectionError: Error 111 connecting to {it.host}. Connection refused.",
            "timeout": f"redis.exceptions.TimeoutError: Timeout connecting to server ({it.host})",
            "no_such_host": f"redis.exceptions.ConnectionError: Error -2 connecting to {it.host}. Name or service not known.",  # noqa: E501
            "dns_timeout": f"redis.exceptions.ConnectionError: Error -3 connecting to {it.host}. Temporary failure in name resolution.",  # noqa: E501
            "auth": "redis.exceptions.AuthenticationError: WRONGPASS invalid username-password pair or user is disabled.",  # noqa: E501
            "oom": "redis.exceptions.OutOfMemoryError: command not allowed when used memory > 'maxmemory'.",
            "reset": "redis.exceptions.ConnectionError: Connection closed by server.",
        }.get(it.kind, f"redis.exceptions.RedisError: {it.kind}")
    if it.engine == "rabbitmq":
        found = {
            "refused": f"[Errno 111] Connect call failed ('{it.address.partition(':')[0]}', {port})",
            "timeout": f"[Errno 110] Connect call failed ('{it.address.partition(':')[0]}', {port})",
            "reset": "[Errno 104] Connection reset by peer",
            "no_such_host": "[Errno -2] Name or service not known",
            "dns_timeout": "[Errno -3] Temporary failure in name resolution",
            "auth": "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.",
        }
        return f"aio_pika.exceptions.AMQPConnectionError: {found.get(it.kind, 'Server connection unexpectedly closed')}"
    if it.engine == "kafka":
        return {
            "timeout": "kafka.errors.KafkaTimeoutError: KafkaTimeoutError: Failed to update metadata after 60.0 secs.",
            "no_such_host": f"kafka.errors.KafkaConnectionError: KafkaConnectionError: DNS failure ({it.host})",
            "dns_timeout": f"kafka.errors.KafkaConnectionError: KafkaConnectionError: DNS failure ({it.host})",
            "reset": "kafka.errors.KafkaConnectionError: KafkaConnectionError: socket disconnected",
            "auth": "kafka.errors.AuthenticationFailedError: AuthenticationFailedError: Authentication failed for user",
        }.get(it.kind, f"kafka.errors.NoBrokersAvailable: NoBrokersAvailable ({it.host})")
    return {
        "refused": "httpx.ConnectError: [Errno 111] Connection refused",
        "timeout": "httpx.ReadTimeout: timed out",
        "no_such_host": "httpx.ConnectError: [Errno -2] Name or service not known",
        "dns_timeout": "httpx.ConnectError: [Errno -3] Temporary failure in name resolution",
        "reset": "httpx.ReadError: [Errno 104] Connection reset by peer",
        "tls": "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1010)",  # noqa: E501
        "denied": f"httpx.HTTPStatusError: Client error '403 Forbidden' for url '{it.url}': RBAC: access denied",
        "http_404": f"httpx.HTTPStatusError: Client error '404 Not Found' for url '{it.url}'",
        "http_429": f"httpx.HTTPStatusError: Client error '429 Too Many Requests' for url '{it.url}'",
        "http_503": f"httpx.HTTPStatusError: Server error '503 Service Unavailable' for url '{it.url}'",
    }.get(it.kind, f"httpx.HTTPError: {it.kind} for url '{it.url}'")


def _client_trace(service: str, it: Trouble, error: str) -> str:
    module = it.peer.replace("-", "_")
    library = {
        "postgres": "psycopg_pool/pool.py",
        "redis": "redis/asyncio/connection.py",
        "rabbitmq": "aio_pika/robust_connection.py",
    }.get(it.engine, "httpx/_transports/default.py")
    return (
        "Traceback (most recent call last):\n"
        f'  File "/app/{service}/clients/{module}.py", line 58, in request\n'
        "    response = await self._send(call)\n"
        f'  File "/usr/local/lib/python3.12/site-packages/{library}", line 394, in connect\n'
        "    raise exc from None\n" + error
    )


def traceback(service: str, detail: dict[str, str]) -> str:
    """`frames` is `file|line|function|code` separated by ;;, `error` is `Type: text`."""
    out = [
        "Traceback (most recent call last):",
        '  File "/usr/local/lib/python3.12/site-packages/starlette/routing.py", line 715, in __call__',
        "    await self.middleware_stack(scope, receive, send)",
    ]
    for frame in detail.get("frames", f"{service}/api.py|88|handle|result = service.process(request)").split(";;"):
        file, line, function, code = frame.split("|")
        out += [f'  File "/app/{file}", line {line}, in {function}', f"    {code}"]
    return "\n".join([*out, detail.get("error", "RuntimeError: unexpected state")])


NOISE: tuple[tuple[str, str, str], ...] = (
    ("info", "{service}.cache", "refreshed {n} entries in {ms}ms"),
    ("info", "{service}.tasks", "housekeeping finished: removed {n} stale rows"),
    ("debug", "{service}.metrics", "pushed {n} samples"),
    ("warning", "{service}.http", "slow response: {ms}0ms for client {id}"),
    (
        "warning",
        "urllib3.connectionpool",
        "Retrying (Retry(total=2, connect=None, read=None, redirect=None, status=None)) after connection broken by 'RemoteDisconnected('Remote end closed connection without response')': /v1/flags",  # noqa: E501
    ),
    ("error", "{service}.validation", "rejected payload {id}: field 'postcode' is null"),
    ("info", "{service}.flags", "flag snapshot {id} loaded"),
    ("warning", "{service}.api", "item {n} not found"),
)
