"""`gumshoe eval`: run the cases, report, compare, gate. Each subcommand is a module, imported when it is asked for."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import click


class Subcommands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(ctx):
            return None
        command = import_module(f"{__name__}.{name}").command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=Subcommands)
def command() -> None:
    """Say, with intervals, where Gumshoe is good, where it is learning and where it is out of reach.

    \b
    gumshoe eval run --out /tmp/run.json             every case, offline
    gumshoe eval report /tmp/run.json                what came of it
    gumshoe eval gate /tmp/run.json --against baseline.json
    """
