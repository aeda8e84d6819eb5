"""Profiles for meeting: what a member says for introductions, and whom they never want to meet.

A profile is filled in step by step and counts only once its member agrees to introductions; what
they do then (pause, come back) is theirs. Blocks are private: no letter ever tells of one, and they
stay when everything else goes.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage import purposes
from storage.folding import folded
from storage.tables import (
    Direction,
    MeetingBlock,
    MeetingLanguage,
    MeetingProfile,
    MeetingTimeChoice,
    MeetingTopic,
    Member,
    Purpose,
    Topic,
)

# Languages that can be tapped, as ISO 639 has them; "zgh" is Amazigh.
LANGUAGES = ("ar", "fr", "en", "zgh", "es", "nl", "de", "it", "pt")
# Characters, as wide as the columns.
LONGEST_LINE, LONGEST_CONTACT, LONGEST_ORGANISATION = 160, 120, 80


@dataclass(frozen=True, slots=True)
class Wishes:
    """A profile with all that belongs to it. `joined`: its member agrees to introductions."""

    profile: MeetingProfile
    offers: frozenset[Topic]
    seeks: frozenset[Topic]
    languages: frozenset[str]
    joined: bool

    def of(self, direction: Direction) -> frozenset[Topic]:
        """What goes this way."""
        return self.offers if direction == Direction.OFFERS else self.seeks


def active() -> ColumnElement[bool]:
    """The condition, in a statement about members, that they may be introduced now."""
    # By another name: the statement around may read profiles itself.
    profile = aliased(MeetingProfile)
    unpaused = exists().where(profile.member_id == Member.id, profile.paused_at.is_(None))
    return and_(Member.registered_at.is_not(None), unpaused, purposes.agrees(Purpose.INTRODUCTIONS))


async def wishes_of(db: AsyncSession, member: Member) -> Wishes | None:
    """What the member said; None before they opened a profile."""
    profile = await db.get(MeetingProfile, member.id)
    if profile is None:
        return None
    rows = await db.execute(
        select(MeetingTopic.direction, MeetingTopic.topic).where(
            MeetingTopic.member_id == member.id
        )
    )
    topics = [(direction, topic) for direction, topic in rows]
    languages = await db.scalars(
        select(MeetingLanguage.code).where(MeetingLanguage.member_id == member.id)
    )
    return Wishes(
        profile,
        frozenset(topic for direction, topic in topics if direction == Direction.OFFERS),
        frozenset(topic for direction, topic in topics if direction == Direction.SEEKS),
        frozenset(languages),
        Purpose.INTRODUCTIONS in await purposes.agreed_to(db, member),
    )


async def begin(db: AsyncSession, member: Member, now: datetime) -> None:
    """Open a profile, with the language that the member speaks with us. It counts for nothing yet."""
    if await db.get(MeetingProfile, member.id) is None:
        db.add(MeetingProfile(member_id=member.id, created_at=now, changed_at=now))
        await db.flush()
        if member.language in LANGUAGES:
            db.add(MeetingLanguage(member_id=member.id, code=member.language))
        await db.flush()


async def toggle_topic(
    db: AsyncSession, wishes: Wishes, direction: Direction, topic: Topic, now: datetime
) -> None:
    """One topic on or off."""
    key = (wishes.profile.member_id, direction, topic)
    known = await db.get(MeetingTopic, key)
    if known is None:
        db.add(MeetingTopic(member_id=key[0], direction=direction, topic=topic))
    else:
        await db.delete(known)
    wishes.profile.changed_at = now
    await db.flush()


async def toggle_language(db: AsyncSession, wishes: Wishes, code: str, now: datetime) -> bool:
    """One language on or off. False: it is the last one, and without any nobody can be met."""
    known = await db.get(MeetingLanguage, (wishes.profile.member_id, code))
    if known is None:
        db.add(MeetingLanguage(member_id=wishes.profile.member_id, code=code))
    elif wishes.languages == {code}:
        return False
    else:
        await db.delete(known)
    wishes.profile.changed_at = now
    await db.flush()
    return True


def write_line(wishes: Wishes, line: str | None, now: datetime) -> None:
    """What the member says of themselves; None: nothing."""
    wishes.profile.line = line and line[:LONGEST_LINE]
    wishes.profile.changed_at = now


def write_contact(wishes: Wishes, contact: str | None, now: datetime) -> None:
    """How those who were introduced reach the member; None: by this chat."""
    wishes.profile.contact = contact and contact[:LONGEST_CONTACT]
    wishes.profile.changed_at = now


async def join(
    db: AsyncSession, member: Member, wishes: Wishes, now: datetime, *, version: str, channel: str
) -> None:
    """The member agrees to introductions, and is in the next round."""
    await purposes.agree(db, member, [Purpose.INTRODUCTIONS], now, version=version, channel=channel)
    resume(wishes)


def pause(wishes: Wishes, now: datetime) -> None:
    """In no round until they come back."""
    wishes.profile.paused_at = wishes.profile.paused_at or now


def resume(wishes: Wishes) -> None:
    """In the next round again; silence is forgotten."""
    wishes.profile.paused_at, wishes.profile.silent = None, 0


async def leave(
    db: AsyncSession, member: Member, now: datetime, *, version: str, channel: str
) -> None:
    """The member wants no introductions any more: all they said for them goes, but their blocks."""
    await purposes.withdraw(
        db, member, [Purpose.INTRODUCTIONS], now, version=version, channel=channel
    )
    for table in (MeetingTopic, MeetingLanguage, MeetingProfile, MeetingTimeChoice):
        await db.execute(delete(table).where(table.member_id == member.id))


# --- whom they never want to meet ---------------------------------------------------------------


async def never_person(db: AsyncSession, member_id: int, other_id: int, now: datetime) -> None:
    """The two are never introduced again. Final, and said to nobody."""
    same = (MeetingBlock.member_id == member_id, MeetingBlock.other_id == other_id)
    if await db.scalar(select(MeetingBlock.id).where(*same)) is None:
        db.add(MeetingBlock(member_id=member_id, other_id=other_id, at=now))
        await db.flush()


async def never_organisation(
    db: AsyncSession, member: Member, organisation: str, now: datetime
) -> None:
    """The member never meets anybody of this organisation. Final, and said to nobody."""
    key = folded(organisation)
    same = (MeetingBlock.member_id == member.id, MeetingBlock.folded == key)
    if key and await db.scalar(select(MeetingBlock.id).where(*same)) is None:
        db.add(MeetingBlock(member_id=member.id, organisation=organisation, folded=key, at=now))
        await db.flush()


async def barred(db: AsyncSession, member: Member) -> tuple[int, Sequence[str]]:
    """How many persons, and which organisations, the member never wants to meet."""
    mine = MeetingBlock.member_id == member.id
    persons = await db.scalar(select(func.count()).where(mine, MeetingBlock.other_id.is_not(None)))
    organisations = await db.scalars(
        select(MeetingBlock.organisation)
        .where(mine, MeetingBlock.organisation.is_not(None))
        .order_by(MeetingBlock.id)
    )
    return persons or 0, [name for name in organisations if name]


async def barred_pairs(db: AsyncSession, people: Collection[int]) -> set[frozenset[int]]:
    """Of these members, the pairs of whom one blocks the other or the other's organisation."""
    never, never_at, organisations = await blocks_among(db, people)
    pairs = {frozenset((one, other)) for one, others in never.items() for other in others}
    for one, barred_there in never_at.items():
        pairs |= {
            frozenset((one, other))
            for other, organisation in organisations.items()
            if organisation in barred_there and other != one
        }
    return pairs


