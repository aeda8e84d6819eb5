"""Announcements as read: formatting kept, made safe, and the same in a preview as when it is sent."""

from datetime import UTC, datetime
from typing import Any

import pytest
from aiogram.types import Chat, Document, Message, MessageEntity, PhotoSize, Sticker
from hypothesis import given
from hypothesis import strategies as some

from bot.simulator.markup import parse_html, units
from handlers.announcement_letters import (
    as_read,
    correction,
    is_link,
    length,
    read_message,
    room_for,
)
from handlers.letters import Letter, Stored, Tap
from handlers.words import read_catalogs
from storage.tables import Announcement, AnnouncementText

WORDS = read_catalogs()
WAY_OUT = {
    "fr": "<i>Pour ne plus en recevoir\u00a0: /stop</i>",
    "ar": "<i>لإيقاف هذه الرسائل: /stop</i>",
}


def message(text: str = "", *entities: MessageEntity, **more) -> Message:
    """A message as the messenger tells it; a text beside a file is its caption."""
    said: dict[str, Any] = {"text": text, "entities": list(entities)}
    if more:
        said = {"caption": text or None, "caption_entities": list(entities), **more}
    chat, date = Chat(id=1, type="private"), datetime(2026, 11, 22, tzinfo=UTC)
    return Message(message_id=1, date=date, chat=chat, **said)


def entity(kind: str, offset: int, length: int, **more) -> MessageEntity:
    return MessageEntity(type=kind, offset=offset, length=length, **more)


@pytest.mark.parametrize(
    ("said", "entities", "html"),
    [
        ("a < b & c", (), "a &lt; b &amp; c"),
        ("fort", (entity("bold", 0, 4),), "<b>fort</b>"),
        # The inner one is told first: it is inside all the same.
        ("très fort", (entity("italic", 0, 4), entity("bold", 0, 9)), "<b><i>très</i> fort</b>"),
        ("🎉 ok", (entity("underline", 3, 2),), "🎉 <u>ok</u>"),
        ("x", (entity("strikethrough", 0, 1),), "<s>x</s>"),
        ("x", (entity("code", 0, 1),), "<code>x</code>"),
        ("x", (entity("pre", 0, 1, language="c"),), "<pre>x</pre>"),
        ("x", (entity("spoiler", 0, 1),), "<tg-spoiler>x</tg-spoiler>"),
        ("x", (entity("blockquote", 0, 1),), "<blockquote>x</blockquote>"),
        ("x", (entity("expandable_blockquote", 0, 1),), "<blockquote expandable>x</blockquote>"),
        ("🎉", (entity("custom_emoji", 0, 2, custom_emoji_id="5"),), "🎉"),
        (
            "ici",
            (entity("text_link", 0, 3, url='https://a.ma/?q="1"&r=<2>'),),
            "ici",
        ),
        (
            "ici",
            (entity("text_link", 0, 3, url="https://a.ma/?q='1'&r=2"),),
            '<a href="https://a.ma/?q=&#x27;1&#x27;&amp;r=2">ici</a>',
        ),
        ("ici", (entity("text_link", 0, 3, url="tg://resolve?domain=a"),), "ici"),
        ("#maroc @consul", (entity("hashtag", 0, 6), entity("mention", 7, 7)), "#maroc @consul"),
    ],
)
def test_formatting_is_kept_and_made_safe(said, entities, html):
    written = read_message(message(said, *entities))
    assert written is not None
    assert written.text == html


@given(
    some.text(min_size=1, max_size=30),
    some.lists(some.sampled_from(["bold", "italic", "underline", "code", "spoiler"]), max_size=3),
    some.data(),
)
def test_whatever_is_written_is_read_as_it_was_written(said, kinds, data):
    said = "".join(char for char in said if not "\ud800" <= char <= "\udfff")
    entities, start, end = [], 0, units(said)
    for kind in kinds:  # each inside the one before, as the messenger nests them
        start = data.draw(some.integers(start, end))
        end = data.draw(some.integers(start, end))
        if end > start and _whole(said, start, end):
            entities.append(entity(kind, start, end - start))
    written = read_message(message(said, *entities))
    assert written is not None
    text, found = parse_html(written.text)
    assert text == said
    assert length(written.text) == units(said)
    assert {(e["type"], e["offset"], e["length"]) for e in found} == {
        (e.type, e.offset, e.length) for e in entities
    }


