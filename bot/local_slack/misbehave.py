"""What goes wrong on request: for a number of calls or deliveries, then all is well again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

AFTER = frozenset({"drop_after", "error_after"})
KINDS = frozenset({"ratelimited", "error", "drop", "slack_error", "slow"}) | AFTER


@dataclass
class ApiFault:
    """The next `times` calls of `method` (`*`: any) go wrong in one way."""

    method: str
    kind: str
    """ratelimited: 429. error: HTTP `status`, nothing done. drop: the connection closes, nothing done.
    error_after, drop_after: the call is performed and the answer is lost. slack_error: `ok: false` with `error`.
    slow: `seconds` pass first."""
    times: int = 1
    seconds: float = 1.0
    status: int = 503
    error: str = "internal_error"


@dataclass
class DeliveryFault:
    """The next `times` deliveries of `type` (events_api, interactive, slash_commands or `*`) go wrong in one way."""

    kind: str
    """duplicate: sent twice. delay: held back for `seconds`. lose: never sent, which counts as unacknowledged."""
    type: str = "events_api"
    times: int = 1
    seconds: float = 1.0


_Fault = TypeVar("_Fault", ApiFault, DeliveryFault)


@dataclass
class Misbehaviour:
    api: list[ApiFault] = field(default_factory=list)
    deliveries: list[DeliveryFault] = field(default_factory=list)
    posts_per_second: float | None = None
    """About 1 on the real Slack, for each channel. None: no limit."""
    revoked: bool = False
    """Every call answers token_revoked."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _last_post: dict[str, float] = field(default_factory=dict, repr=False)

    def next_api_fault(self, method: str) -> ApiFault | None:
        with self._lock:
            return _take(self.api, lambda fault: fault.method in {"*", method})

    def next_delivery_fault(self, kind: str) -> DeliveryFault | None:
        with self._lock:
            return _take(self.deliveries, lambda fault: fault.type in {"*", kind})

    def seconds_until_allowed(self, channel: str, now: float) -> float:
        """Zero when a post in this channel is within the limit, and then it counts."""
        if self.posts_per_second is None:
            return 0.0
        with self._lock:
            wait = self._last_post.get(channel, -1e9) + 1 / self.posts_per_second - now
            if wait <= 0:
                self._last_post[channel] = now
            return max(0.0, wait)

    def forget(self) -> None:
        with self._lock:
            self.api.clear()
            self.deliveries.clear()
            self.posts_per_second = None
            self.revoked = False

    def shown(self) -> dict[str, Any]:
        with self._lock:
            return {
                "api": [asdict(fault) for fault in self.api],
                "deliveries": [asdict(fault) for fault in self.deliveries],
                "posts_per_second": self.posts_per_second,
                "revoked": self.revoked,
            }


def _take(faults: list[_Fault], fits: Callable[[_Fault], bool]) -> _Fault | None:
    for fault in faults:
        if fits(fault):
            fault.times -= 1
            if fault.times <= 0:
                faults.remove(fault)
            return fault
    return None
