"""Real servers on loopback, for the comparison of the simulated APIs with them: `make faces`."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest


def binary(name: str) -> str:
    """A server's program: on the PATH, or where `make faces` unpacked it."""
    folder = os.environ.get("GUMSHOE_FACES", "")
    found = shutil.which(name, path=os.pathsep.join(p for p in (folder, os.environ.get("PATH", "")) if p))
    if found is None:
        pytest.skip(f"{name} is not here; `make faces` unpacks it from Debian's package")
    return found


def free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        port: int = it.getsockname()[1]
        return port


@contextmanager
def running(arguments: list[str], ready: str, folder: Path) -> Iterator[None]:
    """A server of ours until the block ends; it has answered at `ready` before the block begins."""
    with (folder / "log").open("wb") as log, subprocess.Popen(arguments, stdout=log, stderr=log, cwd=folder) as server:
        try:
            for _ in range(1800):  # a busy machine needs its time
                try:
                    urlopen(ready).close()
                    break
                except (URLError, ConnectionError):
                    assert server.poll() is None, (folder / "log").read_text()[-2000:]
                    time.sleep(0.1)
            yield
        finally:
            server.terminate()
            server.wait(20)
