"""Reminders, as they are heard: at their leads, in the reader's language, with two buttons."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from storage import rsvps
from storage.rsvps import Answer
from storage.tables import Fate, Outbox, Rsvp
from tests.town import Town


def rabat(day: int, hour: int, minute: int = 0) -> datetime:
    """A time of day in Rabat in July 2018, when it was an hour ahead of UTC."""
    return datetime(2018, 7, day, hour, minute, tzinfo=UTC) - timedelta(hours=1)


async def test_reminders_come_at_their_leads_in_each_language(town: Town):
    await town.programme()
    amal = await town.member("Amal", "fr")
    bilal = await town.member("Bilal", "ar")
    emma = await town.member("Emma", "en", leads=(60,))
    for somebody in (amal, bilal, emma):
        await town.seat(somebody, "panel-1")
    await town.is_now(rabat(3, 10, 29))
    assert [p.heard() for p in (amal, bilal, emma)] == [[], [], []]
    await town.is_now(rabat(3, 10, 30))
    assert amal.heard() == [
        "⏰ Rappel : dans 24 heures\n\nPanel 1 : Data et technologies numériques\n"
        "📅 mercredi 4 juillet 2018\n🕘 10:30 – 12:30 (heure de Rabat)\n📍 Salle A\n"
        "[Je viens] [Je ne peux pas venir]"
    ]
    assert bilal.heard() == [
        "⏰ تذكير: خلال 24 ساعة\n\nالندوة 1: البيانات والتكنولوجيات الرقمية\n"
        "📅 الأربعاء، 4 يوليوز 2018\n🕘 10:30 – 12:30 (بتوقيت الرباط)\n📍 القاعة أ\n"
        "[سأحضر] [لن أتمكن من الحضور]"
    ]
    assert emma.heard() == []
    await town.is_now(rabat(4, 9, 30))
    assert [amal.heard(), bilal.heard()] == [[], []]
    assert emma.heard() == [
        "⏰ Reminder: in 60 minutes\n\nPanel 1: Data and digital technologies\n"
        "📅 Wednesday, July 4, 2018\n🕘 10:30 – 12:30 (Rabat time)\n📍 Room A\n"
        "[I'm coming] [I can't come]\n[🏃 Running late]"
    ]
    await town.is_now(rabat(4, 10, 15))
    assert amal.heard()[0].startswith("⏰ Rappel : dans 15 minutes\n")
    assert bilal.heard()[0].startswith("⏰ تذكير: خلال 15 دقيقة\n")
    await town.is_now(rabat(4, 10, 45))
    assert [p.heard() for p in (amal, bilal, emma)] == [[], [], []]


async def test_whoever_comes_says_so_and_may_change_their_mind(town: Town):
    await town.programme()
    amal = await town.member("Amal", "fr")
    await town.seat(amal, "panel-1")
    await town.is_now(rabat(3, 10, 30))
    amal.heard()
    card = (
        "Panel 1 : Data et technologies numériques\n"
        "📅 mercredi 4 juillet 2018\n🕘 10:30 – 12:30 (heure de Rabat)\n📍 Salle A\n"
    )
    assert await amal.taps("Je viens") == [
        "(Merci, à bientôt !)",
        f"✅ Vous venez.\n\n{card}[🎟 Mon billet]\n[Je ne peux pas venir]",
    ]
    assert await amal.taps("Je ne peux pas venir") == [
        "(C'est fait : votre place revient à quelqu'un d'autre.)",
        f"Votre place est rendue. Merci de nous avoir prévenus.\n\n{card}[J'ai changé d'avis]",
    ]
    # The seat is gone: no reminder 15 minutes before.
    await town.is_now(rabat(4, 10, 15))
    assert amal.heard() == []
    assert await amal.taps("J'ai changé d'avis") == [
        "(Votre place est réservée. Je vous le rappellerai avant le début.)",
        f"{card}Thèmes : Innovation et nouvelles technologies, Recherche scientifique et "
        "technique\nPlaces : 29 places libres\n\n✅ Vous avez une place.\n"
        "[🎟 Mon billet]\n[Rendre ma place]\n[‹ Programme] [Mon agenda] [Partager]",
    ]


async def test_whoever_runs_late_says_so_and_the_door_is_told_once(town: Town):
    await town.programme()
    amal = await town.member("Amal", "fr", leads=(15,))
    await town.seat(amal, "panel-1")
    await town.is_now(rabat(4, 10, 15))
    (reminder,) = amal.heard()
    assert reminder.endswith("[Je viens] [Je ne peux pas venir]\n[🏃 Je serai en retard]")
    old = amal.last
    late = (
        "🏃 Vous serez en retard ; l'accueil est prévenu.\n\n"
        "Panel 1 : Data et technologies numériques\n"
        "📅 mercredi 4 juillet 2018\n🕘 10:30 – 12:30 (heure de Rabat)\n📍 Salle A\n"
        "[Je ne peux pas venir]"
    )
    thanks = "(Merci de nous avoir prévenus. Votre place vous attend.)"
    assert await amal.taps("🏃 Je serai en retard") == [thanks, late]
    town.clock.jump(rabat(4, 10, 20))
    panel = await town.session("panel-1")
    async with town.app.storage.begin() as db:
        member = await town.member_of(db, amal)
        again = await rsvps.run_late(db, member, panel.id, town.clock.now())
        assert again is not None
        assert again.answer == Answer.CONFIRMED
        told = await db.scalar(select(Rsvp.late_at))
    assert told == rabat(4, 10, 15)
    await amal.taps("Je ne peux pas venir", old)
    async with town.app.storage.read() as db:
        assert await db.scalar(select(Rsvp.late_at)) is None
    town.clock.jump(rabat(4, 13))
    assert (await amal.after(amal.person.taps_data(f"late:{panel.id}")))[0] == (
        "(Cette séance est terminée.)"
    )


async def test_whoever_cannot_come_hears_no_more_and_the_next_in_line_hears_at_once(town: Town):
    await town.programme()
    await town.session("panel-1", capacity=1)
    amal, emma = await town.member("Amal", "fr"), await town.member("Emma", "en")
    for somebody in (amal, emma):
        await town.seat(somebody, "panel-1")
    await town.is_now(rabat(3, 10, 30))
    await amal.taps("Je ne peux pas venir")
    await town.is_now(rabat(3, 10, 30))
    (offer,) = emma.heard()
    assert offer.startswith("✨ A seat is free for you\n")
    amal.heard()
    await town.is_now(rabat(4, 10, 15))
    assert amal.heard() == []


async def test_a_seat_given_back_by_reminder_is_free_at_once(town: Town):
    await town.programme()
    await town.session("panel-1", capacity=1)
    amal, bilal = await town.member("Amal", "fr"), await town.member("Bilal", "ar")
    await town.seat(amal, "panel-1")
    await town.is_now(rabat(3, 10, 30))
    await amal.taps("Je ne peux pas venir")
    assert await town.seat(bilal, "panel-1") == Answer.CONFIRMED


async def test_a_button_of_a_reminder_after_the_session_says_so(town: Town):
    await town.programme()
    amal = await town.member("Amal", "fr")
    await town.seat(amal, "panel-1")
    await town.is_now(rabat(4, 10, 15))
    reminder = amal.last
    amal.heard()
    await town.is_now(rabat(4, 13))
    assert amal.heard()[0].startswith("Comment était-ce ?")
    assert await amal.taps("Je ne peux pas venir", reminder) == ["(Cette séance est terminée.)"]
    assert await amal.taps("Je viens", reminder) == ["(Cette séance est terminée.)"]


async def test_a_language_changed_meanwhile_is_the_one_of_the_reminder(town: Town):
    await town.programme()
    amal = await town.member("Amal", "fr")
    await town.seat(amal, "panel-1")
    await amal.says("/settings")
    await amal.taps("🌐 Langue")
    await amal.taps("English")
    await town.is_now(rabat(3, 10, 30))
    assert amal.heard()[0].startswith("⏰ Reminder: in 24 hours\n")


async def test_whoever_wants_none_gets_none(town: Town):
    await town.programme()
    amal = await town.member("Amal", "fr")
    await town.seat(amal, "panel-1")
    await amal.says("/settings")
    await amal.taps("⏰ Rappels")
    assert await amal.taps("▫️ Aucun rappel") == [
        "Combien de temps avant chacune de vos séances dois-je vous envoyer un rappel ?\n"
        "[▫️ 24 heures]\n[▫️ 1 heure]\n[▫️ 15 minutes]\n[✅ Aucun rappel]\n[‹ Réglages]"
    ]
    await town.is_now(rabat(3, 10, 30))
    await town.is_now(rabat(4, 10, 15))
    assert amal.heard() == []


async def test_a_session_that_moved_is_reminded_of_at_its_new_time(town: Town):
    await town.programme()
    amal = await town.member("Amal", "fr")
    await town.seat(amal, "panel-1")
    await town.is_now(rabat(3, 10, 30))
    amal.heard()
    await town.session("panel-1", starts_at=rabat(4, 17), ends_at=rabat(4, 19))
    await town.is_now(rabat(4, 10, 15))
    assert amal.heard()[0].splitlines()[0] == "⏰ Rappel : dans 7 heures"
    await town.is_now(rabat(4, 16, 45))
    assert amal.heard()[0].splitlines()[:5] == [
        "⏰ Rappel : dans 15 minutes",
        "",
        "Panel 1 : Data et technologies numériques",
        "📅 mercredi 4 juillet 2018",
        "🕘 17:00 – 19:00 (heure de Rabat)",
    ]


async def test_a_session_cancelled_a_moment_earlier_is_not_reminded_of(town: Town):
    await town.programme()
    amal = await town.member("Amal", "fr")
    await town.seat(amal, "panel-1")
    town.clock.jump(rabat(3, 10, 30))
    await town.app.tick()
    await town.session("panel-1", cancelled_at=rabat(3, 10, 30))
    await town.is_now(rabat(3, 10, 30))
    assert amal.heard() == []
    async with town.app.storage.read() as db:
        row = (await db.scalars(select(Outbox))).one()
    assert (row.state, row.reason, row.provider_id) == (Fate.VOID, "overtaken by events", None)
