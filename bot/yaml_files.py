"""Reading an agenda that a person wrote: every mistake gets its line and its remedy, all at once.

A file is composed into YAML nodes, never loaded into objects, so that each value stays the text its
author typed (`no` is a word, 10:30 is a time) and remembers its line. `bot/agenda_fields.py` reads
the values; what it finds wrong is told here with the place where it stands.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from yaml.composer import Composer

from bot.agenda_fields import (
    INVISIBLE,
    LANGUAGES,
    AgendaFields,
    Ground,
    Place,
    invisible,
    keys_at,
    nearest,
    quoted,
)
from bot.agenda_problems import MAX_SESSIONS, AgendaFileError, Problem, Reading, fail
from storage.agendas import Agenda

# 3,000 sessions, each with its titles in three languages, a room and some themes.
_MAX_BYTES = 1_000_000
_MAX_NODES = 70_000
# More than this nobody mends one by one.
_MAX_PROBLEMS = 100
_FIRST_SESSIONS = 200
_MAX_KEYS = 100
# PyYAML tells best what is wrong, and takes half a second for 100 kB; libyaml is eight times as quick.
_TOLD_WELL = 100_000
# An agenda is four levels deep: file, sessions, session, title.
_MAX_DEPTH = 16


def read(path: Path, content: bytes, home: str) -> Reading:
    """The agenda in this YAML. Raises AgendaFileError, with all that is wrong with it."""
    if len(content) > _MAX_BYTES:
        fail(path, "it is larger than 1 MB", "Check that it is an agenda, and split it by event.")
    text, problems = _looked_through(path, content.decode("utf-8-sig"))
    root, loader, error = _compose(_QuickLoader(text))
    if error and len(text) <= _TOLD_WELL:
        root, loader, error = _compose(_Loader(text))
    problems += loader.problems
    if error:
        problems.append(_syntax_problem(error))
    elif root is None:
        problems.append(Problem(None, "the file is empty", "It needs an event and its sessions."))
    if root is None:
        raise AgendaFileError(path, problems)
    outline = _Outline(loader.refused)
    data = outline.read(root)
    sessions = data.get("sessions") if isinstance(data, dict) else None
    if isinstance(sessions, list) and len(sessions) > MAX_SESSIONS:
        fail(path, f"it has more than {MAX_SESSIONS} sessions", "Split it by event.")
    agenda = None
    first = sessions[:_FIRST_SESSIONS] if isinstance(sessions, list) else sessions
    # Where everything is wrong, the first of it is told.
    if first == sessions or _check({**data, "sessions": first}, outline, home):
        agenda = _check(data, outline, home)
    problems += outline.problems
    if agenda is None or problems:
        raise AgendaFileError(path, problems)
    return Reading(agenda)


def _looked_through(path: Path, text: str) -> tuple[str, list[Problem]]:
    """The text without tabs and invisible characters, and where these were."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    problems: list[Problem] = []
    for number, line in enumerate(lines, start=1):
        if len(problems) >= _MAX_PROBLEMS:
            raise AgendaFileError(path, problems)
        if "\t" in line:
            problems.append(Problem(number, "there is a tab", "Use spaces instead."))
        if found := INVISIBLE.search(line.replace("\t", "")):
            problems.append(Problem(number, *invisible(found.group())))
    if any(line.lstrip(" ").startswith("\t") for line in lines):
        # How far these lines are indented is anybody's guess, so nothing below can be judged.
        raise AgendaFileError(path, problems)
    return "\n".join(INVISIBLE.sub("", line.replace("\t", " ")) for line in lines), problems


