"""One bot in many processes of `jisr`, on PostgreSQL: replicas that listen, engines of which one works."""

import asyncio
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from bot.delivery import in_flight_at
from bot.simulator import Simulator
from storage.database import open_storage
from storage.tables import Fate
from tests.processes import process
from tests.proving_ground import all_settled, compare, eventually, post_letters
from tests.until import until

PACE, LETTERS = 28, 150
WAITS = "another engine is at work"


def now():
    return datetime.now(UTC)


async def test_when_the_engine_at_work_dies_another_goes_on_where_it_was(postgres_url, tmp_path):
    async with (
        several(tmp_path, postgres_url, "--engine") as (sim, engines),
        open_storage(postgres_url) as storage,
    ):
        for one in engines:
            await one.start()
        await until(lambda: any(WAITS in one.log for one in engines), 60)
        await post_letters(storage, sim, LETTERS, now())
        heard = LETTERS // 3
        await sim.wait_for(lambda: len(sim.ledger.accepted("sendMessage")) >= heard, 60)
        (at_work,) = (one for one in engines if WAITS not in one.log)
        (successor,) = (one for one in engines if WAITS in one.log)
        await at_work.kill()
        await eventually(lambda: all_settled(storage))
        assert await successor.stop() == 0
        books = await compare(storage, sim)
    assert books.differences == []
    assert books.states == {Fate.SENT: LETTERS}
    assert books.sum_of("doubts") <= in_flight_at(PACE)


async def test_when_a_replica_dies_the_others_take_what_people_say(postgres_url, tmp_path):
    async with several(tmp_path, postgres_url, "--listen") as (sim, replicas):
        for one in replicas:
            await one.start()
        await until(lambda: all("the webhook is set" in one.log for one in replicas), 60)
        early = [sim.person(f"Amal {n}", language_code="en") for n in range(8)]
        for one in early:
            one.says("/start")
        await sim.settled(timeout=60)
        await replicas[0].kill()
        late = [sim.person(f"Emma {n}", language_code="en") for n in range(8)]
        for one in [*early, *late]:
            one.says("/start")
        await sim.settled(timeout=60)
        assert await replicas[1].stop() == 0
    greeting = (
        "Welcome! Which language shall we speak?\nBienvenue\xa0! En quelle langue nous parlons-nous"
        "\xa0?\nمرحبا! بأي لغة نتحدث؟"
    )
    for people, times in ((early, 2), (late, 1)):
        said = [[m.text for m in one.chat.messages if m.outgoing] for one in people]
        assert said == [[greeting] * times] * len(people)


@asynccontextmanager
async def several(folder, database_url, role):
    """Two processes of one role that serve one bot, behind one address; they are not started yet."""
    sim = Simulator(now=now, patience=0.02)
    async with sim.serve() as url, AsyncExitStack() as on:
        ports = [free_port() for _ in range(2)]
        entrance = await on.enter_async_context(balancer(ports))
        processes = []
        for port in ports:
            place = folder / f"{port}"
            place.mkdir()
            settings = {
                "database_url": database_url,
                "telegram_token": sim.token,
                "telegram_api_url": url,
                "pace": f"{PACE}",
                "host": "127.0.0.1",
                "port": f"{port}",
                "public_url": f"http://127.0.0.1:{entrance}",
                "webhook_secret": "many",
            }
            processes.append(await on.enter_async_context(process(place, "run", role, **settings)))
        yield sim, processes


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as door:
        return door.getsockname()[1]


@asynccontextmanager
async def balancer(ports):
    """Lead each connection to the next of these ports that is served; yields its own."""
    turn = 0

    async def lead(reader, writer):
        nonlocal turn
        turn += 1
        for port in (ports[turn % 2], ports[(turn + 1) % 2]):
            try:
                there, back = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
            await asyncio.gather(pass_on(reader, back), pass_on(there, writer))
            return
        writer.close()

    async def pass_on(reader, writer):
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # whoever was killed hangs up
        finally:
            writer.close()

    server = await asyncio.start_server(lead, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
