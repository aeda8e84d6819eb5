"""Figures of an event: for each session its seats, who took them, who came, and what they thought."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import audit, outbox
from storage.rsvps import SEATED
from storage.tables import Event, Lane, Member, Rating, Rsvp, Seat, Session, WalkIn

KIND = "figures"


@dataclass(frozen=True, slots=True)
class Figures:
    """A session in figures. `seats` is None where they aren't counted; guests are people too.

    `attended` counts those checked in at the session's own door, with or without a seat; `average`
    is that of the stars, None without ratings.
    """

    session: Session
    seats: int | None
    taken: int
    attended: int
    average: float | None


async def post(db: AsyncSession, staff: Member, event_id: int, now: datetime) -> None:
    """Let the picture of an event be sent. Taps in the same second ask for one."""
    await db.execute(
        outbox.insert_once(db).values(
            key=f"{KIND}:{event_id}:{staff.id}:{int(now.timestamp())}",
            member_id=staff.id,
            kind=KIND,
            about={"event": event_id},
            lane=Lane.PERSONAL,
            due=now,
            expires=now + timedelta(hours=1),
        )
    )
    await audit.record(db, staff, "figures.drawn", now, about={"event": event_id})


async def of_event(db: AsyncSession, event: Event) -> Sequence[Figures]:
    """The sessions of an event that take place, in the order of the programme."""
    here = Session.event_id == event.id
    people = 1 + Rsvp.guests
    came = case((Rsvp.state == Seat.CHECKED_IN, people), else_=0)
    seats = await _by_session(
        db,
        select(Rsvp.session_id, func.sum(people), func.sum(came))
        .join(Session, Session.id == Rsvp.session_id)
        .where(here, Rsvp.state.in_(SEATED))
        .group_by(Rsvp.session_id),
    )
    walk_ins = await _by_session(
        db,
        select(WalkIn.session_id, func.count())
        .where(WalkIn.event_id == event.id, WalkIn.session_id.is_not(None))
        .group_by(WalkIn.session_id),
    )
    averages = await _by_session(
        db,
        select(Rating.session_id, func.avg(Rating.stars))
        .join(Session, Session.id == Rating.session_id)
        .where(here)
        .group_by(Rating.session_id),
    )
    sessions = await db.scalars(
        select(Session)
        .where(here, Session.cancelled_at.is_(None))
        .order_by(Session.starts_at, Session.id)
    )
    found = []
    for session in sessions:
        taken, attended = seats[session.id][1:] if session.id in seats else (0, 0)
        walked_in = walk_ins[session.id][1] if session.id in walk_ins else 0
        average = float(averages[session.id][1]) if session.id in averages else None
        capacity = session.capacity if session.capacity is not None else event.capacity
        found.append(Figures(session, capacity, taken, attended + walked_in, average))
    return found


async def _by_session(db: AsyncSession, query: Any) -> dict[int, Any]:
    return {row[0]: row for row in await db.execute(query)}
