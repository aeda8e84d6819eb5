"""Is all well? Each thing the bot stands on is looked at, and told with how to mend it.

Nothing is changed by looking: no file is made, no update is taken, no webhook removed. Secrets
are scrubbed from whatever others' errors say.
"""

import os
import shutil
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.table import Table

from bot.light_start import importing_lightly
from bot.logs import scrub
from bot.settings import (
    ASK_BOTFATHER,
    FREE_A_SECOND,
    OFFICIAL_API,
    PREFIX,
    Settings,
    env_name,
    price,
    unsaid,
)
from bot.zones import knows_moroccan_time

if TYPE_CHECKING:  # aiogram takes a second to import, and only one check needs it
    from aiogram import Bot

    from storage.database import Storage

# Bytes free below which a database soon can't write, and below which we say so early.
_LITTLE_SPACE, _SCANT_SPACE = 50_000_000, 500_000_000

# How late the oldest letter may be while an engine is at work, and how far back we look for updates
# that could not be answered.
_LATE, _LATELY = timedelta(minutes=1), timedelta(days=1)

# How old the last backup may be.
_STALE_BACKUP = timedelta(days=2)

# Seconds we give a server to answer a question.
_ASK_SECONDS = 10

_MARKS = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "trouble": "[red]trouble[/]"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found. A `warning` can be lived with, a `trouble` can't; both have a remedy."""

    level: Literal["ok", "warning", "trouble"]
    what: str
    remedy: str = ""


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything, one thing after the other; one that fails hides no other."""
    findings: list[Finding] = []
    for check in _CHECKS:
        try:
            async with aclosing(check(settings)) as found:
                findings += [finding async for finding in found]
        except Exception as error:  # noqa: BLE001 - whatever ails the patient is a finding
            findings.append(Finding("trouble", _say(error), "see the documentation of this part"))
    return findings


def show(findings: list[Finding], console: Console) -> None:
    """Print the findings as a table."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for finding in findings:
        table.add_row(_MARKS[finding.level], _plain(finding.what), _plain(finding.remedy))
    console.print(table)


def _plain(words: str) -> str:
    return words.replace("[", r"\[")


def _say(error: Exception) -> str:
    first = (str(error).splitlines() or [""])[0]
    return scrub(f"{type(error).__name__}: {first}")


async def _settings(settings: Settings) -> AsyncGenerator[Finding, None]:
    known = {env_name(field) for field in type(settings).model_fields}
    for name in sorted(n for n in os.environ if n.startswith(PREFIX) and n not in known):
        yield Finding("warning", f"{name} is no setting of ours", "look for a typing error")
    yield Finding("ok", f"settings: {settings.default_language}, {settings.timezone}")
    pace = env_name("pace")
    if (cost := price(settings)) is not None:
        remedy = (
            f"have 10,000 Stars and Paid Broadcasts on in @BotFather; or {pace} up to"
            f" {FREE_A_SECOND:.0f} without {env_name('paid_broadcast')}, which is free"
        )
        yield Finding("warning", cost, remedy)


async def _notice(settings: Settings) -> AsyncGenerator[Finding, None]:
    missing = unsaid(settings)
    for complaint in missing:
        yield Finding("trouble", f"{complaint.name} {complaint.wrong}", complaint.remedy)
    if not missing:
        yield Finding("ok", f"privacy notice: {settings.controller}, {settings.contact}")
    if settings.registration is None:
        name = env_name("registration")
        what = f"privacy notice: no number of a declaration or authorisation ({name})"
        # Law 09-08, article 12; the GDPR knows no such numbers.
        yield Finding("ok", what, "set it if you are established in Morocco: the CNDP gives one")


