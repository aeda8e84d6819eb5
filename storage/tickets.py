"""Tickets: who may come in, and who has.

A ticket lets one member in at the door of one session, or of a whole event. Its code is a secret
between the member's phone and the door; the one that scans it must be staff, which is the business
of whoever asks here. Each rule locks the session's row (of an event's ticket: the event's), so of
two scans at once exactly one lets in, and the other learns when that was.

A seat's state is the truth about a session's door, `used_at` about an event's. Whoever has no valid
ticket is let in as a walk-in, which takes no seat from anybody.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import audit, outbox, rsvps
from storage.rsvps import SEATED
from storage.tables import Event, Lane, Member, Rsvp, Seat, Session, Ticket, WalkIn

KIND = "ticket"
# A deep link's payload is at most 64 characters of A-Za-z0-9_- (Bot API, "Deep linking").
PREFIX = "t_"
# Bytes of chance in a code: nobody guesses one.
_CHANCE = 16


class Entry(StrEnum):
    """What the door says to a ticket."""

    IN = "in"
    WALKED_IN = "walked in"
    UNDONE = "undone"
    ALREADY = "already"
    NOT_TODAY = "not today"
    OVER = "over"
    CANCELLED = "cancelled"
    NO_SEAT = "no seat"


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer of the door: whose ticket it is, for what, and since when they are in.

    `session` is None for the event's own door. `guests` come with the member.
    """

    entry: Entry
    ticket: Ticket
    holder: Member
    event: Event
    session: Session | None
    guests: int = 0
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A ticket that is still good, with all that its letter tells."""

    ticket: Ticket
    event: Event
    session: Session | None
    guests: int
    # How many seats the holder has in the event.
    seats: int


# --- asking for one -------------------------------------------------------------------------


async def of_session(db: AsyncSession, member: Member, session_id: int) -> Ticket | None:
    """The member's ticket for this session, made at the first asking. None: no seat here."""
    found = await rsvps.lock(db, session_id)
    if found is None or found[0].cancelled_at is not None:
        return None
    if await _seat(db, member.id, session_id) is None:
        return None
    return await made(db, member.id, found[1].id, session_id)


async def of_event(db: AsyncSession, member: Member, event_id: int) -> Ticket | None:
    """The member's ticket for the event's door; with a single seat in it, that seat's ticket."""
    held = await _seats(db, member.id, event_id)
    if len(held) == 1:
        return await of_session(db, member, held[0].session_id)
    return await of_entrance(db, member, event_id)


async def of_entrance(db: AsyncSession, member: Member, event_id: int) -> Ticket | None:
    """The member's ticket for the event's door. None: no seat in the event."""
    if not await _seats(db, member.id, event_id) or await _lock_event(db, event_id) is None:
        return None
    return await made(db, member.id, event_id, None)


async def post(db: AsyncSession, ticket: Ticket, now: datetime) -> None:
    """Let the ticket's picture be sent. Taps in the same second ask for one picture."""
    await db.execute(
        outbox.insert_once(db).values(
            key=f"{KIND}:{ticket.id}:{int(now.timestamp())}",
            member_id=ticket.member_id,
            kind=KIND,
            about={"ticket": ticket.id},
            lane=Lane.PERSONAL,
            due=now,
            expires=now + timedelta(days=1),
        )
    )


async def good(db: AsyncSession, ticket_ids: Sequence[int]) -> dict[int, Held]:
    """Those of these tickets whose holder still has a seat, by id."""
    rows = await db.execute(
        select(Ticket, Event, Session)
        .join(Event, Event.id == Ticket.event_id)
        .outerjoin(Session, Session.id == Ticket.session_id)
        .where(Ticket.id.in_(ticket_ids), Session.cancelled_at.is_(None))
    )
    held = {}
    for ticket, event, session in rows.all():
        seats = await _seats(db, ticket.member_id, event.id, session)
        if seats:
            number = len(await _seats(db, ticket.member_id, event.id))
            held[ticket.id] = Held(ticket, event, session, _guests(seats), number)
    return held