async def any_barred(db: AsyncSession, people: Collection[Member]) -> bool:
    """Whether one of these never wants to meet another of them, or anybody of their organisation."""
    ids = {one.id for one in people}
    rows = await db.execute(
        select(MeetingBlock.member_id, MeetingBlock.other_id, MeetingBlock.folded).where(
            MeetingBlock.member_id.in_(ids)
        )
    )
    there = {one.id: folded(one.organisation or "") for one in people}
    return any(
        other_id in ids or (key and key in {there[id_] for id_ in ids - {member_id}})
        for member_id, other_id, key in rows
    )


async def blocks_among(
    db: AsyncSession, people: Collection[int]
) -> tuple[dict[int, set[int]], dict[int, set[str]], dict[int, str]]:
    """Whom and whose organisation each of these blocks, and the organisation of each, folded."""
    wanted = set(people)
    never: dict[int, set[int]] = {}
    never_at: dict[int, set[str]] = {}
    rows = await db.execute(
        select(MeetingBlock.member_id, MeetingBlock.other_id, MeetingBlock.folded)
    )
    for member_id, other_id, key in rows:
        if member_id in wanted and other_id in wanted:
            never.setdefault(member_id, set()).add(other_id)
        if member_id in wanted and key:
            never_at.setdefault(member_id, set()).add(key)
    organisations = {}
    if never_at:
        named = await db.execute(
            select(Member.id, Member.organisation).where(Member.organisation.is_not(None))
        )
        organisations = {id_: folded(name or "") for id_, name in named if id_ in wanted}
    return never, never_at, organisations
