"""Invitations: a one-time link that gives a role, and a post if one was chosen.

The code is kept as a hash only. Who followed a link once gets nothing from it again: a person who
was removed from the team doesn't come back with an old one.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage import audit
from storage.tables import Invitation, Member, Role

VALID = timedelta(days=7)
# A deep link's payload is at most 64 characters of A-Za-z0-9_- (Bot API, "Deep linking").
PREFIX = "invite-"


async def invite(
    db: AsyncSession,
    role: Role,
    now: datetime,
    *,
    by: Member | None = None,
    post_id: int | None = None,
) -> str:
    """Make an invitation and return the payload of its deep link, known to nobody else.

    `by` None: the operator, at the command line.
    """
    code = secrets.token_urlsafe(24)
    row = Invitation(
        code_hash=_digest(code),
        role=role,
        expires_at=now + VALID,
        made_by=by.id if by else None,
        made_at=now,
        post_id=post_id,
    )
    db.add(row)
    await db.flush()
    about = {"invitation": row.id, "role": role.value, "post": post_id}
    await audit.record(db, by, "invitation.made", now, about=about)
    return PREFIX + code


async def accept(db: AsyncSession, member: Member, payload: str, now: datetime) -> Role | None:
    """Give the member the role that was promised. None: unknown, used before, revoked or expired.

    Who follows the same link again is told what they are, while they are; a lesser role takes
    nothing away.
    """
    row = await db.scalar(
        select(Invitation)
        .where(Invitation.code_hash == _digest(payload.removeprefix(PREFIX)))
        .with_for_update()
    )
    if row is None or row.expires_at <= now or row.revoked_at is not None:
        return None
    ranks = list(Role)
    if row.used_at is not None:
        theirs = row.used_by == member.id and ranks.index(member.role) >= ranks.index(row.role)
        return row.role if theirs else None
    row.used_at, row.used_by = now, member.id
    if member.role == Role.MEMBER:
        member.team_since = now
    if member.role != Role.ADMIN:
        member.post_id = row.post_id or member.post_id
    member.role = max(member.role, row.role, key=ranks.index)
    about = {"invitation": row.id, "role": row.role.value, "post": row.post_id}
    await audit.record(db, member, "invitation.accepted", now, about=about, touched=[member.id])
    return row.role


async def open_ones(db: AsyncSession, now: datetime) -> Sequence[Invitation]:
    """Those that still wait for their reader, the newest first."""
    rows = await db.scalars(select(Invitation).where(*_open(now)).order_by(Invitation.id.desc()))
    return rows.all()


async def revoke(db: AsyncSession, actor: Member, invitation_id: int, now: datetime) -> bool:
    """Take an invitation back. False: it isn't open (any more)."""
    revoked = await db.execute(
        update(Invitation)
        .where(Invitation.id == invitation_id, *_open(now))
        .values(revoked_at=now)
        .returning(Invitation.id)
        .execution_options(synchronize_session=False)
    )
    if revoked.first() is None:
        return False
    about = {"invitation": invitation_id}
    await audit.record(db, actor, "invitation.revoked", now, about=about)
    return True


async def revoke_those_of(db: AsyncSession, member: Member, now: datetime) -> None:
    """Take back what this member handed out: they are no longer of the team."""
    await db.execute(
        update(Invitation)
        .where(Invitation.made_by == member.id, *_open(now))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )


def _open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Invitation.used_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > now,
    )


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
