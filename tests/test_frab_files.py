"""Schedules of frab and pretalx: two real ones, and what such files get wrong."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import pytest

from bot.agenda_files import AgendaFileError, read, read_content
from handlers.agenda_remarks import About, Remark
from storage import agendas
from storage.agendas import Agenda, PlannedSession
from storage.database import Storage

SCHEDULES = Path(__file__).parent / "schedules"
CAMP = SCHEDULES / "cccamp2019.frab.schedule.json"
RC3 = SCHEDULES / "rc3-2021.pretalx.schedule.json"
NOW = datetime(2019, 8, 1, tzinfo=UTC)
ONE_LANGUAGE = Remark(About.ONE_LANGUAGE, 1)


def everywhere(text: str) -> dict[str, str]:
    return {"fr": text, "ar": text, "en": text}


def test_a_real_frab_schedule_becomes_an_agenda() -> None:
    agenda, remarks = (reading := read(CAMP)).agenda, reading.remarks
    assert remarks == (ONE_LANGUAGE,)
    assert agenda.event == agendas.PlannedEvent(
        slug="camp2019",
        title=everywhere("Chaos Communication Camp 2019"),
        timezone="Europe/Berlin",
        starts=date(2019, 8, 21),
        ends=date(2019, 8, 26),
    )
    assert [theme.slug for theme in agenda.themes] == [
        "ccc",
        "security",
        "ethics-society-politics-3a2fb0a4",
        "hardware-making-522e4563",
        "art-culture-25951973",
        "entertainment",
        "science",
    ]
    assert len(agenda.sessions) == 79
    assert agenda.sessions[0] == PlannedSession(
        slug="a0a0fcfe-b7fb-46e3-84b6-97a5406016b4",
        kind="talk",
        title=everywhere("Opening Ceremony"),
        starts_at=datetime(2019, 8, 21, 9, tzinfo=UTC),
        ends_at=datetime(2019, 8, 21, 9, 30, tzinfo=UTC),
        room=everywhere("Curie"),
        speakers=("jinxx", "smtw"),
        themes=frozenset({"ccc"}),
    )


def test_a_real_pretalx_schedule_without_a_zone_is_read_in_that_of_the_house() -> None:
    reading = read(RC3, "Europe/Paris")
    assert reading.remarks == (Remark(About.HOUSE_ZONE, 1, ("Europe/Paris",)), ONE_LANGUAGE)
    assert (reading.agenda.event.slug, len(reading.agenda.sessions)) == ("rc3-channels-2020", 48)
    assert {session.kind for session in reading.agenda.sessions} == {"talk", "workshop"}


@pytest.mark.parametrize("path", [CAMP, RC3])
async def test_a_real_schedule_imported_again_changes_nothing(storage: Storage, path: Path) -> None:
    async with storage.begin() as db:
        first = await agendas.apply(db, read(path).agenda, NOW)
    assert len(first.added) == len(read(path).agenda.sessions)
    async with storage.begin() as db:
        assert not await agendas.apply(db, read(path).agenda, NOW)


async def test_five_hundred_sessions_are_imported_and_imported_again(storage: Storage) -> None:
    content = json.dumps(multiplied(7)).encode()
    agenda = read_content("large.json", content).agenda
    assert len(agenda.sessions) == 553
    async with storage.begin() as db:
        assert len((await agendas.apply(db, agenda, NOW)).added) == 553
    async with storage.begin() as db:
        assert not await agendas.apply(db, read_content("large.json", content).agenda, NOW)


async def test_a_talk_that_moved_and_got_a_new_title_is_the_same_talk(storage: Storage) -> None:
    data = json.loads(CAMP.read_bytes())
    async with storage.begin() as db:
        await agendas.apply(db, understood(data), NOW)
    talk = data["schedule"]["conference"]["days"][0]["rooms"]["Curie"][0]
    talk |= {"title": "Welcome", "slug": "camp2019-1-welcome", "date": "2019-08-21T12:00:00+02:00"}
    async with storage.begin() as db:
        changes = await agendas.apply(db, understood(data), NOW)
    assert (changes.added, changes.removed) == ((), ())
    assert [moved.after.starts_at.hour for moved in changes.moved] == [10]
    assert [c.changes[0].after for c in changes.changed] == [everywhere("Welcome")]


def test_what_a_schedule_leaves_out_is_guessed_and_told() -> None:
    at = "2025-03-29T23:30:00+01:00"
    reading = read_one(
        # After midnight, by the day's own beginning; its length in days, hours and minutes.
        {"id": 1, "title": "Late", "start": "0:30", "duration": "0:01:00:00", "type": "Keynote"},
        {"id": 2, "title": "<b>R&amp;D</b>\u202e \n now", "date": at, "duration": "00:00"},
        {"id": 3, "title": "Long " * 60, "date": at, "end": "2025-03-30T01:00:00+01:00"},
        {"id": 3, "title": "Again", "date": "2025-03-29T10:00:00", "duration": "01:30"},
        {"id": 3, "title": "Again", "date": "2025-03-29T10:00:00", "duration": "01:30"},
        {"id": 4, "title": " ", "date": at, "duration": "01:00"},
        {"id": 5, "title": "Soon", "date": "soon", "start": "25:00", "duration": "01:00"},
        {"id": 6, "title": "Later", "date": "9999-12-31T23:59:59+00:00", "duration": "01:00"},
        {"id": 7, "title": "Fair", "date": at, "duration": "999:00"},
        {"title": "Nameless", "date": at, "duration": "00:20", "persons": ["A", {"name": "B"}]},
        "not a talk",
    )
    assert [
        (s.title["fr"], s.kind, f"{s.starts_at:%d %H:%M}", str(s.ends_at - s.starts_at))
        for s in reading.agenda.sessions
    ] == [
        ("Again", "talk", "29 09:00", "1:30:00"),
        ("R&D now", "talk", "29 22:30", "0:15:00"),
        (("Long " * 60)[:199] + "…", "talk", "29 22:30", "1:30:00"),
        ("Nameless", "talk", "29 22:30", "0:20:00"),
        ("Late", "plenary", "29 23:30", "1:00:00"),
    ]
    assert reading.agenda.sessions[3].speakers == ("A", "B")
    assert reading.agenda.sessions[0].room is None
    assert reading.remarks == (
        Remark(About.NO_TITLE, 2),
        Remark(About.NO_TIME, 2, ("Soon", "Later")),
        Remark(About.TOO_LONG, 1, ("Fair",)),
        Remark(About.TWICE, 1, ("Again",)),
        Remark(About.NO_LENGTH, 1, ("R&D now",)),
        Remark(About.OTHER_DAYS, 1, ("Late",)),
        Remark(About.SHORTENED, 1, (("Long " * 60)[:40] + "…",)),
        Remark(About.NO_ROOM, 5),
        ONE_LANGUAGE,
    )
    event = reading.agenda.event
    assert (event.starts, event.ends) == (date(2025, 3, 29), date(2025, 3, 30))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", "{", "line 1: it is not valid JSON (unexpected end of data). Export it again."),
        (
            "a.json",
            '{"talks": []}',
            "it has no schedule with a conference and its days. "
            'Export "schedule.json" or "schedule.xml" from frab or pretalx.',
        ),
        (
            "renamed.txt",
            '{"schedule": {"conference": {"days": []}}}',
            "there is no session in it that has a title and a time. "
            "Check that it is the schedule itself, and not a list of links or talks.",
        ),
    ],
)
def test_what_is_no_schedule_is_refused(name: str, content: str, said: str) -> None:
    with pytest.raises(AgendaFileError) as caught:
        read_content(name, content.encode())
    assert str(caught.value) == f"{name}{', ' if said.startswith('line') else ': '}{said}"


@pytest.mark.parametrize("path", [CAMP, RC3])
def test_the_same_schedule_as_xml_is_the_same_agenda(path: Path) -> None:
    reading = read_content("schedule.xml", as_xml(json.loads(path.read_bytes())))
    assert reading == read(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<schedule>\n<day></schedule>", "a.xml, line 2: it is not valid XML (mismatched tag)"),
        ("<html><body/></html>", "a.xml: it has no schedule with a conference and its days"),
        (
            '<!DOCTYPE a [<!ENTITY b "b">]><schedule>&b;</schedule>',
            "a.xml: it declares a document type or entities, which agendas don't use",
        ),
        (
            '<!DOCTYPE a SYSTEM "https://example.org/a.dtd"><schedule/>',
            "a.xml: it declares a document type or entities, which agendas don't use",
        ),
        ("<a>" * 17, "a.xml: its elements are nested too deeply"),
    ],
)
def test_xml_that_is_no_schedule_is_refused(content: str, said: str) -> None:
    with pytest.raises(AgendaFileError) as caught:
        read_content("a.xml", content.encode())
    assert str(caught.value).startswith(f"{said}. ")


def read_one(*talks: Any) -> Any:
    """A reading of a schedule with these talks, on one day in Paris."""
    day = {
        "date": "2025-03-29",
        "day_start": "2025-03-29T08:00:00+01:00",
        "rooms": {"": talks},
    }
    conference = {
        "acronym": "one",
        "title": "One",
        "time_zone_name": "Europe/Paris",
        "start": "2025-03-29",
        "end": "2025-03-29",
        "days": [day],
    }
    content = json.dumps({"schedule": {"conference": conference}})
    return read_content("one.json", content.encode())


def understood(data: Any) -> Agenda:
    return read_content("camp.json", json.dumps(data).encode()).agenda


def multiplied(times: int) -> Any:
    """The camp, so many times as long: 79 sessions each time."""
    data = json.loads(CAMP.read_bytes())
    conference = data["schedule"]["conference"]
    first = conference["days"]
    for n in range(1, times):
        for day in json.loads(json.dumps(first)):
            for talks in day["rooms"].values():
                for talk in talks:
                    talk["guid"] = f"{n:08x}{talk['guid'][8:]}"
                    talk["date"] = str(datetime.fromisoformat(talk["date"]) + timedelta(weeks=n))
            conference["days"] = [*conference["days"], day]
    return data


def as_xml(data: Any) -> bytes:
    """The same schedule, as frab writes it in XML."""
    conference = data["schedule"]["conference"]
    root = Element("schedule", {"xmlns": "https://example.org/schedule"})
    about = SubElement(root, "conference")
    for name in ("acronym", "title", "start", "end", "time_zone_name"):
        if name in conference:
            SubElement(about, name).text = conference[name]
    for day in conference["days"]:
        here = SubElement(root, "day", {"date": day["date"], "start": day["day_start"]})
        for name, talks in day["rooms"].items():
            room = SubElement(here, "room", {"name": name})
            for talk in talks:
                event = SubElement(room, "event", {"guid": talk["guid"], "id": str(talk["id"])})
                for key in ("date", "start", "duration", "room", "title", "track", "type"):
                    SubElement(event, key).text = talk[key]
                SubElement(event, "abstract").text = "<p>Not for us & others.</p>"
                persons = SubElement(event, "persons")
                for person in talk["persons"]:
                    SubElement(persons, "person").text = person["public_name"]
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))
