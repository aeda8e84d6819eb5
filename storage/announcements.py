"""Announcements, from the first word until they are ready to leave.

    draft --> awaiting --> ready --> sending ...        (`storage/sendings.py` tells the rest)
     ^  |        |           ^ |
     |  '--------|-----------' |   few recipients: no second person is asked
     '-----------'-------------'   sent back, edited, or taken back before it left

A draft lives in the database from its first word: no restart loses it, and one person may have
several. Only its author writes it. Whatever is changed after it was submitted makes it a draft
again, so that nobody approves what they have not read.

Above a number of recipients a second member of the team approves it: somebody who reaches all of
its audience, and never its author. Rows are locked before they are judged, so of two who tap at
once one wins, and an announcement that has begun to leave is nobody's to edit.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import outbox
from storage.tables import Announcement, AnnouncementText, Lane, Member, Outbox, Role, Stage

TEST = "announcement_test"

# Until it has begun to leave.
UNSENT = (Stage.DRAFT, Stage.AWAITING, Stage.READY)
# For so many days those who join the audience later may receive it too.
JOINER_DAYS = (0, 7, 30)
# How many are remembered in a list.
_LISTED = 50

Texts = Mapping[str, AnnouncementText]


# --- finding --------------------------------------------------------------------------------


async def by_id(db: AsyncSession, announcement_id: int) -> Announcement | None:
    """This announcement, as it is now."""
    return await db.get(Announcement, announcement_id, populate_existing=True)


async def texts_of(db: AsyncSession, announcement_id: int) -> Texts:
    """Its texts, by their languages, in the order of the languages' codes."""
    rows = await db.scalars(
        select(AnnouncementText)
        .where(AnnouncementText.announcement_id == announcement_id)
        .order_by(AnnouncementText.language)
    )
    return {row.language: row for row in rows}


async def listed(
    db: AsyncSession, member: Member
) -> Sequence[tuple[Announcement, AnnouncementText | None]]:
    """The member's own, drafts first, then what others of the team sent: each with a text."""
    others: ColumnElement[bool] = Announcement.stage != Stage.DRAFT
    if not _sees_all(member):
        others &= Announcement.post_id == member.post_id
    rows = await db.scalars(
        select(Announcement)
        .where(or_(Announcement.author_id == member.id, others))
        .order_by(Announcement.stage != Stage.DRAFT, Announcement.id.desc())
        .limit(_LISTED)
    )
    found = rows.all()
    texts: dict[int, dict[str, AnnouncementText]] = {}
    for text in await db.scalars(
        select(AnnouncementText).where(AnnouncementText.announcement_id.in_([a.id for a in found]))
    ):
        texts.setdefault(text.announcement_id, {})[text.language] = text
    return [(one, read_by(one, texts.get(one.id, {}), member.language or "")) for one in found]


def may_see(announcement: Announcement, member: Member) -> bool:
    """Whether a member of the team may look at it: a draft is its author's alone."""
    if announcement.author_id == member.id:
        return True
    theirs = announcement.post_id is not None and announcement.post_id == member.post_id
    return announcement.stage != Stage.DRAFT and (theirs or _sees_all(member))


def _sees_all(member: Member) -> bool:
    return member.role == Role.ADMIN or member.everywhere or member.post_id is None


def read_by(announcement: Announcement, texts: Texts, language: str) -> AnnouncementText | None:
    """The text that readers of this language read; None: they are left out."""
    return texts.get(language) or texts.get(announcement.fallback or "")


# --- writing --------------------------------------------------------------------------------


async def draft(db: AsyncSession, author: Member, language: str, now: datetime) -> Announcement:
    """Begin an announcement. Its first language stands in for those that are missing."""
    made = Announcement(
        author_id=author.id,
        post_id=author.post_id,
        stage=Stage.DRAFT,
        fallback=language,
        created_at=now,
        edited_at=now,
    )
    db.add(made)
    await db.flush()
    return made


async def editable(db: AsyncSession, author: Member, announcement_id: int) -> Announcement | None:
    """The author's own, locked, for as long as it has not begun to leave."""
    found = await db.get(
        Announcement, announcement_id, with_for_update=True, populate_existing=True
    )
    if found is None or found.author_id != author.id or found.stage not in UNSENT:
        return None
    return found


async def change(
    db: AsyncSession, announcement: Announcement, now: datetime, **values: Any
) -> bool:
    """Change a locked announcement. True: it was submitted, and is a draft again."""
    submitted = announcement.stage != Stage.DRAFT
    for name, value in values.items():
        setattr(announcement, name, value)
    announcement.stage = Stage.DRAFT
    announcement.edited_at = now
    announcement.approver_id = announcement.approved_at = None
    if submitted:
        announcement.comment = None
    await db.flush()
    return submitted


async def write(
    db: AsyncSession, announcement: Announcement, language: str, now: datetime, **values: Any
) -> AnnouncementText:
    """Write or replace (a part of) the text of one language."""
    key = (announcement.id, language)
    text = await db.get(AnnouncementText, key)
    first = not await texts_of(db, announcement.id)
    if text is None:
        text = AnnouncementText(announcement_id=announcement.id, language=language, text="")
        db.add(text)
    for name, value in values.items():
        setattr(text, name, value)
    await change(db, announcement, now, fallback=language if first else announcement.fallback)
    return text


async def remove(
    db: AsyncSession, announcement: Announcement, language: str, now: datetime
) -> None:
    """Take one language out. If it stood in for others, another one does."""
    text = await db.get(AnnouncementText, (announcement.id, language))
    if text is not None:
        await db.delete(text)
        await db.flush()
    left = await texts_of(db, announcement.id)
    fallback = announcement.fallback
    if fallback == language:
        fallback = next(iter(left), language)
    await change(db, announcement, now, fallback=fallback)


async def discard(db: AsyncSession, announcement: Announcement) -> None:
    """Throw a locked announcement away, texts and all."""
    await db.delete(announcement)
    await db.flush()


# --- leaving --------------------------------------------------------------------------------


class Missing(StrEnum):
    """What an announcement lacks before anybody can be asked to send it."""

    TEXT = "text"
    AUDIENCE = "audience"
    LABEL = "label"


def missing(announcement: Announcement, texts: Texts) -> list[Missing]:
    """What is still to be said, in the order in which it is asked."""
    lacks = []
    if not texts:
        lacks.append(Missing.TEXT)
    if announcement.rule is None:
        lacks.append(Missing.AUDIENCE)
    if any(text.link_url and not text.link_label for text in texts.values()):
        lacks.append(Missing.LABEL)
    return lacks


async def post_test(
    db: AsyncSession,
    announcement: Announcement,
    member: Member,
    languages: Sequence[str],
    now: datetime,
) -> None:
    """Send it to one person alone, in each of these languages: the real letters."""
    moment = int(now.timestamp() * 1000)
    for language in languages:
        key = f"{TEST}:{announcement.id}:{language}:{moment}"
        if await db.scalar(select(Outbox.id).where(Outbox.key == key)) is None:
            outbox.post(
                db,
                key=key,
                member_id=member.id,
                kind=TEST,
                about={"announcement": announcement.id, "language": language},
                due=now,
                lane=Lane.PERSONAL,
            )
