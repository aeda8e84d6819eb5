"""The waitlist: a freed seat is offered to the head of the line, who has some time to answer.

However a seat became free - given back, an offer that lapsed, a larger room, a corrected agenda - it
is found by the same look at the sessions that have both a free seat and a line. Silence or "no"
passes it on. Each session is dealt with under its lock, so two looks at once offer no seat twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage import outbox
from storage.rsvps import HOLDING, lock
from storage.tables import Event, Lane, Member, Rsvp, Seat, Session

KIND = "offer"
# The time to answer an offer, and the part of what is left before the session that it may take.
TO_ANSWER, SHARE = timedelta(hours=2), 0.5
# Nearer to its start than this a session offers no seats: nobody could make it.
TOO_LATE = timedelta(minutes=5)


def answer_by(now: datetime, starts_at: datetime) -> datetime:
    """Until when an offer of now stands: shorter near the session, never past its start."""
    return now + min(TO_ANSWER, (starts_at - now) * SHARE)


async def tend(db: AsyncSession, now: datetime) -> int:
    """End the offers that nobody answered, and offer the free seats. Returns how many offers."""
    offers = 0
    for session_id in await _astir(db, now):
        found = await lock(db, session_id)
        if found is None:
            continue
        session, event = found
        await _lapse(db, session, now)
        for _ in range(await _free(db, session, event)):
            head = await _head(db, session)
            if head is None or session.starts_at - now < TOO_LATE:
                break
            head.state, head.since = Seat.OFFERED, now
            head.offered_until = answer_by(now, session.starts_at)
            outbox.post(
                db,
                key=f"{KIND}:{head.id}:{int(now.timestamp() * 1000)}",
                member_id=head.member_id,
                kind=KIND,
                about={"rsvp": head.id, "until": int(head.offered_until.timestamp())},
                due=now,
                expires=head.offered_until,
                lane=Lane.PERSONAL,
            )
            await db.flush()
            offers += 1
    return offers


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


async def _astir(db: AsyncSession, now: datetime) -> Sequence[int]:
    """The sessions with an offer that lapsed, or with a free seat and somebody who wants it."""
    taken = aliased(Rsvp)
    holding = (
        select(func.count())
        .select_from(taken)
        .where(taken.session_id == Session.id, taken.state.in_(HOLDING))
        .correlate(Session)
        .scalar_subquery()
    )
    wanted = exists().where(Rsvp.session_id == Session.id, Rsvp.state == Seat.WAITLISTED)
    lapsed = exists().where(
        Rsvp.session_id == Session.id, Rsvp.state == Seat.OFFERED, Rsvp.offered_until <= now
    )
    free = func.coalesce(Session.capacity, Event.capacity) > holding
    rows = await db.scalars(
        select(Session.id)
        .join(Event, Event.id == Session.event_id)
        .where(
            Session.cancelled_at.is_(None),
            Session.ends_at > now,
            lapsed | and_(wanted, free, Session.starts_at >= now + TOO_LATE),
        )
        .order_by(Session.id)
    )
    return rows.all()


async def _lapse(db: AsyncSession, session: Session, now: datetime) -> None:
    await db.execute(
        update(Rsvp)
        .where(
            Rsvp.session_id == session.id,
            Rsvp.state == Seat.OFFERED,
            Rsvp.offered_until <= now,
        )
        .values(state=Seat.CANCELLED, since=now, offered_until=None)
        .execution_options(synchronize_session="fetch")
    )


async def _free(db: AsyncSession, session: Session, event: Event) -> int:
    capacity = session.capacity if session.capacity is not None else event.capacity
    taken = select(func.count()).where(Rsvp.session_id == session.id, Rsvp.state.in_(HOLDING))
    return max(0, (capacity or 0) - (await db.scalar(taken) or 0))


async def _head(db: AsyncSession, session: Session) -> Rsvp | None:
    return await db.scalar(
        select(Rsvp)
        .where(Rsvp.session_id == session.id, Rsvp.state == Seat.WAITLISTED)
        .order_by(Rsvp.since, Rsvp.id)
        .limit(1)
    )
