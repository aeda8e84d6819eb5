"""At the gates: what people with bad intentions send, and how much of it has an effect: none.

Each gate is laid siege to by Eve, who has registered like anybody. What is counted: rows that are
not hers and changed, updates that failed or were parked, errors in the log, and whether she and
everybody else are answered afterwards.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from bot import webhook
from bot.door import Door
from bot.flood import Flood
from bot.server import serving
from bot.settings import read_settings
from bot.webhook import Webhook
from handlers.conversations import routers
from storage.tables import Base, Conversation, Update
from tests.entrance import keeper, ticket_of
from tests.test_guide import HELP
from tests.test_team import admin, lyon
from tests.test_team_gates import button_of, handlers_of
from tests.town import Resident, Town

HUGE = (2**31, 2**63, 10**30)
# Numbers that are none, are not whole, or are not there.
NUMBERS = (
    *("-1", "0", "x", "", "1e9", "٣", "²", "nan", " 1", "1;DROP TABLE member", "null", "1.5"),
)
NASTY = (
    "<b>x",
    "</b></i><a href='tg://user?id=1'>x</a>",
    "&lt;&amp;&nbsp;&#0;",
    "\u202eevil\u2066\u2069\u2069",
    "a\x00b\x08c\x1bd\x7f",
    "\ud7ff\uffff\U000e0001",
    "{name} {0} %s %(x)s {",
    "'; DROP TABLE member; --",
    "=HYPERLINK(1)",
    "é" * 79 + "\u0301" * 20,
    "ﷺ" * 80,
    "👨‍👩‍👧‍👦" * 12,
)


@dataclass
class Siege:
    """What came of it."""

    sent: int = 0
    effects: list[str] = field(default_factory=list)
    errors: list[Any] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    def holds(self, least: int) -> None:
        """Nothing came of it, and there was something to come."""
        assert self.sent >= least
        assert (self.effects, self.errors, self.stuck) == ([], [], [])


async def rows_of_others(town: Town, eve: int) -> dict[str, list[str]]:
    """All rows that are not Eve's, nor what an update itself leaves behind."""
    passing = {Update.__tablename__, Conversation.__tablename__}
    found = {}
    async with town.app.storage.read() as db:
        for name, table in Base.metadata.tables.items():
            if name in passing:
                continue
            whose = [c.name for c in table.columns if c.name in {"member_id", "by", "actor_id"}]
            whose += ["id"] if name == "member" else []
            found[name] = [
                str(tuple(row))
                for row in await db.execute(select(table).order_by(*table.primary_key))
                if eve not in [getattr(row, column) for column in whose]
            ]
    return found


@asynccontextmanager
async def siege(town: Town, eve: Resident, *others: Resident) -> AsyncIterator[Siege]:
    """Watch over the house meanwhile."""
    counted = Siege()
    async with town.app.storage.read() as db:
        hers = (await town.member_of(db, eve)).id
    before = await rows_of_others(town, hers)
    with capture_logs() as logs:
        yield counted
    after = await rows_of_others(town, hers)
    counted.effects = [name for name in before if before[name] != after[name]]
    failing = {"update failed", "update parked", "update given up", "intake failed"}
    counted.errors = [
        line for line in logs if line["log_level"] == "error" or line["event"] in failing
    ]
    for resident in (eve, *others):
        await resident.says("/cancel")
        heard = await resident.says("/help")
        if not heard or not heard[0].startswith(HELP["en"].split("\n", maxsplit=1)[0]):
            counted.stuck.append(resident.person.name)


@dataclass
class House:
    """Who lives here, and what of theirs somebody else might want."""

    town: Town
    eve: Resident
    emma: Resident
    sofia: Resident
    ticket: str
    ids: list[int]


@pytest.fixture
async def house(town: Town) -> House:
    """Emma has a seat and its ticket; Sofia of the team has edited; Nadia is an admin."""
    await town.programme()
    emma, sofia = await town.member("Emma", "en"), await keeper(town, "Sofia")
    eve, nadia = await town.member("Eve", "en"), await admin(town)
    await lyon(town)
    await town.seat(emma, "panel-1")
    ticket = await ticket_of(town, emma, "panel-1")
    await emma.says("/myagenda")
    await sofia.says("/events")
    await sofia.taps("1st Thematic Workshop of Moroccan Experts…")
    await sofia.taps("Seats and reminders")
    await sofia.taps("Guests: 0")
    await sofia.says("/door")
    await nadia.says("/team")
    await nadia.taps("＋ Invite somebody")
    await eve.says("/agenda")
    session = await town.session("panel-1")
    return House(town, eve, emma, sofia, ticket, [session.event_id, session.id, 1, 2, 3])


