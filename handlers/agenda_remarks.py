"""What a reading of an agenda file guessed or left out, told in the reader's language.

Files of other systems say less than ours, or other things. They are read all the same, and what
was made of them is told with the preview, before anything is written.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from handlers.words import Html, Words


class About(StrEnum):
    """What a remark is about, the most important first."""

    EVENT_NAME = "event_name"
    HOUSE_ZONE = "house_zone"
    UNKNOWN_ZONE = "unknown_zone"
    UNREADABLE = "unreadable"
    NO_TITLE = "no_title"
    NO_TIME = "no_time"
    ALL_DAY = "all_day"
    TOO_LONG = "too_long"
    CANCELLED = "cancelled"
    TWICE = "twice"
    FIRST_ONLY = "first_only"
    REPEATS_CUT = "repeats_cut"
    NO_LENGTH = "no_length"
    OTHER_DAYS = "other_days"
    SHORTENED = "shortened"
    NO_ROOM = "no_room"
    ONE_LANGUAGE = "one_language"


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark: how many items of the file it concerns, and some of them as examples."""

    about: About
    count: int
    examples: tuple[str, ...] = ()


def told(words: Words, remarks: Iterable[Remark]) -> list[Html]:
    """A sentence for each remark."""
    return [_told(words, remark) for remark in remarks]


def _told(words: Words, remark: Remark) -> Html:
    n, titles = remark.count, words.series(list(remark.examples))
    if n > len(remark.examples) > 0:
        titles = Html(f"{titles}, …")
    said: dict[About, Callable[[], Html]] = {
        About.EVENT_NAME: lambda: words(
            "The file does not name its event: it is called {name}.", name=titles
        ),
        About.HOUSE_ZONE: lambda: words(
            "The file names no time zone: its times are read as those of {zone}.", zone=titles
        ),
        About.UNKNOWN_ZONE: lambda: words(
            "The file's time zone is unknown: its times are read as those of {zone}.", zone=titles
        ),
        About.UNREADABLE: lambda: words(
            "Left out, can't be read: {n} ({titles}).", n=n, titles=titles
        ),
        About.NO_TITLE: lambda: words("Left out, without a title: {n}.", n=n),
        About.NO_TIME: lambda: words(
            "Left out, without a usable date and time: {n} ({titles}).", n=n, titles=titles
        ),
        About.ALL_DAY: lambda: words(
            "Left out, last whole days: {n} ({titles}).", n=n, titles=titles
        ),
        About.TOO_LONG: lambda: words(
            "Left out, longer than a week: {n} ({titles}).", n=n, titles=titles
        ),
        About.CANCELLED: lambda: words("Left out, cancelled: {n} ({titles}).", n=n, titles=titles),
        About.TWICE: lambda: words(
            "Taken once, though listed again: {n} ({titles}).", n=n, titles=titles
        ),
        About.FIRST_ONLY: lambda: words(
            "Taken at the first date only, for the rule of repeating is not one I read: {n} ({titles}).",
            n=n,
            titles=titles,
        ),
        About.REPEATS_CUT: lambda: words(
            "Taken at the first 100 dates only: {n} ({titles}).", n=n, titles=titles
        ),
        About.NO_LENGTH: lambda: words(
            "Given 15 minutes, for no length is told: {n} ({titles}).", n=n, titles=titles
        ),
        About.OTHER_DAYS: lambda: words(
            "Outside the event's days, which are extended: {n} ({titles}).", n=n, titles=titles
        ),
        About.SHORTENED: lambda: words(
            "Shortened, for it is too long: {n} ({titles}).", n=n, titles=titles
        ),
        About.NO_ROOM: lambda: words("Without a room: {n}.", n=n),
        About.ONE_LANGUAGE: lambda: words(
            "Titles are in one language in this file, and everybody sees them so."
        ),
    }
    return said[remark.about]()
