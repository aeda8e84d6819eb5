"""Ratings: asked once after the session of those who were there; one tap, perhaps a sentence."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from storage import ratings
from storage.quiet import Rhythm
from storage.tables import Event, Outbox, Rating, Session
from tests.entrance import keeper, scans, ticket_of
from tests.town import Town

# Panel 2 is from 10:30 to 12:30 in Rabat.
DOORS = datetime(2018, 7, 4, 9, 15, tzinfo=UTC)
ENDS = datetime(2018, 7, 4, 11, 30, tzinfo=UTC)
ASKED = ENDS + timedelta(minutes=10)
STARS = "[⭐ 1] [⭐ 2] [⭐ 3] [⭐ 4] [⭐ 5]"
TITLE = "Panel 2: Energy, energy efficiency and environment"
QUESTIONS = {
    "en": (
        f"How was it?\n{TITLE}\n\nOne tap is enough. The team reads it without your name.\n"
        f"{STARS}\n[No, thank you]"
    ),
    "fr": (
        "Comment était-ce ?\nPanel 2 : Énergie, efficacité énergétique et environnement\n\n"
        f"Un toucher suffit. L'équipe le lit sans votre nom.\n{STARS}\n[Non, merci]"
    ),
    "ar": (
        "كيف كانت؟\nالندوة 2: الطاقة والنجاعة الطاقية والبيئة\n\n"
        f"تكفي ضغطة واحدة. يقرؤها فريق العمل دون اسمكم.\n{STARS}\n[لا، شكرا]"
    ),
}


async def a_panel(town: Town, *people: str):
    """They have a seat in panel 2; each is named with a language, as in `Amal:en`."""
    await town.programme()
    residents = []
    for person in people:
        name, _, language = person.partition(":")
        resident = await town.member(name, language or "en", leads=())
        await town.seat(resident, "panel-2")
        residents.append(resident)
    return residents


async def after(town: Town, moment: datetime = ASKED) -> None:
    await town.is_now(moment)


async def test_after_the_session_everybody_is_asked_once_in_their_language(town: Town):
    people = await a_panel(town, "Amal:en", "Bilal:ar", "Chloé:fr")
    await after(town, ASKED - timedelta(seconds=1))
    assert [one.heard() for one in people] == [[], [], []]
    await after(town)
    assert [one.heard() for one in people] == [[QUESTIONS[code]] for code in ("en", "ar", "fr")]
    await after(town, ASKED + timedelta(minutes=1))
    assert [one.heard() for one in people] == [[], [], []]


async def test_one_tap_rates_and_a_second_one_changes_it(town: Town):
    (amal,) = await a_panel(town, "Amal")
    await after(town)
    amal.heard()
    assert await amal.taps("⭐ 4") == [
        "(Thank you!)",
        f"{TITLE}\n\nYour rating: ⭐⭐⭐⭐. Thank you! You can still change it.\n"
        "[⭐ 1] [⭐ 2] [⭐ 3] [✅ 4] [⭐ 5]\n[✍️ Add a sentence]",
    ]
    assert (await amal.taps("⭐ 2"))[1].splitlines()[2:4] == [
        "Your rating: ⭐⭐. Thank you! You can still change it.",
        "[⭐ 1] [✅ 2] [⭐ 3] [⭐ 4] [⭐ 5]",
    ]
    async with town.app.storage.read() as db:
        assert (await db.scalars(select(Rating.stars))).all() == [2]


async def test_no_thank_you_is_fine(town: Town):
    (amal,) = await a_panel(town, "Amal:fr")
    await after(town)
    amal.heard()
    assert await amal.taps("Non, merci") == ["Entendu. Merci d'avoir été là !"]


async def test_a_sentence_is_typed_after_the_tap(town: Town):
    (amal,) = await a_panel(town, "Amal")
    await after(town)
    await amal.taps("⭐ 5")
    assert await amal.taps("✍️ Add a sentence") == [
        f"{TITLE}\n\nWhat would you like to say? Write it in one message.\n[‹ Without a sentence]"
    ]
    # Other commands work meanwhile.
    assert (await amal.says("/help"))[0].startswith("What I can do\n")
    assert await amal.after(amal.person.sends_sticker()) == [
        "Please answer by writing a short text."
    ]
    assert await amal.says("x" * 501) == [
        "That is a little long: 501 characters, and I can keep 500. "
        "Please send it again, shorter; /cancel leaves it."
    ]
    assert await amal.says("More <b>time</b> for questions!") == [
        f"{TITLE}\n\nYour rating: ⭐⭐⭐⭐⭐. Thank you! You can still change it.\n"
        "“More <b>time</b> for questions!”\n"
        "[⭐ 1] [⭐ 2] [⭐ 3] [⭐ 4] [✅ 5]\n[✍️ Change the sentence]"
    ]
    # What comes after it is no sentence any more.
    assert (await amal.says("qwerty"))[0].startswith("I didn't understand that.")


async def test_there_are_two_ways_out_of_the_sentence(town: Town):
    (amal,) = await a_panel(town, "Amal")
    await after(town)
    await amal.taps("⭐ 5")
    await amal.taps("✍️ Add a sentence")
    assert (await amal.taps("‹ Without a sentence"))[0].endswith("\n[✍️ Add a sentence]")
    assert (await amal.says("qwerty"))[0].startswith("I didn't understand that.")
    await amal.taps("✍️ Add a sentence")
    assert await amal.says("/cancel") == ["Nothing is added. Your stars are kept."]
    assert (await amal.says("qwerty"))[0].startswith("I didn't understand that.")


async def test_words_of_the_next_day_are_no_sentence(town: Town):
    (amal,) = await a_panel(town, "Amal")
    await after(town)
    await amal.taps("⭐ 5")
    await amal.taps("✍️ Add a sentence")
    town.clock.jump(ASKED + timedelta(days=1))
    assert (await amal.says("qwerty"))[0].startswith("I didn't understand that.")
    async with town.app.storage.read() as db:
        assert await db.scalar(select(Rating.sentence)) is None


async def test_where_a_door_was_kept_only_those_who_came_in_are_asked(town: Town):
    amal, bilal, chloe = await a_panel(town, "Amal", "Bilal", "Chloé")
    salma = await keeper(town)
    await chloe.says("/myagenda")
    payload = await ticket_of(town, chloe, "panel-2")
    await chloe.taps("Give up my seat")
    ticket = await ticket_of(town, amal, "panel-2")
    await town.is_now(DOORS)
    await scans(salma, ticket)
    # Chloé has no seat any more, and is let in all the same.
    await scans(salma, payload)
    await salma.taps("Let in as a walk-in")
    for one in (amal, bilal, chloe):
        one.heard()
    await after(town)
    assert [amal.heard(), bilal.heard(), chloe.heard()] == [
        [QUESTIONS["en"]],
        [],
        [QUESTIONS["en"]],
    ]
    # A forged tap of who wasn't there rates nothing.
    session = await town.session("panel-2")
    data = f"rate:{session.id}:1"
    await bilal.says("/help")
    assert await bilal.after(bilal.person.taps_data(data)) == [
        "(This session can't be rated any more.)"
    ]


async def test_the_entrance_of_the_event_counts_as_having_been_there(town: Town):
    amal, bilal = await a_panel(town, "Amal", "Bilal")
    salma = await keeper(town)
    await town.is_now(DOORS)
    await salma.says("/door")
    await salma.taps("🚪 Entrance: 1st Thematic Workshop of…")
    await salma.taps("Amal")
    await after(town)
    assert (amal.heard(), bilal.heard()) == ([QUESTIONS["en"]], [])


async def test_nobody_is_asked_about_a_cancelled_session_or_long_after_it(town: Town):
    (amal,) = await a_panel(town, "Amal")
    await town.session("panel-2", cancelled_at=town.clock.now())
    await after(town)
    assert amal.heard() == []
    await town.session("panel-2", cancelled_at=None)
    await after(town, ENDS + timedelta(days=2))
    assert amal.heard() == []
    async with town.app.storage.read() as db:
        assert await db.scalar(select(func.count()).where(Outbox.kind == ratings.KIND)) == 0


@pytest.mark.parametrize(
    ("rhythm", "at", "asked"),
    [
        ("|1320|480", (21, 30), (4, 21, 30)),
        ("|1320|480", (22, 30), (5, 8, 0)),
        ("|1320|480", (7, 59), (4, 8, 0)),
        ("|60|420", (2, 0), (4, 7, 0)),
        ("Asia/Tokyo|1320|480", (14, 0), (4, 14, 0)),
        ("||", (23, 0), (4, 23, 0)),
    ],
)
def test_quiet_hours_are_waited_out(rhythm: str, at: tuple[int, int], asked: tuple[int, int, int]):
    """In Rabat, which was at UTC+1 then; whoever was in a room there has the day of that room."""

    def rabat(day: int, hour: int, minute: int) -> datetime:
        return datetime(2018, 7, day, hour, minute, tzinfo=UTC) - timedelta(hours=1)

    session, event = Session(online=False), Event(timezone="Africa/Casablanca")
    found = ratings.loud_again(Rhythm.read(rhythm), session, event, rabat(4, *at))
    assert found == rabat(*asked)


async def test_a_session_that_ends_at_night_is_asked_about_in_the_morning(town: Town):
    (amal,) = await a_panel(town, "Amal")
    night = datetime(2018, 7, 4, 22, 0, tzinfo=UTC)
    await town.session("panel-2", ends_at=night)
    await after(town, night + timedelta(minutes=10))
    assert amal.heard() == []
    await after(town, datetime(2018, 7, 5, 6, 59, tzinfo=UTC))
    assert amal.heard() == []
    await after(town, datetime(2018, 7, 5, 7, 0, tzinfo=UTC))
    assert amal.heard() == [QUESTIONS["en"]]


async def test_staff_read_figures_and_sentences_without_names(town: Town):
    people = await a_panel(town, "Amal", "Bilal", "Chloé")
    salma = await keeper(town, "Salma", "fr")
    await town.is_now(DOORS)
    await salma.says("/door")
    label = next(b.text for row in salma.last.keyboard for b in row if "Panel 2" in b.text)
    await salma.taps(label)
    head = "⭐ Panel 2 : Énergie, efficacité énergétique et environnement\n\n"
    assert await salma.taps("⭐ Avis") == [
        f"{head}Personne n'a encore donné son avis sur cette séance.\n[🚪 Entrée]"
    ]
    await after(town)
    for one, stars in zip(people, (5, 5, 3), strict=True):
        await one.taps(f"⭐ {stars}")
    await people[2].taps("✍️ Add a sentence")
    await people[2].says("Trop court")
    await salma.taps("🚪 Entrée")
    assert await salma.taps("⭐ Avis") == [
        f"{head}Moyenne : 4,3 sur 5, 3 avis\n⭐⭐⭐⭐⭐ 2\n⭐⭐⭐⭐ 0\n⭐⭐⭐ 1\n⭐⭐ 0\n⭐ 0\n\n"
        "« Trop court »\n[🚪 Entrée]"
    ]
