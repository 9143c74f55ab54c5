"""The keys of `skills.prometheus` in a customer's file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://")
    """Where /api/v1 stands below; for Mimir this includes /prometheus."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Sent with each request, e.g. X-Scope-OrgID. No secrets: those are named by token_env or headers_env."""
    headers_env: dict[str, str] = Field(default_factory=dict)
    """Header name -> name of the variable that holds its value."""
    token_env: str | None = None
    """Variable with a bearer token; unset or empty: no authentication."""
    username: str | None = None
    password_env: str | None = None
    alertmanager_url: str | None = Field(default=None, pattern=r"^https?://")
    """For the other alerts that fire, and silences."""
    link_base: str | None = Field(default=None, pattern=r"^https?://")
    """Grafana or Prometheus as people reach it; evidence links lead there."""
    verify_tls: bool = True
    ca_file: str | None = None
    namespaces: tuple[str, ...] = ()
    """Restricts what is asked to these namespaces; default: the alert's."""
