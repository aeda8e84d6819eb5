"""The simulator's front door: make one, serve it, put people in it, and wait for the bot."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime

from bot.simulator.changes import Changes
from bot.simulator.faults import Faults
from bot.simulator.ledger import Ledger
from bot.simulator.mailbox import Mailbox
from bot.simulator.people import Group, Person
from bot.simulator.server import BotApi, listening
from bot.simulator.stage import Stage, Theatre
from bot.simulator.webhook import Courier
from bot.simulator.world import Chat, Json, Tap, World

BOT_ID = 4242424242
TOKEN = f"{BOT_ID}:simulated-and-opens-nothing"


class Simulator:
    """A Bot API server on loopback, the people who write to its one bot, and a page of phones.

    `now` gives the simulated time (aware, UTC), which stands on every message. `phones` are
    the people whom the page shows first; `theatre` lets the page move time; both may be set
    later. `patience` stretches the waits between webhook retries (1.0 as long as Telegram's).
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        token: str = TOKEN,
        bot_name: str = "Jisr",
        bot_username: str = "JisrBot",
        theatre: Theatre | None = None,
        phones: Iterable[Person] = (),
        patience: float = 1.0,
    ) -> None:
        changes = Changes()
        bot: Json = {
            "id": int(token.partition(":")[0]),
            "is_bot": True,
            "first_name": bot_name,
            "username": bot_username,
        }
        self.token = token
        self.now = now
        self.faults = Faults()
        self.people: dict[int, Person] = {}
        self.world = World(now, bot, changes, Mailbox(changes))
        self.world.profile.names[""] = bot_name
        self.world.users[bot["id"]] = bot
        self.stage = Stage(self.world, self.people, theatre, phones)
        self._courier = Courier(self.world, patience)
        self._groups = 0

    @property
    def ledger(self) -> Ledger:
        """What the server accepted and refused."""
        return self.world.ledger

    @property
    def phones(self) -> list[Person]:
        """The people whom the page shows first; may be set."""
        return self.stage.phones

    @phones.setter
    def phones(self, people: Iterable[Person]) -> None:
        self.stage.phones = list(people)

    @property
    def theatre(self) -> Theatre | None:
        """What lets the page move time; may be set."""
        return self.stage.theatre

    @theatre.setter
    def theatre(self, theatre: Theatre | None) -> None:
        self.stage.theatre = theatre

    @property
    def bot_username(self) -> str:
        """The username in deep links: https://t.me/<username>?start=..."""
        return str(self.world.bot["username"])

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator[str]:
        """Serve on 127.0.0.1, and yield the address: "http://127.0.0.1:PORT".

        Leaving ends open long polls and event streams at once.
        """
        self.world.changes.closing = False
        async with listening(
            BotApi(self.world, self.faults, self.token), self.stage.routes(), port
        ) as url:
            errands = asyncio.ensure_future(self._courier.run())
            try:
                yield url
            finally:
                self.world.changes.close()
                await errands

    def person(
        self,
        first_name: str,
        *,
        language_code: str = "en",
        last_name: str | None = None,
        username: str | None = None,
        id: int | None = None,  # noqa: A002 - the Bot API's own word
        zone: str | None = None,
        started: bool = True,
    ) -> Person:
        """Add somebody with a private chat with the bot.

        `zone` is the IANA zone of their phone; `started=False` is somebody the bot may not
        write to before they wrote first.
        """
        given = {
            "id": id or 700_000_001 + len(self.people),
            "is_bot": False,
            "first_name": first_name,
            "last_name": last_name,
            "username": username,
            "language_code": language_code,
        }
        user: Json = {key: value for key, value in given.items() if value is not None}
        chat = Chat(user["id"], "private", user, started=started, members=[user["id"]])
        if chat.id in self.world.chats:
            raise ValueError(f"there is somebody with the id {chat.id} already")
        self.world.chats[chat.id] = chat
        self.world.users[chat.id] = user
        person = self.people[chat.id] = Person(self.world, chat, user, zone)
        self.world.changes.tell("people", chat.id)
        return person

    def group(self, title: str, members: Iterable[Person] = ()) -> Group:
        """Add a group, with the bot and some people in it."""
        self._groups += 1
        ids = [person.id for person in members]
        chat = Chat(-4_000_000_000 - self._groups, "group", {"title": title}, members=ids)
        self.world.chats[chat.id] = chat
        return Group(self.world, chat)

    def channel(self, title: str) -> Group:
        """Add a channel, with the bot in it."""
        self._groups += 1
        chat = Chat(-1_003_000_000_000 - self._groups, "channel", {"title": title})
        self.world.chats[chat.id] = chat
        return Group(self.world, chat)

    def redeliver(self, update_id: int) -> None:
        """Deliver an update that was acknowledged once more, as Telegram may."""
        self.world.mailbox.redeliver(update_id)

    @property
    def unanswered(self) -> list[Tap]:
        """Taps whose spinner still turns."""
        return [tap for tap in self.world.taps.values() if not tap.answered]

    def expire_taps(self) -> None:
        """Make every tap too old to be answered."""
        self.world.taps.clear()

    async def settled(self, timeout: float = 10) -> None:  # noqa: ASYNC109 - a test says how patient it is
        """Wait until the bot acknowledged every update queued so far; `timeout` in seconds."""
        queued = set(self.world.mailbox.pending)
        if not await self.world.changes.until(
            lambda: not queued & self.world.mailbox.pending.keys(),
            timeout,
        ):
            raise TimeoutError(f"updates were not acknowledged in {timeout} s\n{self._dump()}")

    async def wait_for(
        self,
        predicate: Callable[[], object],
        timeout: float = 10,  # noqa: ASYNC109 - a test says how patient it is
    ) -> None:
        """Wait until `predicate()` is true; it is asked after each change in the world."""
        if not await self.world.changes.until(predicate, timeout):
            raise TimeoutError(f"the condition did not come true in {timeout} s\n{self._dump()}")

    def _dump(self) -> str:
        """Say what waits, what was refused lately, and what the busy screens show."""
        mailbox = self.world.mailbox
        lines = [f"waiting: {update.body}" for update in mailbox.pending.values()]
        if mailbox.last_error:
            lines.append(f"webhook: {mailbox.last_error[1]}")
        lines += [f"refused: {e.method} {e.error}" for e in self.ledger.refused()[-5:]]
        waiting = {update.chat_id for update in mailbox.pending.values()}
        for person in self.people.values():
            if person.id in waiting:
                lines += [f"{person.name}'s screen:", person.screen()]
        return "\n".join(lines) or "nothing waits"
