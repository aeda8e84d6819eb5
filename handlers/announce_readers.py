"""Who will read an announcement: the audience told in words, and counted as it is now."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from handlers import audience_words
from handlers.audience_words import counted
from handlers.words import Html, Words
from storage import audience_names, group_chats, readers
from storage.announcements import Texts
from storage.tables import Announcement


async def told(db: AsyncSession, words: Words, rule: Mapping[str, Any] | None) -> Html:
    """To whom it goes, in words."""
    if rule is None:
        return words("👥 To whom it goes is not chosen yet.")
    if rule == {"everyone": True}:
        return words("👥 To everyone")
    names = await audience_names.names_in(db, rule)
    return Html(f"👥 {audience_words.told(rule, words, names)}")


async def lines(
    db: AsyncSession, words: Words, announcement: Announcement, texts: Texts
) -> Sequence[Html]:
    """To whom it goes, and how many they are."""
    said = [await to_whom(db, words, announcement)]
    if announcement.rule is not None:
        said += counted(words, await readers.of(db, announcement, texts))
    return said


async def to_whom(db: AsyncSession, words: Words, announcement: Announcement) -> Html:
    """To whom it goes, in words: people, and the groups where it is posted besides."""
    said = await told(db, words, announcement.rule)
    if announcement.corrects_id is not None:
        correction = words("✏️ It corrects an earlier announcement.")
        said = Html(f"{correction}\n{said}")
    chosen = {one.group_id for one in await group_chats.postings(db, announcement.id)}
    if chosen:
        titles = [one.title for one in await group_chats.open_to_us(db) if one.id in chosen]
        groups = words("📢 Posted besides in: {groups}", groups=words.listed(titles))
        said = Html(f"{said}\n{groups}")
    return said
