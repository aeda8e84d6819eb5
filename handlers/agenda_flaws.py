"""What can be wrong with an agenda file, as kinds with their values: no words, so that it can be kept.

A file is read once and told later, perhaps to somebody who has changed the language meanwhile;
`handlers/agenda_problems.py` finds the words then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Flaw(StrEnum):
    """A kind of mistake; its values are the fields of its sentences in `handlers/agenda_problems.py`."""

    # The file as a whole.
    TOO_LARGE = "too_large"
    OFFICE = "office"
    COMPRESSED = "compressed"
    PDF = "pdf"
    PICTURE = "picture"
    NOT_UTF_8 = "not_utf_8"
    UTF_16 = "utf_16"
    UNKNOWN_FORMAT = "unknown_format"
    MANY_SESSIONS = "many_sessions"
    NO_SESSIONS = "no_sessions"
    NOT_FETCHED = "not_fetched"
    # Schedules and calendars of other systems.
    NOT_JSON = "not_json"
    NOT_XML = "not_xml"
    NO_SCHEDULE = "no_schedule"
    CHANGED_BY_HAND = "changed_by_hand"
    MANY_VALUES = "many_values"
    MANY_ELEMENTS = "many_elements"
    DEEP_BRACKETS = "deep_brackets"
    DEEP_ELEMENTS = "deep_elements"
    ENTITIES = "entities"
    NO_ITEMS = "no_items"
    MANY_LINES = "many_lines"
    MANY_DATES = "many_dates"
    DEEP_PARTS = "deep_parts"
    # How our own YAML is written.
    EMPTY_FILE = "empty_file"
    TAB = "tab"
    INVISIBLE = "invisible"
    SIGN = "sign"
    RESERVED = "reserved"
    STRAY_COLON = "stray_colon"
    NO_COLON = "no_colon"
    INDENTATION = "indentation"
    OPEN_BRACKET = "open_bracket"
    OPEN_QUOTE = "open_quote"
    SECOND_DOCUMENT = "second_document"
    BACKSLASH = "backslash"
    FAR_TOO_MUCH = "far_too_much"
    DEEP = "deep"
    NOT_YAML = "not_yaml"
    NOT_YAML_HERE = "not_yaml_here"
    MANY_KEYS = "many_keys"
    NO_WORD = "no_word"
    KEY_TWICE = "key_twice"
    # Its keys and values.
    MISSING = "missing"
    UNKNOWN_KEY = "unknown_key"
    NO_LIST = "no_list"
    NO_MAPPING = "no_mapping"
    NO_SINGLE_VALUE = "no_single_value"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    NO_ID = "no_id"
    THEME_TWICE = "theme_twice"
    SESSION_TWICE = "session_twice"
    UNKNOWN_THEME = "unknown_theme"
    UNKNOWN_KIND = "unknown_kind"
    UNKNOWN_SIDE = "unknown_side"
    NO_NUMBER = "no_number"
    OUT_OF_RANGE = "out_of_range"
    NEITHER = "neither"
    UNKNOWN_ZONE = "unknown_zone"
    NO_DATE = "no_date"
    NO_TIME = "no_time"
    YEAR = "year"
    ENDS_FIRST = "ends_first"
    OTHER_DAY = "other_day"
    SKIPPED_HOUR = "skipped_hour"
    HOUR_TWICE = "hour_twice"
    # What only the command line can meet, in its own words: `what` and `remedy`.
    OTHER = "other"


# The names that lead to a value, as its author thinks of them: ("session", "panel-1", "title", "ar"),
# or ("session", 3, "start") for the third, which has no id. Of the file itself: ().
Spot = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file: where it is, what it is, and the words of the file that show it."""

    line: int | None
    flaw: Flaw
    values: tuple[tuple[str, str], ...] = ()
    spot: Spot | None = None

    @classmethod
    def of(
        cls, flaw: Flaw, line: int | None = None, spot: Spot | None = None, **values: object
    ) -> "Problem":
        """A problem with these values, each as the text that will be shown."""
        return cls(line, flaw, tuple((name, str(value)) for name, value in values.items()), spot)


def as_json(problem: Problem) -> dict[str, Any]:
    """A copy that can be kept as JSON."""
    return {
        "line": problem.line,
        "flaw": problem.flaw,
        "values": dict(problem.values),
        "spot": None if problem.spot is None else list(problem.spot),
    }


def from_json(kept: Mapping[str, Any]) -> Problem:
    """The problem of which this is a copy."""
    spot = None if kept["spot"] is None else tuple(kept["spot"])
    return Problem(kept["line"], Flaw(kept["flaw"]), tuple(kept["values"].items()), spot)
