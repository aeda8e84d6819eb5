"""Files that mean harm, or are none: refused with a reason, in little memory, without a crash.

Each is read in a process of its own, which may take 64 MB more than it has when it begins.
"""

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

READER = """
import resource, sys
from pathlib import Path
# What reading needs is there before memory is measured.
import icalendar, icalendar.timezone.windows_to_olson
from bot.agenda_files import AgendaFileError, read_content
path = Path(sys.argv[1])
has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
limit = has + 64 * 1024 * 1024
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    reading = read_content(path.name, path.read_bytes())
except AgendaFileError as error:
    print(str(error).splitlines()[0])
else:
    print(len(reading.agenda.sessions), "sessions")
"""
SIZE = 4_900_000
ONE = 990_000
MUCH_JSON = "it holds far more values than an agenda"
MUCH_XML = "it holds far more elements than an agenda"
DEEP = "its brackets are nested too deeply"
ENTITIES = "it declares a document type or entities, which agendas don't use"
MANY = "it has more than 3000 sessions"
LAUGHS = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
TALK = b'{"id":%d,"title":"T","date":"2025-01-01T00:00:00","duration":"01:00"}'
TALKS = b'{"schedule":{"conference":{"days":[{"rooms":{"A":[%s]}}]}}}'
ITEM = b"BEGIN:VEVENT\nSUMMARY:A\nDTSTART:20250101T100000Z\nDURATION:PT1H\n%sEND:VEVENT\n"


def filled(unit: bytes, before: bytes = b"", after: bytes = b"", size: int = SIZE) -> bytes:
    return before + unit * ((size - len(before) - len(after)) // len(unit)) + after


HOSTILE = {
    "lists.json": (filled(b"[],", b"[", b"[]]"), MUCH_JSON),
    "objects.json": (filled(b'{"a":{}},', b"[", b"{}]"), MUCH_JSON),
    "texts.json": (filled(b'"a",', b"[", b'""]'), MUCH_JSON),
    "quotes.json": (filled(b'"'), MUCH_JSON),
    "deep.json": (filled(b"["), DEEP),
    "deep-objects.json": (filled(b'{"a":'), DEEP),
    "number.json": (
        TALKS % filled(b"9"),
        "it is not valid JSON (number is infinity when parsed as double)",
    ),
    "rows.json": (TALKS % b",".join(TALK % n for n in range(20_000)), MANY),
    "bidi.json": (
        TALKS % b'{"title":"\xe2\x80\xae\\u202e\\u0000","date":"2025-01-01T00:00:00"}',
        "there is no session in it that has a title and a time",
    ),
    "elements.xml": (filled(b"<a/>", b"<schedule>", b"</schedule>"), MUCH_XML),
    "attributes.xml": (filled(b' a=""', b"<schedule", b"/>"), MUCH_XML),
    "deep.xml": (b"<a>" * 100_000, "its elements are nested too deeply"),
    "laughs.xml": (b'<!DOCTYPE l [<!ENTITY a0 "ha">%s]><l>&a11;</l>' % LAUGHS, ENTITIES),
    "reach.xml": (b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>', ENTITIES),
    "encoding.xml": (
        '<?xml version="1.0" encoding="ISO-8859-1"?><schedule>é</schedule>'.encode("latin-1"),
        "this is not UTF-8 text",
    ),
    "rows.ics": (
        filled(b"BEGIN:VEVENT\n", b"BEGIN:VCALENDAR\n"),
        "it has far more lines than an agenda",
    ),
    "items.ics": (b"BEGIN:VCALENDAR\n" + ITEM % b"" * 4_000, MANY),
    "repeats.ics": (b"BEGIN:VCALENDAR\n" + ITEM % b"RRULE:FREQ=DAILY\n" * 2_000, MANY),
    "dates.ics": (
        b"BEGIN:VCALENDAR\n" + ITEM % (b"EXDATE:20250101T100000Z\n" * 20_000),
        "it lists far more dates than an agenda",
    ),
    "folded.ics": (
        b"BEGIN:VCALENDAR\n" + ITEM % (b"LOCATION:a" + b"\n b" * 200_000 + b"\n"),
        "1 sessions",
    ),
    "long.ics": (
        b"BEGIN:VCALENDAR\n" + ITEM % (b"LOCATION" + b";A=B" * 1_000_000 + b":x\n"),
        "1 sessions",
    ),
    "rows.yaml": (
        filled(b"- a\n", b"event: 1\nsessions:\n", size=ONE),
        "it holds far more than an agenda",
    ),
    "keys.yaml": (b"".join(b"k%d: v\n" % n for n in range(30_000)), "it has far too many keys"),
    "deep.yaml": (filled(b"[", size=ONE), "brackets are nested too deeply"),
    "laughs.yaml": (
        b"a: &a [x]\n" + b"".join(b"b%d: &b%d [*a,*a,*a]\n" % (n, n) for n in range(9_000)),
        'a "&" outside quotes has a meaning in YAML that agendas don\'t use',
    ),
    "tabs.yaml": (filled(b"a\t\n", size=ONE), "there is a tab"),
    "control.yaml": (
        filled(b"a\x01\n", size=ONE),
        "an invisible character (U+0001) is in the text",
    ),
    "large.yaml": (filled(b"# \n"), "it is larger than 1 MB"),
    "large.json": (filled(b" ", size=5_000_001), "it is larger than 5 MB"),
    "zipped.json": (gzip.compress(b"x" * SIZE), "it is compressed (gzip), whatever its name"),
    "office.ics": (b"PK\x03\x04", "it is a zip archive or an office document, whatever its name"),
    "wide.yaml": ("event: Orléans".encode("utf-16"), "this is UTF-16 text"),
    "nothing.json": (b"", "it is not valid JSON (Input is a zero-length, empty document)"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_little_memory(tmp_path: Path, name: str) -> None:
    content, said = HOSTILE[name]
    path = tmp_path / name
    path.write_bytes(content)
    done = subprocess.run(  # noqa: S603 - our own reader
        [sys.executable, "-c", READER, str(path)],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    told = re.fullmatch(r"(?:[\w.-]+(?:, line \d+)?: )?(.*?)(?:\. .*)?\n", done.stdout)
    assert (told and told[1], done.stderr) == (said, "")
