"""Rows of incidents and investigations as records, for the modules that need both."""

from __future__ import annotations

import sqlalchemy as sa

from workers.domain import Incident, Investigation, Place
from workers.store.tables import incidents, investigations, steering


def incident_record(row: sa.RowMapping) -> Incident:
    place = None
    if row["channel"] is not None:
        place = Place(team_id=row["team_id"], channel=row["channel"], thread_ts=row["thread_ts"])
    return Incident.model_validate({**row, "place": place})


def incident_by_id(connection: sa.Connection, incident_id: str) -> Incident | None:
    row = connection.execute(sa.select(incidents).where(incidents.c.id == incident_id)).mappings().first()
    return None if row is None else incident_record(row)


def investigation_by_id(connection: sa.Connection, investigation_id: str) -> Investigation | None:
    row = connection.execute(sa.select(investigations).where(investigations.c.id == investigation_id)).mappings()
    found = row.first()
    return None if found is None else investigation_record(connection, found)


def investigation_record(connection: sa.Connection, row: sa.RowMapping) -> Investigation:
    said = sa.select(steering.c.text).where(steering.c.investigation_id == row["id"]).order_by(steering.c.id)
    return Investigation.model_validate({**row, "steering": tuple(connection.execute(said).scalars())})