class _Strict(Composer):
    """Composes nodes, and refuses what our format has no use for: anchors, aliases and tags."""

    # Of the parser that it is combined with.
    peek_event: Callable[[], Any]
    get_event: Callable[[], Any]

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        # Where in the text they stood.
        self.refused: set[int] = set()
        self._depth = self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next node. An alias, which could make a small file huge, becomes an empty text."""
        event = self.peek_event()
        alias = isinstance(event, yaml.AliasEvent)
        sign = "*" if alias else "&" if event.anchor else "!" if event.tag else None
        if sign is not None:
            what = f'a "{sign}" outside quotes has a meaning in YAML that agendas don\'t use'
            remedy = "If it is part of a text, put the whole text in double quotes."
            self.problems.append(Problem(event.start_mark.line + 1, what, remedy))
            self.refused.add(event.start_mark.index)
        if alias:
            self.get_event()
            return yaml.ScalarNode("tag:yaml.org,2002:str", "", event.start_mark, event.end_mark)
        event.anchor = None
        self._depth += 1
        self._nodes += 1
        if self._nodes > _MAX_NODES or len(self.problems) > _MAX_PROBLEMS:
            raise yaml.MarkedYAMLError(problem="too many", problem_mark=event.start_mark)
        if self._depth > _MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="too deep", problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Loader(_Strict, yaml.SafeLoader):
    """All of it PyYAML's own."""

    def __init__(self, text: str) -> None:
        yaml.SafeLoader.__init__(self, text)
        _Strict.__init__(self)


class _QuickLoader(_Strict, yaml.CSafeLoader):
    """With libyaml's parser, which says less about mistakes."""

    def __init__(self, text: str) -> None:
        yaml.CSafeLoader.__init__(self, text)
        _Strict.__init__(self)


def _compose(loader: Any) -> tuple[yaml.Node | None, Any, Exception | None]:
    try:
        return loader.get_single_node(), loader, None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        return None, loader, error


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
    "too many": ("it holds far more than an agenda", "Check that it is one."),
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
        if len(node.value) > _MAX_KEYS:
            line = node.start_mark.line + 1
            self.problems.append(Problem(line, "it has far too many keys", "Indent its lists."))
        for key, value in node.value[:_MAX_KEYS]:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self.problems.append(Problem(line, "a key is not a word", "Write key: value."))
                continue
            if key.value in values:
                what = f"{quoted(key.value)} is written twice in the same place"
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


def _check(data: Any, outline: _Outline, home: str) -> Agenda | None:
    themes = data.get("themes") if isinstance(data, dict) else None
    named = [theme.get("id") for theme in themes or [] if isinstance(theme, dict)]
    ground = Ground(frozenset(slug for slug in named if isinstance(slug, str)), home)
    try:
        return AgendaFields.model_validate(data, context=ground).agenda()
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
    "event": "the event with its id, title, city, starts and ends",
    "id": "id: panel-1",
    "kind": "kind: panel",
    "minutes": "minutes: 90",
    "sessions": "the list of sessions",
    "start": "start: 2018-07-04T10:30",
    "starts": "starts: 2018-07-04",
    "title": 'title: {fr: "…", ar: "…", en: "…"}',
} | {language: f'{language}: "…"' for language in LANGUAGES}


def _problem(mistake: ErrorDetails, data: Any, outline: _Outline) -> Problem:
    place = mistake["loc"]
    line = outline.line(place)
    about, last = place, str(place[-1]) if place else ""
    if mistake["type"] == "missing":
        about = place[:-1]
        name = f"{LANGUAGES[last]} ({last})" if last in LANGUAGES else f'"{last}"'
        what, remedy = f"{name} is missing", f"Add {_EXAMPLES[last]}."
    elif mistake["type"] == "extra_forbidden":
        about = place[:-1]
        what, remedy = f"unknown key {quoted(last)}", nearest(last, keys_at(about), "Delete it.")
    elif mistake["type"] in {"list_type", "tuple_type", "frozen_set_type"}:
        what, remedy = "a list is expected", "Write [a, b], or begin each line with a hyphen."
    else:
        error = mistake["ctx"]["error"]
        what, remedy = error.what, error.remedy
    return Problem(line, f"{_name(about, data)}: {what}", remedy)


def _name(place: Place, data: Any) -> str:
    """What a person calls this place: `session "panel-1", title in Arabic`."""
    if not place:
        return "the file"
    name = str(place[0])
    if len(place) > 1 and isinstance(place[1], int):
        item = data[name][place[1]]
        slug = item.get("id") if isinstance(item, dict) else None
        name = name.removesuffix("s")
        name += f" {quoted(slug)}" if slug and isinstance(slug, str) else f" {place[1] + 1}"
    for part in place[1:]:
        if isinstance(part, str):
            name += f" in {LANGUAGES[part]}" if part in LANGUAGES else f", {part}"
    return name
