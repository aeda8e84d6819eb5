"""Files to take away: a member's own calendar, and for the staff an event's programme and attendees.

`taps` is the row that any card of the staff may carry. Who taps is asked again each time, and once
more when the file is made.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery
from sqlalchemy.ext.asyncio import AsyncSession

from handlers.correspondence import Writing
from handlers.letters import Letter, Tap
from handlers.papers import Calendar, Entry, Paper, Programme, Sheet
from handlers.turns import Turn
from handlers.words import Html, Words, quote
from storage import agendas, events, exports, rsvps
from storage.exports import Format, ListPurpose
from storage.tables import Event, Member, Role, Rsvp, Seat, Session


class MyCalendar(CallbackData, prefix="myics"):
    """My agenda as a calendar file, please."""


class Export(CallbackData, prefix="export"):
    """This event as a file, please: for the staff."""

    event: int
    format: Format


class ExportFor(CallbackData, prefix="exportfor"):
    """This list of people, for this purpose."""

    event: int
    format: Format
    purpose: ListPurpose


# --- the conversation -----------------------------------------------------------------------


def taps(words: Words, event: Event) -> tuple[tuple[Tap, ...], ...]:
    """The rows of taps with which staff export this event."""
    labels = {
        Format.XLSX: words.label("📄 Attendees (Excel)"),
        Format.CSV: words.label("📄 Attendees (CSV)"),
        Format.ICS: words.label("📅 Calendar file (.ics)"),
        Format.FRAB: words.label("🗂 Programme (frab)"),
    }
    all_ = [
        Tap(label, Export(event=event.id, format=format_).pack())
        for format_, label in labels.items()
    ]
    return (tuple(all_[:2]), tuple(all_[2:]))


async def ask_calendar(_tap: CallbackQuery, turn: Turn) -> None:
    """The member wants their calendar: it comes as a message of its own."""
    if not await rsvps.seats_of(turn.db, turn.member, turn.now):
        turn.say.toast(turn.words.label("You have no seat yet."))
        return
    await exports.ask_calendar(turn.db, turn.member, turn.now)
    turn.say.toast(turn.words.label("Here comes your file."))


async def ask_export(_tap: CallbackQuery, callback_data: Export, turn: Turn) -> None:
    """One of the staff wants a file."""
    event = await events.by_id(turn.db, callback_data.event)
    if event is None:
        turn.say.toast(turn.words.label("This event is no longer there."))
        return
    if callback_data.format in exports.LISTS:
        turn.say(_what_for(turn.words, event, callback_data.format))
        return
    await exports.ask(turn.db, turn.member, event, callback_data.format, turn.now)
    turn.say.toast(turn.words.label("Here comes your file."))


def _what_for(words: Words, event: Event, format_: Format) -> Letter:
    text = words(
        "<b>{title}</b>\n\nWhat is this list of people for? It is written down with your number and "
        "theirs. Please delete the file when it has served.",
        title=words.pick(event.title),
    )
    taps = tuple(
        (Tap(label, ExportFor(event=event.id, format=format_, purpose=purpose).pack()),)
        for purpose, label in _purposes(words).items()
    )
    return Letter(text, taps)


def _purposes(words: Words) -> Mapping[ListPurpose, str]:
    return {
        ListPurpose.ENTRANCE: words.label("List for the entrance"),
        ListPurpose.FOLLOW_UP: words.label("Follow-up with those who attended"),
        ListPurpose.REPORT: words.label("Report on the event"),
    }


async def ask_list(_tap: CallbackQuery, callback_data: ExportFor, turn: Turn) -> None:
    """One of the staff has said what a list is for."""
    event, format_ = await events.by_id(turn.db, callback_data.event), callback_data.format
    if event is None or format_ not in exports.LISTS:
        turn.say.toast(turn.words.label("This event is no longer there."))
        return
    purpose = callback_data.purpose
    await exports.ask(turn.db, turn.member, event, format_, turn.now, purpose)
    words = turn.words
    told = words("The file follows. Purpose: {purpose}", purpose=_purposes(words)[purpose])
    turn.say.edit(Letter(told))


async def write_calendars(db: AsyncSession, writings: Sequence[Writing]) -> Sequence[Letter | None]:
    """Members' own calendars; None for whoever has no seat any more."""
    letters: list[Letter | None] = []
    for one in writings:
        mine = await rsvps.seats_of(db, one.member, one.now)
        words = one.words
        text = words(
            "📅 <b>Your calendar</b>\nOpen the file to put your sessions into your phone's calendar. "
            "When something changes, ask for it again: nothing is doubled."
        )
        paper = my_calendar(words, mine, one.now)
        letters.append(Letter(text, document=paper) if mine else None)
    return letters


