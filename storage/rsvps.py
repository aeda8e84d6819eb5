"""RSVPs: who holds a seat in which session, and who stands in line for one.

Confirmed seats never exceed a session's capacity: each rule locks the session's row first (on
SQLite the whole transaction is already alone), so two taps at once are taken one after the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage.tables import Event, Member, Rsvp, Seat, Session

# The states in which a member takes up one of a session's seats, and in which it is theirs.
HOLDING = (Seat.CONFIRMED, Seat.OFFERED, Seat.CHECKED_IN)
SEATED = (Seat.CONFIRMED, Seat.CHECKED_IN)


class Answer(StrEnum):
    """What became of a wish."""

    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    ALREADY = "already"
    OVERLAP = "overlap"
    OVER = "over"
    CANCELLED = "cancelled"
    NO_SEAT = "no seat"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a wish, with the seats it collides with if it does."""

    answer: Answer
    session: Session
    event: Event
    overlapping: tuple[Session, ...] = ()


async def request_seat(
    db: AsyncSession, member: Member, session_id: int, now: datetime, *, swap: bool = False
) -> Outcome | None:
    """Take a seat, or a place in line when there is none.

    A seat that is offered to the member is free for them until the offer lapses. A free seat that
    overlaps seats already held is pointed out instead of taken, unless `swap`:
    then those are given up for it. Nobody gives up a seat for a place in line.
    None: there is no such session.
    """
    found, overlapping = await lock_with_overlaps(db, member, session_id)
    if found is None:
        return None
    session, event = found
    if session.cancelled_at is not None:
        return Outcome(Answer.CANCELLED, session, event)
    if session.ends_at <= now:
        return Outcome(Answer.OVER, session, event)
    # Read under the lock: what stood before it may have changed while we waited.
    rsvp, spoken_for = (
        await db.execute(_standing(), {"member": member.id, "session": session_id})
    ).one()
    if rsvp is not None and rsvp.state in (*SEATED, Seat.WAITLISTED):
        return Outcome(Answer.ALREADY, session, event)
    offered = rsvp is not None and rsvp.offered_until is not None and rsvp.offered_until > now
    # A session without a capacity of its own has room for the whole event.
    capacity = session.capacity if session.capacity is not None else event.capacity
    # Whoever stands in line goes first: a seat that is free now is theirs.
    room = offered or capacity is None or capacity > spoken_for
    state = Seat.CONFIRMED if room else Seat.WAITLISTED
    if state == Seat.CONFIRMED and overlapping:
        if not swap:
            return Outcome(Answer.OVERLAP, session, event, tuple(overlapping))
        for other in overlapping:
            await give_up(db, member, other.id, now)
    if rsvp is None:
        rsvp = Rsvp(session_id=session.id, member_id=member.id)
        db.add(rsvp)
    rsvp.state, rsvp.since = state, now
    rsvp.offered_until, rsvp.reassured_at = None, None
    await db.flush()
    return Outcome(Answer(state.value), session, event, tuple(overlapping))


async def give_up(
    db: AsyncSession, member: Member, session_id: int, now: datetime
) -> Outcome | None:
    """Give a seat back, or leave the line. None: there is no such session."""
    found = await lock(db, session_id)
    if found is None:
        return None
    session, event = found
    rsvp = await _rsvp(db, member, session.id)
    if rsvp is None or rsvp.state == Seat.CANCELLED:
        return Outcome(Answer.NO_SEAT, session, event)
    if session.ends_at <= now:
        return Outcome(Answer.OVER, session, event)
    rsvp.state, rsvp.since, rsvp.offered_until = Seat.CANCELLED, now, None
    await db.flush()
    return Outcome(Answer.CONFIRMED, session, event)


async def reassure(
    db: AsyncSession, member: Member, session_id: int, now: datetime
) -> Outcome | None:
    """The member says "I'm coming". None: there is no such session."""
    found = await lock(db, session_id)
    if found is None:
        return None
    session, event = found
    rsvp = await _rsvp(db, member, session.id)
    if session.cancelled_at is not None:
        return Outcome(Answer.CANCELLED, session, event)
    if session.ends_at <= now:
        return Outcome(Answer.OVER, session, event)
    if rsvp is None or rsvp.state not in SEATED:
        return Outcome(Answer.NO_SEAT, session, event)
    rsvp.reassured_at = now
    return Outcome(Answer.CONFIRMED, session, event)


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


async def lock_with_overlaps(
    db: AsyncSession, member: Member, session_id: int
) -> tuple[tuple[Session, Event] | None, Sequence[Session]]:
    """As `lock`, together with the member's seats in other sessions that run at the same time."""
    rows = (await db.execute(_wished(), {"member": member.id, "session": session_id})).all()
    found = next(((session, event) for session, event in rows if session.id == session_id), None)
    return found, [session for session, _ in rows if session.id != session_id]


# Building these statements costs as much as running them: each is built once.


@cache
def _locked() -> Select[Any, Any]:
    return (
        select(Session, Event)
        .join(Event, Event.id == Session.event_id)
        .where(Session.id == bindparam("session"))
        .with_for_update(of=Session)
        .execution_options(populate_existing=True)
    )


@cache
def _wished() -> Select[Any, Any]:
    """The session that is wished for, and the member's seats in others that run at that time.

    All are locked, in the order of their ids, so that two swaps can't wait for each other.
    """
    wished = aliased(Session)
    mine = and_(Rsvp.session_id == Session.id, Rsvp.member_id == bindparam("member"))
    collides = and_(
        Rsvp.state.in_(SEATED),
        Session.cancelled_at.is_(None),
        Session.starts_at < wished.ends_at,
        Session.ends_at > wished.starts_at,
    )
    return (
        select(Session, Event)
        .join(Event, Event.id == Session.event_id)
        .join(wished, wished.id == bindparam("session"))
        .outerjoin(Rsvp, mine)
        .where(or_(Session.id == wished.id, collides))
        .order_by(Session.id)
        .with_for_update(of=Session)
        .execution_options(populate_existing=True)
    )


@cache
def _standing() -> Select[Any, Any]:
    """The member's RSVP, and how many seats are taken or waited for."""
    session: BindParameter[int] = bindparam("session")
    spoken_for = (
        select(func.count())
        .select_from(Rsvp)
        .where(Rsvp.session_id == session, Rsvp.state.in_((*HOLDING, Seat.WAITLISTED)))
        .scalar_subquery()
    )
    mine = and_(Rsvp.session_id == session, Rsvp.member_id == bindparam("member"))
    one = select(literal(1).label("one")).subquery()
    return (
        select(Rsvp, spoken_for)
        .select_from(one)
        .outerjoin(Rsvp, mine)
        .execution_options(populate_existing=True)
    )


async def _rsvp(db: AsyncSession, member: Member, session_id: int) -> Rsvp | None:
    found = await db.execute(_standing(), {"member": member.id, "session": session_id})
    rsvp: Rsvp | None = found.one()[0]
    return rsvp
