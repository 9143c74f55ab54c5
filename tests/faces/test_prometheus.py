"""The simulated Prometheus and a real one, asked the same over the same samples, give equal answers."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from config.customers import Customer
from skills import registry
from skills.contract import Focus, SkillContext, Window
from tests.faces.conftest import binary, free_port, running
from tests.faces.remote_write import STALE, write
from workers.simulation.alerts import rules
from workers.simulation.faces.exchange import Ask, Face, Reply
from workers.simulation.faces.serve import Served
from workers.simulation.metrics.series import Series
from workers.simulation.running import Staged, stage

pytestmark = pytest.mark.faces

SECONDS = 2 * 3600 + 900
"""How much of the past is written: an hour's offset, a window of half an hour, and some."""
DAY, YESTERDAY = 86_400, 4200
"""And how much before this time of yesterday, for what the skill compares with it."""

BY_HAND = (
    "up",
    "count by (job) (up)",
    "sum without (instance, pod) (up == bool 1)",
    "topk(3, sum by (pod) (container_memory_working_set_bytes))",
    "bottomk(2, container_memory_working_set_bytes)",
    "quantile(0.9, container_memory_working_set_bytes)",
    "stddev by (namespace) (container_memory_working_set_bytes)",
    "avg by (service, code) (rate(http_requests_total[2m]))",
    "sum by (service) (increase(http_requests_total[10m]))",
    "sum by (service) (irate(http_requests_total[5m]))",
    "sum by (pod) (idelta(container_memory_working_set_bytes[5m]))",
    "delta(container_memory_working_set_bytes[10m])",
    "deriv(container_memory_working_set_bytes[10m])",
    "predict_linear(container_memory_working_set_bytes[15m], 600)",
    "changes(kube_pod_container_status_restarts_total[30m])",
    "resets(container_cpu_usage_seconds_total[30m])",
    "min_over_time(container_memory_working_set_bytes[10m])",
    "avg_over_time(container_memory_working_set_bytes[10m])",
    "stddev_over_time(container_memory_working_set_bytes[10m])",
    "quantile_over_time(0.5, container_memory_working_set_bytes[10m])",
    "count_over_time(up[5m])",
    "last_over_time(up[10m])",
    "present_over_time(up[10m])",
    "absent(nothing_of_this_name)",
    'absent(up{job="nobody"})',
    "histogram_quantile(0.95, sum by (le, service) (rate(http_request_duration_seconds_bucket[5m])))",
    "sum by (service) (rate(http_request_duration_seconds_sum[5m])) / sum by (service) (rate(http_request_duration_seconds_count[5m]))",  # noqa: E501
    "container_memory_working_set_bytes / on (namespace, pod, container) group_left () kube_pod_container_resource_limits{resource='memory'}",  # noqa: E501
    "kube_pod_info * on (node) group_left () (kube_node_status_condition{condition='Ready', status='true'} == 1)",
    "container_memory_working_set_bytes > 3e8 and on (pod) kube_pod_container_status_restarts_total > 0",
    "up unless on (job) up{job='kubelet'}",
    "up{job='kubelet'} or up{job='node-exporter'}",
    "rate(http_requests_total[5m] offset 20m)",
    "clamp_max(container_memory_working_set_bytes, 1e8)",
    "round(container_memory_working_set_bytes / 1e6, 5)",
    "abs(-container_memory_working_set_bytes) % 1000",
    "-(2 ^ 3 ^ 2)",
    "scalar(sum(up)) * 2",
    "vector(1) + time() - timestamp(vector(1))",
    "label_replace(up, 'short', '$1', 'job', '(.{3}).*')",
    "label_join(up, 'both', '-', 'job', 'instance')",
    "sort_desc(sum by (job) (up))",
    "count_values('v', up)",
    'sum by (namespace) (kube_pod_status_phase{phase=~"Pending|Failed"})',
    '{__name__=~"kube_deployment_status_replicas.*", namespace="shop"}',
    "hour(vector(1700000000))",
    "sum(rate(nothing_total[5m])) or vector(0)",
)


class Recording:
    """A face that remembers which expressions it was asked."""

    def __init__(self, face: Face) -> None:
        self._face, self.refused = face, face.refused
        self.asked: dict[str, None] = {}

    def answer(self, ask: Ask) -> Reply:
        full = ask.form() if ask.method == "POST" else ask
        if full.get("query"):
            self.asked[full.get("query")] = None
        return self._face.answer(ask)


