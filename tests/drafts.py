"""Drafts of announcements, for the tests."""

from sqlalchemy import select

from storage.tables import Announcement, Audit
from tests.town import Resident, Town


async def a_draft(town: Town, author: Resident, text: str = "Open day on Saturday") -> int:
    """A draft in English alone, for everybody. Returns its id."""
    await author.says("/announce")
    await author.taps("＋ New announcement")
    await author.says(text)
    await author.taps("Skip")
    await author.taps("Skip")
    async with town.app.storage.begin() as db:
        found = (await db.scalars(select(Announcement).order_by(Announcement.id))).all()[-1]
        found.rule = {"everyone": True}
    await author.after(author.person.taps_data(f"ann:card:{found.id}:"))
    return found.id


async def deeds(town: Town) -> list[str]:
    """What the audit says of announcements."""
    async with town.app.storage.read() as db:
        told = await db.scalars(select(Audit.action).order_by(Audit.id))
        return [one for one in told if one.startswith("announcement.")]
