"""RSVPs: who holds a seat in which session, and who stands in line for one.

Seats never exceed a session's capacity, nor an event's: each rule locks what it counts
(`storage/room.py`), so two taps at once are taken one after the other. A member may bring guests
where the event allows it; such a party takes its seats together, or waits until they are free
together. The line is strict: nobody passes a party that waits for more seats than there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from storage import room, standings
from storage.standings import Standing
from storage.tables import Event, Member, Rsvp, Seat, Session

HOLDING, SEATED = room.HOLDING, room.SEATED
# The most guests that an event may allow.
GUESTS = 2


class Answer(StrEnum):
    """What became of a wish."""

    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    ALREADY = "already"
    OVERLAP = "overlap"
    OVER = "over"
    CANCELLED = "cancelled"
    NO_SEAT = "no seat"
    FULL = "full"
    NO_GUESTS = "no guests"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a wish, with the seats it collides with if it does."""

    answer: Answer
    session: Session
    event: Event
    overlapping: tuple[Session, ...] = ()
    # Who waits, waits for a place in the whole event: the session itself has seats.
    event_full: bool = False
    # The member's RSVP and the session's seats after a wish was granted; None: look again.
    standing: Standing | None = None


async def request_seat(
    db: AsyncSession, member: Member, session_id: int, now: datetime, *, swap: bool = False
) -> Outcome | None:
    """Take a seat, or a place in line when there is none. Guests are chosen afterwards.

    A seat that is offered to the member is free for them until the offer lapses. A free seat that
    overlaps seats already held is pointed out instead of taken, unless `swap`:
    then those are given up for it. Nobody gives up a seat for a place in line.
    None: there is no such session.
    """
    stood = await standings.hold(db, member, session_id, taking=True, overlaps=True)
    if stood is None:
        return None
    session, event, rsvp, overlapping = stood.session, stood.event, stood.rsvp, stood.overlapping
    if (refusal := _refusal(session, now)) is not None:
        return Outcome(refusal, session, event)
    if rsvp is not None and rsvp.state in (*SEATED, Seat.WAITLISTED):
        return Outcome(Answer.ALREADY, session, event)
    offered = rsvp is not None and rsvp.offered_until is not None and rsvp.offered_until > now
    capacity = room.capacity_of(session, event)
    # Whoever stands in line goes first: a seat that is free now is theirs.
    seats = offered or capacity is None or capacity > stood.spoken_for
    event_full = seats and not offered and not await room.fits(db, event, member.id, 1)
    state = Seat.CONFIRMED if seats and not event_full else Seat.WAITLISTED
    if state == Seat.CONFIRMED and overlapping:
        if not swap:
            return Outcome(Answer.OVERLAP, session, event, tuple(overlapping))
        for other in overlapping:
            await give_up(db, member, other.id, now)
    held = 1 + rsvp.guests if rsvp is not None and rsvp.state in HOLDING else 0
    if rsvp is None:
        # Written with the next statement that asks for it, or the commit: with those of others who
        # share the transaction.
        rsvp = Rsvp(session_id=session.id, member_id=member.id, state=state, since=now, guests=0)
        db.add(rsvp)
    else:
        rsvp.guests = rsvp.guests if offered else 0
        rsvp.state, rsvp.since = state, now
        rsvp.offered_until, rsvp.reassured_at, rsvp.late_at = None, None, None
        await db.flush()
    stands = replace(
        stood,
        rsvp=rsvp,
        taken=stood.taken - held + (1 + rsvp.guests if state == Seat.CONFIRMED else 0),
        waiting=stood.waiting + (state == Seat.WAITLISTED),
        in_line=stood.in_line + (state == Seat.WAITLISTED),
    )
    return Outcome(Answer(state.value), session, event, tuple(overlapping), event_full, stands)


async def give_up(
    db: AsyncSession, member: Member, session_id: int, now: datetime
) -> Outcome | None:
    """Give a seat back, or leave the line. None: there is no such session."""
    stood = await standings.hold(db, member, session_id)
    if stood is None:
        return None
    session, event, rsvp = stood.session, stood.event, stood.rsvp
    if rsvp is None or rsvp.state == Seat.CANCELLED:
        return Outcome(Answer.NO_SEAT, session, event)
    if session.ends_at <= now:
        return Outcome(Answer.OVER, session, event)
    rsvp.state, rsvp.since, rsvp.guests = Seat.CANCELLED, now, 0
    rsvp.offered_until, rsvp.late_at = None, None
    await db.flush()
    return Outcome(Answer.CONFIRMED, session, event)


