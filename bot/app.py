"""The wiring, on one screen: what is opened, in the order it is needed, and what runs on it."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from aiogram import Bot

from bot import late_answers
from bot.board import board
from bot.bulk import TelegramBulk, open_bulk
from bot.clock import Clock, Metronome
from bot.delivery import Delivery, in_flight_at
from bot.door import Door
from bot.drawing import Drawings
from bot.engine import Office
from bot.flood import Flood
from bot.intake import CHANNEL, Intake
from bot.introducing import Introduction, introduce, learn_who_we_are
from bot.menus import StaffMenus
from bot.metrics import Metrics
from bot.openings import openings_of
from bot.openings import route as opened
from bot.pace import Pacer
from bot.polling import Poller
from bot.sending import Sender
from bot.server import healthz, metrics, serving
from bot.settings import Settings, terms_of
from bot.telegram import (
    get_updates,
    open_bot,
    speak,
)
from bot.uploads import Uploads, fetch_from_telegram
from bot.webhook import Webhook, hook, unhook
from handlers import guide, notices
from handlers.conversations import kinds
from handlers.links import Links
from handlers.places import zone_of
from handlers.words import Catalogs, read_catalogs
from storage import (
    edits,
    forgetting,
    meeting_times,
    members,
    networking,
    outbox,
    plans,
    posted_cards,
    ratings,
    reminders,
    retention,
    uploads,
    waitlist,
)
from storage.database import Storage, open_storage
from storage.migrations import migrate
from storage.terms import Terms

# Seconds between two looks at what has come due, at cards that were shared, and rounds of tidying.
TICK, CARDS, TIDY = 1.0, 5.0, 60.0
# Between two looks at who was forgotten, and at what has been kept long enough.
WIPE, RETENTION = 15.0, 3600.0
# Nobody takes an edit back after that.
EDITS_KEPT = timedelta(hours=48)


@dataclass(slots=True)
class App:
    """Everything that is open. Made by `open_app`; its parts run by `listen` and `engine`."""

    settings: Settings
    storage: Storage
    clock: Clock
    pacer: Pacer
    catalogs: Catalogs
    bot: Bot
    bulk: TelegramBulk
    office: Office
    intake: Intake
    delivery: Delivery
    flood: Flood
    metrics: Metrics
    links: Links
    terms: Terms
    menus: StaffMenus
    uploads: Uploads
    sender: Sender
    drawings: Drawings
    on_engine: Callable[[], None] = field(default=lambda: None)

    async def listen(self) -> None:
        """Take what people say, by long polling, until cancelled."""
        await learn_who_we_are(self.bot, self.links)
        door = Door(self.intake, self.flood, self.metrics)
        await Poller(partial(get_updates, self.bot), door, partial(unhook, self.bot)).run()

    async def engine(self) -> None:
        """Tick and deliver whenever the office is ours, until cancelled."""
        async with self.office.until_left():
            while True:
                await self.office.won()
                async with asyncio.TaskGroup() as working:
                    jobs = [working.create_task(self.delivery.run())]
                    jobs.append(working.create_task(self._beat()))
                    self.on_engine()
                    await self.office.kept()
                    for job in jobs:
                        job.cancel()

    async def tick(self) -> None:
        """Post what has come due: harmless, should another engine do the same just now."""
        async with self.storage.begin() as db:
            now = self.clock.now()
            posted = await plans.tell(db, now)
            posted += await reminders.post_due(db, now, self.pacer.rate)
        # Apart, for it locks events before sessions and must hold no lock when it begins.
        async with self.storage.begin() as db:
            posted += await waitlist.tend(db, now)
            posted += await ratings.post_due(db, now)
            posted += await networking.tend(db, now, self.pacer.rate)
        if posted:
            self.delivery.wake()

    async def tend_cards(self) -> None:
        """Let the cards that were shared tell how many seats are free now."""
        async with self.storage.begin() as db:
            posted = await posted_cards.tend(db, self.clock.now())
        if posted:
            self.delivery.wake()

    async def tend_introductions(self) -> None:
        """Draw rounds of introductions, and see to those that stand."""
        if await self.drawings.tend():
            self.delivery.wake()

    async def read_uploads(self) -> None:
        """Read the files that staff sent; their previews are letters."""
        if await self.uploads.read():
            self.delivery.wake()

    async def tidy(self) -> None:
        """Void what has expired, drop old edits and files, see to the menus."""
        if self.links.asked:  # and not answered: the server was away when we started
            await learn_who_we_are(self.bot, self.links)
        now = self.clock.now()
        async with self.storage.begin() as db:
            await outbox.void_expired(db, now)
            await posted_cards.forget_over(db, now)
            await edits.forget(db, now - EDITS_KEPT)
            await uploads.forget(db, now)
            await meeting_times.forget_past(db, now)
        await self.menus.look()

    async def wipe(self) -> None:
        """Make the database's file anew after somebody was forgotten."""
        async with self.storage.read() as db:
            forgotten = await forgetting.unwiped(db)
        if forgotten and await self.storage.make_anew():
            async with self.storage.begin() as db:
                await forgetting.wiped(db, forgotten, self.clock.now())

    async def keep_to_the_terms(self) -> None:
        """Let go of what has been kept for as long as the notice says, in short transactions."""
        for step in retention.steps():
            again = True
            while again:
                async with self.storage.begin() as db:
                    again = await step(db, self.terms.retention, self.clock.now())

    async def introduce(self) -> None:
        """Tell Telegram our name, descriptions and commands, in each language."""
        await learn_who_we_are(self.bot, self.links)
        default = self.catalogs[self.settings.default_language]
        await introduce(
            self.bot,
            [
                Introduction(
                    language,
                    guide.name(words),
                    guide.description(words),
                    guide.about(words),
                    list(guide.commands(words)),
                )
                for language, words in [(None, default), *self.catalogs.items()]
            ],
        )

    async def _beat(self) -> None:
        metronome = Metronome()
        metronome.every(TICK, self.tick)
        metronome.every(TICK, self.sender.tend)
        metronome.every(TICK, self.read_uploads)
        metronome.every(CARDS, self.tend_cards)
        metronome.every(TIDY, self.sender.welcome)
        metronome.every(CARDS, self.tend_introductions)
        metronome.every(TIDY, self.tidy)
        metronome.every(WIPE, self.wipe)
        metronome.every(RETENTION, self.keep_to_the_terms)
        async with metronome.beating():
            await asyncio.Event().wait()


