"""Finds the skill folders, validates a customer's settings against them, and connects what is switched on.

A folder `skills/<name>/` is a skill when it holds SKILL.md. It offers `settings.Settings` (light to import) and
`tools.connect(access) -> Skill` (may import a vendor's client). Only skills that are on are ever imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ValidationError

from config.customers import Customer, first_problem
from skills.contract import Access, QueryMeter, Skill, SkillError
from skills.manifest import Manifest
from skills.manifest import load as load_manifest


@cache
def names() -> tuple[str, ...]:
    """Every skill there is, in alphabetical order."""
    root = files("skills")
    return tuple(sorted(d.name for d in root.iterdir() if d.is_dir() and d.joinpath("SKILL.md").is_file()))


@cache
def manifest(skill: str) -> Manifest:
    return load_manifest(skill)


@dataclass(frozen=True)
class Toggles:
    """Which skills are on for a customer, and who says so."""

    on: tuple[str, ...]
    off: tuple[str, ...]
    """Configured, but switched off by the file or at run time."""
    unconfigured: tuple[str, ...]
    """Not in the customer's file: cannot be switched on from Slack."""


def toggles(customer: Customer, overrides: Mapping[str, bool] | None = None) -> Toggles:
    """The customer's file, overridden by what was switched at run time."""
    switched = overrides or {}
    configured = [s for s in names() if s in customer.skills]
    on = tuple(s for s in configured if switched.get(s, customer.enabled_by_file(s)))
    return Toggles(
        on=on,
        off=tuple(s for s in configured if s not in on),
        unconfigured=tuple(s for s in names() if s not in customer.skills),
    )


def validate(customer: Customer, source: str = "") -> dict[str, BaseModel]:
    """The settings of every skill in the customer's file. Raises SkillError naming file, skill and key."""
    where = source or f"customer {customer.name}"
    validated = {}
    for skill, raw in customer.skills.items():
        if skill not in names():
            raise SkillError(f"{where}: skills.{skill}: no such skill; there are {', '.join(names())}")
        validated[skill] = _settings(skill, raw, where)
    return validated


def _settings(skill: str, raw: Mapping[str, Any], where: str) -> BaseModel:
    model: type[BaseModel] = import_module(f"skills.{skill}.settings").Settings
    values = {key: value for key, value in raw.items() if key != "enabled"}
    if not raw.get("enabled", True) and not values:
        return model.model_construct()
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise SkillError(f"{where}: skills.{skill}.{first_problem(error)}") from None


def connect(
    customer: Customer,
    skill: str,
    secret: Callable[[str], str | None],
    *,
    queries: int | None = None,
    timeout_seconds: float = 10.0,
) -> tuple[Skill, QueryMeter]:
    """One skill, ready to be asked, and the meter of its requests. No I/O. Raises SkillError."""
    settings = _settings(skill, customer.skills[skill], f"customer {customer.name}")
    meter = QueryMeter(skill, queries)
    access = Access(settings=settings, secret=secret, meter=meter, timeout_seconds=timeout_seconds)
    connected: Skill = import_module(f"skills.{skill}.tools").connect(access)
    return connected, meter
