"""The `gumshoe` command. A module `bot/cli/<name>.py` with a click command called `command` is a subcommand."""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module

import click

import bot.cli
from config.settings import ConfigError
from skills.contract import SkillError


class Discovered(click.Group):
    """Imports a subcommand's module only when it is asked for, so that each starts as fast as it can."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        found = (module.name for module in pkgutil.iter_modules(bot.cli.__path__))
        return sorted(name.replace("_", "-") for name in found if name != "main" and not name.startswith("_"))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(ctx):
            return None
        command = import_module(f"bot.cli.{name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=Discovered, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gumshoe")
def gumshoe() -> None:
    """Gumshoe finds the root cause of an alert and shows its evidence.

    \b
    Try it with no keys and no systems of your own:
      gumshoe demo
    Ask it about one alert, without Slack:
      gumshoe investigate --alert alert.json --customer config/customers/acme.yaml
    """


def main() -> None:
    """Entry point. A configuration error is one line and exit code 2, never a traceback."""
    try:
        sys.exit(gumshoe.main(standalone_mode=False) or 0)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as problem:
        problem.show()
        sys.exit(problem.exit_code)
    except (ConfigError, SkillError) as problem:
        click.echo(f"gumshoe: {problem}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
