"""The team: who belongs to it, where each works, and whom they reach.

Whoever works at a post reaches the members of its area; admins, those who were given everybody, and
those without a post reach everybody.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import audit, invitations
from storage.folding import folded
from storage.tables import Member, Post, Role

# A rule that nobody fits (`storage/audiences.py` reads it).
NOBODY: dict[str, Any] = {"not": {"everyone": True}}


async def area(db: AsyncSession, staff: Member) -> dict[str, Any] | None:
    """The rule (as of an audience) of whom this member of the team reaches; None: everybody.

    Whoever isn't of the team, or whose post is gone, reaches nobody.
    """
    if staff.role == Role.ADMIN:
        return None
    if staff.role != Role.STAFF:
        return NOBODY
    if staff.everywhere or staff.post_id is None:
        return None
    post = await db.get(Post, staff.post_id)
    return NOBODY if post is None else area_of(post)


def area_of(post: Post) -> dict[str, Any] | None:
    """The rule of a post's area: its cities in its country, its country, or everybody (None)."""
    rules: list[dict[str, Any]] = []
    if post.country:
        rules.append({"country": post.country})
    if post.cities:
        rules.append({"any": [{"city": city} for city in post.cities]})
    if not rules:
        return None
    return rules[0] if len(rules) == 1 else {"all": rules}


# --- people ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of the team, and where they work."""

    member: Member
    post: Post | None


class Removed(StrEnum):
    """What became of a removal from the team."""

    DONE = "done"
    # They are not of the team (any more).
    NOT_THERE = "not there"
    # Nobody could invite anybody without them.
    LAST_ADMIN = "last admin"


async def colleagues(db: AsyncSession) -> Sequence[Colleague]:
    """The whole team: admins first, then by name."""
    found = [Colleague(member, post) for member, post in await db.execute(_team())]

    def rank(one: Colleague) -> tuple[bool, str, int]:
        return one.member.role != Role.ADMIN, (one.member.name or "").casefold(), one.member.id

    return sorted(found, key=rank)


async def colleague(db: AsyncSession, member_id: int) -> Colleague | None:
    """One of the team; None for anybody else."""
    row = (await db.execute(_team().where(Member.id == member_id))).first()
    return Colleague(row[0], row[1]) if row else None


def _team() -> Select[Member, Post]:
    return (
        select(Member, Post)
        .outerjoin(Post, Post.id == Member.post_id)
        .where(Member.role.in_((Role.STAFF, Role.ADMIN)))
    )


async def remove(db: AsyncSession, actor: Member, member_id: int, now: datetime) -> Removed:
    """Make somebody of the team a plain member, and take back the invitations they made."""
    # All admins are locked: two who remove each other at once must not both succeed.
    team = await db.scalars(
        select(Member)
        .where((Member.role == Role.ADMIN) | (Member.id == member_id))
        .order_by(Member.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    found = {one.id: one for one in team}
    member = found.get(member_id)
    if member is None or member.role == Role.MEMBER:
        return Removed.NOT_THERE
    admins = [one for one in found.values() if one.role == Role.ADMIN]
    if admins == [member]:
        return Removed.LAST_ADMIN
    if actor not in admins:
        return Removed.NOT_THERE
    about = {"member": member.id, "role": member.role.value}
    member.role, member.team_since = Role.MEMBER, None
    member.post_id, member.everywhere = None, False
    await invitations.revoke_those_of(db, member, now)
    await audit.record(db, actor, "role.taken", now, about=about, touched=[member.id])
    return Removed.DONE


async def assign(
    db: AsyncSession, actor: Member, member_id: int, post_id: int | None, now: datetime
) -> bool:
    """Let one of the team work at this post, or at none. False: one of the two is not there."""
    found = await colleague(db, member_id)
    # Locked, so that a post is not deleted under somebody.
    if found is None or (post_id is not None and await _locked(db, post_id) is None):
        return False
    found.member.post_id = post_id
    about = {"member": member_id, "post": post_id}
    await audit.record(db, actor, "post.assigned", now, about=about, touched=[member_id])
    return True


async def reach(
    db: AsyncSession, actor: Member, member_id: int, now: datetime, *, everywhere: bool
) -> bool:
    """Let one of the team reach everybody, or their post's area. False: they are not of the team."""
    found = await colleague(db, member_id)
    if found is None:
        return False
    found.member.everywhere = everywhere
    about = {"member": member_id, "everywhere": everywhere}
    await audit.record(db, actor, "reach.set", now, about=about, touched=[member_id])
    return True


# --- posts ----------------------------------------------------------------------------------


async def posts(db: AsyncSession) -> Sequence[Post]:
    """All posts, in the order they were made."""
    return (await db.scalars(select(Post).order_by(Post.id))).all()


async def post_named(db: AsyncSession, name: str) -> Post | None:
    """The post of this name in any language, however it is written."""
    wanted = folded(name)
    for post in await posts(db):
        if wanted in map(folded, post.name.values()):
            return post
    return None


async def create_post(
    db: AsyncSession, actor: Member, values: Mapping[str, Any], now: datetime
) -> Post:
    """A new post: `name` in three languages, `country` and `cities` (folded here) of its area."""
    post = Post(name=values["name"], country=values["country"], cities=_cities(values["cities"]))
    db.add(post)
    await db.flush()
    await audit.record(db, actor, "post.created", now, about={"post": post.id})
    return post


async def change_post(
    db: AsyncSession, actor: Member, post_id: int, values: Mapping[str, Any], now: datetime
) -> Post | None:
    """Another name (`name`) or area (`country` and `cities`); None: the post is gone."""
    post = await _locked(db, post_id)
    if post is None:
        return None
    if "name" in values:
        post.name = values["name"]
    if "country" in values:
        post.country, post.cities = values["country"], _cities(values["cities"])
    about = {"post": post_id, "fields": sorted(values)}
    await audit.record(db, actor, "post.changed", now, about=about)
    return post


async def staffed(db: AsyncSession, post_id: int, now: datetime) -> tuple[int, int]:
    """How many work at a post, and how many open invitations lead there."""
    people = await db.scalar(select(func.count()).where(Member.post_id == post_id))
    invited = [one for one in await invitations.open_ones(db, now) if one.post_id == post_id]
    return people or 0, len(invited)


async def delete_post(db: AsyncSession, actor: Member, post_id: int, now: datetime) -> bool:
    """Delete a post where nobody works and is expected. False: somebody is, or it is gone.

    Else those people would reach nobody, or, if their post were emptied, all at once everybody.
    """
    post = await _locked(db, post_id)
    if post is None or any(await staffed(db, post_id, now)):
        return False
    await db.delete(post)
    await db.flush()
    await audit.record(db, actor, "post.deleted", now, about={"post": post_id})
    return True


async def _locked(db: AsyncSession, post_id: int) -> Post | None:
    return await db.get(Post, post_id, with_for_update=True, populate_existing=True)


def _cities(typed: Iterable[str] | None) -> list[str] | None:
    cities = dict.fromkeys(folded(city) for city in typed or ())
    return [city for city in cities if city] or None
