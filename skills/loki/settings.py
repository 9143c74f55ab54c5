"""The keys of `skills.loki` in a customer's file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class LabelNames(BaseModel):
    """Labels, or structured metadata, where discovery would guess wrong; what is left out is discovered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: str | None = None
    service: str | None = None
    namespace: str | None = None
    pod: str | None = None
    container: str | None = None
    trace: str | None = None


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://")
    """Where /loki/api/v1 stands below: a query frontend, a gateway, or Grafana's proxy of a data source."""
    org_id: str | None = None
    """Tenant, sent as X-Scope-OrgID; several separated by |."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Sent with each request. No secrets: those are named by token_env and password_env."""
    token_env: str | None = None
    """Variable with a bearer token; unset or empty: no authentication."""
    username: str | None = None
    password_env: str | None = None
    link_base: str | None = Field(default=None, pattern=r"^https?://")
    """Grafana as people reach it; evidence links lead to Explore there."""
    datasource: str | None = None
    """Uid of the Loki data source for links; default: the one that Explore opens with."""
    matchers: dict[str, str] = Field(default_factory=dict)
    """Label -> value that every question is restricted to, e.g. {cluster: prod} where clusters share one Loki."""
    labels: LabelNames = LabelNames()
    verify_tls: bool = True
    ca_file: str | None = None
    namespaces: tuple[str, ...] = ()
    """Restricts what is asked to these namespaces when the alert names none."""
