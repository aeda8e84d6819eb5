"""Listening by webhook: what is turned away, what is taken, and when it is answered."""

import asyncio
import socket
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import orjson
import pytest
from sqlalchemy import func, select, text
from structlog.testing import capture_logs

from bot import webhook
from bot.app import open_app
from bot.clock import RealClock, SimulatedClock
from bot.door import Door
from bot.flood import Flood
from bot.pace import Pacer
from bot.server import healthz, serving
from bot.settings import SettingsError, read_settings
from bot.simulator import Simulator
from bot.telegram import ALLOWED_UPDATES, BadToken
from bot.webhook import Webhook, hook
from storage import leases, members, outbox
from storage.tables import Member, Update
from tests.test_polling import Taker, word
from tests.town import EVE
from tests.until import until

SECRET = "only-telegram-knows"
HEADERS = {"x-telegram-bot-api-secret-token": SECRET, "content-type": "application/json"}


def settings_for(**given):
    return read_settings(webhook_secret=SECRET, host="127.0.0.1", port=0, **given)


@asynccontextmanager
async def hooked():
    """A webhook at work: what it hands updates to, and how to post to it."""
    taker = Taker()
    door = Door(taker, Flood(most=10_000))
    taker.door = door
    routes = Webhook(door, SECRET).routes()
    async with serving(routes, settings_for()) as port, aiohttp.ClientSession() as http:

        async def post(body, **headers):
            data = orjson.dumps(body) if isinstance(body, dict) else body
            url = f"http://127.0.0.1:{port}{webhook.PATH}"
            async with http.post(url, data=data, headers=HEADERS | headers) as answer:
                return answer.status

        yield taker, post


@pytest.mark.parametrize("secret", ["", "only-telegram-know", "only-telegram-knows!", "é"])
async def test_who_does_not_know_the_secret_is_turned_away(secret):
    async with hooked() as (taker, post):
        assert await post(word(1), **{"x-telegram-bot-api-secret-token": secret}) == 403
    assert taker.begun == []


def test_without_a_secret_there_is_no_webhook():
    with pytest.raises(ValueError, match="without a secret"):
        Webhook(Door(Taker(), Flood()), "")
    with pytest.raises(SettingsError):
        read_settings(public_url="https://jisr.example")


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b'{"update_id": "1"}', {}, 400),
        (b"\xff\xfe", {}, 400),
        (b'{"update_id": 1}', {"content-type": "text/plain"}, 415),
        (b'{"update_id": 1}', {"content-type": "application/json; charset=utf-8"}, 200),
        (b" " * 1_000_001, {}, 413),
        (b'{"update_id": 1, "text": "' + b"x" * 900_000 + b'"}', {}, 200),
    ],
)
async def test_only_updates_of_a_sensible_size_are_read(body, headers, status):
    async with hooked() as (_, post):
        assert await post(body, **headers) == status


async def test_a_body_without_a_length_is_counted_as_it_comes():
    async def endless():
        for _ in range(2_000):
            yield b" " * 1_000

    async with hooked() as (taker, post):
        assert await post(endless()) == 413
        assert await post(word(1)) == 200
    assert taker.taken == [1]


async def test_a_body_that_never_ends_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(webhook, "BODY_SECONDS", 0.05)
    forever = asyncio.Event()

    async def silence():
        yield b"{"
        await forever.wait()

    async with hooked() as (_, post):
        waiting = asyncio.create_task(post(silence()))
        await asyncio.wait([waiting], timeout=10)
        assert waiting.done()
        forever.set()
        assert waiting.result() == 408


async def test_200_comes_only_when_the_update_was_taken_and_a_second_call_waits_for_the_first():
    async with hooked() as (taker, post):
        taker.held[1] = asyncio.Event()
        first, again = (asyncio.create_task(post(word(1))) for _ in range(2))
        other = await post(word(2, chat=2))
        assert other == 200
        assert not first.done()
        assert not again.done()
        taker.held[1].set()
        assert [await first, await again] == [200, 200]
    assert sorted(taker.begun) == [1, 2]


async def test_an_update_is_taken_though_its_bringer_hung_up():
    async with hooked() as (taker, post):
        taker.held[1] = asyncio.Event()
        call = asyncio.create_task(post(word(1)))
        await until(lambda: taker.begun == [1])
        call.cancel()
        await asyncio.wait([call])
        taker.held[1].set()
        await until(lambda: taker.taken == [1])


async def test_more_than_we_can_hold_is_asked_to_come_again(monkeypatch):
    monkeypatch.setattr(webhook, "MOST_IN_HAND", 2)
    async with hooked() as (taker, post):
        door = taker.door
        taker.held[1] = asyncio.Event()
        calls = [asyncio.create_task(post(word(i))) for i in (1, 2)]
        await until(lambda: taker.begun == [1])
        await until(lambda: len(door.in_hand) == 2)
        assert await post(word(3)) == 503
        taker.held[1].set()
        assert [await call for call in calls] == [200, 200]


# --- telling Telegram -------------------------------------------------------------------------


@asynccontextmanager
async def bot_at(sim, url, **given):
    settings = settings_for(telegram_token=sim.token, telegram_api_url=url, **given)
    async with open_app(settings, SimulatedClock(EVE, speed=0)) as app:
        yield app, settings


async def test_telegram_is_told_where_we_are_and_what_we_want_to_hear(sqlite_url):
    sim = Simulator(now=lambda: EVE)
    async with (
        sim.serve() as url,
        bot_at(sim, url, database_url=sqlite_url, public_url="http://127.0.0.1:9") as (app, ours),
    ):
        sim.faults.fail(code=429, retry_after=0, method="setWebhook")
        await hook(app.bot, ours)
        told = sim.world.mailbox.webhook
    assert told is not None
    assert (told.url, told.secret, told.max_connections) == (
        "http://127.0.0.1:9/telegram",
        SECRET,
        webhook.CONNECTIONS,
    )
    assert sim.world.mailbox.allowed == frozenset(ALLOWED_UPDATES)


