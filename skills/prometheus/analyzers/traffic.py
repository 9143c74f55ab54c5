"""Golden signals of each service: errors that began (an effect), traffic that surged (K1), latency that rose.

Three families of metrics, whichever exist: the common `http_requests_total`/`http_request_duration_seconds`, the
OpenTelemetry semantic conventions (`http_server_*_duration`), and Istio's `istio_requests_total`, which also tells
who calls whom.
"""

from __future__ import annotations

import math

from skills.contract import Entity, Series, Symptom
from skills.prometheus.endings import back_since, quiet_level, told
from skills.prometheus.look import Look, Question
from skills.series import change_point, compare, last, shown, values

_WHO = "namespace, service, job, app"
QUESTIONS = (
    Question("requests", f"sum by ({_WHO}) (rate(http_requests_total{{{{ns}}}}[5m]))", shows="requests", unit="/s"),
    Question(
        "errors",
        f'sum by ({_WHO}) (rate(http_requests_total{{{{ns}},code=~"5.."}}[5m]))'
        f' or sum by ({_WHO}) (rate(http_requests_total{{{{ns}},status=~"5.."}}[5m]))'
        f' or sum by ({_WHO}) (rate(http_requests_total{{{{ns}},status_code=~"5.."}}[5m]))',
        shows="errors (5xx)",
        unit="/s",
    ),
    # The mean and not a quantile: a tenth of the load, and as telling against a baseline.
    Question(
        "latency",
        f"sum by ({_WHO}) (rate(http_request_duration_seconds_sum{{{{ns}}}}[5m]))"
        f" / sum by ({_WHO}) (rate(http_request_duration_seconds_count{{{{ns}}}}[5m]))",
        shows="mean latency",
        unit="seconds",
    ),
    Question(
        "mesh_errors",
        "sum by (source_workload, source_workload_namespace, destination_service_name, destination_service_namespace)"
        ' (rate(istio_requests_total{reporter="source",response_code=~"5..|0"}[5m]))',
        shows="errors between services",
        unit="/s",
    ),
    Question(
        "mesh_pairs",
        "sum by (source_workload, source_workload_namespace, destination_workload, destination_workload_namespace)"
        ' (rate(istio_requests_total{reporter="destination"}[5m]))',
        shows="requests between workloads",
        unit="/s",
    ),
)
Who = tuple[str, str]


def analyze(look: Look) -> list[Symptom]:
    requests = {_who(s): s for s in look.ask("requests")}
    found: dict[Who, Symptom] = {}
    for series in look.ask("errors"):
        symptom = _errors(look, series, requests.get(_who(series)))
        if symptom:
            found[_who(series)] = symptom
    for series in look.ask("latency"):
        symptom = _latency(look, series)
        if symptom and _who(series) not in found:
            found[_who(series)] = symptom
    return [*found.values(), *_surges(look, requests), *_mesh(look)]


def _who(series: Series) -> Who:
    labels = series.labels
    return labels.get("namespace", ""), labels.get("service") or labels.get("app") or labels.get("job") or ""


def _service(who: Who) -> Entity:
    return Entity(kind="Service", namespace=who[0] or None, name=who[1])


def _errors(look: Look, series: Series, all_requests: Series | None) -> Symptom | None:
    errors = compare(series, look.window, look.baseline)
    total = compare(all_requests, look.window, look.baseline) if all_requests else None
    if errors.now is None or errors.now <= 0 or (errors.ratio or math.inf) < 3:
        return None
    moment = change_point(series.points)
    entity = _service(_who(series))
    text = f"{entity.name} answers {shown(errors.now)} errors/s (5xx), {shown(errors.before or 0)} in the baseline"
    if total and total.now:
        text += f", {shown(100 * errors.now / total.now)} % of its requests"
    end = back_since(series, quiet_level(errors.before, errors.peak or 0.0))
    text += told(end)
    return Symptom(
        analyzer="prometheus.traffic",
        entity=entity,
        faults=(),
        summary=text,
        specificity=0.3,
        evidence=(look.excerpt("errors", text, entity, moment.at if moment else None),),
        onset=moment.at if moment else None,
        role="effect",
        ongoing=end is None,
    )


