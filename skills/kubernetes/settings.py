"""A customer's keys for the kubernetes skill. Light to import: no client, no I/O."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

EnvName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,127}$")]


class Settings(BaseModel):
    """Exactly one of `url`, `context`, `in_cluster` says how the API server is reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = None
    """Address of the API server or of a `kubectl proxy`."""
    context: str | None = None
    """A context of the kubeconfig (KUBECONFIG or ~/.kube/config)."""
    in_cluster: bool = False
    """The service account that is mounted into Gumshoe's own pod."""
    namespaces: tuple[str, ...] = ()
    """Where to look; default: the alert's namespace, else those that hold the service, else all that are not
    system's."""
    token_env: EnvName | None = None
    """Name of the variable with a bearer token; unset or empty: no authentication."""
    ca_file: str | None = None
    verify_tls: bool = True
    link_base: str | None = None
    """Address of a dashboard; `#/pod/<namespace>/<name>` (Kubernetes Dashboard, Headlamp) is appended."""
    timeout_seconds: float | None = Field(default=None, gt=0, le=120)
    """Of one request; default: what the investigation gives."""
    first_look_seconds: float = Field(default=4.5, gt=0, le=60)
    """All that the first look may take."""
    max_pages: int = Field(default=6, ge=1, le=100)
    """Pages of 500 objects of one kind that are read before the rest is left out, and said so."""

    @field_validator("namespaces", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("url")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/") if value else value

    @model_validator(mode="after")
    def _exactly_one_way(self) -> Settings:
        ways = [self.url is not None, self.context is not None, self.in_cluster]
        if sum(ways) != 1:
            raise ValueError("give exactly one of url, context, in_cluster")
        return self
