"""What an investigation may use, and what it has used. Running out is an ending with a finding, not an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from config.customers import Budget as Limits
from workers.agent.steps import Done
from workers.agent.systems import ConnectedSkill
from workers.domain import Guidance, GuidanceUse, Used

SOFT = 0.8
"""The part of a budget after which the model is asked for its conclusion, while it can still give one."""


MODEL_SECONDS = 90.0
"""What one turn of a model may take in any case, as long as the budget lasts."""


class Budget:
    """Counts across attempts: replayed steps count as they did when they were made."""

    def __init__(self, limits: Limits, month: float, monotonic: Callable[[], float]) -> None:
        self._limits = limits
        self._month = month
        self._monotonic = monotonic
        self._began = monotonic()
        self._earlier_seconds = 0.0
        self.tokens = 0
        self.estimated = False
        self.dollars = 0.0
        self.tool_calls = 0

    @property
    def seconds(self) -> float:
        return self._earlier_seconds + self._monotonic() - self._began

    @property
    def seconds_left(self) -> float:
        return max(0.0, self._limits.seconds - self.seconds)

    def model_seconds(self) -> float:
        """How long one turn of the model is waited for: never so long that another could not follow."""
        return min(self.seconds_left, max(MODEL_SECONDS, self._limits.seconds / 2))

    def count(self, done: Done) -> None:
        outcome = done.outcome
        self.tokens += outcome.tokens_in + outcome.tokens_out + outcome.tokens_cached
        self.estimated = self.estimated or outcome.tokens_estimated
        self.dollars += outcome.dollars
        if done.replayed:
            self._earlier_seconds += done.seconds

    def count_calls(self, calls: int) -> None:
        self.tool_calls += calls

    def calls_left(self) -> int:
        return max(0, self._limits.tool_calls - self.tool_calls)

    def exhausted(self) -> str | None:
        """The budget that leaves no room for another step, in words."""
        return self._over(1.0)

    def nearly(self) -> str | None:
        """The budget that leaves room for a conclusion only."""
        if self.tool_calls >= self._limits.tool_calls:
            return f"the budget of {self._limits.tool_calls} tool calls"
        return self._over(SOFT)

    def _over(self, share: float) -> str | None:
        limits = self._limits
        if self.seconds >= limits.seconds * share:
            return f"the budget of {limits.seconds:g} seconds"
        if self.tokens >= limits.tokens * share:
            return f"the budget of {limits.tokens} tokens"
        # Free models leave both at nothing, and nothing is within any limit.
        if self.dollars > 0 and self.dollars >= limits.dollars * share:
            return f"the budget of {limits.dollars:.2f} dollars"
        return None

    def month_over(self) -> str | None:
        """The customer's month, which is asked before each call that costs money."""
        most = self._limits.dollars_per_month
        if most is not None and self._month + self.dollars >= most:
            return f"the customer's monthly budget of {most:.2f} dollars"
        return None

    def used(
        self, model: str, skills: Iterable[ConnectedSkill], guidance: Iterable[Guidance], first_look_queries: int
    ) -> Used:
        """What the finding says of its cost."""
        return Used(
            model=model,
            skills=tuple(s.name for s in skills if s.usable),
            guidance=tuple(GuidanceUse(id=g.id, name=g.name, version=g.version) for g in guidance),
            seconds=round(self.seconds, 2),
            tokens=self.tokens,
            tokens_estimated=self.estimated,
            dollars=round(self.dollars, 6),
            tool_calls=self.tool_calls,
            first_look_queries=first_look_queries,
        )

    def said(self) -> str:
        limits = self._limits
        return f"{limits.seconds:g} s, {limits.tool_calls} tool calls, {limits.tokens} tokens, ${limits.dollars:.2f}"