def _latency(look: Look, series: Series) -> Symptom | None:
    mean = compare(series, look.window, look.baseline)
    if mean.now is None or mean.before is None or mean.now < 0.1 or mean.now < 3 * mean.before:
        return None
    moment = change_point(series.points)
    entity = _service(_who(series))
    text = f"mean latency of {entity.name} is {shown(mean.now)} s, {shown(mean.before)} s in the baseline"
    end = back_since(series, quiet_level(mean.before, mean.peak or 0.0))
    text += told(end)
    return Symptom(
        analyzer="prometheus.traffic",
        entity=entity,
        faults=(),
        summary=text,
        specificity=0.25,
        evidence=(look.excerpt("latency", text, entity, moment.at if moment else None),),
        onset=moment.at if moment else None,
        role="effect",
        ongoing=end is None,
    )


def _surges(look: Look, requests: dict[Who, Series]) -> list[Symptom]:
    found = []
    for who, series in requests.items():
        if (past := _past_surge(look, who, series)) is not None:
            found.append(past)
            continue
        # By its levels, not by the mean of a window of which the surge may be the last minutes only.
        moment = change_point(series.points)
        if moment is None or moment.explained < 0.5 or moment.after < max(1.0, 2.5 * moment.before):
            continue
        if (last(series) or 0.0) < 0.6 * moment.after:
            continue
        entity = _service(who)
        text = f"{entity.name} gets {shown(moment.after)} requests/s against {shown(moment.before)} before"
        found.append(
            Symptom(
                analyzer="prometheus.traffic",
                entity=entity,
                faults=("traffic_surge", "retry_storm"),
                summary=text,
                specificity=0.55,
                evidence=(look.excerpt("requests", text, entity, moment.at),),
                onset=moment.at,
            )
        )
    return found


def _past_surge(look: Look, who: Who, series: Series) -> Symptom | None:
    """Traffic that rose within the window and is back where it was."""
    rate = compare(series, look.window, look.baseline)
    highest = sorted(values(series, look.window))[-4:]
    if rate.before is None or len(highest) < 4 or highest[0] < max(1.0, 2.5 * rate.before):
        return None
    end = back_since(series, 1.5 * rate.before)
    onset = next((at for at, v in series.points if at >= look.window.start and v > 1.5 * rate.before), None)
    if end is None or onset is None:
        return None
    entity = _service(who)
    text = f"{entity.name} got up to {shown(highest[-1])} requests/s against {shown(rate.before)} before{told(end)}"
    return Symptom(
        analyzer="prometheus.traffic",
        entity=entity,
        faults=("traffic_surge", "retry_storm"),
        summary=text,
        specificity=0.55,
        evidence=(look.excerpt("requests", text, entity, onset),),
        onset=onset,
        ongoing=False,
    )


def _mesh(look: Look) -> list[Symptom]:
    """The caller suffers, the destination is what it points at."""
    found = []
    for series in look.ask("mesh_errors"):
        errors = compare(series, look.window, look.baseline)
        if errors.now is None or errors.now <= 0.01 or (errors.ratio or math.inf) < 3:
            continue
        labels = series.labels
        caller = Entity(
            kind="Deployment",
            namespace=labels.get("source_workload_namespace"),
            name=labels.get("source_workload", "unknown"),
        )
        callee = Entity(
            kind="Service",
            namespace=labels.get("destination_service_namespace"),
            name=labels.get("destination_service_name", "unknown"),
        )
        moment = change_point(series.points)
        text = f"{caller.name} gets {shown(errors.now)} errors/s from {callee.name}, {shown(errors.before or 0)} before"
        end = back_since(series, quiet_level(errors.before, errors.peak or 0.0))
        text += told(end)
        found.append(
            Symptom(
                analyzer="prometheus.traffic",
                entity=caller,
                faults=(),
                summary=text,
                specificity=0.4,
                evidence=(look.excerpt("mesh_errors", text, caller, moment.at if moment else None),),
                onset=moment.at if moment else None,
                role="effect",
                points_at=(callee,),
                ongoing=end is None,
            )
        )
    return found
