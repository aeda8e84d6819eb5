"""Killed without warning between any two steps, started again: the conversation goes on."""

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from bot.agenda_files import read_agenda
from bot.simulator import Simulator
from bot.simulator.methods import METHODS
from bot.simulator.people import Person
from bot.simulator.profile_methods import PROFILE_METHODS
from handlers.topics import NEEDED
from storage import agendas
from storage.database import Storage, open_storage
from storage.tables import Consent, Member
from tests.processes import Process, process
from tests.town import PROGRAMMES, open_town

PLAIN = {"sendMessage", "editMessageText", "answerCallbackQuery", "getUpdates"}


def now() -> datetime:
    return datetime.now(UTC)


def tap(label: str) -> Callable[[Person], int]:
    return lambda person: person.taps(label)


def word(said: str) -> Callable[[Person], int]:
    return lambda person: person.says(said)


STEPS = (
    word("/start"),
    tap("English"),
    word("Salma El Idrissi"),
    word("Morocco"),
    word("Rabat"),
    tap("Skip"),
    word("Université de Rabat"),
    word("1, 3"),
    tap("In Morocco"),
    tap("Yes, that's right"),
    tap("I agree"),
)


@asynccontextmanager
async def at_work(
    folder: Path, database_url: str
) -> AsyncIterator[tuple[Simulator, Process, Storage]]:
    """A server, a bot that is about to start, and its database, with a programme in it."""
    sim = Simulator(now=now)
    async with sim.serve() as url, open_storage(database_url) as storage:
        async with storage.begin() as db:
            await agendas.apply(db, read_agenda(PROGRAMMES / "rabat-2018.yaml"), now())
        async with process(
            folder, database_url=database_url, telegram_token=sim.token, telegram_api_url=url
        ) as bot:
            yield sim, bot, storage


async def killed_before_the_commit(sim, bot, storage, act):
    """The update has arrived, and the database keeps the bot waiting."""
    async with storage.begin() as db:
        if not storage.is_sqlite:
            await db.execute(text('LOCK TABLE "update"'))
        await db.execute(text("SELECT 1"))
        polls = sim.world.mailbox
        act()
        await sim.wait_for(lambda: not polls.is_polled)
        await bot.kill()


async def killed_before_the_speech(sim, bot, _storage, act):
    """The answer is kept, and the server doesn't want to hear it."""
    for method in ("sendMessage", "editMessageText", "answerCallbackQuery"):
        sim.faults.fail(1000, code=502, method=method)
    before = len(sim.ledger.refused())
    act()
    await sim.wait_for(lambda: len(sim.ledger.refused()) > before)
    await bot.kill()
    sim.faults.clear()


async def killed_before_the_acknowledgement(sim, bot, _storage, act):
    """The answer is said, and the server doesn't hear that it was taken."""
    sim.faults.drop_before(1000, method="getUpdates")
    before = len(sim.ledger.accepted())
    update_id = act()
    await sim.wait_for(lambda: len(sim.ledger.accepted()) > before)
    assert update_id in sim.world.mailbox.pending
    await bot.kill()
    sim.faults.clear()


KILLS = (killed_before_the_commit, killed_before_the_speech, killed_before_the_acknowledgement)


def told(person: Person) -> list[str]:
    return [message.text for message in person.chat.messages if message.outgoing]


@pytest.fixture
async def transcript(sqlite_template, tmp_path) -> list[str]:
    """What somebody hears whose bot nobody kills; the agenda at its end is another day's."""
    path = shutil.copy(sqlite_template, tmp_path / "calm.db")
    async with open_town(f"sqlite+aiosqlite:///{path}") as town:
        await town.programme()
        calm = town.stranger("Salma", "en").person
        for step in STEPS:
            step(calm)
            await town.sim.settled()
    return told(calm)[:-1]


# Which kill strikes at which step, on each database: a start takes seconds, so they are few.
AT = {
    "sqlite": dict(zip((2, 4, 6), KILLS, strict=True)),
    "postgresql": {1: killed_before_the_acknowledgement, 9: killed_before_the_commit},
}


async def test_a_kill_between_two_steps_loses_no_answer_and_asks_nothing_twice(
    database_url, tmp_path, transcript
):
    async with at_work(tmp_path, database_url) as (sim, bot, storage):
        at = AT[storage.engine.dialect.name]
        salma = sim.person("Salma", language_code="en")
        await bot.start()
        await bot.listens_to(sim)
        for number, step in enumerate(STEPS):
            if number in at:
                await at[number](sim, bot, storage, lambda step=step: step(salma))
                await bot.start()
            else:
                step(salma)
            await sim.settled(timeout=60)
        heard = told(salma)[:-1]
        twice = [a for a, b in pairwise(heard) if a == b]
        assert len(twice) <= 1, "only what was said and not acknowledged may be said again"
        once = [a for a, b in pairwise([*heard, ""]) if a != b]
        assert once == transcript
        async with storage.read() as db:
            profiles = await db.execute(select(Member.name, Member.country, Member.city))
            assert profiles.all() == [("Salma El Idrissi", "MA", "Rabat")]
            assert await db.scalar(select(func.count()).select_from(Consent)) == len(NEEDED)


async def test_a_plain_server_will_do_and_sigterm_lets_what_is_in_hand_finish(
    sqlite_url, tmp_path, transcript
):
    async with at_work(tmp_path, sqlite_url) as (sim, bot, _storage):
        sim.faults.refuse(*((METHODS | PROFILE_METHODS).keys() - PLAIN))
        salma = sim.person("Salma", language_code="en")
        await bot.start()
        await bot.listens_to(sim)
        for step in STEPS[:4]:
            step(salma)
            await sim.settled()
        assert told(salma) == transcript[:4]
        sim.faults.fail(code=429, retry_after=2, method="sendMessage")
        before, refused = len(told(salma)), len(sim.ledger.refused("sendMessage"))
        in_hand = salma.says("/help")
        await sim.wait_for(lambda: len(sim.ledger.refused("sendMessage")) > refused)
        assert await bot.stop() == 0
        assert [line.splitlines()[0] for line in told(salma)[before:]] == [
            "What I can do",
            "Question 3 of 7",
        ]
        assert in_hand not in sim.world.mailbox.pending
