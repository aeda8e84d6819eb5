"""Files to take away: a member's calendar, and what staff and the command line export."""

import csv
import json
import re
import subprocess
import sys
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import icalendar
import pytest
from openpyxl import load_workbook
from rich.console import Console
from sqlalchemy import select, update

from bot import papers
from bot.agenda_files import read_agenda, read_content
from bot.exporting import export_event
from handlers import exports
from handlers.letters import Letter
from handlers.papers import Calendar, Entry, Sheet
from handlers.words import read_catalogs
from storage import audit, events, rsvps
from storage.agendas import Agenda
from storage.exports import Format
from storage.tables import Event, Member, Role
from tests.town import EVE, PROGRAMMES, Resident, Town

WORDS = read_catalogs()


async def with_seats(town: Town) -> tuple[Resident, Resident]:
    """Amal has two seats; Bilal has one, and stands in line for the other."""
    await town.programme()
    await town.session("panel-2", capacity=1)
    amal, bilal = await town.member("Amal", "fr"), await town.member("بلال", "ar")
    for slug in ("panel-2", "closing"):
        await town.seat(amal, slug)
    for slug in ("panel-2", "opening"):
        await town.seat(bilal, slug)
    return amal, bilal


def file_heard(resident: Resident) -> tuple[str, bytes]:
    document = resident.last.document
    assert document is not None
    return document.name, document.data


async def test_a_member_takes_their_agenda_to_their_own_calendar(town: Town):
    amal, bilal = await with_seats(town)
    await amal.says("/myagenda")
    assert await amal.taps("📅 Fichier agenda (.ics)") == ["(Voici votre fichier.)"]
    await town.is_now(EVE)
    assert amal.heard() == [
        "📅 Votre calendrier\nOuvrez ce fichier pour ajouter vos séances au calendrier de votre "
        "téléphone. En cas de changement, demandez-le à nouveau : rien ne sera en double."
    ]
    name, content = file_heard(amal)
    calendar: Any = icalendar.Calendar.from_ical(content)
    assert (name, str(calendar["X-WR-TIMEZONE"])) == ("jisr.ics", "Africa/Casablanca")
    panel = await town.session("panel-2")
    first, last = calendar.walk("VEVENT")
    assert (str(first["UID"]), str(last["UID"])) == (
        "panel-2.rabat-2018@jisr",
        "closing.rabat-2018@jisr",
    )
    assert (str(first["SUMMARY"]), first["DTSTART"].dt, first["DTEND"].dt) == (
        panel.title["fr"],
        panel.starts_at,
        panel.ends_at,
    )
    assert (str(first["LOCATION"]), str(first["STATUS"])) == ("Salle B, Rabat", "CONFIRMED")
    assert b"DTSTART:20180704T093000Z" in content

    await bilal.says("/myagenda")
    await bilal.taps("📅 ملف التقويم (.ics)")
    await town.is_now(EVE + timedelta(minutes=5))
    items: Any = icalendar.Calendar.from_ical(file_heard(bilal)[1]).walk("VEVENT")
    assert [(str(item["SUMMARY"]), str(item["STATUS"])) for item in items] == [
        ((await town.session("opening")).title["ar"], "CONFIRMED"),
        (panel.title["ar"], "TENTATIVE"),
    ]
    # The later file is the newer version of every item.
    assert items[0]["SEQUENCE"] - first["SEQUENCE"] == 5


async def test_who_gave_up_every_seat_gets_no_calendar(town: Town):
    amal, _bilal = await with_seats(town)
    await amal.says("/myagenda")
    old = amal.last
    await amal.taps("📅 Fichier agenda (.ics)")
    sessions = [await town.session(slug) for slug in ("panel-2", "closing")]
    async with town.app.storage.begin() as db:
        member = await town.member_of(db, amal)
        for session in sessions:
            await rsvps.give_up(db, member, session.id, EVE)
    await town.is_now(EVE)
    assert amal.heard() == []
    assert await amal.taps("📅 Fichier agenda (.ics)", old) == [
        "(Vous n'avez pas encore de place.)"
    ]


