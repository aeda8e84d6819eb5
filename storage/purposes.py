"""Purposes: what a member agrees to, each by itself. Delivery asks again at the moment of sending.

`consent` tells the history and is only appended to; `agreement` is its sum, for quick checks.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, Select, bindparam, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.batches import padded
from storage.settlements import Due
from storage.tables import Agreement, Consent, Member, Purpose


async def agreed_to(db: AsyncSession, member: Member) -> frozenset[Purpose]:
    """What the member agrees to now."""
    rows = await db.scalars(select(Agreement.purpose).where(Agreement.member_id == member.id))
    return frozenset(rows)


async def agree(
    db: AsyncSession,
    member: Member,
    purposes: Iterable[Purpose],
    now: datetime,
    *,
    version: str,
    channel: str,
) -> None:
    """The member agrees to these, having read this version of the notice, in their language."""
    for purpose in purposes:
        known = await db.get(Agreement, (member.id, purpose))
        if known is None:
            db.add(Agreement(member_id=member.id, purpose=purpose, version=version, since=now))
        elif known.version == version:
            continue
        else:
            known.version, known.since = version, now
        _append(db, member, purpose, now, given=True, version=version, channel=channel)


async def withdraw(
    db: AsyncSession,
    member: Member,
    purposes: Iterable[Purpose],
    now: datetime,
    *,
    version: str,
    channel: str,
) -> list[Purpose]:
    """The member agrees to these no longer. Returns what they had agreed to until now."""
    ended = sorted(await agreed_to(db, member) & set(purposes))
    if ended:
        await db.execute(
            delete(Agreement).where(Agreement.member_id == member.id, Agreement.purpose.in_(ended))
        )
    for purpose in ended:
        _append(db, member, purpose, now, given=False, version=version, channel=channel)
    return ended


async def withdrawn(db: AsyncSession, member: Member) -> frozenset[Purpose]:
    """What the member agreed to once, and no longer does."""
    ever = select(Consent.purpose).where(Consent.member_id == member.id, Consent.given)
    once = {Purpose(purpose) for purpose in await db.scalars(ever.distinct())}
    return frozenset(once) - await agreed_to(db, member)


def agrees(purpose: Purpose) -> ColumnElement[bool]:
    """The condition, in a statement about members, that they agree to this."""
    return exists().where(Agreement.member_id == Member.id, Agreement.purpose == purpose)


async def willing(db: AsyncSession, rows: Sequence[Due], purpose: Purpose | None) -> list[Due]:
    """Those letters whose readers agree to this; to no purpose at all everybody does.

    On PostgreSQL the agreements are held until the end of the transaction, so that whoever withdraws
    one meanwhile is answered after these letters have left, and never before; one that is being
    withdrawn just now counts as withdrawn. (SQLite has one writer at a time.)
    """
    if purpose is None:
        return list(rows)
    given = {"readers": padded([row.member.id for row in rows]), "purpose": purpose}
    agreed = set(await db.scalars(_agreed(), given))
    return [row for row in rows if row.member.id in agreed]


@cache
def _agreed() -> Select[int]:
    """Building this statement costs as much as running it."""
    readers = Agreement.member_id.in_(bindparam("readers", expanding=True))
    return (
        select(Agreement.member_id)
        .where(readers, Agreement.purpose == bindparam("purpose"))
        # Only a deletion collides with this lock, and we never wait for one.
        .with_for_update(read=True, key_share=True, skip_locked=True)
    )


def _append(
    db: AsyncSession,
    member: Member,
    purpose: Purpose,
    now: datetime,
    *,
    given: bool,
    version: str,
    channel: str,
) -> None:
    db.add(
        Consent(
            member_id=member.id,
            purpose=purpose.value,
            given=given,
            version=version,
            language=member.language or "",
            channel=channel,
            at=now,
        )
    )
