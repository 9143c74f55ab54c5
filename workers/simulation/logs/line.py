"""One line of a container's log, which may be a stack trace of several physical lines."""

from __future__ import annotations

from dataclasses import dataclass

from workers.simulation.cluster import Pod


@dataclass(frozen=True)
class Line:
    at: float
    pod: Pod
    container: str
    level: str
    text: str
    stream: str = "stdout"


@dataclass(frozen=True)
class Trouble:
    """A failed request or call, to be written in the manner of the program's language."""

    kind: str
    peer: str
    host: str
    """The peer's name in the network, with port."""
    address: str
    """Its address as tried, host:port."""
    engine: str
    """postgres, redis ...; empty: HTTP."""
    url: str
    seconds: float
    code: int
    detail: dict[str, str]
    user: str = ""
    database: str = ""
    source: str = ""
    """The address of the pod that called."""
    resolver: str = ""
    """Cluster DNS, host:port."""
