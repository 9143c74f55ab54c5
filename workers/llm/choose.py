"""Which model answers: the offline investigator, or Claude where there is a key."""

from __future__ import annotations

from config.settings import ConfigError
from workers.llm.base import Model
from workers.llm.offline import Offline

DEFAULT_CLAUDE = "claude-sonnet-5-5"


def pick(name: str, *, api_key: str | None = None, base_url: str | None = None) -> Model:
    """`auto` (Claude when there is a key, else offline), `offline`, or a model id. Raises ConfigError."""
    if name == "offline" or (name in ("", "auto") and not api_key):
        return Offline()
    if not api_key:
        raise ConfigError(f"the model {name!r} needs ANTHROPIC_API_KEY; set it, or use GUMSHOE_MODEL=offline")
    # The vendor's package costs a second and 76 MiB; only processes that talk to Claude pay for it.
    from workers.llm.claude import Claude  # noqa: PLC0415

    return Claude(DEFAULT_CLAUDE if name in ("", "auto") else name, api_key=api_key, base_url=base_url)
