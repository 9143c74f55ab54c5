"""What a model reads of a result: everything that matters, once."""

from datetime import timedelta
from typing import Any

from skills.contract import Change, Edge, Excerpt, FirstLook, Symptom, ToolResult
from tests.agent.company import ONSET, change, entity, symptom
from workers.agent import render
from workers.agent.evidence import Ledger
from workers.agent.topology import Topology

LINE = '{"level":"error","msg":"upstream call failed","peer":"cart","error":"connection refused"}'
OOM = symptom("Deployment shop/cart", "memory_limit_too_low", "cart is OOMKilled", 0.95)


def read(look: FirstLook) -> str:
    ledger = Ledger()
    seen = ledger.take("made-up", "first_look", look)
    return "\n".join([render.summary(seen, ledger), *render.body(seen, ledger)])


def test_a_line_that_has_a_number_is_shown_once():
    page = read(FirstLook(text=f"2 lines\nNEW x2 checkout: {LINE}", evidence=(Excerpt(text=LINE, query="errors"),)))
    assert page == f"2 lines\nNEW x2 checkout: [E1]\n[E1] {LINE}"


def test_what_a_symptom_says_is_not_said_by_the_summary_as_well():
    page = read(FirstLook(text="1 candidate\ncause 0.95: cart is OOMKilled", symptoms=(OOM,)))
    assert page.startswith("1 candidate\n[E1] cart is OOMKilled (2026-03-04T14:04:00Z)\n<symptoms>")


def test_a_flood_of_lines_does_not_hide_what_symptoms_rest_on():
    flood = tuple(Excerpt(text=f"pod {i} restarted", query="pods") for i in range(2 * render.LINES))
    page = read(FirstLook(text="many", evidence=flood, symptoms=(OOM,)))
    assert "] cart is OOMKilled (" in page
    assert f"… {render.LINES + 1} more lines in the record" in page


def test_that_a_service_has_its_own_workload_behind_it_takes_no_line():
    own = Edge(entity("Service shop/cart"), entity("Deployment shop/cart"), "selector")
    other = Edge(entity("Service shop/cart"), entity("Deployment shop/basket"), "selector")
    assert Topology(Ledger()).telling((own, other)) == (other,)


def test_that_a_service_has_a_stateful_set_behind_it_is_told():
    store = Edge(entity("Service shop/cart-db"), entity("StatefulSet shop/cart-db"), "selector")
    assert Topology(Ledger()).telling((store,)) == (store,)


def shown(*texts: str, **more: Any) -> str:
    ledger = Ledger()
    evidence = tuple(Excerpt(text=t, query="logs") for t in texts)
    seen = ledger.take("kubernetes", "kubernetes_logs", ToolResult("ok", "lines", evidence, **more))
    return render.result(seen, ledger)


def test_log_lines_that_are_alike_are_told_by_the_first_ones_and_the_last():
    refused = [
        f'2026-11-24 14:17:{i}.475 UTC [{i}] FATAL:  password failed for user "orders_rw"' for i in range(10, 40)
    ]
    page = shown(*refused[:20], "2026-11-24 14:18:00 UTC [7] LOG:  checkpoint complete", *refused[20:])
    assert [line.split("]")[0][1:] for line in page.splitlines()[1:] if line.startswith("[")] == [
        "E1",
        "E2",
        "E3",
        "E21",
        "E31",
    ]
    assert "… 26 more like these: E4-E20, E22-E30" in page


def test_lines_about_different_things_are_all_told():
    page = shown(*(f"node ip-10-0-36-{i} taint dedicated=batch" for i in range(10, 20)))
    assert page.count("taint") == 10


def test_a_line_that_does_not_tell_its_time_is_given_it():
    ledger = Ledger()
    told = Excerpt(text="Deployment cart revision 7: image a -> b", query="q", at=ONSET)
    knows = Excerpt(text=f"restarted at {ONSET:%H:%M:%S}", query="q", at=ONSET)
    page = render.result(ledger.take("k", "t", ToolResult("ok", "", (told, knows))), ledger)
    assert "image a -> b (2026-03-04T14:04:00Z)" in page
    assert page.endswith("restarted at 14:04:00")


