"""Large programmes in a chat: words in any language, themes, now and next; always within a screen."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from bot.rendering import TEXT_LIMIT, length, render
from handlers import events as agenda
from handlers import rsvps
from handlers import search as browsing
from handlers.letters import CALLBACK_BYTES, Letter, Say
from handlers.turns import Turn
from handlers.words import read_catalogs
from storage import agendas, events, members, search
from storage.agendas import Agenda, PlannedEvent, PlannedSession, PlannedTheme
from storage.database import Storage
from storage.folding import folded
from storage.migrations import alembic_config, migrate
from storage.tables import Event, Session
from tests.town import EVE, Town

CATALOGS = read_catalogs()
# More rows of buttons than this are more than a screen.
ROWS = 10
ENERGY_EN = (
    "1 session found\n\n"
    "Wed, Jul 4 · 10:30 – 12:30 · Panel 2: Energy, energy efficiency and environment\n"
    "Room B · 30 seats free\n[10:30 Panel 2: Energy, energy efficiency…]\n"
    "[Now and next] [By theme]"
)


async def test_plain_words_find_a_session_and_lead_to_its_seat_in_two_taps(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    assert await emma.says("energy eff") == [ENERGY_EN]
    assert await emma.says("/search Energy EFF") == [ENERGY_EN]
    (card,) = await emma.taps("10:30 Panel 2: Energy, energy efficiency…")
    assert card.startswith("Panel 2: Energy, energy efficiency and environment\n")
    assert (await emma.taps("Take a seat"))[0].startswith("(Your seat is taken.")


@pytest.mark.parametrize(
    "typed",
    [
        "énergétique",
        "ENERGETIQUE",
        "طاقة",
        "الطاقـــة",
        "الطّاقَة",
        "نجاعه",
        "energy",
        "Salle B energ",
    ],
)
async def test_any_word_of_any_language_is_found_however_it_is_written(town: Town, typed: str):
    await town.programme()
    amal = await town.member("Amal", "fr")
    assert await amal.says(typed) == [
        "1 séance trouvée\n\n"
        "mer. 4 juil. · 10:30 – 12:30 · Panel 2 : Énergie, efficacité énergétique et "
        "environnement\nSalle B · 30 places libres\n[10:30 Panel 2 : Énergie, efficacité…]\n"
        "[En ce moment] [Par thème]"
    ]


async def test_speakers_and_themes_are_found_and_titles_come_first(town: Town):
    await town.programme()
    panel = await town.session("panel-4", speakers=["Amine Énergie"])
    async with town.app.storage.begin() as db:
        await search.learn(db, Session.id == panel.id)
    bilal = await town.member("Bilal", "ar")
    (found,) = await bilal.says("energie")
    assert found == (
        "وُجدت جلستان\n\n"
        "الأربعاء، 4 يوليوز · 10:30 – 12:30 · الندوة 2: الطاقة والنجاعة الطاقية والبيئة\n"
        "القاعة ب · 30 مقعدا شاغرا\n\n"
        "الأربعاء، 4 يوليوز · 14:30 – 16:30 · الندوة 4: الاستثمار والمقاولة\n"
        "القاعة ب · 30 مقعدا شاغرا\n"
        "[10:30 الندوة 2: الطاقة والنجاعة الطاقية…]\n[14:30 الندوة 4: الاستثمار والمقاولة]\n"
        "[الآن وبعد قليل] [حسب المحور]"
    )


async def test_what_finds_nothing_is_answered_with_ways_on(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    ways = (
        "[Scientific and technical research]\n[Social and solidarity economy]\n"
        "[Innovation and new technologies]\n[Now and next] [By theme]"
    )
    assert await emma.says("/search 100% <b>zebra</b>") == [
        "I found nothing for “100% <b>zebra</b>”. The beginning of one word is enough: of a "
        f"title, a name, a room or a theme, in any of our languages.\n{ways}"
    ]
    assert await emma.says("/search") == [
        "Write me a word of a title, a name, a room or a theme: its beginning is enough, in any "
        f"of our languages.\n{ways}"
    ]
    (told,) = await emma.says("zebra")
    assert told.startswith("I didn't understand that.\n\n")
    (told,) = await emma.says("energy " * 20)
    assert told.startswith("I didn't understand that.\n\n")


async def test_a_question_that_is_open_reads_the_words_first(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    await emma.says("/settings")
    await emma.taps("👤 Profile")
    await emma.taps("✎ City")
    assert "session found" not in (await emma.says("Energy"))[0]


async def test_who_has_not_registered_may_search_by_command_only(town: Town):
    await town.programme()
    emma = town.stranger("Emma", "en")
    await emma.says("/start")
    await emma.taps("English")
    assert "1 session found" in (await emma.says("/search efficiency"))[0]


async def test_short_words_are_passed_over_where_nothing_has_all(storage: Storage):
    await fill(storage, ["Énergie au Maroc", "De la mer", "Panel 2", "Panel 3"])
    assert await found(storage, "énergie de Maroc") == ["Énergie au Maroc"]
    assert await found(storage, "de la") == ["De la mer"]
    assert await found(storage, "panel 3") == ["Panel 3"]
    assert await found(storage, "panel 4") == []


async def test_what_is_over_and_cancelled_comes_last_and_not_at_all(storage: Storage):
    await fill(storage, ["Energy one", "Energy two", "Energy three"])
    async with storage.begin() as db:
        await db.execute(update(Session).where(Session.slug == "s2").values(cancelled_at=EVE))
    assert await found(storage, "energy", EVE + timedelta(hours=25, minutes=30)) == [
        "Energy two",
        "Energy one",
    ]


async def test_signs_that_databases_read_as_anything_are_signs(storage: Storage):
    await fill(storage, ["Energy", "100% renewable", "snake_case"])
    assert await found(storage, "%") == []
    assert await found(storage, "_") == []
    assert await found(storage, "100%") == ["100% renewable"]
    assert await found(storage, "\\ e") == ["Energy"]


async def test_a_renamed_theme_is_found_by_its_new_name_in_every_event(storage: Storage):
    for slug, title in (("one", "First"), ("two", "Second")):
        await fill(storage, [title], slug=slug, theme="Energy")
    assert await found(storage, "energy") == ["First", "Second"]
    await fill(storage, ["Second"], slug="two", theme="Water")
    assert await found(storage, "energy") == []
    assert await found(storage, "water") == ["First", "Second"]


async def test_old_rows_learn_what_they_are_found_by(storage: Storage):
    await fill(storage, ["L'Énergie"], theme="البيئة")
    async with storage.engine.begin() as connection:
        await connection.run_sync(lambda it: command.downgrade(alembic_config(it), "0003"))
    await migrate(storage)
    assert await found(storage, "energie") == ["L'Énergie"]
    assert await found(storage, "بيئة") == ["L'Énergie"]


# --- now and next ---------------------------------------------------------------------------


async def test_what_is_on_and_what_comes_next(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    await town.is_now(datetime(2018, 7, 4, 8, 45, tzinfo=UTC))
    assert await emma.says("/now") == [
        "On now\n\nWed, Jul 4 · 09:00 – 10:00 · Opening\nMain auditorium · 100 seats free\n\n"
        "Next, in 45 minutes\n\n"
        "Wed, Jul 4 · 10:30 – 12:30 · Panel 1: Data and digital technologies\n"
        "Room A · 30 seats free\n\n"
        "Wed, Jul 4 · 10:30 – 12:30 · Panel 2: Energy, energy efficiency and environment\n"
        "Room B · 30 seats free\n"
        "[09:00 Opening]\n[10:30 Panel 1: Data and digital technologies]\n"
        "[10:30 Panel 2: Energy, energy efficiency…]\n[By theme] [‹ Agenda]"
    ]
    (agenda_,) = await emma.taps("‹ Agenda")
    assert agenda_.startswith("1st Thematic Workshop")
    await town.is_now(datetime(2018, 7, 8, tzinfo=UTC))
    (told,) = await emma.says("/now")
    assert told.startswith("Nothing is on now, and nothing is planned to come.\n\nNo event")


async def test_now_is_told_in_french_and_arabic(town: Town):
    await town.programme()
    amal, bilal = await town.member("Amal", "fr"), await town.member("Bilal", "ar")
    await town.is_now(datetime(2018, 7, 4, 8, 45, tzinfo=UTC))
    (told,) = await amal.says("/now")
    assert told.startswith("En ce moment\n\nmer. 4 juil. · 09:00 – 10:00 · Ouverture\n")
    assert "\n\nEnsuite, dans 45 minutes\n\n" in told
    (told,) = await bilal.says("/now")
    assert told.startswith("الآن\n\nالأربعاء، 4 يوليوز · 09:00 – 10:00 · الجلسة الافتتاحية\n")
    assert "\n\nبعد ذلك، خلال 45 دقيقة\n\n" in told


# --- themes ---------------------------------------------------------------------------------


async def test_a_theme_leads_to_its_sessions(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    await emma.says("/search")
    assert await emma.taps("By theme") == [
        "Which theme?\n[Innovation and new technologies (1)]\n"
        "[Entrepreneurship and investment (1)]\n[Education and training (1)]\n"
        "[Agriculture and agri-food (1)]\n[Environment and renewable energy (1)]\n"
        "[Scientific and technical research (2)]\n[Medicine and health (1)]\n[Later ›]\n"
        "[Now and next] [‹ Agenda]"
    ]
    (told,) = await emma.taps("Scientific and technical research (2)")
    assert told.startswith(
        "Scientific and technical research\n\n"
        "Wed, Jul 4 · 10:30 – 12:30 · Panel 1: Data and digital technologies\n"
    )
    await town.is_now(datetime(2018, 7, 8, tzinfo=UTC))
    await emma.says("/search")
    (told,) = await emma.taps("By theme")
    assert told.startswith("No session to come has a theme.\n\n")


# --- always within a screen -----------------------------------------------------------------

TITLES = st.one_of(
    st.text(max_size=200),
    st.sampled_from(["Énergie " * 25, "الطاقة المتجددة " * 12, "𝔘𝔫𝔦 " * 50, "<b>&amp;</b>" * 18]),
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    titles=st.lists(TITLES, max_size=12),
    times=st.integers(0, 50),
    typed=st.text(max_size=120) | TITLES,
    language=st.sampled_from(["fr", "ar", "en"]),
    page=st.integers(-1, 100),
)
async def test_no_letter_is_longer_than_a_message_or_a_screen(
    *, storage: Storage, titles: list[str], times: int, typed: str, language: str, page: int
):
    await fill(storage, titles * times, theme=(titles or ["Theme"])[0])
    async with storage.begin() as db:
        member = await members.meet(db, "telegram", "7", EVE)
        member.language = language
        now = EVE + timedelta(hours=24, minutes=30)
        turn = Turn(db, member, Say(), now, "telegram", CATALOGS, "fr")
        key = search.key_of(typed)
        hits = await search.sessions_with(db, key, now)
        say: list[Letter] = [
            await agenda.agenda_letter(turn, page),
            await browsing.now_letter(turn, page),
        ]
        if hits:
            say.append(await browsing.results(turn, key, hits, page))
        say.append(await browsing.themes_letter(turn, page))
        for theme, _ in await search.themes(db, now):
            say.append(await browsing.theme_letter(turn, theme.id, page))
        for event in await db.scalars(select(Event)):
            days = await events.days_of(db, event)
            say += [await agenda.day_letter(turn, event, days, day, page) for day in days]
        some = (await db.scalars(select(Session.id).limit(20))).all()
        say += [await rsvps.card(turn, session_id) for session_id in some]
        await db.rollback()
    for letter in say:
        within_a_screen(letter)


def within_a_screen(letter: Letter) -> None:
    (piece,) = render(letter)
    assert 0 < length(piece.text) <= TEXT_LIMIT
    assert len(letter.taps) <= ROWS
    for tap in (tap for row in letter.taps for tap in row):
        assert tap.label.strip()
        assert len((tap.data or "").encode()) <= CALLBACK_BYTES


@given(st.text())
def test_what_is_looked_for_fits_its_button_and_stays_itself(typed: str):
    key = search.key_of(typed)
    assert len(key.encode()) <= search.KEY_BYTES
    assert search.key_of(key) == key
    assert folded(key) == key
    browsing.Find(page=999, key=key).pack()


# --- programmes for the tests ---------------------------------------------------------------


async def fill(
    storage: Storage, titles: Sequence[str], *, slug: str = "large", theme: str | None = None
) -> None:
    """An event with these sessions, one an hour from the day after the eve, in this order."""
    first = EVE + timedelta(days=1)
    sessions = tuple(
        PlannedSession(
            slug=f"s{number}",
            kind="talk",
            title=dict.fromkeys(("fr", "ar", "en"), title),
            starts_at=first + timedelta(hours=number % 40),
            ends_at=first + timedelta(hours=number % 40 + 1),
            room={"fr": title},
            speakers=(title[:80],),
            themes=frozenset({"theme"} if theme is not None else ()),
        )
        for number, title in enumerate(titles)
    )
    themes = () if theme is None else (PlannedTheme(slug="theme", name={"en": theme}),)
    event = PlannedEvent(
        slug=slug,
        title={"en": (titles or ["Event"])[0]},
        subtitle={"en": (titles or ["Event"])[0]},
        timezone="Africa/Casablanca",
        starts=date(2018, 7, 4),
        ends=date(2018, 7, 5),
    )
    async with storage.begin() as db:
        await agendas.apply(db, Agenda(event, themes, sessions), EVE)


async def found(storage: Storage, typed: str, now: datetime = EVE) -> list[Any]:
    """The titles of what these words find."""
    async with storage.read() as db:
        ids = await search.sessions_with(db, search.key_of(typed), now)
        return [(await db.get_one(Session, id_)).title["en"] for id_ in ids]
