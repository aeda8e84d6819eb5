"""Answers: what those who received an announcement tapped under it.

An announcement may carry up to four answers. Whoever received it may answer, and change the answer
for as long as the message is there: also after it was stopped, for a question that has reached
somebody is still a question. Nobody else can: an answer is a column of the recipient's own row.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import Announcement, Member, Recipient

# The answers of one announcement.
MOST = 4


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it stands now. `changed`: another one, or none, stood there before."""

    announcement: Announcement
    chosen: int
    changed: bool


async def give(
    db: AsyncSession, member: Member, announcement_id: int, chosen: int, now: datetime
) -> Given | None:
    """Keep what the member tapped; None: they never received it, or it has no such answer."""
    announcement = await db.get(Announcement, announcement_id)
    if announcement is None or not 0 <= chosen < len(announcement.answers or ()):
        return None
    recipient = await db.scalar(
        select(Recipient)
        .where(Recipient.announcement_id == announcement_id, Recipient.member_id == member.id)
        .with_for_update()
    )
    if recipient is None:
        return None
    changed = recipient.answer != chosen
    if changed:
        recipient.answer, recipient.answered_at = chosen, now
    return Given(announcement, chosen, changed)


async def counts(db: AsyncSession, announcement: Announcement) -> list[int]:
    """How many gave each of its answers, in their order."""
    rows = await db.execute(
        select(Recipient.answer, func.count())
        .where(Recipient.announcement_id == announcement.id, Recipient.answer.is_not(None))
        .group_by(Recipient.answer)
    )
    given: dict[int | None, int] = dict(rows.all())
    return [given.get(number, 0) for number in range(len(announcement.answers or ()))]
