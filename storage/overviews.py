"""Overviews: what staff see of events and sessions, cancelled ones included."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.rsvps import SEATED
from storage.tables import Event, Rsvp, Seat, Session


@dataclass(frozen=True, slots=True)
class Counts:
    """How many seats, guests included, are taken and offered, and how many members wait.

    `answers` counts everybody who ever answered, also those who gave up.
    """

    seated: int = 0
    offered: int = 0
    waiting: int = 0
    answers: int = 0


async def all_events(db: AsyncSession) -> Sequence[Event]:
    """Every event, the latest first."""
    return (await db.scalars(select(Event).order_by(Event.starts.desc(), Event.id.desc()))).all()


async def of_event(db: AsyncSession, event: Event) -> tuple[int, Counts]:
    """How many sessions take place, and the seats in all of them together."""
    standing = select(func.count()).where(
        Session.event_id == event.id, Session.cancelled_at.is_(None)
    )
    counts = await _counts(db, Session.event_id == event.id, Session.cancelled_at.is_(None))
    return await db.scalar(standing) or 0, _sum(counts.values())


async def of_session(db: AsyncSession, session_id: int) -> tuple[Session, Event, Counts] | None:
    """A session with its seats; None if it is gone."""
    found = (
        await db.execute(
            select(Session, Event)
            .join(Event, Event.id == Session.event_id)
            .where(Session.id == session_id)
        )
    ).first()
    if found is None:
        return None
    counts = await _counts(db, Session.id == session_id)
    return found[0], found[1], counts.get(session_id, Counts())


async def days_of(db: AsyncSession, event: Event) -> list[date]:
    """The days, in the event's zone, on which anything is or was planned."""
    zone = ZoneInfo(event.timezone)
    starts = await db.scalars(select(Session.starts_at).where(Session.event_id == event.id))
    return sorted({instant.astimezone(zone).date() for instant in starts})


async def sessions_of_day(
    db: AsyncSession, event: Event, day: date
) -> list[tuple[Session, Counts]]:
    """One day in the event's zone, in the order of the programme."""
    begins = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(event.timezone))
    here = (
        Session.event_id == event.id,
        Session.starts_at >= begins,
        Session.starts_at < begins + timedelta(days=1),
    )
    rows = await db.scalars(select(Session).where(*here).order_by(Session.starts_at, Session.id))
    counts = await _counts(db, *here)
    return [(session, counts.get(session.id, Counts())) for session in rows]


async def rooms_of(db: AsyncSession, event_id: int) -> list[tuple[int, dict[str, str]]]:
    """The rooms of an event, each with the id of a session that is held there."""
    rows = await db.execute(
        select(Session.id, Session.room).where(Session.event_id == event_id).order_by(Session.id)
    )
    rooms: dict[str, tuple[int, dict[str, str]]] = {}
    for session_id, room in rows:
        if room:
            rooms.setdefault(next(iter(room.values())), (session_id, room))
    return list(rooms.values())


async def _counts(db: AsyncSession, *which: ColumnElement[bool]) -> dict[int, Counts]:
    rows = await db.execute(
        select(Rsvp.session_id, Rsvp.state, func.count(), func.sum(1 + Rsvp.guests))
        .join(Session, Session.id == Rsvp.session_id)
        .where(*which)
        .group_by(Rsvp.session_id, Rsvp.state)
    )
    counts: dict[int, Counts] = {}
    for session_id, state, members, seats in rows:
        one = Counts(
            seated=int(seats) if state in SEATED else 0,
            offered=int(seats) if state == Seat.OFFERED else 0,
            waiting=members if state == Seat.WAITLISTED else 0,
            answers=members,
        )
        counts[session_id] = _sum((counts.get(session_id, Counts()), one))
    return counts


def _sum(several: Iterable[Counts]) -> Counts:
    total = list(several)
    return Counts(
        sum(one.seated for one in total),
        sum(one.offered for one in total),
        sum(one.waiting for one in total),
        sum(one.answers for one in total),
    )
