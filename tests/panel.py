"""Somebody who looks at the card of a panel, with one tap to a seat."""

from typing import Any

from sqlalchemy import func, select

from tests.town import Resident, Town

SLUG = "panel-2"
TAKEN = "(Your seat is taken. I will remind you before it begins.)"


async def count(town: Town, table: type[Any]) -> int:
    async with town.app.storage.read() as db:
        return await db.scalar(select(func.count()).select_from(table)) or 0


async def before_a_card(town: Town, name: str = "Emma") -> Resident:
    """Somebody who looks at a session's card, with a seat to be had."""
    await town.programme()
    resident = await town.member(name, "en")
    await resident.says(f"/start s_{(await town.session(SLUG)).id}")
    return resident
