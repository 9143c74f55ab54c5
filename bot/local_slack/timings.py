"""How long Slack waits. A test makes these short, nobody else needs to touch them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Timings:
    ack_seconds: float = 3.0
    """After this an unacknowledged envelope counts as failed."""
    retry_after_seconds: tuple[float, ...] = (0.0, 60.0, 300.0)
    """Pauses before the second, third and fourth delivery of an event. Interactions are never sent again."""
    trigger_seconds: float = 3.0
    response_url_seconds: float = 1800.0
    response_url_uses: int = 5
