"""iCalendar files, with what real exporters do to them."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from bot.agenda_files import AgendaFileError, Reading, read_content
from bot.agenda_problems import MAX_SESSIONS
from handlers.agenda_remarks import About, Remark
from storage import agendas
from storage.database import Storage

NOW = datetime(2025, 3, 1, tzinfo=UTC)
ONE_LANGUAGE = Remark(About.ONE_LANGUAGE, 1)


def test_a_calendar_becomes_an_agenda() -> None:
    reading = read_items(
        "UID:1@example.org\nSUMMARY:Panel\\, part 1: <i>Données</i> &\n"
        " amp\\; IA\nDTSTART;TZID=Europe/Paris:20250329T180000\nDTEND;TZID=Europe/Paris:20250329T193000\n"
        "LOCATION:Salle A\nCATEGORIES:Panel,Digital\nDESCRIPTION:<html>...</html>\n"
        "BEGIN:VALARM\nSUMMARY:not this\nEND:VALARM",
        "UID:2@example.org\nSUMMARY:Dinner\nDTSTART:20250329T190000Z\nDURATION:PT2H",
        about="X-WR-CALNAME:Soirée de Lyon",
    )
    assert reading.agenda.event == agendas.PlannedEvent(
        slug="soiree-de-lyon",
        title=everywhere("Soirée de Lyon"),
        timezone="Europe/Paris",
        starts=date(2025, 3, 29),
        ends=date(2025, 3, 29),
    )
    panel, dinner = reading.agenda.sessions
    assert panel == agendas.PlannedSession(
        slug=panel.slug,
        kind="talk",
        title=everywhere("Panel, part 1: Données & IA"),
        starts_at=datetime(2025, 3, 29, 17, tzinfo=UTC),
        ends_at=datetime(2025, 3, 29, 18, 30, tzinfo=UTC),
        room=everywhere("Salle A"),
        themes=frozenset({"panel", "digital"}),
    )
    assert (dinner.starts_at.hour, dinner.ends_at.hour) == (19, 21)
    assert reading.remarks == (Remark(About.NO_ROOM, 1), ONE_LANGUAGE)


@pytest.mark.parametrize(
    ("start", "zone", "hour", "remarks"),
    [
        ("DTSTART;TZID=Romance Standard Time:20250115T100000", "Europe/Paris", 9, ()),
        ("DTSTART;TZID=/citadel.org/2021_1/Africa/Cairo:20250115T100000", "Africa/Cairo", 8, ()),
        ("DTSTART:20250115T100000Z", "Asia/Tokyo", 10, (About.HOUSE_ZONE,)),
        ("DTSTART:20250115T100000", "Asia/Tokyo", 1, (About.HOUSE_ZONE,)),
        ("DTSTART;TZID=Customized:20250115T100000", "Asia/Tokyo", 1, (About.UNKNOWN_ZONE,)),
    ],
)
def test_zones_are_known_by_their_many_names(
    start: str, zone: str, hour: int, remarks: tuple[About, ...]
) -> None:
    reading = read_items(f"SUMMARY:Talk\nLOCATION:A\n{start}\nDURATION:PT1H", home="Asia/Tokyo")
    assert reading.agenda.event.timezone == zone
    assert reading.agenda.sessions[0].starts_at.hour == hour
    told = [remark for remark in reading.remarks if "zone" in remark.about]
    assert told == [Remark(about, 1, ("Asia/Tokyo",)) for about in remarks]


async def test_items_that_share_a_uid_are_told_apart_and_imported_once(storage: Storage) -> None:
    items = [
        f"UID:same\nSUMMARY:Talk {n}\nDTSTART:20250115T{n:02}0000Z\nDURATION:PT1H"
        for n in range(10, 15)
    ]
    reading = read_items(*items, items[0])
    assert len({session.slug for session in reading.agenda.sessions}) == 5
    assert Remark(About.TWICE, 1, ("Talk 10",)) in reading.remarks
    async with storage.begin() as db:
        assert len((await agendas.apply(db, reading.agenda, NOW)).added) == 5
    async with storage.begin() as db:
        assert not await agendas.apply(db, read_items(*reversed(items)).agenda, NOW)


def test_a_repeating_item_becomes_a_session_for_each_date() -> None:
    weekly = (
        "UID:weekly\nSUMMARY:Arabic class\nDTSTART;TZID=Europe/Paris:20250325T180000\nDURATION:PT1H\n"
        "RRULE:FREQ=WEEKLY;COUNT=5;BYDAY=TU,TH\nEXDATE;TZID=Europe/Paris:20250327T180000\n"
        "RDATE;TZID=Europe/Paris:20250405T100000"
    )
    moved = (
        "UID:weekly\nSUMMARY:Arabic class (moved)\nDTSTART;TZID=Europe/Paris:20250402T180000\n"
        "DURATION:PT1H\nRECURRENCE-ID;TZID=Europe/Paris:20250401T180000"
    )
    reading = read_items(weekly, moved)
    # The hour stays the same in Paris, where clocks changed on 30 March.
    assert when(reading) == ["25 17:00", "02 16:00", "03 16:00", "05 08:00", "08 16:00"]
    assert reading.agenda.sessions[1].title["en"] == "Arabic class (moved)"
    # The date that moved is the session it was.
    slugs = [session.slug for session in read_items(weekly).agenda.sessions]
    assert [session.slug for session in reading.agenda.sessions] == slugs


@pytest.mark.parametrize(
    ("rule", "dates", "remark"),
    [
        ("FREQ=DAILY;UNTIL=20250117", ["15", "16", "17"], None),
        ("FREQ=DAILY;UNTIL=20250117T095959Z", ["15", "16"], None),
        ("FREQ=DAILY;INTERVAL=2;COUNT=3", ["15", "17", "19"], None),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=2;WKST=MO", ["15", "29"], None),
        ("FREQ=MONTHLY;BYDAY=-1FR", ["15"], About.FIRST_ONLY),
        ("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", ["15"], About.FIRST_ONLY),
        ("FREQ=DAILY;COUNT=0", ["15"], About.FIRST_ONLY),
    ],
)
def test_rules_of_repeating(rule: str, dates: list[str], remark: About | None) -> None:
    reading = read_items(
        f"UID:1\nSUMMARY:Class\nLOCATION:A\nDTSTART:20250115T100000Z\nDURATION:PT1H\nRRULE:{rule}"
    )
    assert [at[:2] for at in when(reading)] == dates
    told = [r for r in reading.remarks if r.about == About.FIRST_ONLY]
    assert told == ([Remark(remark, 1, ("Class",))] if remark else [])


def test_what_repeats_for_ever_has_an_end() -> None:
    for rule in ("FREQ=DAILY", "FREQ=WEEKLY", "FREQ=DAILY;INTERVAL=7;BYDAY=MO"):
        item = f"UID:1\nSUMMARY:Class\nDTSTART:20250113T100000Z\nDURATION:PT1H\nRRULE:{rule}"
        reading = read_items(item)
        assert len(reading.agenda.sessions) == 100
        assert Remark(About.REPEATS_CUT, 1, ("Class",)) in reading.remarks


def test_what_can_be_no_session_is_left_out_and_told() -> None:
    reading = read_items(
        "SUMMARY:Talk\nDTSTART:20250115T100000Z\nDTEND:20250115T100000Z\nLOCATION:A",
        "SUMMARY:Fair\nDTSTART;VALUE=DATE:20250115\nDTEND;VALUE=DATE:20250118",
        "SUMMARY:Gone\nDTSTART:20250115T100000Z\nSTATUS:CANCELLED",
        "SUMMARY:Broken\nDTSTART:20251315T100000Z",
        "SUMMARY:Wild\nDTSTART:20250115T100000Z\nDURATION:P99999999999999D",
        "SUMMARY:Never",
        "DTSTART:20250115T100000Z\nDURATION:PT1H",
        about="X-WR-TIMEZONE:UTC",
    )
    assert [session.title["en"] for session in reading.agenda.sessions] == ["Talk"]
    assert reading.remarks == (
        Remark(About.EVENT_NAME, 1, ("calendar",)),
        Remark(About.UNREADABLE, 2, ("Broken", "Wild")),
        Remark(About.NO_TITLE, 1),
        Remark(About.NO_TIME, 1, ("Never",)),
        Remark(About.ALL_DAY, 1, ("Fair",)),
        Remark(About.CANCELLED, 1, ("Gone",)),
        Remark(About.NO_LENGTH, 1, ("Talk",)),
        ONE_LANGUAGE,
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR", "there is no item in this calendar"),
        (b"BEGIN:VCALENDAR\r\n" * 7, "its parts are nested too deeply"),
        (
            b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\nEND:VEVENT\r\n" * (MAX_SESSIONS + 1),
            "it has more than 3000 sessions",
        ),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:\xe9", "this is not UTF-8 text"),
    ],
)
def test_what_is_no_calendar_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(AgendaFileError) as caught:
        read_content("a.ics", content)
    assert str(caught.value).startswith(f"a.ics: {said}. ")


def test_a_line_may_be_folded_in_the_middle_of_a_letter() -> None:
    content = calendar("SUMMARY:\u0627\u0644\u0646\u062f\u0648\u0629\nDTSTART:20250115T100000Z")
    folded = content.replace(b"\xd8\xa7", b"\xd8\r\n \xa7")
    reading = read_content("calendar.ics", folded)
    assert reading.agenda.sessions[0].title["ar"] == "الندوة"


def read_items(*items: str, about: str = "", home: str = "Africa/Casablanca") -> Reading:
    """A reading of a calendar with these items."""
    return read_content("calendar.ics", calendar(*items, about=about), home)


def calendar(*items: str, about: str = "") -> bytes:
    lines = ["BEGIN:VCALENDAR", *([about] if about else [])]
    for item in items:
        lines += ["BEGIN:VEVENT", item, "END:VEVENT"]
    return "\n".join([*lines, "END:VCALENDAR", ""]).replace("\n", "\r\n").encode()


def when(reading: Any) -> list[str]:
    return [f"{session.starts_at:%d %H:%M}" for session in reading.agenda.sessions]


def everywhere(text: str) -> dict[str, str]:
    return {"fr": text, "ar": text, "en": text}
