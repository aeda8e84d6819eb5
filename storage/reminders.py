"""Reminders: whose session is near enough to be told.

A session has a moment for each lead (24 h, 1 h, 15 min before it starts). When that moment has
come, one statement posts the reminders of everybody who holds a seat and wants that lead: a wave.
A wave is posted once; a session that moves has new moments, hence new waves.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, cast, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage import outbox
from storage.members import LEADS
from storage.rsvps import HOLDING
from storage.tables import Fate, Instant, Lane, MemberLead, Outbox, Rsvp, Session, Wave

KIND = "reminder"


@dataclass(frozen=True, slots=True)
class Moment:
    """A session, a lead in minutes, and the instant at which they meet."""

    session: Session
    minutes: int

    @property
    def due(self) -> datetime:
        """When the reminder is promised."""
        return self.session.starts_at - timedelta(minutes=self.minutes)


async def post_due(db: AsyncSession, now: datetime) -> int:
    """Post every wave whose moment has come. Harmless when called again. Returns the letters."""
    posted = 0
    for moment in await _moments(db, now):
        posted += await _post(db, moment, now)
        db.add(Wave(session_id=moment.session.id, minutes=moment.minutes, due=moment.due))
    return posted


async def next_moment(db: AsyncSession, now: datetime) -> datetime | None:
    """When the next reminder will leave: one that waits already, or the next wave with a reader."""
    rows = await db.execute(
        select(Session.starts_at, MemberLead.minutes, func.min(Rsvp.since))
        .join(Rsvp, Rsvp.session_id == Session.id)
        .join(MemberLead, MemberLead.member_id == Rsvp.member_id)
        .where(Rsvp.state.in_(HOLDING), Session.cancelled_at.is_(None), Session.starts_at > now)
        .group_by(Session.starts_at, MemberLead.minutes)
    )
    moments = [
        due
        for starts_at, minutes, since in rows
        if (due := starts_at - timedelta(minutes=minutes)) > now and since <= due
    ]
    waiting = await outbox.next_due(db, Outbox.kind == KIND, Outbox.due > now)
    return min([*moments, *([waiting] if waiting else [])], default=None)


async def _moments(db: AsyncSession, now: datetime) -> list[Moment]:
    near = await db.scalars(
        select(Session).where(
            Session.starts_at > now,
            Session.starts_at <= now + timedelta(minutes=max(LEADS)),
            Session.cancelled_at.is_(None),
        )
    )
    moments = [Moment(session, lead) for session in near for lead in LEADS]
    due = [moment for moment in moments if moment.due <= now]
    if not due:
        return []
    waves = await db.execute(
        select(Wave.session_id, Wave.minutes, Wave.due).where(
            Wave.session_id.in_({moment.session.id for moment in due})
        )
    )
    posted = set(waves)
    return [m for m in due if (m.session.id, m.minutes, m.due) not in posted]


async def _post(db: AsyncSession, moment: Moment, now: datetime) -> int:
    session = moment.session
    # After a stop of some hours several leads are due at once: the nearest one speaks for all.
    nearer = [
        lead
        for lead in LEADS
        if lead < moment.minutes and session.starts_at - timedelta(minutes=lead) <= now
    ]
    other = aliased(MemberLead)
    overtaken = exists().where(other.member_id == Rsvp.member_id, other.minutes.in_(nearer))
    starts = int(session.starts_at.timestamp())
    key = f"{KIND}:{session.id}:{moment.minutes}:{starts}:"
    readers = (
        select(
            (literal(key) + cast(Rsvp.member_id, String)).label("key"),
            Rsvp.member_id,
            literal(KIND).label("kind"),
            literal(
                {"session": session.id, "minutes": moment.minutes, "starts": starts},
                Outbox.about.type,
            ).label("about"),
            literal(Lane.REMINDER).label("lane"),
            literal(moment.due, Instant()).label("due"),
            literal(session.starts_at, Instant()).label("expires"),
            literal(Fate.QUEUED, Outbox.state.type).label("state"),
            literal(0).label("attempts"),
            literal(0).label("doubts"),
        )
        .join(MemberLead, MemberLead.member_id == Rsvp.member_id)
        .where(
            Rsvp.session_id == session.id,
            Rsvp.state.in_(HOLDING),
            MemberLead.minutes == moment.minutes,
            # Whoever took the seat after this moment knows already.
            Rsvp.since <= moment.due,
            ~overtaken,
        )
    )
    columns = [column.name for column in readers.selected_columns]
    insert = outbox.insert_once(db).from_select(columns, readers).returning(Outbox.id)
    return len((await db.execute(insert)).all())
