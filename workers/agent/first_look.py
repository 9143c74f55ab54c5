"""The first look: every skill's analyzers side by side, within seconds, no model involved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skills.contract import SkillContext
from workers.agent.calls import blind_look, first_look_outcome
from workers.agent.evidence import Ledger, Mask, Observed, plain, restored_look
from workers.agent.steps import Outcome, Step, Steps
from workers.agent.systems import ConnectedSkill

SECONDS = 12.0


@dataclass(frozen=True)
class Look:
    skill: str
    seen: Observed
    seconds: float


def look(
    skills: Sequence[ConnectedSkill], context: SkillContext, steps: Steps, ledger: Ledger, mask: Mask, seconds: float
) -> tuple[Look, ...]:
    """What each usable skill saw, in the order of the skills, whichever was quickest."""
    usable = [s for s in skills if s.skill is not None and s.usable]
    late = Outcome(plain(blind_look("", f"the first look did not end within {seconds:g} s"), mask), "timeout")
    looks = []
    for connected, done in zip(
        usable, steps.take_all([_step(s, context, mask) for s in usable], seconds, late), strict=True
    ):
        result = restored_look(done.outcome.output)
        if done.outcome.error_type == "timeout":
            result = blind_look(connected.name, result.gaps[0].why)
        looks.append(Look(connected.name, ledger.take(connected.name, "first_look", result), done.seconds))
    return tuple(looks)


def _step(connected: ConnectedSkill, context: SkillContext, mask: Mask) -> Step:
    skill = connected.skill
    assert skill is not None
    return Step(
        op="execute_tool",
        name=f"first_look {connected.name}",
        state="first_look",
        given={"skill": connected.name, "window": str(context.window), "baseline": str(context.baseline)},
        run=lambda: first_look_outcome(connected.name, skill.first_look, context, mask),
    )
