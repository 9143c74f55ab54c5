"""What a run says: text, page, picture."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from tests.evaluation.made import AT, HEALTHY, cause, finding, span
from tests.evaluation.results_of import HIGH_WRONG, RIGHT, WRONG, result, run_of
from workers.domain import GapRecord
from workers.evaluation import buckets, heatmap, page, register, text, trace_page
from workers.evaluation.admission import Admission, Refusal
from workers.evaluation.matrices import COLUMNS, Row, Transition, heat_map, of_results, transitions
from workers.evaluation.results import Result, Run, digest
from workers.evaluation.summary import Summary, summaries, summary

FEW = [result("a"), result("b", WRONG), result("c", HIGH_WRONG), result("quiet", finding(cause()), true=HEALTHY)]
MANY = [result(f"case{i}", RIGHT if i % 3 else WRONG) for i in range(24)]


def parts(run: Run) -> list[tuple[Summary, Sequence[Row], Sequence[Transition]]]:
    return [
        (s, heat_map(those), transitions(those))
        for s in summaries(run, buckets.rule())
        if (those := of_results(r for r in run.results if r.variant == s.variant))
    ]


def test_the_worst_defect_comes_first() -> None:
    run = run_of(*FEW)
    said = text.report(run, parts(run))
    assert said.index("High and wrong: 2") < said.index("right (pass@1)") < said.index("where it stands")
    assert "c: said memory_limit_too_low of Deployment shop/pricing (high)" in said


def test_averages_leave_out_what_was_not_asked() -> None:
    it = summary("offline", FEW, buckets.rule())
    assert it is not None
    assert it.passed.n == 4
    assert it.scores["entity"].n == 3
    assert it.scores["restraint"].n == 1


def test_repeats_of_one_case_weigh_as_one_case() -> None:
    tries = [result("a", RIGHT, repeat=i) for i in range(3)] + [result("b", WRONG, repeat=i) for i in range(3)]
    tries[2] = result("a", WRONG, repeat=2)
    it = summary("offline", tries, buckets.rule())
    assert it is not None
    assert (it.cases, it.passed.n, round(it.passed.value, 3)) == (2, 2, 0.333)
    assert it.pass_power_k == 0


def test_what_broke_has_passed_nothing() -> None:
    it = summary("offline", [result("a"), result("b", None)], buckets.rule())
    assert it is not None
    assert (it.passed.value, it.broken) == (0.5, (("b|offline|0", "broke"),))


def test_a_guesser_is_measured_on_the_same_cases_and_the_lift_is_paired() -> None:
    it = summary("offline", [result(f"c{i}", RIGHT, guessed=i < 2) for i in range(8)], buckets.rule())
    assert it is not None
    (rival,) = it.rivals
    assert (rival.entity.value, rival.lift.value) == (0.25, 0.75)
    assert it.chance_entity == 0.1


def test_a_cell_below_five_is_grey_and_each_has_its_n_and_its_keys() -> None:
    few, many = heat_map(of_results(FEW)), heat_map(of_results(MANY))
    assert all(c.few for row in few if row.kind == "alert" for c in row.cells.values() if c.n < 5)
    (alert,) = [row for row in many if row.kind == "alert"]
    assert (alert.cells["success"].n, len(alert.cells["success"].keys), alert.cells["success"].few) == (24, 24, False)
    assert heatmap.colour("success", few[-1].cells["success"], 0) == heatmap.GREY
    assert heatmap.colour("success", alert.cells["success"], 0) != heatmap.GREY


def test_only_the_first_failure_of_an_investigation_counts_in_the_matrix() -> None:
    moves = transitions(of_results(MANY))
    assert sum(len(m.keys) for m in moves) == sum(not r.passed for r in MANY)


def test_the_picture_is_a_png_as_large_as_its_rows() -> None:
    rows = heat_map(of_results(MANY))
    small = Image.open(io.BytesIO(heatmap.png("few", rows[:1], ())))
    large = Image.open(io.BytesIO(heatmap.png("many", rows, transitions(of_results(MANY)))))
    assert (small.format, large.format) == ("PNG", "PNG")
    assert large.size[1] > small.size[1]
    assert len(rows[-1].cells) == len(COLUMNS)


def test_every_cell_of_the_page_leads_to_investigations_and_these_to_their_traces() -> None:
    run = run_of(*FEW)
    html = page.page(run, parts(run), traces={r.key: f"traces/{r.case}.html" for r in FEW})
    ids = set(re.findall(r'id="(k[0-9a-f]{10})"', html))
    links = set(re.findall(r'href="#(k[0-9a-f]{10})"', html))
    assert links
    assert links <= ids
    assert 'href="traces/c.html"' in html
    assert not re.findall(r'(?:src|href)="https?:', html)


def test_what_a_log_line_says_cannot_break_the_page() -> None:
    run = run_of(result("x", finding(cause(), evidence=(("E1", "<script>alert(1)</script>"),))))
    html = page.page(run, parts(run))
    assert "<script>alert" not in html


def test_the_digest_forgets_durations_and_the_ports_at_which_a_world_was_served_and_nothing_else() -> None:
    def lacking(address: str) -> Result:
        gap = GapRecord(what="alerts", why=f"failed (500); asked: GET /api/v2/alerts at {address}")
        return result("a", RIGHT.model_copy(update={"gaps": (gap,)}))

    assert digest([lacking("http://127.0.0.1:41369")]) == digest([lacking("http://127.0.0.1:44333")])
    assert digest([lacking("http://10.0.0.7:9093")]) != digest([lacking("http://10.0.0.7:9094")])

    def timed(seconds: float, tokens: int = 1000) -> Result:
        used = RIGHT.used.model_copy(update={"seconds": seconds, "tokens": tokens})
        return result("a", RIGHT.model_copy(update={"used": used}))

    assert digest([timed(1)]) == digest([timed(2)])
    assert digest([timed(1)]) != digest([timed(1, tokens=1001)])
    assert digest([result("a")]) != digest([result("a", WRONG)])


def test_a_stopped_run_says_so_before_anything_else() -> None:
    run = run_of(*FEW, stopped="the limit of 1 dollars was reached")
    assert "NOT COMPLETE" in text.report(run, parts(run)).splitlines()[1]


def test_the_markdown_table_has_a_column_for_each_variant() -> None:
    run = run_of(*FEW, *(result(r.case, r.finding, variant="other", true=r.truth) for r in FEW))
    table = text.markdown(run, summaries(run, buckets.rule()))
    assert "| | offline | other |" in table
    assert "| High and wrong | 2 | 2 |" in table


def test_the_first_screen_says_where_it_is_good_where_it_learns_and_where_it_is_out_of_reach() -> None:
    good = [result(f"g{i}").model_copy(update={"group": "B", "leaf": "nodes_cordoned"}) for i in range(12)]
    weak = [result(f"w{i}", RIGHT if i % 2 else WRONG) for i in range(12)]
    dark = [
        result(f"d{i}", WRONG).model_copy(update={"group": "C", "leaf": "volume_full", "blind": True}) for i in range(3)
    ]
    run = run_of(*good, *weak, *dark)
    screen = text.report(run, parts(run)).partition("-- in detail")[0]
    assert "can solve     B Scheduling                       right 100% of 12, surely 76%" in screen
    assert "learning      E Container runtime and resources  right 50% of 12, surely only 25%" in screen
    assert "out of reach  C Storage                          data or a permission is absent in 3 of 3" in screen
    assert "all right in 1 of 3; not in volume_full 0/3, memory_limit_too_low 6/12" in screen
    assert screen.count("\n") < 24


def test_a_leaf_with_few_cases_is_promised_nothing() -> None:
    said = text.report(run_of(*FEW[:2]), parts(run_of(*FEW[:2])))
    assert re.search(r"^memory_limit_too_low .* too few: 1 of 2 right$", said, re.MULTILINE)


def test_how_many_are_admitted_is_said_or_said_to_be_unknown() -> None:
    run = run_of(*FEW)
    assert "scenarios admitted: not known (`gumshoe eval admit" in text.report(run, parts(run))
    refusal = Refusal(file="scenarios/b.yaml", key="faults.0.evidence.0", reason="shown by no skill")
    entries = (
        Admission(case="a", group="E", leaves=("memory_limit_too_low",)),
        Admission(case="b", group="E", leaves=("memory_leak",), refusals=(refusal,)),
        Admission(case="not-run", group="A"),
    )
    known = register.Register(ended_at=AT, version="0", cases=entries)
    said = register.in_words(known, ["a", "b", "c"])
    assert said == "1 of 2, 2026-11-24, over 1 faults and 0 kinds of group L; refused: b; 1 more were not judged"
    assert f"| scenarios admitted | {said} |" in text.markdown(run, [s for s, _, _ in parts(run)], said)


def test_a_judge_without_labels_is_shown_as_not_usable_and_never_as_a_score() -> None:
    run = run_of(*FEW)
    said = text.report(run, parts(run))
    assert "judge suspects_simulation: not usable (no labels); no score is shown" in said
    shown = page.page(run, parts(run))
    assert "not usable (no labels)" in shown


def test_a_cell_whose_interval_is_wide_is_grey_as_well() -> None:
    five = [result(f"c{i}", RIGHT if i else WRONG) for i in range(5)]
    (alert,) = [row for row in heat_map(of_results(five)) if row.kind == "alert"]
    assert (alert.cells["success"].n, alert.cells["success"].few) == (5, True)
    assert not alert.cells["time"].few


def test_every_trace_that_is_there_becomes_a_page_that_the_run_links_to_and_that_links_back(tmp_path: Path) -> None:
    there, absent = result("a"), result("b")
    run_file, shown = tmp_path / "runs" / "run.json", tmp_path / "pages" / "run.html"
    (tmp_path / "runs" / "run.json.traces").mkdir(parents=True)
    lines = [span(given={"query": "<script>"}).model_dump_json(), "cut off"]
    (tmp_path / "runs" / there.trace).write_text("\n".join(lines), encoding="utf-8")
    links = trace_page.write_all([there, absent], run_file, shown)
    assert links == {there.key: "run.html.traces/a.html"}
    written = (tmp_path / "pages" / links[there.key]).read_text(encoding="utf-8")
    assert 'href="../run.html"' in written
    assert "first look" in written
    assert "&lt;script&gt;" in written
    assert "1 lines of the trace cannot be read" in written
    run = run_of(there, absent)
    html = page.page(run, parts(run), traces=links)
    assert f'<a href="{links[there.key]}">trace, step by step</a>' in html
    assert "The trace run.json.traces/b.jsonl is not at hand." in html


def test_the_page_explains_its_colours_its_columns_and_its_rows() -> None:
    run = run_of(*MANY)
    html = page.page(run, parts(run))
    for said in ("fewer than 5, or an interval wider than 40 points", "step of an investigation", "alert type"):
        assert said in html
    assert all(f"<dt>{column}</dt>" in html for column in COLUMNS)
    assert "prefers-color-scheme: dark" in html
