"""The rehearsal: a real programme, people with phones, the bot at work, and time in one's hands.

Nothing here is a stand-in: the programme is imported by `jisr import`'s code, the bot is the one of
`jisr run`, and it talks to the simulator over HTTP. Only the clock is simulated.
"""

import asyncio
import shutil
import tempfile
import webbrowser
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib.resources import as_file, files
from pathlib import Path

from rich.console import Console
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.agenda_files import read_agenda
from bot.app import App, open_app
from bot.board import board
from bot.clock import SimulatedClock
from bot.demo_cast import NEWCOMERS, PHONES, Actor, cast
from bot.flood import Flood
from bot.intake import CHANNEL
from bot.pace import Pacer
from bot.server import serving
from bot.settings import read_settings
from bot.simulator import Simulator
from bot.simulator.people import Person
from storage import agendas, meeting_profiles, members, outbox, purposes, reminders, rsvps
from storage.tables import Direction, Member, Purpose, Role, Session, Topic

# The eve of the workshop, early enough for the reminders of 24 hours before.
EVE = datetime(2018, 7, 3, 7, 30, tzinfo=UTC)
# Who the rehearsal pretends to be.
CONTROLLER = "Jisr, rehearsal of a consulate"
CONTACT = "privacy@example.org"
REGISTRATION = "CNDP D-000/2018"
# Seconds between two looks at whether the letters that are due have left.
GLANCE = 0.05


class Rehearsal:
    """Time in one's hands: what the page's buttons do."""

    def __init__(self, app: App, clock: SimulatedClock) -> None:
        self._app, self._clock = app, clock

    def now(self) -> datetime:
        """The simulated instant."""
        return self._clock.now()

    @property
    def speed(self) -> float:
        """Simulated seconds in a real one."""
        return self._clock.speed

    def set_speed(self, factor: float) -> None:
        """Choose how many simulated seconds pass in a real one."""
        self._clock.set_speed(factor)

    async def advance(self, seconds: float) -> None:
        """Let time pass, stopping at each reminder on the way, so that each is told in time."""
        end = self._clock.now() + timedelta(seconds=seconds)
        while (moment := await self._next()) is not None and moment <= end:
            await self._be(moment)
        await self._be(end)

    async def to_next_reminder(self) -> str | None:
        """Go to the moment at which the next reminder leaves; say why not if there is none."""
        moment = await self._next()
        if moment is None:
            return "No reminder is due: nobody holds a seat in a session to come."
        await self._be(moment)
        return None

    async def _next(self) -> datetime | None:
        async with self._app.storage.read() as db:
            return await reminders.next_moment(db, self._clock.now())

    async def _be(self, moment: datetime) -> None:
        self._clock.jump(max(moment, self._clock.now()))
        await self._app.tick()
        await self._app.tend_cards()
        # What is due now is told now: an hour passes on the page only once its reminders have.
        while await self._waiting():  # noqa: ASYNC110 - the database alone knows what is due
            await asyncio.sleep(GLANCE)

    async def _waiting(self) -> bool:
        async with self._app.storage.read() as db:
            return await outbox.anything_due(db, self._clock.now())


