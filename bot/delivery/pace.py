"""How fast Slack wants to be spoken to: one message a second and channel, after a short burst for the first answer."""

from __future__ import annotations

from dataclasses import dataclass

POSTS_PER_SECOND = 1.0
UPDATES_PER_SECOND = 0.8
"""chat.update is tier 3: some 50 a minute."""
BURST = 4.0


@dataclass
class _Bucket:
    tokens: float
    filled_at: float


class Pace:
    """A token bucket for each channel and kind of call. Time is an argument."""

    def __init__(self, burst: float = BURST) -> None:
        self._burst = burst
        self._buckets: dict[tuple[str, bool], _Bucket] = {}

    def wait_seconds(self, channel: str, *, update: bool, now: float) -> float:
        """0 and takes the token, or how long until there is one."""
        rate = UPDATES_PER_SECOND if update else POSTS_PER_SECOND
        bucket = self._buckets.setdefault((channel, update), _Bucket(self._burst, now))
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.filled_at) * rate)
        bucket.filled_at = now
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / rate
        bucket.tokens -= 1
        return 0.0
