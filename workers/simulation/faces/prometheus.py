"""The Prometheus HTTP API of the world: queries, series, labels, rules, alerts, targets, metadata.

Shapes: Prometheus 2.54 HTTP API; errors carry errorType and error as the real server does.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from workers.simulation import clock, dice
from workers.simulation.alerts import Rules
from workers.simulation.faces.exchange import Ask, Reply, as_json
from workers.simulation.metrics.series import Series
from workers.simulation.promql.evaluate import Evaluator
from workers.simulation.promql.syntax import Matcher, Node, NotSupported, ParseError, Selector, duration, parse
from workers.simulation.promql.text import number
from workers.simulation.promql.values import ExecutionError, Found, Rows
from workers.simulation.scene import Scene

MAX_POINTS = 11_000
_PAGE = b"<!doctype html><title>Prometheus Time Series Collection and Processing Server</title>\n"


class Bad(Exception):
    """A request that is answered with status error."""

    def __init__(self, message: str, kind: str = "bad_data", status: int = 400) -> None:
        super().__init__(message)
        self.message, self.kind, self.status = message, kind, status


class Prometheus:
    def __init__(self, scene: Scene, rules: Rules) -> None:
        self._scene, self._rules = scene, rules
        self._evaluator = Evaluator(self, scene.world.now)
        self.refused: Counter[str] = Counter()

    def answer(self, ask: Ask) -> Reply:
        try:
            return self._route(ask)
        except Bad as bad:
            return as_json({"status": "error", "errorType": bad.kind, "error": bad.message}, bad.status)

    def _route(self, ask: Ask) -> Reply:
        if ask.path in ("/-/healthy", "/-/ready"):
            return Reply(200, b"Prometheus Server is Healthy.\n", "text/plain; charset=utf-8")
        if ask.path == "/":
            return Reply(302, b'<a href="/graph">Found</a>.\n\n', "text/html; charset=utf-8", {"Location": "/graph"})
        if ask.path == "/graph":
            return Reply(200, _PAGE, "text/html; charset=utf-8")
        if ask.method == "POST":
            ask = ask.form()
        path = ask.path.removeprefix("/api/v1/")
        if (found := re.fullmatch(r"label/([a-zA-Z_][a-zA-Z0-9_]*)/values", path)) is not None:
            return _good(self._label_values(ask, found[1]))
        answers = {
            "query": self._query,
            "query_range": self._query_range,
            "series": self._series,
            "labels": self._labels,
            "rules": self._rules_answer,
            "alerts": self._alerts,
            "targets": self._targets,
            "targets/metadata": self._targets_metadata,
            "scrape_pools": lambda _: {
                "scrapePools": sorted({s.labels["job"] for s in self._scene.metrics.named("up")})
            },
            "metadata": self._metadata,
            "status/buildinfo": self._build,
        }
        if not ask.path.startswith("/api/v1/") or path not in answers:
            self.refused[f"{ask.method} {ask.path}"] += 1
            return Reply(404, b"404 page not found\n", "text/plain; charset=utf-8")
        if ask.method not in ("GET", "POST"):
            self.refused[f"{ask.method} {ask.path}"] += 1
            return Reply(405, b"Method Not Allowed\n", "text/plain; charset=utf-8")
        answered = answers[path](ask)
        return answered if isinstance(answered, Reply) else _good(answered)

    # Queries

    def _parsed(self, text: str, parameter: str = "query") -> Node:
        try:
            return parse(text)
        except NotSupported as error:
            self.refused[f"promql {str(error).rpartition(': ')[2]}"] += 1
            raise Bad(f'invalid parameter "{parameter}": {error}') from None
        except ParseError as error:
            raise Bad(f'invalid parameter "{parameter}": {error}') from None

    def _evaluated(self, node: Node, moments: Sequence[float]) -> Found:
        try:
            return self._evaluator.over(node, moments)
        except ParseError as error:
            if "unknown function" in str(error):
                self.refused[f"promql {error}"] += 1
            raise Bad(f'invalid parameter "query": {error}') from None
        except ExecutionError as error:
            raise Bad(str(error), "execution", 422) from None

    def _query(self, ask: Ask) -> Any:
        node = self._parsed(ask.get("query"))
        at = _time(ask.get("time"), "time") if ask.get("time") else self._scene.world.now
        if isinstance(node, Selector) and node.range_seconds:
            _, cuts = self._evaluator.ranges(node, (at,))
            result = [
                {"metric": dict(series.key), "values": [[_stamp(t), number(v)] for t, v in cut.samples]}
                for series, cut in cuts
            ]
            return {"resultType": "matrix", "result": result}
        found = self._evaluated(node, (at,))
        if isinstance(found, dict):
            there = [(k, column[0]) for k, column in found.items() if column[0] is not None]
            return {
                "resultType": "vector",
                "result": [{"metric": dict(k), "value": [_stamp(at), number(v)]} for k, v in there],
            }
        return {
            "resultType": "string" if isinstance(found, str) else "scalar",
            "result": [_stamp(at), found if isinstance(found, str) else number(found[0])],
        }

    def _query_range(self, ask: Ask) -> Reply:
        start, end = _time(ask.get("start"), "start"), _time(ask.get("end"), "end")
        step = _step(ask.get("step"))
        if end < start:
            raise Bad('invalid parameter "end": end timestamp must not be before start time')
        if (end - start) / step > MAX_POINTS:
            raise Bad(
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"  # noqa: E501
            )
        node = self._parsed(ask.get("query"))
        if isinstance(node, Selector) and node.range_seconds:
            raise Bad(
                'invalid parameter "query": invalid expression type "range vector" for range query, must be Scalar or instant Vector'  # noqa: E501
            )
        moments = [start + i * step for i in range(int((end - start) / step + 1e-9) + 1)]
        found = self._evaluated(node, moments)
        if isinstance(found, str):
            raise Bad(
                'invalid parameter "query": invalid expression type "string" for range query, must be Scalar or instant Vector'  # noqa: E501
            )
        rows: Rows = found if isinstance(found, dict) else {(): [*found]}
        body = f'{{"status":"success","data":{{"resultType":"matrix","result":[{_matrix(rows, moments)}]}}}}'
        return Reply(200, body.encode())

    def select(self, name: str, matchers: tuple[Matcher, ...]) -> list[Series]:
        metrics = self._scene.metrics
        if name:
            names = [name]
        else:
            wanted = [m for m in matchers if m.label == "__name__"]
            names = [
                n for n in [*metrics.families, "ALERTS", "ALERTS_FOR_STATE"] if all(_matches(m, n) for m in wanted)
            ]
        others = [m for m in matchers if m.label != "__name__"]
        found: list[Series] = []
        for each in names:
            family = self._rules.series(each) if each.startswith("ALERTS") else metrics.named(each)
            found += [s for s in family if all(_matches(m, s.labels.get(m.label, "")) for m in others)]
        return found

    # What there is

    def _matching(self, ask: Ask, *, needed: bool) -> list[Series]:
        expressions = ask.all("match[]")
        if not expressions:
            if needed:
                raise Bad("no match[] parameter provided")
            return [s for n in self._scene.metrics.families for s in self._scene.metrics.named(n)]
        found: dict[int, Series] = {}
        for text in expressions:
            node = self._parsed(text, "match[]")
            if not isinstance(node, Selector) or node.range_seconds:
                raise Bad(f'invalid parameter "match[]": 1:1: parse error: expected a series selector, got {text!r}')
            found.update((id(s), s) for s in self.select(node.name, node.matchers))
        start = _time(ask.get("start"), "start") if ask.get("start") else self._scene.world.now - 3600
        end = _time(ask.get("end"), "end") if ask.get("end") else self._scene.world.now
        return [s for s in found.values() if any(a <= end and b > start for a, b in s.spans)]

    def _series(self, ask: Ask) -> Any:
        return [dict(sorted(s.labels.items())) for s in self._matching(ask, needed=True)]

    def _labels(self, ask: Ask) -> Any:
        return sorted({k for s in self._matching(ask, needed=False) for k in s.labels})

    def _label_values(self, ask: Ask, label: str) -> Any:
        if label == "__name__" and not ask.all("match[]"):
            return [
                *sorted(
                    {*self._scene.metrics.families, *(["ALERTS", "ALERTS_FOR_STATE"] if self._rules.firing else [])}
                )
            ]
        return sorted({s.labels[label] for s in self._matching(ask, needed=False) if label in s.labels})

    def _rules_answer(self, ask: Ask) -> Any:
        if ask.get("type") == "record":
            return {"groups": []}
        described = self._rules.described(frozenset(n for n in ask.all("rule_name[]") if n))
        if not described:
            return {"groups": []}
        return {
            "groups": [
                {
                    "name": "services",
                    "file": "/etc/prometheus/rules/services.yaml",
                    "interval": 30,
                    "limit": 0,
                    "rules": described,
                    "evaluationTime": 0.0043,
                    "lastEvaluation": clock.millis(self._scene.world.now - 11),
                }
            ]
        }

    def _alerts(self, _ask: Ask) -> Any:
        return {"alerts": [a.described() for a in self._rules.all_alerts()]}

    def _targets(self, ask: Ask) -> Any:
        now = self._scene.world.now
        active = []
        for series in self._scene.metrics.named("up"):
            if not (sample := series.sample(now)):
                continue
            labels = {k: v for k, v in series.labels.items() if k != "__name__"}
            url = f"http://{labels['instance']}/metrics"
            down = sample[1] == 0
            error = f'Get "{url}": dial tcp {labels["instance"]}: connect: connection refused' if down else ""
            active.append(
                {
                    "discoveredLabels": {"__address__": labels["instance"], "job": labels["job"]},
                    "labels": labels,
                    "scrapePool": labels["job"],
                    "scrapeUrl": url,
                    "globalUrl": url,
                    "lastError": error,
                    "lastScrape": clock.millis(series.last_scrape(now)),
                    "lastScrapeDuration": round(dice.between(0.003, 0.023, "scraped", url), 9),
                    "health": "down" if down else "up",
                    "scrapeInterval": "30s",
                    "scrapeTimeout": "10s",
                }
            )
        state = ask.get("state")
        return {
            "activeTargets": active if state in ("", "any", "active") else [],
            "droppedTargets": [],
            "droppedTargetCounts": {},
        }

    def _metadata(self, ask: Ask) -> Any:
        names = [ask.get("metric")] if ask.get("metric") else list(self._scene.metrics.families)
        if limit := ask.get("limit"):
            names = names[: int(limit)]
        return {n: [_described(n)] for n in names if n in self._scene.metrics.families}

    def _targets_metadata(self, ask: Ask) -> Any:
        """What each target told of its families when it was scraped last."""
        node = self._parsed(ask.get("match_target") or "{__name__=~'.*'}", "match_target")
        matchers = node.matchers if isinstance(node, Selector) else ()
        wanted, now, rows = ask.get("metric"), self._scene.world.now, []
        families = self._scene.metrics.families
        told: dict[str, set[str]] = {}
        for name in [wanted] if wanted in families else [] if wanted else families:
            for series in self._scene.metrics.named(name):
                if name != "up" and series.sample(now):
                    told.setdefault(series.labels.get("instance", ""), set()).add(name)
        for series in self._scene.metrics.named("up"):
            target = {k: v for k, v in series.labels.items() if k != "__name__"}
            if all(_matches(m, target.get(m.label, "")) for m in matchers if m.label != "__name__"):
                for name in sorted(told.get(target["instance"], ())):
                    rows.append({"target": target, **({} if wanted else {"metric": name}), **_described(name)})
        return rows[: int(ask.get("limit"))] if ask.get("limit") else rows

    def _build(self, _ask: Ask) -> Any:
        return {
            "version": "2.54.1",
            "revision": "e6cfa720fbe6280153fab13090a483dbd40bece3",
            "branch": "HEAD",
            "buildUser": "root@812ffd741951",
            "buildDate": "20240827-10:56:41",
            "goVersion": "go1.22.6",
        }


def _described(name: str) -> dict[str, str]:
    kind = (
        "counter"
        if name.endswith(("_total", "_sum", "_count"))
        else "histogram"
        if name.endswith("_bucket")
        else "gauge"
    )
    return {"type": kind, "help": name.replace("_", " "), "unit": ""}


def _good(data: Any) -> Reply:
    return as_json({"status": "success", "data": data})


def _matrix(rows: Rows, moments: Sequence[float]) -> str:
    """The rows as JSON. Written here and not by `json`: most of what this face says is numbers in text."""
    stamps = [f'[{json.dumps(_stamp(t))},"' for t in moments]
    made = []
    for labels in sorted(rows):
        values = [f'{s}{number(v)}"]' for s, v in zip(stamps, rows[labels], strict=True) if v is not None]
        if values:
            metric = json.dumps(dict(labels), separators=(",", ":"), ensure_ascii=False)
            made.append(f'{{"metric":{metric},"values":[{",".join(values)}]}}')
    return ",".join(made)


def _matches(matcher: Matcher, value: str) -> bool:
    if matcher.op in ("=", "!="):
        return (value == matcher.value) is (matcher.op == "=")
    return (re.fullmatch(matcher.value, value) is not None) is (matcher.op == "=~")


def _stamp(at: float) -> float | int:
    rounded = round(at, 3)
    return int(rounded) if rounded == int(rounded) else rounded


def _time(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return clock.moment(text)
    except ValueError:
        raise Bad(f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp') from None


def _step(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = duration(text)
        except ValueError:
            raise Bad(f'invalid parameter "step": cannot parse "{text}" to a valid duration') from None
    if seconds <= 0:
        raise Bad(
            'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer'  # noqa: E501
        )
    return seconds
