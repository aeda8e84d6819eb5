"""The door's card: who is expected, who is in, who is missing, late, or came without a seat."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from storage import doors
from storage.tables import Rsvp
from tests.entrance import keeper, scans, ticket_of
from tests.test_guide import HELP
from tests.town import Town

# A quarter of an hour before the panels of the morning.
DOORS = datetime(2018, 7, 4, 9, 15, tzinfo=UTC)
HEAD = (
    "🚪 Panel 2: Energy, energy efficiency and environment\n📅 Wednesday, July 4, 2018\n"
    "🕘 10:30 – 12:30 (Rabat time)\n📍 Room B\n\n"
)
BELOW = "[➕ Walk-in] [➖ Walk-in]\n[⭐ Ratings] [📊 Chart]\n[🔄 Refresh] [‹ Doors]"
TAP = "Tap the name of whoever comes in."
PANEL = "10:30 Panel 2: Energy, energy efficiency…"


async def a_door(town: Town, *names: str, language: str = "en"):
    """These people have a seat; Salma has opened the door's card."""
    await town.programme()
    people = [await town.member(name, "en") for name in names]
    for person in people:
        await town.seat(person, "panel-2")
    salma = await keeper(town, "Salma", language)
    await town.is_now(DOORS)
    for person in people:
        person.heard()
    return salma, people


async def test_the_door_is_chosen_among_those_around_now(town: Town):
    salma, _ = await a_door(town, "Amal")
    (choice,) = await salma.says("/door")
    assert choice.splitlines()[:4] == [
        "Which door?",
        "[🚪 Entrance: 1st Thematic Workshop of…]",
        "[09:00 Opening]",
        "[10:30 Panel 1: Data and digital technologies]",
    ]


async def test_a_card_counts_and_checks_in_by_name(town: Town):
    salma, _ = await a_door(town, "Bilal", "Amal")
    await salma.says("/door")
    figures = "✅ Checked in: {} of 2\n🚶 Walk-ins: {}\n\nAt 10:15. {}\n"
    assert await salma.taps(PANEL) == [f"{HEAD}{figures.format(0, 0, TAP)}[Amal] [Bilal]\n{BELOW}"]
    assert await salma.taps("Amal") == [
        "(Amal is checked in.)",
        f"{HEAD}{figures.format(1, 0, TAP)}[↩️ Undo: Amal]\n[Bilal]\n{BELOW}",
    ]
    assert await salma.taps("➕ Walk-in") == [
        "(One more walk-in.)",
        f"{HEAD}{figures.format(1, 1, TAP)}[Bilal]\n{BELOW}",
    ]
    assert (await salma.taps("Bilal"))[1] == (
        f"{HEAD}{figures.format(2, 1, 'Everybody is in.')}[↩️ Undo: Bilal]\n{BELOW}"
    )
    assert await salma.taps("➖ Walk-in") == [
        "(One walk-in less.)",
        f"{HEAD}{figures.format(2, 0, 'Everybody is in.')}{BELOW}",
    ]
    assert (await salma.taps("➖ Walk-in"))[0] == "(You have counted no walk-in here.)"


@pytest.mark.parametrize(
    ("language", "panel", "told"),
    [
        (
            "fr",
            "10:30 Panel 2 : Énergie, efficacité…",
            "🚪 Panel 2 : Énergie, efficacité énergétique et environnement\n"
            "📅 mercredi 4 juillet 2018\n🕘 10:30 – 12:30 (heure de Rabat)\n📍 Salle B\n\n"
            "✅ Entrées : 0 sur 1\n🚶 Sans réservation : 0\n\n"
            "À 10:15. Touchez le nom de la personne qui entre.\n[Amal]\n"
            "[➕ Sans réservation] [➖ Sans réservation]\n[⭐ Avis] [📊 Graphique]\n[🔄 Actualiser] [‹ Entrées]",
        ),
        (
            "ar",
            "10:30 الندوة 2: الطاقة والنجاعة الطاقية…",
            "🚪 الندوة 2: الطاقة والنجاعة الطاقية والبيئة\n📅 الأربعاء، 4 يوليوز 2018\n"
            "🕘 10:30 – 12:30 (بتوقيت الرباط)\n📍 القاعة ب\n\n"
            "✅ الداخلون: 0 من 1\n🚶 دون حجز: 0\n\n"
            "على الساعة 10:15. اضغطوا على اسم من يدخل.\n[Amal]\n"
            "[➕ دون حجز] [➖ دون حجز]\n[⭐ التقييمات] [📊 رسم بياني]\n[🔄 تحديث] [‹ المداخل]",
        ),
    ],
)
async def test_the_card_is_in_the_keepers_language(
    town: Town, language: str, panel: str, told: str
):
    salma, _ = await a_door(town, "Amal", language=language)
    await salma.says("/door")
    label = next(b.text for row in salma.last.keyboard for b in row if panel[:-1] in b.text)
    assert await salma.taps(label) == [told]


async def test_guests_are_counted_and_named_with_their_member(town: Town):
    salma, _ = await a_door(town, "Amal", "Bilal")
    async with town.app.storage.begin() as db:
        first = await db.scalar(select(Rsvp).order_by(Rsvp.id).limit(1))
        assert first is not None
        first.guests = 2
    await salma.says("/door")
    (card,) = await salma.taps(PANEL)
    assert "✅ Checked in: 0 of 4\n" in card
    assert "[Amal +2] [Bilal]\n" in card
    assert "✅ Checked in: 3 of 4\n" in (await salma.taps("Amal +2"))[1]


