"""Restoring: what an older state must not do again once it is put back.

Between a backup and its return, letters have left that the backup doesn't know of. So all that was
due before the return is held (`unknown`, "restored") until a person releases it; what would be
posted late is posted now, to be held with the rest; and announcements on their way are paused. Who
said STOP in between has said it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage import members, plans, purposes, ratings, reminders
from storage.tables import (
    Address,
    Announcement,
    Consent,
    Fate,
    Lease,
    Member,
    Outbox,
    Purpose,
    Stage,
)

REASON = "restored"


@dataclass(frozen=True, slots=True)
class Held:
    """How many letters wait for a release, and how many announcements are paused."""

    letters: int = 0
    announcements: int = 0


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Somebody agrees to a purpose no longer: known by their address, as ids say nothing of it."""

    channel: str
    address: str
    purpose: str
    version: str


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


async def withdrawn_since(db: AsyncSession, moment: datetime) -> list[Withdrawal]:
    """What people agreed to no longer from `moment` on; who came back to it is not among them."""
    rows = await db.execute(
        select(Address.channel, Address.address, Consent.purpose, Consent.given, Consent.version)
        .join(Address, Address.member_id == Consent.member_id)
        .where(Consent.at >= moment)
        .order_by(Consent.id)
    )
    last = {
        (channel, address, purpose): (given, Withdrawal(channel, address, purpose, version))
        for channel, address, purpose, given, version in rows
    }
    return [withdrawal for given, withdrawal in last.values() if not given]


async def withdraw_again(
    db: AsyncSession, withdrawals: Collection[Withdrawal], now: datetime
) -> int:
    """Whoever said STOP since the backup is not written to because of it. Returns how many did."""
    again = set()
    for one in withdrawals:
        known = await members.address_on(db, one.channel, one.address)
        member = None if known is None else await db.get(Member, known.member_id)
        if member is not None:
            purpose = Purpose(one.purpose)
            told = {"version": one.version, "channel": one.channel}
            await purposes.withdraw(db, member, [purpose], now, **told)
            again.add(member.id)
    return len(again)


def _on_its_way(now: datetime) -> ColumnElement[bool]:
    """Being sent, or perhaps begun since: nowhere on earth is it later than 14 hours after UTC."""
    latest = (now.astimezone(UTC) + timedelta(hours=14)).strftime("%Y-%m-%dT%H:%M")
    begun = or_(Announcement.local_time.is_(None), Announcement.local_time <= latest)
    return or_(Announcement.stage == Stage.SENDING, and_(Announcement.stage == Stage.READY, begun))
