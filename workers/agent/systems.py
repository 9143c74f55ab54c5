"""The customer's systems, connected for one investigation. A skill that is off is not even imported."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from config.customers import Customer
from skills import registry
from skills.contract import QueryMeter, Skill, Sources
from skills.manifest import Manifest
from skills.redact import Redactor
from workers.agent.calls import silence
from workers.agent.parallel import in_order

REACH_SECONDS = 12.0


@dataclass(frozen=True)
class ConnectedSkill:
    name: str
    skill: Skill | None
    """None when it cannot be used; then `unreachable` says why."""
    meter: QueryMeter
    unreachable: str | None = None
    manifest: Manifest | None = None

    @property
    def usable(self) -> bool:
        return self.skill is not None and self.unreachable is None


def connect_all(
    customer: Customer,
    toggles: registry.Toggles,
    secret: Callable[[str], str | None],
    *,
    timeout_seconds: float = 10.0,
    monotonic: Callable[[], float] = time.monotonic,
) -> tuple[ConnectedSkill, ...]:
    """Every skill that is on, in alphabetical order, each asked once whether it answers. Never raises for a system
    that does not; raises SkillError for settings that are wrong."""
    mask = Redactor().text
    skills = []
    for name in toggles.on:
        skill, meter = registry.connect(
            customer, name, secret, queries=customer.budget.queries_per_system, timeout_seconds=timeout_seconds
        )
        skills.append((name, skill, meter))
    answers = in_order(
        [lambda name=name, skill=skill: silence(name, skill.reach, mask) for name, skill, _ in skills],  # type: ignore[misc]  # mypy: lambda default
        REACH_SECONDS,
        f"did not answer within {REACH_SECONDS:g} s",
        monotonic,
    )
    return tuple(
        ConnectedSkill(name, skill, meter, why, registry.manifest(name))
        for (name, skill, meter), why in zip(skills, answers, strict=True)
    )


def sources(skills: tuple[ConnectedSkill, ...]) -> dict[str, Sources]:
    return {s.name: s.skill.sources for s in skills if s.skill is not None and s.usable}
