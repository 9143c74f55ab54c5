"""Errors that a writer only passes on: a gRPC client quotes the status that a server answered, and the server's words
are about the server's own affairs. What is the client's own are the words of the way there.

Forms: grpc-js `13 INTERNAL: ...`, grpc-go `rpc error: code = Internal desc = ...`, grpc-python `details = "..."`,
grpc-java `StatusRuntimeException: INTERNAL: ...`.
"""

from __future__ import annotations

import re

_STATUS = re.compile(
    r"\b\d{1,2} (?:CANCELLED|UNKNOWN|INVALID_ARGUMENT|DEADLINE_EXCEEDED|NOT_FOUND|ALREADY_EXISTS|PERMISSION_DENIED"
    r"|RESOURCE_EXHAUSTED|FAILED_PRECONDITION|ABORTED|OUT_OF_RANGE|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS"
    r"|UNAUTHENTICATED): "
    r"|rpc error: code = \w+ desc = "
    r"|\bdetails = \\?\""
    r"|StatusRuntimeException: [A-Z_]+: "
)
_OF_THE_WAY = re.compile(
    r"^\W*(?:(?:last )?connection error|last resolver error|name resolver error|transport:|error reading from server"
    r"|context (?:deadline exceeded|canceled)|no connection established|name resolution failed"
    r"|failed to connect to (?:all|remote)|dns resolution failed|io exception|upstream connect error|deadline exceeded"
    r"|(?:connect|read) E[A-Z]+|the operation was|keepalive"
    r"|rbac: access denied|no children to pick|there is no address|unknown (?:service|method)|dns: )",
    re.IGNORECASE,
)


def is_relayed(words: str, at: int) -> bool:
    """Whether what stands at this place of a record is another program's report that the writer quotes."""
    before = [s for s in _STATUS.finditer(words[: at + 40]) if s.start() <= at]
    if not before:
        return False
    # A status within a status: the inner one may be of the way, but it was the other program's way.
    return len(before) > 1 or not _OF_THE_WAY.match(words[before[0].end() :])
