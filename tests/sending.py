"""Announcements for the tests of sending: made ready at once, and what became of them."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from storage import members
from storage.tables import (
    Announcement,
    AnnouncementText,
    Audit,
    Lane,
    Member,
    Outbox,
    Purpose,
    Recipient,
    Role,
    Stage,
)
from tests.town import EVE, Resident, Town

TEXTS = {
    "fr": "<b>Journée portes ouvertes</b>\nLe consulat vous accueille samedi.",
    "ar": "<b>يوم الأبواب المفتوحة</b>\nتستقبلكم القنصلية يوم السبت.",
    "en": "<b>Open day</b>\nThe consulate welcomes you on Saturday.",
}


async def staff(town: Town, name: str = "Emma", language: str = "en") -> Resident:
    """Somebody of the team, who receives no announcements."""
    resident = await town.member(name, language, agrees=[Purpose.EVENTS])
    async with town.app.storage.begin() as db:
        (await town.member_of(db, resident)).role = Role.STAFF
    return resident


async def ready(
    town: Town, author: Resident, texts: dict[str, str] | None = None, **values: Any
) -> int:
    """An announcement that is ready to leave, to everyone unless said; its id."""
    now = town.clock.now()
    async with town.app.storage.begin() as db:
        made = Announcement(
            author_id=(await town.member_of(db, author)).id,
            stage=Stage.READY,
            created_at=now,
            edited_at=now,
            **{"rule": {"everyone": True}, "fallback": "fr", "quietly": False} | values,
        )
        db.add(made)
        await db.flush()
        for language, text in (TEXTS if texts is None else texts).items():
            db.add(AnnouncementText(announcement_id=made.id, language=language, text=text))
    return made.id


async def outcomes(town: Town, announcement: int) -> list[tuple[Any, ...]]:
    """Each recipient: by name, what they read, what became of it and why."""
    async with town.app.storage.read() as db:
        rows = await db.execute(
            select(Member.name, Recipient.language, Recipient.outcome, Recipient.reason)
            .join(Member, Member.id == Recipient.member_id)
            .where(Recipient.announcement_id == announcement)
            .order_by(Member.name)
        )
        return [tuple(row) for row in rows]


async def stage(town: Town, announcement: int) -> Stage:
    async with town.app.storage.read() as db:
        found = await db.get(Announcement, announcement)
    assert found is not None
    return found.stage


async def rows(town: Town) -> list[Outbox]:
    """The letters of announcements in the outbox, oldest first."""
    async with town.app.storage.read() as db:
        bulk = select(Outbox).where(Outbox.lane == Lane.BULK).order_by(Outbox.id)
        return list(await db.scalars(bulk))


async def audited(town: Town) -> list[str]:
    """What the team did, as the audit has it."""
    async with town.app.storage.read() as db:
        return list(await db.scalars(select(Audit.action).order_by(Audit.id)))


async def sends(town: Town, **after: float) -> None:
    """Let what is ready leave, as far as it may so long after the eve began."""
    await town.is_now(EVE + timedelta(**after))


async def far_away(town: Town, name: str) -> Resident:
    """Somebody for whom it is 04:00 on the eve: their quiet hours end four hours later."""
    resident = await town.member(name)
    async with town.app.storage.begin() as db:
        members.set_timezone(await town.member_of(db, resident), "America/New_York", None)
    return resident