async def made(db: AsyncSession, member_id: int, event_id: int, session_id: int | None) -> Ticket:
    """The ticket, new if there was none. The place must be locked by the caller."""
    place = (
        Ticket.session_id == session_id
        if session_id is not None
        else Ticket.session_id.is_(None) & (Ticket.event_id == event_id)
    )
    ticket = await db.scalar(select(Ticket).where(Ticket.member_id == member_id, place))
    if ticket is None:
        ticket = Ticket(
            code=new_code(),
            member_id=member_id,
            event_id=event_id,
            session_id=session_id,
        )
        db.add(ticket)
        await db.flush()
    return ticket


def new_code() -> str:
    """What no other ticket says."""
    return secrets.token_urlsafe(_CHANCE)


# --- at the door ----------------------------------------------------------------------------


async def behind(db: AsyncSession, payload: str) -> Ticket | None:
    """The ticket that a deep link carries, if there is one."""
    if not payload.startswith(PREFIX):
        return None
    return await db.scalar(select(Ticket).where(Ticket.code == payload.removeprefix(PREFIX)))


async def check_in(
    db: AsyncSession, ticket_id: int, staff: Member, now: datetime
) -> Admission | None:
    """Let the holder in, or say why not. None: there is no such ticket."""
    found = await _present(db, ticket_id, now)
    if found is None or found.entry != Entry.IN:
        return found
    ticket = found.ticket
    if ticket.session_id is not None:
        seat = await _seat(db, ticket.member_id, ticket.session_id)
        if seat is not None:
            seat.state, seat.since = Seat.CHECKED_IN, now
    ticket.used_at, ticket.used_by = now, staff.id
    await db.flush()
    await _recorded(db, staff, "ticket.used", ticket, now)
    return found


async def let_in(
    db: AsyncSession, ticket_id: int, staff: Member, now: datetime
) -> Admission | None:
    """Let the holder in as a walk-in, whatever the ticket says. Once is enough."""
    found = await _present(db, ticket_id, now)
    if found is None or found.entry in (Entry.IN, Entry.ALREADY):
        return found and await check_in(db, ticket_id, staff, now)
    ticket = found.ticket
    db.add(
        WalkIn(
            event_id=ticket.event_id,
            session_id=ticket.session_id,
            member_id=ticket.member_id,
            at=now,
            by=staff.id,
        )
    )
    await db.flush()
    await _recorded(db, staff, "ticket.let_in", ticket, now)
    return _answer(found, Entry.WALKED_IN, now)


async def undo(db: AsyncSession, ticket_id: int, staff: Member, now: datetime) -> Admission | None:
    """Take back that the holder was let in, with or without a seat. Harmless when they weren't."""
    found = await _present(db, ticket_id, now)
    if found is None or found.entry != Entry.ALREADY:
        return found and _answer(found, Entry.UNDONE)
    ticket = found.ticket
    if (walked_in := await _walked_in(db, ticket)) is not None:
        await db.delete(walked_in)
    elif ticket.session_id is not None:
        seat = await _seat(db, ticket.member_id, ticket.session_id)
        if seat is not None and seat.state == Seat.CHECKED_IN:
            seat.state, seat.since = Seat.CONFIRMED, now
    ticket.used_at = ticket.used_by = None
    await db.flush()
    await _recorded(db, staff, "ticket.undone", ticket, now)
    return _answer(found, Entry.UNDONE)


