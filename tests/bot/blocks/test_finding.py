"""The answer is at most eight short lines, each of which can be checked."""

from __future__ import annotations

import re

from bot.blocks import detail, finding, follow_up, incident, progress
from bot.blocks.case import Case
from bot.blocks.help import welcome
from bot.blocks.message import Message
from tests.bot import records
from workers.domain import (
    BeliefChange,
    Claim,
    Confidence,
    Feedback,
    GapRecord,
    Incident,
    Investigation,
    Progress,
    Reading,
)

INCIDENT = Incident(
    id="i1", customer="acme", alert_type="KubePodCrashLooping", service="cart", title="cart", opened_at=records.AT
)
INVESTIGATION = Investigation(id="n1", incident_id="i1", customer="acme", state="done", created_at=records.AT)


def case(**changes: object) -> Case:
    fields: dict[str, object] = {
        "incident": INCIDENT,
        "investigation": INVESTIGATION,
        "alerts": (records.alert(),),
        "finding": records.finding(),
        "record": {"high": (11, 13)},
        "page": lambda e: f"https://gumshoe.example.com/i/n1?sig=s{'#' + e if e else ''}",
    }
    return Case(**(fields | changes))  # type: ignore[arg-type]  # the fields of Case, by name


def said(message: Message) -> str:
    return "\n".join(
        part["text"]
        for block in message.blocks
        for part in ([block["text"]] if "text" in block else block.get("elements", []))
        if isinstance(part.get("text"), str)
    )


def test_the_answer_comes_first_with_its_confidence_and_track_record() -> None:
    first = said(finding.render(case())).splitlines()[0]
    assert "is OOMKilled: its memory limit went from 512Mi to 128Mi" in first
    assert "● High (right 11 of 13 here)" in first


def test_the_answer_has_at_most_eight_lines_and_a_footer() -> None:
    readings = (Reading(kind="owner", text="team-cart"),)
    assert len(finding.answer_lines(case(readings=readings))) <= 8
    assert len(finding.answer_lines(case(finding=records.finding(impact=None)))) <= 8


def test_every_evidence_line_leads_to_its_system_and_to_gumshoes_page() -> None:
    text = said(finding.render(case()))
    assert "[<https://gumshoe.example.com/i/n1?sig=s#E5|E5>]" in text
    assert "<https://console.example.com/shop/cart?a=1&amp;b=2|kubernetes>" in text
    assert 2 <= len(re.findall("^•", text, re.MULTILINE)) <= 4


def test_gaps_next_check_owner_and_runbook_are_named() -> None:
    text = said(finding.render(case(readings=(Reading(kind="owner", text="team-cart"),))))
    assert "*Not seen:* node metrics (403 forbidden)" in text
    assert "*Ruled out:* memory leak (working set flat for 7 days)" in text
    assert "*Next:* `kubectl -n shop rollout history deploy/cart --revision=42`" in text
    assert "owner: team-cart" in text
    assert "<https://runbooks.example.com/crash-looping|crash-looping>" in text


def test_a_log_line_in_json_is_told_by_its_message_and_error() -> None:
    line = '{"level":"error","ts":"2026-11-25T13:04:45.143Z","msg":"upstream call failed","error":"connection refused"}'
    text = said(finding.render(case(finding=records.finding(evidence=(records.evidence(3, line),)))))
    assert "•  upstream call failed: connection refused  [" in text
    assert "{" not in text


def test_an_evidence_line_is_short_and_ends_at_a_word() -> None:
    change = (
        "image registry.example.com/shop/cart:1.33.0 -> registry.example.com/shop/cart:1.33.1 at 2026-11-25T13:04:45Z"
    )
    long = records.evidence(3, f"{change} " + "and more words " * 20)
    (line,) = (
        row for row in said(finding.render(case(finding=records.finding(evidence=(long,))))).splitlines() if "•" in row
    )
    assert line.startswith("•  image cart:1.33.0 -> 1.33.1 at 13:04:45 UTC and more".replace(">", "&gt;"))
    assert re.search(r" (and|more|words)…  \[<", line)


def test_lines_of_one_error_are_one_observation_told_by_the_exception() -> None:
    trace = (
        'Traceback (most recent call last):\n  File "/app/totals.py", line {0}, in _total\nAttributeError: no currency'
    )
    lines = tuple(records.evidence(n, f"13:0{n}:45 ERROR POST /orders: {trace.format(52)}") for n in (3, 5))
    text = said(finding.render(case(finding=records.finding(evidence=lines))))
    assert "•  13:03:45 ERROR POST /orders: AttributeError: no currency  [" in text
    assert text.count("AttributeError") == 1
    assert "#E3|E3>] [<" in text
    assert "#E5|E5>]" in text


def test_what_was_ruled_out_for_one_reason_is_told_with_it_once() -> None:
    same = [records.finding().ruled_out[0].model_copy(update={"fault": f}) for f in ("memory_leak", "memory_leak", "b")]
    text = said(finding.render(case(finding=records.finding(ruled_out=tuple(same)))))
    assert "*Ruled out:* memory leak, b (working set flat for 7 days)" in text
    assert said(detail.render(case(finding=records.finding(ruled_out=tuple(same))))).count("✕") == 2


def test_the_footer_says_what_it_cost_and_which_guidance_was_used() -> None:
    foot = finding.footer(case())
    assert foot.startswith('38 s · 21k tokens (estimated) · $0.04 · guidance "cart memory" v2')
    assert "automated" in foot


def test_a_confidence_that_a_rule_held_down_says_so() -> None:
    held = (
        records.finding()
        .causes[0]
        .model_copy(update={"confidence": Confidence(band="medium", value=0.6, capped_by="a single source")})
    )
    shown = said(finding.render(case(finding=records.finding(causes=(held,)), record={})))
    assert "◐ Medium (a single source; no record here yet)" in shown


