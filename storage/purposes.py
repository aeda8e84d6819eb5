"""Purposes: what a member agrees to, each by itself. Delivery asks again at the moment of sending.

`consent` tells the history and is only appended to; `agreement` is its sum, for quick checks.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

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
) -> None:
    """The member agrees to these no longer. What they never agreed to is passed over."""
    for purpose in sorted(await agreed_to(db, member) & set(purposes)):
        gone = (Agreement.member_id == member.id, Agreement.purpose == purpose)
        await db.execute(delete(Agreement).where(*gone))
        _append(db, member, purpose, now, given=False, version=version, channel=channel)


def agrees(purpose: Purpose) -> ColumnElement[bool]:
    """The condition, in a statement about members, that they agree to this."""
    return exists().where(Agreement.member_id == Member.id, Agreement.purpose == purpose)


async def willing(db: AsyncSession, rows: Sequence[Due], purpose: Purpose | None) -> list[Due]:
    """Those letters whose readers agree to this; to no purpose at all everybody does."""
    if purpose is None:
        return list(rows)
    readers = Agreement.member_id.in_({row.member.id for row in rows})
    agreed = set(
        await db.scalars(select(Agreement.member_id).where(readers, Agreement.purpose == purpose))
    )
    return [row for row in rows if row.member.id in agreed]


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
