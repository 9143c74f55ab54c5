"""Answers of servers read in parts: bounded in bytes and in time, whatever the other side does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import urllib3

MAX_BYTES = 32_000_000


class TooLarge(urllib3.exceptions.HTTPError):
    """The answer is larger than the limit; ask for less."""


class TooLong(urllib3.exceptions.HTTPError):
    """The answer began and did not end in time."""


@dataclass(frozen=True)
class Bound:
    seconds: float
    received: Callable[[int], None]
    """Is told how many bytes were read, also of an answer that is then thrown away."""
    max_bytes: int = MAX_BYTES
    cut: bool = False
    """Whether the first bytes of a larger answer are as good as any: lines of a log, words of an error."""


def whole_body(response: urllib3.BaseHTTPResponse, bound: Bound, began: float) -> bytes:
    """The body; `began` is the monotonic time of the question. Raises TooLarge, TooLong and urllib3's errors."""
    body = bytearray()
    try:
        if not bound.cut and _announced(response) > bound.max_bytes:
            announced = _announced(response) // 1_000_000
            raise TooLarge(f"answers with {announced} MB, of which {_most(bound)} would be read")
        # read1 and not stream: the latter waits for a whole part, however slowly it drips.
        while part := response.read1(65536, decode_content=True):
            body += part
            if len(body) > bound.max_bytes:
                if bound.cut:
                    response.close()
                    return bytes(body[: bound.max_bytes])
                raise TooLarge(f"answers with more than {_most(bound)}, reading stopped")
            if time.monotonic() - began > bound.seconds:
                raise TooLong(f"had not ended its answer after {bound.seconds:.3g} s")
    except BaseException:
        response.close()
        raise
    finally:
        bound.received(len(body))
    response.release_conn()
    return bytes(body)


def _announced(response: urllib3.BaseHTTPResponse) -> int:
    """Bytes on the wire, which a packed answer only exceeds."""
    length = response.headers.get("content-length", "")
    return int(length) if length.isdigit() else 0


def _most(bound: Bound) -> str:
    return f"{bound.max_bytes / 1_000_000:.3g} MB"
