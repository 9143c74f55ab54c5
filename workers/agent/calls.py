"""The one place where anything may go wrong in a skill: whatever it raises becomes a result that the model can use."""

from __future__ import annotations

import logging
from collections.abc import Callable

from pydantic import ValidationError

from skills.contract import FirstLook, Gap, SkillContext, SkillError, Tool, ToolError, ToolResult
from workers.agent.evidence import Mask, plain
from workers.agent.steps import Outcome
from workers.trace import ErrorType

log = logging.getLogger(__name__)


def tool_outcome(tool: Tool, arguments: object, context: SkillContext, mask: Mask) -> Outcome:
    """A tool's answer as it is recorded, masked."""
    error: ErrorType | None = None
    try:
        result = tool.run(tool.input.model_validate(arguments), context)
        if result.status == "error":
            error = "tool_error"
        elif result.status == "no_data":
            return Outcome(plain(result, mask), attributes={"gumshoe.status": "no_data"})
    except ValidationError as problem:
        takes = ", ".join((tool.input.model_json_schema().get("properties") or {}).keys()) or "no arguments"
        error, result = "invalid_arguments", ToolResult("error", f"{tool.name}: {in_words(problem)}; it takes {takes}")
    except (ToolError, SkillError) as problem:
        error = "timeout" if isinstance(problem.__cause__, TimeoutError) else "tool_error"
        result = ToolResult("error", f"{tool.name}: {problem}")
    except Exception as problem:
        log.exception("tool %s failed", tool.name)
        error = "tool_error"
        result = ToolResult("error", f"{tool.name} failed unexpectedly: {type(problem).__name__}: {problem}")
    return Outcome(plain(result, mask), error)


def first_look_outcome(
    skill: str, look: Callable[[SkillContext], FirstLook], context: SkillContext, mask: Mask
) -> Outcome:
    """A skill's first look as it is recorded; a failure is a look that saw nothing and a gap that says why."""
    try:
        return Outcome(plain(look(context), mask))
    except (ToolError, SkillError) as problem:
        blind = blind_look(skill, str(problem))
    except Exception as problem:
        log.exception("first look of %s failed", skill)
        blind = blind_look(skill, f"failed unexpectedly: {type(problem).__name__}: {problem}")
    return Outcome(plain(blind, mask), "tool_error")


def silence(name: str, reach: Callable[[], None], mask: Mask) -> str | None:
    """Why a system cannot be read, masked: servers say back what they were sent. None when it answers."""
    try:
        reach()
    except (ToolError, SkillError) as problem:
        return mask(str(problem))
    except Exception as problem:
        log.exception("%s cannot be reached", name)
        return mask(f"{name} failed unexpectedly: {type(problem).__name__}: {problem}")
    return None


def blind_look(skill: str, why: str) -> FirstLook:
    return FirstLook(text=f"{skill} could not be read: {why}", gaps=(Gap(skill, why),))


def in_words(problem: ValidationError) -> str:
    """The wrong arguments by name, without their values: what a model sent may hold what a log line held."""
    errors = problem.errors(include_url=False, include_input=False)
    parts = ("{}: {}".format(".".join(map(str, e["loc"])) or "arguments", e["msg"]) for e in errors[:5])
    return "wrong arguments: " + "; ".join(parts)
