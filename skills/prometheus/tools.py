"""What the model may ask of Prometheus, and what is asked before it speaks."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from pydantic import Field

from skills.contract import (
    Access,
    Chart,
    Check,
    Excerpt,
    FirstLook,
    Gap,
    Series,
    Skill,
    SkillContext,
    Sources,
    Tool,
    ToolError,
    ToolInput,
    ToolResult,
    Window,
)
from skills.prometheus import alertmanager, analyzers, families, topology
from skills.prometheus.alertmanager import Alertmanager
from skills.prometheus.bundles import ask_all
from skills.prometheus.charts import chart, of_symptoms
from skills.prometheus.client import Client
from skills.prometheus.explain import explain, silent
from skills.prometheus.look import Look, link
from skills.prometheus.settings import Settings
from skills.prometheus.thresholds import measured
from skills.series import change_point, compare, last, shown
from skills.trouble import concerns_all, failed

PARALLEL = 6
MOST_SERIES = 12
MOST_CHARTS = 4
MOST_ALERTS = 4
"""Of those that fire nearby, in the first look."""
POINTS = 60
"""Of each first-look series: enough for a change point, and half the load of a screenful."""


class QueryInput(ToolInput):
    query: str = Field(description="PromQL", max_length=4000)
    minutes: int = Field(default=60, ge=1, le=1440, description="back from now; the baseline precedes it")


class AlertInput(ToolInput):
    alertname: str = Field(default="", description="default: this alert")


class AlertsInput(ToolInput):
    namespace: str = Field(default="", description="default: all")


class AnalyzeInput(ToolInput):
    namespace: str = Field(default="")


class NamesInput(ToolInput):
    contains: str = Field(description="part of a metric name", min_length=2)


def connect(access: Access) -> Skill:
    return Prometheus(access)


class Prometheus:
    """One Prometheus API, for one investigation."""

    name = "prometheus"

    def __init__(self, access: Access) -> None:
        self._settings: Settings = access.settings
        self._client = Client(access)
        self._alertmanager = Alertmanager(access) if self._settings.alertmanager_url else None
        self._looks: dict[tuple[Window, Window, tuple[str, ...]], tuple[Look, list[Gap]]] = {}

    @property
    def tools(self) -> Sequence[Tool]:
        return (
            Tool(
                "prometheus_query",
                "PromQL, each series against its baseline, with its change point.",
                QueryInput,
                self._query,
                ("series",),
            ),
            Tool(
                "prometheus_alert",
                "The rule behind an alert: expression, threshold, value now and before.",
                AlertInput,
                self._alert,
                ("rules", "series"),
            ),
            Tool(
                "prometheus_analyze",
                "Checks a namespace: golden signals, saturation, nodes, quotas, stores.",
                AnalyzeInput,
                self._analyze,
                ("series",),
            ),
            Tool("prometheus_metrics", "Names of the metrics that exist.", NamesInput, self._names, ("metadata",)),
            *self._alert_tools(),
        )

    def _alert_tools(self) -> Sequence[Tool]:
        """Only with an Alertmanager: a tool that cannot answer costs a model's attention."""
        if self._alertmanager is None:
            return ()
        reads = ("alerts", "silences")
        return (Tool("prometheus_alerts", "Other alerts that fire, and silences.", AlertsInput, self._alerts, reads),)

    @property
    def sources(self) -> Sources:
        return Sources(series=self._client)

    def reach(self) -> None:
        self._client.get("/api/v1/query", {"query": "vector(1)"}, "vector(1)")

    def first_look(self, context: SkillContext) -> FirstLook:
        with ThreadPoolExecutor(1) as aside:
            others = aside.submit(self._others, context)
            look, gaps = self._look(context, self._namespaces(context, ""))
        symptoms = analyzers.analyze(look)
        charts = of_symptoms(symptoms, look, analyzers.by_name())
        lines: list[str] = []
        evidence: list[Excerpt] = []
        try:
            if context.focus.alert_type and (
                told := explain(self._client, context.focus.alert_type, context, self._link)
            ):
                lines.append(told.text)
                evidence += told.evidence
                charts = [*told.charts, *charts]
            if down := silent(self._client, context):
                gaps.append(Gap("some metrics", down))
        except ToolError as error:
            gaps.append(Gap("the alert's own rule", str(error)))
        gaps += [Gap("some of the metrics", f"the server warns: {warning}") for warning in self._client.warned]
        said, near, missing = others.result()
        lines += said
        evidence += near
        gaps += missing
        answered = sum(1 for answer in look.answers.values() if answer)
        lines.append(
            f"{answered} of {len(look.answers)} questions have series; {len(symptoms)} deviate from the baseline"
        )
        if not answered:
            gaps.append(
                Gap("metrics", f"no series for {self._matcher(self._namespaces(context, ''))} over {context.window}")
            )
        return FirstLook(
            "\n".join(lines),
            tuple(symptoms),
            edges=topology.edges(look),
            gaps=tuple(gaps),
            evidence=tuple(evidence),
            charts=tuple(charts[:MOST_CHARTS]),
        )

    def _others(self, context: SkillContext) -> tuple[list[str], list[Excerpt], list[Gap]]:
        """A line on what else fires, the alerts nearby, and what could not be seen."""
        if self._alertmanager is None:
            return [], [], []
        try:
            alerts, silences = self._alertmanager.alerts(), self._alertmanager.silences()
        except ToolError as error:
            return [], [], [Gap("other alerts and silences", str(error))]
        near = [a for a in alertmanager.others(alerts, context.focus) if alertmanager.nearness(a, context.focus) > 0]
        said = alertmanager.told(alerts, silences, context.focus)
        return [said], alertmanager.excerpts(near[:MOST_ALERTS], ()), []

    def checks(self) -> Sequence[Check]:
        found = []
        if self._alertmanager is not None:
            try:
                self._alertmanager.silences()
                found.append(Check("alerts and silences", True, str(self._settings.alertmanager_url)))
            except ToolError as error:
                found.append(failed("alerts and silences", error, "check skills.prometheus.alertmanager_url"))
        for what, path, asked in (
            ("queries", "/api/v1/query", {"query": "vector(1)"}),
            ("rules", "/api/v1/rules", {"type": "alert"}),
        ):
            try:
                self._client.get(path, asked, path)
                found.append(Check(what, True, self._settings.url))
            except ToolError as error:
                found.append(failed(what, error, "check skills.prometheus.url and headers"))
                if concerns_all(error):
                    break
        return found

    @property
    def _link(self) -> str | None:
        return self._settings.link_base

    def _namespaces(self, context: SkillContext, asked: str) -> tuple[str, ...]:
        if asked:
            return (asked,)
        return self._settings.namespaces or ((context.focus.namespace,) if context.focus.namespace else ())

    def _matcher(self, namespaces: tuple[str, ...]) -> str:
        return f'namespace=~"{"|".join(namespaces)}"' if namespaces else 'namespace!=""'

    def _look(self, context: SkillContext, namespaces: tuple[str, ...]) -> tuple[Look, list[Gap]]:
        """Every analyzer's questions, asked once over the same windows. Raises ToolError only when not one could be."""
        key = (context.window, context.baseline, namespaces)
        if key not in self._looks:
            self._looks[key] = self._looked(context, namespaces)
        look, gaps = self._looks[key]
        return look, [*gaps]

    def _looked(self, context: SkillContext, namespaces: tuple[str, ...]) -> tuple[Look, list[Gap]]:
        span = Window(context.baseline.start, context.window.end)
        step = max(15.0, span.seconds / POINTS)
        sent = {q.name: q.expression.replace("{ns}", self._matcher(namespaces)) for q in analyzers.questions()}
        sent |= {q.name: q.expression.replace("{ns}", self._matcher(namespaces)) for q in families.questions()}

        answers = ask_all(sent, lambda expression: self._client.range(expression, span, step), PARALLEL)
        failed = [error for error in answers.values() if isinstance(error, ToolError)]
        if len(failed) == len(answers):
            raise failed[0]
        got = {name: answer for name, answer in answers.items() if not isinstance(answer, ToolError)}
        gaps = [Gap(f"{len(failed)} of {len(answers)} metric questions", str(failed[0]))] if failed else []
        told, asked = families.united(got, sent, namespaces)
        return Look(context.focus, context.now, context.window, context.baseline, told, asked, self._link), gaps

    def _query(self, asked: QueryInput, context: SkillContext) -> ToolResult:
        window = Window(context.now - timedelta(minutes=asked.minutes), context.now)
        baseline = window.before()
        span = Window(baseline.start, window.end)
        found = self._client.range(asked.query, span, max(15.0, span.seconds / 240))
        if not found:
            return ToolResult("no_data", f"no series for `{asked.query}` over {span}")
        ranked = sorted(
            found,
            key=lambda s: -abs((compare(s, window, baseline).now or 0) - (compare(s, window, baseline).before or 0)),
        )
        evidence = tuple(self._line(s, asked.query, window, baseline, span) for s in ranked[:MOST_SERIES])
        more = f", the {MOST_SERIES} that changed most are shown" if len(found) > MOST_SERIES else ""
        text = f"{len(found)} series over {window}, baseline {baseline}{more}"
        text += "".join(f"; the server warns: {warning}" for warning in self._client.warned)
        return ToolResult(
            "ok", text, evidence, full=_whole(found), charts=self._drawn(ranked[0], asked.query, evidence)
        )

    def _drawn(self, series: Series, query: str, evidence: tuple[Excerpt, ...]) -> tuple[Chart, ...]:
        watched = measured(query)
        labels = ", ".join(f"{k}={v}" for k, v in sorted(series.labels.items()))
        first = evidence[0]
        drawn = chart(series, f"{{{labels}}}" if labels else query, watched.unit, query, first.link, onset=first.at)
        return (drawn,) if drawn else ()

    def _line(self, series: Series, query: str, window: Window, baseline: Window, span: Window) -> Excerpt:
        compared = compare(series, window, baseline)
        moment = change_point(series.points)
        # A series without labels is told by its question: a line has to say what it is about.
        labels = ", ".join(f"{k}={v}" for k, v in sorted(series.labels.items())) or f"`{' '.join(query.split())[:200]}`"
        text = (
            f"{labels}: now {shown(last(series))}, mean {shown(compared.now)}, peak {shown(compared.peak)},"
            f" baseline {shown(compared.before)}"
        )
        if moment and moment.explained > 0.5:
            text += f"; from {shown(moment.before)} to {shown(moment.after)} at {moment.at:%H:%M:%S}Z"
        return Excerpt(text, query, span, link(self._link, query, span), at=moment.at if moment else None)

    def _alert(self, asked: AlertInput, context: SkillContext) -> ToolResult:
        name = asked.alertname or context.focus.alert_type
        told = explain(self._client, name, context, self._link)
        if told is None:
            return ToolResult("no_data", f"no alerting rule is called {name!r} (GET /api/v1/rules)")
        return ToolResult("ok", told.text, told.evidence, charts=told.charts)

    def _alerts(self, asked: AlertsInput, context: SkillContext) -> ToolResult:
        if self._alertmanager is None:
            return ToolResult("error", "no alertmanager_url is configured for skills.prometheus")
        alerts, silences = self._alertmanager.alerts(), self._alertmanager.silences()
        found = [a for a in alerts if asked.namespace in ("", a.labels.get("namespace", ""))]
        if not found and not silences:
            return ToolResult("no_data", "no alert fires and none is silenced (GET /api/v2/alerts, /api/v2/silences)")
        chosen = alertmanager.others(found, context.focus)
        text = alertmanager.told(found, silences, context.focus)
        return ToolResult("ok", text, tuple(alertmanager.excerpts(chosen, silences)))

    def _analyze(self, asked: AnalyzeInput, context: SkillContext) -> ToolResult:
        namespaces = self._namespaces(context, asked.namespace)
        look, gaps = self._look(context, namespaces)
        symptoms = tuple(analyzers.analyze(look))
        place = ", ".join(namespaces) or "all namespaces"
        if not any(look.answers.values()):
            return ToolResult(
                "no_data", f"no series for {self._matcher(namespaces)} over {context.window}", gaps=tuple(gaps)
            )
        text = (
            f"{len(symptoms)} deviations in {place}" if symptoms else f"nothing deviates from the baseline in {place}"
        )
        charts = of_symptoms(symptoms, look, analyzers.by_name())[:MOST_CHARTS]
        return ToolResult("ok", text, symptoms=symptoms, gaps=tuple(gaps), charts=tuple(charts))

    def _names(self, asked: NamesInput, context: SkillContext) -> ToolResult:
        window = {"start": f"{context.window.start.timestamp():.0f}", "end": f"{context.now.timestamp():.0f}"}
        data = self._client.get("/api/v1/label/__name__/values", window, "label values of __name__")
        names = [n for n in data if isinstance(n, str) and asked.contains in n] if isinstance(data, list) else []
        if not names:
            return ToolResult("no_data", f"no metric name contains {asked.contains!r}")
        return ToolResult("ok", f"{len(names)} names: " + ", ".join(names[:80]), full="\n".join(names))


def _whole(series: Sequence[Series]) -> str:
    lines = []
    for one in series:
        labels = ",".join(f'{k}="{v}"' for k, v in sorted(one.labels.items()))
        lines.append(f"{{{labels}}} " + " ".join(f"{at.timestamp():.0f}:{value:g}" for at, value in one.points))
    return "\n".join(lines)
