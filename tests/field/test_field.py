"""Well-known applications under well-known faults, as real clusters show them: what is named, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.field.clusters import cases
from tests.field.investigation import finding, right, said

CASES = cases()


@pytest.mark.parametrize("with_logs", [False, True], ids=["kubernetes", "kubernetes-and-logs"])
@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_the_cause_is_named_or_nothing_is_claimed(case: dict[str, Any], with_logs: bool) -> None:
    """Where the field `open` names the mode, the cause is not found yet, and must not be claimed wrongly either."""
    found = finding(case, with_logs=with_logs)
    told = f"{found.verdict}: {found.headline.text} {said(found)}"
    if ("logs" if with_logs else "kubernetes") in case.get("open", ()):
        sure = [c.confidence.band for c in found.causes if c.confidence.band == "high"]
        assert right(case, found) or not sure, told
    else:
        assert right(case, found), told
