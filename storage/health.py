"""How the bot is: each look is one statement, for whoever asks every few seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, literal, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import Audit, Fate, Lane, Lease, Member, Outbox, Update

# What the audit calls a backup, and its return.
BACKUP, RESTORED = "backup.taken", "backup.restored"


@dataclass(frozen=True, slots=True)
class Health:
    """Until when an engine holds its office, and since when the oldest letter waits."""

    engine_until: datetime | None
    oldest_due: datetime | None


async def look(db: AsyncSession, office: str) -> Health:
    """Ask the database."""
    until = select(Lease.until).where(Lease.name == office).scalar_subquery()
    oldest = select(func.min(Outbox.due)).where(Outbox.state == Fate.QUEUED).scalar_subquery()
    row = (await db.execute(select(until.label("until"), oldest.label("oldest")))).one()
    return Health(*row)


@dataclass(frozen=True, slots=True)
class Census:
    """How many rows the outbox has, by lane and state (none: not there), and since when the oldest
    of each lane is due (perhaps not yet); until when an engine holds its office.
    """

    engine_until: datetime | None
    rows: Mapping[tuple[Lane, Fate], int]
    oldest_due: Mapping[Lane, datetime]

    def of(self, state: Fate) -> int:
        """How many rows are in this state, in all lanes."""
        return sum(number for (_, fate), number in self.rows.items() if fate == state)


async def count(db: AsyncSession, office: str) -> Census:
    """Count the whole outbox: one walk along an index, so ask a few times a minute at most."""
    until = select(Lease.until).where(Lease.name == office).scalar_subquery()
    one = select(literal(1).label("one")).subquery()
    tally = (
        select(
            Outbox.lane,
            Outbox.state,
            func.count().label("rows"),
            func.min(Outbox.due).label("oldest"),
        )
        .group_by(Outbox.state, Outbox.lane)
        .subquery()
    )
    found = await db.execute(
        select(until.label("until"), tally.c.lane, tally.c.state, tally.c.rows, tally.c.oldest)
        # An empty outbox has an engine all the same.
        .select_from(one.outerjoin(tally, true()))
    )
    engine_until: datetime | None = None
    rows: dict[tuple[Lane, Fate], int] = {}
    oldest_due: dict[Lane, datetime] = {}
    for engine_until, lane, state, number, oldest in found:  # noqa: B007 - the same in each row
        if lane is not None:
            rows[Lane(lane), state] = number
            if state == Fate.QUEUED:
                oldest_due[Lane(lane)] = oldest
    return Census(engine_until, rows, oldest_due)


async def parked_since(db: AsyncSession, moment: datetime) -> int:
    """How many updates could not be answered, and were given up, since then."""
    parked = select(func.count()).where(Update.at >= moment, Update.parked)
    return await db.scalar(parked) or 0


async def last_backup(db: AsyncSession) -> datetime | None:
    """When everything was last in a backup; None: never."""
    actions = (BACKUP, RESTORED)
    return await db.scalar(select(func.max(Audit.at)).where(Audit.action.in_(actions)))


async def anybody(db: AsyncSession) -> bool:
    """Whether anybody has registered: then there is something to lose."""
    found = select(Member.id).where(Member.registered_at.is_not(None)).limit(1)
    return await db.scalar(found) is not None
