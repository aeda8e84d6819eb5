"""Tickets: the picture that a member shows at the door, and what staff read who scan it.

Any phone's camera opens the picture's link, and the link opens the bot: it knows who scanned. To
staff it says who came in, and to anybody else nothing that a wrong link would not say.
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery
from sqlalchemy.ext.asyncio import AsyncSession

from handlers.correspondence import Writing
from handlers.letters import Letter, Scannable, Tap
from handlers.rsvps import MyTicket, when_and_where
from handlers.turns import Turn
from handlers.words import Html, Words, quote
from storage import tickets
from storage.tables import Event, Session
from storage.tickets import PREFIX, Admission, Entry, Held


class DoorCard(CallbackData, prefix="door"):
    """The card of a door: a session's, or without one the event's; `handlers.doors` answers."""

    event: int
    session: int = 0
    page: int = 0


class RatingsCard(CallbackData, prefix="ratings"):
    """What people thought of a session; `handlers.ratings` answers."""

    session: int
    page: int = 0


class Picture(CallbackData, prefix="figures"):
    """The event in figures, as a picture; `handlers.figures` answers."""

    event: int


class CheckIn(CallbackData, prefix="checkin"):
    """Check the holder in, as a scan does."""

    ticket: int


class LetIn(CallbackData, prefix="letin"):
    """Let the holder in as a walk-in, whatever the ticket says."""

    ticket: int


class Uncheck(CallbackData, prefix="uncheck"):
    """That was a mistake: the holder has not come in."""

    ticket: int


# --- the member's side ----------------------------------------------------------------------


async def ask(_tap: CallbackQuery, callback_data: MyTicket, turn: Turn) -> None:
    """The member wants their ticket: it comes as a message of its own."""
    find, about = (
        (tickets.of_session, callback_data.session)
        if callback_data.session
        else (tickets.of_event, callback_data.event)
    )
    ticket = await find(turn.db, turn.member, about)
    if ticket is None:
        turn.say.toast(turn.words.label("You have no seat here."))
        return
    await tickets.post(turn.db, ticket, turn.now)
    turn.say.toast(turn.words.label("Here comes your ticket."))


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The tickets; None for whoever has given up the seat since."""
    good = await tickets.good(db, [one.about["ticket"] for one in writings])
    return [
        _ticket(one, held) if (held := good.get(one.about["ticket"])) else None for one in writings
    ]


def _ticket(reader: Writing, held: Held) -> Letter:
    words = reader.words
    lines = [
        words("🎟 <b>Ticket for {name}</b>", name=reader.member.name or ""),
        "",
        *_place(words, held.event, held.session),
    ]
    if held.guests:
        lines.append(_guests(words, held.guests))
    lines += ["", words("Show this picture at the door: the team scans it with a phone.")]
    taps: tuple[tuple[Tap, ...], ...] = ()
    if held.session is not None and held.seats > 1:
        all_of_it = MyTicket(event=held.event.id).pack()
        taps = ((Tap(words.label("🎟 Ticket for the event's entrance"), all_of_it),),)
    return Letter(Html("\n".join(lines)), taps, picture=Scannable(PREFIX + held.ticket.code))


async def own(turn: Turn, payload: str) -> Letter | None:
    """What a member reads who scans their own ticket; None for any other link."""
    ticket = await tickets.behind(turn.db, payload)
    if ticket is None or ticket.member_id != turn.member.id:
        return None
    return Letter(
        turn.words(
            "This is your own ticket. Show its picture at the door: "
            "the team scans it with a phone, and you are in."
        )
    )


# --- the staff's side -----------------------------------------------------------------------


async def scanned(turn: Turn, payload: str) -> Letter | None:
    """What staff read who scan a ticket; None for a link that is no ticket."""
    if not payload.startswith(PREFIX):
        return None
    ticket = await tickets.behind(turn.db, payload)
    if ticket is None:
        return Letter(turn.words("⚠️ I don't know this ticket."))
    return told(turn, await tickets.check_in(turn.db, ticket.id, turn.member, turn.now))


async def check_in(_tap: CallbackQuery, callback_data: CheckIn, turn: Turn) -> None:
    """Check in by tap."""
    admission = await tickets.check_in(turn.db, callback_data.ticket, turn.member, turn.now)
    turn.say.edit(told(turn, admission))


async def let_in(_tap: CallbackQuery, callback_data: LetIn, turn: Turn) -> None:
    """Let in as a walk-in."""
    admission = await tickets.let_in(turn.db, callback_data.ticket, turn.member, turn.now)
    turn.say.edit(told(turn, admission))


