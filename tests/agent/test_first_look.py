"""A skill may build on the first look of another: it waits for it, and is not held up by one that fails."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from skills.contract import FirstLook, SkillContext, ToolError
from tests.agent.company import FakeSkill, alert, looks, request, run, symptom
from tests.agent.test_first_slice import OOM, ROLLOUT
from workers.domain import Finding, Link


@dataclass
class Slow(FakeSkill):
    seconds: float = 0.15

    def first_look(self, context: SkillContext) -> FirstLook:
        time.sleep(self.seconds)
        return super().first_look(context)


@dataclass
class Curious(FakeSkill):
    """Asks for what another skill saw, and keeps it."""

    name: str = "changes"
    about: str = "kubernetes"
    heard: list[FirstLook | None] = field(default_factory=list)
    waited: float = 0.0
    context: SkillContext | None = None

    def first_look(self, context: SkillContext) -> FirstLook:
        assert context.look_of is not None
        began = time.monotonic()
        self.heard.append(context.look_of(self.about, 2.0))
        self.waited, self.context = time.monotonic() - began, context
        return super().first_look(context)


def test_skill_gets_what_another_saw_once_that_has_seen_it() -> None:
    cluster, curious = Slow(sees=looks(OOM, changes=[ROLLOUT])), Curious()
    run(request(), cluster, curious)
    (heard,) = curious.heard
    assert heard is not None
    assert heard.changes == (ROLLOUT,)
    assert cluster.looked == 1


def test_failure_of_the_other_ends_the_wait_with_nothing() -> None:
    curious = Curious()
    run(request(), FakeSkill(fails=ToolError("no answer")), curious)
    assert curious.heard == [None]
    assert curious.waited < 1.0


def test_skill_that_is_not_on_is_not_waited_for() -> None:
    curious = Curious(about="pagerduty")
    run(request(), curious)
    assert curious.heard == [None]
    assert curious.waited < 1.0


def test_links_of_the_alert_and_recorded_changes_reach_the_skills() -> None:
    curious = Curious()
    page = "https://acme.pagerduty.example.com/incidents/Q1"
    run(request(alert(links=(Link(kind="alert", url=page),)), recorded_changes=(ROLLOUT,)), curious)
    assert curious.context is not None
    assert curious.context.focus.links == (page,)
    assert curious.context.recorded_changes == (ROLLOUT,)


def test_who_is_on_call_stands_among_the_next_steps() -> None:
    def found(owner: str) -> Finding:
        pager = FakeSkill(name="pagerduty", sees=FirstLook("paged", owner=owner))
        return run(request(), FakeSkill(sees=looks(OOM, symptom("Node n1", "", "n1 is well", role="healthy"))), pager)

    assert "owner: on call: Mara Lind (Shop)" in found("on call: Mara Lind (Shop)").next
    assert not [line for line in found("").next if line.startswith("owner")]
