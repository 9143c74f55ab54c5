"""What every investigation imports and builds once, done before the workers are forked, so that it is done and held
once for all of them. Reads no system and asks no model.
"""

from __future__ import annotations

import logging
import pkgutil
import time
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from importlib import import_module

from config.customers import Customer
from workers import agent
from workers.domain import Alert, Instructions, Progress
from workers.llm.choose import pick
from workers.llm.offline import Offline
from workers.trace import Span

log = logging.getLogger(__name__)

CLAUDE = "workers.llm.claude"
LATE = {
    "skills.elasticsearch": ("elasticsearch", "elastic_transport", "skills.elasticsearch.node"),
    "skills.kubernetes": ("kubernetes.client",),
    "workers.jobs": ("PIL.Image", "PIL.ImageDraw", "PIL.ImageFont"),
}
"""What these import late, to be light where they are not needed."""


def rehearse(preload: Collection[str]) -> None:
    """Imports the modules, everything beside them in their packages, and runs one investigation of nothing."""
    began = time.monotonic()
    for name in preload:
        for each in (name, *_beside(name)):
            import_module(each)
    if CLAUDE in preload:
        # Never asked: a client's first making loads what takes 70 ms and 14 MB, and the next ones share it.
        pick("auto", api_key="rehearsal", base_url="http://127.0.0.1:9")
    agent.investigate(_request(), Offline(), (), _Nobody(), clock=lambda: datetime.now(UTC), monotonic=time.monotonic)
    log.info("rehearsed in %.1f s", time.monotonic() - began)


def _beside(name: str) -> Iterator[str]:
    """All modules of a skill's package, and what they import late."""
    package = name.rpartition(".")[0] if name.startswith("skills.") else name
    if name.startswith("skills."):
        path = import_module(package).__path__
        yield from (found.name for found in pkgutil.walk_packages(path, f"{package}."))
    yield from LATE.get(package, ())


def _request() -> agent.Request:
    now = datetime.now(UTC)
    alert = Alert(source="generic", status="firing", alert_type="Rehearsal", title="Rehearsal", fingerprint="rehearsal")
    return agent.Request(
        customer=Customer(name="rehearsal"),
        incident_id="rehearsal",
        investigation_id="rehearsal",
        trace_id="0" * 32,
        alerts=(alert,),
        now=now,
    )


class _Nobody:
    """A journal that keeps nothing."""

    def recorded(self) -> Sequence[Span]:
        return ()

    def record(self, span: Span) -> None:
        pass

    def progress(self, progress: Progress) -> None:
        pass

    def instructions(self) -> Instructions:
        return Instructions()
