"""The keys of `skills.changes` in a customer's file. Each system is optional; other skills' changes are always used."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GitHub(_Part):
    url: str = Field(default="https://api.github.com", pattern=r"^https?://")
    """Of the REST API; GitHub Enterprise Server has it below /api/v3."""
    token_env: str | None = None
    """Variable with a token; unset: what anybody may read, at 60 requests an hour."""
    repositories: dict[str, str] = Field(default_factory=dict)
    """Service -> owner/repository. A key may be a pattern and a value hold {service}: `"*": acme/{service}`."""
    repository_label: str = ""
    """A label of the alert that names its repository as owner/repository."""
    environments: tuple[str, ...] = ()
    """Deployments to other environments are left out; empty: those to staging, test, preview and their like are."""
    verify_tls: bool = True
    ca_file: str | None = None

    @field_validator("repositories")
    @classmethod
    def _owner_and_name(cls, value: dict[str, str]) -> dict[str, str]:
        for service, repository in value.items():
            if repository.count("/") != 1 or not all(repository.split("/")):
                raise ValueError(f"{service}: expected owner/repository, found {repository!r}")
        return value

    @model_validator(mode="after")
    def _knows_a_repository(self) -> GitHub:
        if not self.repositories and not self.repository_label:
            raise ValueError("name repositories (service: owner/repository) or repository_label")
        return self


class ArgoCD(_Part):
    url: str = Field(pattern=r"^https?://")
    """Of the server; /api/v1 stands below."""
    token_env: str | None = None
    projects: tuple[str, ...] = ()
    """Restricts what is asked to applications of these projects."""
    clusters: tuple[str, ...] = ()
    """Names or servers of the destinations that count, where one Argo CD delivers to several; empty: all."""
    verify_tls: bool = True
    ca_file: str | None = None


class Settings(_Part):
    github: GitHub | None = None
    argocd: ArgoCD | None = None
    flags: dict[str, str] = Field(default_factory=dict)
    """Feature flag, or a pattern of flags -> the service that it touches."""
