"""The tables. A change here needs a migration beside it (migrations/README.md); a test compares the two."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from workers.store.columns import Json, Key, Moment, Words

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _words(name: str) -> sa.Column[str]:
    return sa.Column(name, Words, nullable=False, default="")


def _moment(name: str) -> sa.Column[Any]:
    return sa.Column(name, Moment, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, default=0)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, default=False)


seen = sa.Table("seen", metadata, sa.Column("key", Key, primary_key=True), _moment("at"))

notes = sa.Table("notes", metadata, sa.Column("key", Key, primary_key=True), _words("text"), _moment("at"))

incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("customer", Key, nullable=False),
    _words("state"),
    sa.Column("alert_type", Key, nullable=False),
    sa.Column("service", Key, nullable=False),
    _words("environment"),
    _words("title"),
    _words("severity"),
    _words("team_id"),
    sa.Column("channel", Key),
    sa.Column("thread_ts", Key),
    _flag("dry_run"),
    _moment("opened_at"),
    _moment("news_at"),
    sa.Column("resolved_at", Moment),
    sa.Column("closed_at", Moment),
    sa.Column("previous_id", Key),
    _number("alert_count"),
    sa.Index(None, "customer", "opened_at"),
    sa.Index(None, "channel", "thread_ts"),
    sa.Index(None, "state"),
)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("incident_id", Key, sa.ForeignKey("incidents.id"), primary_key=True),
    sa.Column("fingerprint", Key, primary_key=True),
    sa.Column("customer", Key, nullable=False),
    _number("position"),
    _words("status"),
    sa.Column("group_key", Key),
    sa.Column("service_key", Key),
    sa.Column("body", Json, nullable=False),
    _moment("first_at"),
    _moment("last_at"),
    _number("notifications"),
    sa.Index(None, "customer", "fingerprint"),
    sa.Index(None, "customer", "group_key"),
    sa.Index(None, "customer", "service_key"),
)

arrivals = sa.Table(
    "arrivals",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("customer", Key, nullable=False),
    sa.Column("event_key", Key),
    sa.Column("channel", Key),
    sa.Column("message_ts", Key),
    sa.Column("incident_id", Key, sa.ForeignKey("incidents.id")),
    sa.Column("investigation_id", Key),
    _flag("joined"),
    _flag("new"),
    sa.Column("ignored", Json),
    _moment("at"),
    sa.UniqueConstraint("customer", "event_key"),
    sa.Index(None, "channel", "message_ts"),
)

investigations = sa.Table(
    "investigations",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("incident_id", Key, sa.ForeignKey("incidents.id"), nullable=False),
    sa.Column("customer", Key, nullable=False),
    sa.Column("key", Key, nullable=False, unique=True),
    _words("state"),
    _number("attempt"),
    _words("question"),
    _words("asked_by"),
    sa.Column("follows", Key),
    _words("model"),
    sa.Column("trace_id", Key, nullable=False),
    sa.Column("stop_requested_by", Words),
    sa.Column("stop_requested_at", Moment),
    _flag("dry_run"),
    sa.Column("progress", Json),
    _moment("created_at"),
    sa.Column("started_at", Moment),
    _moment("alive_at"),
    sa.Column("ended_at", Moment),
    _words("error"),
    sa.Index(None, "incident_id"),
    sa.Index(None, "customer", "created_at"),
    sa.Index(None, "state"),
)

steering = sa.Table(
    "steering",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("investigation_id", Key, sa.ForeignKey("investigations.id"), nullable=False),
    _words("text"),
    _words("person"),
    _moment("at"),
    sa.Index(None, "investigation_id"),
)

findings = sa.Table(
    "findings",
    metadata,
    sa.Column("investigation_id", Key, sa.ForeignKey("investigations.id"), primary_key=True),
    sa.Column("incident_id", Key, sa.ForeignKey("incidents.id"), nullable=False),
    sa.Column("customer", Key, nullable=False),
    sa.Column("alert_type", Key, nullable=False),
    _words("verdict"),
    sa.Column("band", Words),
    sa.Column("body", Json, nullable=False),
    _moment("at"),
    sa.Index(None, "incident_id"),
    sa.Index(None, "customer", "alert_type"),
)

traces = sa.Table(
    "traces",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("investigation_id", Key, sa.ForeignKey("investigations.id"), nullable=False),
    sa.Column("incident_id", Key, nullable=False),
    sa.Column("customer", Key, nullable=False),
    sa.Column("alert_type", Key, nullable=False),
    _words("service"),
    _words("task"),
    _words("agent_version"),
    sa.Column("guidance", Json, nullable=False),
    sa.Column("toggles", Json, nullable=False),
    _words("model"),
    _words("env"),
    _words("thread"),
    _moment("t0"),
    sa.Column("t1", Moment),
    _words("outcome"),
    sa.Index(None, "investigation_id"),
    sa.Index(None, "customer", "alert_type"),
)

spans = sa.Table(
    "spans",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("trace_id", Key, sa.ForeignKey("traces.id"), nullable=False),
    sa.Column("parent_id", Key),
    _number("sequence"),
    _words("op"),
    _words("name"),
    _words("step_state"),
    _words("status"),
    sa.Column("error_type", Words),
    _moment("t0"),
    _moment("t1"),
    _number("tokens_in"),
    _number("tokens_out"),
    _number("tokens_cached"),
    _flag("tokens_estimated"),
    sa.Column("dollars", sa.Float, nullable=False, default=0),
    _number("attempt"),
    sa.Column("input", Json),
    sa.Column("input_sha256", Key),
    sa.Column("output", Json),
    sa.Column("output_sha256", Key),
    sa.Column("attributes", Json, nullable=False),
    sa.Index(None, "trace_id", "sequence"),
)

attachments = sa.Table(
    "attachments",
    metadata,
    sa.Column("sha256", Key, primary_key=True),
    _number("size"),
    sa.Column("zlib", sa.LargeBinary, nullable=False),
)

feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("investigation_id", Key, sa.ForeignKey("investigations.id"), nullable=False),
    _words("person"),
    _words("vote"),
    _words("via"),
    _flag("withdrawn"),
    sa.Column("parts", Json, nullable=False),
    _words("true_cause"),
    _words("note"),
    _moment("created_at"),
    sa.Index(None, "investigation_id"),
)

guidance = sa.Table(
    "guidance",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("customer", Key, nullable=False),
    sa.Column("alert_type", Key, nullable=False),
    sa.Column("labels", Json, nullable=False),
    _words("text"),
    sa.Column("readings", Json, nullable=False),
    _words("author"),
    _moment("created_at"),
    _flag("removed"),
    sa.Index(None, "customer"),
)

proposals = sa.Table(
    "proposals",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("customer", Key, nullable=False),
    sa.Column("alert_type", Key, nullable=False),
    sa.Column("labels", Json, nullable=False),
    _words("text"),
    sa.Column("readings", Json, nullable=False),
    _words("author"),
    _moment("created_at"),
    sa.Column("guidance_id", Key),
    sa.Column("confirmed_version", sa.Integer),
    sa.Column("confirmed_at", Moment),
)

toggles = sa.Table(
    "toggles",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("customer", Key, nullable=False),
    _words("skill"),
    _flag("enabled"),
    _words("author"),
    _moment("created_at"),
    sa.Index(None, "customer"),
)

mutes = sa.Table(
    "mutes",
    metadata,
    sa.Column("customer", Key, primary_key=True),
    sa.Column("alert_type", Key, primary_key=True),
    sa.Column("until", Moment),
    _words("author"),
    _moment("created_at"),
)

flag_events = sa.Table(
    "flag_events",
    metadata,
    sa.Column("customer", Key, primary_key=True),
    sa.Column("id", Key, primary_key=True),
    _moment("at"),
    sa.Column("body", Json, nullable=False),
    sa.Index(None, "customer", "at"),
)

ignored = sa.Table(
    "ignored",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("customer", Key, nullable=False),
    _moment("at"),
    _words("what"),
    _words("reason"),
    _words("detail"),
    _words("channel"),
    sa.Column("incident_id", Key),
    sa.Index(None, "customer", "at"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", Key, nullable=False, unique=True),
    sa.Column("customer", Key, nullable=False),
    _words("kind"),
    _words("team_id"),
    sa.Column("channel", Key, nullable=False),
    sa.Column("thread_ts", Key),
    sa.Column("incident_id", Key),
    sa.Column("investigation_id", Key),
    sa.Column("body", Json, nullable=False),
    _number("version"),
    _number("claimed_version"),
    _words("state"),
    _number("attempts"),
    sa.Column("ts", Key),
    sa.Column("not_before", Moment),
    sa.Column("claimed_at", Moment),
    _words("error"),
    _moment("created_at"),
    sa.Index(None, "state", "channel"),
    sa.Index(None, "channel", "ts"),
    sa.Index(None, "incident_id"),
    sa.Index(None, "investigation_id"),
)
