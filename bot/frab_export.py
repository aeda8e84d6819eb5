"""Agendas as frab schedules: for conference apps, signage, and for our own import.

What frab has no word for (titles in three languages, seats, several themes) stands as a whole
agenda in the conference's `meta`, which the format leaves open. Read back, frab's own words win where
somebody changed them, and everything else is as it was: nothing is lost on the way.
"""

import re
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo, available_timezones

import orjson
from pydantic import TypeAdapter, ValidationError

from bot.agenda_fields import INVISIBLE, KINDS, LANGUAGES, MAX_TEXT, YEARS
from storage.agendas import Agenda, PlannedEvent, PlannedSession

T = TypeVar("T", PlannedEvent, PlannedSession)

_SCHEMA = "https://c3voc.de/schedule/schema.json"
_KEY = "jisr"
_LONGEST_SLUG = 64
_MOST_SEATS = 1_000_000


def written(agenda: Agenda, language: str) -> bytes:
    """The agenda as a schedule in JSON; what frab can say but once is said in this language."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(schedule(agenda, language), option=options)


def schedule(agenda: Agenda, language: str) -> dict[str, Any]:
    """The same, before it is written."""
    event, zone = agenda.event, ZoneInfo(agenda.event.timezone)
    names = {theme.slug: theme.name.get(language, "") for theme in agenda.themes}
    days: dict[date, dict[str, list[Any]]] = {}
    persons: dict[str, int] = {}
    for number, session in enumerate(agenda.sessions, start=1):
        rooms = days.setdefault(session.starts_at.astimezone(zone).date(), {})
        tracks = [names[slug] for slug in sorted(session.themes)]
        talk = _talk(session, event, language, zone, number) | {
            "track": tracks[0] if tracks else None,
            "persons": [
                {"id": persons.setdefault(name, len(persons) + 1), "public_name": name}
                for name in session.speakers
            ],
        }
        rooms.setdefault(talk["room"], []).append(talk)
    conference = {
        "acronym": _acronym(event),
        "title": event.title.get(language, ""),
        "start": event.starts.isoformat(),
        "end": event.ends.isoformat(),
        "daysCount": (event.ends - event.starts).days + 1,
        "timeslot_duration": "00:05",
        "tracks": [{"name": name} for name in names.values()],
        "meta": {_KEY: {"language": language, "agenda": _shape().dump_python(agenda, mode="json")}},
        "days": [
            _day(index, day, rooms, zone)
            for index, (day, rooms) in enumerate(sorted(days.items()), start=1)
        ],
    }
    # The format knows names like Continent/City only; ours stands in `meta` in any case.
    if re.match("[A-Z][a-z]+/[A-Z][a-z]+|UTC$", event.timezone):
        conference["time_zone_name"] = event.timezone
    return {
        "$schema": _SCHEMA,
        "generator": {"name": "jisr"},
        "schedule": {"version": "1", "conference": conference},
    }


def _talk(
    session: PlannedSession, event: PlannedEvent, language: str, zone: ZoneInfo, number: int
) -> dict[str, Any]:
    starts_at, ends_at = session.starts_at.astimezone(zone), session.ends_at.astimezone(zone)
    minutes = -((session.starts_at - session.ends_at) // timedelta(minutes=1))
    guid = guid_of(event, session)
    return {
        "guid": guid,
        "id": number,
        "date": starts_at.isoformat(),
        "start": f"{starts_at:%H:%M}",
        "end": ends_at.isoformat(),
        "duration": f"{minutes // 60:02}:{minutes % 60:02}",
        "room": (session.room or {}).get(language, ""),
        "slug": f"{_acronym(event)}-{session.slug}-{number}",
        "url": f"urn:uuid:{guid}",
        "title": session.title.get(language, ""),
        "subtitle": None,
        "type": session.kind,
        "language": language,
        "abstract": None,
        "links": [],
    }


def _day(index: int, day: date, rooms: dict[str, list[Any]], zone: ZoneInfo) -> dict[str, Any]:
    begins = datetime(day.year, day.month, day.day, tzinfo=zone)
    return {
        "index": index,
        "date": day.isoformat(),
        "day_start": begins.isoformat(),
        "day_end": begins.replace(hour=23, minute=59).isoformat(),
        "rooms": rooms,
    }


def _acronym(event: PlannedEvent) -> str:
    """The schema's pattern has at least four letters, digits and underscores."""
    return re.sub("[^a-z0-9_]", "_", event.slug).ljust(4, "_")


