"""Agendas: compared with the database, imported, and imported again."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.agenda_fields import KINDS
from bot.agenda_files import read_agenda
from bot.importing import import_file
from storage import tables
from storage.agendas import (
    Agenda,
    Change,
    Changed,
    Changes,
    Moved,
    PlannedSession,
    PlannedTheme,
    Removed,
    Renamed,
    Restored,
    apply,
    compare,
)
from storage.database import Storage
from storage.tables import Seat
from tests.evening import DIGITAL, EVENING, EXPORT, PARTY, PROGRAMMES, SHIPPED, TALK

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)


async def test_a_first_import_adds_everything_and_a_second_nothing(storage: Storage) -> None:
    everything = Changes(event_created=True, themes_added=(DIGITAL, EXPORT), added=(TALK, PARTY))
    assert await compared(storage, EVENING) == everything
    assert await stored(storage) == []
    assert await applied(storage, EVENING) == everything
    assert await stored(storage) == [("talk-1", None), ("party", None)]
    assert await compared(storage, EVENING) == Changes()
    assert await applied(storage, EVENING) == Changes()
    assert not Changes()


async def test_the_shipped_programmes_are_imported_once(storage: Storage) -> None:
    for path in sorted(SHIPPED.glob("*.yaml")):
        agenda = read_agenda(path)
        assert (await applied(storage, agenda)).event_created
        assert await applied(storage, agenda) == Changes()


async def test_an_unchanged_import_writes_nothing(storage: Storage) -> None:
    await applied(storage, EVENING)
    with statements(storage) as seen:
        await applied(storage, EVENING)
    assert [text for text in seen if text.startswith(("INSERT", "UPDATE", "DELETE"))] == []


async def test_what_staff_chose_for_an_event_outlives_an_import(storage: Storage) -> None:
    await applied(storage, EVENING)
    async with storage.begin() as db:
        chosen = await db.scalar(select(tables.Event))
        assert chosen is not None
        assert (chosen.guests, chosen.promotes, chosen.leads) == (0, False, None)
        chosen.guests, chosen.promotes, chosen.leads = 2, True, [60]
    await applied(storage, replace(EVENING, event=replace(EVENING.event, city="Paris")))
    async with storage.read() as db:
        kept = await db.scalar(select(tables.Event))
        assert kept is not None
        assert (kept.city, kept.guests, kept.promotes, kept.leads) == ("Paris", 2, True, [60])


async def test_a_file_in_one_language_takes_no_translation_from_a_theme(storage: Storage) -> None:
    await applied(storage, EVENING)
    name = DIGITAL.name["fr"]
    plain = replace(DIGITAL, name=dict.fromkeys(("fr", "ar", "en"), name))
    assert await applied(storage, replace(EVENING, themes=(plain, EXPORT))) == Changes()
    async with storage.read() as db:
        kept = await db.scalar(select(tables.Theme).where(tables.Theme.slug == "digital"))
        assert kept is not None
        assert kept.name == DIGITAL.name


async def test_the_event_and_its_themes_change(storage: Storage) -> None:
    await applied(storage, EVENING)
    name = {"fr": "Le numérique", "ar": "الرقمنة", "en": "Digital"}
    renamed = replace(DIGITAL, name=name)
    agenda = replace(
        EVENING,
        event=replace(EVENING.event, city="Paris", sides=("diaspora", "morocco")),
        themes=(renamed,),
        sessions=(TALK, replace(PARTY, themes=frozenset({"digital"}))),
    )
    expected = Changes(
        event_changes=(
            Change("city", "Lyon", "Paris"),
            Change("sides", None, ("diaspora", "morocco")),
        ),
        themes_renamed=(Renamed(DIGITAL, renamed),),
        changed=(
            Changed(
                PARTY,
                agenda.sessions[1],
                (Change("themes", frozenset({"digital", "export"}), frozenset({"digital"})),),
            ),
        ),
    )
    assert await applied(storage, agenda) == expected
    assert await applied(storage, agenda) == Changes()
    async with storage.read() as db:
        slugs = await db.scalars(select(tables.Theme.slug).order_by(tables.Theme.id))
        # Another event may use it.
        assert list(slugs) == ["digital", "export"]


async def test_a_session_moves_and_changes_with_its_seats_told(storage: Storage) -> None:
    await applied(storage, EVENING)
    await answers(storage, "party", Seat.CONFIRMED, Seat.WAITLISTED, Seat.CANCELLED)
    later = replace(
        PARTY,
        starts_at=PARTY.starts_at + timedelta(hours=1),
        ends_at=PARTY.ends_at + timedelta(hours=1),
        kind="ceremony",
        title={**PARTY.title, "en": "Meetings"},
        room=TALK.room,
        capacity=None,
        online=True,
        speakers=("Salma Idrissi",),
        themes=frozenset(),
    )
    expected = Changes(
        moved=(Moved(PARTY, later, 2),),
        changed=(
            Changed(
                PARTY,
                later,
                (
                    Change("kind", "networking", "ceremony"),
                    Change("title", PARTY.title, later.title),
                    Change("room", None, TALK.room),
                    Change("capacity", 30, None),
                    Change("online", before=False, after=True),
                    Change("speakers", (), ("Salma Idrissi",)),
                    Change("themes", PARTY.themes, frozenset()),
                ),
            ),
        ),
    )
    agenda = replace(EVENING, sessions=(TALK, later))
    assert await compared(storage, agenda) == expected
    assert await applied(storage, agenda) == expected
    assert await applied(storage, agenda) == Changes()


async def test_a_session_that_nobody_answered_is_deleted(storage: Storage) -> None:
    await applied(storage, EVENING)
    without = replace(EVENING, sessions=(TALK,))
    assert await applied(storage, without) == Changes(removed=(Removed(PARTY, 0, kept=False),))
    assert await stored(storage) == [("talk-1", None)]
    assert await applied(storage, without) == Changes()


async def test_a_session_that_somebody_answered_is_cancelled_and_can_return(
    storage: Storage,
) -> None:
    await applied(storage, EVENING)
    await answers(storage, "party", Seat.CONFIRMED, Seat.OFFERED, Seat.CHECKED_IN, Seat.CANCELLED)
    without = replace(EVENING, sessions=(TALK,))
    assert await applied(storage, without) == Changes(removed=(Removed(PARTY, 3, kept=True),))
    assert await stored(storage) == [("talk-1", None), ("party", NOW)]
    assert await applied(storage, without) == Changes()
    assert await applied(storage, EVENING) == Changes(restored=(Restored(PARTY, 3),))
    assert await stored(storage) == [("talk-1", None), ("party", None)]
    assert await applied(storage, EVENING) == Changes()


async def test_a_session_is_kept_even_for_an_answer_that_was_withdrawn(storage: Storage) -> None:
    await applied(storage, EVENING)
    await answers(storage, "party", Seat.CANCELLED)
    without = replace(EVENING, sessions=(TALK,))
    assert await applied(storage, without) == Changes(removed=(Removed(PARTY, 0, kept=True),))


async def test_a_seat_taken_while_the_import_runs_is_not_lost(storage: Storage) -> None:
    await applied(storage, EVENING)
    async with storage.begin() as db:
        await take(db, "party", Seat.CONFIRMED)
        importing = asyncio.create_task(applied(storage, replace(EVENING, sessions=(TALK,))))
        await asyncio.sleep(0.2)
    assert await importing == Changes(removed=(Removed(PARTY, 1, kept=True),))


async def test_two_events_have_sessions_of_the_same_name_and_share_themes(storage: Storage) -> None:
    await applied(storage, EVENING)
    other = replace(EVENING, event=replace(EVENING.event, slug="other"))
    assert await applied(storage, other) == Changes(event_created=True, added=(TALK, PARTY))
    assert await applied(storage, EVENING) == Changes()


async def test_a_long_agenda_takes_few_statements(storage: Storage) -> None:
    sessions = tuple(replace(PARTY, slug=f"s-{number}") for number in range(500))
    agenda = replace(EVENING, sessions=sessions)
    await applied(storage, agenda)
    with statements(storage) as seen:
        assert await compared(storage, agenda) == Changes()
    assert len([text for text in seen if text.startswith("SELECT")]) == 5


def test_an_agenda_that_no_database_could_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="a slug stands for one theme or one session"):
        replace(EVENING, sessions=(TALK, TALK))
    with pytest.raises(ValueError, match="a session's themes are listed in its agenda"):
        replace(EVENING, themes=(DIGITAL,))
    with pytest.raises(ValueError, match="an instant needs a zone"):
        replace(TALK, starts_at=datetime(2025, 3, 29, 18))  # noqa: DTZ001 - it is what is refused


WORDS = st.fixed_dictionaries({code: st.sampled_from("abc") for code in ("fr", "ar", "en")})


@st.composite
def evenings(draw: st.DrawFn) -> Agenda:
    """The evening after any number of changes of mind."""
    slugs = draw(st.sets(st.sampled_from(["t1", "t2", "t3"])))
    themes = tuple(PlannedTheme(slug=slug, name=draw(WORDS)) for slug in sorted(slugs))
    sessions = []
    for slug in draw(st.permutations(["s1", "s2", "s3", "s4"]))[: draw(st.integers(0, 4))]:
        start = datetime(2025, 3, 29, draw(st.integers(8, 22)), tzinfo=UTC)
        sessions.append(
            PlannedSession(
                slug=slug,
                kind=draw(st.sampled_from(KINDS)),
                title=draw(WORDS),
                starts_at=start,
                ends_at=start + timedelta(minutes=draw(st.sampled_from([30, 60]))),
                room=draw(st.none() | WORDS),
                capacity=draw(st.none() | st.integers(0, 2)),
                online=draw(st.booleans()),
                speakers=tuple(draw(st.lists(st.sampled_from(["A", "B"]), max_size=2))),
                themes=frozenset(draw(st.sets(st.sampled_from(sorted(slugs)))))
                if slugs
                else frozenset(),
            )
        )
    city = draw(st.sampled_from(["Lyon", None]))
    return Agenda(replace(EVENING.event, title=draw(WORDS), city=city), themes, tuple(sessions))


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(agenda=evenings(), answered=st.sampled_from(["s1", "s2", None]))
async def test_after_any_change_of_mind_the_database_says_what_the_file_says(
    storage: Storage, agenda: Agenda, answered: str | None
) -> None:
    # The database goes on from one example to the next, as a community's does.
    told = await compared(storage, agenda)
    assert await applied(storage, agenda) == told
    assert await compared(storage, agenda) == Changes()
    assert await applied(storage, agenda) == Changes()
    listed = {session.slug for session in agenda.sessions}
    assert {slug for slug, gone in await stored(storage) if gone is None} == listed
    if answered in listed:
        await answers(storage, answered, Seat.CONFIRMED)


async def compared(storage: Storage, agenda: Agenda) -> Changes:
    async with storage.read() as db:
        return await compare(db, agenda)


async def applied(storage: Storage, agenda: Agenda) -> Changes:
    async with storage.begin() as db:
        return await apply(db, agenda, NOW)


async def stored(storage: Storage) -> list[tuple[str, datetime | None]]:
    """Each session of the database, and when it was cancelled."""
    row = tables.Session
    async with storage.read() as db:
        query = select(row.slug, row.cancelled_at).order_by(row.starts_at, row.id)
        return [(slug, gone) for slug, gone in await db.execute(query)]


async def answers(storage: Storage, slug: str, *states: Seat) -> None:
    """A member for each of these answers to the session."""
    async with storage.begin() as db:
        for state in states:
            await take(db, slug, state)


async def take(db: AsyncSession, slug: str, state: Seat) -> None:
    session_id = await db.scalar(select(tables.Session.id).where(tables.Session.slug == slug))
    member = tables.Member(created_at=NOW)
    db.add(member)
    await db.flush()
    db.add(tables.Rsvp(session_id=session_id, member_id=member.id, state=state, since=NOW))
    await db.flush()


@contextmanager
def statements(storage: Storage) -> Iterator[list[str]]:
    """The SQL that is sent meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    engine = storage.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


