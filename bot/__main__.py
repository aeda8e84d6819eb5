"""The command line: `jisr`, also `python -m bot`.

Each command imports what it needs when it is called: `jisr --help` answers at once.
"""

import asyncio
import errno
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar, cast

import typer
from rich.console import Console

from bot import audit_commands, backup_commands
from bot.zones import prefer_packaged_zones

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from bot.settings import Settings
    from storage.database import Storage


T = TypeVar("T")


def command_line() -> typer.Typer:
    """All commands."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Jisr, the bridge: agenda, seats and reminders in one chat.",
    )
    app.command()(demo)
    app.command()(run)
    app.command(name="import")(import_)
    app.command()(export)
    app.command()(invite)
    app.command()(outbox)
    app.command()(doctor)
    app.command()(migrate)
    app.command(hidden=True)(healthy)
    catalogs = typer.Typer(no_args_is_help=True, help="The words of the three languages.")
    catalogs.command(name="check")(check_catalogs)
    catalogs.command(name="update")(update_catalogs)
    app.add_typer(catalogs, name="catalogs")
    backup_commands.add(app, _settings, _run, _fail)
    app.add_typer(audit_commands.commands(_settings, _with_storage), name="audit")
    return app


def demo(
    port: Annotated[int, typer.Option(help="The page's port on this machine.")] = 8080,
    database: Annotated[
        str, typer.Option(help="Keep the rehearsal here; by default it is forgotten at the end.")
    ] = "",
    browser: Annotated[bool, typer.Option(help="Open the page.")] = True,
) -> None:
    """Rehearse a real programme: phones on a page, the bot, its clock, its reminders. No token."""
    from bot.light_start import importing_lightly

    with importing_lightly():
        from bot.demo import rehearse
        from bot.logs import start_logging

    start_logging("WARNING", stream=sys.stderr)
    try:
        _run(rehearse(port=port, database_url=database, open_browser=browser, console=Console()))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        _fail(f"Port {port} is taken on this machine. Try another one: make demo PORT={port + 1}")


def run(
    listen: Annotated[bool, typer.Option("--listen", help="Take what people say.")] = False,
    engine: Annotated[bool, typer.Option("--engine", help="Tick and deliver.")] = False,
) -> None:
    """Run the bot on Telegram. Without an option: both roles."""
    settings = _settings()
    from bot.light_start import importing_lightly

    with importing_lightly():
        from structlog import get_logger

        from bot.app import serve
        from bot.clock import RealClock
        from bot.engine import SecondEngine
        from bot.logs import start_logging
        from bot.settings import SettingsError, price, unsaid
        from bot.telegram import BadToken

    start_logging(settings.log_level, stream=sys.stderr)
    for complaint in unsaid(settings):
        # People who wait for a reminder shouldn't pay for it: no reason to refuse.
        get_logger().warning("the privacy notice is incomplete", mend=str(complaint))
    if cost := price(settings):
        get_logger().warning("letters are paid for", cost=cost)
    both = not (listen or engine)
    problems: list[str] = []
    try:
        _run(serve(settings, RealClock(), listen=listen or both, engine=engine or both))
    except* SettingsError as wrong:
        problems += map(str, wrong.exceptions)
    except* BadToken:
        problems.append("Telegram doesn't know this token. `jisr doctor` tells how to get one.")
    except* SecondEngine:
        problems.append(
            "Another `jisr run` serves this SQLite database. Stop it first, or use PostgreSQL "
            "for several processes."
        )
    if problems:
        _fail("\n".join(problems))


def import_(
    file: Annotated[
        Path, typer.Argument(help="An agenda: our YAML, or the schedule of another system.")
    ],
    dry_run: Annotated[bool, typer.Option(help="Only tell what would change.")] = False,
) -> None:
    """Import an agenda, or import it again: nothing is doubled."""
    from bot.clock import RealClock
    from bot.importing import import_file

    home = _settings().timezone

    async def work(storage: "Storage") -> bool:
        now, console = RealClock().now(), Console()
        return await import_file(
            storage, file, dry_run=dry_run, now=now, console=console, home=home
        )

    if not _with_storage(work):
        raise typer.Exit(1)


def export(
    event: Annotated[str, typer.Argument(help="The event's short name, as in its link.")],
    format_: Annotated[
        str, typer.Option("--format", help="frab, ics, csv or xlsx; csv and xlsx list attendees.")
    ] = "frab",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to; by default beside you.")
    ] = None,
    purpose: Annotated[
        str, typer.Option(help="What a list is for: entrance, follow-up or report.")
    ] = "",
) -> None:
    """Export an event: its programme (frab, ics) or its attendees (csv, xlsx)."""
    from bot.light_start import importing_lightly

    with importing_lightly():
        from bot.clock import RealClock
        from bot.exporting import export_event
        from handlers.words import read_catalogs
        from storage.exports import LISTS, Format, ListPurpose

    if format_ not in list(Format):
        _fail(f"The format is one of {', '.join(Format)}, not {format_!r}.")
    if format_ in LISTS and purpose not in list(ListPurpose):
        _fail(f"Say what the list is for: --purpose {', '.join(ListPurpose)}.")
    words = read_catalogs()[_settings().default_language]

    async def work(storage: "Storage") -> bool:
        now, console = RealClock().now(), Console()
        return await export_event(
            storage,
            event,
            Format(format_),
            output,
            purpose=purpose or None,
            words=words,
            now=now,
            console=console,
        )

    if not _with_storage(work):
        raise typer.Exit(1)


def invite(
    role: Annotated[str, typer.Option(help="staff or admin")] = "staff",
    post: Annotated[str, typer.Option(help="Where they will work, by its name.")] = "",
) -> None:
    """Print a one-time link that makes whoever opens it a member of the team."""
    from bot.clock import RealClock
    from bot.light_start import importing_lightly
    from storage import invitations, team
    from storage.tables import Role

    if role not in {Role.STAFF, Role.ADMIN}:
        _fail(f"The role is staff or admin, not {role!r}.")

    async def work(storage: "Storage") -> str | None:
        async with storage.begin() as db:
            where = await team.post_named(db, post) if post else None
            if post and where is None:
                return None
            post_id = where.id if where else None
            return await invitations.invite(db, Role(role), RealClock().now(), post_id=post_id)

    payload = _with_storage(work)
    if payload is None:
        _fail(f"There is no post {post!r}. An admin makes one in the chat: /team, Posts.")
    with importing_lightly():
        from bot.introducing import username_of

    username = _run(username_of(_settings()))
    console = Console()
    if username:
        console.print(f"https://t.me/{username}?start={payload}", soft_wrap=True, highlight=False)
    else:
        console.print("Send this to the bot:", f"/start {payload}", soft_wrap=True, highlight=False)
    console.print(f"It works once, for {invitations.VALID.days} days, and makes its reader {role}.")


def outbox(
    release: Annotated[
        list[str] | None, typer.Option(help="Send this held letter after all: its id, or all.")
    ] = None,
) -> None:
    """Tell what waits, what left, and which letters are in doubt; release those that are held."""
    from bot import outbox_report
    from bot.clock import RealClock

    wanted = release or []
    if not all(one.isdecimal() or one == "all" for one in wanted):
        _fail("A letter is named by the number that `jisr outbox` shows, or all of them by `all`.")
    ids = None if "all" in wanted else [int(one) for one in wanted]

    async def work(storage: "Storage") -> bool:
        now, console = RealClock().now(), Console()
        done = not wanted or await outbox_report.release(storage, ids, console, now)
        await outbox_report.report(storage, console, now)
        return done

    if not _with_storage(work):
        raise typer.Exit(1)


def doctor() -> None:
    """Tell what is wrong with settings, database, token, zones or words, and how to mend it."""
    from bot.doctor import examine, show

    findings = _run(examine(_settings()))
    show(findings, Console())
    if any(finding.level == "trouble" for finding in findings):
        raise typer.Exit(1)


def healthy() -> None:
    """For a container's health check: fail if the database or every engine is away."""
    from bot.health import healthy as complaints_of

    if complaints := _run(complaints_of(_settings())):
        _fail("\n".join(complaints))


