"""Masks secrets and personal data in an alert. The one seam: the caller brings the mask (`skills.redact`)."""

from __future__ import annotations

from collections.abc import Callable

from workers.domain import Alert, Link


def masked(alert: Alert, mask: Callable[[str], str]) -> Alert:
    """The alert with `mask` applied to every text that came from outside.

    Fingerprint and group key stay: they only identify, and a mask with a counter in it would tear incidents apart.
    """
    return alert.model_copy(
        update={
            "alert_type": mask(alert.alert_type) or alert.alert_type,
            "title": mask(alert.title),
            "summary": mask(alert.summary),
            "service": mask(alert.service),
            "environment": mask(alert.environment),
            "labels": {name: mask(value) for name, value in alert.labels.items()},
            "links": tuple(Link(kind=link.kind, url=mask(link.url)) for link in alert.links),
            "asked": mask(alert.asked),
        }
    )
