"""Short names: what an event is called in a link, and a session beside its event."""

import re
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.folding import folded
from storage.tables import Event, Session

# As long as an agenda file may make them; the columns have room for a number besides.
LONGEST = 40


def from_title(title: Mapping[str, str]) -> str:
    """A short name out of whichever title is in Latin letters."""
    for words in title.values():
        if slug := re.sub("[^a-z0-9]+", "-", folded(words)).strip("-")[:LONGEST].strip("-"):
            return slug
    return "event"


async def free_slug(db: AsyncSession, wished: str, event_id: int | None = None) -> str:
    """The short name itself, or with the first number that is free."""
    taken = (
        select(Event.slug).where(Event.slug.startswith(wished))
        if event_id is None
        else select(Session.slug).where(
            Session.event_id == event_id, Session.slug.startswith(wished)
        )
    )
    used = set(await db.scalars(taken))
    number, slug = 2, wished
    while slug in used:
        number, slug = number + 1, f"{wished}-{number}"
    return slug
