"""The keys of `skills.mcp` in a customer's file."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from config.customers import EnvName

ServerName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}$")]
ChildEnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
Word = Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=4096)]

_OF_HTTP = ("headers", "headers_env", "token_env", "ca_file")


class Server(BaseModel):
    """One server: `url`, or `command`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(default=None, pattern=r"^https?://")
    """Where the server speaks streamable HTTP, e.g. https://wiki.example.com/mcp"""
    command: tuple[Word, ...] = ()
    """The program that speaks over its standard input and output, and its arguments; no shell reads them. The program
    is found on PATH or named by its full path: it starts in a directory of its own."""
    env: dict[ChildEnvName, EnvName] = Field(default_factory=dict)
    """Name of a variable of the program -> name of the variable of Gumshoe's environment that holds its value."""
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

    @field_validator("command", mode="before")
    @classmethod
    def _a_list(cls, value: Any) -> Any:
        if isinstance(value, str) or (isinstance(value, list | tuple) and not (value and value[0])):
            raise PydanticCustomError(
                "command", "give a list of words, the program first: [uvx, some-server]; no shell reads them"
            )
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Server:
        if (self.url is None) == (not self.command):
            both = "both are given" if self.command else "neither is given"
            raise PydanticCustomError("one_way", f"give either url or command; {both}")
        idle = [key for key in (_OF_HTTP if self.command else ("env",)) if getattr(self, key)]
        if idle:
            belongs = "url, and command is given" if self.command else "command, and url is given"
            raise PydanticCustomError("idle", f"{' and '.join(idle)} belongs to {belongs}")
        return self


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    servers: dict[ServerName, Server] = Field(min_length=1)
