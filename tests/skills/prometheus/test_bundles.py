"""Many questions in one query, against a server that takes all, some or none of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import promql_parser
import pytest

from skills.contract import LoadLimitReached, Series, ToolError
from skills.prometheus import analyzers
from skills.prometheus.bundles import MARK, ask_all, bundle
from skills.prometheus.client import Rejected

AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
QUESTIONS = {"up": "up", "size": "sum(size)", "odd": "a * on () b"}


def server(expression: str) -> tuple[Series, ...]:
    """Answers each part of a bundle with one series named after its expression, marked as it was asked to."""
    if "a * on () b" in expression:
        raise Rejected("many-to-many matching not allowed")
    parts = re.findall(rf'label_replace\((.+?), "{MARK}", "(\w+)", "", ""\)', expression) or [(expression, "")]
    return tuple(Series({"of": part, **({MARK: name} if name else {})}, ((AT, 1.0),)) for part, name in parts)


def test_each_question_gets_its_own_answer_without_the_mark() -> None:
    answers = ask_all({"up": "up", "size": "sum(size)"}, server, 1)
    assert {
        name: [dict(s.labels) for s in told] for name, told in answers.items() if not isinstance(told, ToolError)
    } == {
        "up": [{"of": "up"}],
        "size": [{"of": "sum(size)"}],
    }


def test_a_question_that_the_server_rejects_costs_itself_alone() -> None:
    answers = ask_all(QUESTIONS, server, 1)
    assert isinstance(answers["odd"], ToolError)
    assert [isinstance(answers[name], tuple) for name in ("up", "size")] == [True, True]


@pytest.mark.parametrize("refusal", [ToolError("did not answer"), LoadLimitReached("the limit is reached")])
def test_silence_and_the_limit_are_not_answered_with_more_questions(refusal: ToolError) -> None:
    asked: list[str] = []

    def refuse(expression: str) -> tuple[Series, ...]:
        asked.append(expression)
        raise refusal

    answers = ask_all(QUESTIONS, refuse, 2)
    assert len(asked) == 2
    assert all(isinstance(told, ToolError) for told in answers.values())


def test_all_questions_of_the_analyzers_together_are_promql() -> None:
    questions = {q.name: q.expression.replace("{ns}", 'namespace=~"shop"') for q in analyzers.questions()}
    promql_parser.parse(bundle(questions, [*questions]))
