"""Reminders: whose session is near enough to be told.

A session has a moment for each lead (24 h, 1 h, 15 min before it starts). When that moment comes,
one statement posts the reminders of everybody who holds a seat and wants that lead: a wave. A
session that moves has new moments, hence new waves.

The last letter of a wave is to leave by its moment, so a large wave begins earlier: by as many
seconds as its letters need at the pace (a tenth of which is left to replies), and earlier still if
another wave needs the same minutes - the latest beginning by which every wave can keep its promise,
reckoned from the last wave backwards. A wave that begins early is completed at its moment, for
those who took their seat in between.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, String, and_, exists, func, literal, select, update
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage import outbox, plans
from storage.members import LEADS
from storage.rsvps import SEATED
from storage.tables import Event, Fate, Instant, Lane, MemberLead, Outbox, Rsvp, Session, Wave

KIND = "reminder"
# The part of the pace that waves reckon with: replies go first and take theirs.
SHARE = 0.9
# How long before its moment a wave may begin: 270,000 letters at the usual 28 a second. What is
# planned further ahead needn't be counted at each tick.
EARLIEST = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Moment:
    """A session, a lead in minutes, and the instant at which they meet."""

    session: Session
    minutes: int

    @property
    def due(self) -> datetime:
        """By when the reminder is promised."""
        return self.session.starts_at - timedelta(minutes=self.minutes)

    @property
    def key(self) -> tuple[int, int, datetime]:
        """What tells its wave from others."""
        return self.session.id, self.minutes, self.due


async def post_due(db: AsyncSession, now: datetime, pace: float) -> int:
    """Post every wave that has to begin, or be completed, at `pace` letters a second.

    Harmless when called again, or by two at once. Returns how many letters were posted.
    """
    posted = 0
    begun = await _waves(db, moments := await _moments(db, now))
    open_ = [m for m in moments if not begun.get(m.key)]
    ahead = [m for m in open_ if m.due > now and m.key not in begun]
    beginning = await _beginning(db, ahead, now, pace) if ahead else []
    for moment in [m for m in open_ if m.due <= now] + beginning:
        if await _claim(db, moment, now):
            posted += await _post(db, moment, now)
    return posted


async def next_moment(db: AsyncSession, now: datetime) -> datetime | None:
    """When the next reminder will leave: one that waits already, or the next wave with a reader."""
    rows = await db.execute(
        select(Session.starts_at, MemberLead.minutes, func.min(Rsvp.since))
        .join(Rsvp, Rsvp.session_id == Session.id)
        .join(MemberLead, MemberLead.member_id == Rsvp.member_id)
        .where(Rsvp.state.in_(SEATED), Session.cancelled_at.is_(None), Session.starts_at > now)
        .group_by(Session.starts_at, MemberLead.minutes)
    )
    moments = [
        due
        for starts_at, minutes, since in rows
        if (due := starts_at - timedelta(minutes=minutes)) > now and since <= due
    ]
    waiting = await outbox.next_due(db, Outbox.kind == KIND, Outbox.due > now)
    return min([*moments, *([waiting] if waiting else [])], default=None)


async def wanted_still(
    db: AsyncSession, asked: Collection[tuple[int, int, int]]
) -> dict[tuple[int, int, int], tuple[Session, Event]]:
    """Of (session, member, lead in minutes): those where the member still has a seat in a session
    that takes place, and still wants that reminder.
    """
    rows = await db.execute(
        select(Session, Event, Rsvp.member_id, MemberLead.minutes)
        .join(Event, Event.id == Session.event_id)
        .join(Rsvp, Rsvp.session_id == Session.id)
        .join(MemberLead, MemberLead.member_id == Rsvp.member_id)
        .where(
            Session.id.in_({session_id for session_id, _, _ in asked}),
            Session.cancelled_at.is_(None),
            Rsvp.member_id.in_({member_id for _, member_id, _ in asked}),
            Rsvp.state.in_(SEATED),
            MemberLead.minutes.in_({minutes for _, _, minutes in asked}),
        )
    )
    return {
        (session.id, member_id, minutes): (session, event)
        for session, event, member_id, minutes in rows
    }


async def _moments(db: AsyncSession, now: datetime) -> list[Moment]:
    """The moments that are due or may have to begin, soonest first."""
    near = await db.execute(
        select(Session, plans.silent_until())
        .where(
            Session.starts_at > now,
            Session.starts_at <= now + timedelta(minutes=max(LEADS)) + EARLIEST,
            Session.cancelled_at.is_(None),
        )
        .order_by(Session.id)
    )
    # Whoever was told a change of plan after a moment knows when the session begins.
    moments = [
        Moment(session, lead)
        for session, silent in near
        for lead in LEADS
        if silent is None or session.starts_at - timedelta(minutes=lead) > silent
    ]
    return sorted((m for m in moments if m.due <= now + EARLIEST), key=lambda m: m.due)


async def _waves(
    db: AsyncSession, moments: Collection[Moment]
) -> dict[tuple[int, int, datetime], bool]:
    """The waves that have begun, and whether each is complete."""
    if not moments:
        return {}
    waves = await db.execute(
        select(Wave.session_id, Wave.minutes, Wave.due, Wave.complete).where(
            Wave.session_id.in_({moment.session.id for moment in moments})
        )
    )
    return {(session_id, minutes, due): complete for session_id, minutes, due, complete in waves}


async def _beginning(
    db: AsyncSession, ahead: Collection[Moment], now: datetime, pace: float
) -> list[Moment]:
    """Of the moments ahead: those whose wave has to begin by now."""
    rows = await db.execute(
        select(Rsvp.session_id, MemberLead.minutes, func.count())
        .join(MemberLead, MemberLead.member_id == Rsvp.member_id)
        .where(Rsvp.session_id.in_({m.session.id for m in ahead}), Rsvp.state.in_(SEATED))
        .group_by(Rsvp.session_id, MemberLead.minutes)
    )
    sizes = {(session_id, minutes): size for session_id, minutes, size in rows}
    beginning, free_until, letter = [], now + EARLIEST, timedelta(seconds=1 / (pace * SHARE))
    for moment in sorted(ahead, key=lambda m: m.due, reverse=True):
        if size := sizes.get((moment.session.id, moment.minutes), 0):
            # The last letter leaves when its wave's time ends, not a letter's time earlier.
            ends = min(moment.due, free_until)
            if ends - letter * (size - 1) <= now:
                beginning.append(moment)
            free_until = ends - letter * size
    return beginning[::-1]


async def _claim(db: AsyncSession, moment: Moment, now: datetime) -> bool:
    """Write down that this wave begins or is completed. False: somebody else did that."""
    session_id, minutes, due = moment.key
    dialect = postgresql if db.get_bind().dialect.name == "postgresql" else sqlite
    wave = dialect.insert(Wave).values(
        session_id=session_id, minutes=minutes, due=due, complete=due <= now
    )
    begun = wave.on_conflict_do_nothing(index_elements=["session_id", "minutes", "due"])
    if (await db.execute(begun.returning(Wave.session_id))).first() is not None:
        return True
    this = and_(Wave.session_id == session_id, Wave.minutes == minutes, Wave.due == due)
    completed = await db.execute(
        update(Wave)
        .where(this, ~Wave.complete, Wave.due <= now)
        .values(complete=True)
        .returning(Wave.session_id)
        .execution_options(synchronize_session=False)
    )
    return completed.first() is not None


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
            (literal(key) + sql_cast(Rsvp.member_id, String)).label("key"),
            Rsvp.member_id,
            literal(KIND).label("kind"),
            literal(
                {"session": session.id, "minutes": moment.minutes, "starts": starts},
                Outbox.about.type,
            ).label("about"),
            literal(Lane.REMINDER).label("lane"),
            literal(min(moment.due, now), Instant()).label("due"),
            literal(session.starts_at, Instant()).label("expires"),
            literal(Fate.QUEUED, Outbox.state.type).label("state"),
            literal(0).label("attempts"),
            literal(0).label("doubts"),
        )
        .join(MemberLead, MemberLead.member_id == Rsvp.member_id)
        .where(
            Rsvp.session_id == session.id,
            Rsvp.state.in_(SEATED),
            MemberLead.minutes == moment.minutes,
            # Whoever took the seat after this moment knows already.
            Rsvp.since <= moment.due,
            ~overtaken,
        )
    )
    columns = [column.name for column in readers.selected_columns]
    insert = outbox.insert_once(db).from_select(columns, readers)
    result = cast("CursorResult[Any]", await db.execute(insert))
    return result.rowcount
