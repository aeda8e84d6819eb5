"""Staff's events: the screens of `/events`, what a tap does at once, and second thoughts."""

from datetime import timedelta

from tests.entrance import keeper
from tests.town import EVE, Town

MINUTE = timedelta(minutes=1)


async def test_to_others_there_is_no_such_command_and_no_such_button(town: Town):
    await town.programme()
    sofia, amal = await keeper(town, "Sofia"), await town.member("Amal", "en")
    (unknown,) = await amal.says("/nonsense")
    assert await amal.says("/events") == [unknown]
    assert "/events" not in unknown
    assert "/events · Manage events and sessions" in (await sofia.says("/help"))[0]
    session = await town.session("panel-1")
    for data in (
        f"act:cancel:{session.id}",
        "evall:0",
        f"evses:{session.id}",
        "undo:1",
        "fill:event:0",
    ):
        assert await amal.after(amal.person.taps_data(data)) == [
            "(This button is from an older message. /help shows the way.)"
        ]
    assert (await town.session("panel-1")).cancelled_at is None


async def test_from_the_list_to_a_session_and_its_line(town: Town):
    await town.programme()
    sofia = await keeper(town, "Sofia")
    await town.session("panel-1", capacity=1)
    for name in ("Amal", "Bilal", "Chloé"):
        await town.seat(await town.member(name, "fr"), "panel-1")
    assert await sofia.says("/events") == [
        "Events of the team\n\n1st Thematic Workshop of Moroccan Experts in France\n"
        "Wednesday, July 4, 2018 · Rabat\n\n"
        "Choose an event, make a new one, or send me an agenda file.\n"
        "[1st Thematic Workshop of Moroccan Experts…]\n[＋ New event]"
    ]
    (event,) = await sofia.taps("1st Thematic Workshop of Moroccan Experts…")
    assert event == (
        "1st Thematic Workshop of Moroccan Experts in France\n📅 Wednesday, July 4, 2018 to Thursday, July 5, 2018\n"
        "📍 Rabat (Africa/Casablanca)\n8 sessions\n1 seat taken · 2 waiting\nLink: ?start=rabat-2018\n"
        "[Sessions] [＋ New session]\n[✎ Title] [✎ Place] [✎ Dates]\n"
        "[Seats and reminders] [🚪 Door]\n[📣 Tell members of it]\n"
        "[📄 Attendees (Excel)] [📄 Attendees (CSV)]\n"
        "[📅 Calendar file (.ics)] [🗂 Programme (frab)]\n[Repeat on new dates] [‹ Events]"
    )
    (day,) = await sofia.taps("Sessions")
    assert (
        "10:30 – 12:30 · Panel 1: Data and digital technologies\nSeats taken: 1 of 1 · 2 waiting"
        in day
    )
    assert await sofia.taps("10:30 Panel 1: Data and digital technologies") == [
        "Panel 1: Data and digital technologies\n📅 Wednesday, July 4, 2018\n"
        "🕘 10:30 – 12:30 (Rabat time)\n📍 Room A\nSeats taken: 1 of 1 · 2 waiting\n\n"
        "Waitlist\n1. Bilal\n2. Chloé\n"
        "[✎ Time] [✎ Room] [✎ Seats]\n[✎ Title] [✎ Kind]\n[Cancel the session]\n"
        "[🚪 Door] [⭐ Ratings]\n[‹ Sessions]"
    ]


async def a_panel_card(town: Town, language: str = "en"):
    """A member of the team looks at panel 1, in which Amal has a seat."""
    await town.programme()
    sofia, amal = await keeper(town, "Sofia", language), await town.member("Amal", "fr")
    await town.seat(amal, "panel-1")
    session = await town.session("panel-1")
    await sofia.says("/events")
    await sofia.after(sofia.person.taps_data(f"evses:{session.id}"))
    return sofia, amal


async def test_a_cancelled_session_can_be_put_back_in_time_and_nobody_hears(town: Town):
    sofia, amal = await a_panel_card(town)
    (card,) = await sofia.taps("Cancel the session")
    assert card.startswith(
        "✅ Done. In a minute those concerned are told; until then you can undo it.\n\nPanel 1:"
    )
    assert "❌ This session is cancelled." in card
    assert "[↩️ Undo]\n" in card
    await town.is_now(EVE + timedelta(seconds=59))
    told, card = await sofia.taps("↩️ Undo")
    assert told == "(Undone.)"
    assert "[Cancel the session]" in card
    await town.is_now(EVE + 3 * MINUTE)
    assert amal.heard() == []


async def test_after_a_minute_it_is_told_and_no_longer_undone(town: Town):
    sofia, amal = await a_panel_card(town)
    await sofia.taps("Cancel the session")
    await town.is_now(EVE + MINUTE + timedelta(seconds=1))
    assert amal.heard()[0].startswith("❌ Séance annulée\n")
    told, card = await sofia.taps("↩️ Undo")
    assert told == "(The minute is over: please change it by hand.)"
    assert "[Put it back]" in card
    await sofia.taps("Put it back")
    await town.is_now(EVE + 3 * MINUTE)
    assert amal.heard()[0].startswith("✅ La séance a finalement lieu\n")


