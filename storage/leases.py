"""Leases: an office that one process holds at a time, e.g. the engine that sends and ticks.

Time here is the time of day of the machines, never the simulated one.
"""

from datetime import datetime, timedelta

from sqlalchemy import or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import Lease

# A dead holder is replaced within this time; a living one renews every third of it.
LEASE = timedelta(seconds=12)


async def hold(db: AsyncSession, name: str, holder: str, now: datetime) -> bool:
    """Take, keep or win the office. False: somebody else holds it."""
    dialect = postgresql if db.get_bind().dialect.name == "postgresql" else sqlite
    await db.execute(
        dialect.insert(Lease)
        .values(name=name, holder=holder, until=now + LEASE)
        .on_conflict_do_nothing(index_elements=["name"])
    )
    won = await db.execute(
        update(Lease)
        .where(Lease.name == name, or_(Lease.holder == holder, Lease.until < now))
        .values(holder=holder, until=now + LEASE)
        .returning(Lease.name)
        .execution_options(synchronize_session=False)
    )
    return won.first() is not None


async def holds(db: AsyncSession, name: str, holder: str, now: datetime) -> bool:
    """Whether this process still holds the office, asked inside the transaction that acts."""
    lease = await db.get(Lease, name, with_for_update={"read": True})
    return lease is not None and lease.holder == holder and lease.until >= now


async def release(db: AsyncSession, name: str, holder: str, now: datetime) -> None:
    """Leave the office, so that a successor needn't wait."""
    await db.execute(
        update(Lease)
        .where(Lease.name == name, Lease.holder == holder)
        .values(until=now - timedelta(seconds=1))
        .execution_options(synchronize_session=False)
    )
