"""A feature-flag service as an MCP server: what a person would look up there, among much that is of no use."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations

READS = ToolAnnotations(read_only_hint=True)
WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=True)


def server(flag: str, switched_at: datetime) -> MCPServer:
    """`flag` was switched on for everybody at `switched_at`; three others stand as they stood for weeks."""
    flags = MCPServer("flags", log_level="ERROR")
    history = {
        flag: [
            {"at": f"{switched_at:%Y-%m-%dT%H:%M:%SZ}", "by": "j.brandt", "change": "rollout 0 % -> 100 %"},
            {"at": f"{switched_at - timedelta(days=6):%Y-%m-%dT%H:%M:%SZ}", "by": "j.brandt", "change": "created, off"},
        ],
        "express-checkout": [{"at": "2026-09-02T08:00:00Z", "by": "m.osei", "change": "rollout 50 % -> 100 %"}],
        "new-search-ranking": [{"at": "2026-10-11T12:30:00Z", "by": "l.ferrer", "change": "switched off"}],
    }

    @flags.tool(annotations=READS)
    def list_flags(service: str = "") -> list[dict[str, Any]]:
        """Feature flags with their state and the time of their last change, newest first."""
        rows = [
            {"flag": name, "last_change": events[0]["at"], "state": events[0]["change"]}
            for name, events in history.items()
        ]
        return sorted(rows, key=lambda row: row["last_change"], reverse=True)

    @flags.tool(annotations=READS)
    def flag_history(flag: str, limit: int = 20) -> list[dict[str, Any]]:
        """Who changed a feature flag, when and to what."""
        return [{"flag": flag, **event} for event in history.get(flag, [])[:limit]]

    @flags.tool(annotations=WRITES)
    def set_flag(flag: str, percent: int) -> str:
        """Changes the rollout of a flag."""
        raise AssertionError("nobody may call this")

    for number in range(40):
        flags.add_tool(
            lambda experiment: f"{experiment}: not significant",
            name=f"experiment_report_{number}",
            description=f"Conversion, retention and revenue of an experiment, report layout {number}.",
            annotations=READS,
        )
    return flags
