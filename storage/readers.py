"""Who will read an announcement: its audience, counted with the words that there are.

The audience is what staff tapped together, within the area of its author.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from storage import audience_counts, team
from storage.announcements import Texts
from storage.audience_counts import Count
from storage.tables import Announcement, Member

# A count has changed markedly that differs by more than this part of it, and by more than so many.
_PART, _FEW = 0.05, 5


async def of(db: AsyncSession, announcement: Announcement, texts: Texts) -> Count:
    """Count those who are meant; nobody is while no audience is chosen."""
    if announcement.rule is None:
        return Count({})
    author = await db.get(Member, announcement.author_id) if announcement.author_id else None
    return await audience_counts.count(
        db,
        announcement.rule,
        purpose=announcement.purpose,
        within=await team.area(db, author) if author else team.NOBODY,
        languages=set(texts),
        fallback=announcement.fallback,
    )


def changed(before: int, after: int) -> bool:
    """Whether a count has changed so much that whoever saw it should look again."""
    return abs(after - before) > max(_FEW, _PART * before)
