"""Writes golden.json anew: `python -m tests.intake.golden`. Read the difference before you commit it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bot.intake import Read, read

HERE = Path(__file__).parent
FIELDS = (
    "source",
    "status",
    "alert_type",
    "severity",
    "service",
    "environment",
    "fingerprint",
    "group_key",
    "started_at",
)


def payload(name: str) -> Any:
    """The payload of a sample as its system sent it, without our wrapping."""
    return json.loads((HERE / "payloads" / f"{name}.json").read_text(encoding="utf-8"))["payload"]


def names() -> list[str]:
    return sorted(path.stem for path in (HERE / "payloads").glob("*.json"))


def told(found: Read) -> Any:
    alerts = [alert.model_dump(mode="json") for alert in found.alerts]
    return {"reason": found.reason} if found.reason else [{f: a[f] for f in FIELDS if a[f]} for a in alerts]


if __name__ == "__main__":
    golden = {name: told(read(payload(name), channel="C0ALERTS")) for name in names()}
    (HERE / "golden.json").write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
