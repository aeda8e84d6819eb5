"""The directory: members who chose to be found, by what they do, offer, follow, and where they live.

To be listed is an agreement of its own (`Purpose.DIRECTORY`). Nobody finds themselves, nor whoever
of the two blocks the other or their organisation; that somebody is missing for that reason shows
nowhere.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import log2

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import purposes, search
from storage.folding import folded, shapes
from storage.tables import (
    Direction,
    MeetingBlock,
    MeetingLanguage,
    MeetingProfile,
    MeetingTopic,
    Member,
    MemberTheme,
    Purpose,
    Topic,
)

# More are not looked through one by one; a directory of more needs a better question than a word.
MOST = 20_000
# What is said around what is looked for, folded; in our three languages.
_AROUND = """
    a and any anybody anyone are at for from in into is me of on or people person some somebody
    someone that the to want who whom with work works working look looking find i need
    au aux avec c cherche chez ce d dans de des du en est et il elle je j l la le les moi ou par
    personne pour quelqu quelque qui recherche s sur travaille travaillant un une besoin
    أبحث ابحث احد أحد أحدا احدا أريد اريد الذي التي في من من عن على مع شخص شخصا هل يعمل تعمل او أو
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody in the directory, as others may read them: never their contact."""

    id: int
    name: str
    city: str
    country: str
    profession: str
    line: str
    offers: frozenset[Topic]
    languages: frozenset[str]
    themes: frozenset[int]
    # They agree to introductions: others may ask for one.
    open: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Who has all that was asked for, best first; and if nobody has, who comes closest."""

    entries: Sequence[Entry]
    exact: bool


async def entries(db: AsyncSession, reader: Member, *only: int) -> Sequence[Entry]:
    """Everybody (or only these) whom the reader may find, the newest members first."""
    mine = folded(reader.organisation or "")
    blocks = await db.execute(
        select(MeetingBlock.member_id, MeetingBlock.other_id, MeetingBlock.folded).where(
            or_(
                MeetingBlock.member_id == reader.id,
                MeetingBlock.other_id == reader.id,
                MeetingBlock.folded == mine if mine else MeetingBlock.id.is_(None),
            )
        )
    )
    people, places = {reader.id}, set()
    for blocker, other, organisation in blocks:
        if blocker != reader.id:
            people.add(blocker)
        elif other is not None:
            people.add(other)
        else:
            places.add(organisation)
    listed = (
        Member.registered_at.is_not(None),
        purposes.agrees(Purpose.DIRECTORY),
        *([Member.id.in_(only)] if only else []),
    )
    rows = await db.execute(
        select(
            Member.id,
            Member.name,
            Member.city,
            Member.country,
            Member.profession,
            Member.organisation,
            MeetingProfile.line,
            purposes.agrees(Purpose.INTRODUCTIONS),
        )
        .outerjoin(MeetingProfile, MeetingProfile.member_id == Member.id)
        .where(*listed)
        .order_by(Member.registered_at.desc(), Member.id.desc())
        .limit(MOST)
    )
    found = [
        row
        for row in rows
        if row[0] not in people and not (places and folded(row[5] or "") in places)
    ]
    ids = select(Member.id).where(*listed)
    offers, languages, themes = defaultdict(set), defaultdict(set), defaultdict(set)
    for member, topic in await db.execute(
        select(MeetingTopic.member_id, MeetingTopic.topic).where(
            MeetingTopic.direction == Direction.OFFERS, MeetingTopic.member_id.in_(ids)
        )
    ):
        offers[member].add(topic)
    for member, code in await db.execute(
        select(MeetingLanguage.member_id, MeetingLanguage.code).where(
            MeetingLanguage.member_id.in_(ids)
        )
    ):
        languages[member].add(code)
    for member, theme in await db.execute(
        select(MemberTheme.member_id, MemberTheme.theme_id).where(MemberTheme.member_id.in_(ids))
    ):
        themes[member].add(theme)
    return [
        Entry(
            id_,
            name or "",
            city or "",
            country or "",
            profession or "",
            line or "",
            frozenset(offers[id_]),
            frozenset(languages[id_]),
            frozenset(themes[id_]),
            bool(open_),
        )
        for id_, name, city, country, profession, _, line, open_ in found
    ]


async def count(db: AsyncSession) -> int:
    """How many members are listed."""
    listed = (Member.registered_at.is_not(None), purposes.agrees(Purpose.DIRECTORY))
    return await db.scalar(select(func.count()).select_from(Member).where(*listed)) or 0


def asked_for(typed: str) -> str:
    """What a question is about, as `look` takes it: its words without those around them."""
    around = {shape for word in _AROUND.split() for shape in folded(word).split()}
    return search.key_of(" ".join(word for word in folded(typed).split() if word not in around))


def look(key: str, among: Sequence[Entry], said: Callable[[Entry], Iterable[str]]) -> Found:
    """Who has these words (`asked_for`), or words that begin so.

    `said` tells the texts that an entry is found by, in all languages. What few have counts more,
    so that of "hydrogen in Lyon" the hydrogen is found before the rest of Lyon.
    """
    words = key.split()
    if not words:
        return Found((), exact=True)
    lines = [_line(said(entry)) for entry in among]
    has = {
        word: [any(f" {shape}" in line for shape in shapes(word)) for line in lines]
        for word in words
    }
    rarity = {word: log2(1 + len(among) / max(1, sum(has[word]))) for word in words}
    scores = [sum(rarity[word] for word in words if has[word][at]) for at in range(len(among))]
    everything = sum(rarity.values())
    best = sorted(range(len(among)), key=lambda at: (-scores[at], at))
    exact = [among[at] for at in best if scores[at] >= everything]
    if exact:
        return Found(exact, exact=True)
    rarest = max((rarity[word] for word in words if any(has[word])), default=0.0)
    return Found([among[at] for at in best if 0 < scores[at] >= rarest], exact=False)


def _line(texts: Iterable[str]) -> str:
    words = [word for text in texts for word in folded(text).split()]
    return f" {' '.join(dict.fromkeys(shape for word in words for shape in shapes(word)))} "
