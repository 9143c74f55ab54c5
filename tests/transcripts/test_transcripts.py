"""Ten investigations as a person played them, replayed over the served simulation on the path that production takes."""

from __future__ import annotations

import pytest

from skills.faults import fault
from tests.transcripts.recited import Recited, all_of_them
from tests.transcripts.replay import investigated

TRANSCRIPTS = {t.scenario: t for t in all_of_them()}
HERRINGS = {"orders-volume-full", "cart-throttled", "policy-drops", "password-rotated"}


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_what_a_person_found_is_found_again(name: str) -> None:
    transcript = TRANSCRIPTS[name]
    model = Recited(transcript)
    played = investigated(transcript, model)
    finding = played.finding
    told = [(str(c.entity), c.fault) for c in finding.causes]
    why = (model.missed, [s.output for s in played.spans if s.name == "conclude"], finding.gaps)
    assert finding.verdict == transcript.verdict, why
    assert told == list(transcript.causes), why
    assert played.right, why
    assert not [g for g in finding.gaps if "the model" in g.what], why


def test_the_transcripts_are_of_ten_scenarios_of_different_groups() -> None:
    assert len(TRANSCRIPTS) >= 10
    assert len(HERRINGS & set(TRANSCRIPTS)) >= 3
    healthy = [t for t in TRANSCRIPTS.values() if t.verdict in ("false_alarm", "recovered")]
    assert len(healthy) >= 2
    assert any(t.flags for t in TRANSCRIPTS.values())
    assert len({fault(name).id[0] for t in TRANSCRIPTS.values() for _, name in t.causes}) >= 8