def test_real_calendar_libraries_read_back_what_was_written() -> None:
    entries = (
        Entry("a@jisr", "Café; « thé », \\ \n ألف", EVE, EVE + timedelta(hours=1), "Salle, A"),
        Entry("b@jisr", "x" * 200, EVE, EVE + timedelta(days=1), sure=False),
    )
    content = papers.content(Calendar("a.ics", "Thé, café", "Europe/Paris", entries, EVE))
    assert max(map(len, content.split(b"\r\n"))) <= 75
    items: Any = icalendar.Calendar.from_ical(content).walk("VEVENT")
    assert entries == tuple(
        Entry(
            str(item["UID"]),
            str(item["SUMMARY"]),
            item["DTSTART"].dt,
            item["DTEND"].dt,
            str(item.get("LOCATION", "")),
            sure=str(item["STATUS"]) == "CONFIRMED",
        )
        for item in items
    )


async def test_an_event_is_exported_in_every_format(town: Town, tmp_path: Path):
    await with_seats(town)
    written: dict[Format, bytes] = {}
    for format_ in Format:
        path = tmp_path / f"out.{format_}"
        assert await exported(town, "rabat-2018", format_, path) == f"Written: {path}\n"
        written[format_] = path.read_bytes()
    agenda = read_agenda(PROGRAMMES / "rabat-2018.yaml")
    again = read_content("rabat.json", written[Format.FRAB]).agenda
    assert [s.slug for s in again.sessions] == [s.slug for s in agenda.sessions]
    items = icalendar.Calendar.from_ical(written[Format.ICS]).walk("VEVENT")
    assert len(items) == len(agenda.sessions)
    rows = list(csv.reader(StringIO(written[Format.CSV].decode("utf-8-sig"))))
    assert rows == [
        ["Name", "City", "Profession", "Organisation", "Session", "State", "Since", "Guests"],
        *(
            [name, "Lyon", "", "", agenda_title(agenda, slug), state, "2018-07-03 09:00", "0"]
            for name, slug, state in (
                ("بلال", "opening", "confirmed"),
                ("Amal", "panel-2", "confirmed"),
                ("بلال", "panel-2", "on the waitlist"),
                ("Amal", "closing", "confirmed"),
            )
        ),
    ]
    sheet = load_workbook(BytesIO(written[Format.XLSX])).worksheets[0]
    cells = [
        ["" if cell is None else str(cell) for cell in row]
        for row in sheet.iter_rows(values_only=True)
    ]
    assert cells == rows
    assert (await exported(town, "nowhere", Format.CSV, tmp_path / "x")) == (
        'There is no event "nowhere". Those to come: rabat-2018.\n'
    )


@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_no_cell_is_a_formula(name: str) -> None:
    cells = ("=1+1", "+212", "-1", "@a", "\tx", "\rx", "ok", "a\x00b", "", "0612")
    content = papers.content(Sheet(name, "Étage [1]/?", (cells, (*cells[:-1], 7))))
    expected = ["'=1+1", "'+212", "'-1", "'@a", "'\tx", "'\rx", "ok", "ab", "", "0612"]
    if name.endswith("csv"):
        rows = list(csv.reader(StringIO(content.decode("utf-8-sig"), newline="")))
        assert rows == [expected, [*expected[:-1], "7"]]
    else:
        sheet = load_workbook(BytesIO(content)).worksheets[0]
        # A workbook writes an end of line as one kind only.
        first = [str(cell.value or "").replace("_x000D_", "\r") for cell in sheet[1]]
        assert [re.sub("[\r\n]", "\r", cell) for cell in first] == expected
        assert {cell.data_type for cell in sheet[1]} <= {"s", "n", "inlineStr"}
        assert sheet.cell(2, len(cells)).value == 7


