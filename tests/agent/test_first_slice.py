"""One alert, first-look symptoms, the offline investigator, a finding."""

from datetime import timedelta

from tests.agent.company import ONSET, FakeSkill, MemoryJournal, change, looks, request, run, symptom
from workers.agent import finding_schema
from workers.domain import Finding
from workers.trace import is_step_state

OOM = symptom(
    "Deployment shop/cart",
    "memory_limit_too_low memory_leak",
    "`cart` is OOMKilled: its memory limit went from 512Mi to 128Mi, 6 restarts since 14:03",
    0.95,
    change="rollout-42",
)
ROLLOUT = change("rollout-42", "Deployment shop/cart", "limits.memory 512Mi -> 128Mi", ONSET - timedelta(minutes=2))


def test_a_decisive_symptom_is_concluded_in_one_pass():
    journal = MemoryJournal()
    finding = run(request(), FakeSkill(sees=looks(OOM, changes=[ROLLOUT])), journal=journal)
    assert finding.verdict == "incident"
    cause = finding.causes[0]
    assert (cause.entity.kind, cause.entity.name, cause.fault_id) == ("Deployment", "cart", "E1")
    assert cause.change == "rollout-42"
    assert cause.confidence.band == "high"
    assert "512Mi" in finding.headline.text
    assert [s.op for s in journal.spans].count("chat") == 1
    assert "`kubectl" in finding.next[0]


def test_every_step_is_a_span_with_one_step_state():
    journal = MemoryJournal()
    run(request(), FakeSkill(sees=looks(OOM, changes=[ROLLOUT])), journal=journal)
    assert [s.sequence for s in journal.spans] == list(range(len(journal.spans)))
    assert all(is_step_state(s.step_state) for s in journal.spans)
    states = [s.step_state for s in journal.spans]
    assert states == ["receive", "first_look", "plan", "hypothesise", "challenge", "conclude", "report"]


def test_the_finding_has_the_published_schema():
    finding = run(request(), FakeSkill(sees=looks(OOM)))
    written = finding.model_dump(mode="json", by_alias=True)
    assert set(finding_schema()["required"]) <= set(written)
    assert written["schema"] == 1
    assert Finding.model_validate(written) == finding
    cited = {n for claim in [written["headline"], *written["causes"]] for n in claim["evidence"]}
    assert cited <= {e["id"] for e in written["evidence"]}
