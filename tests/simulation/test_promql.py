"""PromQL against results that were worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from workers.simulation.metrics.series import Series
from workers.simulation.promql.evaluate import Evaluator
from workers.simulation.promql.functions import histogram_quantile
from workers.simulation.promql.syntax import Matcher, NotSupported, ParseError, Selector, duration, parse
from workers.simulation.promql.text import number
from workers.simulation.promql.values import ExecutionError

NOW = 6000.0


class Few:
    """A handful of series with values that can be worked out in the head; scraped at multiples of 30 s."""

    def __init__(self) -> None:
        def series(
            name: str, value: Callable[[float], float], start: float = 0.0, end: float = math.inf, **labels: str
        ) -> Series:
            return Series({"__name__": name, **labels}, value, ((start, end),))

        self.all = [
            series("requests_total", lambda t: t * 2, job="a", code="200"),
            series("requests_total", lambda t: t * 0.5, job="a", code="500"),
            series("requests_total", lambda t: t if t < 5900 else t - 5900, job="b", code="200"),
            series("size", lambda _t: 10.0, job="a", pod="x"),
            series("size", lambda _t: 30.0, job="a", pod="y"),
            series("size", lambda _t: 5.0, job="b", pod="z"),
            series("limit", lambda _t: 20.0, job="a"),
            series("limit", lambda _t: 40.0, job="b"),
            series("gone", lambda _t: 1.0, end=5000.0, job="a"),
            series("slope", lambda t: 3 * t + 7, job="a"),
            *(
                series("dur_bucket", lambda t, c=c: t * c, le=le)
                for le, c in (("0.1", 5.0), ("0.5", 9.0), ("1", 10.0), ("+Inf", 10.0))
            ),
        ]

    def select(self, name: str, matchers: tuple[Matcher, ...]) -> list[Series]:
        def fits(m: Matcher, s: Series) -> bool:
            equal = s.labels.get(m.label, "") == m.value
            return equal if m.op == "=" else not equal

        return [s for s in self.all if s.labels["__name__"] == name and all(fits(m, s) for m in matchers)]


def result(expression: str, at: float = NOW) -> dict[str, float] | float | str:
    """`label values` -> value of a vector; a scalar or string as it is."""
    value = Evaluator(Few(), NOW).at(parse(expression), at)
    if not isinstance(value, list):
        return value
    return {",".join(v for _, v in e.labels): e.value for e in value}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('rate(requests_total{job="a"}[5m])', {"200,a": 2.0, "500,a": 0.5}),
        ("sum by (job) (rate(requests_total[5m]))", {"a": 2.5, "b": 250 / 270}),
        ("sum(size)", {"": 45.0}),
        ("sum without (pod) (size)", {"a": 40.0, "b": 5.0}),
        ("avg by (job) (size)", {"a": 20.0, "b": 5.0}),
        ("max(size) - min(size)", {"": 25.0}),
        ("count by (job) (size)", {"a": 2.0, "b": 1.0}),
        ("topk(1, size)", {"size,a,y": 30.0}),
        ("bottomk(1, size)", {"size,b,z": 5.0}),
        ("quantile(0.5, size)", {"": 10.0}),
        ("size > 8", {"size,a,x": 10.0, "size,a,y": 30.0}),
        ("size > bool 8", {"a,x": 1.0, "a,y": 1.0, "b,z": 0.0}),
        ("size / on (job) group_left limit", {"a,x": 0.5, "a,y": 1.5, "b,z": 0.125}),
        ("sum by (job) (size) / limit", {"a": 2.0, "b": 0.125}),
        ("sum by (job) (size) > limit", {"a": 40.0}),
        ('size and on (job) limit{job="b"}', {"size,b,z": 5.0}),
        ('size unless on (job) limit{job="b"}', {"size,a,x": 10.0, "size,a,y": 30.0}),
        ("absent(size)", {}),
        ('absent(nothing{job="q"})', {"q": 1.0}),
        ("gone", {}),
        ("deriv(slope[5m])", {"a": 3.0}),
        ("delta(slope[5m])", {"a": 900.0}),
        ("slope offset 10m", {"slope,a": 16207.0}),
        ("changes(size[5m])", {"a,x": 0.0, "a,y": 0.0, "b,z": 0.0}),
        ('resets(requests_total{job="b"}[5m])', {"200,b": 1.0}),
        ('irate(requests_total{code="500"}[5m])', {"500,a": 0.5}),
        ("max_over_time(slope[1m])", {"a": 18007.0}),
        ("count_over_time(slope[5m])", {"a": 10.0}),
        ("predict_linear(slope[5m], 600)", {"a": 19807.0}),
        ("histogram_quantile(0.5, rate(dur_bucket[5m]))", {"": 0.1}),
        ("histogram_quantile(0.9, rate(dur_bucket[5m]))", {"": 0.5}),
        ("clamp_max(size, 12)", {"a,x": 10.0, "a,y": 12.0, "b,z": 5.0}),
        ("vector(3) + 2 ^ 3 ^ 0", {"": 5.0}),
        ("1 + 2 * 3 - -4 % 3", 8.0),
        ("time()", NOW),
        ('label_replace(limit, "team", "team-$1", "job", "(.*)")', {"limit,a,team-a": 20.0, "limit,b,team-b": 40.0}),
        ("-size", {"a,x": -10.0, "a,y": -30.0, "b,z": -5.0}),
        ("scalar(sum(limit))", 60.0),
        ("5 > bool 3", 1.0),
    ],
)
def test_expression_gives_what_was_worked_out(expression: str, expected: dict[str, float] | float) -> None:
    found = result(expression)
    if isinstance(expected, dict):
        assert isinstance(found, dict)
        assert found == pytest.approx(expected)
    else:
        assert found == pytest.approx(expected)


def test_rate_bridges_a_counter_reset_and_increase_extrapolates_to_the_edges() -> None:
    # From 5730 to 5880 it grows by 150; at 5910 it is 10 after a reset, at 6000 it is 100: 250 over 270 s, made 300 s.
    assert result('increase(requests_total{job="b"}[5m])') == pytest.approx({"200,b": 250 * 300 / 270})


def test_a_series_that_ended_is_gone_at_once_and_there_before() -> None:
    assert result("gone", at=4900.0) == {"gone,a": 1.0}
    assert result("gone", at=5031.0) == {}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("rate(up[5m]", "1:12: parse error: unclosed left parenthesis"),
        ("sum by (job (up)", '1:13: parse error: unexpected "(" in grouping opts, expected "," or ")"'),
        ('up{job="a"', "1:11: parse error: unexpected end of input inside braces"),
        ("up[5x]", '1:4: parse error: bad number or duration syntax: "5x"'),
        ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
        ("", "no expression found"),
        ("up up", '1:4: parse error: unexpected identifier "up"'),
        ('up{a=~"("}', "1:8: parse error: error parsing regexp: missing closing ): `(`"),
        ("up > > 1", "1:6: parse error: unexpected <op:>>"),
        ("sum(up) /", "1:10: parse error: unexpected end of input"),
        ("up)", "1:3: parse error: unexpected right parenthesis ')'"),
        ("rate(up)", '1:6: parse error: expected type range vector in call to function "rate", got instant vector'),
        ("rates(up[5m])", '1:1: parse error: unknown function with name "rates"'),
        ("topk(up)", "wrong number of arguments for aggregate expression provided, expected 2, got 1"),
        ("1 > 2", "1:1: parse error: comparisons between scalars must use BOOL modifier"),
        ("up or 1", '1:1: parse error: set operator "or" not allowed in binary scalar expression'),
        ("up\n  up", '2:3: parse error: unexpected identifier "up"'),
    ],
)
def test_what_is_no_promql_is_refused_with_its_place(text: str, where: str) -> None:
    with pytest.raises(ParseError) as error:
        parse(text)
    assert where in str(error.value)


def test_subqueries_are_refused_clearly() -> None:
    with pytest.raises(NotSupported, match="subqueries"):
        parse("max_over_time(rate(up[5m])[1h:1m])")
    with pytest.raises(NotSupported, match="subqueries"):
        parse("max_over_time(up[1h:5m])")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("up @ 1764072000", "@ modifier is disabled"),
        ("limitk(2, up)", "limitk() is experimental"),
        ("mad_over_time(up[5m])", 'function "mad_over_time" is not enabled'),
    ],
)
def test_what_the_server_has_switched_off_is_refused_in_its_words(text: str, words: str) -> None:
    with pytest.raises(NotSupported) as error:
        parse(text)
    assert words in str(error.value)


def test_many_to_many_is_an_execution_error() -> None:
    with pytest.raises(ExecutionError, match="many-to-many"):
        result("limit / on () size")


def test_precedence_is_that_of_prometheus() -> None:
    tree = parse("a or b and c == d + e * f ^ g")
    assert tree.op == "or"  # type: ignore[union-attr]
    assert tree.right.op == "and"  # type: ignore[union-attr]
    assert tree.right.right.op == "=="  # type: ignore[union-attr]
    assert parse('x{a=~`b\\d|"c`}') == Selector("x", (Matcher("a", "=~", 'b\\d|"c'),))
    assert parse("x[5m] offset 1h") == Selector("x", (), 300.0, 3600.0)


def test_durations_and_numbers_are_written_as_prometheus_does() -> None:
    assert duration("1h30m") == 5400
    assert [number(v) for v in (1.0, 0.5, math.nan, math.inf, 1e-05, 123456789.25)] == [
        "1",
        "0.5",
        "NaN",
        "+Inf",
        "0.00001",
        "123456789.25",
    ]


def test_quantile_of_an_empty_or_open_histogram() -> None:
    assert math.isnan(histogram_quantile(0.5, [(1.0, 0.0), (math.inf, 0.0)]))
    assert histogram_quantile(0.99, [(1.0, 1.0), (math.inf, 10.0)]) == 1.0
