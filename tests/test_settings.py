import os
import subprocess
import sys

import pytest

from bot.settings import (
    ASK_BOTFATHER,
    Settings,
    SettingsError,
    env_name,
    read_settings,
    terms_of,
    token_of,
)
from storage.terms import Terms

TOKEN = "123456789:AAF-simulated_and_opens_nothing_at_all"
A_PACE = "write a number above 0 and up to 30, or set JISR_PAID_BROADCAST to go up to 1000"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch, tmp_path):
    for name in [n for n in os.environ if n.startswith("JISR_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def complaints():
    with pytest.raises(SettingsError) as refusal:
        read_settings()
    assert refusal.value.__cause__ is None
    return str(refusal.value)


def test_nothing_set_gives_the_defaults():
    settings = read_settings()
    assert settings.model_dump() == {
        "database_url": "sqlite+aiosqlite:///jisr.db",
        "telegram_token": None,
        "telegram_api_url": "https://api.telegram.org",
        "public_url": None,
        "postgres_tools": None,
        "webhook_secret": None,
        "host": "0.0.0.0",
        "port": None,
        "default_language": "fr",
        "timezone": "Africa/Casablanca",
        "paid_broadcast": False,
        "pace": 28.0,
        "controller": None,
        "contact": None,
        "registration": None,
        "keep_answers_hours": 48,
        "keep_texts_days": 30,
        "keep_seats_months": 12,
        "ask_inactive_months": 24,
        "keep_audit_years": 3,
        "approval_above": 200,
        "log_level": "INFO",
    }


def test_the_terms_of_a_settings_free_house_are_the_defaults_of_both():
    # The clock and the notice take theirs from here; a default said twice must be one number.
    assert terms_of(read_settings()) == Terms()


def test_the_environment_goes_before_the_file_and_what_is_given_before_both(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text(
        f"JISR_TELEGRAM_TOKEN={TOKEN}\nJISR_PACE=5\nJISR_LOG_LEVEL=debug\nPOSTGRES_USER=jisr\n"
    )
    monkeypatch.setenv("JISR_PACE", "6")
    monkeypatch.setenv("JISR_TELEGRAM_API_URL", "http://127.0.0.1:8081/")
    settings = read_settings(default_language="ar")
    assert token_of(settings) == TOKEN
    assert (settings.pace, settings.log_level) == (6, "DEBUG")
    assert settings.default_language == "ar"
    assert settings.telegram_api_url == "http://127.0.0.1:8081"


def test_an_empty_value_is_no_value(monkeypatch):
    monkeypatch.setenv("JISR_TELEGRAM_TOKEN", "")
    monkeypatch.setenv("JISR_TIMEZONE", "")
    assert read_settings() == Settings()


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("JISR_DEFAULT_LANGUAGE", "es", "Input should be 'fr', 'ar' or 'en'; write fr, ar or en"),
        (
            "JISR_TIMEZONE",
            "Africa",
            "not a time zone we know; write an IANA name such as Africa/Casablanca or Europe/Paris",
        ),
        ("JISR_PACE", "0", f"Input should be greater than 0; {A_PACE}"),
        ("JISR_PACE", "31", f"more than 30 a second have to be paid for; {A_PACE}"),
        ("JISR_PACE", "1001", f"Input should be less than or equal to 1000; {A_PACE}"),
        (
            "JISR_PAID_BROADCAST",
            "perhaps",
            "Input should be a valid boolean, unable to interpret input; write true or false",
        ),
        (
            "JISR_TELEGRAM_API_URL",
            "api.telegram.org",
            (
                "not an http or https URL;"
                " write a URL such as https://api.telegram.org, without the token"
            ),
        ),
        (
            "JISR_PUBLIC_URL",
            "http://jisr.example",
            "Telegram calls https addresses only; write the https URL that reaches this machine",
        ),
        (
            "JISR_LOG_LEVEL",
            "loud",
            (
                "Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR';"
                " write DEBUG, INFO, WARNING or ERROR"
            ),
        ),
    ],
)
def test_a_wrong_setting_is_told_with_its_remedy(monkeypatch, name, value, wrong):
    monkeypatch.setenv(name, value)
    assert complaints() == f"{name}: {wrong}"


@pytest.mark.parametrize(
    "url", ["mysql://jisr:s3cret@db/jisr", "postgresql://u:p@db:s3cret/x", "?"]
)
def test_a_wrong_database_url_is_never_repeated(monkeypatch, url):
    monkeypatch.setenv("JISR_DATABASE_URL", url)
    assert complaints() == (
        "JISR_DATABASE_URL: not the URL of a SQLite or PostgreSQL database;"
        " write sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER:PASSWORD@HOST/NAME,"
        " with special characters of the password percent-encoded"
    )


def test_every_wrong_setting_is_told_and_no_secret(monkeypatch):
    monkeypatch.setenv("JISR_TELEGRAM_TOKEN", "s3cret")
    monkeypatch.setenv("JISR_WEBHOOK_SECRET", "s3cret with spaces")
    monkeypatch.setenv("JISR_PACE", "many")
    told = complaints()
    assert [line.partition(":")[0] for line in told.splitlines()] == [
        "JISR_TELEGRAM_TOKEN",
        "JISR_WEBHOOK_SECRET",
        "JISR_PACE",
    ]
    assert "s3cret" not in told


def test_a_pace_that_is_paid_for_may_be_high(monkeypatch):
    monkeypatch.setenv("JISR_PAID_BROADCAST", "true")
    monkeypatch.setenv("JISR_PACE", "1000")
    settings = read_settings()
    assert (settings.paid_broadcast, settings.pace) == (True, 1000)
    # A wrong price is complained of once.
    monkeypatch.setenv("JISR_PAID_BROADCAST", "perhaps")
    assert complaints().startswith("JISR_PAID_BROADCAST: ")


def test_a_webhook_without_a_secret_is_refused(monkeypatch):
    monkeypatch.setenv("JISR_PUBLIC_URL", "https://jisr.example")
    assert complaints() == (
        "JISR_WEBHOOK_SECRET: missing: anybody could pretend to be Telegram;"
        " write 1-256 of A-Z a-z 0-9 _ -, hard to guess"
    )
    monkeypatch.setenv("JISR_WEBHOOK_SECRET", "hard-to-guess")
    assert read_settings().public_url == "https://jisr.example"


def test_a_server_of_ones_own_may_call_back_without_tls(monkeypatch):
    monkeypatch.setenv("JISR_TELEGRAM_API_URL", "http://127.0.0.1:8081")
    monkeypatch.setenv("JISR_PUBLIC_URL", "http://127.0.0.1:8080")
    monkeypatch.setenv("JISR_WEBHOOK_SECRET", "hard-to-guess")
    assert read_settings().public_url == "http://127.0.0.1:8080"


def test_a_file_that_is_no_text_is_told(tmp_path):
    (tmp_path / ".env").write_bytes(b"JISR_PACE=\xff\xfe")
    assert complaints() == ".env: is not UTF-8 text; mend the file or remove it"


def test_no_token_is_told_with_where_to_get_one():
    with pytest.raises(SettingsError) as refusal:
        token_of(read_settings())
    assert str(refusal.value) == f"JISR_TELEGRAM_TOKEN: is not set; {ASK_BOTFATHER}"


def test_a_repr_holds_no_secret():
    url = "postgresql+asyncpg://jisr:s3cret@db/jisr"
    settings = read_settings(telegram_token=TOKEN, database_url=url, webhook_secret="s3cret")
    assert "s3cret" not in repr(settings)
    assert TOKEN not in repr(settings)


def test_each_setting_is_described():
    undescribed = [env_name(n) for n, f in Settings.model_fields.items() if not f.description]
    assert undescribed == []


def test_commands_that_need_no_messenger_import_none():
    names = "bot.settings, bot.zones, bot.logs, bot.doctor, bot.pace"
    heavy = "[m for m in ('aiogram', 'telegram', 'sqlalchemy') if m in sys.modules]"
    code = f"import sys, {names}; print({heavy})"
    answer = subprocess.check_output([sys.executable, "-c", code], text=True)  # noqa: S603 - our own words
    assert answer.strip() == "[]"
