"""Reading an agenda that a person wrote: every mistake gets its line and its remedy, all at once.

A file is composed into YAML nodes, never loaded into objects, so that each value stays the text its
author typed (`no` is a word, 10:30 is a time) and remembers its line. pydantic then checks the
shape, and the small functions below read each text. Each raises a `_TextError`, which says what is
wrong in words for somebody who is no engineer.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, NoReturn
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import ErrorDetails

from storage.agendas import Agenda, PlannedEvent, PlannedSession, PlannedTheme
from storage.tables import Side

KINDS = (
    *("plenary", "panel", "talk", "networking", "ceremony"),
    *("training", "information", "workshop", "break"),
)

# A file of 500 sessions is about 150 kB; far more is not an agenda.
MAX_BYTES = 5_000_000
# An agenda is four levels deep: file, sessions, session, title.
_MAX_DEPTH = 16
_MAX_TEXT = 200
# The width of the database's column.
_MAX_CITY = 80
_MAX_SEATS = 1_000_000
_MAX_MINUTES = 24 * 60
# A longer value is cut where a message quotes it.
_MAX_QUOTED = 60
_YEARS = range(2000, 2101)
_LANGUAGES = {"fr": "French", "ar": "Arabic", "en": "English"}
# Control characters, and those that reorder the words around them: Jisr isolates texts by itself.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file: where it is, what it is, and what to do about it."""

    line: int | None
    what: str
    remedy: str


class AgendaFileError(Exception):
    """A file that can't be imported; `problems` are in the order of their lines."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        super().__init__(path, problems)
        self.path = path
        in_order = sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0)
        self.problems = tuple(in_order)

    def __str__(self) -> str:
        return "\n".join(
            f"{self.path.name}{'' if p.line is None else f', line {p.line}'}: {p.what}. {p.remedy}"
            for p in self.problems
        )


def read_agenda(path: Path) -> Agenda:
    """The agenda in this file. Raises AgendaFileError, with all that is wrong with it."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        _fail(path, f"there is no file {path}", "Check its name and its folder.")
    except IsADirectoryError:
        _fail(path, f"{path} is a folder", "Name the agenda file inside it.")
    except OSError as error:
        _fail(path, f"it can't be opened ({error.strerror})", "Check that you may read it.")
    read = _READERS.get(path.suffix.lower())
    if read is None:
        known = ", ".join(sorted(_READERS))
        _fail(path, f'"{path.suffix}" files can\'t be read', f"An agenda's name ends in {known}.")
    if len(content) > MAX_BYTES:
        _fail(path, "it is larger than 5 MB", "Check that it is an agenda, and split it by event.")
    return read(path, content)


def _fail(path: Path, what: str, remedy: str, line: int | None = None) -> NoReturn:
    raise AgendaFileError(path, [Problem(line, what, remedy)]) from None


# --- our own YAML: from bytes to nodes --------------------------------------------------------


def _read_yaml(path: Path, content: bytes) -> Agenda:
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        place = content[: error.start].count(b"\n") + 1
        _fail(path, "this is not UTF-8 text", "Save the file with the encoding UTF-8.", place)
    lines = text.split("\n")
    problems: list[Problem] = []
    for number, line in enumerate(lines, start=1):
        if "\t" in line:
            problems.append(Problem(number, "there is a tab", "Use spaces instead."))
        if found := _INVISIBLE.search(line.replace("\t", "")):
            problems.append(Problem(number, *_invisible(found.group())))
    if any(line.lstrip(" ").startswith("\t") for line in lines):
        # How far these lines are indented is anybody's guess, so nothing below can be judged.
        raise AgendaFileError(path, problems)
    loader = _Loader("\n".join(_INVISIBLE.sub("", line.replace("\t", " ")) for line in lines))
    try:
        root = loader.get_single_node()
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        problems += [*loader.problems, _syntax_problem(error)]
        raise AgendaFileError(path, problems) from None
    problems += loader.problems
    if root is None:
        problems.append(Problem(None, "the file is empty", "It needs an event and its sessions."))
        raise AgendaFileError(path, problems)
    outline = _Outline(loader.refused)
    agenda = _check(outline.read(root), outline)
    problems += outline.problems
    if agenda is None or problems:
        raise AgendaFileError(path, problems)
    return agenda


