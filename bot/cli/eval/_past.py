"""What people said in Slack, out of the store: corrected investigations as cases, guidance as a notebook."""

from __future__ import annotations

from fnmatch import fnmatchcase

import click

from config.customers import load_all
from config.settings import Settings
from workers.evaluation.cases import CaseError
from workers.evaluation.notebooks import NotebookError
from workers.evaluation.recorded import Recorded, from_corrections
from workers.evaluation.variants import Notebook
from workers.store import open_store

ALL = "@corrected"


def is_corrected(glob: str) -> bool:
    """Whether it names corrected investigations, and no scenarios."""
    return glob == ALL or glob.startswith("past-")


def corrected(globs: tuple[str, ...], settings: Settings) -> tuple[Recorded, ...]:
    """Raises CaseError for one that is not there."""
    if not globs:
        return ()
    store = open_store(settings.database_url)
    try:
        made, left = from_corrections(store, load_all(settings.customers_dir))
    finally:
        store.close()
    for why in left:
        click.echo(f"left out: {why}", err=True)
    for glob in globs:
        if not any(glob == ALL or fnmatchcase(it.name, glob) for it in made):
            raise CaseError(f"{glob}: no such corrected investigation; `gumshoe eval case` lists them")
    return tuple(it for it in made if any(glob == ALL or fnmatchcase(it.name, glob) for glob in globs))


def taught(customer: str, settings: Settings) -> Notebook:
    """What holds now for a customer. Raises NotebookError where nobody has taught anything."""
    store = open_store(settings.database_url)
    try:
        held = store.guidance.list(customer)
    finally:
        store.close()
    if not held:
        raise NotebookError(f"@{customer}: nobody has taught guidance there; `/guidance add TYPE words` does")
    return Notebook(customer, held)
