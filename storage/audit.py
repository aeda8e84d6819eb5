"""The audit: who of the team did what, when, to how many. Appended to, and chained by hashes.

Each row's hash covers the row and the hash before it, so that whoever changes, removes or inserts
one must make all that follow anew; `verify` (`jisr audit verify`) finds where the chain breaks.
"""

import hashlib
import json
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import Audit, Member

# The key of PostgreSQL's advisory lock while a row is appended: any constant of our own ("audt").
_LOCK = 0x61756474
# What stands before the first row.
BEGINNING = "0" * 64


async def record(
    db: AsyncSession,
    actor: Member | None,
    action: str,
    now: datetime,
    *,
    about: dict[str, Any] | None = None,
    people: int | None = None,
    touched: Collection[int] | None = None,
) -> Audit:
    """Append what somebody of the team did; None: the operator, at the command line.

    `about` holds ids, numbers and words of our own, never what a person wrote. `touched` are the ids
    of the members whose data was seen or changed, if that can be told one by one.
    """
    if db.get_bind().dialect.name == "postgresql":
        # One at a time until the end of the transaction, or two rows would follow the same one.
        await db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    last = await db.scalar(select(Audit.hash).order_by(Audit.id.desc()).limit(1))
    row = Audit(
        at=now,
        actor_id=actor.id if actor else None,
        action=action,
        about=about or {},
        people=len(touched) if people is None and touched is not None else people,
        touched=sorted(touched) if touched is not None else None,
        previous=last or BEGINNING,
    )
    row.hash = digest(row)
    db.add(row)
    await db.flush()
    return row


def digest(row: Audit) -> str:
    """The hash that this row should have: SHA-256 of its canonical JSON."""
    told = [
        row.previous,
        row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        row.actor_id,
        row.action,
        row.about,
        row.people,
        row.touched,
    ]
    canonical = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
