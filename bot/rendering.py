"""A letter as Telegram takes it: whole HTML within its limits, and an inline keyboard."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from handlers.letters import Letter, Stored, Tap

# Bot API, sendMessage.text and sendPhoto.caption, after entities parsing. Counted in UTF-16 units,
# as entities are: never fewer than the characters that Telegram counts.
TEXT_LIMIT, CAPTION_LIMIT = 4096, 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """One message of a letter: HTML, its inline keyboard in the Bot API's own JSON, and a file
    that Telegram holds.
    """

    text: str
    keyboard: dict[str, Any] | None = None
    stored: Stored | None = None

    @property
    def markup(self) -> str | None:
        """The keyboard as a request tells it."""
        return orjson.dumps(self.keyboard).decode() if self.keyboard else None


_TAG = re.compile(r"<[^>]*>")
# What must not be cut in two: a tag, a character reference, a character.
_ATOM = re.compile(r"<[^>]*>|&#?\w+;|.", re.DOTALL)


def render(letter: Letter) -> list[Piece]:
    """The messages of a letter, its file with the first and the keyboard under the last.

    A text too long for a caption follows its file. Files that are to be made are the sender's work.
    """
    *first, last = split(letter.text, TEXT_LIMIT)
    pieces = [*map(Piece, first), Piece(last, _keyboard(letter))]
    if (letter.document or letter.picture or letter.stored) and length(letter.text) > CAPTION_LIMIT:
        pieces = [Piece(""), *pieces]
    if letter.stored:
        pieces[0] = replace(pieces[0], stored=letter.stored)
    return pieces


def length(text: str) -> int:
    """What Telegram counts of an HTML text, in UTF-16 units: no tags, references as one."""
    return len(html.unescape(_TAG.sub("", text)).encode("utf-16-le")) // 2


def split(text: str, limit: int) -> list[str]:
    """Cut at line breaks, else at spaces, so that each part is whole HTML within the limit."""
    # A character is two units at most.
    if 2 * len(text) <= limit or length(text) <= limit:
        return [text]
    atoms, start = _ATOM.findall(text), 0
    parts: list[str] = []
    opened: list[str] = []
    while start < len(atoms):
        end = _cut(atoms, start, limit)
        body = "".join(atoms[start:end]).strip()
        part = "".join(opened) + body
        for tag in _TAG.findall(body):
            opened = opened[:-1] if tag.startswith("</") else [*opened, tag]
        part += "".join(f"</{re.split(r'[ >]', tag[1:])[0]}>" for tag in reversed(opened))
        if length(part):
            parts.append(part)
        start = end
    return parts


def _cut(atoms: Sequence[str], start: int, limit: int) -> int:
    used, line, word = 0, None, None
    for i in range(start, len(atoms)):
        used += length(atoms[i])
        if used > limit:
            return line or word or i
        if atoms[i] == "\n":
            line = i + 1
        elif atoms[i] == " ":
            word = i + 1
    return len(atoms)


def _keyboard(letter: Letter) -> dict[str, Any] | None:
    rows = [[{"text": tap.label, **_action(tap)} for tap in row] for row in letter.taps]
    return {"inline_keyboard": rows} if rows else None


def _action(tap: Tap) -> dict[str, str | None]:
    if tap.url is not None:
        return {"url": tap.url}
    return {"callback_data": tap.data} if tap.query is None else {"switch_inline_query": tap.query}
