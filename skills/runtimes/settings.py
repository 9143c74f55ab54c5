"""The keys of `skills.python` and `skills.golang` in a customer's file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    ours: tuple[str, ...] = ()
    """Prefixes of paths (or of Go packages) that hold the customer's own code, e.g. [/app/]; what is left out: every
    frame that is neither the language's own nor an installed package's."""
