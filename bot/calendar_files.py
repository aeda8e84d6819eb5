"""iCalendar files (RFC 5545), as calendars and conference systems export them.

A calendar is read item by item, and of each item only the lines that an agenda needs reach the
parser: descriptions are the bulk of such files, often as HTML. Some exporters give one UID to many
items, so an item is known by its UID, its RECURRENCE-ID and, where these don't tell it apart, its
start. Items that repeat daily or weekly become one session for each date; of other rules only the
first date is taken, and told.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from bot.agenda_drafts import Found, FoundEvent, cleaned, drafted
from bot.agenda_fields import YEARS
from bot.agenda_problems import MAX_SESSIONS, Reading, Remarks, fail
from bot.repeating import DATES, repeated
from handlers.agenda_flaws import Flaw
from handlers.agenda_remarks import About

# 3,000 items with long descriptions, folded as RFC 5545 asks for (section 3.1).
_MAX_LINES = 250_000
# VCALENDAR, VEVENT, VALARM.
_MAX_DEPTH = 6
# Of a property that an item has once, only the first counts; of the others there may be some.
_ONCE = frozenset(
    {
        *("SUMMARY", "DTSTART", "DTEND", "DURATION", "UID", "RECURRENCE-ID", "RRULE"),
        *("LOCATION", "STATUS"),
    }
)
_OFTEN = frozenset({"RDATE", "EXDATE", "CATEGORIES"})
_MAX_OFTEN = 10_000
# Longer lines than this are no title, room or list of dates.
_MAX_LINE = 4_000
_IN_ITEM = ["VCALENDAR", "VEVENT"]
# What we call the parameter TZID.
_ZONE = "X-ZONE"
_ABOUT_CALENDAR = frozenset({"X-WR-CALNAME", "NAME", "X-WR-TIMEZONE"})


@dataclass(slots=True)
class _Calendar:
    """The lines of a file that matter: those about the calendar, and those of each item."""

    about: dict[str, str] = field(default_factory=dict)
    items: list[list[str]] = field(default_factory=list)
    # What the item at hand has said already, and how often something that may be said again was.
    said: set[str] = field(default_factory=set)
    again: int = 0

    def begin(self) -> None:
        """Another item."""
        self.items.append([])
        self.said = set()

    def wants(self, name: str) -> bool:
        """Whether this property of the item at hand matters."""
        if name in _OFTEN:
            self.again += 1
            return self.again <= _MAX_OFTEN
        wanted = name in _ONCE and name not in self.said
        self.said.add(name)
        return wanted


@dataclass(frozen=True, slots=True)
class _Item:
    """One item, read; `of` is the date that it replaces in a repeating one."""

    uid: str
    found: Found
    of: datetime | None
    rule: str
    without: frozenset[datetime]
    more: tuple[datetime, ...]


def read(path: Path, content: bytes, home: str) -> Reading:
    """The agenda in this iCalendar. Raises AgendaFileError."""
    if max(content.count(b"\n"), content.count(b"\r")) > _MAX_LINES:
        fail(path, Flaw.MANY_LINES)
    calendar = _lines(path, content)
    if len(calendar.items) > MAX_SESSIONS:
        fail(path, Flaw.MANY_SESSIONS, limit=MAX_SESSIONS)
    if calendar.again > _MAX_OFTEN:
        fail(path, Flaw.MANY_DATES)
    if not calendar.items:
        fail(path, Flaw.NO_ITEMS)
    remarks = Remarks()
    zones = _Zones(calendar, home)
    items = [item for lines in calendar.items if (item := _item(lines, zones, remarks))]
    event = FoundEvent(
        name="",
        title=calendar.about.get("X-WR-CALNAME", "") or calendar.about.get("NAME", ""),
        zone=zones.named,
    )
    if zones.unknown:
        remarks.note(About.UNKNOWN_ZONE, zones.floating.key)
    agenda = drafted(path, event, _sessions(items, remarks), remarks, home)
    return Reading(agenda, remarks.all())


# --- the lines ------------------------------------------------------------------------------


def _lines(path: Path, content: bytes) -> _Calendar:
    calendar, inside = _Calendar(), list[str]()
    # Unfolded as bytes: a line may be folded in the middle of a letter.
    for found in re.finditer(rb"[^\r\n]+", re.sub(rb"\r?\n[ \t]", b"", content)):
        name = re.split(rb"[:;]", found[0][:32], maxsplit=1)[0].decode("ascii", "replace").upper()
        if name == "BEGIN":
            inside.append(found[0][len("BEGIN:") :].strip().decode("ascii", "replace").upper())
            if len(inside) > _MAX_DEPTH:
                fail(path, Flaw.DEEP_PARTS)
            if inside == _IN_ITEM:
                calendar.begin()
        elif name == "END":
            del inside[-1:]
        elif inside == _IN_ITEM and calendar.wants(name):
            calendar.items[-1].append(_text(path, found[0]))
        elif name in _ABOUT_CALENDAR and inside == _IN_ITEM[:1]:
            value = _text(path, found[0]).partition(":")[2]
            calendar.about.setdefault(name, _plain(value))
    return calendar


def _text(path: Path, line: bytes) -> str:
    try:
        text = line[:_MAX_LINE].decode()
    except UnicodeDecodeError as error:
        if len(line) > _MAX_LINE and error.start > _MAX_LINE - 4:
            return _text(path, line[: error.start])
        fail(path, Flaw.NOT_UTF_8)
    # Zones are told by `_Zones`: the library would warn of some, and look for their rules.
    return re.sub(";TZID=", f";{_ZONE}=", text, count=1, flags=re.IGNORECASE)


def _plain(value: str) -> str:
    """A text of RFC 5545, section 3.3.11, without its escapes."""
    return re.sub(r"\\(.)", lambda found: " " if found[1] in "nN" else found[1], value).strip()


class _Zones:
    """Whose times these are: what the file calls its zones, as IANA calls them."""

    def __init__(self, calendar: _Calendar, home: str) -> None:
        self.unknown = False
        self._known: dict[str, ZoneInfo | None] = {}
        names = Counter(
            found[1].strip('"')
            for lines in calendar.items
            for line in lines
            if line.upper().startswith("DTSTART")
            and (found := re.search(f"{_ZONE}=([^:;]+)", line))
        )
        asked = [
            calendar.about.get("X-WR-TIMEZONE", ""),
            *(name for name, _ in names.most_common()),
        ]
        zones = [zone for name in asked if name and (zone := self._zone(name))]
        # What the event's zone is called, even if nobody knows it.
        self.named = zones[0].key if zones else next(filter(None, asked), "")
        self.floating = zones[0] if zones else ZoneInfo(home)

    def instant(self, value: Any) -> datetime | None:
        """The instant of a DTSTART and the like; None for a whole day.

        Raises ValueError for a year that can't be right.
        """
        moment = value.dt
        if moment.year not in YEARS:
            raise ValueError("no year of ours")
        if not isinstance(moment, datetime):
            return None
        name = value.params.get(_ZONE)
        if name is None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
        zone = self._zone(str(name)) if name else self.floating
        if zone is None:
            self.unknown, zone = self.floating.key == self.named, self.floating
        return moment.replace(tzinfo=zone)

    def _zone(self, name: str) -> ZoneInfo | None:
        if name not in self._known:
            self._known[name] = _zone(name)
        return self._known[name]


def _zone(name: str) -> ZoneInfo | None:
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON  # noqa: PLC0415 - heavy

    known = available_timezones()
    # "/citadel.org/20210210_1/Europe/Paris" is one way to write a zone, too.
    parts = name.strip().strip('"').split("/")
    ends = ["/".join(parts[i:]) for i in range(len(parts))]
    found = next((end for end in ends if end in known), WINDOWS_TO_OLSON.get(name))
    return ZoneInfo(found) if found in known else None


# --- the items ------------------------------------------------------------------------------


def _item(lines: list[str], zones: _Zones, remarks: Remarks) -> _Item | None:
    from icalendar import Event  # noqa: PLC0415 - heavy, and most imports are of other formats

    title = next((line.partition(":")[2] for line in lines if line.startswith("SUMMARY")), "")
    title = cleaned(_plain(title))[:60]
    try:
        event = Event.from_ical("\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT", ""]))
        return _read_item(event, zones, remarks)
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError):
        # What its authors could not write, the library raises in its own ways.
        remarks.note(About.UNREADABLE, title)
        return None


def _read_item(event: Any, zones: _Zones, remarks: Remarks) -> _Item | None:
    title = cleaned(str(event.get("SUMMARY", "")))
    start, end, rule = event.get("DTSTART"), event.get("DTEND"), event.get("RRULE")
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        remarks.note(About.CANCELLED, title)
        return None
    starts_at = zones.instant(start) if start is not None else None
    if start is not None and starts_at is None:
        remarks.note(About.ALL_DAY, title)
        return None
    ends_at = zones.instant(end) if end is not None else None
    if "DURATION" in event and starts_at is not None:
        ends_at = starts_at + event["DURATION"].dt
    categories = event.get("CATEGORIES", [])
    uid, of = str(event.get("UID", "")), event.get("RECURRENCE-ID")
    return _Item(
        uid=uid,
        found=Found(
            key=uid or f"{title} {starts_at}",
            title=title,
            starts_at=starts_at,
            ends_at=ends_at,
            room=str(event.get("LOCATION", "")),
            tracks=[
                str(name)
                for one in (categories if isinstance(categories, list) else [categories])
                for name in one.cats
            ],
        ),
        of=zones.instant(of) if of is not None else None,
        rule=rule.to_ical().decode() if rule is not None and not isinstance(rule, list) else "",
        without=frozenset(_instants(event.get("EXDATE"), zones)),
        more=tuple(_instants(event.get("RDATE"), zones)),
    )


def _instants(values: Any, zones: _Zones) -> Iterator[datetime]:
    for value in values if isinstance(values, list) else [values] if values is not None else []:
        for one in value.dts:
            one.params = value.params
            if (instant := zones.instant(one)) is not None:
                yield instant


def _sessions(items: list[_Item], remarks: Remarks) -> Iterator[Found]:
    """The sessions of all items: of one that repeats, one for each date."""
    singles = Counter(item.uid for item in items if item.of is None)
    replaced = {(item.uid, item.of) for item in items}
    for item in items:
        found = item.found
        if item.of is not None:
            yield replace(found, key=_key(item.uid, item.of))
        elif found.starts_at is None or not (item.rule or item.more):
            again = singles[item.uid] > 1 and found.starts_at is not None
            yield replace(found, key=_key(item.uid, found.starts_at)) if again else found
        else:
            yield from _dates(item, found.starts_at, replaced, remarks)


def _key(uid: str, at: datetime | None) -> str:
    return f"{uid} {at.astimezone(UTC):%Y%m%dT%H%M%SZ}" if at else uid


def _dates(
    item: _Item, first: datetime, replaced: set[tuple[str, datetime | None]], remarks: Remarks
) -> Iterator[Found]:
    found = item.found
    length = found.ends_at - first if found.ends_at else None
    dates = repeated(first, item.rule) if item.rule else [first]
    if dates is None:
        remarks.note(About.FIRST_ONLY, found.title)
        dates = [first]
    dates = sorted({*dates, *item.more} - item.without)
    if len(dates) > DATES:
        remarks.note(About.REPEATS_CUT, found.title)
    for at in dates[:DATES]:
        if (item.uid, at) not in replaced:
            ends_at = at + length if length is not None else None
            yield replace(found, key=_key(item.uid, at), starts_at=at, ends_at=ends_at)
