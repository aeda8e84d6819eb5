"""Every setting, from the environment (`JISR_...`) or a `.env` file in the working directory.

A wrong setting is told by its name, with what is wrong and how to mend it. Values that may hold a
secret are never repeated, neither in an error nor in a `repr`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from storage.terms import APPROVAL_ABOVE, Operator, Retention, Terms

PREFIX = "JISR_"
OFFICIAL_API = "https://api.telegram.org"
# Bot API, setWebhook.secret_token.
_WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")
# Bot FAQ, "How can I message all of my bot's subscribers at once?", and Bot API,
# sendMessage.allow_paid_broadcast: messages per second, and Telegram Stars for each one beyond.
FREE_A_SECOND, PAID_A_SECOND, STARS_A_MESSAGE = 30.0, 1000.0, 0.1

ASK_BOTFATHER = "write /newbot (or /token) to @BotFather in Telegram and set what it answers"


def _remedy(words: str) -> dict[str, Any]:
    return {"remedy": words}


def _shout(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


class Settings(BaseSettings):
    """What an operator decides. Each field's description is its line in the README."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    database_url: str = Field(
        "sqlite+aiosqlite:///jisr.db",
        description="Where everything is kept: SQLite, or PostgreSQL through asyncpg.",
        json_schema_extra=_remedy(
            "write sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER:PASSWORD@HOST/NAME,"
            " with special characters of the password percent-encoded"
        ),
        repr=False,
    )
    telegram_token: SecretStr | None = Field(
        None,
        description="The bot's token, from @BotFather.",
        json_schema_extra=_remedy(ASK_BOTFATHER),
    )
    telegram_api_url: str = Field(
        OFFICIAL_API,
        description="The Bot API server to speak to.",
        json_schema_extra=_remedy(f"write a URL such as {OFFICIAL_API}, without the token"),
    )
    public_url: str | None = Field(
        None,
        description="The https address of this bot. Set: webhook. Not set: polling.",
        json_schema_extra=_remedy("write the https URL that reaches this machine"),
    )
    webhook_secret: SecretStr | None = Field(
        None,
        description="What Telegram repeats with each webhook call; needed with JISR_PUBLIC_URL.",
        json_schema_extra=_remedy("write 1-256 of A-Z a-z 0-9 _ -, hard to guess"),
        validate_default=True,
    )
    postgres_tools: Path | None = Field(
        None,
        description="The folder of pg_dump, pg_restore and psql for backups, if not on PATH.",
        json_schema_extra=_remedy("write the folder of PostgreSQL's client programs"),
    )
    host: str = Field(
        "0.0.0.0",
        description="The address to serve on; 127.0.0.1 behind a proxy on the same machine.",
        json_schema_extra=_remedy("write an IP address of this machine, or 0.0.0.0 for all"),
    )
    port: int | None = Field(
        None,
        ge=0,
        le=65_535,
        description="The port of the webhook (8000 if not set), /healthz and /metrics (none if not).",
        json_schema_extra=_remedy("write a free port, such as 8000"),
    )
    default_language: Literal["fr", "ar", "en"] = Field(
        "fr",
        description="The language for people whose own is none of ours: fr, ar or en.",
        json_schema_extra=_remedy("write fr, ar or en"),
    )
    timezone: str = Field(
        "Africa/Casablanca",
        description="The zone of events that name none (IANA name).",
        json_schema_extra=_remedy("write an IANA name such as Africa/Casablanca or Europe/Paris"),
    )
    paid_broadcast: bool = Field(
        False,
        description="Let JISR_PACE go up to 1000, at 0.1 Telegram Stars a letter beyond 30/s.",
        json_schema_extra=_remedy("write true or false"),
    )
    pace: float = Field(
        28.0,
        gt=0,
        le=PAID_A_SECOND,
        description="Messages per second, at most 30 without JISR_PAID_BROADCAST.",
        json_schema_extra=_remedy(
            "write a number above 0 and up to 30, or set JISR_PAID_BROADCAST to go up to 1000"
        ),
    )
    controller: str | None = Field(
        None,
        max_length=120,
        description="Who is responsible for people's data, as the privacy notice names them.",
        json_schema_extra=_remedy(
            'write the name of the consulate or association, e.g. "Consulat général du Maroc à Lyon"'
        ),
    )
    contact: str | None = Field(
        None,
        max_length=120,
        description="Where people write to about their data: an address or a page.",
        json_schema_extra=_remedy("write an e-mail address or a page that is read every week"),
    )
    registration: str | None = Field(
        None,
        max_length=200,
        description="Numbers of declarations or authorisations, e.g. of the CNDP, for the notice.",
        json_schema_extra=_remedy('write them as people should read them, e.g. "CNDP D-123/2026"'),
    )
    keep_answers_hours: int = Field(
        48,
        ge=24,
        le=720,
        description="Hours for which answers to updates are kept, so that none is done twice.",
        json_schema_extra=_remedy("write 24 or more: a messenger may repeat an update for a day"),
    )
    keep_texts_days: int = Field(
        30,
        ge=1,
        le=3_650,
        description="Days for which the words of sent letters are kept.",
        json_schema_extra=_remedy("write a number of days, such as 30"),
    )
    keep_seats_months: int = Field(
        12,
        ge=1,
        le=120,
        description="Months after an event when its seats lose their names; counts stay.",
        json_schema_extra=_remedy("write a number of months, such as 12"),
    )
    ask_inactive_months: int = Field(
        24,
        ge=1,
        le=120,
        description="Months of silence after which members are asked to stay, or else forgotten.",
        json_schema_extra=_remedy("write a number of months, such as 24"),
    )
    keep_audit_years: int = Field(
        3,
        ge=1,
        le=30,
        description="Years for which it is kept what the team did.",
        json_schema_extra=_remedy("write a number of years, such as 3"),
    )
    approval_above: int = Field(
        APPROVAL_ABOVE,
        ge=0,
        description="Recipients above which a second member of the team approves an announcement.",
        json_schema_extra=_remedy("write a whole number, such as 200; 0: every announcement"),
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_shout)] = (
        Field(
            "INFO",
            description="How much is told: DEBUG, INFO, WARNING or ERROR.",
            json_schema_extra=_remedy("write DEBUG, INFO, WARNING or ERROR"),
        )
    )

    @field_validator("database_url")
    @classmethod
    def _is_a_database(cls, value: str) -> str:
        from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 - 0.3 s that `--help` needn't pay

        from storage.database import parse_url  # noqa: PLC0415 - the same

        try:
            parse_url(value)
        except (ArgumentError, ValueError):
            # Their words may quote a part of the password.
            raise ValueError("not the URL of a SQLite or PostgreSQL database") from None
        return value

    @field_validator("telegram_token")
    @classmethod
    def _is_a_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("not a bot token: those look like 123456789:AAF...")
        return value

    @field_validator("telegram_api_url", "public_url")
    @classmethod
    def _is_a_url(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("not an http or https URL")
        if parts.query or parts.fragment:
            raise ValueError("a URL without ? and # is needed")
        official = info.data.get("telegram_api_url", OFFICIAL_API) == OFFICIAL_API
        if info.field_name == "public_url" and parts.scheme == "http" and official:
            raise ValueError("Telegram calls https addresses only")
        return value.rstrip("/")

    @field_validator("webhook_secret")
    @classmethod
    def _guards_the_webhook(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("public_url"):
            raise ValueError("missing: anybody could pretend to be Telegram")
        if value is not None and not _WEBHOOK_SECRET.fullmatch(value.get_secret_value()):
            raise ValueError("has characters that Telegram does not take, or too many")
        return value

    @field_validator("pace")
    @classmethod
    def _is_paid_for(cls, value: float, info: ValidationInfo) -> float:
        # Absent when it is wrong itself, which is told already.
        if value > FREE_A_SECOND and not info.data.get("paid_broadcast", True):
            raise ValueError("more than 30 a second have to be paid for")
        return value

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):  # OSError: a folder of zones, such as "Africa"
            raise ValueError("not a time zone we know") from None
        return value


@dataclass(frozen=True, slots=True)
class Complaint:
    """One wrong setting: its name in the environment, what is wrong, how to mend it."""

    name: str
    wrong: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.name}: {self.wrong}; {self.remedy}"


