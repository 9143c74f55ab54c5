"""Seeded chance: the same key gives the same value in every process. The simulation has no other randomness."""

from __future__ import annotations

import random
from base64 import b64encode
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

_SAFE = "bcdfghjklmnpqrstvwxz2456789"
"""The alphabet that Kubernetes uses for generated names: no vowels, no look-alikes."""


def number(*key: object) -> int:
    """64 bits that depend on the key alone."""
    return int.from_bytes(blake2b("\x1f".join(map(str, key)).encode(), digest_size=8).digest(), "big")


@lru_cache(maxsize=65536, typed=True)
def unit(*key: object) -> float:
    """A value in [0, 1). Kept, because series ask for the same one at each of their moments."""
    return (number(*key) >> 11) / (1 << 53)


def between(low: float, high: float, *key: object) -> float:
    return low + (high - low) * unit(*key)


def stream(*key: object) -> random.Random:
    return random.Random(number(*key))


def uid(*key: object) -> str:
    """A version 4 UUID."""
    raw = blake2b("\x1f".join(map(str, key)).encode(), digest_size=16).digest()
    return str(UUID(bytes=raw, version=4))


def letters(count: int, *key: object) -> str:
    """A generated name's suffix, as in `-x7k2p`."""
    value = number("letters", *key)
    out = []
    for _ in range(count):
        value, index = divmod(value, len(_SAFE))
        out.append(_SAFE[index])
    return "".join(out)


def hexadecimal(count: int, *key: object) -> str:
    return "".join(f"{number('hex', i, *key):016x}" for i in range(-(-count // 16)))[:count]


def hidden(count: int, *key: object) -> str:
    """So many bytes that mean nothing, in base64, as a Secret holds them."""
    return b64encode(hexadecimal(count, "hidden", *key).encode()).decode()
