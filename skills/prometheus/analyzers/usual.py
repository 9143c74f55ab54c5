"""Traffic that fell because it was high: what an alert on "far less than an hour ago" cannot know (a campaign, a
month-end run). The same hour of yesterday and of a week ago tell which of the two levels is the unusual one; yesterday
alone may be a Sunday before a Monday.
"""

from __future__ import annotations

from datetime import timedelta

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
    Question(
        "requests_last_week",
        f"sum by ({_WHO}) (rate(http_requests_total{{{{ns}}}}[5m] offset 7d))",
        shows="requests a week before",
        unit="/s",
    ),
)
FELL = 2.0
"""How many times as much as now, and as on the day before, counts as unusual."""
ALIKE = (0.7, 1.4)
LATEST = 4
WORKDAYS = range(4)
"""Monday to Thursday, on which people work everywhere: without a week of history, yesterday must be one of them."""


def analyze(look: Look) -> list[Symptom]:
    """Only of the service that the alert names, and only where no errors were counted."""
    if "errors" not in look.answers:
        return []
    labels = look.focus.labels
    named = {look.focus.service, labels.get("service", ""), labels.get("app", "")} - {""}
    yesterday = {_who(s): s for s in look.ask("requests_yesterday")}
    last_week = {_who(s): s for s in look.ask("requests_last_week")}
    failing = {_who(s) for s in look.ask("errors") if any(v > 0 for v in values(s, look.window))}
    found = []
    for series in look.ask("requests"):
        who = _who(series)
        if who[1] in named and who in yesterday and who not in failing:
            found += _back_to_normal(look, series, yesterday[who], last_week.get(who))
    return found


def _who(series: Series) -> tuple[str, str]:
    labels = series.labels
    return labels.get("namespace", ""), labels.get("service") or labels.get("app") or labels.get("job") or ""


def _latest(series: Series) -> float:
    return mean(values(series)[-LATEST:]) or 0.0


def _back_to_normal(look: Look, series: Series, day_before: Series, week_before: Series | None) -> list[Symptom]:
    if not _tells_which_is_unusual(look, series, day_before):
        return []
    if week_before is None and (look.now - timedelta(days=1)).weekday() not in WORKDAYS:
        return []
    if week_before is not None and not _tells_which_is_unusual(look, series, week_before):
        return []
    high, usual = compare(series, look.window, look.baseline), compare(day_before, look.window, look.baseline)
    namespace, name = _who(series)
    entity = Entity(kind="Service", namespace=namespace or None, name=name)
    weekly = compare(week_before, look.window, look.baseline).before if week_before else None
    text = (
        f"{name} gets {shown(_latest(series))} requests/s, as a day before at this time ({shown(_latest(day_before))});"
        f" the {shown(high.before)} of before were unusual ({shown(usual.before)} a day before"
        f"{'' if weekly is None else f', {shown(weekly)} a week before'})"
    )
    asked = ("requests", "requests_yesterday", *(("requests_last_week",) if week_before else ()))
    return [
        Symptom(
            analyzer="prometheus.usual",
            entity=entity,
            faults=(),
            summary=f"{text}, and no 5xx was counted.",
            specificity=0.87,
            evidence=tuple(look.excerpt(question, text, entity) for question in asked),
            role="healthy",
        )
    ]


def _tells_which_is_unusual(look: Look, series: Series, then: Series) -> bool:
    """Whether the level of before is high against that day, and the present one is that day's."""
    high, usual = compare(series, look.window, look.baseline), compare(then, look.window, look.baseline)
    now, at_this_time = _latest(series), _latest(then)
    if not now or not at_this_time or not high.before or not usual.before:
        return False
    unusual = high.before >= FELL * now and high.before >= FELL * usual.before
    return unusual and ALIKE[0] <= now / at_this_time <= ALIKE[1]
