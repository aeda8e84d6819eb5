"""Settlements: what becomes of an outbox row, decided without a database.

Each function takes the row as it was when its letter was started, and what the messenger made of
it; `storage/outbox.py` writes the answer down.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from storage.tables import Fate, Lane, Member

# Attempts are spent on servers that are down, until the letter expires; one that never does has
# failed after these, which last about a day.
MAX_ATTEMPTS = 12_000
# The first pause after a failed attempt, doubled each time up to the cap: ten seconds after a long
# outage everybody is in line again.
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=6)
# How often a chat may move before we no longer follow it: two could play ball with us.
MAX_MOVES = 12


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
    """The chat has a new address: go there at once, unless it has moved too often."""
    return _tried(row, "moved", now, now, MAX_MOVES)


def later(row: Due, reason: str, now: datetime, jitter: float) -> Settlement:
    """Spend an attempt: try again after a doubling pause, or fail when all are spent.

    `jitter` in 0..1 stretches the pause by up to a half, so that many rows don't return at once.
    """
    pause = min(FIRST_PAUSE * 2 ** min(row.attempts, 10), LONGEST_PAUSE)
    return _tried(row, reason, now + pause * (1 + jitter / 2), now)


def lost(row: Due, reason: str, now: datetime, *, resend: bool) -> Settlement:
    """The answer was lost after the request began: resend, or keep for a person to decide."""
    if resend:
        return _queued(row, row.due, reason=reason, doubts=row.doubts + 1)
    return _settled(row, Fate.UNKNOWN, now, reason=reason, doubts=row.doubts + 1)


def _tried(
    row: Due, reason: str, due: datetime, now: datetime, most: int | None = None
) -> Settlement:
    attempts = row.attempts + 1
    if attempts >= (MAX_ATTEMPTS if most is None else most):
        return _settled(row, Fate.FAILED, now, reason=reason, attempts=attempts)
    return _queued(row, due, reason=reason, attempts=attempts)


def _queued(row: Due, due: datetime, **changes: Any) -> Settlement:
    kept: dict[str, Any] = {"attempts": row.attempts, "doubts": row.doubts}
    return Settlement(row.id, Fate.QUEUED, due, **(kept | changes))


def _settled(row: Due, state: Fate, now: datetime, **changes: Any) -> Settlement:
    kept: dict[str, Any] = {"attempts": row.attempts, "doubts": row.doubts}
    return Settlement(row.id, state, row.due, settled_at=now, **(kept | changes))
