"""`gumshoe doctor`: what works, what does not, what to do about it, and what Gumshoe will not be able to see."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from config.customers import Customer, load_all, load_file
from config.settings import ConfigError, Settings, load
from skills import registry
from skills.contract import Check, SkillError


@click.command()
@click.option(
    "--customer",
    "files",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Only this customer's file; may be given several times. Default: all.",
)
@click.option("--systems-only", is_flag=True, help="Only the customers' systems: no Slack, database or queue.")
def command(files: tuple[Path, ...], systems_only: bool) -> None:
    """Check tokens and scopes, database, queue, and every customer's systems and permissions.

    Exit code 0 when everything works, 1 when something does not.
    """
    settings = load()
    failed = 0
    if not systems_only:
        failed += _print("Gumshoe", [*_slack(settings), *_store(settings), *_queue(settings), _model(settings)])
    try:
        customers = tuple(load_file(f) for f in files) if files else load_all(settings.customers_dir)
    except ConfigError as problem:
        failed += _print("Customers", [Check("customer files", False, str(problem), "mend the file and run again")])
        customers = ()
    for customer in customers:
        failed += _print(f"Customer {customer.name}", _systems(customer, settings))
    _print("What to expect, measured on simulated incidents (`gumshoe eval promises` has the figures)", _promises())
    click.echo(f"\n{failed} to mend" if failed else "\nall well")
    sys.exit(1 if failed else 0)


def _print(title: str, checks: list[Check]) -> int:
    click.echo(f"\n{title}")
    for check in checks:
        click.echo(f"  {'ok ' if check.ok else 'NO '} {check.what}: {check.detail}")
        if not check.ok and check.remedy:
            click.echo(f"      -> {check.remedy}")
    return sum(not check.ok for check in checks)


def _systems(customer: Customer, settings: Settings) -> list[Check]:
    try:
        registry.validate(customer)
    except SkillError as problem:
        return [Check("skills", False, str(problem), "mend the customer's file")]
    toggles = registry.toggles(customer)
    checks: list[Check] = []
    for name in toggles.on:
        skill, _ = registry.connect(customer, name, settings.secret)
        checks += [Check(f"{name}: {c.what}", c.ok, c.detail, c.remedy) for c in skill.checks()]
    for name in (*toggles.off, *toggles.unconfigured):
        manifest = registry.manifest(name)
        state = "off" if name in toggles.off else "not configured"
        checks.append(Check(name, True, f"{state}, so Gumshoe will not see: {manifest.summary}"))
    return checks


def _promises() -> list[Check]:
    from workers.evaluation import buckets  # noqa: PLC0415 - only here

    promises = buckets.of_alert_types(buckets.shipped(), buckets.rule())
    return [
        Check(bucket, True, ", ".join(p.name for p in promises if p.bucket == bucket) or "nothing")
        for bucket in ("can solve", "learning", "out of reach")
    ]


def _slack(settings: Settings) -> Iterator[Check]:
    from slack_sdk.errors import SlackApiError  # noqa: PLC0415 - vendor import only where it is used
    from slack_sdk.web import WebClient  # noqa: PLC0415 - vendor import only where it is used

    remedy = "see README.md, Connect a workspace"
    if not settings.slack_bot_token:
        yield Check("Slack bot token", False, "SLACK_BOT_TOKEN is not set", remedy)
        return
    client = WebClient(settings.slack_bot_token, base_url=settings.slack_api_url, timeout=10)
    try:
        who = client.auth_test()
    except SlackApiError as refused:
        yield Check("Slack bot token", False, f"Slack says {refused.response['error']}", remedy)
        return
    except OSError as error:
        yield Check("Slack", False, f"{settings.slack_api_url} does not answer: {error}", "check the network")
        return
    yield Check("Slack bot token", True, f"{who['user']} in {who['team']}")
    granted = set(str(who.headers.get("x-oauth-scopes", "")).replace(" ", "").split(","))
    missing = sorted(_scopes() - granted) if granted != {""} else []
    yield Check(
        "Slack scopes",
        not missing,
        f"missing {', '.join(missing)}" if missing else "as in config/slack-manifest.yaml",
        "update the app from config/slack-manifest.yaml and install it again",
    )
    if not settings.slack_app_token and settings.slack_signing_secret:
        yield Check("Slack by HTTP", True, "SLACK_SIGNING_SECRET is set, SLACK_APP_TOKEN is not")
        return
    if not settings.slack_app_token:
        yield Check("Slack app token", False, "neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set", remedy)
        return
    try:
        client.apps_connections_open(app_token=settings.slack_app_token)
        yield Check("Slack app token", True, "Socket Mode opens")
    except SlackApiError as refused:
        yield Check("Slack app token", False, f"Slack says {refused.response['error']}", remedy)


def _scopes() -> set[str]:
    import yaml  # noqa: PLC0415 - only the doctor reads the manifest

    manifest = yaml.safe_load(Path("config/slack-manifest.yaml").read_text(encoding="utf-8"))
    return set(manifest["oauth_config"]["scopes"]["bot"])


def _store(settings: Settings) -> Iterator[Check]:
    from workers.store import StoreError, open_store  # noqa: PLC0415 - imports SQLAlchemy

    try:
        open_store(settings.database_url, wait_seconds=5).close()
        yield Check("database", True, settings.database_url.split("@")[-1])
    except StoreError as problem:
        yield Check("database", False, str(problem), "set DATABASE_URL, or start the server that it names")


def _queue(settings: Settings) -> Iterator[Check]:
    from workers.queue import QueueError, connect  # noqa: PLC0415 - imports rq

    if settings.redis_url is None:
        yield Check("queue", True, "REDIS_URL is not set: Gumshoe starts its own Valkey")
        return
    try:
        connect(settings.redis_url).ping()
        yield Check("queue", True, settings.redis_url.split("@")[-1])
    except QueueError as problem:
        yield Check("queue", False, str(problem), "start the server that REDIS_URL names, or unset it")


def _model(settings: Settings) -> Check:
    if settings.anthropic_api_key:
        return Check("model", True, f"Claude ({settings.model})")
    return Check("model", True, "no ANTHROPIC_API_KEY: the offline investigator answers")