async def _present(db: AsyncSession, ticket_id: int, now: datetime) -> Admission | None:
    """The ticket as the door finds it, with its place locked; IN if nothing stands in the way."""
    asked = await db.get(Ticket, ticket_id)
    if asked is None:
        return None
    if asked.session_id is not None:
        place = await rsvps.lock(db, asked.session_id)
        session, event = place or (None, None)
    else:
        session, event = None, await _lock_event(db, asked.event_id)
    # Read again, now that nobody else can change it.
    row = await db.execute(
        select(Ticket, Member)
        .join(Member, Member.id == Ticket.member_id)
        .where(Ticket.id == ticket_id)
        .execution_options(populate_existing=True)
    )
    found = row.first()
    if found is None or event is None:
        return None
    ticket, holder = found
    seats = await _seats(db, holder.id, event.id, session)
    entry, at = await _judged(db, ticket, event, session, seats, now)
    return Admission(entry, ticket, holder, event, session, _guests(seats), at)


async def _judged(  # noqa: PLR0917  # all that the door looks at
    db: AsyncSession,
    ticket: Ticket,
    event: Event,
    session: Session | None,
    seats: Sequence[Rsvp],
    now: datetime,
) -> tuple[Entry, datetime | None]:
    if (walked_in := await _walked_in(db, ticket)) is not None:
        return Entry.ALREADY, walked_in.at
    inside = [seat for seat in seats if seat.state == Seat.CHECKED_IN]
    if session is not None and inside:
        return Entry.ALREADY, ticket.used_at or inside[0].since
    if session is None and ticket.used_at is not None:
        return Entry.ALREADY, ticket.used_at
    if session is not None and session.cancelled_at is not None:
        return Entry.CANCELLED, None
    if not seats:
        return Entry.NO_SEAT, None
    return _timely(event, session, now), now


def _timely(event: Event, session: Session | None, now: datetime) -> Entry:
    zone = ZoneInfo(event.timezone)
    today = now.astimezone(zone).date()
    if today > event.ends if session is None else now >= session.ends_at:
        return Entry.OVER
    first = event.starts if session is None else session.starts_at.astimezone(zone).date()
    return Entry.IN if today >= first else Entry.NOT_TODAY


async def _recorded(
    db: AsyncSession, staff: Member, action: str, ticket: Ticket, now: datetime
) -> None:
    about = {"ticket": ticket.id, "event": ticket.event_id, "session": ticket.session_id}
    await audit.record(db, staff, action, now, about=about, touched=[ticket.member_id])


def _answer(found: Admission, entry: Entry, at: datetime | None = None) -> Admission:
    return Admission(
        entry, found.ticket, found.holder, found.event, found.session, found.guests, at
    )


async def _walked_in(db: AsyncSession, ticket: Ticket) -> WalkIn | None:
    place = (
        WalkIn.session_id == ticket.session_id
        if ticket.session_id is not None
        else WalkIn.session_id.is_(None)
    )
    return await db.scalar(
        select(WalkIn).where(
            WalkIn.event_id == ticket.event_id, WalkIn.member_id == ticket.member_id, place
        )
    )


async def _seat(db: AsyncSession, member_id: int, session_id: int) -> Rsvp | None:
    return await db.scalar(
        select(Rsvp)
        .where(Rsvp.member_id == member_id, Rsvp.session_id == session_id, Rsvp.state.in_(SEATED))
        .execution_options(populate_existing=True)
    )


async def _seats(
    db: AsyncSession, member_id: int, event_id: int, session: Session | None = None
) -> Sequence[Rsvp]:
    """The member's seats in this event, or in this session of it."""
    query = (
        select(Rsvp)
        .join(Session, Session.id == Rsvp.session_id)
        .where(
            Rsvp.member_id == member_id,
            Rsvp.state.in_(SEATED),
            Session.event_id == event_id,
            Session.cancelled_at.is_(None),
        )
        .order_by(Rsvp.id)
        .execution_options(populate_existing=True)
    )
    if session is not None:
        query = query.where(Session.id == session.id)
    return (await db.scalars(query)).all()


async def _lock_event(db: AsyncSession, event_id: int) -> Event | None:
    return await db.scalar(
        select(Event).where(Event.id == event_id).with_for_update(key_share=True)
    )


def _guests(seats: Sequence[Rsvp]) -> int:
    return max((seat.guests for seat in seats), default=0)
