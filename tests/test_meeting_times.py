"""A time to meet: agreed by taps, in the clocks of each, with a file for both calendars."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from storage import introductions, meeting_times, members
from storage.meeting_times import Outcome
from storage.tables import (
    MeetingTime,
    MeetingTimeChoice,
    Occasion,
    Outbox,
    Progress,
    Side,
    Topic,
)
from tests.acquaintances import a_round, agreed, joins, lives_by
from tests.rendezvous import (
    AMAL,
    ASKED_AR,
    ASKED_FR,
    BILAL,
    BUTTON_AR,
    BUTTONS_FR,
    DAY,
    HOUR,
    MEETING_AR,
    MEETING_FR,
    MINUTE,
    NEXT_AR,
    NEXT_FR,
    OUT_AR,
    OUT_FR,
    SET_AR,
    SET_FR,
    WEDNESDAY,
    ar,
    fr,
    in_calendar,
    meets_at,
    they_meet_on_wednesday,
)
from tests.town import EVE, Town


async def test_the_first_time_that_suits_both_is_agreed(town: Town):
    amal, bilal = await agreed(town)
    assert await amal.taps("📅 Convenir d'un moment") == [ASKED_FR + fr()]
    assert await amal.taps(f"▫️ {BUTTONS_FR[0]}") == [
        "(C'est noté. Je préviens Bilal.)",
        ASKED_FR + fr(signs="y"),
    ]
    await amal.taps(f"▫️ {BUTTONS_FR[1]}")
    await amal.taps(f"▫️ {BUTTONS_FR[2]}")
    # A mind is changed, and nobody hears of it.
    assert await amal.taps(f"✅ {BUTTONS_FR[2]}") == [ASKED_FR + fr(signs="yy")]
    assert bilal.heard() == []
    await town.is_now(EVE + MINUTE)
    assert bilal.heard() == [f"📅 هناك أوقات تناسب Amal. أيها يناسبكم؟\n\n{ar(signs='oo')}"]
    assert amal.heard() == []
    assert await bilal.taps(f"👍 {BUTTON_AR}") == [
        "(تم الاتفاق!)",
        f"🤝 ستلتقون مع Amal\n\n{MEETING_AR}{OUT_AR}",
    ]
    await town.is_now(EVE + MINUTE)
    assert amal.heard() == [SET_FR]
    assert bilal.heard() == [SET_AR]
    entry = {
        "method": "PUBLISH",
        "status": "CONFIRMED",
        "starts": WEDNESDAY,
        "ends": WEDNESDAY + timedelta(minutes=30),
        "uid": f"meeting-1-{int(EVE.timestamp())}@jisr",
        "sequence": int((EVE + MINUTE).timestamp()) // 60,
    }
    assert in_calendar(amal) == {**entry, "summary": "Rencontre avec Bilal"}
    assert in_calendar(bilal) == {**entry, "summary": "لقاء مع Amal"}
    assert await meets_at(town) == WEDNESDAY
    # The table is cleared; a button of the old card tells what is agreed.
    async with town.app.storage.read() as db:
        for table in (MeetingTime, MeetingTimeChoice):
            assert await db.scalar(select(func.count()).select_from(table)) == 0
    old = amal.person.chat.messages[-2]
    assert await amal.taps(f"✅ {BUTTONS_FR[1]}", old) == [
        f"🤝 Vous rencontrez Bilal\n\n{MEETING_FR}{OUT_FR}"
    ]


async def test_each_is_reminded_at_their_own_leads_and_asked_a_day_later(town: Town):
    amal, bilal = await they_meet_on_wednesday(town)
    async with town.app.storage.begin() as db:
        await members.set_leads(db, await town.member_of(db, bilal), [60])
    heard = []
    for before in (24 * HOUR, HOUR, 15 * MINUTE, -2 * HOUR, -(24 * HOUR + 29 * MINUTE)):
        await town.is_now(WEDNESDAY - before)
        heard += [(who, before, said) for who in (amal, bilal) for said in who.heard()]
    assert heard == [
        (
            amal,
            24 * HOUR,
            f"⏰ Rappel : dans 24 heures\n🤝 Vous rencontrez Bilal\n\n{MEETING_FR}{BILAL}{OUT_FR}",
        ),
        (
            bilal,
            HOUR,
            f"⏰ تذكير: خلال 60 دقيقة\n🤝 ستلتقون مع Amal\n\n{MEETING_AR}{AMAL}{OUT_AR}",
        ),
        (
            amal,
            15 * MINUTE,
            f"⏰ Rappel : dans 15 minutes\n🤝 Vous rencontrez Bilal\n\n{MEETING_FR}{BILAL}{OUT_FR}",
        ),
    ]
    await town.is_now(WEDNESDAY + 24 * HOUR + 30 * MINUTE)
    assert amal.heard() == [
        "Avez-vous rencontré Bilal ?\n[Oui, nous nous sommes vus] [Non, pas cette fois]"
    ]
    assert bilal.heard() == ["هل التقيتم مع Amal؟\n[نعم، التقينا] [لا، لم نلتق]"]
    assert await amal.taps("Non, pas cette fois") == [
        "Merci : cela m'aide à vous proposer les bonnes personnes.\n[📅 Convenir d'un moment]"
    ]
    # Nobody is asked again, a week after the yes.
    await town.is_now(EVE + 8 * DAY)
    assert amal.heard() == []


async def test_whom_none_suits_gets_three_later_ones(town: Town):
    amal, bilal = await agreed(town)
    await amal.taps("📅 Convenir d'un moment")
    await amal.taps(f"▫️ {BUTTONS_FR[0]}")
    await town.is_now(EVE + MINUTE)
    bilal.heard()
    old = bilal.last
    (card,) = await bilal.taps("🔄 أوقات أخرى")
    assert card == ASKED_AR + ar(NEXT_AR)
    # Tapped twice, or by both at once, it turns once.
    async with town.app.storage.begin() as db:
        member = await town.member_of(db, amal)
        last = datetime(2018, 7, 6, 14, tzinfo=UTC)
        await meeting_times.others(db, member, 1, last, EVE + MINUTE)
    await town.is_now(EVE + 2 * MINUTE)
    assert amal.heard() == [
        "📅 Les moments précédents ne convenaient pas à tout le monde. "
        f"Quand pourriez-vous rencontrer Bilal ?\n\n{fr(NEXT_FR)}"
    ]
    assert await bilal.taps(f"👍 {BUTTON_AR}", old) == ["(لم يعد هذا الوقت متاحا.)"]


async def test_three_agree_when_it_suits_all_three_in_english_and_in_one_zone(town: Town):
    amal = await town.member("Amal Idrissi", "en", side=Side.MOROCCO)
    bilal, chloe = await town.member("Bilal Naciri", "en"), await town.member("Chloé Petit", "en")
    await joins(town, amal, seeks=[Topic.INVESTMENT], contact="amal@example.org")
    for one in (bilal, chloe):
        await joins(town, one, offers=[Topic.INVESTMENT], contact="+212 600 000 000")
    for one in (amal, bilal, chloe):
        await lives_by(town, one, "Africa/Casablanca")
    await a_round(town)
    for one in (amal, bilal, chloe):
        await one.taps("✅ Yes, introduce us")
    await town.is_now(EVE)
    for one in (amal, bilal, chloe):
        one.heard()
    shown = (
        "📅 When will you meet Bilal and Chloé?\n\nTap every time that suits you. The first that "
        "suits all of you is agreed. It takes half an hour.\n\n"
        "• Wednesday, July 4, 2018\n  12:00\n• Thursday, July 5, 2018\n  19:00\n"
        "• Friday, July 6, 2018\n  16:00\n"
        "[▫️ Wed, Jul 4 · 12:00]\n[▫️ Thu, Jul 5 · 19:00]\n[▫️ Fri, Jul 6 · 16:00]\n"
        "[🔄 Other times] [We can't meet]"
    )
    assert await amal.taps("📅 Agree on a time") == [shown]
    assert (await amal.taps("▫️ Thu, Jul 5 · 19:00"))[0] == "(Noted. I'll tell Bilal, Chloé.)"
    await town.is_now(EVE + MINUTE)
    assert (await bilal.taps("👍 Thu, Jul 5 · 19:00"))[0] == "(Noted. I'll tell Amal, Chloé.)"
    await town.is_now(EVE + 2 * MINUTE)
    assert "\n  19:00 · 👍 Amal and Bilal\n" in chloe.heard()[-1]
    assert await chloe.taps("👍 Thu, Jul 5 · 19:00") == [
        "(It's agreed!)",
        "🤝 You meet Amal and Bilal\n\n📅 Thursday, July 5, 2018\n🕘 19:00 – 19:30\n"
        "[Another time] [We can't meet]",
    ]
    await town.is_now(EVE + 2 * MINUTE)
    amal.heard(), bilal.heard()
    assert chloe.heard() == [
        "🤝 It's agreed: you meet Amal and Bilal\n\n📅 Thursday, July 5, 2018\n"
        "🕘 19:00 – 19:30\n\nAmal Idrissi · Ingénieure · Lyon\nTo reach them: amal@example.org\n"
        "Bilal Naciri · Investisseur · Lyon\nTo reach them: +212 600 000 000\n\n"
        "Open the file to put it into your calendar.\n[Another time] [We can't meet]"
    ]
    assert in_calendar(chloe)["summary"] == "Meeting with Amal, Bilal"
    # The card of introductions leads to it.
    (card,) = await amal.says("/meet")
    assert "[🤝 Thu, Jul 5 · 19:00 · Bilal, Chloé]\n" in card
    assert await amal.taps("🤝 Thu, Jul 5 · 19:00 · Bilal, Chloé") == [
        "🤝 You meet Bilal and Chloé\n\n📅 Thursday, July 5, 2018\n🕘 19:00 – 19:30\n"
        "[Another time] [We can't meet]"
    ]


async def test_nobody_is_told_at_night(town: Town):
    amal, bilal = await agreed(town)
    night = datetime(2018, 7, 3, 22, tzinfo=UTC)
    await town.is_now(night)
    await amal.taps("📅 Convenir d'un moment")
    label = next(b.text for row in amal.last.keyboard for b in row)
    await amal.taps(label)
    await town.is_now(night + 7 * HOUR)
    assert bilal.heard() == []
    await town.is_now(night + 8 * HOUR)
    assert len(bilal.heard()) == 1


async def test_a_tick_that_was_taken_back_before_it_was_told_is_told_later(town: Town):
    amal, bilal = await agreed(town)
    await amal.taps("📅 Convenir d'un moment")
    for sign in ("▫️", "✅"):
        await amal.taps(f"{sign} {BUTTONS_FR[0]}")
    await town.is_now(EVE + MINUTE)
    assert bilal.heard() == []
    await amal.taps(f"▫️ {BUTTONS_FR[0]}")
    await town.is_now(EVE + 2 * MINUTE)
    assert len(bilal.heard()) == 1
    # And then no more, however often.
    for sign in ("✅", "▫️"):
        await amal.taps(f"{sign} {BUTTONS_FR[0]}")
    await town.is_now(EVE + 5 * MINUTE)
    assert bilal.heard() == []


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_tapped_at_once_one_time_is_agreed(town: Town, seed: int):
    amal, bilal = await agreed(town)
    chance = random.Random(seed)  # noqa: S311  # a test's taps
    await amal.taps("📅 Convenir d'un moment")
    async with town.app.storage.read() as db:
        times = (await db.scalars(select(MeetingTime.starts_at))).all()

    async def tap(who, at) -> Outcome:
        async with town.app.storage.begin() as db:
            member = await town.member_of(db, who)
            await asyncio.sleep(0)
            return await meeting_times.toggle(db, member, 1, at, EVE)

    taps = [(who, at) for who in (amal, bilal) for at in times]
    outcomes = await asyncio.gather(*(tap(*one) for one in chance.sample(taps, len(taps))))
    assert outcomes.count(Outcome.AGREED) == 1
    agreed_on = await meets_at(town)
    assert agreed_on in times
    async with town.app.storage.read() as db:
        told = await db.scalars(select(Outbox.about).where(Outbox.kind == meeting_times.SET))
        assert [about["at"] for about in told] == [int(agreed_on.timestamp())] * 2


async def test_nobody_agrees_to_two_meetings_at_one_time(town: Town):
    amal, bilal = await agreed(town)
    chloe = await town.member("Chloé", "fr")
    await joins(town, chloe, offers=[Topic.INVESTMENT])
    await lives_by(town, chloe, "Europe/Paris")
    async with town.app.storage.begin() as db:
        people = [(await town.member_of(db, one)).id for one in (amal, chloe)]
        other = await introductions.create(
            db, people, EVE, occasion=Occasion.WEEKLY, affinity=1, reasons=[]
        )
        other.progress, other.agreed_at = Progress.AGREED, EVE

    async def tap(who, introduction_id: int) -> Outcome:
        async with town.app.storage.begin() as db:
            member = await town.member_of(db, who)
            await meeting_times.open_(db, member, introduction_id, EVE)
            return await meeting_times.toggle(db, member, introduction_id, WEDNESDAY, EVE)

    assert await tap(bilal, 1) == Outcome.TICKED
    assert await tap(chloe, other.id) == Outcome.TICKED
    outcomes = await asyncio.gather(tap(amal, 1), tap(amal, other.id))
    assert sorted(outcomes) == [Outcome.AGREED, Outcome.GONE]


async def test_what_has_passed_is_let_go_of(town: Town):
    amal, _bilal = await agreed(town)
    await amal.taps("📅 Convenir d'un moment")
    await amal.taps(f"▫️ {BUTTONS_FR[0]}")
    town.clock.jump(WEDNESDAY + MINUTE)
    await town.app.tidy()
    async with town.app.storage.read() as db:
        assert (await db.scalars(select(MeetingTimeChoice))).all() == []
        assert len((await db.scalars(select(MeetingTime))).all()) == 2
    # Another takes its place, after those that are left.
    (card,) = await amal.taps("📅 Convenir d'un moment")
    assert [line for line in card.splitlines() if line.startswith("[▫️")] == [
        "[▫️ jeu. 5 juil. · 18:00]",
        "[▫️ ven. 6 juil. · 15:00]",
        "[▫️ lun. 9 juil. · 13:00]",
    ]