@pytest.fixture(scope="module", params=["oom-after-deploy", "two-at-once"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Staged, str]]:
    """A staged scenario, and the address of a real Prometheus that holds the same samples."""
    staged, folder, port = stage(request.param), tmp_path_factory.mktemp("prometheus"), free_port()
    (folder / "prometheus.yml").write_text("global: {}\n")
    url = f"http://127.0.0.1:{port}"
    arguments = [
        binary("prometheus"),
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
        "--log.level=warn",
    ]
    with running(arguments, f"{url}/-/ready", folder):
        _fill(url, staged)
        yield staged, url


def _fill(url: str, staged: Staged) -> None:
    """Every series of the world, scrape by scrape; where a target went away, the marker that a server leaves."""
    now = staged.scene.world.now
    metrics = staged.scene.metrics
    for begin, end in ((now - DAY - YESTERDAY, now - DAY + 60), (now - SECONDS, now)):
        for start in range(0, int(end - begin), 1800):  # a server refuses what is an hour older than its newest
            window = (begin + start, min(end, begin + start + 1800))
            for family in metrics.families:
                rows = [(s.labels, found) for s in metrics.named(family) if (found := [*_scrapes(s, *window)])]
                if rows:
                    write(url, rows)


def _scrapes(series: Series, start: float, end: float) -> Iterator[tuple[float, float]]:
    for number in range(series.number(start) + 1, series.number(end) + 1):
        sample = series.scrape(number)
        if sample is not None:
            yield sample
        elif series.scrape(number - 1) is not None:
            yield round(series.last_scrape(start) + (number - series.number(start)) * 30.0, 3), STALE


def asked_by_the_skill(staged: Staged) -> list[str]:
    """What the Prometheus skill asks in its first look at this scenario."""
    recording = Recording(staged.faces["prometheus"])
    served = Served({"prometheus": recording})
    try:
        customer = Customer(name="faces", skills={"prometheus": {"url": served.urls["prometheus"]}})
        skill, _ = registry.connect(customer, "prometheus", lambda _name: None)
        now = datetime.fromtimestamp(staged.scene.world.now, UTC)
        labels = staged.alert["alerts"][0]["labels"]
        window = Window(now - timedelta(minutes=25), now)
        focus = Focus(
            alert_type=labels["alertname"],
            namespace=labels.get("namespace", ""),
            service=labels.get("service", labels.get("deployment", "")),
            labels=labels,
            started_at=now - timedelta(minutes=10),
        )
        skill.first_look(SkillContext(focus, now, window, window.before()))
    finally:
        served.close()
    return list(recording.asked)


def ask(url: str, path: str, **fields: Any) -> Any:
    try:
        with urlopen(Request(f"{url}/api/v1/{path}", data=urlencode(fields).encode())) as answer:
            return json.loads(answer.read())
    except HTTPError as error:
        return json.loads(error.read())


def answered(staged: Staged, path: str, **fields: Any) -> Any:
    query = tuple((k, str(v)) for k, v in fields.items())
    return json.loads(staged.faces["prometheus"].answer(Ask("GET", f"/api/v1/{path}", query)).body)


def flat(answer: Any) -> dict[tuple[Any, ...], float]:
    """(labels, time) -> value, of any type of result."""
    data = answer["data"]
    if data["resultType"] in ("scalar", "string"):
        return {((), data["result"][0]): float(data["result"][1])}
    found = {}
    for row in data["result"]:
        labels = tuple(sorted(row["metric"].items()))
        for at, value in row["values"] if "values" in row else [row["value"]]:
            found[labels, float(at)] = float(value)
    return found


