"""The waitlist: a freed seat is offered to the head of the line, who has some time to answer.

However a seat became free - given back, an offer that lapsed, a larger room, a corrected agenda - it
is found by the same look at the sessions that have both a free seat and a line. Silence or "no"
passes it on. Staff may choose for an event that its seats are given at once instead.

The line is strict: a party of three at its head waits until three seats are free together, and so
does everybody behind it; so does a party for which the whole event has no places. Of an event's
lines, the head that has stood longest goes first. Sessions are dealt with under their locks
(`storage/room.py`), so two looks at once give no seat twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from heapq import heapify, heappop, heappush
from math import inf

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage import outbox, room, rsvps
from storage.room import HOLDING, SEATED
from storage.tables import Event, Instant, Lane, Member, Rsvp, Seat, Session

KIND, PROMOTION = "offer", "promotion"
# The time to answer an offer, and the part of what is left before the session that it may take.
TO_ANSWER, SHARE = timedelta(hours=2), 0.5
# Nearer to its start than this a session offers no seats: nobody could make it.
TOO_LATE = timedelta(minutes=5)


def answer_by(now: datetime, starts_at: datetime) -> datetime:
    """Until when an offer of now stands: shorter near the session, never past its start."""
    return now + min(TO_ANSWER, (starts_at - now) * SHARE)


async def tend(db: AsyncSession, now: datetime) -> int:
    """End the offers that nobody answered, and give away the free seats. Returns to how many
    parties.

    To be called in a transaction that holds no locks yet: this locks events, then sessions.
    """
    astir = await _astir(db, now)
    if not astir:
        return 0
    await room.lock_events(db, astir)
    found = await room.lock_all(db, astir)
    await _lapse(db, astir, now)
    halls = await _halls(db, found, now)
    places = await _places(db, [event for _, event in found])
    # Of several lines in one event, whoever has stood longest in any of them goes first.
    heads = [(head.since, head.id, head) for head in await _heads(db, list(halls))]
    heapify(heads)
    served = 0
    while heads:
        _, _, head = heappop(heads)
        hall = halls[head.session_id]
        party, event = 1 + head.guests, hall.event
        more = 0
        if event.capacity is not None:
            mine = (await room.people(db, [event.id], head.member_id))[event.id]
            more = mine.more(party)
        if hall.free < party or places.get(event.id, more) < more:
            # The line is strict: whoever is behind waits too.
            continue
        hall.free -= party
        if event.id in places:
            places[event.id] -= more
        await _give(db, head, hall, now)
        await db.flush()
        served += 1
        for following in await _heads(db, [hall.session.id]):
            heappush(heads, (following.since, following.id, following))
    return served


@dataclass(slots=True)
class _Hall:
    """A session with seats to give away; `free` counts people."""

    session: Session
    event: Event
    free: float


async def _halls(
    db: AsyncSession, found: Sequence[tuple[Session, Event]], now: datetime
) -> dict[int, _Hall]:
    rows = await db.execute(
        select(Rsvp.session_id, func.sum(1 + Rsvp.guests))
        .where(Rsvp.session_id.in_([session.id for session, _ in found]), Rsvp.state.in_(HOLDING))
        .group_by(Rsvp.session_id)
    )
    taken: dict[int, int] = dict(rows.all())
    halls = {}
    for session, event in found:
        if session.cancelled_at is None and session.starts_at - now >= TOO_LATE:
            capacity = room.capacity_of(session, event)
            free = inf if capacity is None else capacity - taken.get(session.id, 0)
            halls[session.id] = _Hall(session, event, free)
    return halls


async def _places(db: AsyncSession, events: Sequence[Event]) -> dict[int, int]:
    """How many places are free in each event where they are counted."""
    counted = {event.id: event.capacity for event in events if event.capacity is not None}
    people = await room.people(db, list(counted), 0) if counted else {}
    return {event_id: capacity - people[event_id].all for event_id, capacity in counted.items()}


async def _give(db: AsyncSession, head: Rsvp, hall: _Hall, now: datetime) -> None:
    """Offer seats to a party, or give them at once where staff chose that."""
    head.since, session = now, hall.session
    # Whoever has a seat at the same time is asked in any case: they can't be in both.
    if hall.event.promotes and not await rsvps.collides(db, head.member_id, session):
        head.state, head.offered_until = Seat.CONFIRMED, None
        kind, until = PROMOTION, session.starts_at
        about = {"rsvp": head.id, "since": int(now.timestamp())}
    else:
        head.state, head.offered_until = Seat.OFFERED, answer_by(now, session.starts_at)
        kind, until = KIND, head.offered_until
        about = {"rsvp": head.id, "until": int(until.timestamp())}
    outbox.post(
        db,
        key=f"{kind}:{head.id}:{int(now.timestamp() * 1000)}",
        member_id=head.member_id,
        kind=kind,
        about=about,
        due=now,
        expires=until,
        lane=Lane.PERSONAL,
    )


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that stands, with all that its letter tells."""

    rsvp: Rsvp
    session: Session
    event: Event


