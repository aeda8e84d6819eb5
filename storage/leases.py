"""Leases: an office that one process holds at a time, e.g. the engine that sends and ticks.

Time here is the time of day of the machines, never the simulated one. It only decides how soon a
silent holder is replaced: should the clocks of two machines disagree, the office may move once
without need, but never has two holders, because `holds` is asked of the row itself.
"""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func, or_, select, update
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


async def holds(db: AsyncSession, name: str, holder: str) -> bool:
    """Whether the office is still this holder's, asked inside the transaction that acts.

    The row is locked, so nobody can take it before that transaction ends. Should the process be
    stopped in the middle of it, PostgreSQL ends the transaction before the lease is over: a holder
    that sleeps must not keep its successor waiting.
    """
    asked = _asked(on_postgresql=db.get_bind().dialect.name == "postgresql")
    row = (await db.execute(asked, {"name": name})).first()
    return row is not None and row[0] == holder


@cache
def _asked(*, on_postgresql: bool) -> Any:
    """Building this statement costs as much as running it, and it is asked with each batch."""
    asked = select(Lease.holder).where(Lease.name == bindparam("name")).with_for_update(read=True)
    if not on_postgresql:
        return asked
    patience = int(LEASE / timedelta(milliseconds=1) * 2 / 3)
    return asked.add_columns(
        func.set_config("idle_in_transaction_session_timeout", str(patience), True)
    )


async def term(db: AsyncSession, name: str) -> tuple[str, datetime] | None:
    """Who holds the office, or held it last, and until when; None: nobody ever did."""
    row = (await db.execute(select(Lease.holder, Lease.until).where(Lease.name == name))).first()
    return row and (row[0], row[1])


async def release(db: AsyncSession, name: str, holder: str, now: datetime) -> None:
    """Leave the office, so that a successor needn't wait."""
    await db.execute(
        update(Lease)
        .where(Lease.name == name, Lease.holder == holder)
        .values(until=now - timedelta(seconds=1))
        .execution_options(synchronize_session=False)
    )
