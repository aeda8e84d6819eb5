"""A town for transcripts: people say and tap, the bot answers, time passes when it is told to.

Everything in between is real: HTTP to the simulator, the database, aiogram, python-telegram-bot.
What is heard is drawn as text: the words, then a line for each row of buttons.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

import bot
from bot.agenda_files import read_agenda
from bot.app import App, open_app
from bot.clock import SimulatedClock
from bot.flood import Flood
from bot.pace import Pacer
from bot.settings import read_settings
from bot.simulator import Message, Person, Simulator
from storage import agendas, members, purposes, reminders, rsvps
from storage.tables import Address, Member, Purpose, Session, Side

PROGRAMMES = Path(bot.__file__).parent / "programmes"
EVE = datetime(2018, 7, 3, 8, 0, tzinfo=UTC)
_INVISIBLE = str.maketrans({"\u2068": "", "\u2069": "", "\u00a0": " ", "\u202f": " "})


def drawn(message: Message) -> str:
    """A message as a person sees it: isolates and kinds of spaces are other tests' business."""
    rows = [" ".join(f"[{button.text}]" for button in row) for row in message.keyboard]
    return "\n".join([message.text, *rows]).translate(_INVISIBLE)


class Resident:
    """Somebody in town."""

    def __init__(self, town: "Town", person: Person) -> None:
        self.town, self.person = town, person
        self._toasts = 0

    async def says(self, text: str) -> list[str]:
        """Type something, and return all that is heard in answer."""
        return await self.after(self.person.says(text))

    async def taps(self, label: str, message: Message | None = None) -> list[str]:
        """Tap a button, by its visible label, and return all that is heard in answer."""
        buttons = [b for m in self.person.chat.messages for row in m.keyboard for b in row]
        exact = [b.text for b in buttons if b.text.translate(_INVISIBLE) == label]
        return await self.after(self.person.taps(exact[-1] if exact else label, message))

    async def after(self, _update: int) -> list[str]:
        """Return what was heard once the bot has taken everything."""
        await self.town.sim.settled()
        return self.heard()

    async def asks(self, query: str) -> list[str]:
        """Write "@bot query" in some other chat, and return the answers that are offered."""
        await self.after(self.person.asks(query))
        return [
            f"{one.title}\n{one.description}".translate(_INVISIBLE) for one in self.person.choices
        ]

    def heard(self) -> list[str]:
        """What is new on the screen: toasts first, then messages and edits in their order."""
        toasts = [
            t.text.translate(_INVISIBLE) for t in self.person.toasts[self._toasts :] if t.text
        ]
        self._toasts = len(self.person.toasts)
        return [f"({toast})" for toast in toasts] + [drawn(m) for m in self.person.news()]

    @property
    def last(self) -> Message:
        """The newest message on the screen."""
        return self.person.chat.messages[-1]


class Town:
    """The bot, its people and its clock."""

    def __init__(self, sim: Simulator, app: App, clock: SimulatedClock) -> None:
        self.sim, self.app, self.clock = sim, app, clock

    def stranger(self, name: str, language: str = "fr") -> Resident:
        """Somebody who has never written to the bot."""
        return Resident(self, self.sim.person(name, language_code=language))

    async def member(
        self,
        name: str,
        language: str = "fr",
        *,
        side: Side = Side.DIASPORA,
        leads: tuple[int, ...] = members.FIRST_LEADS,
        agrees: Iterable[Purpose] = Purpose,
    ) -> Resident:
        """Somebody who has registered; they agree to everything, unless said."""
        resident = self.stranger(name, language)
        async with self.app.storage.begin() as db:
            now = self.clock.now()
            member = await members.meet(db, "telegram", str(resident.person.id), now)
            member.language = language
            profile = members.Profile(name, "FR", "Lyon", None, None, (), side)
            await members.register(db, member, profile, now)
            notice = self.app.terms.version
            await purposes.agree(db, member, agrees, now, version=notice, channel="telegram")
            if leads != members.FIRST_LEADS:
                await members.set_leads(db, member, leads)
        return resident

    async def programme(self, name: str = "rabat-2018") -> None:
        """Import one of the real programmes."""
        async with self.app.storage.begin() as db:
            agenda = read_agenda(PROGRAMMES / f"{name}.yaml")
            await agendas.apply(db, agenda, self.clock.now())

    async def session(self, slug: str, **changes: Any) -> Session:
        """A session of the programme, changed if asked for."""
        async with self.app.storage.begin() as db:
            found = await db.scalar(select(Session).where(Session.slug == slug))
            assert found is not None
            for name, value in changes.items():
                setattr(found, name, value)
        return found

    async def seat(self, resident: Resident, slug: str) -> rsvps.Answer:
        """Take a seat by the rule, without the chat."""
        session = await self.session(slug)
        async with self.app.storage.begin() as db:
            member = await self.member_of(db, resident)
            outcome = await rsvps.request_seat(db, member, session.id, self.clock.now())
        assert outcome is not None
        return outcome.answer

    async def member_of(self, db: Any, resident: Resident) -> Member:
        """The row of somebody in town."""
        member = await db.scalar(
            select(Member).join(Address).where(Address.address == str(resident.person.id))
        )
        assert isinstance(member, Member)
        return member

    async def is_now(self, moment: datetime) -> None:
        """Let it be this moment: post what is due, and deliver all of it."""
        self.clock.jump(moment)
        # Nobody renews the lease here, and a slow machine may take longer than one lasts.
        assert await self.app.office.renew()
        await self.app.tick()
        await self.app.tend_cards()
        await self.app.sender.tend()
        await self.app.tend_introductions()
        while await self.app.delivery.deliver():
            # What has left is written down, and what waited behind it posted.
            await self.app.sender.tend()

    async def passes(self, **duration: float) -> None:
        """Let so much time pass, stopping at each reminder on the way."""
        end = self.clock.now() + timedelta(**duration)
        while True:
            async with self.app.storage.read() as db:
                moment = await reminders.next_moment(db, self.clock.now())
            if moment is None or moment > end:
                break
            await self.is_now(moment)
        await self.is_now(end)


@asynccontextmanager
async def open_town(database_url: str) -> AsyncIterator[Town]:
    """A town whose bot listens; its clock stands still, and its pace is not ours to wait for."""
    clock = SimulatedClock(EVE, speed=0)
    sim = Simulator(now=clock.now)
    async with sim.serve() as url:
        settings = read_settings(
            database_url=database_url, telegram_token=sim.token, telegram_api_url=url
        )
        pacer, flood = Pacer(rate=100_000, per_chat=0), Flood(most=10_000)
        async with open_app(settings, clock, pacer=pacer, flood=flood) as app:
            assert await app.office.renew()
            listening = asyncio.create_task(app.listen())
            try:
                yield Town(sim, app, clock)
            finally:
                listening.cancel()
                await asyncio.wait([listening])


def words_of(text: str) -> str:
    """A text without what only machines see."""
    return re.sub(r"\s+", " ", text.translate(_INVISIBLE))
