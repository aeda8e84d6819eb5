"""Who will read an announcement: the audience told in words, and counted as it is now."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from handlers.words import AUTONYMS, Html, Words
from storage import group_chats, readers
from storage.announcements import Texts
from storage.audience_counts import Count
from storage.tables import Announcement


async def told(db: AsyncSession, words: Words, rule: Mapping[str, Any] | None) -> Html:
    """To whom it goes, in words."""
    del db
    if rule is None:
        return words("👥 To whom it goes is not chosen yet.")
    return words("👥 To everyone")


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


def counted(words: Words, found: Count) -> Sequence[Html]:
    """How many will read it, by language and channel, and who of those who are meant will not."""
    said = [words.plural("<b>{n} person</b> gets it", "<b>{n} people</b> get it", found.people)]
    if found.people:
        languages = [
            words("{language}: {n}", language=AUTONYMS.get(code, code), n=number)
            for code, number in found.by_language().items()
        ]
        channels = [
            words("{channel}: {n}", channel=channel.capitalize(), n=number)
            for channel, number in found.by_channel().items()
        ]
        said += [Html(" · ".join(languages)), Html(" · ".join(channels))]
    if found.opted_out:
        said.append(
            words.plural(
                "🔕 {n} person does not want announcements",
                "🔕 {n} people do not want announcements",
                found.opted_out,
            )
        )
    if found.unreachable:
        said.append(
            words.plural(
                "📵 {n} person can't be reached",
                "📵 {n} people can't be reached",
                found.unreachable,
            )
        )
    if found.wordless:
        said.append(
            words.plural(
                "▫️ {n} person gets nothing: there are no words in their language",
                "▫️ {n} people get nothing: there are no words in their language",
                found.wordless,
            )
        )
    return said
