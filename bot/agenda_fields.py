"""What an agenda's values must be: each field's shape, and how its text is read.

Every value arrives as the text its author typed. pydantic checks the shape, and the small functions
below read each text. Each raises a `TextError`, which knows what is wrong; the words for it are
`handlers/agenda_problems.py`'s business, lines and files are `bot/agenda_files.py`'s.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    model_validator,
)

from handlers.agenda_flaws import Flaw
from storage.agendas import Agenda, PlannedEvent, PlannedSession, PlannedTheme
from storage.tables import Side

# The names of the keys and of the items of lists that lead to a value.
Place = tuple[int | str, ...]

KINDS = (
    *("plenary", "panel", "talk", "networking", "ceremony"),
    *("training", "information", "workshop", "break"),
)
MAX_TEXT = 200
# The width of the database's column.
_MAX_CITY = 80
MAX_NAME = 80
_MAX_SEATS = 1_000_000
_MAX_MINUTES = 24 * 60
# A longer value is cut where a message quotes it.
_MAX_QUOTED = 60
YEARS = range(2000, 2101)
LANGUAGES = ("fr", "ar", "en")
# Control characters, and those that reorder the words around them: Jisr isolates texts by itself.
INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)


class TextError(ValueError):
    """A value that can't be used: what is wrong with it, and the values that show it."""

    def __init__(self, flaw: Flaw, **values: object) -> None:
        super().__init__(flaw)
        self.flaw, self.values = flaw, values


@dataclass
class Ground:
    """What the values of a file must agree on; filled while they are read, from the top."""

    themes: frozenset[str]
    # The zone of an event that names none (IANA name).
    home: str
    zone: ZoneInfo | None = None
    starts: date | None = None
    ends: date | None = None
    taken: set[tuple[str, str]] = field(default_factory=set)


def visible(text: str) -> str:
    """A word of the file inside a message: short, and with nothing invisible in it."""
    text = text if len(text) <= _MAX_QUOTED else text[:_MAX_QUOTED] + "…"
    return "".join(c if c.isprintable() else f"<{code_of(c)}>" for c in text)


def code_of(character: str) -> str:
    """The name of a character that can't be seen: U+202E."""
    return f"U+{ord(character):04X}"


