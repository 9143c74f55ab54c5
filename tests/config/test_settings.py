"""The environment is read in one place, and an error names the variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import ConfigError, load


def test_nothing_set_means_sqlite_under_the_state_directory(tmp_path: Path) -> None:
    settings = load({"GUMSHOE_STATE": str(tmp_path)})
    assert settings.database_url == f"sqlite:///{tmp_path / 'gumshoe.db'}"
    assert settings.redis_url is None
    assert settings.model == "auto"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GUMSHOE_WEB_PORT", "eighty"),
        ("GUMSHOE_WEB_PORT", "99999"),
        ("GUMSHOE_WORKERS", "0"),
        ("GUMSHOE_LOG_LEVEL", "LOUD"),
        ("GUMSHOE_LOG_FORMAT", "xml"),
        ("DATABASE_URL", "oracle://db"),
    ],
)
def test_an_error_names_the_variable_and_what_to_put_there(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load({name: value})
    assert name in str(refused.value)
    assert "use" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_old_postgres_scheme_is_understood() -> None:
    assert load({"DATABASE_URL": "postgres://u@h/n"}).database_url == "postgresql://u@h/n"


def test_an_empty_secret_is_no_secret() -> None:
    settings = load({"ACME_TOKEN": "", "OTHER": "made-up"})
    assert settings.secret("ACME_TOKEN") is None
    assert settings.secret("OTHER") == "made-up"


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    assert "made-up-secret" not in repr(load({"ACME_TOKEN": "made-up-secret"}))