async def test_a_scan_leads_to_the_card_and_an_undo_from_the_card_back(town: Town):
    salma, (amal,) = await a_door(town, "Amal")
    await scans(salma, await ticket_of(town, amal, "panel-2"))
    (card,) = await salma.taps("🚪 Door")
    assert card.startswith(f"{HEAD}✅ Checked in: 1 of 1\n")
    await salma.says("/door")
    await salma.taps(PANEL)
    await salma.taps("🔄 Refresh")
    assert "Everybody is in." in card


async def test_a_name_on_an_old_card_is_answered_with_what_is_true(town: Town):
    salma, (amal, bilal) = await a_door(town, "Amal", "Bilal")
    omar = await keeper(town, "Omar")
    for one in (salma, omar):
        await one.says("/door")
        await one.taps(PANEL)
    await omar.taps("Amal")
    assert (await salma.taps("Amal"))[0] == "(Amal was checked in already.)"
    await bilal.says("/myagenda")
    await bilal.taps("✕ Give up")
    assert (await omar.taps("Bilal"))[0] == "(This person has no seat here any more.)"
    assert amal.heard() == []


async def test_by_name_too_nobody_comes_in_on_the_wrong_day(town: Town):
    salma, _ = await a_door(town, "Amal")
    await salma.says("/door")
    await salma.taps(PANEL)
    await town.is_now(DOORS + timedelta(hours=4))
    assert (await salma.taps("Amal"))[0].startswith("⚠️ Too late: it is over.\n\nAmal\n")
    (back,) = await salma.taps("🚪 Door")
    assert "✅ Checked in: 0 of 1\n" in back


async def test_many_names_are_paged(town: Town):
    names = [f"Member {number:02}" for number in range(1, 12)]
    salma, _ = await a_door(town, *names)
    await salma.says("/door")
    (card,) = await salma.taps(PANEL)
    assert "[Member 07]\n[Later ›]\n" in card
    (card,) = await salma.taps("Later ›")
    assert "[Member 08] [Member 09]\n[Member 10] [Member 11]\n[‹ Earlier]\n" in card


async def test_the_entrance_expects_each_member_once(town: Town):
    salma, (amal, _) = await a_door(town, "Amal", "Bilal")
    await town.seat(amal, "panel-3")
    await salma.says("/door")
    (card,) = await salma.taps("🚪 Entrance: 1st Thematic Workshop of…")
    assert card.startswith(
        "🚪 1st Thematic Workshop of Moroccan Experts in France\n\n✅ Checked in: 0 of 2\n"
    )
    assert "✅ Checked in: 1 of 2\n" in (await salma.taps("Amal"))[1]
    # The panel's own door is another one.
    await salma.says("/door")
    assert "✅ Checked in: 0 of 2\n" in (await salma.taps(PANEL))[0]


async def test_whoever_stands_at_the_door_is_told_who_is_late(town: Town):
    salma, (amal,) = await a_door(town, "Amal")
    omar, idle = await keeper(town, "Omar", "fr"), await keeper(town, "Idriss")
    await salma.says("/door")
    await salma.taps(PANEL)
    await omar.says("/door")
    label = next(b.text for row in omar.last.keyboard for b in row if "Accueil" in b.text)
    await omar.taps(label)
    for _ in range(2):
        await says_late(town, amal)
    await town.is_now(DOORS)
    title = "Panel 2: Energy, energy efficiency and environment"
    assert salma.heard() == [f"🏃 Amal is running late.\n{title}\n[🚪 Door]"]
    assert omar.heard() == [
        "🏃 Amal aura du retard.\n"
        "Panel 2 : Énergie, efficacité énergétique et environnement\n[🚪 Entrée]"
    ]
    assert idle.heard() == []
    (card,) = await salma.taps("🚪 Door")
    assert "🏃 Running late: Amal\n" in card
    assert "[🏃 Amal]\n" in card


async def test_nobody_is_told_of_somebody_who_is_in_by_now(town: Town):
    salma, (amal,) = await a_door(town, "Amal")
    await salma.says("/door")
    await salma.taps(PANEL)
    await says_late(town, amal)
    await salma.taps("Amal")
    await town.is_now(DOORS)
    assert salma.heard() == []


async def test_for_members_there_is_no_door(town: Town):
    salma, (amal,) = await a_door(town, "Amal")
    assert await amal.says("/door") == [f"I don't know this command.\n\n{HELP['en']}"]
    await salma.says("/door")
    await salma.taps(PANEL)
    data = next(b.data for row in salma.last.keyboard for b in row if b.text == "🔄 Refresh")
    assert data is not None
    assert await amal.after(amal.person.taps_data(data)) == [
        "(This button is from an older message. /help shows the way.)"
    ]


async def says_late(town: Town, resident) -> None:
    """By the rule, without the chat."""
    session = await town.session("panel-2")
    async with town.app.storage.begin() as db:
        member = await town.member_of(db, resident)
        seat = await db.scalar(select(Rsvp).where(Rsvp.member_id == member.id))
        assert seat is not None
        seat.late_at = town.clock.now()
        await doors.tell_late(db, session.id, member, town.clock.now())
