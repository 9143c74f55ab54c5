"""Cases of the real control plane as its API server told them, kept in `recorded/`: investigated without a cluster.

`GUMSHOE_CLUSTER_KEEP=folder make cluster` writes such files.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster import recordings
from tests.cluster.investigating import investigate, judged

FILES = sorted((Path(__file__).parent / "recorded").glob("*.json.xz"))


@pytest.mark.parametrize("path", FILES, ids=[p.name.partition(".")[0] for p in FILES])
def test_what_a_real_control_plane_said_is_understood(path: Path) -> None:
    it = recordings.read(path)
    with recordings.served(it) as url:
        finding = investigate({"kubernetes": url}, it.case, it.namespace, it.began, it.now, it.fired)
    wrong = judged(it.case, it.namespace, finding)
    assert not wrong, wrong


def test_recordings_are_small_and_hold_no_secret() -> None:
    assert len(FILES) >= 12
    assert sum(p.stat().st_size for p in FILES) < 500_000
    secrets = [o for p in FILES for o in recordings.read(p).objects if o["kind"] == "Secret"]
    assert secrets
    assert all(set(s.get("data", {}).values()) <= {"bWFza2Vk", "[redacted]"} for s in secrets)
