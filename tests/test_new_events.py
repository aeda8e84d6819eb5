"""News of an event: told once, to those whom it suits and who asked for that."""

from datetime import timedelta

from sqlalchemy import select

from storage import members
from storage.tables import Audit, Event, Purpose, Side
from tests.entrance import keeper
from tests.town import EVE, Town

TITLE = "1st Thematic Workshop of Moroccan Experts in France"
WHEN = "Wednesday, July 4, 2018 to Thursday, July 5, 2018"


async def living_in(town: Town, name: str, language: str, city: str, *themes: str, **others):
    resident = await town.member(name, language, **others)
    async with town.app.storage.begin() as db:
        member = await town.member_of(db, resident)
        profile = members.Profile(name, "MA", city, None, None, themes, Side.MOROCCO)
        await members.register(db, member, profile, town.clock.now())
        # Quiet hours are another matter.
        members.set_quiet_hours(member, None)
    return resident


async def test_those_whom_it_suits_hear_of_it_once(town: Town):
    await town.programme()
    salma = await keeper(town)
    amal = await living_in(town, "Amal", "en", "Rabat")
    bilal = await living_in(town, "Bilal", "ar", "الرباط", "environment")
    await living_in(town, "Chloé", "fr", "Lyon")
    driss = await living_in(town, "Driss", "fr", "Rabat", "arts-sports")
    emma = await living_in(town, "Emma", "fr", "Rabat", agrees=[Purpose.EVENTS])
    await salma.says("/events")
    await salma.taps("1st Thematic Workshop of Moroccan Experts…")
    assert await salma.taps("📣 Tell members of it") == [
        f"📣 {TITLE}\n3 members wish to hear of new events and suit this one: its themes and its "
        "city.\nThey are told once, in their language.\n[📣 Tell them]\n[‹ Back]"
    ]
    assert (await salma.taps("📣 Tell them"))[0] == "(It is on its way.)"
    assert "Tell members" not in salma.last.text
    await town.is_now(town.clock.now())
    assert amal.heard() == [
        f"A new event that suits you\n\n{TITLE}\n📅 {WHEN}\n📍 Rabat\n\n"
        "To stop receiving these: /stop\n[Read the agenda]\n[🔕 Stop these messages]"
    ]
    assert bilal.heard() == [
        "فعالية جديدة تناسبكم\n\nالملتقى الموضوعاتي الأول للخبراء المغاربة بفرنسا\n"
        "📅 من الأربعاء، 4 يوليوز 2018 إلى الخميس، 5 يوليوز 2018\n📍 الرباط\n\n"
        "لإيقاف هذه الرسائل: /stop\n[الاطلاع على البرنامج]\n[🔕 إيقاف هذه الرسائل]"
    ]
    assert driss.heard() == [
        "Un nouvel événement pour vous\n\n1er Atelier thématique des experts marocains en France\n"
        "📅 du mercredi 4 juillet 2018 au jeudi 5 juillet 2018\n📍 Rabat\n\n"
        "Pour ne plus en recevoir : /stop\n[Lire le programme]\n[🔕 Ne plus en recevoir]"
    ]
    assert emma.heard() == []
    # Once, for good; and whoever stops hears of no other.
    async with town.app.storage.begin() as db:
        event = await db.scalar(select(Event))
        assert event.told_at == EVE
        (act,) = await db.scalars(select(Audit).where(Audit.action == "event.told"))
        assert (act.about, act.people) == ({"event": event.id}, 3)
    assert (await amal.taps("🔕 Stop these messages"))[0].startswith("🔕 Stopped")
    await town.is_now(town.clock.now() + timedelta(minutes=1))
    assert bilal.heard() == []