def migrate() -> None:
    """Upgrade the database. This is also done at start."""

    async def work(storage: "Storage") -> None:
        del storage

    _with_storage(work)
    Console().print("The database is up to date.")


def check_catalogs() -> None:
    """Fail on a missing, fuzzy or stale entry, a lost field or tag, an incomplete plural."""
    from bot import catalogs

    complaints = catalogs.check()
    for complaint in complaints:
        Console().print(complaint, highlight=False, markup=False)
    if complaints:
        raise typer.Exit(1)
    Console().print("The three catalogs are complete.")


def update_catalogs() -> None:
    """Bring the catalogs up to date with what the conversations say."""
    from bot import catalogs

    catalogs.update()
    check_catalogs()


def _settings() -> "Settings":
    from bot.settings import SettingsError, read_settings

    try:
        return read_settings()
    except SettingsError as error:
        _fail(str(error))


async def _opened(url: str, work: "Callable[[Storage], Coroutine[Any, Any, T]]") -> T:
    from storage.database import open_storage
    from storage.migrations import migrate as upgrade

    async with open_storage(url) as storage:
        await upgrade(storage)
        return await work(storage)


def _with_storage(work: "Callable[[Storage], Coroutine[Any, Any, T]]") -> T:
    """Do this with the database of the settings, upgraded first."""
    return _run(_opened(_settings().database_url, work))


def _run(main: "Coroutine[Any, Any, T]") -> T:
    """Run until done, or until SIGINT or SIGTERM ask for an orderly end."""
    import uvloop

    async def until_told() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, cast("asyncio.Task[Any]", task).cancel)
        return await main

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(until_told())
    except asyncio.CancelledError:
        raise typer.Exit(0) from None


def _fail(why: str) -> NoReturn:
    Console(stderr=True).print(why, style="red", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(1)


def main() -> None:
    """The entry point: our zones first, before anybody asks what time it is."""
    prefer_packaged_zones()
    command_line()()


if __name__ == "__main__":
    main()