_READERS: dict[str, Callable[[Path, bytes], Agenda]] = {".yaml": _read_yaml, ".yml": _read_yaml}


class _Loader(yaml.SafeLoader):
    """Composes nodes, and refuses what our format has no use for: anchors, aliases and tags."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.problems: list[Problem] = []
        # Where in the text they stood.
        self.refused: set[int] = set()
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next node. An alias, which could make a small file huge, becomes an empty text."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        alias = isinstance(event, yaml.AliasEvent)
        sign = "*" if alias else "&" if event.anchor else "!" if event.tag else None
        if sign is not None:
            what = f'a "{sign}" outside quotes has a meaning in YAML that agendas don\'t use'
            remedy = "If it is part of a text, put the whole text in double quotes."
            self.problems.append(Problem(event.start_mark.line + 1, what, remedy))
            self.refused.add(event.start_mark.index)
        if alias:
            self.get_event()  # type: ignore[no-untyped-call]
            return yaml.ScalarNode("tag:yaml.org,2002:str", "", event.start_mark, event.end_mark)
        event.anchor = None
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="too deep", problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


_RESERVED = (
    "a text begins with a character that YAML keeps for itself",
    "Put the whole text in double quotes.",
)
# What YAML says: what it means, and the remedy.
_SYNTAX = {
    "mapping values are not allowed": (
        'there is a ":" where none is expected',
        'Check the indentation, or put the text in double quotes: "Panel 1 : Data".',
    ),
    "could not find expected ':'": (
        'a line has no ":" after its key',
        "Look here and one line above, and write key: value.",
    ),
    "expected <block end>": (
        "the line does not fit the lines above it",
        "Indent it with spaces exactly like its neighbours, and put quotes around whole texts.",
    ),
    "expected ',' or": (
        "a bracket is not closed, or a comma is missing",
        'Look for a missing , or } or ] or " here or just above.',
    ),
    "unexpected end of stream": (
        "a quote is opened and never closed",
        'Look for a missing " here or above.',
    ),
    "but found another document": (
        "a second document begins here",
        "Keep one agenda in a file, and delete the line ---.",
    ),
    "cannot start any token": _RESERVED,
    "expected alphabetic or numeric character": _RESERVED,
    "unknown escape": (
        "a backslash in double quotes has a special meaning",
        "Write it twice, or put the text in single quotes.",
    ),
    "too deep": ("brackets are nested too deeply", "Look for a stray [ or {."),
}


def _syntax_problem(error: Exception) -> Problem:
    if not isinstance(error, yaml.MarkedYAMLError):
        return Problem(None, "the file is not valid YAML", "Look for a stray backslash in a text.")
    mark = error.problem_mark or error.context_mark
    line = None if mark is None else mark.line + 1
    for sign, (what, remedy) in _SYNTAX.items():
        if sign in f"{error.context} {error.problem}":
            return Problem(line, what, remedy)
    what = f"the file is not valid YAML here ({error.problem})"
    return Problem(line, what, "Check the quotes and the indentation here and one line above.")


Place = tuple[int | str, ...]


@dataclass
class _Outline:
    """The values of a file as texts, lists and mappings; where each stands; what is wrong."""

    refused: set[int]
    lines: dict[Place, int] = field(default_factory=dict)
    told: set[Place] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def read(self, node: yaml.Node, place: Place = ()) -> Any:
        """The value of this node."""
        self.lines.setdefault(place, node.start_mark.line + 1)
        if node.start_mark.index in self.refused:
            self.told.add(place)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*place, number)) for number, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        return "" if node.tag.endswith(":null") else node.value.strip()

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self.problems.append(Problem(line, "a key is not a word", "Write key: value."))
                continue
            if key.value in values:
                what = f"{_quoted(key.value)} is written twice in the same place"
                first = self.lines[(*place, key.value)]
                self.problems.append(Problem(line, what, f"Keep this one or line {first}."))
                continue
            self.lines[(*place, key.value)] = line
            values[key.value] = self.read(value, (*place, key.value))
        return values

    def line(self, place: Place) -> int | None:
        """The line of this place, or of the nearest around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place)