@asynccontextmanager
async def stage(port: int, database_url: str) -> AsyncIterator[tuple[str, Simulator, App]]:
    """Everything, running: the page's address, the simulator and the bot."""
    clock = SimulatedClock(EVE)
    sim = Simulator(now=clock.now)
    people = {actor: _person(sim, actor) for actor in (*PHONES, *cast(), *NEWCOMERS)}
    async with sim.serve(port) as url:
        settings = read_settings(
            database_url=database_url,
            telegram_token=sim.token,
            telegram_api_url=url,
            host="127.0.0.1",
            port=0,
            controller=CONTROLLER,
            contact=CONTACT,
            registration=REGISTRATION,
        )
        # Phones of one's own may be answered at once: there is nobody to be polite to.
        async with (
            open_app(
                settings, clock, pacer=Pacer(rate=500, per_chat=0.05), flood=Flood(most=1_000)
            ) as app,
            AsyncExitStack() as on,
            asyncio.TaskGroup() as running,
        ):
            pages = board(app.storage, app.catalogs, clock)
            door = await on.enter_async_context(serving(pages, settings))
            app.links.pages = f"http://127.0.0.1:{door}"
            await _prepare(app, people)
            sim.theatre = Rehearsal(app, clock)
            sim.phones = [people[actor] for actor in PHONES]
            jobs = [
                running.create_task(job) for job in (app.introduce(), app.listen(), app.engine())
            ]
            for actor in PHONES:
                # Staff are greeted with what they alone can do.
                people[actor].says("/start" if actor.staff else "/agenda")
            await sim.settled()
            yield url, sim, app
            for job in jobs:
                job.cancel()


async def rehearse(*, port: int, database_url: str, open_browser: bool, console: Console) -> None:
    """Serve the rehearsal until interrupted."""
    folder = None if database_url else tempfile.mkdtemp(prefix="jisr-demo-")
    url = database_url or f"sqlite+aiosqlite:///{Path(folder or '') / 'jisr.db'}"
    try:
        async with stage(port, url) as (page, _sim, _app):
            console.print(f"[bold]Jisr[/bold] is on stage: {page}", highlight=False)
            console.print("Three phones, a real programme, the eve of the event. Ctrl+C ends it.")
            console.file.flush()
            if open_browser:
                await asyncio.to_thread(_show, page)
            await asyncio.Event().wait()
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _show(page: str) -> None:
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return  # the address is on the screen
    # A browser of this exact kind would take over the terminal.
    if type(browser) is not webbrowser.GenericBrowser:
        browser.open(page)


async def _prepare(app: App, people: dict[Actor, Person]) -> None:
    """Import the programme and let the cast take their seats, unless that was done before."""
    async with app.storage.begin() as db:
        with as_file(files("bot") / "programmes" / "rabat-2018.yaml") as path:
            agenda = read_agenda(path)
        await agendas.apply(db, agenda, app.clock.now())
        if await members.count_registered(db):
            return
        sessions = {s.slug: s.id for s in await db.scalars(select(Session))}
        for actor in (*PHONES, *cast()):
            member = await _register(app, db, actor, people[actor])
            for slug in actor.seats:
                await rsvps.request_seat(db, member, sessions[slug], app.clock.now())
            if actor.offers and actor.seeks:
                await _meet_people(app, db, member, actor.offers, actor.seeks)


async def _register(app: App, db: AsyncSession, actor: Actor, person: Person) -> Member:
    now, notice = app.clock.now(), app.terms.version
    member = await members.meet(db, CHANNEL, str(person.id), now)
    member.language = actor.language
    member.role = Role.ADMIN if actor.staff else Role.MEMBER
    await members.register(db, member, actor.profile, now, zone=actor.zone)
    await purposes.agree(db, member, Purpose, now, version=notice, channel=CHANNEL)
    return member


async def _meet_people(
    app: App, db: AsyncSession, member: Member, offers: Topic, seeks: Topic
) -> None:
    now = app.clock.now()
    await meeting_profiles.begin(db, member, now)
    wishes = await meeting_profiles.wishes_of(db, member)
    if wishes is not None:
        await meeting_profiles.toggle_topic(db, wishes, Direction.OFFERS, offers, now)
        await meeting_profiles.toggle_topic(db, wishes, Direction.SEEKS, seeks, now)
        if "fr" not in wishes.languages:
            await meeting_profiles.toggle_language(db, wishes, "fr", now)


def _person(sim: Simulator, actor: Actor) -> Person:
    first, _, last = actor.profile.name.partition(" ")
    return sim.person(
        first,
        last_name=last or None,
        language_code=actor.language,
        zone=actor.zone,
        started=actor not in NEWCOMERS,
    )