async def test_a_refused_webhook_is_told_with_a_remedy_and_tried_again(sqlite_url, monkeypatch):
    monkeypatch.setattr(webhook, "FIRST_PAUSE", 0.01)
    sim = Simulator(now=lambda: EVE)
    async with (
        sim.serve() as url,
        bot_at(sim, url, database_url=sqlite_url, public_url="http://127.0.0.1:9") as (app, ours),
    ):
        sim.faults.fail(code=400, method="setWebhook")
        sim.faults.drop_before(method="setWebhook")
        with capture_logs() as logs:
            await hook(app.bot, ours)
    assert [line["event"] for line in logs] == [
        "the webhook was refused",
        "the webhook could not be set",
        "the webhook is set",
    ]
    assert "JISR_PUBLIC_URL" in logs[0]["remedy"]


async def test_a_token_that_telegram_does_not_know_ends_it(sqlite_url):
    sim = Simulator(now=lambda: EVE, token="1:another")
    async with sim.serve() as url:
        settings = settings_for(
            telegram_token="2:unknown",
            telegram_api_url=url,
            public_url="http://127.0.0.1:9",
            database_url=sqlite_url,
        )
        async with open_app(settings, RealClock()) as app:
            with pytest.raises(BadToken):
                await hook(app.bot, settings)


# --- the whole way ----------------------------------------------------------------------------


@asynccontextmanager
async def replica(sim, url, database_url):
    """A process that listens by webhook, as far as the database can tell."""
    ours = settings_for(
        telegram_token=sim.token,
        telegram_api_url=url,
        public_url="http://127.0.0.1:9",
        database_url=database_url,
    )
    clock, pacer = SimulatedClock(EVE, speed=0), Pacer(rate=100_000, per_chat=0)
    async with open_app(ours, clock, pacer=pacer) as app:
        door = Door(app.intake, Flood(most=10_000))
        routes = [*Webhook(door, SECRET).routes(), healthz(app.storage, clock)]
        async with serving(routes, ours) as port:
            yield app, f"http://127.0.0.1:{port}"


async def test_a_conversation_by_webhook_is_the_same_conversation(database_url):
    sim = Simulator(now=lambda: EVE)
    amal = sim.person("Amal", language_code="en")
    async with sim.serve() as url, replica(sim, url, database_url) as (app, ours):
        await app.bot.set_webhook(ours + webhook.PATH, secret_token=SECRET)
        amal.says("/start")
        amal.says("hello?")
        await sim.settled()
        amal.taps("English")
        await sim.settled()
        told = [m.text.splitlines()[0] for m in amal.chat.messages if m.outgoing]
    assert told == [
        "Welcome! Which language shall we speak?",
        "Let's speak English.",
        "I am Jisr, the bridge between your community, your consulate and your events. "
        "A few short questions, and you can take your seats. "
        "You can stop at any time and come back later.",
    ]
    assert not sim.unanswered


async def test_an_update_brought_to_two_replicas_at_once_is_taken_once(database_url):
    sim = Simulator(now=lambda: EVE)
    people = [sim.person(f"Amal {n}", language_code="en") for n in range(10)]
    # Nobody fetches: the test brings them.
    brought = [sim.world.mailbox.pending[one.says("/start")].body for one in people]
    async with (
        sim.serve() as url,
        replica(sim, url, database_url) as (app, here),
        replica(sim, url, database_url) as (_, there),
        aiohttp.ClientSession(headers=HEADERS) as http,
    ):

        async def bring(to, body):
            async with http.post(to + webhook.PATH, data=orjson.dumps(body)) as answer:
                return answer.status

        calls = [bring(to, body) for body in brought for to in (here, there)]
        assert await asyncio.gather(*calls) == [200] * 20
        async with app.storage.read() as db:
            assert await db.scalar(select(func.count()).select_from(Update)) == 10
            assert await db.scalar(select(func.count()).select_from(Member)) == 10
    for one in people:
        first, second = (m.text for m in one.chat.messages if m.outgoing)
        assert first == second, "the same update, the same answer"


async def test_healthz_tells_of_the_database_the_engine_and_the_oldest_letter(database_url):
    sim = Simulator(now=lambda: EVE)
    async with (
        sim.serve() as url,
        replica(sim, url, database_url) as (app, ours),
        aiohttp.ClientSession() as http,
    ):

        async def ask():
            async with http.get(f"{ours}/healthz") as answer:
                return answer.status, await answer.json()

        idle = {"live": True, "ready": True, "engine_lease": None, "oldest_due": None}
        assert await ask() == (200, idle)
        async with app.storage.begin() as db:
            assert await leases.hold(db, "engine", "somebody", EVE)
            amal = await members.meet(db, "telegram", "7", EVE)
            outbox.post(
                db,
                key="k",
                member_id=amal.id,
                kind="reminder",
                about={},
                due=EVE - timedelta(seconds=5),
            )
        lease = leases.LEASE.total_seconds()
        assert await ask() == (200, idle | {"engine_lease": lease, "oldest_due": 5.0})
        async with app.storage.begin() as db:
            await db.execute(text("DROP TABLE lease"))
        assert await ask() == (503, {"live": True, "ready": False})


async def test_a_port_that_is_taken_is_told_by_its_name():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"JISR_PORT: 127.0.0.1:{port} can't be served on"):
            async with serving([], read_settings(host="127.0.0.1", port=port)):
                pass
