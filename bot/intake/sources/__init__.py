"""One module for each alert source, found by itself: adding a source is adding a file and its test.

A source offers one or both of

    of_message(message: Message) -> Read | None
    of_body(body: Body) -> Read | None

and answers None for what is not its own, a Read with a reason for what is its own but no alert. RANK says when it is
asked: the surest first, those that read anything last.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType


@cache
def sources() -> tuple[ModuleType, ...]:
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    modules = [import_module(f"{__name__}.{name}") for name in names]
    return tuple(sorted(modules, key=lambda module: (getattr(module, "RANK", 50), module.__name__)))
