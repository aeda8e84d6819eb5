"""/mydata: everything held about a person, as a page and as JSON, in the chat."""

import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from storage import rsvps
from tests.town import EVE, Resident, Town, words_of

HERE = {
    "en": (
        "Here comes everything that I hold about you, in two files: a page to read, and JSON for "
        "other programs. /settings corrects what is wrong, /forget erases it all."
    ),
    "fr": (
        "Voici tout ce que je conserve à votre sujet, en deux fichiers : une page à lire, et du JSON "
        "pour d'autres logiciels. /settings corrige ce qui est faux, /forget efface tout."
    ),
    "ar": (
        "إليكم كل ما أحتفظ به عنكم في ملفين: صفحة للقراءة، وملف JSON للبرامج الأخرى. الأمر /settings "
        "يصحح ما كان خطأ، والأمر /forget يمحو كل شيء."
    ),
}
FILES = {
    "en": [
        "📄 Your data, to read and to print.",
        "🗂 Your data as JSON, for other programs.",
    ],
    "fr": [
        "📄 Vos données, à lire et à imprimer.",
        "🗂 Vos données en JSON, pour d'autres logiciels.",
    ],
    "ar": ["📄 معطياتكم للقراءة والطباعة.", "🗂 معطياتكم بصيغة JSON للبرامج الأخرى."],
}


class Page(HTMLParser):
    """What a person reads, and the attributes of the page; a script would be counted."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.attributes: dict[str, str | None] = {}
        self.tags: set[str] = set()
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "html":
            self.attributes = dict(attrs)

    def handle_data(self, data):
        self.said.append(data.strip())


async def files_of(town: Town, who: Resident) -> tuple[Page, Any]:
    """Both files, asked for and heard within the minute."""
    await town.is_now(town.clock.now() + timedelta(seconds=1))
    page, data = (message.document for message in who.person.chat.messages[-2:])
    assert re.fullmatch(r"jisr-\d{4}-\d\d-\d\d\.html", page.name)
    assert data.name == page.name.replace(".html", ".json")
    return Page(page.data.decode()), json.loads(data.data)


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
async def test_both_files_come_in_the_readers_language(town: Town, language: str):
    await town.programme()
    amal = await town.member("<b>Amal & co", language)
    await town.seat(amal, "panel-2")
    assert await amal.says("/mydata") == [HERE[language]]
    page, data = await files_of(town, amal)
    assert amal.heard() == FILES[language]
    assert page.attributes == {"lang": language, "dir": "rtl" if language == "ar" else "ltr"}
    assert page.tags.isdisjoint({"b", "script", "link", "img"})
    panel = await town.session("panel-2")
    said = [words_of(text) for text in page.said]
    assert "<b>Amal & co" in said
    assert words_of(panel.title[language]) in said
    (member,), (seat,) = data["held"]["member"], data["held"]["rsvp"]
    assert (member["name"], member["city"], seat["state"]) == ("<b>Amal & co", "Lyon", "confirmed")
    assert data["names"]["session"][str(seat["session_id"])] == panel.title
    assert {one["purpose"] for one in data["held"]["consent"]} >= {"events", "reminders"}
    assert data["held"]["address"][0]["address"] == str(amal.person.id)


async def test_nothing_of_anybody_else_is_in_it(town: Town):
    await town.programme()
    await town.session("panel-2", capacity=1)
    amal, bilal = await town.member("Amal", "en"), await town.member("Bilal", "en")
    for one in (amal, bilal):
        await town.seat(one, "panel-2")
    panel = await town.session("panel-2")
    async with town.app.storage.begin() as db:
        member = await town.member_of(db, amal)
        await rsvps.give_up(db, member, panel.id, EVE)
    await town.is_now(EVE)
    bilal.heard()
    await bilal.says("/mydata")
    _page, data = await files_of(town, bilal)
    told = json.dumps(data, ensure_ascii=False)
    assert "Amal" not in told
    assert str(amal.person.id) not in told
    assert [row["kind"] for row in data["held"]["outbox"]] == ["offer", "mydata", "mydata"]


async def test_a_stranger_learns_what_is_held(town: Town):
    emma = town.stranger("Emma", "en")
    await emma.says("/mydata")
    _page, data = await files_of(town, emma)
    assert set(data["held"]) == {"member", "address", "outbox", "update"}
