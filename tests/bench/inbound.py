"""An RSVP tap, kept and answered, beside bots that only echo: what does remembering cost?"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import insert, select

from bot.agenda_files import read_agenda
from handlers.rsvps import Take
from storage import agendas
from storage.database import open_storage
from storage.tables import Address, Event, Member, MemberLead, Role, Session, Side
from tests.bench.beside import listens, ours, peer
from tests.bench.server import lean_server
from tests.soak.ground import databases
from tests.town import EVE, PROGRAMMES

UPDATES = 2_000
ROUNDS = 5
_FIRST_CHAT = 700_000_001


def _person(number: int) -> dict[str, Any]:
    return {"id": number, "is_bot": False, "first_name": "Amal", "language_code": "fr"}


def words() -> list[dict[str, Any]]:
    """A word from each of many people."""
    return [
        {
            "update_id": 1 + n,
            "message": {
                "message_id": 1,
                "date": 1_530_604_800,
                "chat": {"id": _FIRST_CHAT + n, "type": "private", "first_name": "Amal"},
                "from": _person(_FIRST_CHAT + n),
                "text": "hello",
            },
        }
        for n in range(UPDATES)
    ]


def taps(session_id: int) -> list[dict[str, Any]]:
    """A tap on "Take a seat" from each of many people."""
    return [
        {
            "update_id": 1 + n,
            "callback_query": {
                "id": str(n),
                "chat_instance": "1",
                "from": one["message"]["from"],
                "data": Take(session=session_id).pack(),
                "message": one["message"]
                | {"from": {"id": 4242424242, "is_bot": True, "first_name": "J"}},
            },
        }
        for n, one in enumerate(words())
    ]


async def populate(database_url: str) -> int:
    """As many members as there are taps; returns the session they will want a seat in."""
    async with open_storage(database_url) as storage, storage.begin() as db:
        await agendas.apply(db, read_agenda(PROGRAMMES / "rabat-2018.yaml"), EVE)
        profile = {"name": "Amal", "country": "FR", "city": "Lyon", "side": Side.DIASPORA}
        known = {"language": "fr", "role": Role.MEMBER, "created_at": EVE, "registered_at": EVE}
        # They have just opened the card.
        known |= {"seen_at": EVE}
        ids = range(1, UPDATES + 1)
        await db.execute(insert(Member), [{"id": i} | profile | known for i in ids])
        await db.execute(
            insert(Address),
            [
                {"member_id": i, "channel": "telegram", "address": str(_FIRST_CHAT + i - 1)}
                for i in ids
            ],
        )
        await db.execute(insert(MemberLead), [{"member_id": i, "minutes": 15} for i in ids])
        session = await db.scalar(select(Session).where(Session.slug == "panel-2"))
        if session is None:
            raise LookupError("the programme has no second panel")
        session.capacity = UPDATES
        # Nor is the whole event full, which has room for a hundred.
        (await db.get_one(Event, session.event_id)).capacity = None
        return session.id


@dataclass(frozen=True, slots=True)
class Found:
    """Updates a second, and milliseconds of processor time that each took the bot."""

    rate: float
    busy: float


async def measured(how: Callable[[str], Sequence[str]], updates: list[dict[str, Any]]) -> Found:
    """Let somebody take all of these updates from a fresh server, whose address tells how."""
    with lean_server(updates) as (url, pipe):
        took = await listens(how(url), pipe)
    return Found(len(updates) / took.seconds, 1_000 * took.busy / len(updates))


PEERS = {
    "aiogram, an echo": partial(peer, "aiogram-echo"),
    "the same, tuned": partial(peer, "aiogram-echo", tuned=True),
    "python-telegram-bot, an echo": partial(peer, "telegram-echo"),
}


async def _round(found: dict[str, list[Found]]) -> None:
    """Everybody once, one after the other, so that all meet the same machine."""
    for name, one in PEERS.items():
        found.setdefault(name, []).append(await measured(one, words()))
    with tempfile.TemporaryDirectory() as folder:
        async with databases(Path(folder)) as urls:
            for kind, database_url in urls.items():
                session = await populate(database_url)
                us = partial(ours, database_url=database_url)
                found.setdefault(f"Jisr, an RSVP, {kind}", []).append(
                    await measured(us, taps(session))
                )


async def run(console: Console) -> None:
    """Measure everybody in one run, several times in turn, and print the ratios of the medians."""
    found: dict[str, list[Found]] = {}
    for _ in range(ROUNDS):
        await _round(found)
    rates = {name: median(one.rate for one in each) for name, each in found.items()}
    busy = {name: median(one.busy for one in each) for name, each in found.items()}
    aiogram, tuned, telegram = (rates[name] for name in PEERS)
    table = Table("inbound", "updates/s", "of aiogram", "of it, tuned", "of PTB", "CPU ms")
    for name, rate in rates.items():
        ratios = (f"{rate / one:.2f}" for one in (aiogram, tuned, telegram))
        table.add_row(name, f"{rate:,.0f}", *ratios, f"{busy[name]:.2f}")
    console.print(table)
    console.print(f"{UPDATES} updates each, loopback; medians of {ROUNDS} rounds")