def guid_of(event: PlannedEvent, session: PlannedSession) -> str:
    """The same session has the same guid in every export."""
    return str(uuid5(NAMESPACE_URL, f"jisr:{event.slug}/{session.slug}"))


# --- read back ------------------------------------------------------------------------------


@cache
def _shape() -> TypeAdapter[Agenda]:
    """How an agenda stands in JSON, and what it takes to be one."""
    return TypeAdapter(Agenda)


def kept(meta: Any) -> tuple[Agenda, str] | None:
    """The agenda that `written` kept in a conference's `meta`, and its language; None: not ours.

    Raises ValueError if it is ours, and holds what we never wrote.
    """
    ours = meta.get(_KEY) if isinstance(meta, dict) else None
    if not isinstance(ours, dict):
        return None
    try:
        agenda = _shape().validate_python(ours.get("agenda"))
    except ValidationError as error:
        raise ValueError(error.errors(include_url=False)[0]["msg"]) from None
    language = ours.get("language")
    if language not in LANGUAGES:
        raise ValueError("its language is none of ours")
    _examine(_shape().dump_python(agenda))
    if agenda.event.timezone not in available_timezones():
        raise ValueError("its time zone is unknown")
    if any(session.kind not in KINDS for session in agenda.sessions):
        raise ValueError("its kinds of sessions are not ours")
    return agenda, language


def _examine(value: Any, name: object = "") -> None:
    """Raise ValueError for a text, number or date that no file or chat of ours could hold."""
    if isinstance(value, dict):
        for key, item in value.items():
            _examine(item, key)
    elif isinstance(value, list | tuple | frozenset | set):
        for item in value:
            _examine(item)
    elif isinstance(value, str):
        slug = name == "slug" and not re.fullmatch(f"[a-z0-9-]{{1,{_LONGEST_SLUG}}}", value)
        if slug or len(value) > MAX_TEXT or INVISIBLE.search(value):
            raise ValueError("a text in it can't be right")
    elif isinstance(value, date):
        if value.year not in YEARS:
            raise ValueError("a date in it can't be right")
    elif isinstance(value, int) and not 0 <= value <= _MOST_SEATS:
        raise ValueError("a number in it can't be right")


def merged(read: Agenda, told: Agenda, ours: Agenda) -> Agenda:
    """Ours, but where what was `read` differs from what frab `told` of ours, as it was read."""
    event = _merged(read.event, told.event, ours.event)
    before = {session.slug: session for session in told.sessions}
    own = {guid_of(ours.event, session): session for session in ours.sessions}
    order = {session.slug: number for number, session in enumerate(ours.sessions)}
    sessions = [
        _merged(session, before[session.slug], own[session.slug])
        if session.slug in before and session.slug in own
        else session
        for session in read.sessions
    ]
    themes = {theme.slug: theme for theme in ours.themes}
    added = {slug for session in sessions for slug in session.themes} - themes.keys()
    return Agenda(
        event=event,
        themes=(*ours.themes, *(theme for theme in read.themes if theme.slug in added)),
        sessions=tuple(
            sorted(sessions, key=lambda s: (s.starts_at, order.get(s.slug, len(order))))
        ),
    )


def _merged(read: T, told: T, ours: T) -> T:
    changed = {
        part.name: getattr(read, part.name)
        for part in fields(read)
        if getattr(read, part.name) != getattr(told, part.name)
    }
    return replace(ours, **changed)
