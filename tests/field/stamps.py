"""How programs write the time of a line. `{spring+8}`: as Spring Boot does, on a clock eight hours ahead."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

FORMATS = {
    "time": "%Y-%m-%dT%H:%M:%S.000Z",
    "rfc": "%Y-%m-%dT%H:%M:%S.184263Z",
    "zap": "%Y-%m-%dT%H:%M:%S.347+0000",
    "local": "%Y-%m-%dT%H:%M:%S.521+08:00",
    "python": "%Y-%m-%d %H:%M:%S,217",
    "spring": "%Y-%m-%d %H:%M:%S.345",
    "spring3": "%Y-%m-%dT%H:%M:%S.345Z",
    "postgres": "%Y-%m-%d %H:%M:%S.612 UTC",
    "clf": "%d/%b/%Y:%H:%M:%S +0000",
    "nginx": "%Y/%m/%d %H:%M:%S",
    "klog": "%m%d %H:%M:%S.401338",
    "redis": "%d %b %Y %H:%M:%S.733",
    "kafka": "%Y-%m-%d %H:%M:%S,904",
    "rabbit": "%Y-%m-%d %H:%M:%S.118302+00:00",
    "clock": "%H:%M:%S",
    "ctime": "%a %b %e %H:%M:%S %Y",
}
_STAMP = re.compile(r"\{(?P<name>[a-z]+3?)(?P<ahead>[+-]\d+)?\}")


def stamped(text: str, at: datetime) -> str:
    def written(match: re.Match[str]) -> str:
        name = match["name"]
        local = at + timedelta(hours=int(match["ahead"] or 0))
        if name == "epoch":
            return f"{at.timestamp():.4f}"
        if name == "millis":
            return f"{int(at.timestamp() * 1000)}"
        return f"{local:{FORMATS[name]}}" if name in FORMATS else match[0]

    return _STAMP.sub(written, text)
