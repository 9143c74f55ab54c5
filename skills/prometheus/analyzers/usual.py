"""Traffic that fell because it was high: what an alert on "far less than an hour ago" cannot know (a campaign, a
month-end run). The same hour of yesterday tells which of the two levels is the unusual one.
"""

from __future__ import annotations

from skills.contract import Entity, Series, Symptom
from skills.prometheus.look import Look, Question
from skills.series import compare, mean, shown, values

_WHO = "namespace, service, job, app"
QUESTIONS = (
    Question(
        "requests_yesterday",
        f"sum by ({_WHO}) (rate(http_requests_total{{{{ns}}}}[5m] offset 1d))",
        shows="requests a day before",
        unit="/s",
    ),
)
FELL = 2.0
"""How many times as much as now, and as on the day before, counts as unusual."""
ALIKE = (0.7, 1.4)
LATEST = 4


def analyze(look: Look) -> list[Symptom]:
    """Only of the service that the alert names, and only where none of its answers are errors."""
    labels = look.focus.labels
    named = {look.focus.service, labels.get("service", ""), labels.get("app", "")} - {""}
    yesterday = {_who(s): s for s in look.ask("requests_yesterday")}
    failing = {_who(s) for s in look.ask("errors") if _latest(s) > 0}
    found = []
    for series in look.ask("requests"):
        who = _who(series)
        if who[1] in named and who in yesterday and who not in failing:
            found += _back_to_normal(look, series, yesterday[who])
    return found


def _who(series: Series) -> tuple[str, str]:
    labels = series.labels
    return labels.get("namespace", ""), labels.get("service") or labels.get("app") or labels.get("job") or ""


def _latest(series: Series) -> float:
    return mean(values(series)[-LATEST:]) or 0.0


def _back_to_normal(look: Look, series: Series, day_before: Series) -> list[Symptom]:
    high, usual = compare(series, look.window, look.baseline), compare(day_before, look.window, look.baseline)
    now, then = _latest(series), _latest(day_before)
    if not now or not then or not high.before or not usual.before:
        return []
    unusual = high.before >= FELL * now and high.before >= FELL * usual.before
    if not unusual or not ALIKE[0] <= now / then <= ALIKE[1]:
        return []
    namespace, name = _who(series)
    entity = Entity(kind="Service", namespace=namespace or None, name=name)
    text = (
        f"{name} gets {shown(now)} requests/s, as a day before at this time ({shown(then)}); the"
        f" {shown(high.before)} of before were unusual ({shown(usual.before)} a day before)"
    )
    return [
        Symptom(
            analyzer="prometheus.usual",
            entity=entity,
            faults=(),
            summary=f"{text}, and none of its answers are errors.",
            specificity=0.87,
            evidence=(look.excerpt("requests", text, entity), look.excerpt("requests_yesterday", text, entity)),
            role="healthy",
        )
    ]
