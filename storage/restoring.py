"""Restoring: what an older state must not do again once it is put back.

Between a backup and its return, letters have left that the backup doesn't know of. So all that was
due before the return is held (`unknown`, "restored") until a person releases it; what would be
posted late is posted now, to be held with the rest; and announcements on their way are paused.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, or_, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage import plans, ratings, reminders
from storage.tables import Announcement, Fate, Lease, Outbox, Stage

REASON = "restored"


@dataclass(frozen=True, slots=True)
class Held:
    """How many letters wait for a release, and how many announcements are paused."""

    letters: int = 0
    announcements: int = 0


async def hold(db: AsyncSession, now: datetime, pace: float) -> Held:
    """Hold what was due before `now`, in a database that nobody uses yet."""
    # What the clock has posted since the backup it would post again, as soon as it ticks.
    await plans.tell(db, now)
    await reminders.post_due(db, now, pace)
    await ratings.post_due(db, now)
    paused = await db.scalars(
        update(Announcement)
        .where(_on_its_way(now))
        .values(stage=Stage.PAUSED, started_at=func.coalesce(Announcement.started_at, now))
        .returning(Announcement.id)
        .execution_options(synchronize_session=False)
    )
    # Who has the office was true then; and whoever was sending may have sent.
    await db.execute(delete(Lease))
    held = await db.scalars(
        update(Outbox)
        .where(
            or_(
                Outbox.state == Fate.STARTED,
                and_(Outbox.state == Fate.QUEUED, Outbox.due <= now),
            )
        )
        .values(state=Fate.UNKNOWN, reason=REASON, settled_at=now)
        .returning(Outbox.id)
        .execution_options(synchronize_session=False)
    )
    return Held(len(held.all()), len(paused.all()))


def _on_its_way(now: datetime) -> ColumnElement[bool]:
    """Being sent, or perhaps begun since: nowhere on earth is it later than 14 hours after UTC."""
    latest = (now.astimezone(UTC) + timedelta(hours=14)).strftime("%Y-%m-%dT%H:%M")
    begun = or_(Announcement.local_time.is_(None), Announcement.local_time <= latest)
    return or_(Announcement.stage == Stage.SENDING, and_(Announcement.stage == Stage.READY, begun))
