"""An Alertmanager webhook body as the Slack message that Alertmanager itself would post for it.

Format: `slack.default.title` and `slack.default.fallback` of Alertmanager's default template: status and number of
firing alerts, the group's label values, then the remaining common label values in parentheses, both in the order of
their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def as_slack_message(body: Mapping[str, Any]) -> dict[str, Any]:
    """`attachments` (and `username`) of the message."""
    firing = sum(1 for alert in body["alerts"] if alert["status"] == "firing")
    head = f"[FIRING:{firing}]" if firing else "[RESOLVED]"
    group = dict(body.get("groupLabels", {}))
    common = {k: v for k, v in dict(body.get("commonLabels", {})).items() if k not in group}
    title = f"{head} {_values(group)} " + (f"({_values(common)})" if common else "")
    link = f"{body.get('externalURL', '')}/#/alerts?receiver={body.get('receiver', '')}"
    return {
        "username": "Alertmanager",
        "attachments": [
            {
                "title": title,
                "title_link": link,
                "text": "",
                "fallback": f"{title} | {link}",
                "color": "danger" if firing else "good",
                "mrkdwn_in": ["fallback", "pretext", "text"],
            }
        ],
    }


def _values(labels: Mapping[str, str]) -> str:
    # Alertmanager puts alertname first and sorts the rest by name.
    names = sorted(labels, key=lambda name: (name != "alertname", name))
    return " ".join(labels[name] for name in names)