def _whole(text: str, start: int, end: int) -> bool:
    """Whether these UTF-16 units cut no character in two."""
    edges = {units(text[:at]) for at in range(len(text) + 1)}
    return {start, end} <= edges


def test_the_largest_picture_and_the_name_of_a_document_are_taken():
    sizes = [
        PhotoSize(file_id=name, file_unique_id=name, width=side, height=side)
        for name, side in (("small", 90), ("large", 1280), ("middle", 320))
    ]
    picture = read_message(message("", photo=sizes))
    assert picture is not None
    assert (picture.text, picture.media, picture.file) == ("", "photo", "large")
    paper = Document(file_id="D1", file_unique_id="D1", file_name="programme.pdf")
    written = read_message(message("Le programme", entity("bold", 3, 9), document=paper))
    assert written is not None
    assert written.text == "Le <b>programme</b>"
    assert (written.media, written.file, written.file_name) == ("document", "D1", "programme.pdf")


def test_a_sticker_can_not_be_announced():
    kinds: dict[str, Any] = {"is_animated": False, "is_video": False, "type": "regular"}
    sticker = Sticker(file_id="S", file_unique_id="S", width=1, height=1, **kinds)
    assert read_message(message(sticker=sticker)) is None


def test_a_reader_gets_the_words_the_file_the_link_and_the_way_out():
    yes = {"fr": "Je viens", "ar": "سأحضر"}
    announcement = Announcement(id=7, fallback="ar", answers=[yes])
    text = AnnouncementText(
        announcement_id=7,
        language="ar",
        text="<b>يوم مفتوح</b> في Lyon",
        media="photo",
        file="P1",
        link_label="التسجيل",
        link_url="https://consulat.ma/lyon",
    )
    link = (Tap("التسجيل", url="https://consulat.ma/lyon"),)
    assert as_read(announcement, text, WORDS["ar"]) == Letter(
        f"<b>يوم مفتوح</b> في Lyon\n\n{WAY_OUT['ar']}",
        ((Tap("سأحضر", "answer:7:0"),), link, (Tap("🔕 إيقاف هذه الرسائل", "stop:announcements"),)),
        stored=Stored("photo", "P1"),
    )
    # Standing in for French: the words are the same, the rest is in the reader's own.
    assert as_read(announcement, text, WORDS["fr"]) == Letter(
        f"<b>يوم مفتوح</b> في Lyon\n\n{WAY_OUT['fr']}",
        (
            (Tap("Je viens", "answer:7:0"),),
            link,
            (Tap("🔕 Ne plus en recevoir", "stop:announcements"),),
        ),
        stored=Stored("photo", "P1"),
    )


def test_the_way_out_has_its_room_in_every_language():
    # The mark of a correction has its room, too.
    longest = max(
        length(f"\n\n{correction(WORDS[language])}\n\n{out}") for language, out in WAY_OUT.items()
    )
    assert room_for(None, {k: WORDS[k] for k in WAY_OUT}) == 4096 - longest
    assert room_for("photo", {k: WORDS[k] for k in WAY_OUT}) == 1024 - longest


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://consulat.ma/rendez-vous?a=1", True),
        ("http://a.ma", True),
        ("https://[::1", False),
        ("https://localhost/x", False),
        ("https://me:secret@a.ma", False),
        ("javascript:alert(1)", False),
        ("a.ma", False),
        ("https://a b.ma", False),
    ],
)
def test_what_a_link_may_open(url, good):
    assert is_link(url) is good
