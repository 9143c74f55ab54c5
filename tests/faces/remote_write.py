"""Writes samples into a real Prometheus by its remote write protocol, version 1.

Shapes: prometheus/prompb WriteRequest (timeseries = 1; labels = 1, samples = 2; name = 1, value = 2; value = 1 double,
timestamp = 2 int64 milliseconds), compressed as a snappy block. A snappy block may hold literals only, which is what
is written here. A staleness marker is the NaN 0x7ff0000000000002 (prometheus/model/value).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from urllib.error import HTTPError
from urllib.request import Request, urlopen

STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
_LITERAL = 65_536


def write(url: str, series: Iterable[tuple[Mapping[str, str], Sequence[tuple[float, float]]]]) -> None:
    """Send series: labels with (seconds, value) samples, each series oldest first. Raises ValueError."""
    body = b"".join(_field(1, _series(labels, samples)) for labels, samples in series)
    headers = {
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    }
    try:
        urlopen(Request(f"{url}/api/v1/write", data=_snappy(body), headers=headers)).close()
    except HTTPError as error:
        raise ValueError(f"remote write: {error.code} {error.read(500)!r}") from None


def _series(labels: Mapping[str, str], samples: Sequence[tuple[float, float]]) -> bytes:
    named = b"".join(_field(1, _field(1, k.encode()) + _field(2, v.encode())) for k, v in sorted(labels.items()))
    return named + b"".join(_field(2, _sample(at, value)) for at, value in samples)


def _sample(at: float, value: float) -> bytes:
    return b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(round(at * 1000))


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _snappy(content: bytes) -> bytes:
    out = bytearray(_varint(len(content)))
    for start in range(0, len(content), _LITERAL):
        part = content[start : start + _LITERAL]
        out += bytes([61 << 2]) + struct.pack("<H", len(part) - 1) + part
    return bytes(out)
