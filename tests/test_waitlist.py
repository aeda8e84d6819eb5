"""The waitlist works by itself: a freed seat goes to the head of the line, who answers by tap."""

from datetime import UTC, datetime, timedelta

import pytest

from storage.rsvps import Answer
from storage.waitlist import answer_by, line
from tests.town import EVE, Town

CARD_FR = (
    "Panel 2 : Énergie, efficacité énergétique et environnement\n"
    "📅 mercredi 4 juillet 2018\n🕘 10:30 – 12:30 (heure de Rabat)\n📍 Salle B\n"
)
THEMES_FR = "Thèmes : Agriculture et agro-industrie, Environnement et énergies renouvelables\n"


async def a_full_panel(town: Town):
    """One seat, taken by Amal; Bilal and Chloé in line."""
    await town.programme()
    await town.session("panel-2", capacity=1)
    people = [
        await town.member("Amal", "en"),
        await town.member("Bilal", "ar"),
        await town.member("Chloé", "fr"),
    ]
    for person in people:
        await town.seat(person, "panel-2")
    return people


async def test_a_freed_seat_is_offered_to_the_head_of_the_line_who_takes_it(town: Town):
    amal, bilal, chloe = await a_full_panel(town)
    await amal.says("/myagenda")
    await amal.taps("✕ Give up")
    await town.is_now(EVE)
    assert chloe.heard() == []
    card = (
        "الندوة 2: الطاقة والنجاعة الطاقية والبيئة\n📅 الأربعاء، 4 يوليوز 2018\n"
        "🕘 10:30 – 12:30 (بتوقيت الرباط)\n📍 القاعة ب\n"
    )
    assert bilal.heard() == [
        f"✨ يوجد مقعد شاغر لكم\n\n{card}\n"
        "ينتظركم إلى غاية 11:00، ثم يُعرض على الشخص التالي.\n[حجز مقعد] [لا، شكرا]"
    ]
    assert await bilal.taps("حجز مقعد") == [
        "(تم حجز مقعدكم. سأذكركم قبل البداية.)",
        f"{card}المحاور: الفلاحة والصناعات الغذائية، البيئة والطاقات المتجددة\n"
        "المقاعد: لا مقاعد شاغرة، شخص واحد في قائمة الانتظار\n\n"
        "✅ لكم مقعد محجوز.\n[🎟 تذكرتي]\n[التخلي عن مقعدي]\n[‹ البرنامج] [برنامجي] [مشاركة]",
    ]
    await town.passes(hours=1)
    assert [m for m in chloe.heard() if "place est libre" in m] == []


async def test_the_line_is_told_in_its_order(town: Town):
    await a_full_panel(town)
    panel = await town.session("panel-2")
    async with town.app.storage.read() as db:
        waiting = await line(db, panel.id)
    assert [(member.name, rsvp.since) for rsvp, member in waiting] == [
        ("Bilal", EVE),
        ("Chloé", EVE),
    ]


async def test_no_passes_the_seat_on_at_once(town: Town):
    amal, bilal, chloe = await a_full_panel(town)
    await amal.says("/myagenda")
    await amal.taps("✕ Give up")
    await town.is_now(EVE)
    await bilal.taps("لا، شكرا")
    await town.is_now(EVE)
    assert chloe.heard() == [
        f"✨ Une place est libre pour vous\n\n{CARD_FR}\n"
        "Elle vous attend jusqu'à 11:00 ; ensuite, elle sera proposée à la personne suivante.\n"
        "[Réserver ma place] [Non, merci]"
    ]


