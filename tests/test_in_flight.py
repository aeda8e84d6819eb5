"""What is in flight: as many letters as the pace needs, and none held up by another's answer."""

import asyncio

import pytest

from bot.delivery import FEWEST, MOST, in_flight_at, worth_a_transaction
from storage.tables import Fate, Lane
from tests.post_office import Messenger, at_work, open_post_office
from tests.proving_ground import eventually


@pytest.fixture
async def post(storage):
    async with open_post_office(storage) as post:
        yield post


@pytest.fixture
async def amal(post):
    return await post.member("70", language="fr")


@pytest.mark.parametrize(("pace", "expected"), [(1, 4), (28, 9), (30, 9), (1000, 300), (9000, 300)])
def test_as_many_are_in_flight_as_the_pace_needs(pace, expected):
    assert in_flight_at(pace) == expected
    assert FEWEST <= expected <= MOST


@pytest.mark.parametrize(("in_flight", "expected"), [(4, 1), (9, 1), (30, 6), (300, 74)])
def test_the_more_are_in_flight_the_more_share_a_transaction(in_flight, expected):
    assert worth_a_transaction(in_flight) == expected


async def test_a_slow_answer_holds_up_nobody_else(post, amal):
    post.messenger.hold = asyncio.Event()
    await post.post("slow", amal, lane=Lane.BULK)
    async with at_work(post):
        await post.messenger.heard_of(1)
        await post.post("urgent", amal)
        post.delivery.wake()
        await post.messenger.heard_of(2)
        post.messenger.hold.set()
    assert await post.rows("state") == [("slow", Fate.SENT), ("urgent", Fate.SENT)]


class DeafToSome(Messenger):
    """Answers what is said to the address "slow" only at the end."""

    def __init__(self):
        super().__init__()
        self.end = asyncio.Event()

    async def send(self, letter, address, **how):
        outcome = await super().send(letter, address, **how)
        if address == "slow":
            await self.end.wait()
        return outcome


async def test_many_slow_answers_hold_up_neither_the_others_nor_what_becomes_of_them(storage):
    messenger = DeafToSome()
    async with open_post_office(storage, messenger, in_flight=100) as post:
        slow, quick = await post.member("slow"), await post.member("70")
        for number in range(95):
            await post.post(f"slow {number}", slow)
        for number in range(12):
            await post.post(f"{number}", quick, lane=Lane.BULK)

        async def quick_ones_sent():
            rows = await post.rows("state")
            return [state for key, state in rows if key.isdecimal()] == [Fate.SENT] * 12

        async with at_work(post):
            # Room for five at a time, and five answers, are fewer than a transaction is worth.
            await eventually(quick_ones_sent)
            messenger.end.set()
    assert {state for _, state in await post.rows("state")} == {Fate.SENT}


async def test_no_more_are_in_flight_than_there_is_room_for(post, amal):
    post.messenger.hold = asyncio.Event()
    for number in range(20):
        await post.post(f"{number}", amal)
    async with at_work(post):
        await post.messenger.heard_of(8)
        assert len(post.messenger.heard) == 8
        started = [row for row in await post.rows("state") if row[1] == Fate.STARTED]
        assert len(started) == 8
        post.messenger.hold.set()
        await post.messenger.heard_of(20)
    assert {state for _, state in await post.rows("state")} == {Fate.SENT}


async def test_being_stopped_finishes_what_is_under_way_and_starts_nothing(post, amal):
    post.messenger.hold = asyncio.Event()
    for number in range(12):
        await post.post(f"{number}", amal)
    async with at_work(post) as running:
        await post.messenger.heard_of(8)
        running.cancel()
        post.messenger.hold.set()
    states = [state for _, state in await post.rows("state")]
    assert states == [Fate.SENT] * 8 + [Fate.QUEUED] * 4
    assert running.cancelled()