async def set_guests(
    db: AsyncSession, member: Member, session_id: int, guests: int, now: datetime
) -> Outcome | None:
    """The member brings so many guests. None: there is no such session.

    FULL: there is no room for so many more (what is free belongs to the line). Who stands in line
    keeps the place, and waits for seats for all. Raises ValueError for less than none.
    """
    if guests < 0:
        raise ValueError("nobody brings less than no guests")
    stood = await standings.hold(db, member, session_id, taking=True)
    if stood is None:
        return None
    session, event, rsvp = stood.session, stood.event, stood.rsvp
    if (refusal := _refusal(session, now)) is not None:
        return Outcome(refusal, session, event)
    if rsvp is None or rsvp.state == Seat.CANCELLED:
        return Outcome(Answer.NO_SEAT, session, event)
    more = guests - rsvp.guests
    if more > 0 and guests > event.guests:
        return Outcome(Answer.NO_GUESTS, session, event)
    if more > 0 and rsvp.state in HOLDING:
        capacity = room.capacity_of(session, event)
        seats = capacity is None or capacity >= stood.spoken_for + more
        if not seats or not await room.fits(db, event, member.id, 1 + guests):
            return Outcome(Answer.FULL, session, event)
    rsvp.guests = guests
    await db.flush()
    return Outcome(Answer.CONFIRMED, session, event)


async def reassure(
    db: AsyncSession, member: Member, session_id: int, now: datetime
) -> Outcome | None:
    """The member says "I'm coming". None: there is no such session."""
    outcome, rsvp = await _seated(db, member, session_id, now)
    if rsvp is not None:
        rsvp.reassured_at = now
    return outcome


async def run_late(
    db: AsyncSession, member: Member, session_id: int, now: datetime
) -> Outcome | None:
    """The member says "I'm running late"; the first time counts. None: there is no such session."""
    outcome, rsvp = await _seated(db, member, session_id, now)
    if rsvp is not None:
        rsvp.late_at = rsvp.late_at or now
        await db.flush()
    return outcome


async def _seated(
    db: AsyncSession, member: Member, session_id: int, now: datetime
) -> tuple[Outcome | None, Rsvp | None]:
    """The member's seat in a session that still takes place, locked; or why there is none."""
    stood = await standings.hold(db, member, session_id)
    if stood is None:
        return None, None
    session, event, rsvp = stood.session, stood.event, stood.rsvp
    if (refusal := _refusal(session, now)) is not None:
        return Outcome(refusal, session, event), None
    if rsvp is None or rsvp.state not in SEATED:
        return Outcome(Answer.NO_SEAT, session, event), None
    return Outcome(Answer.CONFIRMED, session, event), rsvp


def _refusal(session: Session, now: datetime) -> Answer | None:
    if session.cancelled_at is not None:
        return Answer.CANCELLED
    return Answer.OVER if session.ends_at <= now else None


async def collides(db: AsyncSession, member_id: int, session: Session) -> bool:
    """Whether the member has a seat in another session that runs at the same time."""
    at_once = (
        select(Session.id)
        .join(Rsvp, Rsvp.session_id == Session.id)
        .where(
            Rsvp.member_id == member_id,
            Rsvp.state.in_(SEATED),
            Session.id != session.id,
            Session.cancelled_at.is_(None),
            Session.starts_at < session.ends_at,
            Session.ends_at > session.starts_at,
        )
    )
    return await db.scalar(select(at_once.exists())) or False


async def seats_of(
    db: AsyncSession, member: Member, now: datetime
) -> Sequence[tuple[Rsvp, Session, Event]]:
    """The member's seats and places in line that are still to come, soonest first."""
    rows = await db.execute(
        select(Rsvp, Session, Event)
        .join(Session, Session.id == Rsvp.session_id)
        .join(Event, Event.id == Session.event_id)
        .where(
            Rsvp.member_id == member.id,
            Rsvp.state.in_((*HOLDING, Seat.WAITLISTED)),
            Session.cancelled_at.is_(None),
            Session.ends_at > now,
        )
        .order_by(Session.starts_at, Session.id)
    )
    return [(rsvp, session, event) for rsvp, session, event in rows]


def earlier_than(rsvp: Rsvp) -> ColumnElement[bool]:
    """Who stands before this member: the line is ordered by the moment, then by the row."""
    return or_(Rsvp.since < rsvp.since, and_(Rsvp.since == rsvp.since, Rsvp.id < rsvp.id))


async def lock(db: AsyncSession, session_id: int) -> tuple[Session, Event] | None:
    """Let nobody else change who sits in this session; None: there is no such session."""
    found = (await db.execute(_locked(), {"session": session_id})).first()
    return None if found is None else (found[0], found[1])


# Building this statement costs as much as running it.


@cache
def _locked() -> Select[Any, Any]:
    return (
        select(Session, Event)
        .join(Event, Event.id == Session.event_id)
        .where(Session.id == bindparam("session"))
        .with_for_update(of=Session)
        .execution_options(populate_existing=True)
    )
