"""The keys of `skills.elasticsearch` in a customer's file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class FieldNames(BaseModel):
    """Names of fields where discovery would guess wrong; what is left out is discovered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    timestamp: str | None = None
    message: str | None = None
    level: str | None = None
    service: str | None = None
    namespace: str | None = None
    pod: str | None = None
    container: str | None = None
    trace: str | None = None


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://")
    index: str = Field(default="logs-*", min_length=1)
    """Index, alias, data stream or pattern; several separated by commas."""
    api_key_env: str | None = None
    """Variable with an API key in its encoded form; unset or empty: no authentication."""
    username: str | None = None
    password_env: str | None = None
    link_base: str | None = Field(default=None, pattern=r"^https?://")
    """Kibana or OpenSearch Dashboards as people reach it; evidence links lead to Discover there."""
    data_view: str | None = None
    """Id of the data view for links; default: the one that Discover opens with."""
    fields: FieldNames = FieldNames()
    verify_tls: bool = True
    ca_file: str | None = None
    namespaces: tuple[str, ...] = ()
    """Restricts what is asked to these namespaces when the alert names none."""