async def write_exports(db: AsyncSession, writings: Sequence[Writing]) -> Sequence[Letter | None]:
    """The staff's files; None for whoever is not of the staff any more, or where the event is gone."""
    letters: list[Letter | None] = []
    for one in writings:
        event = await events.by_id(db, one.about["event"])
        if event is None or one.member.role not in (Role.STAFF, Role.ADMIN):
            letters.append(None)
            continue
        format_, purpose = Format(one.about["format"]), one.about.get("purpose")
        paper = await export(db, event, format_, one.words, one.now)
        await exports.recorded(db, one.member, event, format_, purpose, one.now)
        title = Html(f"<b>{quote(one.words.pick(event.title))}</b>")
        letters.append(Letter(title, document=paper))
    return letters


# --- the papers -----------------------------------------------------------------------------


async def export(
    db: AsyncSession, event: Event, format_: Format, words: Words, now: datetime
) -> Paper:
    """This event as a paper of this format, in these words."""
    title = words.pick(event.title)
    if format_ == Format.ICS:
        sessions = await exports.sessions_of(db, event)
        entries = tuple(_entry(words, session, event) for session in sessions)
        return Calendar(f"{event.slug}.ics", title, event.timezone, entries, now)
    if format_ == Format.FRAB:
        agenda = await agendas.planned(db, event.slug)
        if agenda is None:
            raise ValueError("an event that was just read is there")
        return Programme(f"{event.slug}.schedule.json", agenda, words.language)
    rows = await exports.attendees(db, event)
    return Sheet(f"{event.slug}.{format_}", title, _table(words, event, rows))


def my_calendar(
    words: Words, mine: Sequence[tuple[Rsvp, Session, Event]], now: datetime
) -> Calendar:
    """A member's seats as a calendar; an offered seat and a place in line are not sure yet."""
    entries = tuple(
        _entry(words, session, event, sure=rsvp.state in rsvps.SEATED)
        for rsvp, session, event in mine
    )
    zone = mine[0][2].timezone if mine else "UTC"
    return Calendar("jisr.ics", words.label("My agenda"), zone, entries, now)


def _entry(words: Words, session: Session, event: Event, *, sure: bool = True) -> Entry:
    room = words.label("online") if session.online else words.pick(session.room)
    city = "" if session.online else words.place(event.city or "")
    return Entry(
        uid=f"{session.slug}.{event.slug}@jisr",
        title=words.pick(session.title),
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        place=", ".join(filter(None, (room, city))),
        sure=sure,
    )


def _table(
    words: Words, event: Event, rows: Sequence[tuple[Session, Rsvp, Member]]
) -> tuple[tuple[str | int, ...], ...]:
    zone = ZoneInfo(event.timezone)
    states = {
        Seat.CONFIRMED: words.label("confirmed"),
        Seat.CHECKED_IN: words.label("checked in"),
        Seat.OFFERED: words.label("offered"),
        Seat.WAITLISTED: words.label("on the waitlist"),
    }
    headings = (
        *(words.label("Name"), words.label("City"), words.label("Profession")),
        *(words.label("Organisation"), words.label("Session"), words.label("State")),
        *(words.label("Since"), words.label("Guests")),
    )
    return (
        headings,
        *(
            (
                *(member.name or "", member.city or "", member.profession or ""),
                *(member.organisation or "", words.pick(session.title), states[rsvp.state]),
                *(f"{rsvp.since.astimezone(zone):%Y-%m-%d %H:%M}", rsvp.guests),
            )
            for session, rsvp, member in rows
        ),
    )


def _of_staff(_event: object, turn: Turn) -> bool:
    return turn.is_staff


def router() -> Router:
    """Files, wired."""
    r = Router(name="exports")
    r.callback_query.register(ask_calendar, MyCalendar.filter())
    r.callback_query.register(ask_export, Export.filter(), _of_staff)
    r.callback_query.register(ask_list, ExportFor.filter(), _of_staff)
    return r
