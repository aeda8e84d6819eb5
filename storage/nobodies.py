"""Nobodies: to whom belongs what must still be counted of people who are no longer known.

How many sat in a session, came in, gave how many stars is told for years; who they were isn't. A
nobody is a blank row of `member`: its id is negative and drawn by chance, its birth is the day of the
event, so that nothing in it leads to a person or to another nobody. There is one for each person and
event, no fewer, for an event counts each person once, and no more.

What of a row would tell of its person is rounded off: when they took the seat or gave the stars, the
sentence they added, the code of their ticket.
"""

import secrets
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, time

from sqlalchemy import BindParameter, Update, and_, bindparam, insert, null, select, union, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import Event, Member, Rating, Role, Rsvp, Session, Ticket, WalkIn
from storage.tickets import new_code

# A member's id fits 31 bits on PostgreSQL.
_IDS = 2**31 - 1


async def events_of(db: AsyncSession, member_id: int) -> Sequence[int]:
    """The events at which this member left anything that is counted."""
    rows = await db.scalars(
        union(
            select(Session.event_id)
            .join(Rsvp, Rsvp.session_id == Session.id)
            .where(Rsvp.member_id == member_id),
            select(Session.event_id)
            .join(Rating, Rating.session_id == Session.id)
            .where(Rating.member_id == member_id),
            select(Ticket.event_id).where(Ticket.member_id == member_id),
            select(WalkIn.event_id).where(WalkIn.member_id == member_id),
        )
    )
    return sorted(rows)


async def belongs_to_nobody(db: AsyncSession, left: Collection[tuple[int, int]]) -> None:
    """What these members left at these events, as (member id, event id), is nobody's from now on."""
    if not left:
        return
    await db.flush()
    events = {event for _, event in left}
    days = await db.execute(select(Event.id, Event.starts).where(Event.id.in_(events)))
    starts = {row.id: row.starts for row in days}
    drawn = await _draw(db, len(left))
    given = [
        {"of": member, "at_event": event, "nobody": nobody}
        for (member, event), nobody in zip(left, drawn, strict=True)
    ]
    connection = await db.connection()
    await connection.execute(
        insert(Member),
        [
            {
                "id": one["nobody"],
                "created_at": datetime.combine(starts[one["at_event"]], time(), UTC),
                "role": Role.MEMBER,
            }
            for one in given
        ],
    )
    for move in _moves():
        await connection.execute(move, given)
    tickets = await db.scalars(select(Ticket.id).where(Ticket.member_id.in_(drawn)))
    codes = [{"ticket": id_, "fresh": new_code()} for id_ in tickets]
    if codes:
        # Who kept the picture of a ticket could be told by its code.
        fresh = update(Ticket).where(Ticket.id == bindparam("ticket"))
        await connection.execute(fresh.values(code=bindparam("fresh")), codes)


def _moves() -> tuple[Update, ...]:
    here = Session.event_id == bindparam("at_event")
    sessions = select(Session.id).where(here)
    nobody: BindParameter[int] = bindparam("nobody")
    of: BindParameter[int] = bindparam("of")
    began = select(Session.starts_at).where(Session.id == Rsvp.session_id).scalar_subquery()
    ended = select(Session.ends_at).where(Session.id == Rating.session_id).scalar_subquery()
    return (
        update(Rsvp)
        .where(Rsvp.member_id == of, Rsvp.session_id.in_(sessions))
        .values(
            member_id=nobody, since=began, offered_until=null(), reassured_at=null(), late_at=null()
        ),
        update(Rating)
        .where(Rating.member_id == of, Rating.session_id.in_(sessions))
        .values(member_id=nobody, sentence=null(), at=ended),
        update(Ticket)
        .where(and_(Ticket.member_id == of, Ticket.event_id == bindparam("at_event")))
        .values(member_id=nobody),
        update(WalkIn)
        .where(and_(WalkIn.member_id == of, WalkIn.event_id == bindparam("at_event")))
        .values(member_id=nobody),
    )


async def _draw(db: AsyncSession, number: int) -> list[int]:
    """So many ids that nobody has."""
    drawn: set[int] = set()
    while len(drawn) < number:
        more = {-1 - secrets.randbelow(_IDS) for _ in range(number - len(drawn))}
        taken = await db.scalars(select(Member.id).where(Member.id.in_(more)))
        drawn |= more - set(taken)
    # A set has an order of its own; chance has none.
    return secrets.SystemRandom().sample(sorted(drawn), number)
