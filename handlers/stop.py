"""The way out: every letter that nobody asked for just now says how to stop those of its kind."""

from aiogram.filters.callback_data import CallbackData

from handlers.letters import Tap
from handlers.words import Html, Words
from storage.tables import Purpose

# Everything that the team or the house sends of its own accord.
ALTOGETHER = "all"


class Stop(CallbackData, prefix="stop"):
    """Send me no more of this: a purpose, or ALTOGETHER."""

    topic: str


def way_out(words: Words) -> Html:
    """The last line of announcements, new events, introductions and digests."""
    return words("<i>To stop receiving these: /stop</i>")


def tap(words: Words, purpose: Purpose) -> Tap:
    """The button that stops letters of this purpose at once."""
    return Tap(words.label("🔕 Stop these messages"), Stop(topic=purpose.value).pack())
