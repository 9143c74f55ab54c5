"""What every way to a server shares: how the protocol's client fails, and how a server's own refusal is told."""

from __future__ import annotations

from mcp import Client, MCPError
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic import ValidationError

from skills.said import one_line
from skills.trouble import Party, Refused

FAILURES = (MCPError, ValidationError, RuntimeError, OSError)
"""What the client raises for a server that is wrong."""


def mode_of(client: Client) -> str:
    """How a server that was spoken to once is to be spoken to again, which saves the others a request."""
    spoken = client.protocol_version
    return "legacy" if spoken in HANDSHAKE_PROTOCOL_VERSIONS else spoken


def refusal(party: Party, error: BaseException, what: str) -> Refused:
    """Of a server that spoke the protocol well, in its own words."""
    words = party.hushed(one_line(str(error)) or type(error).__name__)
    return Refused(f"{party.system} refused: {words}", asked=party.question(what), words=words)


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that the others follow from."""
    error = group.exceptions[0]
    return first_of(error) if isinstance(error, BaseExceptionGroup) else error
