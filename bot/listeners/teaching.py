"""From a person's words to guidance: nothing is saved before its writer has seen how it was read."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.desk import Desk
from config.customers import Customer
from workers.domain import Proposal
from workers.guidance import readings_by_rules

READ_GUIDANCE = "read_guidance"


def labels_of(text: str) -> dict[str, str] | None:
    """`team=cart, env=prod` -> a mapping; None when it is not of that form."""
    parts = [p for p in re.split(r"[,\s]+", text.strip().strip("{}")) if p]
    pairs = [p.split("=", 1) for p in parts if re.match(r"^[A-Za-z_][\w./-]*=.+$", p)]
    return {key: value.strip("\"'") for key, value in pairs} if len(pairs) == len(parts) else None


def propose(
    desk: Desk,
    customer: Customer,
    alert_type: str,
    labels: Mapping[str, str],
    text: str,
    author: str,
    guidance_id: str | None = None,
) -> Proposal:
    """Read by rules at once; where the customer uses Claude, a job reads it as well and may amend the proposal."""
    words = desk.redactor.text(text)
    read = readings_by_rules(words)
    book = desk.store.guidance
    proposal_id = book.propose(
        customer.name, alert_type, labels, words, read, author, desk.clock(), guidance_id=guidance_id
    )
    if desk.uses_claude(customer):
        desk.study(READ_GUIDANCE, proposal_id)
    proposal = book.proposal(proposal_id)
    assert proposal, "proposed a moment ago"
    return proposal