async def standing(db: AsyncSession, rsvp_ids: Sequence[int]) -> dict[int, Offer]:
    """Those of these offers that can still be taken, by the id of their RSVP."""
    rows = await db.execute(
        select(Rsvp, Session, Event)
        .join(Session, Session.id == Rsvp.session_id)
        .join(Event, Event.id == Session.event_id)
        .where(Rsvp.id.in_(rsvp_ids), Rsvp.state == Seat.OFFERED, Session.cancelled_at.is_(None))
    )
    return {rsvp.id: Offer(rsvp, session, event) for rsvp, session, event in rows}


async def line(db: AsyncSession, session_id: int) -> Sequence[tuple[Rsvp, Member]]:
    """Who waits for a seat in this session, the head first. An RSVP tells since when, with whom."""
    rows = await db.execute(
        select(Rsvp, Member)
        .join(Member, Member.id == Rsvp.member_id)
        .where(Rsvp.session_id == session_id, Rsvp.state == Seat.WAITLISTED)
        .order_by(Rsvp.since, Rsvp.id)
    )
    return [(rsvp, member) for rsvp, member in rows]


async def promoted(db: AsyncSession, rsvp_ids: Sequence[int]) -> dict[int, Offer]:
    """Those of these seats that are still the members', by the id of their RSVP."""
    rows = await db.execute(
        select(Rsvp, Session, Event)
        .join(Session, Session.id == Rsvp.session_id)
        .join(Event, Event.id == Session.event_id)
        .where(Rsvp.id.in_(rsvp_ids), Rsvp.state.in_(SEATED), Session.cancelled_at.is_(None))
    )
    return {rsvp.id: Offer(rsvp, session, event) for rsvp, session, event in rows}


async def _astir(db: AsyncSession, now: datetime) -> Sequence[int]:
    """The sessions with an offer that lapsed, or with a free seat and somebody who wants it."""
    given = {"now": now, "soon": now + TOO_LATE}
    return (await db.scalars(_with_seats_to_move(), given)).all()


@cache
def _with_seats_to_move() -> Select[int]:
    """Building this statement costs as much as running it.

    Its states are written out: of a state that it can't see, PostgreSQL expects as many rows as of
    any, and reads all of them, each second.
    """
    now, soon = bindparam("now", type_=Instant()), bindparam("soon", type_=Instant())
    taken = aliased(Rsvp)
    holding = (
        select(func.coalesce(func.sum(1 + taken.guests), 0))
        .where(taken.session_id == Session.id, taken.state.in_(HOLDING))
        .correlate(Session)
        .scalar_subquery()
    )

    def somebody(state: Seat, *which: ColumnElement[bool]) -> ColumnElement[bool]:
        known = literal(state, Rsvp.state.type, literal_execute=True)
        return exists().where(Rsvp.session_id == Session.id, Rsvp.state == known, *which)

    capacity = func.coalesce(Session.capacity, Event.capacity)
    free = or_(capacity.is_(None), capacity > holding)
    lapsed = somebody(Seat.OFFERED, Rsvp.offered_until <= now)
    wanted = and_(somebody(Seat.WAITLISTED), free, Session.starts_at >= soon)
    return (
        select(Session.id)
        .join(Event, Event.id == Session.event_id)
        .where(Session.cancelled_at.is_(None), Session.ends_at > now, lapsed | wanted)
        .order_by(Session.id)
    )


async def _lapse(db: AsyncSession, session_ids: Sequence[int], now: datetime) -> None:
    await db.execute(
        update(Rsvp)
        .where(
            Rsvp.session_id.in_(session_ids),
            Rsvp.state == Seat.OFFERED,
            Rsvp.offered_until <= now,
        )
        .values(state=Seat.CANCELLED, since=now, offered_until=None, guests=0)
        .execution_options(synchronize_session="fetch")
    )


async def _heads(db: AsyncSession, session_ids: Sequence[int]) -> Sequence[Rsvp]:
    """Who stands first in each of these lines."""
    place = func.row_number().over(partition_by=Rsvp.session_id, order_by=(Rsvp.since, Rsvp.id))
    lines = (
        select(Rsvp.id, place.label("place"))
        .where(Rsvp.session_id.in_(session_ids), Rsvp.state == Seat.WAITLISTED)
        .subquery()
    )
    rows = await db.scalars(
        select(Rsvp)
        .join(lines, lines.c.id == Rsvp.id)
        .where(lines.c.place == 1)
        .execution_options(populate_existing=True)
    )
    return rows.all()
