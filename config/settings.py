"""The only reader of the environment. Everything else gets a `Settings`, or a piece of one, as an argument."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class ConfigError(Exception):
    """The configuration cannot be used. The text is one line that names the file, key or variable and the remedy."""


@dataclass(frozen=True)
class Settings:
    """What the processes of Gumshoe need to know before they read a customer's file."""

    state_dir: Path
    """Holds the database, Valkey's append-only file and the key of signed links. GUMSHOE_STATE, default .gumshoe"""
    customers_dir: Path
    """One YAML file per customer. GUMSHOE_CUSTOMERS, default config/customers"""
    database_url: str
    """SQLAlchemy URL. DATABASE_URL, default SQLite under state_dir"""
    redis_url: str | None
    """REDIS_URL; None means: start Valkey under state_dir"""
    slack_bot_token: str | None = None
    """SLACK_BOT_TOKEN (xoxb-...)"""
    slack_app_token: str | None = None
    """SLACK_APP_TOKEN (xapp-...), for Socket Mode"""
    slack_signing_secret: str | None = None
    """SLACK_SIGNING_SECRET, for HTTP mode"""
    slack_api_url: str = "https://slack.com/api/"
    """SLACK_API_URL; another address only for the local Slack"""
    anthropic_api_key: str | None = None
    """ANTHROPIC_API_KEY; without it the offline investigator answers"""
    anthropic_base_url: str | None = None
    """ANTHROPIC_BASE_URL"""
    model: str = "auto"
    """GUMSHOE_MODEL: auto (Claude when there is a key), offline, or a model id; a customer's file may override it"""
    web_host: str = "127.0.0.1"
    """GUMSHOE_WEB_HOST"""
    web_port: int = 0
    """GUMSHOE_WEB_PORT; 0 takes a free one"""
    public_url: str | None = None
    """GUMSHOE_PUBLIC_URL: how people reach the web pages; default http://web_host:web_port"""
    workers: int = 2
    """GUMSHOE_WORKERS: worker processes for the queue `investigate`"""
    log_level: str = "INFO"
    """GUMSHOE_LOG_LEVEL"""
    log_format: str = "text"
    """GUMSHOE_LOG_FORMAT: text or json"""
    capture_content: bool = True
    """GUMSHOE_CAPTURE_CONTENT: keep (redacted) inputs and outputs in traces"""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def secret(self, name: str) -> str | None:
        """The value of the variable that a customer's file names; None when it is unset or empty."""
        return self.environment.get(name) or None

    @property
    def link_key_file(self) -> Path:
        return self.state_dir / "link.key"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment. Raises ConfigError naming the variable."""
    env = dict(os.environ if environ is None else environ)
    state = Path(env.get("GUMSHOE_STATE") or ".gumshoe").absolute()
    level = (env.get("GUMSHOE_LOG_LEVEL") or "INFO").upper()
    if level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ConfigError(f"GUMSHOE_LOG_LEVEL is {level!r}: use DEBUG, INFO, WARNING or ERROR")
    log_format = env.get("GUMSHOE_LOG_FORMAT") or "text"
    if log_format not in ("text", "json"):
        raise ConfigError(f"GUMSHOE_LOG_FORMAT is {log_format!r}: use text or json")
    return Settings(
        state_dir=state,
        customers_dir=Path(env.get("GUMSHOE_CUSTOMERS") or "config/customers").absolute(),
        database_url=_database_url(env.get("DATABASE_URL") or f"sqlite:///{state / 'gumshoe.db'}"),
        redis_url=env.get("REDIS_URL") or None,
        slack_bot_token=env.get("SLACK_BOT_TOKEN") or None,
        slack_app_token=env.get("SLACK_APP_TOKEN") or None,
        slack_signing_secret=env.get("SLACK_SIGNING_SECRET") or None,
        slack_api_url=_with_slash(env.get("SLACK_API_URL") or "https://slack.com/api/"),
        anthropic_api_key=env.get("ANTHROPIC_API_KEY") or None,
        anthropic_base_url=env.get("ANTHROPIC_BASE_URL") or None,
        model=env.get("GUMSHOE_MODEL") or "auto",
        web_host=env.get("GUMSHOE_WEB_HOST") or "127.0.0.1",
        web_port=_whole_number(env, "GUMSHOE_WEB_PORT", 0, 0, 65535),
        public_url=(env.get("GUMSHOE_PUBLIC_URL") or "").rstrip("/") or None,
        workers=_whole_number(env, "GUMSHOE_WORKERS", 2, 1, 64),
        log_level=level,
        log_format=log_format,
        capture_content=(env.get("GUMSHOE_CAPTURE_CONTENT") or "yes").lower() not in ("no", "false", "0", "off"),
        environment=env,
    )


def _database_url(url: str) -> str:
    # Heroku-style URLs still say postgres://, which SQLAlchemy no longer knows.
    if url.startswith("postgres://"):
        return "postgresql://" + url.removeprefix("postgres://")
    if not url.startswith(("sqlite:", "postgresql:", "postgresql+psycopg:")):
        scheme = url.split(":", 1)[0]
        raise ConfigError(f"DATABASE_URL begins with {scheme!r}: use sqlite:///FILE or postgresql://USER@HOST/NAME")
    return url


def _with_slash(url: str) -> str:
    return url if url.endswith("/") else url + "/"


def _whole_number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name) or str(default)
    if not text.isdigit() or not low <= int(text) <= high:
        raise ConfigError(f"{name} is {text!r}: use a whole number from {low} to {high}")
    return int(text)
