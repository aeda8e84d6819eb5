"""Presence: who was, or is, in a session, as far as anybody knows.

Where a door was kept, those who were let in, there or at the entrance of the event; else all who had
a seat.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.rsvps import SEATED
from storage.tables import Member, Rsvp, Seat, Session, Ticket, WalkIn


async def door_kept(db: AsyncSession, session: Session) -> bool:
    """Whether anybody was let in, at the session's door or at the event's entrance."""
    at_all = or_(
        exists().where(Rsvp.session_id == session.id, Rsvp.state == Seat.CHECKED_IN),
        exists().where(WalkIn.event_id == session.event_id, _here(WalkIn.session_id, session)),
        exists().where(
            Ticket.event_id == session.event_id,
            Ticket.session_id.is_(None),
            Ticket.used_at <= session.ends_at,
        ),
    )
    return bool(await db.scalar(select(at_all)))


def was_there(session: Session, *, door_kept: bool) -> ColumnElement[bool]:
    """Of a query over members: whether they were in this session, as far as anybody knows."""
    seat = and_(Rsvp.session_id == session.id, Rsvp.member_id == Member.id)
    seated = exists().where(seat, Rsvp.state.in_(SEATED))
    if not door_kept:
        return seated
    entered = exists().where(
        Ticket.member_id == Member.id,
        Ticket.event_id == session.event_id,
        Ticket.session_id.is_(None),
        Ticket.used_at <= session.ends_at,
    )
    walked_in = WalkIn.member_id == Member.id
    came = exists().where(
        walked_in, WalkIn.event_id == session.event_id, WalkIn.session_id.is_(None)
    )
    return or_(
        exists().where(seat, Rsvp.state == Seat.CHECKED_IN),
        exists().where(walked_in, WalkIn.session_id == session.id),
        and_(seated, or_(entered, came)),
    )


def _here(column: Any, session: Session) -> ColumnElement[bool]:
    return or_(column == session.id, column.is_(None))