async def test_staff_export_an_event_and_others_do_not(town: Town):
    amal, _bilal = await with_seats(town)
    emma = await town.member("Emma", "en")
    async with town.app.storage.begin() as db:
        (await town.member_of(db, emma)).role = Role.STAFF
    event = await event_of(town)
    for resident in (emma, amal):
        await offered(town, resident, event)
    assert await emma.taps("📄 Attendees (Excel)") == [
        f"{event.title['en']}\n\nWhat is this list of people for? It is written down with your number"
        " and theirs. Please delete the file when it has served.\n"
        "[List for the entrance]\n[Follow-up with those who attended]\n[Report on the event]"
    ]
    assert await emma.taps("List for the entrance") == [
        "The file follows. Purpose: List for the entrance"
    ]
    await emma.taps("🗂 Programme (frab)")
    await town.is_now(EVE)
    assert [message.split("\n")[0] for message in emma.heard()] == [event.title["en"]] * 2
    names = [m.document.name for m in emma.person.chat.messages if m.document]
    assert sorted(names) == ["rabat-2018.schedule.json", "rabat-2018.xlsx"]
    async with town.app.storage.read() as db:
        members = (await db.scalars(select(Member).order_by(Member.id))).all()
        acts = await audit.between(db, EVE, EVE + timedelta(minutes=1))
    by, about = members[-1].id, {"event": event.id, "format": "xlsx", "purpose": "entrance"}
    assert [(act.actor_id, act.action, act.about, act.touched) for act in acts] == [
        (by, "attendees.exported", about, [member.id for member in members[:2]]),
        (by, "programme.exported", {"event": event.id, "format": "frab"}, None),
    ]
    # An old button in other hands, and one of the staff who is not any more.
    await amal.taps("📄 Inscrits (Excel)")
    await emma.taps("📄 Attendees (CSV)")
    await emma.taps("Report on the event")
    async with town.app.storage.begin() as db:
        await db.execute(update(Member).values(role=Role.MEMBER))
    await town.is_now(EVE + timedelta(minutes=1))
    assert [m.document for m in amal.person.chat.messages if m.document] == []
    assert len([m.document for m in emma.person.chat.messages if m.document]) == 2


async def test_the_command_line_exports(sqlite_url: str, tmp_path: Path):
    def jisr(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own command line
            [sys.executable, "-m", "bot", *arguments],
            cwd=tmp_path,
            env={
                "PATH": "/usr/bin",
                "PYTHONPATH": str(Path(__file__).parent.parent),
                "JISR_DATABASE_URL": sqlite_url,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    assert jisr("import", str(PROGRAMMES / "lyon-2025.yaml")).returncode == 0
    done = jisr("export", "lyon-2025", "--format", "ics")
    assert (done.returncode, done.stdout) == (0, "Written: lyon-2025.ics\n")
    assert (tmp_path / "lyon-2025.ics").read_bytes().startswith(b"BEGIN:VCALENDAR")
    done = jisr("export", "lyon-2025", "-o", "out.json")
    assert (done.returncode, done.stdout) == (0, "Written: out.json\n")
    # What was exported changes nothing where it came from.
    assert jisr("import", "out.json").stdout.endswith("Nothing to change.\n")
    assert jisr("export", "nowhere").returncode == 1
    done = jisr("export", "lyon-2025", "--format", "csv")
    assert (done.returncode, done.stderr) == (
        1,
        "Say what the list is for: --purpose entrance, follow-up, report.\n",
    )
    done = jisr("export", "lyon-2025", "--format", "csv", "--purpose", "report")
    assert (done.returncode, done.stdout) == (0, "Written: lyon-2025.csv\n")
    done = jisr("audit", "between", "2026-01-01", "2126-01-01", "--json")
    assert [
        (act["actor"], act["action"], act["people"]) for act in json.loads(done.stdout)["acts"]
    ] == [
        (None, "agenda.imported", 0),
        (None, "programme.exported", None),
        (None, "programme.exported", None),
        (None, "agenda.imported", 0),
        (None, "attendees.exported", 0),
    ]
    done = jisr("export", "lyon-2025", "--format", "pdf")
    assert (done.returncode, done.stderr) == (
        1,
        "The format is one of frab, ics, csv, xlsx, not 'pdf'.\n",
    )


async def exported(town: Town, slug: str, format_: Format, path: Path) -> str:
    """What the command prints."""
    paper = StringIO()
    await export_event(
        town.app.storage,
        slug,
        format_,
        path,
        words=WORDS["en"],
        now=EVE,
        console=Console(file=paper, width=200),
    )
    return paper.getvalue()


async def event_of(town: Town) -> Event:
    async with town.app.storage.read() as db:
        event = await events.by_slug(db, "rabat-2018")
    assert event is not None
    return event


async def offered(town: Town, resident: Resident, event: Event) -> None:
    """A card with the taps of the staff, on whosever screen."""
    async with town.app.storage.read() as db:
        words = WORDS[(await town.member_of(db, resident)).language or "en"]
    letter = Letter(words.pick(event.title), exports.taps(words, event))
    await town.app.bulk.send(letter, str(resident.person.id))
    resident.heard()


def agenda_title(agenda: Agenda, slug: str) -> str:
    return next(session.title["en"] for session in agenda.sessions if session.slug == slug)
