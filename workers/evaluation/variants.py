"""What is compared: a model, with these skills off or only those on, with this guidance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from workers.domain import Guidance
from workers.evaluation.cases import Case

ALL = "all"


@dataclass(frozen=True)
class Toggle:
    """Which of a case's skills are on."""

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def on(self, skills: Sequence[str]) -> tuple[str, ...]:
        return tuple(s for s in skills if (not self.only or s in self.only) and s not in self.without)

    @property
    def name(self) -> str:
        if self.only:
            return "only " + "+".join(sorted(self.only))
        return "without " + "+".join(sorted(self.without)) if self.without else ALL


@dataclass(frozen=True)
class Notebook:
    """Guidance under a name, as a person would have given it."""

    name: str = "none"
    guidance: tuple[Guidance, ...] = ()


@dataclass(frozen=True)
class Variant:
    model: str
    toggle: Toggle = Toggle()
    notebook: Notebook = Notebook()

    @property
    def name(self) -> str:
        said = [self.model]
        if self.toggle.name != ALL:
            said.append(self.toggle.name)
        if self.notebook.guidance:
            said.append(f"guidance {self.notebook.name}")
        return ", ".join(said)

    def applies_to(self, case: Case) -> bool:
        """A toggle that changes nothing for a case, or leaves nothing on, is not run on it."""
        on = self.toggle.on(case.skills)
        return bool(on) and (self.toggle.name == ALL or on != case.skills)


def base_of(name: str) -> str:
    """A variant's name without its toggle: what the toggle is compared with."""
    return ", ".join(part for part in name.split(", ") if not part.startswith(("only ", "without ")))


def toggle_of(name: str) -> str:
    """`without logs`, or empty for everything on."""
    return next((part for part in name.split(", ") if part.startswith(("only ", "without "))), "")


def crossed(models: Sequence[str], toggles: Sequence[Toggle], notebooks: Sequence[Notebook]) -> tuple[Variant, ...]:
    return tuple(
        Variant(model, toggle, notebook)
        for model, toggle, notebook in product(models, toggles or (Toggle(),), notebooks or (Notebook(),))
    )
