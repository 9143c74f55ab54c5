"""From a post to what it says: loads the records that a message is rendered from, and picks the renderer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.blocks import detail, finding, follow_up, incident, progress
from bot.blocks.case import Case
from bot.blocks.limits import escape
from bot.blocks.message import Message
from workers.domain import Band, Feedback, Finding, Investigation, Post
from workers.store import Store

PageLink = Callable[[str, str | None], str | None]
"""(investigation id, evidence id or None) -> address of Gumshoe's own page, None when there is none."""
Permalink = Callable[[str, str], str | None]
"""(channel, ts) -> address of a message in Slack."""


def load(store: Store, post: Post, page: PageLink) -> Case | None:
    """None for a post that speaks of no incident, or of one that is gone."""
    found = store.incidents.get(post.incident_id) if post.incident_id else None
    if found is None:
        return None
    alerts = store.incidents.alerts(found.id)
    investigation = store.investigations.get(post.investigation_id) if post.investigation_id else None
    labels = alerts[0].labels if alerts else {}
    guidance = store.guidance.matching(found.customer, found.alert_type, labels)
    about = investigation.id if investigation else ""
    answer = store.findings.get(about) if about else None
    judged = store.feedback.current(about) if about else {}
    return Case(
        incident=found,
        investigation=investigation,
        alerts=alerts,
        progress=store.investigations.get_progress(about) if about else None,
        finding=answer,
        record=without_itself(dict(store.findings.track_record(found.customer, found.alert_type)), answer, judged),
        feedback=judged,
        readings=tuple(reading for g in guidance for reading in g.readings),
        version=f"{post.version}.{post.attempts}.{post.id}",
        page=_pages(page, investigation),
    )


def without_itself(
    record: dict[Band, tuple[int, int]], finding: Finding | None, judged: Mapping[str, Feedback]
) -> dict[str, tuple[int, int]]:
    """The track record of the others: what people say of a finding must not become the reason to believe it."""
    others: dict[str, tuple[int, int]] = dict(record.items())
    votes = [f.vote for f in judged.values() if f.vote != "unsure"]
    if finding is None or not finding.causes or not votes:
        return others
    band = finding.causes[0].confidence.band
    right, total = record.get(band, (0, 0))
    itself = int(votes.count("right") > votes.count("wrong"))
    others[band] = (max(0, right - itself), max(0, total - 1))
    return others


def _pages(page: PageLink, investigation: Investigation | None) -> Callable[[str | None], str | None]:
    return lambda evidence: page(investigation.id, evidence) if investigation else None


def render(post: Post, case: Case | None, permalink: Permalink) -> Message | None:
    """None: there is nothing (any more) to say."""
    if post.kind in ("notice", "reply", "acknowledge") and post.body.get("text"):
        return incident.notice(escape(str(post.body["text"])))
    if case is None:
        return None
    if post.kind == "status":
        return living(case)
    if post.kind == "detail":
        return detail.render(case) if case.finding else None
    if post.kind == "alert":
        return incident.alert(case)
    if post.kind == "pointer":
        place = case.incident.place
        return incident.pointer(case, permalink(place.channel, place.thread_ts) if place and place.thread_ts else None)
    if post.kind == "belief" and case.progress and case.progress.beliefs:
        return incident.notice(progress.belief_line(case, case.progress.beliefs[-1]))
    return None


def living(case: Case) -> Message:
    """The one message that is edited in place: progress, then the finding."""
    if case.finding is None:
        return progress.render(case)
    return follow_up.render(case) if case.investigation and case.investigation.question else finding.render(case)