def difference(simulated: Any, real: Any, query: str, staged: Staged) -> str:
    """Empty when the two answers are equal, figures to seven digits (the world reckons in seconds as floats)."""
    if simulated["status"] != real["status"]:
        return f"simulated says {simulated.get('error', 'success')!r}, real says {real.get('error', 'success')!r}"
    if real["status"] == "error":
        return "" if simulated["errorType"] == real["errorType"] else f"{simulated['error']} | {real['error']}"
    ours, theirs = flat(simulated), flat(real)
    if query.startswith(("topk", "bottomk")):  # which one of equals is kept is not defined
        return "" if sorted(ours.values()) == sorted(theirs.values()) else "other values are kept"
    if missing := [k for k in theirs if k not in ours]:
        return f"simulated lacks {len(missing)} of {len(theirs)} values, e.g. {missing[0]}"
    if more := [k for k in ours if k not in theirs]:
        return f"simulated has {len(more)} values too many, e.g. {more[0]}"
    for key, value in theirs.items():
        both_nan = math.isnan(value) and math.isnan(ours[key])
        equal = both_nan or math.isclose(ours[key], value, rel_tol=1e-7, abs_tol=1e-9)
        if not equal and not ("rate(" in query and _young(key, staged)):
            return f"{key}: simulated {ours[key]!r}, real {value!r}"
    return ""


def _young(key: tuple[Any, ...], staged: Staged) -> bool:
    """Whether a counter of this pod or service began in the range.

    How far such a counter is extrapolated to its start changed between the server in Debian 12 (2.42: to its zero
    point, unless that is far) and the one that is simulated (2.54: half an interval at most, then its zero point).
    """
    labels, at = dict(key[0]), key[1]
    pods = [
        pod
        for several in staged.scene.world.pods_by_namespace.values()
        for pod in several
        if labels.get("pod", pod.name) == pod.name and labels.get("service", pod.workload.name) == pod.workload.name
    ]
    begun = [run.started for pod in pods for runs in pod.runs.values() for run in runs]
    return any(0 < at - offset - start < 900 for start in begun for offset in (0, 1200, 3600))


def test_the_same_queries_have_equal_answers(both: tuple[Staged, str]) -> None:
    staged, url = both
    now = round(staged.scene.world.now, 3)
    by_rules = [rule.expression for rule in rules()]
    differences: dict[str, list[str]] = defaultdict(list)
    queries = dict.fromkeys([*BY_HAND, *by_rules, *asked_by_the_skill(staged)])
    moments = [("query", {"time": at}) for at in (now, now - 700, now - 1500)]
    for query in queries:
        for path, when in (*moments, ("query_range", {"start": now - 1800, "end": now, "step": 60})):
            simulated, real = answered(staged, path, query=query, **when), ask(url, path, query=query, **when)
            if different := difference(simulated, real, query, staged):
                differences[query].append(f"{path} {when}: {different}")
    print(f"\n{staged.scenario.name}: {len(queries)} queries, {len(differences)} with different answers")
    assert not differences, "\n".join(f"{q}\n    " + "\n    ".join(d) for q, d in differences.items())


def test_what_is_wrong_is_wrong_in_the_same_way(both: tuple[Staged, str]) -> None:
    staged, url = both
    wrong = (
        "sum(rate(up[5m])",
        "rate(up)",
        "up +",
        "sum by (job (up)",
        "nosuch(up)",
        "up{job=}",
        "kube_pod_info / on (namespace) kube_pod_info",
        "up[5m] + 1",
        "1 and up",
        "histogram_quantile('a', up)",
    )
    for query in wrong:
        fields = {"query": query, "time": round(staged.scene.world.now, 3)}
        simulated, real = answered(staged, "query", **fields), ask(url, "query", **fields)
        assert (simulated["status"], simulated.get("errorType")) == (real["status"], real.get("errorType")), query


def test_the_catalogue_is_the_same(both: tuple[Staged, str]) -> None:
    staged, url = both
    now = staged.scene.world.now
    fields = {"match[]": 'kube_pod_info{namespace="shop"}', "start": now - 600, "end": now}
    query = tuple((k, str(v)) for k, v in fields.items())
    for path in ("series", "label/pod/values", "labels"):
        simulated = json.loads(staged.faces["prometheus"].answer(Ask("GET", f"/api/v1/{path}", query)).body)
        with urlopen(f"{url}/api/v1/{path}?{urlencode(fields)}") as answer:
            real = json.loads(answer.read())
        ours, theirs = ({json.dumps(v, sort_keys=True) for v in each["data"]} for each in (simulated, real))
        # Names and values of labels come from the whole head block: only the series are bounded by time to the second.
        assert ours == theirs if path == "series" else ours <= theirs, path
