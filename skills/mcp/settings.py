"""The keys of `skills.mcp` in a customer's file."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

ServerName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}$")]


class Server(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://")
    """Where the server speaks streamable HTTP, e.g. https://wiki.example.com/mcp"""
    headers: dict[str, str] = Field(default_factory=dict)
    """Sent with each request. No secrets: those are named by token_env or headers_env."""
    headers_env: dict[str, str] = Field(default_factory=dict)
    """Header name -> name of the variable that holds its value."""
    token_env: str | None = None
    """Variable with a bearer token; unset or empty: no authentication."""
    allow: tuple[str, ...] = ()
    """Tools that may be called although they do not declare themselves read-only. Whoever writes a name here vouches
    for it."""
    deny: tuple[str, ...] = ()
    """Tools that may not be called whatever they declare."""
    ca_file: str | None = None


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    servers: dict[ServerName, Server] = Field(min_length=1)