@asynccontextmanager
async def open_app(
    settings: Settings, clock: Clock, *, pacer: Pacer | None = None, flood: Flood | None = None
) -> AsyncIterator[App]:
    """Open the database, the messenger and what stands on them; leaving closes in reverse.

    `pacer` and `flood` are for rehearsals, which wait for nobody. Raises SettingsError without a
    token.
    """
    async with AsyncExitStack() as on:
        storage = await on.enter_async_context(open_storage(settings.database_url))
        await migrate(storage)
        async with storage.begin() as db:
            await members.guess_zones(db, zone_of)
        pacer = pacer or Pacer(settings.pace)
        bot = await on.enter_async_context(open_bot(settings, pacer))
        bulk = await on.enter_async_context(open_bulk(settings, pacer))
        catalogs, office, counted, links = read_catalogs(), Office(storage), Metrics(), Links()
        language = settings.default_language
        terms = notices.dated(terms_of(settings), catalogs)
        delivery = Delivery(
            storage,
            {CHANNEL: bulk},
            {**kinds(), **late_answers.kinds()},
            catalogs,
            clock,
            office=office,
            default_language=language,
            in_flight=in_flight_at(pacer.rate),
            metrics=counted,
            links=links,
        )
        yield App(
            settings,
            storage,
            clock,
            pacer,
            catalogs,
            bot,
            bulk,
            office,
            Intake(
                storage,
                bot,
                catalogs,
                clock,
                partial(speak, bot),
                default_language=language,
                metrics=counted,
                links=links,
                terms=terms,
                approval_above=settings.approval_above,
            ),
            delivery,
            flood or Flood(),
            counted,
            links,
            terms,
            StaffMenus(storage, bot, catalogs, CHANNEL, language),
            Uploads(storage, partial(fetch_from_telegram, bot), clock, settings.timezone),
            Sender(storage, clock, pacer.rate, settings.timezone, delivery.wake),
            Drawings(storage, clock),
        )


def let_be() -> None:
    """Have the garbage collector pass over all that is there by now, for it stays until the end.

    It would walk through it again and again, half a million objects, most of them aiogram's, when
    a batch of letters makes a few thousand: that was half of a letter's processor time.
    """
    gc.freeze()
    # Objects made and not gone, at which it looks at the youngest; Python's own 700 are one batch.
    gc.set_threshold(10_000)


async def serve(settings: Settings, clock: Clock, *, listen: bool, engine: bool) -> None:
    """Run the chosen roles until cancelled. Raises BadToken, SecondEngine or SettingsError."""
    async with AsyncExitStack() as on:
        app = await on.enter_async_context(open_app(settings, clock))
        let_be()
        routes = [
            healthz(app.storage, clock),
            metrics(app.metrics, app.storage, app.office, clock),
            *board(app.storage, app.catalogs, clock),
        ]
        app.links.pages = settings.public_url or ""
        if (known := openings_of(settings)) is not None:
            app.links.counted = known.link
            routes.append(opened(known, app.storage, clock, app.catalogs))
        secret = settings.webhook_secret
        by_webhook = listen and settings.public_url is not None and secret is not None
        if by_webhook and secret is not None:
            door = Door(app.intake, app.flood, app.metrics)
            # What is in hand when the server stops has had its time.
            on.push_async_callback(door.close, 0)
            routes += Webhook(door, secret.get_secret_value()).routes()
        if by_webhook or settings.port is not None:
            await on.enter_async_context(serving(routes, settings))
        running = await on.enter_async_context(asyncio.TaskGroup())
        running.create_task(app.introduce())
        if by_webhook:
            running.create_task(hook(app.bot, settings))
        elif listen:
            running.create_task(app.listen())
        if engine:
            running.create_task(app.engine())
        # Until cancelled, also when Telegram has nothing left to be told.
        running.create_task(asyncio.Event().wait())
