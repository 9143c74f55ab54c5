"""The keys of `skills.pagerduty` in a customer's file."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    token_env: str
    """Variable with the key or token; read-only is enough."""
    url: str = Field(default="https://api.pagerduty.com", pattern=r"^https?://")
    """The EU service region has https://api.eu.pagerduty.com."""
    scheme: Literal["token", "bearer"] = "token"
    """How it is sent: `Token token=` for API keys, `Bearer` for OAuth."""
    services: dict[str, str] = Field(default_factory=dict)
    """Service as alerts name it -> id of PagerDuty's service; otherwise it is found by its name."""
    verify_tls: bool = True
    ca_file: str | None = None
