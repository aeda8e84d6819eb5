"""The pool of a round: everybody who may be introduced now, with all that counts of them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from storage import affinity, introductions, meeting_profiles
from storage.affinity import Person
from storage.folding import folded
from storage.tables import (
    Direction,
    Introduction,
    IntroductionSide,
    MeetingLanguage,
    MeetingProfile,
    MeetingTopic,
    Member,
    MemberTheme,
    Progress,
    Topic,
)


async def pool(db: AsyncSession, wanted: set[int] | None = None) -> list[Person]:
    """Everybody who may be introduced now and is in no proposal, of these if given; by id."""
    busy = await introductions.engaged(db)
    rows = await db.execute(
        select(Member, MeetingProfile.passed_over)
        .join(MeetingProfile, MeetingProfile.member_id == Member.id)
        .where(meeting_profiles.active())
        .order_by(Member.id)
    )
    members = [
        (member, passed_over)
        for member, passed_over in rows
        if member.id not in busy and (wanted is None or member.id in wanted)
    ]
    topics: dict[tuple[int, Direction], set[Topic]] = {}
    for member_id, direction, topic in await db.execute(
        select(MeetingTopic.member_id, MeetingTopic.direction, MeetingTopic.topic)
    ):
        topics.setdefault((member_id, direction), set()).add(topic)
    spoken = await _grouped(db, MeetingLanguage.member_id, MeetingLanguage.code)
    themes = await _grouped(db, MemberTheme.member_id, MemberTheme.theme_id)
    never, never_at, _ = await meeting_profiles.blocks_among(db, [m.id for m, _ in members])
    tastes = await _tastes(db)
    return [
        Person(
            id=member.id,
            side=member.side,
            languages=frozenset(spoken.get(member.id, ())),
            offers=frozenset(topics.get((member.id, Direction.OFFERS), ())),
            seeks=frozenset(topics.get((member.id, Direction.SEEKS), ())),
            themes=frozenset(themes.get(member.id, ())),
            organisation=folded(member.organisation or ""),
            city=folded(member.city or ""),
            never=frozenset(never.get(member.id, ())),
            never_at=frozenset(never_at.get(member.id, ())),
            passed_over=passed_over,
            taste=tastes.get(member.id, {}),
        )
        for member, passed_over in members
    ]


async def met_before(db: AsyncSession) -> tuple[Mapping[frozenset[int], int], set[frozenset[int]]]:
    """How often two were proposed to each other, and who know each other since all said yes."""
    one, other = aliased(IntroductionSide), aliased(IntroductionSide)
    rows = await db.execute(
        select(one.member_id, other.member_id, Introduction.progress)
        .join(Introduction, Introduction.id == one.introduction_id)
        .join(other, other.introduction_id == one.introduction_id)
        .where(one.place < other.place, Introduction.progress != Progress.DRAFT)
    )
    met: dict[frozenset[int], int] = {}
    known = set()
    for first, second, progress in rows:
        two = frozenset((first, second))
        met[two] = met.get(two, 0) + 1
        if progress == Progress.AGREED:
            known.add(two)
    return met, known


async def pairs(db: AsyncSession, condition: ColumnElement[bool]) -> set[frozenset[int]]:
    """Who was proposed to whom in the introductions that this is true of."""
    one, other = aliased(IntroductionSide), aliased(IntroductionSide)
    rows = await db.execute(
        select(one.member_id, other.member_id)
        .join(Introduction, Introduction.id == one.introduction_id)
        .join(other, other.introduction_id == one.introduction_id)
        .where(one.place < other.place, condition)
    )
    return {frozenset((first, second)) for first, second in rows}


async def _tastes(db: AsyncSession) -> dict[int, Mapping[str, int]]:
    """How what members said of their meetings moves the weight of reasons for them."""
    rows = await db.execute(
        select(IntroductionSide.member_id, Introduction.reasons, IntroductionSide.stars)
        .join(Introduction, Introduction.id == IntroductionSide.introduction_id)
        .where(IntroductionSide.stars.is_not(None))
    )
    rated: dict[int, list[tuple[list[str], int]]] = {}
    for member_id, reasons, stars in rows:
        rated.setdefault(member_id, []).append(([one["kind"] for one in reasons], stars or 0))
    return {member_id: affinity.taste(said) for member_id, said in rated.items()}


async def _grouped(
    db: AsyncSession, key: InstrumentedAttribute[int], value: InstrumentedAttribute[Any]
) -> dict[int, set[Any]]:
    found: dict[int, set[Any]] = {}
    for owner, one in await db.execute(select(key, value)):
        found.setdefault(owner, set()).add(one)
    return found
