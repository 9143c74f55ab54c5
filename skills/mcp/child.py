"""A program started for one question and ended after it, with whatever it started itself, whatever it does.

The protocol's own client (mcp.client.stdio, 2.3.0) reads lines of any length, ends a server up to seven seconds after
its time is over, and leaves behind what a server started that ended by itself. So the process is held here, in plain
blocking calls around the event loop that only reads and writes its pipes (pipes.py).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

KILLED_SECONDS = 2.0
"""How long a killed process is waited for; only one that hangs in the kernel takes longer."""
_PASSES = 8
_BETWEEN_PASSES_SECONDS = 0.02


@dataclass
class Child:
    """A running program, and once it was ended how it went."""

    process: subprocess.Popen[bytes]
    stdin: IO[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]
    exit_code: int | None = None
    """Of a program that ended before it was told to in any other way than by the end of its input; negative: the number
    of the signal."""


@contextlib.contextmanager
def running(command: Sequence[str], variables: Mapping[str, str], ending_seconds: float) -> Iterator[Child]:
    """The program in a session and a temporary directory of its own, its three pipes not blocking. It is asked to end
    and then made to within `ending_seconds`. Raises OSError when there is no such program."""
    with tempfile.TemporaryDirectory(prefix="gumshoe-mcp-", ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            command,
            env={**variables, "TMPDIR": folder},
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
        assert stdin
        assert stdout
        assert stderr
        child = Child(process, stdin, stdout, stderr)
        try:
            for pipe in (child.stdin, child.stdout, child.stderr):
                os.set_blocking(pipe.fileno(), False)
            yield child
        finally:
            _end(child, folder, ending_seconds)
            child.stderr.close()


def _end(child: Child, folder: str, seconds: float) -> None:
    """As the protocol has it: the end of its input, a signal, a signal that nobody can refuse."""
    process = child.process
    try:
        child.stdin.close()
        # One that is stuck in writing does not see the end of its input.
        child.stdout.close()
        if _has_ended(process, seconds / 2):
            child.exit_code = process.returncode
        else:
            _signal(process.pid, signal.SIGTERM)
            _has_ended(process, seconds / 2)
    finally:
        _kill_all(process, folder)


def _kill_all(process: subprocess.Popen[bytes], folder: str) -> None:
    # A group keeps its number for as long as it has a member, so this is nobody else's: either somebody is left in it,
    # or it ended milliseconds ago.
    _signal(process.pid, signal.SIGKILL)
    quiet = 0
    for _ in range(_PASSES):
        strays = _strays(folder)
        quiet = 0 if strays else quiet + 1
        if quiet == 2:
            break
        for pid in strays:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        # One that becomes another program at this moment has no environment to be read, and has it in the next pass.
        time.sleep(_BETWEEN_PASSES_SECONDS)
    _has_ended(process, KILLED_SECONDS)


def _strays(folder: str) -> list[int]:
    """Those that left the group (browsers that are driven do) and still carry the directory that is only this child's.
    Linux; elsewhere the group is all that is known."""
    mark = f"TMPDIR={folder}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def _has_ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def variables(named: Mapping[str, str], secret: Callable[[str], str | None]) -> dict[str, str]:
    """The whole environment of a child: what every program needs, and what the customer's file names."""
    given = {name: secret(name) for name in ("PATH", "HOME", "LANG")}
    given |= {name: secret(variable) for name, variable in named.items()}
    return {name: value for name, value in given.items() if value}
