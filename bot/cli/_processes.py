"""Child processes that end with us: the processes of the Procfile, for `gumshoe run all` and the demo."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO

GRACE_SECONDS = 8.0
PROCESSES = ("bot", "worker", "study", "poster", "clock")


def procfile() -> tuple[str, ...]:
    """Names of the processes; the Procfile's where it stands beside us, else the built-in ones."""
    path = Path("Procfile")
    if not path.is_file():
        return PROCESSES
    lines = [line.split(":", 1) for line in path.read_text(encoding="utf-8").splitlines() if ":" in line]
    return tuple(name for name, line in lines if shlex.split(line)[:2] == ["gumshoe", "run"])


class Family:
    """Starts `gumshoe run NAME` children and leaves none behind: SIGTERM, a while of grace, then SIGKILL."""

    def __init__(self, environment: Mapping[str, str], log: IO[bytes] | None = None) -> None:
        self._environment = dict(environment)
        self._log = log
        self.children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        self.children[name] = subprocess.Popen(
            [sys.executable, "-m", "bot.cli.main", "run", name],
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
            # A group of its own: Ctrl-C in the terminal reaches us alone, and we end the children in order.
            start_new_session=True,
        )

    def ended(self) -> str | None:
        """The name of a child that ended by itself, if one did."""
        return next((name for name, child in self.children.items() if child.poll() is not None), None)

    def wait(self) -> None:
        """Until a child ends or we are interrupted. Raises RuntimeError naming a child that ended by itself."""
        stop: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
        try:
            while not stop:
                if name := self.ended():
                    raise RuntimeError(f"process {name} ended with {self.children[name].returncode}")
                time.sleep(0.2)
        except KeyboardInterrupt:
            return

    def __enter__(self) -> Family:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self.children.values():
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self.children.values():
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
