"""Answers of servers read in parts: bounded in bytes and in time, whatever the other side does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import urllib3

MAX_BYTES = 32_000_000


class TooLarge(urllib3.exceptions.HTTPError):
    """The answer is larger, or lasts longer, than the limit."""


@dataclass(frozen=True)
class Bound:
    seconds: float
    received: Callable[[int], None]
    """Is told how many bytes were read, also of an answer that is then thrown away."""
    max_bytes: int = MAX_BYTES


def whole_body(response: urllib3.BaseHTTPResponse, bound: Bound, began: float) -> bytes:
    """The body; `began` is the monotonic time of the question. Raises TooLarge and urllib3's errors."""
    parts, size = [], 0
    try:
        # read1 and not stream: the latter waits for a whole part, however slowly it drips.
        while part := response.read1(65536, decode_content=True):
            size += len(part)
            if size > bound.max_bytes:
                raise TooLarge(f"the answer is larger than {bound.max_bytes // 1_000_000} MB")
            if time.monotonic() - began > bound.seconds:
                raise TooLarge(f"the answer had not ended after {bound.seconds:g} s")
            parts.append(part)
    except BaseException:
        response.close()
        raise
    finally:
        bound.received(size)
    response.release_conn()
    return b"".join(parts)
