"""Tickets: one picture, one entry; staff scan it with any phone, and nobody else learns a thing."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from storage import rsvps, tickets
from storage.tables import Outbox, Role, Rsvp, Seat, Ticket
from storage.tickets import Entry
from tests.entrance import keeper, scanned, scans, ticket_of
from tests.town import Town

# A quarter of an hour before the panels of the morning.
DOORS = datetime(2018, 7, 4, 9, 15, tzinfo=UTC)
PANEL = (
    "Panel 2: Energy, energy efficiency and environment\n📅 Wednesday, July 4, 2018\n"
    "🕘 10:30 – 12:30 (Rabat time)\n📍 Room B"
)
UNKNOWN = "I don't know what this link leads to. Here is the agenda."

TICKETS = {
    "fr": (
        "(Voici votre billet.)",
        "🎟 Billet de Amal\n\nPanel 2 : Énergie, efficacité énergétique et environnement\n"
        "📅 mercredi 4 juillet 2018\n🕘 10:30 – 12:30 (heure de Rabat)\n📍 Salle B\n\n"
        "Présentez cette image à l'entrée : l'équipe la scanne avec un téléphone.",
    ),
    "ar": (
        "(ها هي تذكرتكم.)",
        "🎟 تذكرة Amal\n\nالندوة 2: الطاقة والنجاعة الطاقية والبيئة\n"
        "📅 الأربعاء، 4 يوليوز 2018\n🕘 10:30 – 12:30 (بتوقيت الرباط)\n📍 القاعة ب\n\n"
        "أظهروا هذه الصورة عند المدخل: يمسحها فريق العمل بالهاتف.",
    ),
    "en": (
        "(Here comes your ticket.)",
        f"🎟 Ticket for Amal\n\n{PANEL}\n\n"
        "Show this picture at the door: the team scans it with a phone.",
    ),
}
MINE = {"fr": "🎟 Mon billet", "ar": "🎟 تذكرتي", "en": "🎟 My ticket"}


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
async def test_a_ticket_is_a_picture_that_a_camera_reads(town: Town, language: str):
    await town.programme()
    amal = await town.member("Amal", language)
    await town.seat(amal, "panel-2")
    await amal.says(f"/start s_{(await town.session('panel-2')).id}")
    toast, ticket = TICKETS[language]
    assert await amal.taps(MINE[language]) == [toast]
    await town.is_now(town.clock.now())
    assert amal.heard() == [ticket]
    assert re.fullmatch(r"t_[\w-]{22}", await scanned(town, amal))


async def test_taps_in_one_second_bring_one_picture(town: Town):
    await town.programme()
    amal = await town.member("Amal", "en")
    await town.seat(amal, "panel-2")
    await amal.says("/myagenda")
    await amal.taps("🎟 My ticket")
    assert await amal.taps("🎟 My ticket") == ["(Here comes your ticket.)"]
    await town.is_now(town.clock.now())
    assert len(amal.heard()) == 1


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", f"✅ Checked in\n\nAmal\n{PANEL}\n[↩️ Undo] [🚪 Door]"),
        (
            "fr",
            "✅ Entrée enregistrée\n\nAmal\n"
            "Panel 2 : Énergie, efficacité énergétique et environnement\n"
            "📅 mercredi 4 juillet 2018\n🕘 10:30 – 12:30 (heure de Rabat)\n📍 Salle B\n"
            "[↩️ Annuler] [🚪 Entrée]",
        ),
        (
            "ar",
            "✅ تم تسجيل الدخول\n\nAmal\nالندوة 2: الطاقة والنجاعة الطاقية والبيئة\n"
            "📅 الأربعاء، 4 يوليوز 2018\n🕘 10:30 – 12:30 (بتوقيت الرباط)\n📍 القاعة ب\n"
            "[↩️ تراجع] [🚪 المدخل]",
        ),
    ],
)
async def test_staff_scan_and_the_person_is_in(town: Town, language: str, told: str):
    amal, payload = await amals_ticket(town)
    salma = await keeper(town, "Salma", language)
    await town.is_now(DOORS)
    assert await scans(salma, payload) == [told]
    assert await seat(town, amal) == Seat.CHECKED_IN


async def test_a_second_scan_says_when_the_first_was(town: Town):
    _amal, payload = await amals_ticket(town)
    salma, omar = await keeper(town), await keeper(town, "Omar")
    await town.is_now(DOORS)
    await scans(salma, payload)
    await town.is_now(DOORS + timedelta(minutes=7))
    used = "⚠️ This ticket was already used: {}."
    assert await scans(omar, payload) == [
        f"{used.format('today at 10:15')}\n\nAmal\n{PANEL}\n[🚪 Door]"
    ]
    await town.is_now(DOORS + timedelta(days=1))
    assert (await scans(omar, payload))[0].startswith(
        used.format("Wednesday, July 4, 2018 at 10:15")
    )


async def test_a_check_in_is_undone_and_done_again(town: Town):
    amal, payload = await amals_ticket(town)
    salma = await keeper(town)
    await town.is_now(DOORS)
    await scans(salma, payload)
    undone = f"↩️ Undone: not checked in.\n\nAmal\n{PANEL}\n[Check in] [🚪 Door]"
    assert await salma.taps("↩️ Undo") == [undone]
    assert await seat(town, amal) == Seat.CONFIRMED
    assert await salma.taps("Check in") == [f"✅ Checked in\n\nAmal\n{PANEL}\n[↩️ Undo] [🚪 Door]"]
    assert await seat(town, amal) == Seat.CHECKED_IN


async def test_guests_come_in_with_the_member(town: Town):
    amal, payload = await amals_ticket(town)
    async with town.app.storage.begin() as db:
        for one in await db.scalars(select(Rsvp)):
            one.guests = 2
    salma = await keeper(town)
    await town.is_now(DOORS)
    told = await scans(salma, payload)
    assert told == [f"✅ Checked in\n\nAmal\n{PANEL}\n👥 with 2 guests\n[↩️ Undo] [🚪 Door]"]
    assert await seat(town, amal) == Seat.CHECKED_IN


async def test_a_member_who_scans_a_ticket_learns_nothing(town: Town):
    amal, payload = await amals_ticket(town)
    await town.is_now(DOORS)
    amal.heard()
    bilal = await town.member("Bilal", "en")
    (told,) = await scans(bilal, payload)
    assert told.startswith(f"Welcome back, Bilal!\n\n{UNKNOWN}\n\n")
    # It is to the letter what a link says that leads nowhere.
    assert [told] == await scans(bilal, "t_" + "x" * 22)
    assert await seat(town, amal) == Seat.CONFIRMED
    (mine,) = await scans(amal, payload)
    assert mine == (
        "Welcome back, Amal!\n\nThis is your own ticket. Show its picture at the door: "
        "the team scans it with a phone, and you are in."
    )
    assert await seat(town, amal) == Seat.CONFIRMED


async def test_the_door_is_for_staff_also_by_an_old_button(town: Town):
    amal, payload = await amals_ticket(town)
    salma = await keeper(town)
    await town.is_now(DOORS)
    await scans(salma, payload)
    async with town.app.storage.begin() as db:
        (await town.member_of(db, salma)).role = Role.MEMBER
    assert await salma.taps("↩️ Undo") == [
        "(This button is from an older message. /help shows the way.)"
    ]
    assert await seat(town, amal) == Seat.CHECKED_IN


async def test_staff_read_that_a_ticket_is_none(town: Town):
    await town.programme()
    salma = await keeper(town)
    assert await scans(salma, "t_nothing") == ["⚠️ I don't know this ticket."]


async def test_on_another_day_the_ticket_is_refused_and_the_person_let_in(town: Town):
    amal, payload = await amals_ticket(town)
    salma = await keeper(town)
    refused = (
        f"⚠️ Not today: this ticket is for Wednesday, July 4, 2018.\n\nAmal\n{PANEL}\n"
        "[Let in as a walk-in]\n[🚪 Door]"
    )
    assert await scans(salma, payload) == [refused]
    told = await salma.taps("Let in as a walk-in")
    assert told == [f"✅ Let in as a walk-in\n\nAmal\n{PANEL}\n[↩️ Undo] [🚪 Door]"]
    assert await seat(town, amal) == Seat.CONFIRMED
    (again,) = await scans(salma, payload)
    assert again.startswith("⚠️ This ticket was already used: today at 09:00.")
    await salma.taps("↩️ Undo")
    assert await scans(salma, payload) == [refused]


async def test_after_the_session_the_ticket_is_too_late(town: Town):
    _amal, payload = await amals_ticket(town)
    salma = await keeper(town)
    await town.is_now(DOORS + timedelta(hours=3))
    assert await scans(salma, payload) == [
        f"⚠️ Too late: it is over.\n\nAmal\n{PANEL}\n[Let in as a walk-in]\n[🚪 Door]"
    ]


async def test_a_seat_given_up_lets_in_as_a_walk_in_only(town: Town):
    amal, payload = await amals_ticket(town)
    salma = await keeper(town)
    await amal.says("/myagenda")
    await amal.taps("✕ Give up")
    await town.is_now(DOORS)
    assert await scans(salma, payload) == [
        f"⚠️ No seat any more: it was given up.\n\nAmal\n{PANEL}\n[Let in as a walk-in]\n[🚪 Door]"
    ]
    await salma.taps("Let in as a walk-in")
    assert await seat(town, amal) == Seat.CANCELLED


async def test_a_cancelled_session_lets_nobody_in(town: Town):
    _amal, payload = await amals_ticket(town)
    salma = await keeper(town)
    await town.session("panel-2", cancelled_at=town.clock.now())
    await town.is_now(DOORS)
    assert await scans(salma, payload) == [
        f"⚠️ This session is cancelled.\n\nAmal\n{PANEL}\n[🚪 Door]"
    ]


async def test_whoever_has_several_seats_has_a_ticket_for_the_event(town: Town):
    await town.programme()
    amal, salma = await town.member("Amal", "en"), await keeper(town)
    await town.seat(amal, "panel-2")
    await town.seat(amal, "panel-3")
    await amal.says("/myagenda")
    await amal.taps("🎟 My ticket")
    await town.is_now(town.clock.now())
    event = (
        "1st Thematic Workshop of Moroccan Experts in France\n"
        "📅 Wednesday, July 4, 2018 – Thursday, July 5, 2018\n📍 Rabat"
    )
    show = "Show this picture at the door: the team scans it with a phone."
    assert amal.heard() == [f"🎟 Ticket for Amal\n\n{event}\n\n{show}"]
    at_the_entrance = await scanned(town, amal)
    at_the_panel = await ticket_of(town, amal, "panel-2")
    assert at_the_entrance != at_the_panel
    await town.is_now(DOORS)
    told = f"✅ Checked in\n\nAmal\n{event}\n[↩️ Undo] [🚪 Door]"
    assert await scans(salma, at_the_entrance) == [told]
    assert await scans(salma, at_the_panel) == [
        f"✅ Checked in\n\nAmal\n{PANEL}\n[↩️ Undo] [🚪 Door]"
    ]
    (again,) = await scans(salma, at_the_entrance)
    assert again.startswith("⚠️ This ticket was already used: today at 10:15.")


async def test_a_ticket_on_its_way_is_kept_back_when_the_seat_is_given_up(town: Town):
    await town.programme()
    amal = await town.member("Amal", "en")
    await town.seat(amal, "panel-2")
    await amal.says("/myagenda")
    await amal.taps("🎟 My ticket")
    await amal.taps("✕ Give up")
    await town.is_now(town.clock.now())
    assert not [m for m in amal.person.chat.messages if m.photo]


async def test_of_two_scans_at_once_one_lets_in(town: Town):
    amal, payload = await amals_ticket(town)
    keepers = [await keeper(town, name) for name in ("Salma", "Omar")]

    async def one(resident):
        async with town.app.storage.begin() as db:
            staff = await town.member_of(db, resident)
            found = await tickets.behind(db, payload)
            assert found is not None
            admission = await tickets.check_in(db, found.id, staff, DOORS)
            assert admission is not None
            return admission.entry

    said = await asyncio.gather(*(one(resident) for resident in keepers * 8))
    assert sorted(said) == [Entry.ALREADY] * 15 + [Entry.IN]
    assert await seat(town, amal) == Seat.CHECKED_IN


async def test_of_many_taps_at_once_one_ticket_is_made(town: Town):
    await town.programme()
    amal = await town.member("Amal", "en")
    for slug in ("panel-2", "panel-3"):
        await town.seat(amal, slug)
    session = await town.session("panel-2")

    async def one(find, about):
        async with town.app.storage.begin() as db:
            ticket = await find(db, await town.member_of(db, amal), about)
            await tickets.post(db, ticket, town.clock.now())

    both = [one(tickets.of_session, session.id), one(tickets.of_event, session.event_id)]
    more = [one(tickets.of_session, session.id), one(tickets.of_event, session.event_id)]
    await asyncio.gather(*both, *more)
    async with town.app.storage.read() as db:
        assert len((await db.scalars(select(Ticket))).all()) == 2
        posted = await db.scalars(select(Outbox.kind).where(Outbox.kind == tickets.KIND))
        assert len(posted.all()) == 2


async def amals_ticket(town: Town):
    await town.programme()
    amal = await town.member("Amal", "en")
    assert await town.seat(amal, "panel-2") == rsvps.Answer.CONFIRMED
    return amal, await ticket_of(town, amal, "panel-2")


async def seat(town: Town, resident) -> Seat:
    async with town.app.storage.read() as db:
        member = await town.member_of(db, resident)
        state = await db.scalar(select(Rsvp.state).where(Rsvp.member_id == member.id))
    assert state is not None
    return state
