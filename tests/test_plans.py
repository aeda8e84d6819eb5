"""Changes of plan: whom they concern hears of them, once, with what was before and what is now."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from bot.agenda_files import read_agenda
from storage import agendas, members, plans
from storage.rsvps import Answer
from storage.tables import Fate, Member, Outbox, PlanChange, Rsvp, Seat, Session
from tests.town import EVE, PROGRAMMES, Town

MINUTE = timedelta(minutes=1)
SALLE_B = {"fr": "Salle B", "ar": "القاعة ب", "en": "Room B"}


def rabat(day: int, hour: int, minute: int = 0) -> datetime:
    """A time of day in Rabat in July 2018, when it was an hour ahead of UTC."""
    return datetime(2018, 7, day, hour, minute, tzinfo=UTC) - timedelta(hours=1)


async def corrected(town: Town, **sessions: dict[str, Any] | None) -> None:
    """Import the programme with other fields for some sessions; None takes one out."""
    agenda = read_agenda(PROGRAMMES / "rabat-2018.yaml")
    changes = {slug.replace("_", "-"): fields for slug, fields in sessions.items()}
    assert changes.keys() <= {session.slug for session in agenda.sessions}
    planned = tuple(
        replace(session, **changes.get(session.slug) or {})
        for session in agenda.sessions
        if changes.get(session.slug, {}) is not None
    )
    async with town.app.storage.begin() as db:
        await agendas.apply(db, replace(agenda, sessions=planned), town.clock.now())


async def a_panel(town: Town):
    """Panel 1, two seats: Amal and Bilal sit, Chloé waits; Dina has given up; Emma never came."""
    await town.programme()
    await town.session("panel-1", capacity=2)
    amal = await town.member("Amal", "en")
    bilal = await town.member("Bilal", "ar")
    chloe = await town.member("Chloé", "fr")
    for person in (amal, bilal, chloe):
        await town.seat(person, "panel-1")
    return amal, bilal, chloe


# Panel 1 has 30 seats in the file; the room is kept small.
AFTERNOON = {"starts_at": rabat(4, 13), "ends_at": rabat(4, 14), "capacity": 2}


async def test_a_moved_session_is_told_to_those_concerned_in_their_language(town: Town):
    amal, bilal, chloe = await a_panel(town)
    other = await town.member("Dina", "fr")
    await town.seat(other, "panel-2")
    await corrected(town, panel_1=AFTERNOON)
    await town.is_now(EVE + timedelta(seconds=59))
    assert [p.heard() for p in (amal, bilal, chloe)] == [[], [], []]
    await town.is_now(EVE + MINUTE)
    assert amal.heard() == [
        "🔁 Change of plan\n\nPanel 1: Data and digital technologies\n"
        "📅 Wednesday, July 4, 2018\n🕘 13:00 – 14:00 (Rabat time)\n📍 Room A\n"
        "Before: 10:30 – 12:30\n\n✅ You keep your seat.\n[I can't come] [My agenda]"
    ]
    assert bilal.heard() == [
        "🔁 تغيير في البرنامج\n\nالندوة 1: البيانات والتكنولوجيات الرقمية\n"
        "📅 الأربعاء، 4 يوليوز 2018\n🕘 13:00 – 14:00 (بتوقيت الرباط)\n📍 القاعة أ\n"
        "سابقا: 10:30 – 12:30\n\n✅ تحتفظون بمقعدكم.\n[لن أتمكن من الحضور] [برنامجي]"
    ]
    assert chloe.heard() == [
        "🔁 Changement de programme\n\nPanel 1 : Data et technologies numériques\n"
        "📅 mercredi 4 juillet 2018\n🕘 13:00 – 14:00 (heure de Rabat)\n📍 Salle A\n"
        "Avant : 10:30 – 12:30\n\n⏳ Vous gardez votre rang sur la liste d'attente.\n"
        "[Quitter la liste d'attente] [Mon agenda]"
    ]
    assert other.heard() == []
    await town.is_now(EVE + 3 * MINUTE)
    assert [p.heard() for p in (amal, bilal, chloe)] == [[], [], []]


async def test_edits_within_a_minute_become_one_notice(town: Town):
    amal, _bilal, _chloe = await a_panel(town)
    await corrected(town, panel_1=AFTERNOON)
    await town.is_now(EVE + timedelta(seconds=40))
    await corrected(town, panel_1=AFTERNOON | {"room": SALLE_B})
    await town.is_now(EVE + timedelta(seconds=90))
    assert amal.heard() == []
    await town.is_now(EVE + timedelta(seconds=100))
    (notice,) = amal.heard()
    assert "🕘 13:00 – 14:00 (Rabat time)\n📍 Room B\nBefore: 10:30 – 12:30 · Room A\n" in notice


async def test_a_plan_that_is_back_where_it_was_is_no_news(town: Town):
    amal, bilal, chloe = await a_panel(town)
    await corrected(town, panel_1=AFTERNOON)
    await town.is_now(EVE + timedelta(seconds=59))
    await corrected(town, panel_1={"capacity": 2})
    await town.is_now(EVE + 5 * MINUTE)
    assert [p.heard() for p in (amal, bilal, chloe)] == [[], [], []]


async def test_endless_edits_are_told_after_five_minutes(town: Town):
    amal, _bilal, _chloe = await a_panel(town)
    for half_minute in range(10):
        await town.is_now(EVE + half_minute * timedelta(seconds=30))
        await corrected(town, panel_1=AFTERNOON | {"ends_at": rabat(4, 14, half_minute)})
    assert amal.heard() == []
    await town.is_now(EVE + 5 * MINUTE)
    (notice,) = amal.heard()
    assert "🕘 13:00 – 14:09 (Rabat time)\n" in notice


async def test_a_new_title_or_capacity_is_no_change_of_plan(town: Town):
    amal, _bilal, _chloe = await a_panel(town)
    await corrected(
        town, panel_1={"capacity": 2, "title": dict.fromkeys(("fr", "ar", "en"), "Data")}
    )
    await town.is_now(EVE + MINUTE)
    assert amal.heard() == []


async def test_a_cancelled_session_leaves_the_agenda_and_may_come_back(town: Town):
    amal, bilal, chloe = await a_panel(town)
    await corrected(town, panel_1=None)
    await town.is_now(EVE + MINUTE)
    facts = "Panel 1: Data and digital technologies\n📅 Wednesday, July 4, 2018\n🕘 10:30 – 12:30 (Rabat time)\n📍 Room A\n"
    assert amal.heard() == [
        f"❌ Cancelled\n\n{facts}\nIt is no longer in your agenda.\n[See the agenda]"
    ]
    assert bilal.heard()[0].startswith("❌ أُلغيت الجلسة\n")
    assert chloe.heard()[0].startswith("❌ Séance annulée\n")
    (mine,) = await amal.says("/myagenda")
    assert mine.startswith("You have no seat yet.")
    (programme,) = await amal.taps("See the agenda")
    assert "Panel 2" in programme
    assert "Panel 1" not in programme
    await corrected(town, panel_1={"capacity": 2})
    await town.is_now(EVE + 2 * MINUTE)
    assert amal.heard() == [
        f"✅ It takes place after all\n\n{facts}\n"
        "✅ You keep your seat.\n[I can't come] [My agenda]"
    ]
    assert chloe.heard()[0].endswith(
        "⏳ Vous gardez votre rang sur la liste d'attente.\n"
        "[Quitter la liste d'attente] [Mon agenda]"
    )


async def test_seats_that_collide_are_pointed_out_with_taps_to_choose(town: Town):
    amal, bilal, chloe = await a_panel(town)
    for person in (amal, bilal, chloe):
        assert await town.seat(person, "panel-3") == Answer.CONFIRMED
    at_panel_3 = {"starts_at": rabat(4, 14, 30), "ends_at": rabat(4, 15, 30), "capacity": 2}
    await corrected(town, panel_1=at_panel_3)
    await town.is_now(EVE + MINUTE)
    (notice,) = amal.heard()
    assert notice.partition("⚠️ ")[2] == (
        "It is now at the same time as another seat of yours:\n"
        "• 14:30 – 16:30 Panel 3: R&D and the development of Morocco\n\n"
        "Which one do you keep?\n"
        "[Keep: Panel 1: Data and digital…]\n[Keep: Panel 3: R&D and the development…]"
    )
    # Whoever stands in line may hold another seat meanwhile.
    assert chloe.heard()[0].endswith("[Quitter la liste d'attente] [Mon agenda]")
    told, card = await amal.taps("Keep: Panel 1: Data and digital…")
    assert told == "(Done: one seat is yours, the other is given back.)"
    assert card.startswith("Panel 1: Data and digital technologies\n")
    assert "✅ You have a seat." in card
    # The same tap again, with the other wish: there is nothing left to choose.
    again = f"keep:{(await town.session('panel-1')).id}:1"
    assert await amal.after(amal.person.taps_data(again)) == ["(Your seats no longer overlap.)"]
    # Bilal keeps the other one.
    bilal.heard()
    told, mine = await bilal.after(
        bilal.person.taps(next(b for b in bilal.last.labels if "3" in b))
    )
    assert told == "(تم: احتفظتم بمقعد وأُعيد الآخر.)"
    assert "الندوة 3" in mine
    assert "الندوة 1" not in mine


async def test_a_choice_is_nobody_elses(town: Town):
    amal, _bilal, _chloe = await a_panel(town)
    stranger = await town.member("Dina", "en")
    await town.seat(stranger, "panel-2")
    await stranger.says("/myagenda")
    session = await town.session("panel-1")
    told, _card = await stranger.after(stranger.person.taps_data(f"keep:{session.id}:0"))
    assert told == "(Your seats no longer overlap.)"
    assert "Panel 2" in (await stranger.says("/myagenda"))[0]
    assert "Panel 1" in (await amal.says("/myagenda"))[0]


async def test_an_offer_is_told_with_its_taps_and_a_newcomer_knows_already(town: Town):
    amal, _bilal, chloe = await a_panel(town)
    await amal.says("/myagenda")
    await amal.taps("✕ Give up")
    await town.is_now(EVE)
    chloe.heard()
    await corrected(town, panel_1=AFTERNOON | {"capacity": 3})
    await town.is_now(EVE + timedelta(seconds=30))
    newcomer = await town.member("Dina", "fr")
    assert await town.seat(newcomer, "panel-1") == Answer.CONFIRMED
    await town.is_now(EVE + MINUTE)
    (notice,) = chloe.heard()
    assert notice.endswith(
        "✨ Une place vous est proposée jusqu'à 11:00.\n[Réserver ma place] [Non, merci]"
    )
    assert newcomer.heard() == []
    assert [said for said in amal.heard() if said.startswith("🔁")] == []


async def test_reminders_follow_the_new_time_and_never_tell_the_news_first(town: Town):
    amal, _bilal, _chloe = await a_panel(town)
    # From tomorrow morning to this morning: the moments of 24 hours and of 15 minutes before.
    now = EVE + 10 * MINUTE
    await town.is_now(now)
    soon = {"starts_at": now + 20 * MINUTE, "ends_at": now + 50 * MINUTE, "capacity": 2}
    await corrected(town, panel_1=soon)
    await town.is_now(now + timedelta(seconds=30))
    assert amal.heard() == []
    await town.is_now(now + MINUTE)
    (notice,) = amal.heard()
    assert notice.startswith("🔁 Change of plan\n")
    await town.is_now(now + 4 * MINUTE)
    assert amal.heard() == []
    await town.is_now(now + 5 * MINUTE)
    (reminder,) = amal.heard()
    assert reminder.startswith("⏰ Reminder: in 15 minutes\n")
    # Nothing comes at the old times.
    for moment in (rabat(3, 10, 30), rabat(4, 10, 15)):
        await town.is_now(moment)
        assert [said for said in amal.heard() if "⏰" in said] == []


async def test_a_notice_that_was_overtaken_is_told_from_where_its_reader_left_off(town: Town):
    amal, bilal, _chloe = await a_panel(town)
    await corrected(town, panel_1=AFTERNOON)
    # Told, but Bilal's letter waits: his chat has to.
    async with town.app.storage.begin() as db:
        assert await plans.tell(db, EVE + MINUTE) == 3
        member = await town.member_of(db, bilal)
        row = await db.scalar(select(Outbox).where(Outbox.member_id == member.id))
        row.due = EVE + 10 * MINUTE
    await town.is_now(EVE + MINUTE)
    assert "Before: 10:30 – 12:30\n" in amal.heard()[0]
    assert bilal.heard() == []
    await town.is_now(EVE + 5 * MINUTE)
    await corrected(town, panel_1=AFTERNOON | {"room": SALLE_B})
    await town.is_now(EVE + 6 * MINUTE)
    assert "📍 Room B\nBefore: Room A\n" in amal.heard()[0]
    await town.is_now(EVE + 11 * MINUTE)
    (only,) = bilal.heard()
    assert "سابقا: 10:30 – 12:30 · القاعة أ\n" in only


async def test_a_notice_of_a_session_that_has_begun_is_never_sent(town: Town):
    amal, _bilal, _chloe = await a_panel(town)
    await town.is_now(rabat(4, 10, 29))
    amal.heard()
    await corrected(town, panel_1={"room": SALLE_B, "capacity": 2})
    await town.is_now(rabat(4, 10, 31))
    assert amal.heard() == []
    # What is over concerns nobody.
    await town.is_now(rabat(4, 13))
    await corrected(town, panel_1={"capacity": 2})
    async with town.app.storage.read() as db:
        open_ = select(func.count()).where(PlanChange.told_at.is_(None))
        assert await db.scalar(open_) == 0


async def test_two_thousand_are_told_by_one_statement_once_each(storage):
    agenda = read_agenda(PROGRAMMES / "rabat-2018.yaml")
    async with storage.begin() as db:
        await agendas.apply(db, agenda, EVE)
        panel = await db.scalar(select(Session).where(Session.slug == "panel-1"))
        people = [Member(created_at=EVE, language="fr") for _ in range(2000)]
        db.add_all(people)
        await db.flush()
        for number, member in enumerate(people):
            state = (Seat.CONFIRMED, Seat.WAITLISTED, Seat.OFFERED, Seat.CANCELLED)[number % 4]
            db.add(Rsvp(session_id=panel.id, member_id=member.id, state=state, since=EVE))
        await members.set_leads(db, people[0], ())
    async with storage.begin() as db:
        panel = await db.get(Session, panel.id)
        before = plans.Plan.of(panel)
        panel.starts_at = rabat(4, 9)
        await plans.revise(db, [(panel, before)], EVE)
    for _ in range(2):
        async with storage.begin() as db:
            await plans.tell(db, EVE + MINUTE)
    async with storage.read() as db:
        posted = (await db.scalars(select(Outbox).where(Outbox.state == Fate.QUEUED))).all()
        cancelled = set(
            await db.scalars(select(Rsvp.member_id).where(Rsvp.state == Seat.CANCELLED))
        )
    assert len(posted) == 1500
    assert {row.member_id for row in posted}.isdisjoint(cancelled)
