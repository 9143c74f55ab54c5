"""The first look: every skill's analyzers side by side, within seconds, no model involved."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from skills.contract import FirstLook, SkillContext
from workers.agent.calls import blind_look, first_look_outcome
from workers.agent.evidence import Ledger, Mask, Observed, plain, restored_look
from workers.agent.steps import Outcome, Step, Steps
from workers.agent.systems import ConnectedSkill

SECONDS = 12.0
REQUESTS = "gumshoe.requests"


@dataclass(frozen=True)
class Look:
    skill: str
    seen: Observed
    seconds: float
    requests: int = 0
    """How many it sent to its system."""


def look(
    skills: Sequence[ConnectedSkill], context: SkillContext, steps: Steps, ledger: Ledger, mask: Mask, seconds: float
) -> tuple[Look, ...]:
    """What each usable skill saw, in the order of the skills, whichever was quickest."""
    usable = [s for s in skills if s.skill is not None and s.usable]
    shared = _Shared(s.name for s in usable)
    context = replace(context, look_of=shared.of)
    late = Outcome(plain(blind_look("", f"the first look did not end within {seconds:g} s"), mask), "timeout")
    looks = []
    for connected, done in zip(
        usable, steps.take_all([_step(s, context, mask, shared) for s in usable], seconds, late), strict=True
    ):
        result = restored_look(done.outcome.output)
        if done.outcome.error_type == "timeout":
            result = blind_look(connected.name, result.gaps[0].why)
        seen = ledger.take(connected.name, "first_look", result)
        looks.append(Look(connected.name, seen, done.seconds, int(done.outcome.attributes.get(REQUESTS, 0))))
    return tuple(looks)


class _Shared:
    """First looks as they come in, for the skills that build on another's."""

    def __init__(self, names: Iterable[str]) -> None:
        self._ended = {name: threading.Event() for name in names}
        self._seen: dict[str, FirstLook] = {}

    def taken(self, connected: ConnectedSkill, context: SkillContext) -> FirstLook:
        skill = connected.skill
        assert skill is not None
        try:
            seen = self._seen[connected.name] = skill.first_look(context)
        finally:
            self._ended[connected.name].set()
        return seen

    def of(self, name: str, seconds: float) -> FirstLook | None:
        if name in self._ended:
            self._ended[name].wait(max(0.0, seconds))
        return self._seen.get(name)


def _step(connected: ConnectedSkill, context: SkillContext, mask: Mask, shared: _Shared) -> Step:
    def run() -> Outcome:
        before = connected.meter.requests
        outcome = first_look_outcome(connected.name, lambda told: shared.taken(connected, told), context, mask)
        return replace(outcome, attributes={**outcome.attributes, REQUESTS: connected.meter.requests - before})

    return Step(
        op="execute_tool",
        name=f"first_look {connected.name}",
        state="first_look",
        given={"skill": connected.name, "window": str(context.window), "baseline": str(context.baseline)},
        run=run,
    )
