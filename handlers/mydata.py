"""`/mydata`: everything held about a person, as a page to read and as JSON, in the chat.

The files are made when they are sent, from what `storage/holdings.py` finds by the schema: a new
table is in them without a word here, only under its own name until it gets a heading.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from aiogram import Router
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message
from sqlalchemy.ext.asyncio import AsyncSession

from handlers.correspondence import Writing
from handlers.letters import Attachment, Letter
from handlers.mydata_words import column_label, heading
from handlers.turns import Turn
from handlers.words import Words, isolate
from storage import holdings
from storage.holdings import Format, Holding, Names

# Printed as it is seen, on any phone, without anything from outside.
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 46rem; padding: 0 1rem; }
h2 { border-bottom: 1px solid #999; margin-top: 2rem; }
dl { display: grid; grid-template-columns: minmax(8rem, 1fr) 2fr; gap: .2rem 1rem; margin: 1rem 0;
     break-inside: avoid; }
dl + dl { border-top: 1px dotted #999; padding-top: 1rem; }
dt { color: #555; } dd { margin: 0; overflow-wrap: anywhere; }
@media print { body { margin: 0; max-width: none; } }
"""


class MyData(CallbackData, prefix="mydata"):
    """Show me what is held about me."""


async def mydata(_message: Message, turn: Turn) -> None:
    """/mydata."""
    await holdings.ask(turn.db, turn.member, turn.now)
    turn.say(
        Letter(
            turn.words(
                "Here comes everything that I hold about you, in two files: a page to read, and "
                "JSON for other programs. /settings corrects what is wrong, /forget erases it all."
            )
        )
    )


async def tapped(_tap: CallbackQuery, turn: Turn) -> None:
    """The same, by tap."""
    await holdings.ask(turn.db, turn.member, turn.now)
    turn.say.toast(turn.words.label("Here come your files."))


async def write(db: AsyncSession, writings: Sequence[Writing]) -> Sequence[Letter | None]:
    """The files, from what is held at this moment."""
    letters = []
    for one in writings:
        held = await holdings.of(db, one.member)
        names = await holdings.names(db, held)
        made_at = one.now.isoformat(timespec="seconds")
        if one.about["format"] == Format.HTML:
            text = one.words("📄 <b>Your data</b>, to read and to print.")
            content = page(one.words, held, names, made_at)
        else:
            text = one.words("🗂 <b>Your data</b> as JSON, for other programs.")
            content = as_json(held, names, made_at)
        file = Attachment(f"jisr-{one.now:%Y-%m-%d}.{one.about['format']}", content)
        letters.append(Letter(text, document=file))
    return letters


def as_json(held: Sequence[Holding], names: Names, made_at: str) -> bytes:
    """All of it, by table; `names` tells what the numbers of sessions, events and themes mean."""
    told: dict[str, Any] = {"made_at": made_at}
    told["held"] = {one.table: list(one.rows) for one in held}
    told["names"] = {
        table: {str(id_): name for id_, name in of.items()} for table, of in names.items()
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def page(words: Words, held: Sequence[Holding], names: Names, made_at: str) -> bytes:
    """All of it as one HTML file, in the reader's language. The tree escapes what people typed."""
    direction = "rtl" if words.language == "ar" else "ltr"
    html = Element("html", {"lang": words.language, "dir": direction})
    head = SubElement(html, "head")
    SubElement(head, "meta", {"charset": "utf-8"})
    SubElement(head, "meta", {"name": "viewport", "content": "width=device-width"})
    title = words.label("What Jisr holds about you")
    SubElement(head, "title").text = title
    SubElement(head, "style").text = _STYLE
    body = SubElement(html, "body")
    SubElement(body, "h1").text = title
    SubElement(body, "p").text = words.label("As of {moment}, times in UTC.", moment=made_at)
    for one in held:
        SubElement(body, "h2").text = heading(words, one.table)
        for row in one.rows:
            entry = SubElement(body, "dl")
            for column, value in row.items():
                SubElement(entry, "dt").text = column_label(words, column)
                told = SubElement(entry, "dd", {"dir": "auto"})
                told.text = _told(words, one.table, column, value, names)
    markup: bytes = tostring(html, encoding="utf-8", method="html")
    return b"<!DOCTYPE html>\n" + markup


def _told(words: Words, table: str, column: str, value: Any, names: Names) -> str:
    of = holdings.points_to(table, column)
    if of is not None and value in names.get(of, {}):
        return words.pick(names[of][value])
    match value:
        case bool():
            return words.label("yes") if value else words.label("no")
        case list() | Mapping():
            return json.dumps(value, ensure_ascii=False)
        case str():
            # PostgreSQL and SQLite keep what no page may hold (XML 1.0, "Characters").
            return isolate("".join(sign for sign in value if sign >= " " or sign in "\t\n"))
        case _:
            return str(value)


def router() -> Router:
    """One's own data, wired: also for whoever has not even chosen a language."""
    r = Router(name="mydata")
    r.message.register(mydata, Command("mydata", ignore_mention=True))
    r.callback_query.register(tapped, MyData.filter())
    return r
