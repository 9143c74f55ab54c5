"""What the messages of an incident are rendered from: records, and nothing that must be asked for while rendering."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from workers.domain import Alert, Feedback, Finding, GapRecord, Incident, Investigation, Progress, Reading


def no_page(evidence: str | None) -> str | None:
    return None


@dataclass(frozen=True)
class Case:
    incident: Incident
    investigation: Investigation | None = None
    alerts: tuple[Alert, ...] = ()
    progress: Progress | None = None
    finding: Finding | None = None
    record: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Confidence band -> (right, total) of this customer's findings on this alert type."""
    feedback: Mapping[str, Feedback] = field(default_factory=dict)
    """Person -> the vote that counts."""
    readings: tuple[Reading, ...] = ()
    """Of the guidance that matches; the owner and the runbook are taken from here."""
    version: str = "0"
    """Of the message; part of every block_id."""
    page: Callable[[str | None], str | None] = no_page
    """Evidence id or None -> address of Gumshoe's own page."""

    @property
    def unreachable(self) -> tuple[GapRecord, ...]:
        return self.progress.unreachable if self.progress else ()

    def owner(self) -> str:
        """Named by a person, else as the finding has it from a system that knows who is on call."""
        told = (r.text for r in self.readings if r.kind == "owner" and r.text)
        found = (
            n.removeprefix("owner: ") for n in (self.finding.next if self.finding else ()) if n.startswith("owner: ")
        )
        return next(told, "") or next(found, "")

    def runbook(self) -> str:
        """Named by a person, else by the alert."""
        told = (r.text for r in self.readings if r.kind == "runbook" and r.text)
        sent = (link.url for alert in self.alerts for link in alert.links if link.kind == "runbook")
        return next(told, "") or next(sent, "")
