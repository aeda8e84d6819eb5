"""Settlements: what becomes of an outbox row, decided without a database.

Each function takes the row as it was when its letter was started, and what the messenger made of
it; `storage/outbox.py` writes the answer down.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from storage.tables import Fate, Lane, Member

# Attempts are spent on servers that are down; after these a row has failed.
MAX_ATTEMPTS = 12
# The first pause after a failed attempt, doubled each time up to the cap.
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Due:
    """A row whose time has come, with its reader, and where they are reached (None: nowhere)."""

    id: int
    kind: str
    about: dict[str, Any]
    lane: Lane
    due: datetime
    expires: datetime | None
    attempts: int
    doubts: int
    member: Member
    channel: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a row."""

    id: int
    state: Fate
    due: datetime
    attempts: int
    doubts: int
    reason: str | None = None
    provider_id: str | None = None
    settled_at: datetime | None = None


def sent(row: Due, provider_id: str, now: datetime) -> Settlement:
    """The messenger accepted it."""
    return _settled(row, Fate.SENT, now, provider_id=provider_id)


def void(row: Due, reason: str, now: datetime) -> Settlement:
    """This letter is no longer true or wanted: it is never sent."""
    return _settled(row, Fate.VOID, now, reason=reason)


def fail(row: Due, reason: str, now: datetime) -> Settlement:
    """This letter can't be delivered."""
    return _settled(row, Fate.FAILED, now, reason=reason)


def wait(row: Due) -> Settlement:
    """Nothing left, and nothing was wrong with it: in its old place in line again."""
    return _queued(row, row.due)


def moved(row: Due, now: datetime) -> Settlement:
    """The chat has a new address: go there at once. An attempt, or two chats could play ball."""
    return _tried(row, "moved", now, now)


def later(row: Due, reason: str, now: datetime, jitter: float) -> Settlement:
    """Spend an attempt: try again after a doubling pause, or fail when all are spent.

    `jitter` in 0..1 stretches the pause by up to a half, so that many rows don't return at once.
    """
    pause = min(FIRST_PAUSE * 2**row.attempts, LONGEST_PAUSE)
    return _tried(row, reason, now + pause * (1 + jitter / 2), now)


def lost(row: Due, reason: str, now: datetime, *, resend: bool) -> Settlement:
    """The answer was lost after the request began: resend, or keep for a person to decide."""
    if resend:
        return _queued(row, row.due, reason=reason, doubts=row.doubts + 1)
    return _settled(row, Fate.UNKNOWN, now, reason=reason, doubts=row.doubts + 1)


def _tried(row: Due, reason: str, due: datetime, now: datetime) -> Settlement:
    attempts = row.attempts + 1
    if attempts >= MAX_ATTEMPTS:
        return _settled(row, Fate.FAILED, now, reason=reason, attempts=attempts)
    return _queued(row, due, reason=reason, attempts=attempts)


def _queued(row: Due, due: datetime, **changes: Any) -> Settlement:
    kept: dict[str, Any] = {"attempts": row.attempts, "doubts": row.doubts}
    return Settlement(row.id, Fate.QUEUED, due, **(kept | changes))


def _settled(row: Due, state: Fate, now: datetime, **changes: Any) -> Settlement:
    kept: dict[str, Any] = {"attempts": row.attempts, "doubts": row.doubts}
    return Settlement(row.id, state, row.due, settled_at=now, **(kept | changes))
