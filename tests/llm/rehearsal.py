"""A Messages API on loopback that the offline investigator answers, to rehearse a paid run without paying:

    python -m tests.llm.rehearsal 8099
    ANTHROPIC_BASE_URL=http://127.0.0.1:8099 ANTHROPIC_API_KEY=none \\
        gumshoe eval run --model claude-sonnet-5-5 --cases @slice --limit-dollars 2 --out paid.json
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from tests.llm.messages_api import Told, serve
from workers.llm.base import ToolSpec
from workers.llm.offline import Offline


def answer(body: dict[str, Any]) -> Told:
    """What the offline investigator says to a request as the SDK sends it."""
    system = body.get("system", "")
    words = system if isinstance(system, str) else "\n".join(block["text"] for block in system)
    tools = [ToolSpec(t["name"], t.get("description", ""), t["input_schema"]) for t in body.get("tools", ())]
    choice = body.get("tool_choice", {})
    forced = choice.get("name") if choice.get("type") == "tool" else None
    reply = Offline().reply(words, tools, body["messages"], force_tool=forced)
    return Told([dict(block) for block in reply.content], stop_reason=reply.stop_reason)


def main(port: int) -> None:
    with serve(answer, port=port) as api:
        print(f"ANTHROPIC_BASE_URL={api.url} ANTHROPIC_API_KEY=none", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
