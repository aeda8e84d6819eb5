"""Links that count who opens them: once, by people alone, and to nowhere but the team's page."""

from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from sqlalchemy import select

from bot.clock import SimulatedClock
from bot.openings import Openings, openings_of, route
from bot.server import serving
from bot.settings import read_settings
from handlers.announcement_letters import as_read, counted
from handlers.words import read_catalogs
from storage import members
from storage import reports as rules
from storage.tables import Announcement, AnnouncementText, Recipient, Stage
from tests.town import EVE

PAGE = {"fr": "https://consulat.example/fr", "ar": "https://consulat.example/ar"}
PHONE = {"user-agent": "Mozilla/5.0 (Linux; Android 14) Chrome/120 Mobile"}


@asynccontextmanager
async def at_the_door(storage):
    """The server at work, an announcement with three readers, and how to follow a link."""
    known = Openings("https://bot.example", "123:token")
    clock, catalogs = SimulatedClock(EVE, speed=0), read_catalogs()
    routes = [route(known, storage, clock, catalogs)]
    settings = read_settings(host="127.0.0.1", port=0)
    async with storage.begin() as db:
        vows = Announcement(stage=Stage.SENT, fallback="fr", created_at=EVE, edited_at=EVE)
        db.add(vows)
        await db.flush()
        for language, url in PAGE.items():
            words = {"language": language, "text": "…", "link_label": "+", "link_url": url}
            db.add(AnnouncementText(announcement_id=vows.id, **words))
        readers = []
        for number, language in enumerate(("fr", "ar", "fr")):
            reader = await members.meet(db, "telegram", str(number), EVE)
            readers.append(reader.id)
            about = {"announcement_id": vows.id, "member_id": reader.id}
            db.add(Recipient(**about, language=language, outcome="sent", settled_at=EVE))
    async with serving(routes, settings) as port, aiohttp.ClientSession() as http:

        async def follow(member_id, method="GET", link=None, **headers):
            link = link or known.link(vows.id, member_id)
            url = link.replace("https://bot.example", f"http://127.0.0.1:{port}")
            asked = http.request(method, url, headers=PHONE | headers, allow_redirects=False)
            async with asked as answer:
                return answer.status, answer.headers.get("location"), await answer.text()

        async def opened():
            async with storage.read() as db:
                rows = await db.scalars(select(Recipient).order_by(Recipient.id))
                return [row.opened_at for row in rows]

        yield vows, readers, follow, opened, clock, known


async def test_each_is_led_to_the_page_in_their_language_and_counted_once(storage):
    async with at_the_door(storage) as (vows, readers, follow, opened, clock, _):
        assert await follow(readers[0]) == (302, PAGE["fr"], "")
        assert await follow(readers[1]) == (302, PAGE["ar"], "")
        clock.jump(EVE + timedelta(hours=1))
        assert await follow(readers[1]) == (302, PAGE["ar"], "")
        assert await opened() == [EVE, EVE, None]
        async with storage.read() as db:
            assert (await rules.of(db, await db.get_one(Announcement, vows.id))).opened == 2


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"user-agent": "TelegramBot (like TwitterBot)"}),
        ("GET", {"user-agent": "facebookexternalhit/1.1"}),
        ("GET", {"sec-purpose": "prefetch;prerender"}),
    ],
)
async def test_a_robot_is_led_on_and_not_counted(storage, method, headers):
    async with at_the_door(storage) as (_, readers, follow, opened, _, _):
        assert (await follow(readers[0], method, **headers))[:2] == (302, PAGE["fr"])
        assert await opened() == [None, None, None]


async def test_a_forged_token_leads_nowhere(storage):
    async with at_the_door(storage) as (vows, readers, follow, opened, _, known):
        good = known.link(vows.id, readers[0])
        stranger = Openings("https://bot.example", "456:other").link(vows.id, readers[0])
        changed = good[:-1] + ("A" if good[-1] != "A" else "B")
        other = known.link(vows.id, readers[1]).rpartition("/")[2]
        mixed = good[: -len(other)] + other[:16] + good[-len(other) + 16 :]
        for link in (stranger, changed, mixed, f"{good}é"):
            status, location, told = await follow(0, link=link)
            assert (status, location) == (404, None)
            assert "This link leads nowhere any more." in told
        evil = "https://bot.example/l/https:%2F%2Fevil.example"
        status, location, told = await follow(0, link=evil)
        assert (status, location) == (404, None)
        assert "evil" not in told
        assert await opened() == [None, None, None]


async def test_who_was_forgotten_is_led_on_and_the_link_of_no_announcement_is_a_dead_end(storage):
    async with at_the_door(storage) as (vows, readers, follow, opened, _, known):
        async with storage.begin() as db:
            for row in await db.scalars(select(Recipient)):
                row.member_id = None
        assert await follow(readers[1]) == (302, PAGE["fr"], "")
        assert await opened() == [None, None, None]
        assert (await follow(0, link=known.link(vows.id + 1, readers[0])))[0] == 404


def test_only_the_link_button_goes_by_way_of_us():
    words = read_catalogs()["fr"]
    answers = [{"fr": "Je viens"}]
    vows = Announcement(id=7, answers=answers, stage=Stage.SENDING)
    text = AnnouncementText(text="…", link_label="La page", link_url=PAGE["fr"])
    direct = as_read(vows, text, words)
    ours = counted(direct, text, "https://bot.example/l/abc")
    assert ours.text == direct.text
    before = [tap for row in direct.taps for tap in row]
    after = [tap for row in ours.taps for tap in row]
    assert [one.url for one in before if one.url] == [PAGE["fr"]]
    assert [one.url for one in after if one.url] == ["https://bot.example/l/abc"]
    assert [one.data for one in after] == [one.data for one in before]


def test_without_an_address_of_ours_links_are_direct():
    assert openings_of(read_settings(telegram_token="1:a")) is None
    given = {"public_url": "https://bot.example/", "webhook_secret": "s3cret"}
    known = openings_of(read_settings(telegram_token="1:a", **given))
    assert known is not None
    assert known.link(1, 2).startswith("https://bot.example/l/")
    assert known.read(known.link(1, 2).rpartition("/")[2]) == (1, 2)
