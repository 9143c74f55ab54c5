"""Which posts the events of an incident give rise to. What they say is rendered later, from the record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from workers.domain import Incident, Investigation, Place, PostKind
from workers.store.engine import Database
from workers.store.outbox import bump, put, set_thread
from workers.store.tables import incidents, outbox, spans, traces
from workers.trace import PICTURE


class Announcer:
    """Puts posts into the outbox, within the transaction of the event."""

    def __init__(self, database: Database, connection: sa.Connection, at: datetime) -> None:
        self._db = database
        self._connection = connection
        self._at = at

    def opened_by_message(self, incident: Incident, investigation: Investigation, message: Place, ts: str) -> None:
        """The message is greeted, and the living message goes into its thread."""
        thread = in_thread(message, ts)
        set_thread(self._connection, incident.id, thread)
        self._put("reaction", thread, f"eyes:{incident.id}", incident, body={"name": "eyes", "ts": ts})
        self._put("status", thread, _main(incident.id), incident, investigation)

    def opened_elsewhere(self, incident: Incident, investigation: Investigation, channel: Place) -> None:
        """The alert gets a message of its own, whose thread becomes the incident's once it is posted."""
        # An incident that was muted until now may have the thread of the message that nobody answered.
        homeless = {"team_id": "", "channel": None, "thread_ts": None}
        self._connection.execute(sa.update(incidents).where(incidents.c.id == incident.id).values(**homeless))
        self._put("alert", channel, f"alert:{incident.id}", incident)
        self._put("status", channel, _main(incident.id), incident, investigation)

    def joined(self, incident: Incident, message: Place, ts: str) -> None:
        """A message that joins is told, in its thread, where the incident's is."""
        thread = in_thread(message, ts)
        own = incident.place
        if own is None or (own.channel, own.thread_ts) != (thread.channel, thread.thread_ts):
            self._put("pointer", thread, f"pointer:{incident.id}:{message.channel}:{ts}", incident, body={"ts": ts})

    def changed(self, incident_id: str) -> None:
        """The incident's living message is said anew: alerts joined, resolved or fired again."""
        bump(self._connection, outbox.c.key == _main(incident_id))

    def asked(self, incident: Incident, investigation: Investigation) -> None:
        """A question gets a living message of its own in the thread, which becomes its answer."""
        if incident.place is not None:
            self._put("status", incident.place, f"status:{investigation.id}", incident, investigation)

    def again(self, incident: Incident, investigation: Investigation) -> None:
        """The incident's living message shows the new investigation from now on; where there is none, it gets one."""
        bump(self._connection, outbox.c.key == _main(incident.id), investigation_id=investigation.id)
        if incident.place is not None:
            self._put("status", incident.place, _main(incident.id), incident, investigation)

    def progressed(self, investigation_id: str) -> None:
        bump(self._connection, outbox.c.investigation_id == investigation_id)

    def finished(self, incident: Incident, investigation: Investigation, *, with_detail: bool) -> None:
        """The living message becomes the answer; detail and picture follow beneath it, in the same thread."""
        self.progressed(investigation.id)
        living = sa.select(outbox).where(outbox.c.investigation_id == investigation.id, outbox.c.kind == "status")
        status = self._connection.execute(living).first()
        if status is not None and with_detail:
            place = Place(team_id=status.team_id, channel=status.channel, thread_ts=status.thread_ts)
            self._put("detail", place, f"detail:{investigation.id}", incident, investigation)
            if self._has_picture(investigation.id):
                self._put("picture", place, f"picture:{investigation.id}", incident, investigation)

    def _has_picture(self, investigation_id: str) -> bool:
        theirs = sa.select(traces.c.id).where(traces.c.investigation_id == investigation_id)
        drawn = sa.select(spans.c.id).where(spans.c.trace_id.in_(theirs), spans.c.name == PICTURE).limit(1)
        return self._connection.execute(drawn).first() is not None

    def _put(
        self,
        kind: PostKind,
        place: Place,
        key: str,
        incident: Incident,
        investigation: Investigation | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        put(
            self._db,
            self._connection,
            incident.customer,
            kind,
            place,
            key,
            self._at,
            incident_id=incident.id,
            investigation_id=investigation.id if investigation else None,
            body=body,
        )


def in_thread(message: Place, ts: str) -> Place:
    """The thread that a message is in, or that it begins."""
    return message.model_copy(update={"thread_ts": message.thread_ts or ts})


def _main(incident_id: str) -> str:
    return f"status:{incident_id}"
