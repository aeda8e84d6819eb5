"""Schedules of frab and pretalx as XML: the same as their JSON, and read as the same.

The parser hands over one element after the other, and only what an agenda needs is kept: a file is
never a tree in memory. Document types and entities, with which a small file can become a huge one
or reach for other files, are refused by defusedxml.
"""

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from bot.agenda_problems import MAX_SESSIONS, Reading, fail
from bot.frab_files import agenda_in
from handlers.agenda_flaws import Flaw

# A schedule is seven levels deep: schedule, day, room, event, persons, person.
_MAX_DEPTH = 16
# 3,000 talks with their speakers have 130,000 signs; each costs a parser time and memory.
_MAX_SIGNS = 150_000
_CONFERENCE = frozenset({"acronym", "title", "start", "end", "time_zone_name"})
_TALK = frozenset(
    {"date", "start", "duration", "end", "room", "title", "track", "type", "slug", "code"}
)
_ABOUT_CONFERENCE = ("schedule", "conference")
_ABOUT_TALK = ("schedule", "day", "room", "event")
_ABOUT_PERSON = (*_ABOUT_TALK, "persons")


def read(path: Path, content: bytes, home: str) -> Reading:
    """The agenda in this XML. Raises AgendaFileError."""
    if content.count(b"<") > _MAX_SIGNS or content.count(b"=") > _MAX_SIGNS:
        fail(path, Flaw.MANY_ELEMENTS)
    schedule = _Schedule()
    parser = DefusedXMLParser(target=schedule, encoding="utf-8", forbid_dtd=True)
    try:
        parser.feed(content)
        parser.close()
    except DefusedXmlException:
        fail(path, Flaw.ENTITIES)
    except ParseError as error:
        line, _column = error.position
        fail(path, Flaw.NOT_XML, line, reason=str(error.msg).partition(":")[0])
    except _TooMuchError as error:
        fail(path, error.flaw, limit=MAX_SESSIONS)
    return agenda_in(path, {"schedule": {"conference": schedule.conference}}, home)


class _TooMuchError(Exception):
    """More than a schedule holds."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw)
        self.flaw = flaw


class _Schedule:
    """Takes the elements as they come, and keeps the schedule as its JSON would have it."""

    def __init__(self) -> None:
        self.conference: dict[str, Any] = {}
        self._path: list[str] = []
        self._text: list[str] | None = None
        self._room = ""
        self._talks = 0
        self._day: dict[str, Any] = {}
        self._talk: dict[str, Any] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        # Some write a namespace before each name, as "{https://...}day".
        tag = tag.rpartition("}")[2]
        parents = tuple(self._path)
        self._path.append(tag)
        if len(self._path) > _MAX_DEPTH:
            raise _TooMuchError(Flaw.DEEP_ELEMENTS)
        self._text = None
        if parents == _ABOUT_CONFERENCE and tag in _CONFERENCE:
            self._text = []
        elif parents == ("schedule",) and tag == "day":
            self._day = {
                "date": attributes.get("date"),
                "day_start": attributes.get("start"),
                "rooms": {},
            }
            self.conference.setdefault("days", []).append(self._day)
        elif parents == _ABOUT_TALK[:2] and tag == "room":
            self._room = attributes.get("name", "")
        elif parents == _ABOUT_TALK[:3] and tag == "event":
            self._begin_talk(attributes)
        elif (parents == _ABOUT_TALK and tag in _TALK) or parents == _ABOUT_PERSON:
            self._text = []

    def _begin_talk(self, attributes: dict[str, str]) -> None:
        self._talks += 1
        if self._talks > MAX_SESSIONS:
            raise _TooMuchError(Flaw.MANY_SESSIONS)
        named = ("guid", "id", "code")
        self._talk = {name: attributes[name] for name in named if name in attributes}
        self._talk["persons"] = []
        self._day["rooms"].setdefault(self._room, []).append(self._talk)

    def data(self, text: str) -> None:
        """A piece of text: it may come in several."""
        if self._text is not None:
            self._text.append(text)

    def end(self, _tag: str) -> None:
        """An element ends."""
        tag, parents = self._path.pop(), tuple(self._path)
        if self._text is not None:
            text = "".join(self._text)
            if parents == _ABOUT_CONFERENCE:
                self.conference[tag] = text
            elif parents == _ABOUT_TALK:
                self._talk[tag] = text
            else:
                self._talk["persons"].append(text)
        self._text = None

    def close(self) -> None:
        """The document ends."""
