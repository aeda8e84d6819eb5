"""The entrance of an event, for the tests: people of the team, tickets, and a camera."""

from io import BytesIO

import zxingcpp
from PIL import Image

from storage.tables import Role
from tests.town import Resident, Town


async def keeper(town: Town, name: str = "Salma", language: str = "en") -> Resident:
    """Somebody of the team."""
    resident = await town.member(name, language)
    async with town.app.storage.begin() as db:
        (await town.member_of(db, resident)).role = Role.STAFF
    return resident


async def ticket_of(town: Town, resident: Resident, slug: str) -> str:
    """The payload of somebody's ticket for a session, from its picture."""
    session = await town.session(slug)
    await resident.says(f"/start s_{session.id}")
    label = {"fr": "🎟 Mon billet", "ar": "🎟 تذكرتي", "en": "🎟 My ticket"}
    await resident.taps(label[resident.person.language_code])
    await town.is_now(town.clock.now())
    payload = await scanned(town, resident)
    resident.heard()
    return payload


async def scanned(town: Town, resident: Resident) -> str:
    """What a camera reads from the picture on somebody's screen: the payload of a deep link."""
    photo = next(m.photo for m in reversed(resident.person.chat.messages) if m.photo)
    (code,) = zxingcpp.read_barcodes(Image.open(BytesIO(photo.data)))
    link, _, payload = code.text.partition("?start=")
    assert link == f"https://t.me/{(await town.app.bot.me()).username}"
    return payload


async def scans(resident: Resident, payload: str) -> list[str]:
    """Point a phone at a picture: its link opens the bot."""
    return await resident.after(resident.person.opens(payload))