class SettingsError(Exception):
    """Settings that can't be used: `complaints` has one for each."""

    def __init__(self, complaints: list[Complaint]) -> None:
        super().__init__("\n".join(map(str, complaints)))
        self.complaints = complaints


def env_name(field: str) -> str:
    """The name in the environment of a field of `Settings`."""
    return PREFIX + field.upper()


def read_settings(**given: Any) -> Settings:
    """Read the settings; `given` overrules the environment. Raises SettingsError naming each."""
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError([_complaint(e["loc"], e["msg"]) for e in error.errors()]) from None
    except (OSError, UnicodeDecodeError) as error:
        wrong = "can't be read" if isinstance(error, OSError) else "is not UTF-8 text"
        raise SettingsError([Complaint(".env", wrong, "mend the file or remove it")]) from None


def token_of(settings: Settings) -> str:
    """The bot's token. Raises SettingsError if there is none."""
    if settings.telegram_token is None:
        name = env_name("telegram_token")
        raise SettingsError([Complaint(name, "is not set", ASK_BOTFATHER)])
    return settings.telegram_token.get_secret_value()


def price(settings: Settings) -> str | None:
    """What letters may cost at the pace of the settings, in words; None if they cost nothing."""
    if not settings.paid_broadcast:
        return None
    stars = f"{STARS_A_MESSAGE * 1000:.0f} Stars for 1,000 letters at worst"
    return f"paid broadcast at {settings.pace:g}/s: {stars}"


def unsaid(settings: Settings) -> list[Complaint]:
    """What the privacy notice needs and the operator hasn't said: each with how to mend it.

    The General Data Protection Regulation, article 13(1)(a), and Moroccan law 09-08, article 5.
    """
    return [
        _complaint((field,), "is not set, so the privacy notice can't say who is responsible")
        for field in ("controller", "contact")
        if getattr(settings, field) is None
    ]


def terms_of(settings: Settings) -> Terms:
    """What the operator tells members of their data; its version is `handlers.notices`' to make."""
    return Terms(
        Operator(settings.controller or "", settings.contact or "", settings.registration or ""),
        Retention(
            answers_hours=settings.keep_answers_hours,
            texts_days=settings.keep_texts_days,
            seats_months=settings.keep_seats_months,
            inactive_months=settings.ask_inactive_months,
            audit_years=settings.keep_audit_years,
        ),
    )


def _complaint(loc: tuple[int | str, ...], message: str) -> Complaint:
    field = str(loc[0])
    extra = Settings.model_fields[field].json_schema_extra
    remedy = extra.get("remedy", "") if isinstance(extra, dict) else ""
    return Complaint(env_name(field), message.removeprefix("Value error, "), str(remedy))
