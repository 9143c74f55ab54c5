"""Amazon CloudWatch alarms: through SNS, through EventBridge, and as chat apps and Lambdas post them to Slack.

The state decides, never the words: a well-known Lambda posts a recovery as "Alarm X triggered" in green.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

from bot.intake import build, words
from bot.intake.message import Message
from bot.intake.moments import moment
from bot.intake.shapes import Body, Read, first_text, rows, table, tables, text
from workers.domain import AlertStatus

SOURCE = "cloudwatch"
# What names a service best comes first; a dimension that is not listed serves when none of these is there.
_SERVICE_DIMENSIONS = (
    "ServiceName", "Service", "FunctionName", "ApiName", "TargetGroup", "LoadBalancer", "DBInstanceIdentifier",
    "DBClusterIdentifier", "CacheClusterId", "QueueName", "TopicName", "TableName", "StreamName", "DomainName",
    "BucketName", "AutoScalingGroupName", "ClusterName", "InstanceId",
)  # fmt: skip
_CHATBOT = re.compile(
    r"CloudWatch Alarm\s*\|\s*(?P<name>[^|]+?)\s*\|\s*(?P<region>[\w-]+)\s*\|\s*Account:?\s*(?P<account>\d+)", re.I
)
_MAIL = re.compile(
    r"^\W*(?P<state>ALARM|OK|INSUFFICIENT_DATA|INSUFFICIENT DATA)\W+\"(?P<name>[^\"]+)\" in (?P<region>.+)$"
)
_ARN = re.compile(r"arn:aws[\w-]*:cloudwatch:[\w-]*:\d*:alarm:[^\s|>\"`]+")


def of_body(body: Body) -> Read | None:
    data = body.data
    if text(data.get("AlarmName")):
        return _alarm(
            name=text(data["AlarmName"]),
            state=text(data.get("NewStateValue")),
            description=text(data.get("AlarmDescription")),
            reason=text(data.get("NewStateReason")),
            dimensions=dict(_dimensions(table(data.get("Trigger")))),
            arn=text(data.get("AlarmArn")),
            account=text(data.get("AWSAccountId")),
            region=text(data.get("Region")),
            at=data.get("StateChangeTime"),
            labels=_metric(table(data.get("Trigger")), data),
        )
    detail = table(data.get("detail"))
    if text(data.get("source")) == "aws.cloudwatch" and text(detail.get("alarmName")):
        state = table(detail.get("state"))
        if "State Change" not in text(data.get("detail-type")):
            return Read(
                reason=f"it is CloudWatch's {text(data.get('detail-type'))[:80]!r}, not a change of an alarm's state"
            )
        setup = table(detail.get("configuration"))
        stats = [table(table(metric.get("metricStat")).get("metric")) for metric in tables(setup.get("metrics"))]
        return _alarm(
            name=text(detail["alarmName"]),
            state=text(state.get("value")),
            description=text(setup.get("description")),
            reason=text(state.get("reason")),
            dimensions={k: text(v) for stat in stats for k, v in table(stat.get("dimensions")).items()},
            arn=next((text(r) for r in rows(data.get("resources")) if ":alarm:" in text(r)), ""),
            account=text(data.get("account")),
            region=text(data.get("region")),
            at=state.get("timestamp") or data.get("time"),
            labels={"metric": next((text(s.get("name")) for s in stats if text(s.get("name"))), "")},
        )
    return None


def of_message(message: Message) -> Read | None:
    fields = message.fields
    name = fields.get("alarm name") or fields.get("alarm", "")
    state = next((fields[n] for n in ("current state", "new state", "alarm state", "state") if n in fields), "")
    lines = [title for title, _ in message.titles] + [*message.fallbacks, *message.lines[:5]]
    chatbot = next((m for line in lines if (m := _CHATBOT.search(line))), None)
    mail = next((m for line in lines if (m := _MAIL.match(line))), None)
    if chatbot:
        name = chatbot["name"]
        state = state or _state_of_chatbot(message)
    elif mail:
        name, state = mail["name"], mail["state"]
    elif not (name and state and _about_cloudwatch(message)):
        return None
    arn = _ARN.search("\n".join((*message.lines, *(unquote(url) for url, _ in message.links))))
    link = next((url for url, _ in message.links if "console" in url), "")
    region = chatbot["region"] if chatbot else next(iter(re.findall(r"[?&]region=([\w-]+)", link)), "")
    return _alarm(
        name=name,
        state=state,
        description=fields.get("alarm description") or fields.get("description", ""),
        reason=fields.get("alarm reason") or fields.get("reason") or fields.get("new state reason") or message.body,
        dimensions=_pairs(fields.get("dimensions", "")),
        arn=arn[0] if arn else "",
        account=chatbot["account"] if chatbot else "",
        region=region,
        at=fields.get("state change time") or fields.get("timestamp"),
        labels={"metric": fields.get("metric name") or fields.get("metric", "")},
        urls=[url for url, _ in message.links],
    )


def _alarm(
    *,
    name: str,
    state: str,
    description: str,
    reason: str,
    dimensions: Mapping[str, str],
    arn: str,
    account: str,
    region: str,
    at: object,
    labels: Mapping[str, str],
    urls: list[str] | None = None,
) -> Read:
    named = {**labels, "region": region, "account": account, **dimensions}
    # An older notification has no ARN; what it would be made of identifies the alarm as well.
    identity = arn or build.key(SOURCE, account, region, name)
    return build.read(
        [
            build.alert(
                source=SOURCE,
                status=_status(state),
                alert_type=name,
                title=f"{name}: {description}" if description else name,
                summary=reason,
                severity=words.severity(labels.get("priority")),
                service=labels.get("application") or _service(dimensions),
                environment=words.environment({k.lower(): v for k, v in dimensions.items()}),
                labels={n: v for n, v in named.items() if v},
                fingerprint=identity,
                started_at=moment(at),
                links=[("alert", url) for url in urls or _console(arn, name)],
            )
        ]
    )


def _status(state: str) -> AlertStatus:
    # INSUFFICIENT_DATA reaches anybody only where its notification was asked for: it is news of trouble.
    return "resolved" if words.status(state) == "resolved" else "firing"


def _state_of_chatbot(message: Message) -> str:
    told = message.says(r"\b(ALARM|OK|INSUFFICIENT_DATA)\b")
    if told and told[1].isupper() and not told[1].startswith("ALARM"):
        return told[1]
    return (
        "OK"
        if message.colours and message.colours[0].lower() in ("good", "#2eb886", "2eb886", "#36a64f", "36a64f")
        else "ALARM"
    )


def _about_cloudwatch(message: Message) -> bool:
    return bool(message.says("cloudwatch")) or any("cloudwatch" in url for url, _ in message.links)


def _service(dimensions: Mapping[str, str]) -> str:
    named = next((dimensions[n] for n in _SERVICE_DIMENSIONS if dimensions.get(n)), "")
    return named or next((value for value in dimensions.values() if value), "")


def _dimensions(trigger: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Of a single metric, or of every metric in an expression."""
    stats = [table(table(metric.get("MetricStat")).get("Metric")) for metric in tables(trigger.get("Metrics"))]
    for source in (trigger, *stats):
        for row in tables(source.get("Dimensions")):
            if name := first_text(row, "name", "Name"):
                yield name, first_text(row, "value", "Value")


def _metric(trigger: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, str]:
    return {
        "metric": first_text(trigger, "MetricName") or text(data.get("MetricName")),
        "metric_namespace": first_text(trigger, "Namespace") or text(data.get("Namespace")),
        "threshold": first_text(trigger, "Threshold") or text(data.get("Threshold")),
        "priority": text(data.get("Priority")),
        "application": text(data.get("Application")),
    }


def _pairs(written: str) -> dict[str, str]:
    return dict(re.findall(r"([A-Za-z]\w*)\s*[=:]\s*([^\s,\]]+)", written))


def _console(arn: str, name: str) -> list[str]:
    parts = arn.split(":")
    if len(parts) < 7 or parts[1] != "aws":
        return []
    page = f"#alarmsV2:alarm/{quote(name, errors='replace')}"
    return [f"https://{parts[3]}.console.aws.amazon.com/cloudwatch/home?region={parts[3]}{page}"]
