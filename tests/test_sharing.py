"""Sharing: from a card to any chat, and from there to a seat in two taps."""

from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select

from handlers.links import Links
from handlers.words import read_catalogs
from storage.tables import Member
from tests.town import Town, drawn

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


# --- from any chat --------------------------------------------------------------------------

CARD_FR = (
    "Panel 2 : Énergie, efficacité énergétique et environnement\n"
    "📅 mercredi 4 juillet 2018\n🕘 10:30 – 12:30 (heure de Rabat)\n📍 Salle B\n"
)


async def test_a_card_from_another_chat_is_two_taps_from_a_seat(town: Town):
    await town.programme()
    amal, emma = await town.member("Amal", "fr"), await town.member("Emma", "en")
    friends = town.sim.group("Amis", [amal.person, emma.person])
    friends.removes_bot()
    title = "Panel 2 : Énergie, efficacité énergétique et environnement"
    assert await amal.asks("énergét") == [f"{title}\nmer. 4 juil. 10:30 · Salle B"]
    message = amal.person.posts(title, friends.chat)
    assert drawn(message) == f"{CARD_FR}Places : 30 places libres\n[Réserver ma place]"
    assert message.extra["via_bot"]["username"] == "JisrBot"
    # Emma sees it there.
    (card,) = await emma.after(emma.person.taps("Réserver ma place", message))
    assert card.startswith("Welcome back, Emma!\n\nPanel 2: Energy, energy efficiency")
    assert (await emma.taps("Take a seat"))[0].startswith("(Your seat is taken.")


async def test_a_shared_card_is_the_only_answer_and_an_event_leads_to_its_agenda(town: Town):
    await town.programme()
    bilal = await town.member("Bilal", "ar")
    panel = await town.session("panel-2", capacity=0)
    assert await bilal.asks(f"s_{panel.id}") == [
        "الندوة 2: الطاقة والنجاعة الطاقية والبيئة\nالأربعاء، 4 يوليوز 10:30 · القاعة ب"
    ]
    (choice,) = bilal.person.choices
    assert (
        choice.content["markup"]["inline_keyboard"][0][0]["text"] == "الانضمام إلى قائمة الانتظار"
    )
    assert await bilal.asks("rabat-2018") != []
    event = bilal.person.choices[0]
    (row,) = event.content["markup"]["inline_keyboard"]
    assert row[0]["url"] == "https://t.me/JisrBot?start=rabat-2018"


async def test_who_asks_without_words_is_offered_what_comes_next(town: Town):
    await town.programme()
    emma = town.stranger("Emma", "en")
    assert await emma.asks("") == ["Opening\nWed, Jul 4 09:00 · Main auditorium"]
    assert await emma.asks("zebra") == []
    # Who only asks leaves no trace, and hears nothing.
    async with town.app.storage.read() as db:
        assert await db.scalar(select(func.count()).select_from(Member)) == 0
    assert emma.person.chat.messages == []


async def test_a_card_posted_in_our_own_chat_is_no_question(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    await emma.asks("efficiency")
    message = emma.person.posts(emma.person.choices[0].title, emma.person.chat)
    await town.sim.settled()
    assert emma.person.chat.messages == [message]


async def test_an_answer_is_said_once_and_an_old_question_hurts_nobody(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    update = emma.person.asks("efficiency")
    await town.sim.settled()
    town.sim.redeliver(update)
    await town.sim.settled()
    assert len(town.sim.ledger.accepted("answerInlineQuery")) == 1
    assert len(town.sim.ledger.refused("answerInlineQuery")) == 1
    assert emma.heard() == []


async def test_signs_that_no_text_holds_are_passed_over(town: Town):
    await town.programme()
    amal = await town.member("Amal", "en")
    offered = await amal.asks("\0panel 2\0")
    assert offered
    assert await amal.asks("panel 2") == offered