async def _database(settings: Settings) -> AsyncGenerator[Finding, None]:
    from sqlalchemy import text  # noqa: PLC0415 - other checks need not wait for it

    from storage.database import open_storage  # noqa: PLC0415 - the same
    from storage.migrations import pending  # noqa: PLC0415 - the same

    file = _sqlite_file(settings)
    if file is not None:
        if not os.access(file.parent, os.W_OK):
            remedy = f"make it and let this user write there, or change {env_name('database_url')}"
            yield Finding("trouble", f"the folder {file.parent} can't be written", remedy)
            return
        if not file.exists():
            yield Finding("ok", f"database: {file} will be made at the first start")
            return
    try:
        async with open_storage(settings.database_url) as storage:
            async with storage.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
            behind = await pending(storage)
            letters = [] if behind else await _letters(storage, settings)
            kind = storage.engine.dialect.name
    except Exception as error:  # noqa: BLE001 - drivers raise their own, and any of them counts
        remedy = f"start the database, or mend {env_name('database_url')}"
        yield Finding("trouble", f"the database can't be reached: {_say(error)}", remedy)
        return
    yield Finding("ok", f"database: {kind} answers")
    if behind:
        yield Finding("warning", "the tables are not up to date", "run: jisr migrate")
    else:
        yield Finding("ok", "migrations: up to date")
    for finding in letters:
        yield finding
    if not behind:
        async with open_storage(settings.database_url) as storage:
            yield await _backup(storage)


async def _letters(storage: "Storage", settings: Settings) -> list[Finding]:
    from bot.clock import RealClock  # noqa: PLC0415 - other checks need not wait for it
    from bot.engine import NAME  # noqa: PLC0415 - the same
    from storage import health  # noqa: PLC0415 - the same
    from storage.tables import Fate  # noqa: PLC0415 - the same

    now = RealClock().now()
    async with storage.read() as db:
        census = await health.count(db, NAME)
        parked = await health.parked_since(db, now - _LATELY)
    found = []
    late = now - min(census.oldest_due.values(), default=now)
    at_work = census.engine_until is not None and census.engine_until > now
    if at_work and late > _LATE:
        what = (
            f"a letter is {late // timedelta(minutes=1)} minutes late, though an engine is at work"
        )
        remedy = f"see the log; a large announcement takes its time at {settings.pace:g}/s"
        found.append(Finding("warning", what, remedy))
    if unknown := census.of(Fate.UNKNOWN):
        what = f"{unknown} letters may have arrived, or not, and wait for a decision"
        found.append(Finding("warning", what, "run: jisr outbox"))
    if parked:
        what = f"{parked} updates of the last day could not be answered"
        found.append(Finding("warning", what, 'see "update parked" in the log, and mend the fault'))
    if not found:
        what = f"outbox: {census.of(Fate.QUEUED)} waiting, {census.of(Fate.SENT)} sent"
        found.append(Finding("ok", what))
    return found


async def _backup(storage: "Storage") -> Finding:
    from bot.clock import RealClock  # noqa: PLC0415 - other checks need not wait for it
    from storage import health  # noqa: PLC0415 - the same

    async with storage.read() as db:
        taken, inhabited = await health.last_backup(db), await health.anybody(db)
    age = None if taken is None else RealClock().now() - taken
    told = "no backup was taken" if age is None else f"the last backup is {age.days} days old"
    if inhabited and (age is None or age > _STALE_BACKUP):
        return Finding("warning", told, "run: jisr backup, every night from cron")
    return Finding("ok", told)


async def _telegram(settings: Settings) -> AsyncGenerator[Finding, None]:
    if settings.telegram_token is None:
        remedy = f"{ASK_BOTFATHER} as {env_name('telegram_token')}"
        yield Finding("trouble", "there is no bot token", remedy)
        return
    from bot.pace import Pacer  # noqa: PLC0415 - comes with the next

    with importing_lightly():
        from bot.telegram import open_bot  # noqa: PLC0415 - aiogram takes a second

    async with open_bot(settings, Pacer()) as bot:
        identity = await _identity(bot, settings)
        yield identity
        if identity.level != "trouble":
            async for finding in _webhook(bot, settings):
                yield finding


