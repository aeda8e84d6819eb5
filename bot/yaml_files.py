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
    code_of,
    keys_at,
    nearest,
    visible,
)
from bot.agenda_problems import MAX_SESSIONS, AgendaFileError, Reading, fail
from handlers.agenda_flaws import Flaw, Problem, Spot
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
        fail(path, Flaw.TOO_LARGE, megabytes=_MAX_BYTES // 1_000_000)
    text, problems = _looked_through(path, content.decode("utf-8-sig"))
    root, loader, error = _compose(_QuickLoader(text))
    if error and len(text) <= _TOLD_WELL:
        root, loader, error = _compose(_Loader(text))
    problems += loader.problems
    if error:
        problems.append(_syntax_problem(error))
    elif root is None:
        problems.append(Problem.of(Flaw.EMPTY_FILE))
    if root is None:
        raise AgendaFileError(path, problems)
    outline = _Outline(loader.refused)
    data = outline.read(root)
    sessions = data.get("sessions") if isinstance(data, dict) else None
    if isinstance(sessions, list) and len(sessions) > MAX_SESSIONS:
        fail(path, Flaw.MANY_SESSIONS, limit=MAX_SESSIONS)
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
            problems.append(Problem.of(Flaw.TAB, number))
        if found := INVISIBLE.search(line.replace("\t", "")):
            code = code_of(found.group())
            problems.append(Problem.of(Flaw.INVISIBLE, number, code=code))
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
            line = event.start_mark.line + 1
            self.problems.append(Problem.of(Flaw.SIGN, line, sign=sign))
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


# What YAML says, and what it means.
_SYNTAX = {
    "mapping values are not allowed": Flaw.STRAY_COLON,
    "could not find expected ':'": Flaw.NO_COLON,
    "expected <block end>": Flaw.INDENTATION,
    "expected ',' or": Flaw.OPEN_BRACKET,
    "unexpected end of stream": Flaw.OPEN_QUOTE,
    "but found another document": Flaw.SECOND_DOCUMENT,
    "cannot start any token": Flaw.RESERVED,
    "expected alphabetic or numeric character": Flaw.RESERVED,
    "unknown escape": Flaw.BACKSLASH,
    # What `_Strict` says.
    "too many": Flaw.FAR_TOO_MUCH,
    "too deep": Flaw.DEEP,
}


def _syntax_problem(error: Exception) -> Problem:
    if not isinstance(error, yaml.MarkedYAMLError):
        return Problem.of(Flaw.NOT_YAML)
    mark = error.problem_mark or error.context_mark
    line = None if mark is None else mark.line + 1
    for sign, flaw in _SYNTAX.items():
        if sign in f"{error.context} {error.problem}":
            return Problem.of(flaw, line)
    return Problem.of(Flaw.NOT_YAML_HERE, line, reason=error.problem)


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
            self.problems.append(Problem.of(Flaw.MANY_KEYS, line))
        for key, value in node.value[:_MAX_KEYS]:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self.problems.append(Problem.of(Flaw.NO_WORD, line))
                continue
            if key.value in values:
                twice = visible(key.value)
                first = self.lines[(*place, key.value)]
                self.problems.append(Problem.of(Flaw.KEY_TWICE, line, key=twice, first=first))
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
    "id": "id: panel-1",
    "kind": "kind: panel",
    "minutes": "minutes: 90",
    "start": "start: 2018-07-04T10:30",
    "starts": "starts: 2018-07-04",
    "title": 'title: {fr: "…", ar: "…", en: "…"}',
} | {language: f'{language}: "…"' for language in LANGUAGES}


def _problem(mistake: ErrorDetails, data: Any, outline: _Outline) -> Problem:
    place = mistake["loc"]
    line = outline.line(place)
    last = str(place[-1]) if place else ""
    if mistake["type"] == "missing":
        spot = _spot(place[:-1], data)
        example = _EXAMPLES.get(last, "")
        return Problem.of(Flaw.MISSING, line, spot, key=last, example=example)
    if mistake["type"] == "extra_forbidden":
        near = nearest(last, keys_at(place[:-1]))
        spot = _spot(place[:-1], data)
        return Problem.of(Flaw.UNKNOWN_KEY, line, spot, key=visible(last), near=near)
    spot = _spot(place, data)
    if mistake["type"] in {"list_type", "tuple_type", "frozen_set_type"}:
        return Problem.of(Flaw.NO_LIST, line, spot)
    error = mistake["ctx"]["error"]
    return Problem.of(error.flaw, line, spot, **error.values)


def _spot(place: Place, data: Any) -> Spot:
    """What a person calls this place: ("session", "panel-1", "title", "ar")."""
    names = [part for part in place if isinstance(part, str)]
    if len(place) > 1 and isinstance(place[1], int):
        item = data[names[0]][place[1]]
        slug = item.get("id") if isinstance(item, dict) else None
        named = visible(slug) if slug and isinstance(slug, str) else place[1] + 1
        return (names[0].removesuffix("s"), named, *names[1:])
    return tuple(names)
