"""Invitations: a one-time link that gives a role. The code is kept as a hash only."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import Invitation, Member, Role

VALID = timedelta(days=7)
# A deep link's payload is at most 64 characters of A-Za-z0-9_- (Bot API, "Deep linking").
PREFIX = "invite-"


def invite(db: AsyncSession, role: Role, now: datetime) -> str:
    """Make an invitation and return the payload of its deep link, known to nobody else."""
    code = secrets.token_urlsafe(24)
    db.add(Invitation(code_hash=_digest(code), role=role, expires_at=now + VALID))
    return PREFIX + code


async def accept(db: AsyncSession, member: Member, payload: str, now: datetime) -> Role | None:
    """Give the member the role that was promised. None: unknown, used before or expired.

    Whoever follows the same link again keeps the role; a lesser one takes nothing away.
    """
    row = await db.scalar(
        select(Invitation)
        .where(Invitation.code_hash == _digest(payload.removeprefix(PREFIX)))
        .with_for_update()
    )
    if row is None or row.expires_at <= now or row.used_by not in (None, member.id):
        return None
    row.used_at, row.used_by = row.used_at or now, member.id
    ranks = list(Role)
    member.role = max(member.role, row.role, key=ranks.index)
    return row.role


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
