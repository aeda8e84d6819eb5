"""What Prometheus reads: the database's own numbers, and what passed through this process."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from bot import server
from bot.channels import Lost, Wait
from bot.metrics import LATENESS, Metrics
from bot.server import metrics, serving
from bot.settings import read_settings
from storage import health, leases, members, outbox
from storage.conversations import conversation_key
from storage.tables import Conversation, Fate, Lane, Outbox
from tests.post_office import open_post_office
from tests.town import EVE

OUTCOMES = "jisr_letter_outcomes_total"
STATES = [(lane, fate) for lane in Lane for fate in Fate]


def read(exposition):
    """The samples of an exposition: by name, and by their labels in the order of their names."""
    samples = {}
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            samples[sample.name, *labels] = sample.value
    return samples


@asynccontextmanager
async def scraped(app):
    """A way to read what `/metrics` of this app says: its status, and its text."""
    settings = read_settings(host="127.0.0.1", port=0)
    routes = [metrics(app.metrics, app.storage, app.office, app.clock)]
    async with serving(routes, settings) as port, aiohttp.ClientSession() as http:

        async def scrape():
            async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
                return answer.status, await answer.text()

        yield scrape


@pytest.fixture(autouse=True)
def every_count_is_fresh(monkeypatch):
    monkeypatch.setattr(server, "_FRESH", -1.0)


async def test_the_outbox_is_counted_by_lane_and_state(storage):
    async with storage.begin() as db:
        amal = await members.meet(db, "telegram", "7", EVE)
        for number, (lane, fate) in enumerate(STATES):
            for copy in range(number + 1):
                due = EVE - timedelta(seconds=number * 100 + copy)
                key = f"{lane}:{fate}:{copy}"
                outbox.post(
                    db, key=key, member_id=amal.id, kind="note", about={}, due=due, lane=lane
                )
                await db.flush()
                await db.execute(update(Outbox).where(Outbox.key == key).values(state=fate))
    async with storage.read() as db:
        census = await health.count(db, "engine")
    assert census.engine_until is None
    assert census.rows == {key: number + 1 for number, key in enumerate(STATES)}
    assert census.of(Fate.SENT) == 3 + 9 + 15
    # The last of the queued ones of each lane, at their places in the line.
    assert census.oldest_due == {lane: EVE - timedelta(seconds=6 * lane * 101) for lane in Lane}


async def test_an_empty_outbox_has_an_engine_all_the_same(storage):
    async with storage.begin() as db:
        assert await leases.hold(db, "engine", "somebody", EVE)
    async with storage.read() as db:
        census = await health.count(db, "engine")
    assert census == health.Census(EVE + leases.LEASE, {}, {})
    told = read(Metrics().exposition(census, EVE, held=False).decode())
    assert (told["jisr_engine_at_work",], told["jisr_engine_lease_held",]) == (1, 0)
    told = read(Metrics().exposition(census, EVE + leases.LEASE, held=False).decode())
    assert told["jisr_engine_at_work",] == 0
    # What has never happened is told too.
    assert told["jisr_letters", "personal", "unknown"] == 0
    assert told["jisr_letter_outcomes_total", "bulk", "lost"] == 0
    assert told["jisr_updates_total", "parked"] == 0


async def test_a_letter_is_as_late_as_its_answer_came_and_only_if_it_was_accepted(storage):
    async with open_post_office(storage) as post:
        amal = await post.member("7")
        await post.post("one", amal, lane=Lane.BULK)
        post.messenger.answers = [Wait(45), Lost("reset")]
        await post.delivery.deliver()
        for seconds in (46, 1):
            await post.passes(seconds=seconds)
            await post.delivery.deliver()
        counted = post.delivery._metrics
        census = health.Census(None, {}, {})
        told = read(counted.exposition(census, post.clock.now(), held=True).decode())
    assert told["jisr_engine_lease_held",] == 1
    outcomes = {key[2]: n for key, n in told.items() if key[:2] == (OUTCOMES, "bulk") and n}
    assert outcomes == {"wait": 1, "lost": 1, "sent": 1}
    # 47 seconds: no bucket up to 30 has it, and every one from 60 on.
    buckets = {
        float(key[2]): number
        for key, number in told.items()
        if key[0] == "jisr_letter_lateness_seconds_bucket" and key[1] == "bulk"
    }
    assert buckets == {most: float(most >= 47) for most in (*LATENESS, float("inf"))}
    assert told["jisr_letter_lateness_seconds_sum", "bulk"] == 47


async def test_updates_are_counted_as_taken_parked_or_turned_away(town):
    amal, bilal = await town.member("Amal", "en"), await town.member("Bilal", "en")
    async with scraped(town.app) as scrape:
        await amal.says("/help")
        known = amal.person.says("/help")
        await town.sim.settled()
        town.sim.redeliver(known)
        await town.sim.settled()
        key = conversation_key("telegram", str(amal.person.id))
        async with town.app.storage.begin() as db:
            await db.merge(Conversation(key=key, state="Asking:open", data={}))
        await amal.says("hello")
        town.app.flood._most = 2
        for _ in range(5):
            bilal.person.says("hello")
        await town.sim.settled()
        status, text = await scrape()
    assert status == 200
    told = read(text)
    # Taken: two words of help, one of them once more, the one that was parked, two of Bilal's.
    updates = {key[1]: n for key, n in told.items() if key[0] == "jisr_updates_total"}
    assert updates == {"taken": 6, "parked": 1, "flooded": 3}
    assert told["jisr_update_seconds_count",] == 6
    assert told["jisr_update_seconds_sum",] > 0
    assert told["jisr_engine_lease_held",] == 1
    for private in ("Amal", "Bilal", str(amal.person.id), str(bilal.person.id)):
        assert private not in text


async def test_while_the_database_is_away_one_line_says_so(town, monkeypatch):
    async with scraped(town.app) as scrape:
        assert (await scrape())[0] == 200

        async def away(*_):
            raise ConnectionRefusedError

        with monkeypatch.context() as patched:
            patched.setattr(health, "count", away)
            told = "The database does not answer (ConnectionRefusedError).\n"
            assert await scrape() == (503, told)
        assert (await scrape())[0] == 200


async def test_who_asks_often_asks_nothing_of_the_database(town, monkeypatch):
    monkeypatch.setattr(server, "_FRESH", 3600.0)
    count, asked = health.count, []

    async def counted(*given):
        asked.append(1)
        return await count(*given)

    monkeypatch.setattr(health, "count", counted)
    async with scraped(town.app) as scrape:
        answers = await asyncio.gather(*(scrape() for _ in range(20)))
    assert {status for status, _ in answers} == {200}
    assert len(asked) == 1
