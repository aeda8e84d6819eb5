"""Agendas: read from files, compared with the database, imported, and imported again."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.agenda_files import KINDS, AgendaFileError, Problem, read_agenda
from bot.importing import import_file
from storage import tables
from storage.agendas import (
    Agenda,
    Change,
    Changed,
    Changes,
    Moved,
    PlannedEvent,
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

PROGRAMMES = Path(__file__).parent / "programmes"
SHIPPED = Path(__file__).parent.parent / "bot" / "programmes"
NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)

TALK = PlannedSession(
    slug="talk-1",
    kind="talk",
    title={"fr": "Exposé", "ar": "عرض", "en": "Talk"},
    starts_at=datetime(2025, 3, 29, 17, tzinfo=UTC),
    ends_at=datetime(2025, 3, 29, 17, 40, tzinfo=UTC),
    room={"fr": "Salle A", "ar": "القاعة أ", "en": "Room A"},
    themes=frozenset({"digital"}),
)
PARTY = PlannedSession(
    slug="party",
    kind="networking",
    title={"fr": "Échanges", "ar": "تشبيك", "en": "Networking"},
    starts_at=datetime(2025, 3, 29, 19, tzinfo=UTC),
    ends_at=datetime(2025, 3, 29, 20, 30, tzinfo=UTC),
    capacity=30,
    themes=frozenset({"digital", "export"}),
)
DIGITAL = PlannedTheme(slug="digital", name={"fr": "Numérique", "ar": "الرقمنة", "en": "Digital"})
EXPORT = PlannedTheme(slug="export", name={"fr": "Export", "ar": "التصدير", "en": "Export"})
EVENING = Agenda(
    event=PlannedEvent(
        slug="evening",
        title={"fr": "Soirée", "ar": "أمسية", "en": "Evening"},
        city="Lyon",
        timezone="Europe/Paris",
        starts=date(2025, 3, 29),
        ends=date(2025, 3, 30),
        capacity=40,
    ),
    themes=(DIGITAL, EXPORT),
    sessions=(TALK, PARTY),
)


# --- reading --------------------------------------------------------------------------------


def test_a_file_becomes_an_agenda_with_its_times_in_utc() -> None:
    assert read_agenda(PROGRAMMES / "evening.yaml") == EVENING


@pytest.mark.parametrize(
    ("name", "slugs"),
    [
        (
            "rabat-2018",
            "opening panel-1 panel-2 panel-3 panel-4 panel-5 networking closing",
        ),
        ("lyon-2025", "digital-morocco diaspora-talent economic-diplomacy networking"),
        ("jobintech", "information kickoff startup-day graduation"),
    ],
)
def test_the_shipped_programmes_can_be_read(name: str, slugs: str) -> None:
    agenda = read_agenda(SHIPPED / f"{name}.yaml")
    assert [session.slug for session in agenda.sessions] == slugs.split()


def test_a_plain_title_is_the_same_in_all_languages(tmp_path: Path) -> None:
    agenda = edited(tmp_path, {'{fr: "Exposé", ar: "عرض", en: "Talk"}': "No"})
    assert agenda.sessions[0].title == {"fr": "No", "ar": "No", "en": "No"}


def test_what_is_optional_may_be_left_empty(tmp_path: Path) -> None:
    agenda = edited(
        tmp_path,
        {
            "capacity: 40": "capacity:\n  sides: [diaspora, morocco]\n  organiser:",
            "capacity: 30": "capacity: 0\n    room:\n    online: yes",
        },
    )
    sides = ("diaspora", "morocco")
    assert agenda.event == replace(EVENING.event, capacity=None, sides=sides)
    assert agenda.sessions[1] == replace(PARTY, capacity=0, online=True)


def test_a_session_across_the_change_of_clocks_lasts_its_minutes(tmp_path: Path) -> None:
    agenda = edited(
        tmp_path, {"2025-03-29T18:00": "2025-03-30T01:30", "minutes: 40": "minutes: 60"}
    )
    assert agenda.sessions[0].starts_at == datetime(2025, 3, 30, 0, 30, tzinfo=UTC)
    assert agenda.sessions[0].ends_at == datetime(2025, 3, 30, 1, 30, tzinfo=UTC)


MISTAKES = yaml.safe_load((PROGRAMMES / "mistakes.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake["said"][0] for mistake in MISTAKES])
def test_a_mistake_is_told_with_its_line_and_remedy(
    tmp_path: Path, mistake: dict[str, Any]
) -> None:
    with pytest.raises(AgendaFileError) as caught:
        edited(tmp_path, mistake["edits"])
    assert str(caught.value).split("\n") == [
        f"evening.yaml, line {line}" for line in mistake["said"]
    ]


def test_all_mistakes_are_told_at_once_in_the_order_of_lines() -> None:
    with pytest.raises(AgendaFileError) as caught:
        read_agenda(PROGRAMMES / "everything-wrong.yaml")
    assert [(problem.line, problem.what) for problem in caught.value.problems] == [
        (1, 'event: "city" is missing'),
        (2, 'event, id: "Soirée 2025" can\'t be an id'),
        (3, "event, title: Arabic (ar) is missing"),
        (3, "event, title in English: it is empty"),
        (4, "event, organiser: English (en) is missing"),
        (4, 'event, organiser: unknown key "de"'),
        (5, 'event, timezone: there is no time zone "Europe/Pariss"'),
        (6, '"timezone" is written twice in the same place'),
        (7, 'event, starts: "29/03/2025" is not a date'),
        (9, "event, capacity: -1 is out of range"),
        (10, 'event, sides: "moon" is not a side'),
        (13, 'theme "digital", id: another theme above has the id "digital"'),
        (14, 'the file: unknown key "sesions"'),
        (16, 'session "talk-1": "title" is missing'),
        (17, 'session "talk-1", kind: "lecture" is not a kind of session'),
        (18, 'session "talk-1": unknown key "titel"'),
        (19, 'session "talk-1", start: "2025-03-29 18h00" is not a date and time'),
        (20, 'session "talk-1", minutes: 0 is out of range'),
        (21, 'a "*" outside quotes has a meaning in YAML that agendas don\'t use'),
        (21, 'session "talk-1", themes: there is no theme "digitl"'),
        (22, 'session "talk-1", id: another session above has the id "talk-1"'),
        (24, 'session "talk-1", title: an invisible character (U+202E) is in the text'),
        (27, 'session "talk-1", online: "perhaps" is neither true nor false'),
        (28, "session 3: keys with values are expected"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.yaml", b"", "a.yaml: the file is empty. It needs an event and its sessions."),
        ("a.yaml", b"# soon\n", "a.yaml: the file is empty. It needs an event and its sessions."),
        (
            "a.yaml",
            b"event:\n  city: Orl\xe9ans\n",
            "a.yaml, line 2: this is not UTF-8 text. Save the file with the encoding UTF-8.",
        ),
        (
            "a.yaml",
            b'event: "\\UFFFFFFFF"',
            "a.yaml: the file is not valid YAML. Look for a stray backslash in a text.",
        ),
        (
            "a.yml",
            b"Programme",
            "a.yml, line 1: the file: keys with values are expected. Write each as key: value.",
        ),
        (
            "a.yaml",
            b"#" * 5_000_001,
            "a.yaml: it is larger than 5 MB. Check that it is an agenda, and split it by event.",
        ),
        (
            "a.xlsx",
            b"PK",
            "a.xlsx: \".xlsx\" files can't be read. An agenda's name ends in .yaml, .yml.",
        ),
    ],
)
def test_a_file_that_is_no_agenda_is_refused(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AgendaFileError) as caught:
        read_agenda(path)
    assert str(caught.value) == said


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path: Path) -> None:
    gone, folder = tmp_path / "gone.yaml", tmp_path / "folder.yaml"
    folder.mkdir()
    expected = {
        gone: Problem(None, f"there is no file {gone}", "Check its name and its folder."),
        folder: Problem(None, f"{folder} is a folder", "Name the agenda file inside it."),
    }
    for path, problem in expected.items():
        with pytest.raises(AgendaFileError) as caught:
            read_agenda(path)
        assert caught.value.problems == (problem,)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.integers(0, 27),
    st.text(alphabet=st.sampled_from("ab1:-[]{}\"'&*!%@#|>?,. \t\n\\\x00\u202eé"), max_size=12),
    st.integers(0, 40),
)
def test_no_typing_mistake_is_anything_but_an_agenda_file_error(
    tmp_path: Path, number: int, typed: str, at: int
) -> None:
    lines = (PROGRAMMES / "evening.yaml").read_text(encoding="utf-8").splitlines()
    if number < len(lines):
        lines[number] = lines[number][:at] + typed + lines[number][at:]
    path = tmp_path / "typed.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        agenda = read_agenda(path)
    except AgendaFileError as error:
        assert all(problem.what and problem.remedy for problem in error.problems)  # noqa: PT017
    else:
        assert len(agenda.sessions) in {1, 2}


def edited(tmp_path: Path, edits: dict[str, str]) -> Agenda:
    """The agenda in evening.yaml after these replacements, each of which must fit once."""
    text = (PROGRAMMES / "evening.yaml").read_text(encoding="utf-8")
    for old, new in edits.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = tmp_path / "evening.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    return read_agenda(path)


# --- comparing and importing ----------------------------------------------------------------


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
        replace(TALK, starts_at=datetime(2025, 3, 29, 18))  # noqa: DTZ001


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
        ("timezone", "timezone: Africa/Casablanca"),
        ("starts", "starts: 2018-07-04"),
        ("ends", "ends: 2018-07-05"),
    ]
    said = [f'soon.yaml, line 1: event: "{key}" is missing. Add {words}.' for key, words in missing]
    said += [
        (
            "soon.yaml, line 2: sessions: a list is expected. "
            "Write [a, b], or begin each line with a hyphen."
        ),
        "7 problems found. Nothing was written.",
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