def test_what_is_not_known_is_said_to_be_inconclusive_once() -> None:
    unsure = records.finding(verdict="inconclusive", headline=Claim(text="Inconclusive, strongest lead: cart memory."))
    assert said(finding.render(case(finding=unsure))).lower().count("inconclusive") == 1
    bare = records.finding(verdict="inconclusive", headline=Claim(text="cart memory."))
    assert said(finding.render(case(finding=bare))).startswith("*Inconclusive, strongest lead: cart memory.*")


def test_without_any_lead_none_is_promised() -> None:
    nothing = records.finding(verdict="inconclusive", headline=Claim(text="no system could be read."), causes=())
    assert said(finding.render(case(finding=nothing))).startswith("*Inconclusive: no system could be read.*")


def test_telemetry_in_a_finding_can_call_nobody() -> None:
    nasty = "<!channel> <@U1> <https://evil.example.com|free>"
    dirty = records.finding(
        headline=Claim(text=nasty, evidence=("E3",)),
        evidence=(records.evidence(3, nasty), records.evidence(5, nasty, link="javascript:alert(1)")),
        next=(nasty,),
        gaps=(GapRecord(what=nasty, why=nasty),),
    )
    for message in (finding.render(case(finding=dirty)), detail.render(case(finding=dirty))):
        text = said(message) + message.text
        assert "<!channel>" not in text
        assert "<@U1>" not in text
        assert "|free>" not in text
        assert "javascript" not in text


def test_votes_are_counted_in_the_footer_and_withdrawn_ones_are_not() -> None:
    def vote(person: str, said: str, withdrawn: bool = False) -> Feedback:
        fields = {"vote": said, "via": "reaction", "withdrawn": withdrawn, "created_at": records.AT}
        return Feedback.model_validate({"id": person, "investigation_id": "n1", "person": person, **fields})

    votes = {"U1": vote("U1", "right"), "U2": vote("U2", "wrong"), "U3": vote("U3", "wrong", withdrawn=True)}
    assert "1 × right · 1 × wrong" in finding.footer(case(feedback=votes))


def test_each_update_has_new_block_ids() -> None:
    ids = [
        [b["block_id"] for b in finding.render(case(version=v)).blocks if "block_id" in b] for v in ("1.1.1", "2.1.1")
    ]
    assert ids[0] != ids[1]


def test_the_buttons_are_right_wrong_cannot_tell_and_evidence() -> None:
    buttons = finding.render(case()).blocks[-1]["elements"]
    assert [b["text"]["text"] for b in buttons] == ["Right", "Wrong", "Can't tell", "Evidence"]
    assert buttons[3]["url"] == "https://gumshoe.example.com/i/n1?sig=s"


def test_progress_names_unreachable_systems_and_belief_changes_and_offers_to_stop() -> None:
    change = BeliefChange(hypothesis="H1", change="strengthened", text="limit too low", evidence=("E5",), at=records.AT)
    shown = Progress(
        phase="investigating",
        skills_on=("kubernetes",),
        unreachable=(GapRecord(what="prometheus", why="connection refused"),),
        symptoms=("6 OOMKilled restarts of cart",),
        beliefs=(change,),
        doing="kubernetes_describe",
    )
    running = INVESTIGATION.model_copy(update={"state": "running"})
    message = progress.render(case(finding=None, investigation=running, progress=shown))
    text = said(message)
    assert "*Cannot reach prometheus:* connection refused" in text
    assert "6 OOMKilled restarts of cart" in text
    assert "▲ strengthened: limit too low  [<https://gumshoe.example.com/i/n1?sig=s#E5|E5>]" in text
    assert message.blocks[-1]["elements"][0]["action_id"] == "stop"


def test_a_stopped_investigation_says_who_stopped_it() -> None:
    stopped = INVESTIGATION.model_copy(update={"state": "stopped", "stop_requested_by": "U7"})
    assert "Stopped by <@U7>" in said(progress.render(case(finding=None, investigation=stopped)))


def test_a_failed_investigation_says_why() -> None:
    failed = INVESTIGATION.model_copy(update={"state": "failed", "error": "the model refused"})
    assert "No answer: KubePodCrashLooping · cart*   the model refused" in said(
        progress.render(case(finding=None, investigation=failed))
    )


def test_the_detail_has_the_chain_the_alternatives_and_all_evidence() -> None:
    text = said(detail.render(case()))
    for part in ("Deployment shop/cart → Service shop/checkout", "(memory limit too low, high 0.91", "*Evidence*"):
        assert part in text
    assert all(f"#{e}|" in text for e in ("E3", "E5", "E8", "E9"))


def test_a_follow_up_quotes_its_question() -> None:
    asked = INVESTIGATION.model_copy(update={"question": "what about <redis>?"})
    assert said(follow_up.render(case(investigation=asked))).startswith("&gt; what about &lt;redis&gt;?")


def test_an_alert_by_webhook_gets_a_message_with_its_facts() -> None:
    text = said(incident.alert(case()))
    assert "[FIRING] KubePodCrashLooping shop/cart" in text
    assert "by alertmanager webhook" in text


def test_the_welcome_promises_what_was_measured_and_no_more() -> None:
    said = welcome(True, ["HighErrorRate", "KubePodNotReady"], ["KubeJobFailed"])
    assert "reliably found the cause of HighErrorRate, KubePodNotReady, and am still learning KubeJobFailed" in said
    assert "simulated" in said
    assert "reliably" not in welcome(True)
    assert "reliably" not in welcome(False, ["HighErrorRate"])
