"""What is run: cases by name, variants crossed, guidance from a file, cost said beforehand."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from bot.cli.eval._bar import Bar
from workers.evaluation.cases import CaseError, case, chosen
from workers.evaluation.estimate import estimate, typical
from workers.evaluation.notebooks import NotebookError, notebook
from workers.evaluation.runner import Plan, Progress
from workers.evaluation.variants import Notebook, Toggle, Variant, base_of, crossed, toggle_of


def test_cases_are_chosen_by_glob_by_list_and_by_file(tmp_path: Path) -> None:
    listed = tmp_path / "mine"
    listed.write_text("# two of them\nselector-mismatch\noom-after-* # a glob\n")
    assert chosen([f"@{listed}"]) == ("oom-after-deploy", "selector-mismatch")
    assert chosen(["selector-mismatch,oom-after-deploy"]) == ("oom-after-deploy", "selector-mismatch")
    listed.write_text("selector-mismatch\nno-such-case\n")
    with pytest.raises(CaseError, match=r"mine:2: no case matches 'no-such-case'"):
        chosen([f"@{listed}"])


def test_a_case_knows_its_group_and_whether_telemetry_was_removed() -> None:
    assert (case("oom-after-deploy").group, case("oom-after-deploy").blind) == ("E", False)
    assert case("retired-machine").group == "L"
    assert case("logs-missing").blind


def test_a_toggle_runs_only_where_it_changes_something() -> None:
    it = case("oom-after-deploy")
    assert Variant("offline").applies_to(it)
    assert Variant("offline", Toggle(without=("prometheus",))).applies_to(it)
    assert not Variant("offline", Toggle(without=("mcp",))).applies_to(it)
    assert not Variant("offline", Toggle(only=("mcp",))).applies_to(it)
    assert Toggle(only=("prometheus", "kubernetes")).on(it.skills) == tuple(
        s for s in it.skills if s in ("prometheus", "kubernetes")
    )


def test_variants_are_crossed_and_named_by_what_is_different() -> None:
    names = [v.name for v in crossed(["a", "b"], [Toggle(), Toggle(without=("loki",))], [Notebook()])]
    assert names == ["a", "a, without loki", "b", "b, without loki"]
    assert (base_of(names[1]), toggle_of(names[1]), toggle_of(names[0])) == ("a", "without loki", "")


def test_every_case_is_tried_once_before_any_is_tried_twice() -> None:
    plan = Plan(("oom-after-deploy", "selector-mismatch"), (Variant("offline"),), repeats=2)
    assert [(j.case[:3], j.repeat) for j in plan.jobs] == [("oom", 0), ("sel", 0), ("oom", 1), ("sel", 1)]


def test_guidance_from_a_file_has_the_readings_of_the_rules(tmp_path: Path) -> None:
    path = tmp_path / "cart.yaml"
    path.write_text("- alert_type: KubePodCrashLooping\n  text: cart OOM is expected\n")
    (it,) = notebook(path).guidance
    assert (it.readings[0].kind, it.readings[0].fault) == ("expected", "memory_limit_too_low")
    path.write_text("alert_type: X\ntxt: nothing\n")
    with pytest.raises(NotebookError, match=r"cart\.yaml: 0\.text: Field required"):
        notebook(path)


def test_only_paid_investigations_cost_and_a_dearer_model_costs_more() -> None:
    plan = Plan(("oom-after-deploy",), crossed(["offline", "claude-sonnet-5-5"], [], []), repeats=3)
    said = estimate(plan.jobs, "offline", 1.0)
    assert (said.investigations, said.most) == (3, 3.0)
    assert said.dollars == pytest.approx(3 * typical("claude-sonnet-5-5"))
    assert typical("claude-haiku-5-5") < typical("claude-sonnet-5-5") < typical("claude-opus-5-5") < 1.0


def test_the_bar_says_done_right_and_time_left() -> None:
    out = io.StringIO()
    bar = Bar(out)
    for done in range(0, 11):
        bar(Progress(done, 10, done / 2, done * 3.0, 0.25))
    lines = out.getvalue().splitlines()
    assert len(lines) == 11
    assert lines[5].endswith("5/10, right 2.5 (50%), 0:15 left, $0.25")
    assert lines[10].startswith("[##############################] 10/10")


def test_a_resumed_bar_does_not_count_what_was_done_before_as_speed() -> None:
    out = io.StringIO()
    bar = Bar(out)
    bar(Progress(8, 10, 8, 0.0, 0))
    bar(Progress(9, 10, 9, 3.0, 0))
    assert "0:03 left" in out.getvalue().splitlines()[-1]