def all_buttons() -> Iterable[tuple[str, int]]:
    """The prefix of each button there is, and how many fields it has."""
    found = {
        button
        for router in routers()
        for one in handlers_of(router, "callback_query")
        if (button := button_of(one)) is not None
    }
    for button in sorted(found, key=lambda one: one.__prefix__):
        yield button.__prefix__, len(button.model_fields)


async def test_forged_callback_data(house: House):
    values = [*map(str, house.ids), *map(str, HUGE), *(f"-{n}" for n in HUGE), *NUMBERS]
    async with siege(house.town, house.eve, house.emma) as counted:
        for prefix, number in all_buttons():
            forged = [
                prefix,
                f"{prefix}:",
                prefix + ":1" * (number + 1),
                *(":".join([prefix, *[value] * number]) for value in values if number),
                # A field of text, and a number after it; and the other way round.
                *(f"{prefix}:delete:{i}" for i in house.ids[:2] if number == 2),
                *(f"{prefix}:{i}:xlsx" for i in house.ids[:2] if number == 2),
            ]
            for data in forged:
                house.eve.person.taps_data(data[:64] or "x")
                counted.sent += 1
            await house.eve.after(0)
    counted.holds(1000)


async def test_replayed_callback_data(house: House):
    """Every button on everybody else's screen, tapped by Eve on her own."""
    seen = {
        button.data
        for person in house.town.sim.people.values()
        if person is not house.eve.person
        for message in person.chat.messages
        for row in message.keyboard
        for button in row
        if button.data
    }
    async with siege(house.town, house.eve, house.sofia) as counted:
        for data in sorted(seen):
            await house.eve.after(house.eve.person.taps_data(data))
            counted.sent += 1
    counted.holds(20)


async def test_guessed_deep_links(house: House):
    town, eve = house.town, house.eve
    guesses = [
        *(f"s_{value}" for value in (*NUMBERS, *HUGE, -5)),
        *(
            f"t_{value}"
            for value in (*NUMBERS, "A" * 22, house.ticket[2:-1], house.ticket[2:] + "x")
        ),
        *(f"invite-{value}" for value in (*NUMBERS, "A" * 32, "%", "_" * 57)),
        *("rabat-2018'", "../rabat-2018", "RABAT-2018", "a" * 64, "a" * 3000, "\u202e", "-", "%00"),
    ]
    async with siege(town, eve) as counted:
        for guess in guesses:
            for heard in await eve.says(f"/start {guess}"):
                assert "Emma" not in heard
            counted.sent += 1
    counted.holds(40)


async def test_somebody_elses_ticket(house: House):
    """Neither shown, nor used, nor owned: to Eve it is as any wrong link."""
    town, eve = house.town, house.eve
    wrong = await eve.says("/start t_nobody-has-this-code")
    async with siege(town, eve, house.emma) as counted:
        assert await eve.says(f"/start {house.ticket}") == wrong
        for data in (f"ticket:0:{house.ids[1]}", f"ticket:{house.ids[0]}:0"):
            await eve.after(eve.person.taps_data(data))
        for ticket, prefix in itertools.product(range(4), ("checkin", "letin", "uncheck")):
            await eve.after(eve.person.taps_data(f"{prefix}:{ticket}"))
        counted.sent = 15
    counted.holds(15)
    await house.town.is_now(house.town.clock.now())
    assert eve.heard() == []


async def test_names_that_mean_harm(house: House):
    """As a member's name and city, as titles of staff, in searches: what is said stays well-formed."""
    town, eve, sofia = house.town, house.eve, house.sofia
    async with siege(town, eve) as counted:
        for nasty in NASTY:
            await eve.after(eve.person.taps_data("amend:name"))
            for text in (nasty, "/cancel", nasty, f"/search {nasty}", f"/start {nasty}"):
                heard = await eve.says(text)
                assert heard, repr(nasty)
                counted.sent += 1
    counted.holds(5 * len(NASTY))
    with capture_logs() as logs:
        for nasty in NASTY[:6]:
            await sofia.says("/events")
            await sofia.taps("＋ New event")
            for text in (nasty, nasty, nasty, nasty, "Rabat", "12/12", "12/12"):
                await sofia.says(text)
        await eve.says("/agenda")
    assert [line for line in logs if line["log_level"] == "error"] == []


