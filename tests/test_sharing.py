"""Sharing: from a card to any chat, and from there to a seat in two taps."""

from urllib.parse import parse_qs, urlsplit

import pytest

from handlers.links import Links
from handlers.words import read_catalogs
from tests.town import Town

CATALOGS = read_catalogs()


async def test_a_card_is_shared_by_asking_the_bot_from_another_chat(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    panel = await town.session("panel-2")
    await emma.says("/agenda")
    (share,) = [b for row in emma.last.keyboard for b in row if b.text == "Share"]
    assert share.query == "rabat-2018"
    await emma.taps("10:30 Panel 2: Energy, energy efficiency…")
    (share,) = [b for row in emma.last.keyboard for b in row if b.text == "Share"]
    assert share.query == f"s_{panel.id}"


@pytest.mark.parametrize(("language", "label"), [("fr", "Partager"), ("ar", "مشاركة")])
def test_without_inline_mode_a_link_is_shared_with_its_title(language: str, label: str):
    links, words = Links("JisrBot"), CATALOGS[language]
    (tap,) = links.share(words, "s_7", "Énergie & الطاقة")
    parts = urlsplit(tap.url or "")
    assert (tap.label, parts.netloc, parts.path) == (label, "t.me", "/share/url")
    assert parse_qs(parts.query) == {
        "url": ["https://t.me/JisrBot?start=s_7"],
        "text": ["Énergie & الطاقة"],
    }


def test_who_we_are_may_not_be_known_yet():
    assert Links().to("s_7") is None
    assert Links().share(CATALOGS["en"], "s_7", "Title") == ()
