"""A listener that is killed again and again: nothing lost, nothing done twice, answers as kept.

Each update is a tap that ticks or unticks a theme: taken twice or never, it leaves the wrong
themes behind. Run in full by `python -m tests.soak`.
"""

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from bot.agenda_files import read_agenda
from bot.simulator import Simulator
from bot.simulator.people import Person
from handlers.asking import Asking
from handlers.profile import Tick
from handlers.settings import PURPOSE
from storage import agendas, conversations, members
from storage.database import Storage, open_storage
from storage.tables import Conversation, Side, Update
from tests.processes import Process, process
from tests.town import PROGRAMMES

# So many people that none of them writes faster than the flood limit allows.
PEOPLE = 60
# Updates that wait for the bot at most: what people write who get no answer.
WAITING = 60
SECRET = "soak"


@dataclass(frozen=True, slots=True)
class Report:
    """What became of it. `lost` and `doubled` count people whose themes are not as they tapped."""

    updates: int
    kills: int
    seed: int
    known: int
    wrong: list[str]
    cards: list[str]

    @property
    def kept(self) -> bool:
        """Every update was taken once, and every screen shows what is kept."""
        return self.known == self.updates and not self.wrong and not self.cards

    def __str__(self) -> str:
        """In one line."""
        return (
            f"{self.updates} updates, {self.kills} kills, seed {self.seed}: {self.known} kept, "
            f"chats with a tap lost or done twice: {self.wrong or 'none'}, screens that show "
            f"something else: {self.cards or 'none'}"
        )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def _listener(
    folder: Path, database_url: str, *, webhook: bool
) -> AsyncIterator[tuple[Simulator, Process]]:
    sim = Simulator(now=_now, patience=0.02)
    async with sim.serve() as url:
        port = _free_port()
        settings = {
            "database_url": database_url,
            "telegram_token": sim.token,
            "telegram_api_url": url,
            "pace": "30",
            "host": "127.0.0.1",
        }
        if webhook:
            settings |= {
                "public_url": f"http://127.0.0.1:{port}",
                "port": str(port),
                "webhook_secret": SECRET,
            }
        async with process(folder, "run", "--listen", **settings) as bot:
            yield sim, bot


async def _ask_everybody(storage: Storage, people: list[Person]) -> list[str]:
    """Open the question of the themes in each chat; returns the themes in their order."""
    agenda = read_agenda(PROGRAMMES / "rabat-2018.yaml")
    async with storage.begin() as db:
        await agendas.apply(db, agenda, _now())
        slugs = [theme.slug for theme in await members.all_themes(db)]
        for person in people:
            member = await members.meet(db, "telegram", str(person.id), _now())
            member.language = "en"
            profile = members.Profile(person.name, "FR", "Lyon", None, None, (), Side.DIASPORA)
            await members.register(db, member, profile, _now())
            conversation = conversations.new_conversation("telegram", str(person.id))
            conversation.state = Asking.open.state
            conversation.data = {"field": "themes", "purpose": PURPOSE, "draft": {"themes": []}}
            conversations.keep_conversation(db, conversation)
    return slugs


async def fire(
    folder: Path, database_url: str, *, webhook: bool, updates: int, kills: int, seed: int
) -> Report:
    """Tap `updates` times while the listener is killed `kills` times."""
    chance = random.Random(seed)  # noqa: S311 - chaos that can be repeated
    fatal = set(chance.sample(range(1, updates), kills))
    async with (
        _listener(folder, database_url, webhook=webhook) as (sim, bot),
        open_storage(database_url) as storage,
    ):
        people = [sim.person(f"Amal {n}", language_code="en") for n in range(PEOPLE)]
        slugs = await _ask_everybody(storage, people)
        await bot.start()
        for person in people:
            person.says("/help")
        await sim.settled(timeout=120)
        wished: dict[int, set[str]] = {person.id: set() for person in people}
        pending = sim.world.mailbox.pending
        for number in range(updates):
            # In turn, so that nobody comes near the flood limit.
            person, theme = people[number % PEOPLE], chance.randrange(len(slugs))
            person.taps_data(Tick(number=theme + 1).pack())
            wished[person.id] ^= {slugs[theme]}
            await sim.wait_for(lambda: len(pending) < WAITING, timeout=120)
            if number in fatal:
                # At any instant of whatever it is doing.
                await asyncio.sleep(chance.uniform(0, 0.2))
                await bot.kill()
                await bot.start()
        await sim.settled(timeout=120)
        assert await bot.stop() == 0
        return Report(updates, kills, seed, *await _compared(storage, people, wished, slugs))


async def _compared(
    storage: Storage, people: list[Person], wished: dict[int, set[str]], slugs: list[str]
) -> tuple[int, list[str], list[str]]:
    """Taps known to the database, chats with wrong themes, screens that show something else."""
    async with storage.read() as db:
        known = (await db.scalars(select(Update.answer).where(Update.parked.is_(False)))).all()
        rows = (await db.execute(select(Conversation.key, Conversation.data))).all()
    drafts = {key: set(data["draft"]["themes"]) for key, data in rows}
    wrong, cards = [], []
    for person in people:
        kept = drafts[f"telegram:{person.id}"]
        if kept != wished[person.id]:
            wrong.append(f"{person.name}: {sorted(kept ^ wished[person.id])}")
        ticked = {slugs[n] for n, b in enumerate(_theme_buttons(person)) if b.startswith("✅")}
        if ticked != kept:
            cards.append(f"{person.name}: {sorted(ticked ^ kept)}")
    return len(known) - len(people), wrong, cards


def _theme_buttons(person: Person) -> list[str]:
    card = next(m for m in reversed(person.chat.messages) if m.keyboard)
    prefix = Tick.__prefix__
    return [b.text for row in card.keyboard for b in row if b.data and b.data.startswith(prefix)]
