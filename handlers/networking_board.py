"""The words of a networking session's board: what a room reads on its wall."""

from collections.abc import Sequence
from typing import Any

from handlers.words import AUTONYMS, Words, isolate
from storage.networking_scenes import Scene, Seated
from storage.tables import Course


def told(words: Words, scene: Scene, seated: Sequence[Seated]) -> dict[str, Any]:
    """The board as a JSON object. Times are Unix seconds; `left` is seconds, while it is paused."""
    held = scene.networking
    tables: dict[int, list[str]] = {}
    if held.course in (Course.RUNNING, Course.PAUSED):
        for one in seated:
            tables.setdefault(one.table, []).append(_first(one.member.name or "—"))
    return {
        "language": words.language,
        "languages": AUTONYMS,
        "title": words.pick(scene.session.title),
        "where": words.pick(scene.session.room),
        "course": _course(words, scene),
        "guests": words.plural("{n} person takes part", "{n} people take part", scene.guests),
        "until": held.until and held.until.timestamp(),
        "left": held.left,
        "tables": [
            {"name": words.label("Table {n}", n=number), "people": people}
            for number, people in sorted(tables.items())
        ],
    }


def _course(words: Words, scene: Scene) -> str:
    held = scene.networking
    match held.course:
        case Course.GATHERING:
            return words.label("We begin in a moment: take part in the chat with Jisr.")
        case Course.ENDED:
            return words.label("That was the last round. Thank you!")
        case Course.PAUSED:
            return words.label("A short pause")
    if held.drawn > held.round:
        return words.label("In a moment: round {n} of {all}", n=held.drawn, all=held.rounds)
    return words.label("Round {n} of {all}", n=held.round, all=held.rounds)


def _first(name: str) -> str:
    """The first name and the first letter of the last: enough to find oneself on a wall."""
    first, _, last = name.partition(" ")
    # Of an Arabic name the article says nothing.
    initial = last.removeprefix("ال")[:1] or last[:1]
    return isolate(f"{first} {initial}." if last else first)
