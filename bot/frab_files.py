"""Schedules of frab and pretalx, as JSON: conference, days, rooms, and the talks of each room.

Both systems, and those that copy them, write nearly the same; what they disagree about (a zone, a
length, an hour after midnight) is read from whichever of their fields is there. The outline of the
format: https://c3voc.de/wiki/schedule. Our own exports are frab schedules too: what frab has no
word for stands in the conference's `meta`, and `bot/frab_export.py` knows it.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import orjson

from bot import frab_export
from bot.agenda_drafts import Found, FoundEvent, drafted
from bot.agenda_problems import Reading, Remarks, fail
from handlers.agenda_flaws import Flaw

# A schedule is ten levels deep, with answers to questions about its speakers twelve.
_MAX_DEPTH = 24
# Texts, brackets and commas, of which a value has two or three; an object takes up to 300 bytes.
# 3,000 sessions with their speakers have 300,000.
_MAX_TOKENS = 400_000
# A text as a whole, or one of the signs that make the structure.
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{},]', re.DOTALL)


def read(path: Path, content: bytes, home: str) -> Reading:
    """The agenda in this JSON. Raises AgendaFileError."""
    _look_through(path, content)
    try:
        data = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        fail(path, Flaw.NOT_JSON, error.lineno, reason=error.msg)
    return agenda_in(path, data, home)


def agenda_in(path: Path, data: Any, home: str) -> Reading:
    """The agenda in this schedule, which may have come as XML too. Raises AgendaFileError."""
    schedule = _mapping(_mapping(data).get("schedule"))
    conference = _mapping(schedule.get("conference"))
    days = conference.get("days")
    if not isinstance(days, list):
        fail(path, Flaw.NO_SCHEDULE)
    try:
        ours = frab_export.kept(conference.get("meta"))
    except ValueError as error:
        fail(path, Flaw.CHANGED_BY_HAND, reason=error)
    reading = _plain(path, schedule, home, empty=ours is not None)
    if ours is None:
        return reading
    agenda, language = ours
    # What frab alone says of ours: where the file says the same, ours says more.
    told = _plain(path, frab_export.schedule(agenda, language)["schedule"], home, empty=True)
    remarks = tuple(remark for remark in reading.remarks if remark not in told.remarks)
    return Reading(frab_export.merged(reading.agenda, told.agenda, agenda), remarks)


def _plain(path: Path, schedule: Mapping[str, Any], home: str, *, empty: bool) -> Reading:
    conference, remarks = _mapping(schedule.get("conference")), Remarks()
    event = FoundEvent(
        name=_text(conference, "acronym"),
        title=_text(conference, "title"),
        zone=_text(conference, "time_zone_name") or _text(schedule, "time_zone_name"),
        starts=_day(_text(conference, "start")),
        ends=_day(_text(conference, "end")),
    )
    zone = ZoneInfo(event.zone if event.zone in available_timezones() else home)
    found = _sessions(conference["days"], zone)
    return Reading(drafted(path, event, found, remarks, home, empty=empty), remarks.all())


def _look_through(path: Path, content: bytes) -> None:
    """Refuse what would fill the memory before a parser says what it is."""
    depth = 0
    for number, token in enumerate(_TOKENS.finditer(content)):
        sign = content[token.start() : token.start() + 1]
        depth += (sign in b"[{") - (sign in b"]}")
        if number > _MAX_TOKENS:
            fail(path, Flaw.MANY_VALUES)
        if depth > _MAX_DEPTH:
            line = content.count(b"\n", 0, token.start()) + 1
            fail(path, Flaw.DEEP_BRACKETS, line)


def _sessions(days: list[Any], zone: ZoneInfo) -> Iterator[Found]:
    for day in map(_mapping, days):
        for name, talks in _mapping(day.get("rooms")).items():
            for talk in map(_mapping, talks if isinstance(talks, list) else ()):
                yield _session(talk, day, str(name), zone)


def _session(talk: Mapping[str, Any], day: Mapping[str, Any], room: str, zone: ZoneInfo) -> Found:
    starts_at = _starts_at(talk, day, zone)
    ends_at = _instant(_text(talk, "end"), zone)
    length = _length(_text(talk, "duration"))
    if starts_at is not None and ends_at is None and length is not None:
        ends_at = starts_at + length
    persons = talk.get("persons")
    title = _text(talk, "title")
    return Found(
        key=_key(talk) or f"{title} {starts_at}",
        title=title,
        starts_at=starts_at,
        ends_at=ends_at,
        room=_text(talk, "room") or room,
        tracks=[track] if (track := _text(talk, "track")) else [],
        speakers=[_person(person) for person in persons] if isinstance(persons, list) else [],
        kind=_text(talk, "type"),
    )


def _key(talk: Mapping[str, Any]) -> str:
    """What never changes about a talk; its title, and a slug made of it, may."""
    if guid := _text(talk, "guid"):
        return guid.lower()
    for name in ("id", "code", "slug"):
        if value := _text(talk, name):
            return f"{name}-{value}"
    return ""


def _starts_at(talk: Mapping[str, Any], day: Mapping[str, Any], zone: ZoneInfo) -> datetime | None:
    if instant := _instant(_text(talk, "date"), zone):
        return instant
    try:
        clock = time.fromisoformat(_text(talk, "start").zfill(5))
    except ValueError:
        return None
    date_ = _day(_text(talk, "date")) or _day(_text(day, "date"))
    if date_ is None:
        return None
    first = _instant(_text(day, "day_start"), zone)
    # A conference's day ends when its people go to bed: 00:30 belongs to the evening before.
    if first is not None and clock < first.astimezone(zone).time():
        date_ += timedelta(days=1)
    return datetime.combine(date_, clock, zone)


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    # A day alone has no time.
    if len(text) <= len("2018-07-04"):
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    instant = instant if instant.tzinfo else instant.replace(tzinfo=zone)
    try:
        return instant.astimezone(zone)
    except OverflowError:
        return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[: len("2018-07-04")])
    except ValueError:
        return None


def _length(text: str) -> timedelta | None:
    """A length as "HH:MM", "HH:MM:SS", or "D:HH:MM:SS" with days, as some write it."""
    if not re.fullmatch(r"(\d{1,4}:)?\d{1,4}:\d{2}(:\d{2})?", text):
        return None
    parts = [int(part) for part in text.split(":")]
    days = parts.pop(0) if len(parts) > 3 else 0  # noqa: PLR2004 - days come before three others
    hours, minutes, seconds = (*parts, 0)[:3]
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _person(person: Any) -> str:
    if isinstance(person, str):
        return person
    return _text(_mapping(person), "public_name") or _text(_mapping(person), "name")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(values: Mapping[str, Any], name: str) -> str:
    """A text, a number as text, or of a text in several languages any one."""
    value = values.get(name)
    if isinstance(value, dict):
        value = next((text for text in value.values() if isinstance(text, str)), "")
    return str(value).strip() if isinstance(value, str | int) else ""