async def test_silence_passes_the_seat_on_and_the_old_card_tells_the_truth(town: Town):
    amal, bilal, chloe = await a_full_panel(town)
    await amal.says("/myagenda")
    await amal.taps("✕ Give up")
    await town.is_now(EVE)
    offer = bilal.last
    await town.is_now(EVE + timedelta(hours=1, minutes=59))
    assert chloe.heard() == []
    await town.is_now(EVE + timedelta(hours=2))
    assert chloe.heard()[0].startswith("✨ Une place est libre pour vous\n")
    # Bilal comes back too late: he is offered the line again, not the seat.
    bilal.heard()
    told, card = await bilal.taps("حجز مقعد", offer)
    assert told == "(لا مقاعد شاغرة: أنتم في قائمة الانتظار.)"
    assert "⏳ ترتيبكم في قائمة الانتظار: 1." in card


async def test_an_offer_stands_on_every_card(town: Town):
    amal, bilal, chloe = await a_full_panel(town)
    await bilal.says("/myagenda")
    await bilal.taps("✕ التخلي")
    await amal.says("/myagenda")
    await amal.taps("✕ Give up")
    await town.is_now(EVE)
    chloe.heard()
    (mine,) = await chloe.says("/myagenda")
    assert "Salle B\n✨ proposée jusqu'à 11:00\n" in mine
    assert await chloe.taps("10:30 Panel 2 : Énergie…") == [
        f"{CARD_FR}{THEMES_FR}Places : complet\n\n"
        "✨ Une place vous est proposée jusqu'à 11:00.\n[Réserver ma place]\n[Non, merci]\n"
        "[‹ Programme] [Mon agenda] [Partager]"
    ]


async def test_an_offered_seat_is_nobody_elses(town: Town):
    amal, _bilal, _chloe = await a_full_panel(town)
    await amal.says("/myagenda")
    await amal.taps("✕ Give up")
    await town.is_now(EVE)
    assert await town.seat(await town.member("Dina", "fr"), "panel-2") == Answer.WAITLISTED


async def test_an_offer_that_overlaps_a_seat_is_swapped_or_left(town: Town):
    amal, bilal, chloe = await a_full_panel(town)
    await bilal.says("/myagenda")
    await bilal.taps("✕ التخلي")
    assert await town.seat(chloe, "panel-1") == Answer.CONFIRMED
    await amal.says("/myagenda")
    await amal.taps("✕ Give up")
    await town.is_now(EVE)
    (choice,) = (await chloe.taps("Réserver ma place"))[-1:]
    assert choice == (
        "Panel 2 : Énergie, efficacité énergétique et environnement\n"
        "a lieu en même temps qu'une place que vous avez déjà :\n"
        "• 10:30 – 12:30 Panel 1 : Data et technologies numériques\n"
        "[Échanger pour la nouvelle]\n[Garder ma place actuelle]"
    )
    told, _card = await chloe.taps("Échanger pour la nouvelle")
    assert told == "(Échange fait : la nouvelle place est à vous, l'autre est rendue.)"


async def test_a_larger_room_is_offered_down_the_line(town: Town):
    _amal, bilal, chloe = await a_full_panel(town)
    await town.session("panel-2", capacity=3)
    await town.is_now(EVE)
    assert bilal.heard()[0].startswith("✨ يوجد مقعد شاغر لكم\n")
    assert chloe.heard()[0].startswith("✨ Une place est libre pour vous\n")


async def test_a_cancelled_session_offers_nothing(town: Town):
    amal, bilal, _chloe = await a_full_panel(town)
    await amal.says("/myagenda")
    await amal.taps("✕ Give up")
    await town.session("panel-2", cancelled_at=EVE)
    await town.is_now(EVE)
    assert bilal.heard() == []


@pytest.mark.parametrize(
    ("before", "to_answer"),
    [
        (timedelta(days=1), timedelta(hours=2)),
        (timedelta(hours=4), timedelta(hours=2)),
        (timedelta(hours=1), timedelta(minutes=30)),
        (timedelta(minutes=6), timedelta(minutes=3)),
    ],
)
def test_the_time_to_answer_shrinks_near_the_session(before: timedelta, to_answer: timedelta):
    starts_at = datetime(2018, 7, 4, 9, 30, tzinfo=UTC)
    assert answer_by(starts_at - before, starts_at) == starts_at - before + to_answer