async def uncheck(_tap: CallbackQuery, callback_data: Uncheck, turn: Turn) -> None:
    """Undo: the card then offers to check in again."""
    undone = await tickets.undo(turn.db, callback_data.ticket, turn.member, turn.now)
    turn.say.edit(told(turn, undone))


def told(turn: Turn, admission: Admission | None) -> Letter:
    """The answer of the door: the verdict, then who and where."""
    words = turn.words
    if admission is None:
        return Letter(words("⚠️ I don't know this ticket."))
    lines = [
        _verdict(turn, admission),
        "",
        f"<b>{quote(admission.holder.name or '')}</b>",
        *_place(words, admission.event, admission.session),
    ]
    if admission.guests and admission.entry in (Entry.IN, Entry.ALREADY):
        lines.append(_guests(words, admission.guests))
    return Letter(Html("\n".join(lines)), _taps(words, admission))


def _verdict(turn: Turn, admission: Admission) -> Html:
    words = turn.words
    if admission.entry == Entry.ALREADY and admission.at is not None:
        return words(
            "⚠️ <b>This ticket was already used</b>: {when}.",
            when=_when(turn, admission.event, admission.at),
        )
    if admission.entry == Entry.NOT_TODAY:
        zone = ZoneInfo(admission.event.timezone)
        session = admission.session
        day = session.starts_at.astimezone(zone).date() if session else admission.event.starts
        return words("⚠️ <b>Not today</b>: this ticket is for {day}.", day=words.day(day))
    return {
        Entry.IN: words("✅ <b>Checked in</b>"),
        Entry.WALKED_IN: words("✅ <b>Let in as a walk-in</b>"),
        Entry.UNDONE: words("↩️ <b>Undone</b>: not checked in."),
        Entry.OVER: words("⚠️ <b>Too late</b>: it is over."),
        Entry.CANCELLED: words("⚠️ <b>This session is cancelled.</b>"),
        Entry.NO_SEAT: words("⚠️ <b>No seat any more</b>: it was given up."),
    }.get(admission.entry, Html(""))


def _taps(words: Words, admission: Admission) -> tuple[tuple[Tap, ...], ...]:
    ticket = admission.ticket.id
    session = admission.session.id if admission.session else 0
    door = Tap(words.label("🚪 Door"), DoorCard(event=admission.event.id, session=session).pack())
    match admission.entry:
        case Entry.IN | Entry.WALKED_IN:
            return ((Tap(words.label("↩️ Undo"), Uncheck(ticket=ticket).pack()), door),)
        case Entry.UNDONE:
            return ((Tap(words.label("Check in"), CheckIn(ticket=ticket).pack()), door),)
        case Entry.NOT_TODAY | Entry.OVER | Entry.NO_SEAT:
            let_in_ = Tap(words.label("Let in as a walk-in"), LetIn(ticket=ticket).pack())
            return ((let_in_,), (door,))
        case _:
            return ((door,),)


def _place(words: Words, event: Event, session: Session | None) -> list[Html]:
    """What the ticket is for: a session, or the whole event."""
    if session is not None:
        return [quote(words.pick(session.title)), *when_and_where(words, session, event)]
    day = words.day(event.starts)
    lines = [quote(words.pick(event.title)), Html(f"📅 {day}")]
    if event.ends > event.starts:
        lines[1] = Html(f"📅 {day} – {words.day(event.ends)}")
    return [*lines, Html(f"📍 {quote(words.place(event.city))}")] if event.city else lines


def _guests(words: Words, guests: int) -> Html:
    return words.plural("👥 with {n} guest", "👥 with {n} guests", guests)


def _when(turn: Turn, event: Event, at: datetime) -> Html:
    """The time of day, and the day if that is another one."""
    words, zone = turn.words, ZoneInfo(event.timezone)
    day = at.astimezone(zone).date()
    clock = words.time(at, zone)
    if day == turn.now.astimezone(zone).date():
        return words("today at {time}", time=clock)
    return words("{day} at {time}", day=words.day(day), time=clock)


def of_staff(_event: object, turn: Turn) -> bool:
    """Whether this is for the staff alone: others meet what meets an unknown command."""
    return turn.is_staff


def router() -> Router:
    """Tickets, wired. The scan itself comes in by `/start`."""
    r = Router(name="tickets")
    r.callback_query.register(ask, MyTicket.filter())
    r.callback_query.register(check_in, CheckIn.filter(), of_staff)
    r.callback_query.register(let_in, LetIn.filter(), of_staff)
    r.callback_query.register(uncheck, Uncheck.filter(), of_staff)
    return r
