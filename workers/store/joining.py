"""Which alerts belong together: the rules of DESIGN.md, section 3, as questions to the tables.

Everything here runs inside a transaction that holds the customer's lock, so that no two processes decide at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from workers.domain import Alert
from workers.store.columns import Moment, bounded
from workers.store.tables import alerts, incidents

SAME_SERVICE_SECONDS = 10 * 60
CLOSES_AFTER_SECONDS = 30 * 60
FORGOTTEN_AFTER_SECONDS = 24 * 3600
SEVERITIES = ("unknown", "info", "low", "warning", "high", "critical")

_IN_ONE_QUESTION = 500


def find_open(connection: sa.Connection, customer: str, firing: Sequence[Alert], at: datetime) -> str | None:
    """The incident that these alerts join: by fingerprint, else by group key, else by service and environment.

    What a person asks joins nothing: who asks again wants to know how it is now.
    """
    firing = [a for a in firing if a.source != "person"]
    recently = incidents.c.opened_at > at - timedelta(seconds=SAME_SERVICE_SECONDS)
    rules: tuple[tuple[sa.ColumnElement[bool], list[str]], ...] = (
        (sa.true(), [a.fingerprint for a in firing]),
        (sa.true(), [a.group_key for a in firing if a.group_key]),
        (recently, [key for a in firing if (key := _service_key(a))]),
    )
    columns = (alerts.c.fingerprint, alerts.c.group_key, alerts.c.service_key)
    for column, (when, values) in zip(columns, rules, strict=True):
        statement = (
            sa.select(incidents.c.id)
            .join(alerts, alerts.c.incident_id == incidents.c.id)
            .where(incidents.c.customer == customer, incidents.c.state != "closed", when)
            .where(alerts.c.customer == customer, column.in_(values))
            .order_by(incidents.c.opened_at.desc())
            .limit(1)
        )
        found = connection.execute(statement).scalar_one_or_none() if values else None
        if found is not None:
            return str(found)
    return None


def last_closed(connection: sa.Connection, customer: str, firing: Sequence[Alert]) -> str | None:
    """The last incident of one of these alerts, if it is over."""
    return connection.execute(
        sa.select(incidents.c.id)
        .join(alerts, alerts.c.incident_id == incidents.c.id)
        .where(alerts.c.customer == customer, alerts.c.fingerprint.in_([a.fingerprint for a in firing]))
        .where(incidents.c.state == "closed")
        .order_by(incidents.c.opened_at.desc())
        .limit(1)
    ).scalar_one_or_none()


def close_due(connection: sa.Connection, customer: str, now: datetime) -> int:
    """Closes what resolved long enough ago, and what nobody has heard of for a day."""
    statement = sa.update(incidents).where(incidents.c.customer == customer, is_due(now))
    return connection.execute(statement.values(state="closed", closed_at=now)).rowcount


def is_due(now: datetime) -> sa.ColumnElement[bool]:
    over = sa.and_(
        incidents.c.state == "resolved", incidents.c.resolved_at <= now - timedelta(seconds=CLOSES_AFTER_SECONDS)
    )
    forgotten = sa.and_(
        incidents.c.state == "open", incidents.c.news_at <= now - timedelta(seconds=FORGOTTEN_AFTER_SECONDS)
    )
    return sa.or_(over, forgotten)


def add_alerts(
    connection: sa.Connection, customer: str, incident_id: str, firing: Sequence[Alert], at: datetime, limit: int
) -> None:
    """Keeps one row for each fingerprint, with the latest firing notification; beyond `limit` rows no new ones."""
    rows = sa.select(alerts.c.fingerprint).where(alerts.c.incident_id == incident_id)
    known = set(connection.execute(rows).scalars())
    new: list[dict[str, Any]] = []
    for fingerprint, alert in {bounded(a.fingerprint): a for a in firing}.items():
        values = {"status": alert.status, "body": alert.model_dump(mode="json"), "last_at": at}
        if fingerprint in known:
            same = sa.and_(alerts.c.incident_id == incident_id, alerts.c.fingerprint == fingerprint)
            more = {"notifications": alerts.c.notifications + 1}
            connection.execute(sa.update(alerts).where(same).values(**values, **more))
        elif len(known) + len(new) < limit:
            keys = {"incident_id": incident_id, "fingerprint": fingerprint, "customer": customer}
            found_by = {"group_key": alert.group_key or None, "service_key": _service_key(alert)}
            place = {"position": len(known) + len(new), "first_at": at, "notifications": 1}
            new.append({**keys, **found_by, **place, **values})
    if new:
        connection.execute(sa.insert(alerts), new)


def mark_known(connection: sa.Connection, customer: str, news: Sequence[Alert], at: datetime) -> list[str]:
    """Recoveries and acknowledgements of alerts in incidents that are not closed: those incidents, the newest first.

    An acknowledgement that comes after the recovery does not undo it.
    """
    touched: dict[str, None] = {}
    for part in _parts(news):
        status = {bounded(a.fingerprint): a.status for a in part}
        found = connection.execute(
            sa.select(alerts.c.incident_id, alerts.c.fingerprint, alerts.c.status)
            .join(incidents, alerts.c.incident_id == incidents.c.id)
            .where(alerts.c.customer == customer, alerts.c.fingerprint.in_(list(status)))
            .where(incidents.c.state != "closed")
            .order_by(incidents.c.opened_at.desc())
        ).all()
        for row in found:
            touched[row.incident_id] = None
            if row.status != "resolved":
                same = sa.and_(alerts.c.incident_id == row.incident_id, alerts.c.fingerprint == row.fingerprint)
                change = {"status": status[row.fingerprint], "last_at": at}
                connection.execute(sa.update(alerts).where(same).values(**change))
    return list(touched)


def settle(connection: sa.Connection, incident_id: str, at: datetime) -> None:
    """Brings the incident's state, count and severity in line with its alerts."""
    rows = connection.execute(
        sa.select(alerts.c.status, alerts.c.body).where(alerts.c.incident_id == incident_id)
    ).all()
    over = all(row.status == "resolved" for row in rows)
    resolved_at = sa.func.coalesce(incidents.c.resolved_at, sa.literal(at, Moment))
    values: dict[str, Any] = {
        "state": "resolved" if over else "open",
        "resolved_at": resolved_at if over else None,
        "alert_count": len(rows),
        "severity": max((row.body.get("severity", "unknown") for row in rows), key=SEVERITIES.index),
        "news_at": at,
    }
    connection.execute(sa.update(incidents).where(incidents.c.id == incident_id).values(**values))


def _service_key(alert: Alert) -> str | None:
    """None for a person's question: it is about a service, but it is no sign that something is wrong with it."""
    return None if alert.asked or not alert.service else f"{alert.service}\n{alert.environment}"


def _parts(news: Sequence[Alert]) -> Iterator[Sequence[Alert]]:
    """Databases bound the number of values in one question."""
    for start in range(0, len(news), _IN_ONE_QUESTION):
        yield news[start : start + _IN_ONE_QUESTION]