async def test_oversized_everything(house: House):
    town, eve = house.town, house.eve
    long = "ا" * 4096
    async with siege(town, eve) as counted:
        for text in (long, "/" + "x" * 4000, f"/start {long[:4000]}", f"/search {long[:4000]}"):
            assert await eve.says(text)
        await eve.after(eve.person.taps_data("amend:name"))
        assert await eve.says(long)
        await eve.says("/cancel")
        # What no messenger sends: a client of our own making speaks to the door.
        door = Door(town.app.intake, Flood(most=10_000))
        for number, grown in enumerate(oversized(eve)):
            await door.admit({"update_id": 900_000_000 + number, **grown})
            counted.sent += 1
        counted.sent += 5
    counted.holds(10)


def oversized(eve: Resident) -> Iterable[dict[str, Any]]:
    """Updates that are larger, deeper or longer than any can be."""
    who = {"id": eve.person.id, "is_bot": False, "first_name": "E" * 100_000}
    chat = {"id": eve.person.id, "type": "private", "first_name": "E"}
    said = {"message_id": 7, "date": 1, "chat": chat, "from": who}
    nested: dict[str, Any] = said
    for _ in range(60):
        nested = said | {"reply_to_message": nested}
    entities = [{"type": "bold", "offset": n, "length": 1} for n in range(10_000)]
    yield {"message": said | {"text": "x" * 900_000}}
    yield {"message": said | {"text": "x" * 4096, "entities": entities}}
    yield {"message": nested | {"text": "deep"}}
    yield {"message": said | {"text": "x", "message_id": 10**30}}
    yield {"callback_query": tap(who, said, "x" * 100_000)}
    yield {"callback_query": tap(who, said, "ev:" + "9" * 5000)}
    yield {"callback_query": tap(who, said, ":" * 60)}


def tap(who: dict[str, Any], card: dict[str, Any], data: str) -> dict[str, Any]:
    return {"id": "1", "from": who, "chat_instance": "1", "message": card, "data": data}


async def test_forged_webhooks(house: House):
    town, eve = house.town, house.eve
    secret = "only-telegram-knows"
    settings = read_settings(webhook_secret=secret, host="127.0.0.1", port=0)
    who = {"id": house.sofia.person.id, "is_bot": False, "first_name": "Sofia"}
    card = {"message_id": 1, "date": 1, "chat": {"id": who["id"], "type": "private"}, "from": who}
    # In the name of one of the team.
    forged = orjson.dumps(
        {"update_id": 1, "callback_query": tap(who, card, f"act:cancel:{house.ids[1]}")}
    )
    header = "x-telegram-bot-api-secret-token"
    secrets = [{}, *({header: s} for s in ("", secret[:-1], secret + "x", secret.upper(), "é"))]
    kinds = ("application/json", "text/plain", "")
    door = Door(town.app.intake, Flood(most=10_000))
    statuses: set[int] = set()
    async with siege(town, eve, house.sofia) as counted:
        routes = Webhook(door, secret).routes()
        async with serving(routes, settings) as port, aiohttp.ClientSession() as http:
            for given, kind, method in itertools.product(secrets, kinds, ("POST", "PUT", "GET")):
                headers = given | ({"content-type": kind} if kind else {})
                url = f"http://127.0.0.1:{port}{webhook.PATH}"
                async with http.request(method, url, data=forged, headers=headers) as answer:
                    statuses.add(answer.status)
                    counted.sent += 1
    counted.holds(50)
    assert statuses == {403, 405}


@pytest.mark.parametrize("many", [1, 200])
async def test_a_flood_from_one_and_from_many(house: House, many: int):
    """Whoever floods is told once; nobody else waits or is told."""
    town, eve = house.town, house.eve
    people = [eve] if many == 1 else [town.stranger(f"P{n}", "en") for n in range(many)]
    messages = 400 // many
    door = Door(town.app.intake, Flood())
    async with siege(town, eve, house.emma) as counted:
        tasks = []
        for number in range(messages):
            for at, one in enumerate(people):
                who = {
                    "id": one.person.id,
                    "is_bot": False,
                    "first_name": "P",
                    "language_code": "en",
                }
                said = {"message_id": number + 1, "date": 1, "from": who, "text": "/help"}
                chat = {"chat": {"id": one.person.id, "type": "private"}}
                update = 800_000_000 + number * many + at
                tasks.append(door.admit({"update_id": update, "message": said | chat}))
        await asyncio.gather(*tasks)
        counted.sent = len(tasks)
        answers = [len(one.heard()) for one in people]
    if many > 1:
        # Strangers become known: nothing else.
        counted.effects = [name for name in counted.effects if name not in {"member", "address"}]
        assert set(answers) == {messages}
    else:
        # The first twenty, and then one word of patience.
        assert answers == [21]
    counted.holds(400)