async def _identity(bot: "Bot", settings: Settings) -> Finding:
    from aiogram import exceptions  # noqa: PLC0415 - see above

    server = settings.telegram_api_url
    try:
        me = await bot.get_me(request_timeout=_ASK_SECONDS)
    except (exceptions.TelegramNetworkError, exceptions.TelegramServerError) as error:
        remedy = f"check the network and {env_name('telegram_api_url')}"
        return Finding("trouble", f"{server} can't be reached: {_say(error)}", remedy)
    except exceptions.AiogramError as error:
        unauthorized = isinstance(error, exceptions.TelegramUnauthorizedError)
        # Telegram itself knows getMe, and says so of a token that is not even well-formed.
        malformed = isinstance(error, exceptions.TelegramNotFound) and server == OFFICIAL_API
        if unauthorized or malformed:
            remedy = f"{ASK_BOTFATHER} as {env_name('telegram_token')}"
            return Finding("trouble", f"{server} does not know this token", remedy)
        what = f"{server} refuses getMe, so the token is not proved: {_say(error)}"
        return Finding("warning", what, "nothing to do if that server is a plain one")
    return Finding("ok", f"token: @{me.username} on {server}")


async def _webhook(bot: "Bot", settings: Settings) -> AsyncGenerator[Finding, None]:
    from aiogram import exceptions  # noqa: PLC0415 - see above

    try:
        info = await bot.get_webhook_info(request_timeout=_ASK_SECONDS)
    except exceptions.AiogramError as error:
        what = f"getWebhookInfo is refused: {_say(error)}"
        yield Finding("warning", what, "nothing to do if that server is a plain one")
        return
    wanted = settings.public_url
    waiting = f"{info.pending_update_count} updates wait"
    if not info.url:
        yield Finding("ok", f"webhook: not set; {waiting}")
    elif wanted is None:
        yield Finding(
            "trouble",
            "a webhook is set while we would poll: nothing would arrive",
            f"call deleteWebhook, or set {env_name('public_url')} to use a webhook",
        )
    elif not info.url.startswith(wanted):
        what = "the webhook points elsewhere: another bot may use this token"
        yield Finding("warning", what, "stop the other one; jisr run sets the webhook anew")
    else:
        yield Finding("ok", f"webhook: set; {waiting}")
    if info.url and info.last_error_message:
        what = scrub(f"Telegram's last call failed: {info.last_error_message}")
        yield Finding("warning", what, f"see that {env_name('public_url')} reaches this machine")


async def _zones(_settings: Settings) -> AsyncGenerator[Finding, None]:
    version = metadata.version("tzdata")
    if knows_moroccan_time():
        yield Finding("ok", f"zones: tzdata {version} knows that Morocco is at UTC+0")
    else:
        what = f"zones: Morocco's change of 2026-09-20 is not known (tzdata {version})"
        yield Finding("trouble", what, "install tzdata 2026.3 or later: reminders are an hour off")


async def _catalogs(_settings: Settings) -> AsyncGenerator[Finding, None]:
    if util.find_spec("bot.catalogs") is None:
        return
    check: Callable[[], list[str]] = __import__("bot.catalogs", fromlist=["check"]).check
    complaints = check()
    for complaint in complaints:
        yield Finding("warning", f"catalogs: {complaint}", "run: jisr catalogs update; translate")
    if not complaints:
        yield Finding("ok", "catalogs: complete")


async def _disk(settings: Settings) -> AsyncGenerator[Finding, None]:
    file = _sqlite_file(settings)
    folder = file.parent if file is not None and file.parent.exists() else Path.cwd()
    free = shutil.disk_usage(folder).free
    what = f"disk: {free / 1e9:.1f} GB free in {folder}"
    if free < _LITTLE_SPACE:
        yield Finding("trouble", what, "make room: the database can't grow")
    elif free < _SCANT_SPACE:
        yield Finding("warning", what, "make room before the database can't grow")
    else:
        yield Finding("ok", what)


def _sqlite_file(settings: Settings) -> Path | None:
    from storage.database import parse_url  # noqa: PLC0415 - needed by two checks only

    url = parse_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        return None
    return Path(str(url.database)).resolve()


_CHECKS: tuple[Callable[[Settings], AsyncGenerator[Finding, None]], ...] = (
    _settings,
    _notice,
    _database,
    _telegram,
    _zones,
    _catalogs,
    _disk,
)
