"""Staff's forms: events and sessions made and changed by short questions, answered by hand or tap."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from storage.tables import Event, Role, Session
from tests.entrance import keeper
from tests.town import EVE, Town

MINUTE = timedelta(minutes=1)
WAY_OUT = "[‹ Back] [✕ Stop]"


async def at_a_session(town: Town, person, slug: str = "panel-1"):
    """Somebody of the team looks at a session."""
    session = await town.session(slug)
    await person.says("/events")
    await person.after(person.person.taps_data(f"evses:{session.id}"))


async def test_an_event_and_a_session_are_made_by_short_questions(town: Town):
    sofia = await keeper(town, "Sofia")
    assert await sofia.says("/events") == [
        "Events of the team\n\nThere is no event yet. Make one, or send me an agenda file.\n"
        "[＋ New event]"
    ]
    assert await sofia.taps("＋ New event") == [f"Question 1 of 7\nWhat is its title?\n{WAY_OUT}"]
    assert await sofia.says("Open day of the consulate") == [
        f"Question 2 of 7\nAnd its title in this language: Français?\n[Skip]\n{WAY_OUT}"
    ]
    await sofia.says("Journée portes ouvertes")
    assert await sofia.taps("Skip") == [
        "And its title in this language: العربية?\nSkip",
        f"Question 4 of 7\nIn which city?\n[Skip]\n{WAY_OUT}",
    ]
    await sofia.says("Lyon")
    (zone,) = (await sofia.says("Lyon"))[-1:]
    assert zone.startswith(
        "I don't know this time zone. Write a large city, e.g. Paris or Montreal.\n"
    )
    (starts,) = (await sofia.taps("Paris"))[-1:]
    assert starts == (
        "Question 6 of 7\nOn which day does it begin? For example: 12/12, or 12 December.\n"
        + WAY_OUT
    )
    (hint,) = await sofia.says("soon")
    assert hint.startswith("I can't read this day. Write it like 12/12 or 12/12/2026.\n")
    await sofia.says("12 December")
    (card,) = (await sofia.taps("The same day"))[-1:]
    assert card.startswith(
        "✅ Done. You can undo this for a minute.\n\nOpen day of the consulate\n"
        "📅 Wednesday, December 12, 2018\n📍 Lyon (Europe/Paris)\n0 sessions\n0 seats taken\n"
        "Link: ?start=journee-portes-ouvertes\n[↩️ Undo]\n"
    )
    await sofia.taps("＋ New session")
    await sofia.says("Welcome")
    await sofia.taps("Skip")
    await sofia.taps("Skip")
    (start,) = (await sofia.taps("Wed, Dec 12"))[-1:]
    assert start.startswith("Question 5 of 9\nWhen does it begin? For example: 14:30.\n")
    (end,) = await sofia.says("14h30")
    assert end == (
        "Question 6 of 9\nWhen does it end? For example: 16:00, or 90 min.\n"
        f"[30 minutes] [1 hour]\n[90 minutes] [2 hours]\n{WAY_OUT}"
    )
    assert (await sofia.says("14:00"))[0].startswith("It would end before it begins.\n")
    await sofia.taps("90 minutes")
    await sofia.says("Main hall")
    (kind,) = (await sofia.says("40"))[-1:]
    assert "[Plenary] [Panel]\n" in kind
    (card,) = (await sofia.taps("Ceremony"))[-1:]
    assert card.startswith(
        "✅ Done. You can undo this for a minute.\n\nWelcome\n📅 Wednesday, December 12, 2018\n"
        "🕘 14:30 – 16:00 (Lyon time)\n📍 Main hall\nSeats taken: 0 of 40\n[↩️ Undo]\n"
    )
    async with town.app.storage.read() as db:
        event = await db.scalar(select(Event))
        session = await db.scalar(select(Session))
    assert event.title == {
        "en": "Open day of the consulate",
        "fr": "Journée portes ouvertes",
        "ar": "Open day of the consulate",
    }
    assert session.starts_at == datetime(2018, 12, 12, 13, 30, tzinfo=UTC)
    assert (session.slug, session.kind, session.online) == ("welcome", "ceremony", False)
    # Members find it by its words at once.
    amal = await town.member("Amal", "fr")
    assert "Welcome" in (await amal.says("/search welcome"))[0]
    told, card = await sofia.taps("↩️ Undo")
    assert told == "(Undone.)"
    assert "0 sessions" in card


async def test_a_move_by_hand_tells_before_and_after_once(town: Town):
    await town.programme()
    sofia, amal = await keeper(town, "Sofia", "fr"), await town.member("Amal", "ar")
    await town.seat(amal, "panel-1")
    await at_a_session(town, sofia)
    assert await sofia.taps("✎ Horaire") == [
        "Question 1 sur 3\nQuel jour ? Par exemple : 12/12, ou 12 décembre.\n"
        "[mer. 4 juil.] [jeu. 5 juil.]\n[‹ Retour] [✕ Arrêter]"
    ]
    assert (await sofia.says("le 6 juillet"))[0].startswith(
        "L'événement va du mercredi 4 juillet 2018 au jeudi 5 juillet 2018.\n"
    )
    await sofia.says("le 4 juillet")
    await sofia.says("14 h")
    (card,) = await sofia.says("15h30")
    assert card.startswith("✅ C'est fait. Dans une minute, les personnes concernées seront")
    assert "🕘 14:00 – 15:30 (heure de Rabat)" in card
    await town.is_now(EVE + 30 * timedelta(seconds=1))
    await sofia.taps("✎ Salle")
    (card,) = (await sofia.taps("Salle B"))[-1:]
    assert "📍 Salle B" in card
    await town.is_now(EVE + MINUTE)
    assert amal.heard() == []
    await town.is_now(EVE + 90 * timedelta(seconds=1))
    (notice,) = amal.heard()
    assert (
        "🕘 14:00 – 15:30 (بتوقيت الرباط)\n📍 القاعة ب\nسابقا: 10:30 – 12:30 · القاعة أ\n" in notice
    )


async def test_fewer_seats_evict_nobody_and_more_go_to_the_line(town: Town):
    await town.programme()
    await town.session("panel-1", capacity=2)
    sofia = await keeper(town, "Sofia", "ar")
    people = [await town.member(name, "en") for name in ("Amal", "Bilal", "Chloé")]
    for person in people:
        await town.seat(person, "panel-1")
    await at_a_session(town, sofia)
    await sofia.taps("✎ المقاعد")
    assert (await sofia.says("واحد"))[0].startswith("يرجى كتابة عدد صحيح، مثل 30.\n")
    (card,) = await sofia.says("١")
    assert "المقاعد المحجوزة: 2 من 1 · في الانتظار: 1" in card
    await town.is_now(EVE)
    assert [person.heard() for person in people] == [[], [], []]
    await sofia.taps("✎ المقاعد")
    await sofia.says("3")
    await town.is_now(EVE)
    assert people[2].heard()[0].startswith("✨ A seat is free for you\n")


async def test_the_way_back_and_the_ways_out_change_nothing(town: Town):
    await town.programme()
    sofia = await keeper(town, "Sofia")
    await at_a_session(town, sofia)
    await sofia.taps("✎ Title")
    await sofia.says("Data")
    (first,) = await sofia.taps("‹ Back")
    assert first.startswith("Question 1 of 3\n")
    help_, again = await sofia.says("/help")
    assert help_.startswith("What I can do\n")
    assert again == first
    (hint,) = await sofia.after(sofia.person.sends_sticker())
    assert hint.startswith("Please answer by writing a short text.\n")
    (hint,) = await sofia.says("/nonsense")
    assert hint.startswith("I don't know this command.\n")
    (card,) = await sofia.taps("✕ Stop")
    assert card.startswith("Nothing is changed.\n\nPanel 1: Data and digital technologies\n")
    await sofia.taps("✎ Title")
    (card,) = await sofia.says("/cancel")
    assert card.startswith("Nothing is changed.\n\nPanel 1: Data and digital technologies\n")
    assert (await sofia.taps("✕ Stop"))[0] == "(This question is closed. /events shows the way.)"


async def test_a_new_title_keeps_the_other_languages_unless_they_only_repeated_it(town: Town):
    await town.programme()
    sofia = await keeper(town, "Sofia")
    before = (await town.session("panel-1")).title
    await at_a_session(town, sofia)
    await sofia.taps("✎ Title")
    await sofia.says("Data & <friends>")
    await sofia.taps("Skip")
    (card,) = (await sofia.taps("Skip"))[-1:]
    assert "\n\nData & <friends>\n" in card
    assert (await town.session("panel-1")).title == before | {"en": "Data & <friends>"}


async def test_who_is_no_longer_staff_gets_no_further(town: Town):
    await town.programme()
    sofia = await keeper(town, "Sofia")
    await at_a_session(town, sofia)
    await sofia.taps("✎ Seats")
    async with town.app.storage.begin() as db:
        (await town.member_of(db, sofia)).role = Role.MEMBER
    await sofia.says("5")
    assert (await town.session("panel-1")).capacity == 30


async def test_last_years_event_is_repeated_on_new_dates_without_its_seats(town: Town):
    await town.programme()
    sofia, amal = await keeper(town, "Sofia"), await town.member("Amal", "fr")
    await town.seat(amal, "panel-1")
    await town.session("panel-2", cancelled_at=EVE)
    await sofia.says("/events")
    await sofia.taps("1st Thematic Workshop of Moroccan Experts…")
    await sofia.taps("Repeat on new dates")
    (card,) = await sofia.says("2/12/2019")
    assert card.startswith(
        "✅ Done. You can undo this for a minute.\n\n"
        "1st Thematic Workshop of Moroccan Experts in France\n"
        "📅 Monday, December 2, 2019 to Tuesday, December 3, 2019\n📍 Rabat (Africa/Casablanca)\n"
        "7 sessions\n0 seats taken\nLink: ?start=rabat-2019\n[↩️ Undo]\n"
    )
    (day,) = await sofia.taps("Sessions")
    # The same time of day, though Morocco's clocks were changed in between.
    assert "10:30 – 12:30 · Panel 1: Data and digital technologies\nSeats taken: 0 of 30" in day
    await sofia.says("/events")
    await sofia.taps("1st Thematic Workshop of Moroccan Experts…")


async def test_a_member_hears_nothing_of_it_and_an_undone_event_is_gone(town: Town):
    await town.programme()
    sofia = await keeper(town, "Sofia")
    await sofia.says("/events")
    await sofia.taps("1st Thematic Workshop of Moroccan Experts…")
    await sofia.taps("Repeat on new dates")
    await sofia.says("2/12/2019")
    told, _list = await sofia.taps("↩️ Undo")
    assert told == "(Undone.)"
    async with town.app.storage.read() as db:
        assert (await db.scalars(select(Event.slug))).all() == ["rabat-2018"]
