"""What an alert watches, read off its expression. Rules: kubernetes-mixin, node-mixin, and common hand-written ones."""

from __future__ import annotations

import pytest

from skills.prometheus.thresholds import Measured, measured

RATIO = 'sum(rate(http_requests_total{code=~"5.."}[5m])) by (job) / sum(rate(http_requests_total[5m])) by (job)'
P99 = "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))"
FULL = "kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (f"{RATIO} > 0.05", Measured(RATIO, 0.05, "ratio")),
        (f"{P99} > 1", Measured(P99, 1.0, "seconds")),
        (f"({FULL} < 0.03 and kubelet_volume_stats_used_bytes > 0)", Measured(FULL, 0.03, "ratio")),
        (f"{FULL} < 0.15 unless on (namespace) kube_ro == 1", Measured(FULL, 0.15, "ratio")),
        ("time() - backup_seconds > 24 * 60 * 60", Measured("time() - backup_seconds", 86400.0, "seconds")),
        ("0.9 < cpu_busy", Measured("cpu_busy", 0.9)),
        ("node_timex_offset_seconds < -0.05", Measured("node_timex_offset_seconds", -0.05, "seconds")),
        ('up{job=~"a>1|b == 2"} == 0', Measured('up{job=~"a>1|b == 2"}', 0.0)),
        (
            "rate(container_network_receive_bytes_total[5m]) > 1e9",
            Measured("rate(container_network_receive_bytes_total[5m])", 1e9, "bytes/s"),
        ),
        (
            "rate(x_seconds_sum[5m]) / rate(x_seconds_count[5m]) > 2",
            Measured("rate(x_seconds_sum[5m]) / rate(x_seconds_count[5m])", 2.0, "seconds"),
        ),
    ],
)
def test_the_level_at_which_an_alert_fires_is_taken_off(expression: str, expected: Measured) -> None:
    assert measured(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "kube_deployment_spec_replicas != kube_deployment_status_replicas_available",
        "sum(x > 0)",
        'absent(up{job="cart"})',
        "a > 1 or b > 2",
        "this is no promql >",
        "",
    ],
)
def test_what_has_no_level_stays_as_it_is(expression: str) -> None:
    assert (measured(expression).expression, measured(expression).threshold) == (expression, None)
