"""Papers: files that a letter carries, as values. The channel makes the file when it sends.

Which words stand in a paper is a matter of conversation; how a calendar or a spreadsheet is built
of them is `bot.papers`'s.
"""

from dataclasses import dataclass
from datetime import datetime

from storage.agendas import Agenda


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of a calendar. `uid` stays the same for ever; `sure` is false for a place in line, and
    `cancelled` takes what an earlier file brought out again.
    """

    uid: str
    title: str
    starts_at: datetime
    ends_at: datetime
    place: str = ""
    sure: bool = True
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar file, in one language, as things were at `made_at`."""

    name: str
    title: str
    zone: str
    entries: tuple[Entry, ...]
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with its headings as first row. Its name says the format: .csv or .xlsx."""

    name: str
    title: str
    rows: tuple[tuple[str | int, ...], ...]


@dataclass(frozen=True, slots=True)
class Programme:
    """A whole agenda, for other systems and for our own import: a frab schedule in JSON."""

    name: str
    agenda: Agenda
    language: str


Paper = Calendar | Sheet | Programme
