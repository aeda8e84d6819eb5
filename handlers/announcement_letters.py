"""Announcements as their readers see them: previews and what is sent are the same by construction.

Staff write with the messenger's own formatting; what is kept of it is the HTML of
`handlers.letters`, made anew from the message's entities and escaped by us. Mentions, hashtags and
bare links are found again by the messenger; custom emoji, which bots may not send, stay as plain
ones.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from aiogram.types import Message
from aiogram.utils.text_decorations import HtmlDecoration

from handlers import answers, stop
from handlers.letters import Letter, Stored, Tap
from handlers.stop import way_out
from handlers.words import Html, Words
from storage.tables import Announcement, AnnouncementText, Purpose

# Bot API, sendMessage.text and sendPhoto.caption: characters after entities parsing. Counted in
# UTF-16 units, which are never fewer.
TEXT_LIMIT, CAPTION_LIMIT = 4096, 1024
# What a link in a text, or under a button, may open.
SCHEMES = frozenset({"http", "https"})


def as_read(
    announcement: Announcement, text: AnnouncementText, words: Words, *, chosen: int | None = None
) -> Letter:
    """The letter of an announcement in this text, for a reader of these words.

    The text may be in another language than the reader's, if staff let it stand in; the way out is
    in the reader's own. `chosen` is the answer that the reader gave.
    """
    taps = list(answers.taps(announcement, words, chosen))
    if text.link_url and text.link_label:
        taps.append((Tap(text.link_label, url=text.link_url),))
    taps.append((stop.tap(words, announcement.purpose or Purpose.ANNOUNCEMENTS),))
    stored = None
    if text.media and text.file:
        stored = Stored(text.media, text.file, text.file_name or "")
    mark = correction(words) if announcement.corrects_id is not None else None
    paragraphs = [*filter(None, [mark, text.text]), way_out(words)]
    return Letter(Html("\n\n".join(paragraphs)), tuple(taps), stored=stored)


def as_posted(announcement: Announcement, text: AnnouncementText, words: Words) -> Letter:
    """What stands in a group or channel: neither answers nor a way out, for nobody was written to."""
    letter = as_read(announcement, text, words)
    marked = [correction(words)] if announcement.corrects_id is not None else []
    link = tuple(row for row in letter.taps if row[0].url is not None)
    return replace(letter, text=Html("\n\n".join(filter(None, [*marked, text.text]))), taps=link)


def counted(letter: Letter, text: AnnouncementText, address: str) -> Letter:
    """The same letter, its link button by way of the address that counts who opens it."""
    taps = tuple(
        tuple(replace(tap, url=address) if tap.url == text.link_url else tap for tap in row)
        for row in letter.taps
    )
    return replace(letter, taps=taps)


def room_for(media: str | None, catalogs: Mapping[str, Words]) -> int:
    """How many UTF-16 units a text may have, with this medium, whoever reads it.

    The longest way out counts: a text may stand in for another language's. So does the mark of a
    correction, so that none is longer than what it corrects.
    """
    limit = CAPTION_LIMIT if media else TEXT_LIMIT
    around = ("\n\n".join(("", correction(words), way_out(words))) for words in catalogs.values())
    return limit - max(map(length, around))


def correction(words: Words) -> Html:
    """The first line of what corrects an earlier announcement."""
    return words("✏️ <b>Correction</b>")


def length(text: str) -> int:
    """What the messenger counts of an HTML text, in UTF-16 units: no tags, references as one."""
    return len(html.unescape(re.sub(r"<[^>]*>", "", text)).encode("utf-16-le")) // 2


@dataclass(frozen=True, slots=True)
class Written:
    """What somebody of the team wrote or forwarded: HTML, and a file as the messenger calls it."""

    text: Html
    media: str | None = None
    file: str | None = None
    file_name: str | None = None


def read_message(message: Message) -> Written | None:
    """What can be announced of a message; None of a voice, a sticker, a place and the like."""
    said = message.text or message.caption or ""
    entities = message.entities if message.text is not None else message.caption_entities
    # The decoration expects the outer of two entities that begin together to come first.
    ordered = sorted(entities or (), key=lambda one: (one.offset, -one.length))
    text = Html(_OurHtml().unparse(said, ordered))
    if message.photo:
        # They come from the smallest to the largest, and small pictures have equal sizes.
        largest = max(reversed(message.photo), key=lambda size: size.width * size.height)
        return Written(text, "photo", largest.file_id)
    # A moving picture comes with a document beside it, for apps that don't know the kind.
    if message.document is not None and message.animation is None:
        name = message.document.file_name or ""
        return Written(text, "document", message.document.file_id, name[-255:] or None)
    return Written(text) if message.text is not None else None


def is_link(url: str) -> bool:
    """Whether the messenger opens this address: http or https, and a host with a dot in it."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:  # a bracket that isn't closed
        return False
    named = "." in host.strip(".") and not re.search(r"[\s\"<>\\^`{|}]", url)
    return parts.scheme in SCHEMES and named and parts.username is None


class _OurHtml(HtmlDecoration):
    """aiogram's reading of entities, with attributes escaped, and nothing that we may not send."""

    def link(self, value: str, link: str) -> str:
        """A link with words of its own; what leads elsewhere than to a page is only its words."""
        if not is_link(link):
            return value
        return f'<a href="{html.escape(link)}">{value}</a>'

    def pre_language(self, value: str, language: str) -> str:
        """A block of code: its language is for programmers."""
        del language
        return self.pre(value)

    def custom_emoji(self, value: str, custom_emoji_id: str) -> str:
        """The plain emoji that stands in for one (Bot API: bots need a paid name for the others)."""
        del custom_emoji_id
        return value