# --- the command ----------------------------------------------------------------------------


async def test_an_import_tells_what_it_adds(storage: Storage) -> None:
    assert await imported(storage, PROGRAMMES / "evening.yaml") == (
        True,
        """\
Evening
Lyon, 2025-03-29 to 2025-03-30, Europe/Paris

Event
  + evening

Themes
  + digital: Digital
  + export: Export

Sessions
  + talk-1 “Talk”, 2025-03-29 18:00–18:40
  + party “Networking”, 2025-03-29 20:00–21:30

Imported.
""",
    )
    assert await imported(storage, PROGRAMMES / "evening.yaml") == (
        True,
        "Evening\nLyon, 2025-03-29 to 2025-03-30, Europe/Paris\n\nNothing to change.\n",
    )


async def test_a_dry_run_tells_what_would_change_and_writes_nothing(
    storage: Storage, tmp_path: Path
) -> None:
    agenda = replace(
        EVENING, sessions=(TALK, PARTY, replace(TALK, slug="extra"), replace(TALK, slug="back"))
    )
    await applied(storage, agenda)
    await answers(storage, "back", Seat.CONFIRMED)
    await applied(storage, replace(agenda, sessions=agenda.sessions[:3]))
    await answers(storage, "talk-1", Seat.CONFIRMED)
    await answers(storage, "party", Seat.CONFIRMED, Seat.WAITLISTED)
    text = (PROGRAMMES / "evening.yaml").read_text(encoding="utf-8")
    for old, new in {
        "city: Lyon": "city: Paris",
        'en: "Export"': 'en: "[bold]Exports"',
        "2025-03-29T20:00\n    minutes: 90": "2025-03-29T23:30\n    minutes: 60\n    online: true",
        "capacity: 30\n    themes: [digital, export]": "themes: [export]",
        "id: talk-1": "id: back",
        '"Room A"': '"Room B"',
    }.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = tmp_path / "evening.yaml"
    path.write_text(text, encoding="utf-8")
    summary = """\
Evening
Paris, 2025-03-29 to 2025-03-30, Europe/Paris

Event
  ~ city: Lyon -> Paris

Themes
  ~ export: name (en): Export -> [bold]Exports

Sessions
  + back “Talk”: back in the programme (1 seat affected)
  ~ party “Networking”: 2025-03-29 20:00–21:30 -> 2025-03-29 23:30–2025-03-30 00:30 (2 seats affected)
  ~ back “Talk”: room (en): Room A -> Room B
  ~ party “Networking”: capacity: 30 -> none
  ~ party “Networking”: online: no -> yes
  ~ party “Networking”: themes: digital, export -> export
  - talk-1 “Talk”: cancelled (1 seat affected)
  - extra “Talk”: deleted

"""
    assert await imported(storage, path, dry_run=True) == (True, f"{summary}Nothing was written.\n")
    assert await imported(storage, path) == (True, f"{summary}Imported.\n")
    assert await imported(storage, path, dry_run=True) == (
        True,
        (
            "Evening\nParis, 2025-03-29 to 2025-03-30, Europe/Paris\n\n"
            "Nothing to change. Nothing was written.\n"
        ),
    )


