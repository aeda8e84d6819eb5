"""Openings: who followed an announcement's link, once for each recipient.

Where a link leads is read from the announcement itself, so nobody can be led anywhere else.
"""

from datetime import datetime

from sqlalchemy import case, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import Announcement, AnnouncementText, Recipient


async def target(db: AsyncSession, announcement_id: int, member_id: int) -> tuple[str, bool] | None:
    """Where the link leads this member, and whether they have yet to be counted; None: nowhere.

    It leads on also when they were forgotten since: in the language that stands in for others.
    """
    mine = (
        select(Recipient.language, Recipient.opened_at)
        .where(Recipient.announcement_id == announcement_id, Recipient.member_id == member_id)
        .limit(1)
    )
    recipient = (await db.execute(mine)).first()
    theirs = recipient.language if recipient else None
    url = await db.scalar(
        select(AnnouncementText.link_url)
        .join(Announcement, Announcement.id == AnnouncementText.announcement_id)
        .where(Announcement.id == announcement_id, AnnouncementText.link_url.is_not(None))
        .order_by(
            case(
                (AnnouncementText.language == theirs, 0),
                (AnnouncementText.language == Announcement.fallback, 1),
                else_=2,
            ),
            AnnouncementText.language,
        )
        .limit(1)
    )
    if url is None:
        return None
    return url, recipient is not None and recipient.opened_at is None


async def count(db: AsyncSession, announcement_id: int, member_id: int, now: datetime) -> None:
    """The member has opened the link: the first time is kept."""
    await db.execute(
        update(Recipient)
        .where(
            Recipient.announcement_id == announcement_id,
            Recipient.member_id == member_id,
            Recipient.opened_at.is_(None),
        )
        .values(opened_at=now)
    )
