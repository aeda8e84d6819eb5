"""`jisr import`: bring an agenda file into the database, and tell calmly what that changes.

    + added   ~ different   - gone   ! guessed, or left out

Times are shown in the event's zone. A dry run compares and writes nothing.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.text import Text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.agenda_files import HOME, AgendaFileError, read
from bot.agenda_problems import in_english, plain
from handlers.agenda_remarks import Remark, told
from storage import audit, events
from storage.agendas import Agenda, Change, Changes, PlannedSession, apply, compare
from storage.database import Storage

# The command line speaks English, like its files' keys.
_LANGUAGE = "en"
_COLOURS = {"+": "green", "~": "yellow", "-": "red"}


async def import_file(
    storage: Storage,
    path: Path,
    *,
    dry_run: bool,
    now: datetime,
    console: Console,
    home: str = HOME,
) -> bool:
    """Import the agenda in this file and print what changes. False: nothing could be imported.

    `home` is the zone of an event that names none.
    """
    try:
        # Seconds, for the longest files; in a terminal it is seen that something happens.
        with console.status(f"Reading {escape(path.name)}"):
            reading = await asyncio.to_thread(read, path, home)
    except AgendaFileError as error:
        count = len(error.problems)
        _say(console, str(error))
        _say(console, f"{_count(count, 'problem')} found. Nothing was written.", "red")
        return False
    agenda = reading.agenda
    with console.status(f"Comparing {_count(len(agenda.sessions), 'session')}"):
        if dry_run:
            async with storage.read() as db:
                changes = await compare(db, agenda)
        else:
            async with storage.begin() as db:
                changes = await apply(db, agenda, now)
                await _recorded(db, agenda, changes, now)
    event = agenda.event
    days = f"{event.starts}" if event.starts == event.ends else f"{event.starts} to {event.ends}"
    _say(console, event.title[_LANGUAGE], "bold")
    _say(console, ", ".join(filter(None, (event.city, days, event.timezone))))
    for remark in _remarks(reading.remarks):
        _say(console, f"! {remark}", "yellow")
    for heading, lines in _summary(agenda, changes):
        if lines:
            _say(console, f"\n{heading}", "bold")
        for line in lines:
            _say(console, f"  {line}", _COLOURS[line[0]])
    _say(console, f"\n{_outcome(changes, dry_run=dry_run)}")
    return True


async def _recorded(db: AsyncSession, agenda: Agenda, changes: Changes, now: datetime) -> None:
    event = await events.by_slug(db, agenda.event.slug)
    about = {"event": event.id if event else None}
    await audit.record(db, None, "agenda.imported", now, about=about, people=changes.affected)


def _remarks(remarks: Iterable[Remark]) -> Iterable[str]:
    """What was guessed or left out, as a terminal shows it: no HTML, no isolates."""
    for line in told(in_english(), remarks):
        yield plain(line)


def _say(console: Console, line: str, style: str = "") -> None:
    # A title may hold [brackets], and a line cut in two is hard to search for.
    console.print(Text(line, style), soft_wrap=True)


def _outcome(changes: Changes, *, dry_run: bool) -> str:
    if not changes:
        return "Nothing to change. Nothing was written." if dry_run else "Nothing to change."
    return "Nothing was written." if dry_run else "Imported."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _summary(agenda: Agenda, changes: Changes) -> Iterable[tuple[str, list[str]]]:
    yield (
        "Event",
        [
            *([f"+ {agenda.event.slug}"] if changes.event_created else []),
            *(f"~ {line}" for line in _fields(changes.event_changes)),
        ],
    )
    yield (
        "Themes",
        [
            *(f"+ {theme.slug}: {theme.name[_LANGUAGE]}" for theme in changes.themes_added),
            *(
                f"~ {theme.after.slug}: {line}"
                for theme in changes.themes_renamed
                for line in _fields([Change("name", theme.before.name, theme.after.name)])
            ),
        ],
    )
    zone = ZoneInfo(agenda.event.timezone)
    yield (
        "Sessions",
        [
            *(f"+ {_title(new)}, {_time(new, zone)}" for new in changes.added),
            *(
                f"+ {_title(back.after)}: back in the programme{_affected(back.seats)}"
                for back in changes.restored
            ),
            *(
                f"~ {_title(it.after)}: {_time(it.before, zone)} -> {_time(it.after, zone)}"
                f"{_affected(it.seats)}"
                for it in changes.moved
            ),
            *(
                f"~ {_title(it.after)}: {line}"
                for it in changes.changed
                for line in _fields(it.changes)
            ),
            *(
                f"- {_title(gone.before)}: {'cancelled' if gone.kept else 'deleted'}"
                f"{_affected(gone.seats)}"
                for gone in changes.removed
            ),
        ],
    )


def _title(session: PlannedSession) -> str:
    return f"{session.slug} “{session.title[_LANGUAGE]}”"


def _time(session: PlannedSession, zone: ZoneInfo) -> str:
    start, end = session.starts_at.astimezone(zone), session.ends_at.astimezone(zone)
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M}–{until}"


def _affected(seats: int) -> str:
    return f" ({_count(seats, 'seat')} affected)" if seats else ""


def _fields(changes: Iterable[Change]) -> Iterable[str]:
    """Each change in one line, and of words in three languages only what differs."""
    for change in changes:
        before, after = change.before, change.after
        languages = {**_words(before), **_words(after)}
        if not languages:
            yield f"{change.field}: {_value(before)} -> {_value(after)}"
        for language in languages:
            old, new = _words(before).get(language), _words(after).get(language)
            if old != new:
                yield f"{change.field} ({language}): {_value(old)} -> {_value(new)}"


def _words(value: object) -> dict[str, str]:
    return value if isinstance(value, dict) else {}


def _value(value: object) -> str:
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "none"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
