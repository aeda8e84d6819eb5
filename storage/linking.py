"""Linking: a second account of the same person, by a one-time code, and back again.

Whoever shows the code from one account in another speaks as the same member from both. Only an account
without a profile of its own can be linked: two members with seats are never merged behind their back.
A code has 96 random bits and stands for ten minutes, so it can't be guessed; its hash alone is kept.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import conversations, members, outbox
from storage.tables import Address, Lane, LinkCode, Member

KIND = "linked"
PREFIX = "link-"
VALID = timedelta(minutes=10)


class Linked(StrEnum):
    """What showing a code came to."""

    LINKED = "linked"
    # Unknown, used before, or older than ten minutes.
    STALE = "stale"
    # Shown in the account that it came from, or in one that is linked already.
    SAME = "same"
    # This account is registered in its own name.
    TAKEN = "taken"


async def new_code(db: AsyncSession, member: Member, now: datetime) -> str:
    """A code for another account of this member, in place of any that stood; told once."""
    code = PREFIX + secrets.token_urlsafe(12)
    await db.execute(delete(LinkCode).where(LinkCode.member_id == member.id))
    db.add(LinkCode(member_id=member.id, digest=_digest(code), expires_at=now + VALID))
    await db.flush()
    return code


async def link(
    db: AsyncSession, shown_by: Member, at: tuple[str, str], code: str, now: datetime
) -> Linked:
    """The account `at` this channel and address shows a code. LINKED: from its next word on it is the other's."""
    found = await db.scalar(
        select(LinkCode).where(LinkCode.digest == _digest(code)).with_for_update()
    )
    if found is None or found.expires_at <= now:
        return Linked.STALE
    if found.member_id == shown_by.id:
        return Linked.SAME
    if shown_by.registered_at is not None:
        return Linked.TAKEN
    row = await members.address_on(db, *at)
    if row is None:
        return Linked.STALE
    row.member_id, row.since, row.unreachable_at = found.member_id, now, None
    await db.delete(found)
    await conversations.free(db, *at)
    outbox.post(
        db,
        key=f"{KIND}:{row.id}:{int(now.timestamp() * 1000)}",
        member_id=found.member_id,
        kind=KIND,
        about={},
        due=now,
        expires=now + timedelta(days=1),
        lane=Lane.PERSONAL,
    )
    await db.flush()
    return Linked.LINKED


async def accounts(db: AsyncSession, member: Member) -> Sequence[Address]:
    """The accounts of a member, the first one first: letters go to the first that works."""
    rows = await db.scalars(
        select(Address).where(Address.member_id == member.id).order_by(Address.id)
    )
    return rows.all()


async def unlink(
    db: AsyncSession, member: Member, channel: str, address: str, now: datetime, *, others: bool
) -> bool:
    """Let this account, or all others of the member, be a stranger's again.

    False: there is no other, or this one is not theirs.
    """
    # Two accounts that leave at once would leave nobody.
    await db.scalar(select(Member.id).where(Member.id == member.id).with_for_update())
    mine = await accounts(db, member)
    here = [one for one in mine if (one.channel, one.address) == (channel, address)]
    if not here or len(mine) == 1:
        return False
    for row in [one for one in mine if one not in here] if others else here:
        stranger = members.stranger(now)
        stranger.language = member.language
        db.add(stranger)
        await db.flush()
        row.member_id, row.since = stranger.id, now
        await conversations.free(db, row.channel, row.address)
    await db.flush()
    return True


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
