"""Moments: when the reminders of a session come.

Each lead has the moment that lies so many minutes before the session, and earlier ones for those
in whose quiet hours that would be.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import plans, quiet
from storage.members import LEADS
from storage.tables import Event, Session

# How long before its moment a wave may begin: 270,000 letters at the usual 28 a second. What is
# planned further ahead needn't be counted at each tick.
EARLIEST = timedelta(hours=3)
# How late the wave of an evening may still go. What missed it comes at the lead itself.
LATE_EVENING = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """A session, a lead in minutes, and the instant at which its reminders are promised.

    `evening` is for whom the lead comes the evening before; None: this is the lead itself.
    """

    session: Session
    event: Event
    minutes: int
    due: datetime
    evening: frozenset[str] | None = None

    @property
    def key(self) -> tuple[int, int, datetime]:
        """What tells its wave from others."""
        return self.session.id, self.minutes, self.due


async def near(db: AsyncSession, now: datetime) -> list[tuple[Session, Event, datetime | None]]:
    """The sessions with a moment that is due or may have to begin, their events, and until when
    a change of plan speaks for their reminders.
    """
    rows = await db.execute(
        select(Session, Event, plans.silent_until())
        .join(Event, Event.id == Session.event_id)
        .where(
            Session.starts_at > now,
            Session.starts_at <= now + timedelta(minutes=max(LEADS)) + quiet.MOST + EARLIEST,
            Session.cancelled_at.is_(None),
        )
        .order_by(Session.id)
    )
    return [(session, event, silent) for session, event, silent in rows]


def moments(
    sessions: Collection[tuple[Session, Event, datetime | None]],
    rhythms: tuple[str, ...],
    now: datetime,
) -> list[Moment]:
    """The moments that are due or may have to begin, soonest first."""
    found, last = [], now + EARLIEST
    for session, event, silent in sessions:
        for minutes in LEADS:
            due = session.starts_at - timedelta(minutes=minutes)
            # Whoever was told a change of plan after a moment knows when the session begins.
            known = silent is not None and due <= silent
            if due <= last and not known:
                found.append(Moment(session, event, minutes, due))
            if now < due <= last + quiet.MOST:
                found += [
                    Moment(session, event, minutes, evening, those)
                    for evening, those in evenings(rhythms, session, event, minutes).items()
                    if now - LATE_EVENING <= evening <= last
                    and (silent is None or evening > silent)
                ]
    return sorted(found, key=lambda m: m.due)


def evenings(
    rhythms: tuple[str, ...], session: Session, event: Event, minutes: int
) -> Mapping[datetime, frozenset[str]]:
    """The earlier moments of a lead, and for which of these rhythms each is."""
    due = session.starts_at - timedelta(minutes=minutes)
    on_site = not session.online and minutes <= quiet.ON_SITE
    return quiet.evenings(rhythms, due, event.timezone, on_site=on_site)