async def test_an_undo_gives_way_to_what_somebody_did_since_and_is_its_owners(town: Town):
    sofia, _amal = await a_panel_card(town)
    await sofia.taps("Cancel the session")
    undo = next(b.data for row in sofia.last.keyboard for b in row if b.text == "↩️ Undo")
    other = await keeper(town, "Omar", "fr")
    await other.says("/events")
    assert (await other.after(other.person.taps_data(undo)))[0] == (
        "(Seule la personne qui l'a fait peut l'annuler.)"
    )
    session = await town.session("panel-1")
    await other.after(other.person.taps_data(f"evses:{session.id}"))
    await other.taps("Rétablir la séance")
    assert (await sofia.taps("↩️ Undo"))[
        0
    ] == "(It was changed again since: please look at it first.)"


async def test_the_same_screens_in_french_and_arabic(town: Town):
    sofia, _amal = await a_panel_card(town, "fr")
    (card,) = await sofia.taps("Annuler la séance")
    assert card == (
        "✅ C'est fait. Dans une minute, les personnes concernées seront prévenues ; d'ici là, "
        "vous pouvez annuler.\n\nPanel 1 : Data et technologies numériques\n"
        "📅 mercredi 4 juillet 2018\n🕘 10:30 – 12:30 (heure de Rabat)\n📍 Salle A\n"
        "Places prises : 1 sur 30\n❌ Cette séance est annulée.\n[↩️ Annuler]\n"
        "[✎ Horaire] [✎ Salle] [✎ Places]\n[✎ Titre] [✎ Type]\n[Rétablir la séance]\n[🚪 Entrée] [⭐ Avis]\n[‹ Séances]"
    )
    omar = await keeper(town, "عمر", "ar")
    assert await omar.says("/events") == [
        "فعاليات فريق العمل\n\nالملتقى الموضوعاتي الأول للخبراء المغاربة بفرنسا\n"
        "الأربعاء، 4 يوليوز 2018 · الرباط\n\nاختاروا فعالية، أو أنشئوا واحدة جديدة، أو أرسلوا إلي ملف برنامج.\n"
        "[الملتقى الموضوعاتي الأول للخبراء المغاربة…]\n[＋ فعالية جديدة]"
    ]


async def test_an_empty_session_is_deleted_and_comes_back(town: Town):
    await town.programme()
    sofia = await keeper(town, "Sofia")
    session = await town.session("panel-4")
    await sofia.says("/events")
    await sofia.after(sofia.person.taps_data(f"evses:{session.id}"))
    (card,) = await sofia.taps("Delete")
    assert "7 sessions" in card
    told, card = await sofia.taps("↩️ Undo")
    assert told == "(Undone.)"
    assert card.startswith("Panel 4")
    back = await town.session("panel-4")
    assert (back.id, back.title, back.room) == (session.id, session.title, session.room)
    # Somebody answered meanwhile: the old button deletes nothing.
    await town.seat(await town.member("Amal", "fr"), "panel-4")
    told, _card = await sofia.after(sofia.person.taps_data(f"act:delete:{session.id}"))
    assert told == "(Somebody has answered it: you can cancel it instead.)"


async def test_what_is_chosen_for_an_event_goes_round_by_tap(town: Town):
    await town.programme()
    sofia = await keeper(town, "Sofia")
    await sofia.says("/events")
    await sofia.taps("1st Thematic Workshop of Moroccan Experts…")
    assert await sofia.taps("Seats and reminders") == [
        "1st Thematic Workshop of Moroccan Experts in France\n\nSeats in the whole event: 100\n"
        "A member may bring 0 guests.\n"
        "A freed seat is offered to the first in line, who has time to answer.\n"
        "Reminders, for members who never chose their own:\n"
        "[✎ Seats] [Guests: 0]\n[Freed seats: offered]\n"
        "[✅ 24 hours] [▫️ 1 hour] [✅ 15 minutes]\n[✅ The usual ones]\n[‹ Event]"
    ]
    for before, after in ((0, 1), (1, 2), (2, 0)):
        (card,) = await sofia.taps(f"Guests: {before}")
        assert f"[Guests: {after}]" in card
    (card,) = await sofia.taps("Freed seats: offered")
    assert "[Freed seats: given at once]" in card
    await sofia.taps("↩️ Undo")
    await sofia.taps("Seats and reminders")
    (card,) = await sofia.taps("▫️ 1 hour")
    assert "[✅ 24 hours] [✅ 1 hour] [✅ 15 minutes]\n[▫️ The usual ones]" in card
    (card,) = await sofia.taps("▫️ The usual ones")
    assert "[✅ 24 hours] [▫️ 1 hour] [✅ 15 minutes]\n[✅ The usual ones]" in card
    await sofia.taps("✎ Seats")
    await sofia.says("120")
    (card,) = await sofia.taps("Seats and reminders")
    assert "Seats in the whole event: 120\n" in card