def test_what_a_change_says_is_not_said_by_a_line_as_well():
    rollout = change("r7", "Deployment shop/cart", "limits.memory 512Mi -> 128Mi", ONSET)
    page = read(FirstLook(text="1 change", changes=(rollout,)))
    assert page.count("512Mi -> 128Mi") == 1
    assert '"evidence": ["E1"]' in page


def test_a_faint_symptom_that_is_over_takes_one_line():
    lines = tuple(Excerpt(text=f"broken off {c}", query="q") for c in "abc")
    over = Symptom(
        "a", entity("Deployment shop/web"), (), "web loses connections", 0.1, lines, role="effect", ongoing=False
    )
    assert [f"broken off {c}" in read(FirstLook(text="", symptoms=(over,))) for c in "abc"] == [True, False, False]


def test_a_sufferer_shows_its_first_and_its_last_line_and_a_cause_all_of_them():
    lines = tuple(Excerpt(text=f"broken off {c}", query="q") for c in "abc")
    for role, shown_lines in (("effect", [True, False, True]), ("cause", [True, True, True])):
        now = Symptom("a", entity("Deployment shop/web"), (), "web loses connections", 0.4, lines, role=role)
        assert [f"broken off {c}" in read(FirstLook(text="", symptoms=(now,))) for c in "abc"] == shown_lines


def test_a_trace_that_was_shown_is_not_shown_again_though_its_time_is_another():
    trace = "Traceback (most recent call last):\n  File x.py, line 9\nKeyError: 'id'"
    ledger = Ledger()
    texts = [f"2026-11-24 14:0{i}:00 ERROR in quote\n{trace}" for i in range(3)]
    evidence = tuple(Excerpt(text=t, query="logs") for t in texts)
    seen = ledger.take("k", "t", ToolResult("ok", f"1 template\nNEW x3: {texts[0]}", evidence))
    page = render.result(seen, ledger)
    assert page.count("KeyError") == 1
    assert "NEW x3: [E1]" in page
    assert "[E3] 2026-11-24 14:02:00 ERROR in quote (… the trace of [E1])" in page


def test_a_long_trace_keeps_its_last_line():
    trace = "\n".join(
        ["Traceback (most recent call last):", *("  File x.py, line 1" for _ in range(80)), "KeyError: 'id'"]
    )
    page = shown(trace)
    assert page.endswith("KeyError: 'id'")
    assert "more characters" in page


def test_a_result_that_tells_nothing_new_names_its_lines_and_repeats_none():
    ledger = Ledger()
    same = ToolResult("ok", "3 lines", tuple(Excerpt(text=f"pod {c} is fine", query="q") for c in "abc"))
    ledger.take("k", "t", same)
    page = render.result(ledger.take("k", "t2", same), ledger, known_is_above=True)
    assert page == "ok: 3 lines\nNothing new: every line of this was seen before: E1-E3."


def many_changes() -> list[Change]:
    about = "Deployment shop/cart"
    return [change(f"r{n}", about, f"image 1.{n} -> 1.{n + 1}", ONSET - timedelta(minutes=90 - n)) for n in range(40)]


def test_of_many_changes_the_latest_are_told():
    page = read(FirstLook(text="many", changes=tuple(many_changes())))
    assert '"id": "r39"' in page
    assert '"id": "r9"' not in page
    assert "10 earlier changes in the record" in page


def test_changes_that_a_tool_tells_of_are_known_by_their_ids_like_those_of_the_first_look():
    ledger = Ledger()
    seen = ledger.take(
        "kubernetes", "kubernetes_rollouts", ToolResult("ok", "1 change", changes=tuple(many_changes()[:1]))
    )
    assert '"id": "r0"' in render.result(seen, ledger)
    assert "r0" in ledger.changes
