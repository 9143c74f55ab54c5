"""One night with Gumshoe in the browser: the alert, its finding, a vote, guidance, skills, the evidence page.

One house and one browser for all; the tests are the chapters of one story and run in this order.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.cli._house import House, Team
from tests.browser.chromium import Chromium
from tests.e2e.conftest import environ
from workers.domain import Finding, Incident

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(not shutil.which("chromedriver"), reason="needs chromium and chromedriver"),
]
FINDING = "#replies article:has([data-action-id=vote_right])"
"""The one message of the thread that can be judged."""
COMPOSER, REPLY = "#composer [data-role=input]", "#thread-composer [data-role=reply-input]"


@dataclass(frozen=True)
class Night:
    house: House
    page: Chromium
    alert: str
    """The ts of the alert's message."""

    @property
    def team(self) -> Team:
        return self.house.teams[0]

    @property
    def incident(self) -> Incident:
        incident = self.house.incident(self.team)
        assert incident is not None
        return incident

    def finding(self, number: int) -> Finding:
        """The answer of the incident's n-th investigation, once it is there and everything is said."""
        house = self.house

        def answered() -> Finding | None:
            begun = house.store.investigations.of_incident(self.incident.id)
            return house.store.findings.get(begun[number - 1].id) if len(begun) >= number else None

        house.wait(answered, 60, f"no finding {number}")
        house.wait(house.quiet, 30, "the outbox is not empty")
        finding = answered()
        assert finding is not None
        return finding

    def shot(self, folder: Path, name: str) -> None:
        self.page.driver.save_screenshot(str(folder / f"{name}.png"))


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    with House(tmp_path_factory.mktemp("house"), ("oom-after-deploy",), environ()) as house:
        page = Chromium(tmp_path_factory.mktemp("chromium"))
        try:
            page.driver.get(f"{house.slack.page_url}#alerts")
            yield Night(house, page, house.post_alert(house.teams[0]))
        finally:
            page.driver.quit()


def test_the_alert_is_seen_and_its_thread_tells_the_cause(night: Night, tmp_path: Path) -> None:
    assert "KubePodCrashLooping" in night.page.see(f'#messages [data-ts="{night.alert}"] .attachment')
    night.page.see(f'#messages [data-ts="{night.alert}"] [data-reaction=eyes]')
    finding = night.finding(1)
    assert night.team.is_named_by(finding)

    night.page.press(f'#messages [data-ts="{night.alert}"] [data-role=open-thread]')
    told = night.page.see(FINDING, finding.headline.text.replace("`", ""))
    assert "High" in told
    assert "Impact:" in told
    assert "Next:" in told
    assert "automated, read-only" in told
    night.shot(tmp_path, "thread")


def test_the_series_that_decides_stands_in_the_thread_as_a_picture(night: Night, tmp_path: Path) -> None:
    picture = "#replies .block.image img"
    shown = lambda: night.page.driver.find_elements("css selector", picture)  # noqa: E731  asked until it is there
    night.house.wait(shown, 20, "no picture in the thread")
    (image,) = shown()
    assert "cart" in str(image.get_attribute("alt"))
    night.house.wait(lambda: image.get_attribute("naturalWidth") == "1200", 10, "the picture is not loaded")
    night.shot(tmp_path, "picture")


def test_a_vote_is_given_by_reaction_and_taken_back(night: Night) -> None:
    (first, *_) = night.house.store.investigations.of_incident(night.incident.id)
    votes = night.house.store.feedback
    night.page.press(f'{FINDING} [data-quick="-1"]', over=f"{FINDING} .by")
    night.house.wait(lambda: [f.vote for f in votes.current(first.id).values()] == ["wrong"], 10, "no vote")
    assert "1 × wrong" in night.page.see(FINDING, "1 × wrong"), "the footer acknowledges it"

    night.page.press(f'{FINDING} [data-reaction="-1"].mine')
    night.house.wait(lambda: not votes.current(first.id), 10, "the vote was not taken back")
    assert [f.withdrawn for f in votes.history(first.id)][-1], "and the history keeps both"
    night.page.see_none(f'{FINDING} [data-reaction="-1"]')
    night.house.wait(night.house.quiet, 30, "the outbox is not empty")
    assert "× wrong" not in night.page.see(FINDING, "automated, read-only")


def test_guidance_is_read_confirmed_and_named_in_the_next_finding(night: Night, tmp_path: Path) -> None:
    kind = night.incident.alert_type
    night.page.enter(COMPOSER, f"/guidance add {kind} checkout depends on cart. Owner: team-cart.")
    read = night.page.see("#modal", "this is how I read it")
    assert "Depends on: checkout depends on cart." in read
    assert "Owner: The owner is team-cart." in read
    night.shot(tmp_path, "readings")
    assert not night.house.store.guidance.list(night.team.customer), "nothing is saved before it is confirmed"

    night.page.press("#modal [data-role=modal-submit]")
    night.page.see("#messages .ephemeral", "Saved: guidance")
    (saved,) = night.house.store.guidance.list(night.team.customer)
    assert [r.kind for r in saved.readings] == ["depends_on", "owner"]

    night.page.enter(REPLY, "@gumshoe look again")
    finding = night.finding(2)
    assert [(g.id, g.version) for g in finding.used.guidance] == [(saved.id, 1)]
    told = night.page.see(FINDING, 'guidance "')
    assert "v1" in told
    assert "owner: team-cart" in told


def test_a_skill_switched_off_is_missing_from_the_next_investigation(night: Night, tmp_path: Path) -> None:
    before = night.finding(2)
    assert "prometheus" in before.used.skills
    night.page.enter(COMPOSER, "/skills")
    assert "It only ever reads." in night.page.see("#modal", "What Gumshoe may look at")
    night.page.press("#modal [data-block-id=skill-prometheus] input[value=on]")
    night.shot(tmp_path, "skills")
    night.page.press("#modal [data-role=modal-submit]")
    night.page.see("#messages .ephemeral", "prometheus off")
    assert night.house.store.toggles.current(night.team.customer) == {"prometheus": False}

    night.page.enter(REPLY, "@gumshoe look again")
    after = night.finding(3)
    assert "prometheus" not in after.used.skills
    assert set(after.used.skills) == set(before.used.skills) - {"prometheus"}
    assert not any(e.skill == "prometheus" for e in after.evidence)
    assert night.team.is_named_by(after), "the other systems still show the cause"


def test_the_evidence_page_opens_from_the_thread_and_shows_each_citation(night: Night, tmp_path: Path) -> None:
    finding = night.finding(3)
    cited = finding.causes[0].evidence[0]
    address = night.page.address_of(f'{FINDING} a[href*="/i/"][href$="#{cited}"]')
    assert address.startswith(f"{night.house.web_url}/i/")
    assert "?sig=" in address
    night.page.driver.get(address)
    assert finding.headline.text.replace("`", "") in night.page.see("h1")
    excerpt = next(e.excerpt for e in finding.evidence if e.id == cited)
    assert " ".join(excerpt.split()) in " ".join(night.page.see(f"#{cited}:target").split())
    for evidence in finding.evidence:
        night.page.see(f"article#{evidence.id} a.ref", evidence.id)
    night.shot(tmp_path, "evidence")

    night.page.driver.get(address.replace("?sig=", "?sig=x"))
    assert "not complete" in night.page.see("h1"), "nobody reads it without the signature"
