"""Topics: what a member may agree to, each by itself, and what each is called."""

from collections.abc import Iterable

from handlers.words import Html, Words
from storage.tables import Purpose

# What comes with registration: without these nobody can hold a seat.
NEEDED = (Purpose.EVENTS, Purpose.REMINDERS)
# What is sent of our own accord: `/stop` ends all of these.
LETTERS = (
    Purpose.ANNOUNCEMENTS,
    Purpose.NEW_EVENTS,
    Purpose.INTRODUCTIONS,
    Purpose.DIGESTS,
)
# What registration asks for beside the needed, never ticked beforehand.
ASKED = (Purpose.ANNOUNCEMENTS, Purpose.NEW_EVENTS, Purpose.INTRODUCTIONS, Purpose.DIRECTORY)
# All that can be switched on and off at any time, in the order in which it is shown.
SWITCHES = (*LETTERS, Purpose.REMINDERS, Purpose.DIRECTORY)


def title(words: Words, purpose: Purpose) -> str:
    """What a topic is called, on a button or in a list."""
    return {
        Purpose.EVENTS: words.label("Events you register for"),
        Purpose.REMINDERS: words.label("Reminders of your seats"),
        Purpose.ANNOUNCEMENTS: words.label("Announcements of the team"),
        Purpose.NEW_EVENTS: words.label("New events that suit you"),
        Purpose.INTRODUCTIONS: words.label("Introductions to other members"),
        Purpose.DIRECTORY: words.label("Your entry in the directory"),
        Purpose.DIGESTS: words.label("Digests"),
    }[purpose]


def listed(words: Words, purposes: Iterable[Purpose]) -> Html:
    """These topics, one after the other, in the order of all."""
    chosen = set(purposes)
    return words.series([title(words, one) for one in Purpose if one in chosen])


def switch(words: Words, purpose: Purpose, *, on: bool) -> str:
    """The label of a button that switches a topic."""
    return f"{'✅' if on else '▫️'} {title(words, purpose)}"