async def test_a_file_with_a_problem_is_not_imported(storage: Storage, tmp_path: Path) -> None:
    path = tmp_path / "soon.yaml"
    path.write_text("event: {}\nsessions: soon\n", encoding="utf-8")
    missing = [
        ("id", "id: panel-1"),
        ("title", 'title: {fr: "…", ar: "…", en: "…"}'),
        ("city", "city: Rabat"),
        ("starts", "starts: 2018-07-04"),
        ("ends", "ends: 2018-07-05"),
    ]
    said = [f'soon.yaml, line 1: event: "{key}" is missing. Add {words}.' for key, words in missing]
    said += [
        (
            "soon.yaml, line 2: sessions: a list is expected. "
            "Write [a, b], or begin each line with a hyphen."
        ),
        "6 problems found. Nothing was written.",
    ]
    assert await imported(storage, path) == (False, "\n".join(said) + "\n")
    async with storage.read() as db:
        assert await db.scalar(select(func.count()).select_from(tables.Event)) == 0


async def imported(storage: Storage, path: Path, *, dry_run: bool = False) -> tuple[bool, str]:
    """What the command answers and prints, on a narrow terminal."""
    paper = StringIO()
    console = Console(file=paper, width=40)
    done = await import_file(storage, path, dry_run=dry_run, now=NOW, console=console)
    return done, paper.getvalue()
