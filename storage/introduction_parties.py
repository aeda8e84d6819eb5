"""The people of an introduction: read together, and their contacts only when all said yes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import purposes
from storage.tables import (
    Address,
    Introduction,
    IntroductionSide,
    MeetingLanguage,
    MeetingProfile,
    Member,
    Progress,
    Purpose,
)


@dataclass(frozen=True, slots=True)
class Party:
    """An introduction with its sides and their people, in the order of their places."""

    introduction: Introduction
    sides: Sequence[IntroductionSide]
    members: Sequence[Member]
    languages: Sequence[frozenset[str]]
    # One line about each, and how they may be reached; the latter is only for those who agreed.
    lines: Sequence[str | None]
    # All of them agree to introductions as this is read.
    willing: bool

    def place_of(self, member_id: int) -> int | None:
        """Which of them this member is; None: none of them."""
        return next((s.place for s in self.sides if s.member_id == member_id), None)


async def parties(db: AsyncSession, ids: Collection[int]) -> dict[int, Party]:
    """These introductions with their people, by id. One of which somebody was forgotten is not told."""
    whole = or_(Introduction.ended_at.is_(None), Introduction.progress == Progress.LAPSED)
    found = {
        one.id: one
        for one in await db.scalars(
            select(Introduction).where(Introduction.id.in_(set(ids)), whole)
        )
    }
    rows = await db.execute(
        select(IntroductionSide, Member, MeetingProfile.line)
        .join(Member, Member.id == IntroductionSide.member_id)
        .outerjoin(MeetingProfile, MeetingProfile.member_id == Member.id)
        .where(IntroductionSide.introduction_id.in_(found))
        .order_by(IntroductionSide.introduction_id, IntroductionSide.place)
    )
    sides: dict[int, list[Any]] = {}
    for row in rows:
        sides.setdefault(row[0].introduction_id, []).append(row)
    people = {member.id for group in sides.values() for _, member, _ in group}
    spoken: dict[int, set[str]] = {}
    for member_id, code in await db.execute(
        select(MeetingLanguage.member_id, MeetingLanguage.code).where(
            MeetingLanguage.member_id.in_(people)
        )
    ):
        spoken.setdefault(member_id, set()).add(code)
    willing = await agreeing(db, people)
    return {
        id_: Party(
            found[id_],
            [side for side, _, _ in group],
            [member for _, member, _ in group],
            [frozenset(spoken.get(member.id, ())) for _, member, _ in group],
            [line for _, _, line in group],
            {member.id for _, member, _ in group} <= willing,
        )
        for id_, group in sides.items()
        if [side.place for side, _, _ in group] == list(range(len(group))) and len(group) > 1
    }


async def agreed_at(db: AsyncSession, introduction_id: int) -> datetime | None:
    """When all said yes, whoever has been forgotten since; None: they didn't."""
    return await db.scalar(select(Introduction.agreed_at).where(Introduction.id == introduction_id))


async def contacts(db: AsyncSession, party: Party) -> Sequence[tuple[str | None, str | None]]:
    """How each may be reached: what they wrote, or else where they chat (Telegram).

    Raises ValueError unless all said yes: nobody's contact is read before.
    """
    if party.introduction.progress != Progress.AGREED:
        raise ValueError("not everybody said yes")
    ids = [member.id for member in party.members]
    written = await db.execute(
        select(MeetingProfile.member_id, MeetingProfile.contact).where(
            MeetingProfile.member_id.in_(ids)
        )
    )
    own: dict[int, str | None] = dict(written.all())
    there = await db.execute(
        select(Address.member_id, Address.address)
        .where(Address.member_id.in_(ids), Address.channel == "telegram")
        .order_by(Address.id.desc())
    )
    # Of several the oldest is kept: the last one of this order.
    chats: dict[int, str] = dict(there.all())
    return [(own.get(id_), None if own.get(id_) else chats.get(id_)) for id_ in ids]


async def agreeing(db: AsyncSession, people: Collection[int]) -> set[int]:
    """Those of these members who agree to introductions now."""
    rows = await db.scalars(
        select(Member.id).where(Member.id.in_(people), purposes.agrees(Purpose.INTRODUCTIONS))
    )
    return set(rows)
