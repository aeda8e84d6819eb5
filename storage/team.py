"""The team: who belongs to it, where each works, and whom they reach.

Whoever works at a post reaches the members of its area; admins, those who were given everybody, and
those without a post reach everybody.
"""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

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
