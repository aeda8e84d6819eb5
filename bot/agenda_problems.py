"""An agenda file that can't be read, and what a reading of one has to tell.

Every reader of a format answers with a `Reading`, or raises an `AgendaFileError` that says what is
wrong and what to do about it.
"""

import gettext
import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from babel import Locale

from handlers.agenda_flaws import Flaw, Problem
from handlers.agenda_problems import told
from handlers.agenda_remarks import About, Remark
from handlers.words import FIRST_STRONG_ISOLATE, POP_ISOLATE, Html, Words
from storage.agendas import Agenda

# A file of 500 sessions is about 150 kB in YAML and 2 MB with all its abstracts in JSON.
MAX_BYTES = 5_000_000
# The largest congresses plan about 2,000.
MAX_SESSIONS = 3_000
# Where most of our events take place.
HOME = "Africa/Casablanca"
# How many examples a remark gives.
_EXAMPLES = 3


class AgendaFileError(Exception):
    """A file that can't be imported; `problems` are in the order of their lines."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        super().__init__(path, problems)
        self.path = path
        in_order = sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0)
        self.problems = tuple(in_order)

    def __str__(self) -> str:
        words = in_english()
        return "\n".join(plain(told(words, self.path.name, problem)) for problem in self.problems)


def fail(path: Path, flaw: Flaw, line: int | None = None, **values: object) -> NoReturn:
    """Refuse the file for one reason: raises AgendaFileError."""
    raise AgendaFileError(path, [Problem.of(flaw, line, None, **values)]) from None


def in_english() -> Words:
    """The words of the command line and of logs: the msgids, with no catalog to read."""
    return Words("en", Locale.parse("en"), gettext.NullTranslations())


def plain(text: Html) -> str:
    """The same as a terminal shows it: no HTML, no isolates."""
    return html.unescape(text).replace(FIRST_STRONG_ISOLATE, "").replace(POP_ISOLATE, "")


@dataclass(frozen=True, slots=True)
class Reading:
    """The agenda of a file, and what was guessed or left out to get it."""

    agenda: Agenda
    remarks: tuple[Remark, ...] = ()


@dataclass(slots=True)
class Remarks:
    """Remarks while they gather: of many sessions with one flaw, a count and some examples."""

    _counts: dict[About, int] = field(default_factory=dict)
    _examples: dict[About, list[str]] = field(default_factory=dict)

    def note(self, about: About, example: str = "") -> None:
        """One more of these."""
        self._counts[about] = self._counts.get(about, 0) + 1
        examples = self._examples.setdefault(about, [])
        if example and len(examples) < _EXAMPLES:
            examples.append(example)

    def all(self) -> tuple[Remark, ...]:
        """What was noted, in the order in which `About` lists it."""
        return tuple(
            Remark(about, self._counts[about], tuple(self._examples[about]))
            for about in About
            if about in self._counts
        )
