"""A customer's file: channels, endpoints, skill toggles, budgets, model, roles. Documented in config/README.md.

Skill settings stay raw here, with their file and key; `skills.registry` validates them against the skill itself.
Secrets are named (`token_env: ACME_K8S_TOKEN`), never written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from config.settings import ConfigError

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
EnvName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,127}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SlackPlace(_Part):
    team_id: str = ""
    channels: tuple[str, ...] = ()
    """Watched channels, by name (without #) or id."""
    shadow_channel: str = ""
    """Where a customer in dry run gets its answers; empty: nowhere but the record."""
    webhook_channel: str = ""
    """Where alerts that came by webhook get their message; default: the first of `channels`."""

    @field_validator("channels")
    @classmethod
    def _without_hash(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(v.removeprefix("#") for v in value)

    @field_validator("shadow_channel", "webhook_channel")
    @classmethod
    def _no_hash(cls, value: str) -> str:
        return value.removeprefix("#")


class Budget(_Part):
    """What one investigation may use; reaching any of them ends it in an honest partial finding."""

    seconds: float = Field(default=180, gt=0, le=3600)
    tokens: int = Field(default=200_000, ge=1000)
    tool_calls: int = Field(default=40, ge=1, le=500)
    dollars: float = Field(default=1.00, ge=0)
    queries_per_system: int = Field(default=300, ge=1)
    """Requests that one investigation may send to one system."""
    dollars_per_month: float | None = Field(default=None, ge=0)
    """For the whole customer; None: no limit."""


class Limits(_Part):
    investigations_per_hour: int = Field(default=30, ge=0)
    alerts_per_incident: int = Field(default=500, ge=1)


class Roles(_Part):
    """Slack user ids. An empty list of editors means: everyone in the workspace."""

    editors: tuple[str, ...] = ()


class Webhooks(_Part):
    pagerduty_secret_env: EnvName | None = None
    alertmanager_secret_env: EnvName | None = None
    generic_secret_env: EnvName | None = None
    flags_secret_env: EnvName | None = None


class Customer(_Part):
    """A team with its own systems, channels, toggles and guidance. Nothing crosses between customers."""

    name: Name
    slack: SlackPlace = SlackPlace()
    skills: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Skill name -> raw settings; `enabled` (default true) is the toggle that the file sets."""
    budget: Budget = Budget()
    limits: Limits = Limits()
    roles: Roles = Roles()
    webhooks: Webhooks = Webhooks()
    mutes: tuple[str, ...] = ()
    """Alert types (exact or glob) that are never investigated."""
    model: str | None = None
    """auto, offline, or a model id; None: GUMSHOE_MODEL decides."""
    environment: str = ""
    """Environment of alerts that name none, e.g. production."""
    dry_run: bool = False
    timezone: str = "UTC"
    language: Literal["en"] = "en"

    @field_validator("skills", mode="before")
    @classmethod
    def _skills_are_mappings(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {k: ({"enabled": v} if isinstance(v, bool) else (v or {})) for k, v in value.items()}
        return value

    def enabled_by_file(self, skill: str) -> bool:
        return skill in self.skills and bool(self.skills[skill].get("enabled", True))


def load_file(path: Path) -> Customer:
    """One customer. Raises ConfigError naming file and key."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such customer file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConfigError(f"{path}: {place}not valid YAML: {getattr(error, 'problem', None) or 'unreadable'}") from None
    return parse(raw, str(path))


def parse(raw: Any, source: str) -> Customer:
    """A customer from decoded YAML; `source` names it in errors. Raises ConfigError."""
    if not isinstance(raw, Mapping):
        raise ConfigError(f"{source}: expected a mapping with at least `name:`, found {type(raw).__name__}")
    try:
        return Customer.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(f"{source}: {first_problem(error)}") from None


def first_problem(error: ValidationError) -> str:
    """`key.path: what is wrong` of the first problem, without echoing the input, which may hold a secret."""
    problem = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part) for part in problem["loc"]) or "(top level)"
    message = problem["msg"]
    if problem["type"] == "extra_forbidden":
        message = "unknown key; see config/README.md for the keys"
    more = len(error.errors()) - 1
    return f"{key}: {message}" + (f" (and {more} more)" if more else "")


def load_all(directory: Path) -> tuple[Customer, ...]:
    """Every customers/*.yaml. Raises ConfigError: unreadable, two of one name, or a channel that two share."""
    if not directory.is_dir():
        raise ConfigError(f"{directory}: no such directory; put one YAML file per customer there (GUMSHOE_CUSTOMERS)")
    files = sorted(p for p in (*directory.glob("*.yaml"), *directory.glob("*.yml")) if not p.name.startswith("_"))
    customers = tuple((path, load_file(path)) for path in files)
    _refuse_shared(((c.name, path) for path, c in customers), "customer name")
    _refuse_shared(
        ((f"{c.slack.team_id}#{channel}", path) for path, c in customers for channel in c.slack.channels), "channel"
    )
    return tuple(c for _, c in customers)


def _refuse_shared(claims: Iterable[tuple[str, Path]], what: str) -> None:
    seen: dict[str, Path] = {}
    for key, path in claims:
        if key in seen and seen[key] != path:
            raise ConfigError(f"{path}: {what} {key.split('#')[-1]!r} is already taken by {seen[key]}")
        seen[key] = path