# --- from texts to values ---------------------------------------------------------------------


class _TextError(ValueError):
    """A value that can't be used, and the remedy."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what, self.remedy = what, remedy


@dataclass
class _Ground:
    """What the values of a file must agree on; filled while they are read, from the top."""

    themes: frozenset[str]
    zone: ZoneInfo | None = None
    starts: date | None = None
    ends: date | None = None
    taken: set[tuple[str, str]] = field(default_factory=set)


def _quoted(text: str) -> str:
    """A word of the file inside a message: short, and with nothing invisible in it."""
    text = text if len(text) <= _MAX_QUOTED else text[:_MAX_QUOTED] + "…"
    return "".join(['"', *(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in text), '"'])


def _nearest(text: str, known: Iterable[str], otherwise: str) -> str:
    found = get_close_matches(text.lower(), known, n=1)
    return f'Did you mean "{found[0]}"?' if found else otherwise


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise _TextError("a single value is expected", "Write one value on the line of its key.")
    if not value:
        raise _TextError("it is empty", "Write a value after the colon.")
    return value


def _text(value: Any, longest: int = _MAX_TEXT) -> str:
    text = _word(value)
    if found := _INVISIBLE.search(text):
        raise _TextError(*_invisible(found.group()))
    if len(text) > longest:
        raise _TextError(f"it has {len(text)} characters and may have {longest}", "Shorten it.")
    return text


def _invisible(character: str) -> tuple[str, str]:
    what = f"an invisible character (U+{ord(character):04X}) is in the text"
    return what, "Delete it, or type the text again on one line."


def _city(value: Any) -> str:
    return _text(value, _MAX_CITY)


def _same_in_all_languages(value: Any) -> Any:
    if isinstance(value, str):
        return dict.fromkeys(_LANGUAGES, _text(value))
    return value


def _slug(value: Any, info: ValidationInfo[_Ground]) -> str:
    slug = _word(value)
    if not re.fullmatch("[a-z0-9-]{1,40}", slug):
        remedy = "Use 1 to 40 small letters a-z, digits and hyphens: it becomes part of a link."
        raise _TextError(f"{_quoted(slug)} can't be an id", remedy)
    noun = str((info.config or {}).get("title"))
    if (noun, slug) in info.context.taken:
        raise _TextError(f'another {noun} above has the id "{slug}"', "Give each its own.")
    info.context.taken.add((noun, slug))
    return slug


def _known_theme(value: Any, info: ValidationInfo[_Ground]) -> str:
    slug = _word(value)
    if slug not in info.context.themes:
        remedy = _nearest(slug, info.context.themes, "Add it to the themes, or remove it here.")
        raise _TextError(f"there is no theme {_quoted(slug)}", remedy)
    return slug


def _kind(value: Any) -> str:
    kind = _word(value)
    if kind not in KINDS:
        raise _TextError(
            f"{_quoted(kind)} is not a kind of session", f"Use one of {', '.join(KINDS)}."
        )
    return kind


def _side(value: Any) -> str:
    side = _word(value)
    if side not in list(Side):
        raise _TextError(f"{_quoted(side)} is not a side", f"Use one of {', '.join(Side)}.")
    return side


def _number(value: Any, least: int, most: int, example: str) -> int:
    text = _word(value)
    if not re.fullmatch(r"-?\d{1,12}", text):
        raise _TextError(f"{_quoted(text)} is not a whole number", f"Write digits only: {example}.")
    if not least <= int(text) <= most:
        raise _TextError(f"{text} is out of range", f"Write a number from {least} to {most}.")
    return int(text)


def _seats(value: Any) -> int:
    return _number(value, 0, _MAX_SEATS, "30")


def _minutes(value: Any) -> int:
    return _number(value, 1, _MAX_MINUTES, "90")


def _yes(value: Any) -> bool:
    answers = {"true": True, "yes": True, "false": False, "no": False}
    text = _word(value)
    if text.lower() not in answers:
        raise _TextError(f"{_quoted(text)} is neither true nor false", "Write true or false.")
    return answers[text.lower()]


def _zone(value: Any, info: ValidationInfo[_Ground]) -> str:
    name = _word(value)
    zones = available_timezones()
    if name not in zones:
        # "Paris" is as good a hint as "europe/paris". Etc/GMT+1 means the opposite of GMT+1.
        places = [zone for zone in sorted(zones) if "/" in zone and not zone.startswith("Etc/")]
        hints = {zone.lower().rpartition("/")[2]: zone for zone in places}
        hints |= {zone.lower(): zone for zone in places}
        found = get_close_matches(name.lower(), hints, n=1, cutoff=0.75)
        remedy = "Write it as Continent/City, e.g. Africa/Casablanca or Europe/Paris."
        remedy = f'Did you mean "{hints[found[0]]}"?' if found else remedy
        raise _TextError(f"there is no time zone {_quoted(name)}", remedy)
    info.context.zone = ZoneInfo(name)
    return name


def _day(value: Any, info: ValidationInfo[_Ground]) -> date:
    text = _word(value)
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        day = None
    if day is None or len(text) != len("2018-07-04"):
        remedy = "Write year-month-day, e.g. 2018-07-04."
        raise _TextError(f"{_quoted(text)} is not a date", remedy)
    if day.year not in _YEARS:
        raise _TextError(f"the year {day.year} can't be right", "Check the date.")
    ground = info.context
    if info.field_name == "ends":
        if ground.starts and day < ground.starts:
            what = f"the event ends on {day}, before it starts on {ground.starts}"
            raise _TextError(what, "Change one of the two.")
        ground.ends = day
    else:
        ground.starts = day
    return day


def _instant(value: Any, info: ValidationInfo[_Ground]) -> datetime:
    text = _word(value)
    try:
        local = datetime.strptime(text.replace("T", " "), "%Y-%m-%d %H:%M")  # noqa: DTZ007
    except ValueError:
        local = None
    if local is None or len(text) != len("2018-07-04T10:30"):
        remedy = "Write the local time, e.g. 2018-07-04T10:30."
        raise _TextError(f"{_quoted(text)} is not a date and time", remedy)
    if local.year not in _YEARS:
        raise _TextError(f"the year {local.year} can't be right", "Check the date.")
    ground = info.context
    first, last = ground.starts, ground.ends
    if first and last and not first <= local.date() <= last:
        days = f"{first}" if first == last else f"{first} to {last}"
        remedy = f"Change it, or the event's days ({days})."
        raise _TextError(f"{local.date()} is not a day of the event", remedy)
    zone = ground.zone
    early, late = local.replace(tzinfo=zone), local.replace(tzinfo=zone, fold=1)
    before, after = early.utcoffset(), late.utcoffset()
    # In the hour that is skipped `fold=1` reads an earlier instant, in the one repeated a later.
    if before is not None and after is not None and before != after:
        if before < after:
            what = f"{local:%H:%M} does not exist on {local.date()} in {zone}"
            raise _TextError(what, "Clocks go forward in that hour: choose another time.")
        what = f"{local:%H:%M} comes twice on {local.date()} in {zone}"
        raise _TextError(what, "Clocks go back in that hour: choose another time.")
    return early.astimezone(UTC)


# --- the shape of a file ----------------------------------------------------------------------


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _skip_empty(cls, value: Any) -> Any:
        """An optional key with nothing after its colon is as good as left out."""
        if not isinstance(value, dict):
            raise _TextError("keys with values are expected", "Write each as key: value.")
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
    timezone: Annotated[str, PlainValidator(_zone)]
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
    themes: frozenset[Annotated[str, PlainValidator(_known_theme)]] = frozenset()


class _File(_Part):
    # In this order: sessions are read against the event's days and zone.
    event: _Event
    themes: list[_Theme] = []
    sessions: list[_Session]

    def agenda(self) -> Agenda:
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


def _check(data: Any, outline: _Outline) -> Agenda | None:
    themes = data.get("themes") if isinstance(data, dict) else None
    named = [theme.get("id") for theme in themes or [] if isinstance(theme, dict)]
    ground = _Ground(frozenset(slug for slug in named if isinstance(slug, str)))
    try:
        return _File.model_validate(data, context=ground).agenda()
    except ValidationError as error:
        outline.problems += [
            _problem(mistake, data, outline)
            for mistake in error.errors(include_url=False)
            if mistake["loc"] not in outline.told
        ]
        return None


_EXAMPLES = {
    "city": "city: Rabat",
    "ends": "ends: 2018-07-05",
    "event": "the event with its id, title, city, timezone, starts and ends",
    "id": "id: panel-1",
    "kind": "kind: panel",
    "minutes": "minutes: 90",
    "sessions": "the list of sessions",
    "start": "start: 2018-07-04T10:30",
    "starts": "starts: 2018-07-04",
    "timezone": "timezone: Africa/Casablanca",
    "title": 'title: {fr: "…", ar: "…", en: "…"}',
} | {language: f'{language}: "…"' for language in _LANGUAGES}


def _problem(mistake: ErrorDetails, data: Any, outline: _Outline) -> Problem:
    place = mistake["loc"]
    line = outline.line(place)
    about, last = place, str(place[-1]) if place else ""
    if mistake["type"] == "missing":
        about = place[:-1]
        name = f"{_LANGUAGES[last]} ({last})" if last in _LANGUAGES else f'"{last}"'
        what, remedy = f"{name} is missing", f"Add {_EXAMPLES[last]}."
    elif mistake["type"] == "extra_forbidden":
        about = place[:-1]
        what, remedy = f"unknown key {_quoted(last)}", _nearest(last, _keys(about), "Delete it.")
    elif mistake["type"] in {"list_type", "tuple_type", "frozen_set_type"}:
        what, remedy = "a list is expected", "Write [a, b], or begin each line with a hyphen."
    else:
        error = mistake["ctx"]["error"]
        what, remedy = error.what, error.remedy
    return Problem(line, f"{_name(about, data)}: {what}", remedy)


def _keys(place: Place) -> Iterable[str]:
    """The keys that may stand here."""
    if len(place) > (1 if place[:1] == ("event",) else 2):
        return _LANGUAGES
    parts: dict[object, type[_Part]] = {"event": _Event, "themes": _Theme, "sessions": _Session}
    return (parts[place[0]] if place else _File).model_fields


def _name(place: Place, data: Any) -> str:
    """What a person calls this place: `session "panel-1", title in Arabic`."""
    if not place:
        return "the file"
    name = str(place[0])
    if len(place) > 1 and isinstance(place[1], int):
        item = data[name][place[1]]
        slug = item.get("id") if isinstance(item, dict) else None
        name = name.removesuffix("s")
        name += f" {_quoted(slug)}" if slug and isinstance(slug, str) else f" {place[1] + 1}"
    for part in place[1:]:
        if isinstance(part, str):
            name += f" in {_LANGUAGES[part]}" if part in _LANGUAGES else f", {part}"
    return name
