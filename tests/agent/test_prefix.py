"""What stands before every investigation's first word: within its tokens, with any skills on."""

from importlib import import_module

import pytest

from skills import registry
from skills.contract import Access, QueryMeter
from workers.agent import ConnectedSkill, offering, own_tools, page
from workers.llm.base import estimate_tokens

DEFAULT = ("elasticsearch", "kubernetes", "prometheus")
URL = "http://127.0.0.1:9"
SETTINGS = {
    "changes": {"github": {"repositories": {"cart": "acme/cart"}}},
    "golang": {},
    "mcp": {"servers": {"wiki": {"url": URL}}},
    "pagerduty": {"token_env": "ACME_PD"},
    "python": {},
}
"""Settings that each skill accepts; those that are not named here take a url."""


def connected(name: str) -> ConnectedSkill:
    settings = import_module(f"skills.{name}.settings").Settings.model_validate(SETTINGS.get(name, {"url": URL}))
    meter = QueryMeter(name)
    skill = import_module(f"skills.{name}.tools").connect(Access(settings, lambda variable: None, meter))
    return ConnectedSkill(name, skill, meter, None, registry.manifest(name))


def prefix(names: tuple[str, ...]) -> tuple[int, offering.Offer]:
    """Tokens of the static prefix, and what is offered in it."""
    skills = [connected(name) for name in names]
    system = page.system(skills)
    offer = offering.offer(skills, own_tools.SPECS, system, all_of_them=False)
    return estimate_tokens([system, [vars(s) for s in offer.specs]]), offer


def test_with_the_default_skills_it_is_under_three_thousand_tokens_and_offers_the_core_questions() -> None:
    tokens, offer = prefix(DEFAULT)
    assert tokens < 3000
    names = {s.name for s in offer.specs}
    assert {"kubernetes_analyze", "kubernetes_describe", "elasticsearch_errors", "prometheus_query"} <= names


def test_with_all_skills_it_is_under_five_thousand_tokens_and_twenty_tools() -> None:
    tokens, offer = prefix(registry.names())
    assert tokens < 5000
    assert len(offer.specs) <= 20
    assert {"find_tool", "use_tool"} <= {s.name for s in offer.specs}


@pytest.mark.parametrize("without", DEFAULT)
def test_a_skill_that_is_off_costs_no_token(without: str) -> None:
    rest = tuple(name for name in DEFAULT if name != without)
    _, offer = prefix(rest)
    assert not any(without in str(vars(spec)) for spec in offer.specs)
