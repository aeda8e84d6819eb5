"""Agendas as frab schedules: valid by the format's own schema, and read back without loss."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.agenda_fields import INVISIBLE, KINDS, LANGUAGES
from bot.agenda_files import AgendaFileError, read, read_agenda, read_content
from bot.frab_export import written
from storage import agendas
from storage.agendas import Agenda, PlannedEvent, PlannedSession, PlannedTheme
from storage.database import Storage
from storage.tables import Side
from tests.evening import EVENING, SHIPPED

SCHEDULES = Path(__file__).parent / "schedules"
SCHEMA = json.loads((SCHEDULES / "frab-schedule.schema.json").read_text("utf-8"))
NOW = datetime(2025, 1, 1, tzinfo=UTC)

texts = st.text(min_size=1, max_size=30).filter(lambda text: not INVISIBLE.search(text))
words = st.fixed_dictionaries(dict.fromkeys(LANGUAGES, texts))
slugs = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=40)
seats = st.none() | st.integers(0, 1_000_000)
zones = st.sampled_from(["Africa/Casablanca", "Europe/Paris", "America/New_York", "Etc/GMT+5"])
moments = st.datetimes(datetime(2024, 12, 31), datetime(2026, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zoned by the strategy
FIRST, LAST = date(2024, 12, 30), date(2026, 1, 2)


@st.composite
def plans(draw: Any) -> Agenda:
    """Any agenda that our own files or chats could hold."""
    themes = draw(st.dictionaries(slugs, words, max_size=3))
    sessions = []
    for slug in draw(st.lists(slugs, unique=True, max_size=5)):
        starts_at = draw(moments)
        sessions.append(
            PlannedSession(
                slug=slug,
                kind=draw(st.sampled_from(KINDS)),
                title=draw(words),
                starts_at=starts_at,
                ends_at=starts_at + draw(st.timedeltas(timedelta(seconds=1), timedelta(days=7))),
                room=draw(st.none() | words),
                capacity=draw(seats),
                online=draw(st.booleans()),
                speakers=tuple(draw(st.lists(texts, max_size=2))),
                themes=draw(st.frozensets(st.sampled_from(sorted(themes))))
                if themes
                else frozenset(),
            )
        )
    event = PlannedEvent(
        slug=draw(slugs),
        title=draw(words),
        timezone=draw(zones),
        starts=FIRST,
        ends=LAST,
        city=draw(st.none() | texts),
        subtitle=draw(st.none() | words),
        organiser=draw(st.none() | words),
        capacity=draw(seats),
        sides=draw(st.none() | st.just(tuple(Side))),
    )
    planned = tuple(PlannedTheme(slug=slug, name=name) for slug, name in themes.items())
    return Agenda(event, planned, tuple(sorted(sessions, key=lambda s: s.starts_at)))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans(), st.sampled_from(list(LANGUAGES)))
def test_any_agenda_becomes_a_valid_schedule_and_comes_back_as_it_was(
    agenda: Agenda, language: str
) -> None:
    content = written(agenda, language)
    jsonschema.validate(json.loads(content), SCHEMA)
    reading = read_content("export.json", content)
    assert (reading.agenda, reading.remarks) == (agenda, ())


@pytest.mark.parametrize("name", ["rabat-2018", "lyon-2025", "jobintech", "camp"])
async def test_what_is_exported_from_a_database_changes_nothing_in_it(
    storage: Storage, name: str
) -> None:
    path = SHIPPED / f"{name}.yaml"
    if name == "camp":
        path = SCHEDULES / "cccamp2019.frab.schedule.json"
    agenda = read_agenda(path)
    async with storage.begin() as db:
        await agendas.apply(db, agenda, NOW)
    async with storage.read() as db:
        planned = await agendas.planned(db, agenda.event.slug)
        assert planned is not None
        content = written(planned, "ar")
        jsonschema.validate(json.loads(content), SCHEMA)
        assert not await agendas.compare(db, read_content("x.json", content).agenda)
        assert await agendas.planned(db, "nothing") is None


def test_what_another_system_changes_in_our_export_is_taken_and_the_rest_is_kept() -> None:
    data = json.loads(written(EVENING, "fr"))
    conference = data["schedule"]["conference"]
    (day,) = conference["days"]
    talk = day["rooms"]["Salle A"][0]
    talk |= {"title": "Conférence", "end": "2025-03-29T19:00:00+01:00"}
    new = talk | {"guid": "8a0d4a5c-0000-4000-8000-000000000000", "title": "Débat", "track": "Art"}
    day["rooms"]["Salle A"].append(new)
    del day["rooms"][""]
    agenda = read_content("edited.json", json.dumps(data).encode()).agenda
    before = EVENING.sessions[0]
    after, added = agenda.sessions
    assert after == replace(
        before, title=everywhere("Conférence"), ends_at=before.ends_at + timedelta(minutes=20)
    )
    assert (added.title, added.themes) == (everywhere("Débat"), frozenset({"art"}))
    assert agenda.event == EVENING.event
    assert agenda.themes == (*EVENING.themes, PlannedTheme(slug="art", name=everywhere("Art")))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("event", "capacity"), -1),
        (("event", "slug"), "Évé nement"),
        (("event", "timezone"), "Mars/Olympus"),
        (("event", "starts"), "0001-01-01"),
        (("event", "title"), "not in languages"),
        (("sessions", 0, "kind"), "siesta"),
        (("sessions", 0, "title", "ar"), "\u202eabc"),
        (("sessions", 0, "room", "ar"), "x" * 201),
        (("sessions", 0, "starts_at"), "2025-03-29T10:00:00"),
        (("sessions", 0, "themes"), ["from nowhere"]),
    ],
)
def test_what_we_never_wrote_is_refused(path: tuple[Any, ...], value: Any) -> None:
    data = json.loads(written(EVENING, "fr"))
    part = data["schedule"]["conference"]["meta"]["jisr"]["agenda"]
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    with pytest.raises(AgendaFileError) as caught:
        read_content("edited.json", json.dumps(data).encode())
    assert 'its part "jisr" was changed by hand' in str(caught.value)


def test_a_real_schedule_goes_round_and_stays_itself() -> None:
    agenda = read(SCHEDULES / "rc3-2021.pretalx.schedule.json").agenda
    assert read_content("again.json", written(agenda, "en")).agenda == agenda


def everywhere(text: str) -> dict[str, str]:
    return {"fr": text, "ar": text, "en": text}