def nearest(text: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or nothing."""
    return next(iter(get_close_matches(text.lower(), known, n=1)), "")


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TextError(Flaw.NO_SINGLE_VALUE)
    if not value:
        raise TextError(Flaw.EMPTY)
    return value


def _text(value: Any, longest: int = MAX_TEXT) -> str:
    text = _word(value)
    if found := INVISIBLE.search(text):
        raise TextError(Flaw.INVISIBLE, code=code_of(found.group()))
    if len(text) > longest:
        raise TextError(Flaw.TOO_LONG, length=len(text), limit=longest)
    return text


def _city(value: Any) -> str:
    return _text(value, _MAX_CITY)


def _name(value: Any) -> str:
    return _text(value, MAX_NAME)


def _same_in_all_languages(value: Any) -> Any:
    if isinstance(value, str):
        return dict.fromkeys(LANGUAGES, _text(value))
    return value


def _slug(value: Any, info: ValidationInfo[Ground]) -> str:
    slug = _word(value)
    if not re.fullmatch("[a-z0-9-]{1,40}", slug):
        raise TextError(Flaw.NO_ID, text=visible(slug))
    noun = str((info.config or {}).get("title"))
    if (noun, slug) in info.context.taken:
        twice = Flaw.THEME_TWICE if noun == "theme" else Flaw.SESSION_TWICE
        raise TextError(twice, text=slug)
    info.context.taken.add((noun, slug))
    return slug


def _known_theme(value: Any, info: ValidationInfo[Ground]) -> str:
    slug = _word(value)
    if slug not in info.context.themes:
        near = nearest(slug, info.context.themes)
        raise TextError(Flaw.UNKNOWN_THEME, text=visible(slug), near=near)
    return slug


def _kind(value: Any) -> str:
    kind = _word(value)
    if kind not in KINDS:
        raise TextError(Flaw.UNKNOWN_KIND, text=visible(kind), known=", ".join(KINDS))
    return kind


def _side(value: Any) -> str:
    side = _word(value)
    if side not in list(Side):
        raise TextError(Flaw.UNKNOWN_SIDE, text=visible(side), known=", ".join(Side))
    return side


def _number(value: Any, least: int, most: int, example: str) -> int:
    text = _word(value)
    if not re.fullmatch(r"-?\d{1,12}", text):
        raise TextError(Flaw.NO_NUMBER, text=visible(text), example=example)
    if not least <= int(text) <= most:
        raise TextError(Flaw.OUT_OF_RANGE, text=text, least=least, most=most)
    return int(text)


def _seats(value: Any) -> int:
    return _number(value, 0, _MAX_SEATS, "30")


def _minutes(value: Any) -> int:
    return _number(value, 1, _MAX_MINUTES, "90")


def _yes(value: Any) -> bool:
    answers = {"true": True, "yes": True, "false": False, "no": False}
    text = _word(value)
    if text.lower() not in answers:
        raise TextError(Flaw.NEITHER, text=visible(text))
    return answers[text.lower()]


def _zone(value: Any, info: ValidationInfo[Ground]) -> str:
    name = info.context.home if value is None else _word(value)
    zones = available_timezones()
    if name not in zones:
        # "Paris" is as good a hint as "europe/paris". Etc/GMT+1 means the opposite of GMT+1.
        places = [zone for zone in sorted(zones) if "/" in zone and not zone.startswith("Etc/")]
        hints = {zone.lower().rpartition("/")[2]: zone for zone in places}
        hints |= {zone.lower(): zone for zone in places}
        found = get_close_matches(name.lower(), hints, n=1, cutoff=0.75)
        near = hints[found[0]] if found else ""
        raise TextError(Flaw.UNKNOWN_ZONE, text=visible(name), near=near)
    info.context.zone = ZoneInfo(name)
    return name


def _day(value: Any, info: ValidationInfo[Ground]) -> date:
    text = _word(value)
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        day = None
    if day is None or len(text) != len("2018-07-04"):
        raise TextError(Flaw.NO_DATE, text=visible(text))
    if day.year not in YEARS:
        raise TextError(Flaw.YEAR, year=day.year)
    ground = info.context
    if info.field_name == "ends":
        if ground.starts and day < ground.starts:
            raise TextError(Flaw.ENDS_FIRST, ends=day, starts=ground.starts)
        ground.ends = day
    else:
        ground.starts = day
    return day


def _instant(value: Any, info: ValidationInfo[Ground]) -> datetime:
    text = _word(value)
    try:
        local = datetime.strptime(text.replace("T", " "), "%Y-%m-%d %H:%M")  # noqa: DTZ007 - its zone comes below
    except ValueError:
        local = None
    if local is None or len(text) != len("2018-07-04T10:30"):
        raise TextError(Flaw.NO_TIME, text=visible(text))
    if local.year not in YEARS:
        raise TextError(Flaw.YEAR, year=local.year)
    ground = info.context
    first, last = ground.starts, ground.ends
    if first and last and not first <= local.date() <= last:
        raise TextError(Flaw.OTHER_DAY, day=local.date(), first=first, last=last)
    zone = ground.zone
    early, late = local.replace(tzinfo=zone), local.replace(tzinfo=zone, fold=1)
    before, after = early.utcoffset(), late.utcoffset()
    # In the hour that is skipped `fold=1` reads an earlier instant, in the one repeated a later.
    if before is not None and after is not None and before != after:
        flaw = Flaw.SKIPPED_HOUR if before < after else Flaw.HOUR_TWICE
        raise TextError(flaw, clock=f"{local:%H:%M}", day=local.date(), zone=zone)
    return early.astimezone(UTC)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _skip_empty(cls, value: Any) -> Any:
        """An optional key with nothing after its colon is as good as left out."""
        if not isinstance(value, dict):
            raise TextError(Flaw.NO_MAPPING)
        needed = {name for name, part in cls.model_fields.items() if part.is_required()}
        return {key: item for key, item in value.items() if item != "" or key in needed}


_Slug = Annotated[str, PlainValidator(_slug)]
_Text = Annotated[str, PlainValidator(_text)]
_Seats = Annotated[int | None, PlainValidator(_seats)]
_Day = Annotated[date, PlainValidator(_day)]


class _Languages(_Part):
    fr: _Text
    ar: _Text
    en: _Text


_Words = Annotated[_Languages, BeforeValidator(_same_in_all_languages)]


class _Event(_Part):
    model_config = ConfigDict(title="event")
    id: _Slug
    title: _Words
    subtitle: _Words | None = None
    organiser: _Words | None = None
    city: Annotated[str, PlainValidator(_city)]
    timezone: Annotated[str, PlainValidator(_zone)] = Field(None, validate_default=True)
    starts: _Day
    ends: _Day
    capacity: _Seats = None
    sides: tuple[Annotated[str, PlainValidator(_side)], ...] | None = None


class _Theme(_Languages):
    model_config = ConfigDict(title="theme")
    id: _Slug


class _Session(_Part):
    model_config = ConfigDict(title="session")
    id: _Slug
    kind: Annotated[str, PlainValidator(_kind)]
    title: _Words
    start: Annotated[datetime, PlainValidator(_instant)]
    minutes: Annotated[int, PlainValidator(_minutes)]
    room: _Words | None = None
    capacity: _Seats = None
    online: Annotated[bool, PlainValidator(_yes)] = False
    speakers: tuple[Annotated[str, PlainValidator(_name)], ...] = ()
    themes: frozenset[Annotated[str, PlainValidator(_known_theme)]] = frozenset()


class AgendaFields(_Part):
    """A whole file. In this order: sessions are read against the event's days and zone."""

    event: _Event
    themes: list[_Theme] = []
    sessions: list[_Session]

    def agenda(self) -> Agenda:
        """The same as a plan that storage can compare and apply."""
        return Agenda(
            event=PlannedEvent(slug=self.event.id, **self.event.model_dump(exclude={"id"})),
            themes=tuple(
                PlannedTheme(slug=theme.id, name=theme.model_dump(exclude={"id"}))
                for theme in self.themes
            ),
            sessions=tuple(
                PlannedSession(
                    slug=session.id,
                    starts_at=session.start,
                    ends_at=session.start + timedelta(minutes=session.minutes),
                    **session.model_dump(exclude={"id", "start", "minutes"}),
                )
                for session in self.sessions
            ),
        )


def keys_at(place: Place) -> Iterable[str]:
    """The keys that may stand here."""
    if len(place) > (1 if place[:1] == ("event",) else 2):
        return LANGUAGES
    parts: dict[object, type[_Part]] = {"event": _Event, "themes": _Theme, "sessions": _Session}
    return (parts[place[0]] if place else AgendaFields).model_fields
