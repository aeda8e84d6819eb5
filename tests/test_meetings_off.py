"""A meeting that is off: another time, none at all, or somebody who has gone; nothing leaks."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from storage import forgetting, meeting_profiles
from storage.tables import (
    Member,
)
from tests.acquaintances import agreed
from tests.rendezvous import (
    ASKED_AR,
    ASKED_FR,
    BUTTON_AR,
    BUTTONS_FR,
    CLOSED_FR,
    DAY,
    HOUR,
    LATER_AR,
    LATER_FR,
    MEETING_FR,
    MINUTE,
    OUT_FR,
    WEDNESDAY,
    ar,
    fr,
    in_calendar,
    meets_at,
    they_meet_on_wednesday,
)
from tests.town import EVE, Town


async def test_another_time_takes_the_agreed_one_out_of_both_calendars(town: Town):
    amal, bilal = await they_meet_on_wednesday(town)
    before = in_calendar(bilal)
    await town.is_now(EVE + HOUR)
    assert await amal.taps("Un autre moment") == [
        "Dois-je annuler votre rencontre avec Bilal et proposer d'autres moments ? "
        "L'annulation sera annoncée.\n[Oui, un autre moment]\n[Non, la garder]"
    ]
    assert await amal.taps("Non, la garder") == [
        f"🤝 Vous rencontrez Bilal\n\n{MEETING_FR}{OUT_FR}"
    ]
    await amal.taps("Un autre moment")
    (card,) = await amal.taps("Oui, un autre moment")
    assert card == ASKED_FR + fr(LATER_FR)
    assert await meets_at(town) is None
    await town.is_now(EVE + HOUR)
    assert amal.heard() == [
        "❌ Votre rencontre du mercredi 4 juillet 2018 à 12:00 n'aura pas lieu.\n\n"
        "Ouvrez le fichier pour la retirer de votre calendrier."
    ]
    assert bilal.heard() == [
        "❌ تعذر على Amal الحضور يوم الأربعاء، 4 يوليوز 2018 على الساعة 13:00. أي وقت آخر يناسبكم؟ "
        f"افتحوا الملف لحذف اللقاء من تقويمكم.\n\n{ar(LATER_AR)}"
    ]
    after = in_calendar(bilal)
    assert after == {
        **before,
        "method": "CANCEL",
        "status": "CANCELLED",
        "sequence": before["sequence"] + 59,
    }
    assert in_calendar(amal)["status"] == "CANCELLED"
    # What was agreed first reminds nobody; what is agreed then is the same item of the calendars.
    await town.is_now(WEDNESDAY - DAY)
    assert (amal.heard(), bilal.heard()) == ([], [])
    await bilal.taps("▫️ الخميس، 5 يوليوز · 12:00")
    await town.is_now(WEDNESDAY - DAY + MINUTE)
    await amal.taps("👍 jeu. 5 juil. · 11:00")
    await town.is_now(WEDNESDAY - DAY + MINUTE)
    again = in_calendar(bilal)
    assert (again["uid"], again["status"]) == (before["uid"], "CONFIRMED")
    assert again["sequence"] > after["sequence"]
    assert await meets_at(town) == datetime(2018, 7, 5, 10, tzinfo=UTC)


async def test_who_cannot_meet_says_so_once_and_may_come_back(town: Town):
    amal, bilal = await they_meet_on_wednesday(town)
    assert await bilal.taps("اللقاء غير ممكن") == [
        "هل أخبر Amal بأن اللقاء غير ممكن بالنسبة إليكم؟ يمكنكم العودة إليه لاحقا.\n"
        "[نعم، أخبروا الطرف الآخر]\n[‹ رجوع]"
    ]
    assert await bilal.taps("نعم، أخبروا الطرف الآخر") == [
        "أشرتم إلى أن اللقاء مع Amal غير ممكن. هل تغير ذلك؟ لنبحث إذن عن وقت.\n[📅 تحديد موعد]"
    ]
    await town.is_now(EVE + 2 * MINUTE)
    assert amal.heard() == [
        "❌ Bilal a un empêchement : la rencontre du mercredi 4 juillet 2018 à 12:00 n'aura pas lieu, "
        "et une autre n'est pas possible en ce moment. Vous avez vos coordonnées respectives, si cela "
        "change.\n\nOuvrez le fichier pour la retirer de votre calendrier."
    ]
    assert in_calendar(amal)["status"] == "CANCELLED"
    assert in_calendar(bilal)["status"] == "CANCELLED"
    bilal.heard()
    assert await amal.taps("📅 Convenir d'un moment") == [
        "Pour Bilal, une rencontre n'est pas possible en ce moment. Vous avez vos coordonnées "
        "respectives, si cela change."
    ]
    # Neither is reminded, nor asked whether they met.
    await town.is_now(EVE + 8 * DAY)
    assert (amal.heard(), bilal.heard()) == ([], [])
    (card,) = await bilal.taps("📅 تحديد موعد", bilal.person.chat.messages[-2])
    assert card.startswith(ASKED_AR)
    (card,) = await amal.taps("📅 Convenir d'un moment")
    assert card.startswith(ASKED_FR)


async def test_who_had_agreed_on_nothing_can_say_so_too(town: Town):
    amal, bilal = await agreed(town)
    await amal.taps("📅 Convenir d'un moment")
    await amal.taps("Rencontre impossible")
    await amal.taps("Oui, dites-le")
    await town.is_now(EVE + MINUTE)
    assert bilal.heard() == [
        "اللقاء غير ممكن حاليا بالنسبة إلى Amal. لدى كل منكم وسيلة الاتصال بالآخر إن تغير ذلك."
    ]
    assert amal.heard() == []


async def leaves(town: Town, bilal):
    async with town.app.storage.begin() as db:
        member = await town.member_of(db, bilal)
        await meeting_profiles.leave(db, member, EVE, version="t", channel="telegram")


async def is_forgotten(town: Town, bilal):
    async with town.app.storage.begin() as db:
        await forgetting.forget(db, await town.member_of(db, bilal), EVE)


async def names_her_organisation(town: Town, bilal):
    async with town.app.storage.begin() as db:
        (await town.member_of(db, bilal)).organisation = "OCP"
        await meeting_profiles.never_organisation(db, await town.member_of(db, bilal), "X", EVE)
        amal = await db.scalar(select(Member).where(Member.name == "Amal Idrissi"))
        amal.organisation = "X"


@pytest.mark.parametrize("gone", [leaves, is_forgotten, names_her_organisation])
async def test_with_who_left_or_blocks_nothing_is_arranged_and_nothing_said(town: Town, gone):
    amal, bilal = await agreed(town)
    await amal.taps("📅 Convenir d'un moment")
    await bilal.taps("📅 تحديد موعد")
    await bilal.taps(f"▫️ {BUTTON_AR}")
    bilal.heard()
    await gone(town, bilal)
    await town.is_now(EVE + MINUTE)
    assert (amal.heard(), bilal.heard()) == ([], [])
    for button in (f"▫️ {BUTTONS_FR[0]}", "🔄 D'autres moments", "Rencontre impossible"):
        assert await amal.taps(button) == [CLOSED_FR]
    assert await amal.taps("📅 Convenir d'un moment") == [CLOSED_FR]
    await town.is_now(EVE + 3 * DAY)
    assert (amal.heard(), bilal.heard()) == ([], [])


@pytest.mark.parametrize("gone", [leaves, is_forgotten, names_her_organisation])
async def test_who_left_a_meeting_behind_is_not_named_any_more(town: Town, gone):
    amal, bilal = await they_meet_on_wednesday(town)
    await gone(town, bilal)
    for before in (24 * HOUR, 15 * MINUTE):
        await town.is_now(WEDNESDAY - before)
    assert amal.heard() == []
    assert await amal.taps("Un autre moment") == [CLOSED_FR]


async def test_that_it_is_off_is_told_even_if_who_said_so_has_left_at_once(town: Town):
    amal, bilal = await they_meet_on_wednesday(town)
    await bilal.taps("اللقاء غير ممكن")
    await bilal.taps("نعم، أخبروا الطرف الآخر")
    await is_forgotten(town, bilal)
    await town.is_now(EVE + 2 * MINUTE)
    assert amal.heard() == [
        "❌ Votre rencontre du mercredi 4 juillet 2018 à 12:00 n'aura pas lieu.\n\n"
        "Ouvrez le fichier pour la retirer de votre calendrier."
    ]
    assert {k: in_calendar(amal)[k] for k in ("status", "summary", "uid")} == {
        "status": "CANCELLED",
        "summary": "Rencontre",
        "uid": f"meeting-1-{int(EVE.timestamp())}@jisr",
    }


async def test_a_seat_that_was_taken_since_moves_the_times(town: Town):
    await town.programme()
    amal, bilal = await agreed(town)
    await amal.taps("📅 Convenir d'un moment")
    await amal.taps(f"▫️ {BUTTONS_FR[1]}")
    await town.is_now(EVE + MINUTE)
    old = bilal.last
    bilal.heard()
    thursday = datetime(2018, 7, 5, 16, 50, tzinfo=UTC)
    await town.session("panel-2", starts_at=thursday, ends_at=thursday + HOUR)
    await town.seat(amal, "panel-2")
    heard = await bilal.taps("👍 الخميس، 5 يوليوز · 19:00", old)
    assert heard[0] == "(لم يعد هذا الوقت متاحا.)"
    assert [line for line in heard[1].splitlines() if line.startswith("[▫️")] == [
        "[▫️ الأربعاء، 4 يوليوز · 13:00]",
        "[▫️ الجمعة، 6 يوليوز · 16:00]",
        "[▫️ الاثنين، 9 يوليوز · 14:00]",
    ]
    assert await meets_at(town) is None
