"""Room: how many people have seats in a session and in its whole event, and how many are left.

A party is a member with their guests; each of them takes a seat. A session without a capacity of its
own has room for the whole event. An event with a capacity counts each member once, with the most
guests that they bring anywhere: whoever has a seat in it takes no further place in it.

Locks, so that nobody counts while another takes (on SQLite a transaction that writes is alone
anyway): first the events with a capacity, then sessions, each in the order of their ids. Every rule
keeps to that order, so no two ever wait for each other. Who gives a seat back needs no event: less
is never too much.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import Event, Rsvp, Seat, Session

# The states in which a member takes up one of a session's seats, and in which it is theirs.
HOLDING = (Seat.CONFIRMED, Seat.OFFERED, Seat.CHECKED_IN)
SEATED = (Seat.CONFIRMED, Seat.CHECKED_IN)


def capacity_of(session: Session, event: Event) -> int | None:
    """How many seats a session has; None: as many as are wanted."""
    return session.capacity if session.capacity is not None else event.capacity


@dataclass(frozen=True, slots=True)
class Tally:
    """A session's seats, counted in people. `capacity` is None where seats aren't limited."""

    capacity: int | None
    taken: int
    waiting: int

    @property
    def over(self) -> int:
        """How many people more have seats than there are: nobody is sent away when staff shrink
        a session.
        """
        return 0 if self.capacity is None else max(0, self.taken - self.capacity)


async def tally(db: AsyncSession, session_id: int) -> Tally | None:
    """Count a session's seats. None: there is no such session."""
    found = (
        await db.execute(
            select(Session, Event)
            .join(Event, Event.id == Session.event_id)
            .where(Session.id == session_id)
        )
    ).first()
    if found is None:
        return None
    held = case((Rsvp.state.in_(HOLDING), 1 + Rsvp.guests), else_=0)
    waits = case((Rsvp.state == Seat.WAITLISTED, 1 + Rsvp.guests), else_=0)
    taken, waiting = (
        await db.execute(
            select(func.coalesce(func.sum(held), 0), func.coalesce(func.sum(waits), 0)).where(
                Rsvp.session_id == session_id
            )
        )
    ).one()
    return Tally(capacity_of(*found), taken, waiting)


async def resize(db: AsyncSession, session_id: int, capacity: int | None) -> Tally | None:
    """Give a session another number of seats. None: there is no such session.

    More seats go to the line at the next look at it. Fewer send nobody away: the session is over-full
    until so many have given their seats back, and gives no new ones.
    """
    if capacity is not None and capacity < 0:
        raise ValueError("a session has no fewer than no seats")
    await lock_events(db, [session_id])
    found = await lock_all(db, [session_id])
    if not found:
        return None
    found[0][0].capacity = capacity
    await db.flush()
    return await tally(db, session_id)


@dataclass(frozen=True, slots=True)
class People:
    """Who has seats in an event: how many people in all, and of which one member's party is."""

    all: int
    mine: int

    def more(self, party: int) -> int:
        """How many places in the event this member's party would take beyond those it has."""
        return max(0, party - self.mine)


async def people(db: AsyncSession, event_ids: Collection[int], member_id: int) -> dict[int, People]:
    """Who has seats in each of these events."""
    rows = await db.execute(_people(), {"events": sorted(event_ids), "member": member_id})
    found = {event_id: People(everybody, mine) for event_id, everybody, mine in rows}
    return {event_id: found.get(event_id, People(0, 0)) for event_id in event_ids}


async def fits(db: AsyncSession, event: Event, member_id: int, party: int) -> bool:
    """Whether the event has places for this member's party. The event must be locked."""
    if event.capacity is None:
        return True
    found = (await people(db, [event.id], member_id))[event.id]
    more = found.more(party)
    return more == 0 or found.all + more <= event.capacity


# --- locks ----------------------------------------------------------------------------------


async def lock_events(db: AsyncSession, session_ids: Collection[int]) -> None:
    """Let nobody else take places in these sessions' events, where those are counted.

    To be called before any session is locked.
    """
    if db.get_bind().dialect.name == "postgresql":
        await db.execute(_events(), {"sessions": sorted(session_ids)})


async def lock_all(
    db: AsyncSession, session_ids: Collection[int]
) -> Sequence[tuple[Session, Event]]:
    """Let nobody else change who sits in these sessions, and read them as they are then."""
    rows = await db.execute(_sessions(), {"sessions": sorted(session_ids)})
    return [(session, event) for session, event in rows]


# Building these statements costs as much as running them: each is built once.


@cache
def _events() -> Select[Any]:
    theirs = select(Session.event_id).where(Session.id.in_(bindparam("sessions", expanding=True)))
    return (
        select(Event.id)
        .where(Event.id.in_(theirs), Event.capacity.is_not(None))
        .order_by(Event.id)
        # Rows that refer to the event may be added meanwhile: tickets, sessions.
        .with_for_update(key_share=True)
    )


@cache
def _sessions() -> Select[Any, Any]:
    return (
        select(Session, Event)
        .join(Event, Event.id == Session.event_id)
        .where(Session.id.in_(bindparam("sessions", expanding=True)))
        .order_by(Session.id)
        .with_for_update(of=Session)
        .execution_options(populate_existing=True)
    )


@cache
def _people() -> Select[Any, Any, Any]:
    parties = (
        select(Session.event_id, Rsvp.member_id, func.max(1 + Rsvp.guests).label("party"))
        .join(Session, Session.id == Rsvp.session_id)
        .where(
            Session.event_id.in_(bindparam("events", expanding=True)),
            Session.cancelled_at.is_(None),
            Rsvp.state.in_(HOLDING),
        )
        .group_by(Session.event_id, Rsvp.member_id)
        .subquery()
    )
    mine = case((parties.c.member_id == bindparam("member"), parties.c.party), else_=0)
    return select(parties.c.event_id, func.sum(parties.c.party), func.max(mine)).group_by(
        parties.c.event_id
    )
