"""What people of the simulated Telegram attach and forward, as the bot and the page are told."""

import aiohttp
import pytest

from bot.simulator import Simulator
from bot.simulator.people import Person
from bot.simulator.world import Json
from tests.pictures import PNG
from tests.town import EVE


@pytest.fixture
def sim():
    return Simulator(now=lambda: EVE)


@pytest.fixture
def amal(sim) -> Person:
    person: Person = sim.person("Amal Idrissi", language_code="fr")
    return person


def told(sim: Simulator) -> list[Json]:
    """The messages that the bot is told of, oldest first."""
    updates = sorted(sim.world.mailbox.pending.values(), key=lambda update: update.id)
    return [update.body["message"] for update in updates]


def test_formatting_arrives_as_entities(sim, amal):
    amal.writes("<b>Salut</b> 🎉 <i>toi</i> https://a.ma")
    (message,) = told(sim)
    assert message["text"] == "Salut 🎉 toi https://a.ma"
    assert [(e["type"], e["offset"], e["length"]) for e in message["entities"]] == [
        ("bold", 0, 5),
        ("italic", 9, 3),
        ("url", 13, 12),
    ]


def test_a_picture_comes_in_sizes_of_which_the_last_is_the_largest(sim, amal):
    amal.sends_photo(PNG, "<b>Affiche</b>")
    (message,) = told(sim)
    assert [(p["width"], p["height"]) for p in message["photo"]] == [(90, 90), (200, 100)]
    assert len({p["file_id"] for p in message["photo"]}) == 2
    assert (message["caption"], message["caption_entities"][0]["type"]) == ("Affiche", "bold")
    assert "text" not in message


def test_an_album_is_a_message_for_each_picture(sim, amal):
    amal.sends_album([PNG, PNG], "Souvenirs")
    first, second = told(sim)
    assert first["media_group_id"] == second["media_group_id"]
    assert (first["caption"], second.get("caption")) == ("Souvenirs", None)


def test_a_forwarded_message_keeps_its_formatting_and_file_and_names_who_wrote_it(sim, amal):
    amal.sends_photo(PNG, "<i>Programme</i>")
    amal.forwards_message(amal.chat.messages[-1])
    amal.forwards_message(amal.chat.messages[-1])
    first, second, third = told(sim)
    assert second["photo"] == first["photo"]
    assert second["caption_entities"] == first["caption_entities"]
    assert second["forward_origin"]["sender_user"]["first_name"] == "Amal Idrissi"
    assert third["forward_origin"] == second["forward_origin"]


def test_a_caption_is_as_short_as_telegrams(amal):
    with pytest.raises(ValueError, match="a caption has at most 1024 characters"):
        amal.sends_photo(PNG, "x" * 1025)


async def test_the_page_sends_a_picture_with_what_stands_in_the_box(sim, amal):
    async with sim.serve() as url, aiohttp.ClientSession() as http:
        chat = f"{url}/stage/chats/{amal.id}"
        asked = {"name": "a.png", "caption": "Portes <ouvertes>"}
        image = {"Content-Type": "image/png"}
        async with http.post(f"{chat}/attaches", params=asked, data=PNG, headers=image) as done:
            assert done.status == 200
        (sent,) = amal.chat.messages
        async with http.post(f"{chat}/forwards", json={"message": sent.id}) as done:
            assert done.status == 200
    assert [(m.text, m.photo is not None) for m in amal.chat.messages] == [
        ("Portes <ouvertes>", True)
    ] * 2
