"""A word goes out: every outcome, every reason not to send, and what survives trouble."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.channels import Gone, Later, Lost, Moved, Refused, Wait
from storage import leases, members
from storage.tables import Address, Fate
from tests.post_office import NOON, Messenger, at_work, open_post_office
from tests.proving_ground import eventually

SOON = timedelta(seconds=1)


@pytest.fixture
async def post(storage):
    async with open_post_office(storage) as post:
        yield post


@pytest.fixture
async def amal(post):
    return await post.member("70", language="fr")


# --- every outcome --------------------------------------------------------------------------


async def test_a_letter_is_written_in_its_readers_language_and_sent_once(post, amal):
    await post.post("hello", amal)
    assert [await post.delivery.deliver(), await post.delivery.deliver()] == [1, 0]
    assert post.messenger.heard == [("70", "fr: hello")]
    assert await post.rows("state", "sent_text", "provider_id", "settled_at", "attempts") == [
        ("hello", Fate.SENT, "fr: hello", "1", NOON, 0)
    ]


@pytest.mark.parametrize(
    ("kind", "outcome", "state", "reason", "attempts", "doubts"),
    [
        ("note", Wait(30), Fate.QUEUED, None, 0, 0),
        ("note", Later("server error 502"), Fate.QUEUED, "server error 502", 1, 0),
        ("note", Gone("blocked"), Fate.FAILED, "blocked", 0, 0),
        ("note", Moved("71"), Fate.QUEUED, "moved", 1, 0),
        ("note", Refused("can't parse entities"), Fate.FAILED, "can't parse entities", 0, 0),
        ("note", Lost("reset"), Fate.QUEUED, "reset", 0, 1),
        ("invoice", Lost("reset"), Fate.UNKNOWN, "reset", 0, 1),
        ("invoice", ZeroDivisionError(), Fate.UNKNOWN, "channel failed", 0, 1),
    ],
)
async def test_what_the_messenger_says_decides(  # noqa: PLR0917  # a table of what is given and what follows
    post, amal, kind, outcome, state, reason, attempts, doubts
):
    await post.post("hello", amal, kind=kind)
    post.messenger.answers = [outcome]
    await post.delivery.deliver()
    assert await post.rows("state", "reason", "attempts", "doubts") == [
        ("hello", state, reason, attempts, doubts)
    ]
    assert len(post.messenger.heard) == 1


async def test_after_a_429_nothing_starts_before_its_time_however_many_there_are(post, amal):
    for number in range(12):
        await post.post(f"{number}", amal)
    post.messenger.answers = [Wait(30), Wait(3), *[Wait(1)] * 6]
    assert await post.delivery.deliver() == 8
    await post.passes(seconds=29)
    assert await post.delivery.deliver() == 0
    await post.passes(seconds=2)
    assert [await post.delivery.deliver() for _ in range(3)] == [8, 4, 0]
    # In their old order, and no attempt was spent.
    assert post.messenger.heard[8:] == [("70", f"fr: {number}") for number in range(12)]
    assert {row[1:] for row in await post.rows("state", "attempts")} == {(Fate.SENT, 0)}


async def test_whoever_blocked_us_gets_nothing_more_until_they_write_again(post, amal):
    await post.post("one", amal)
    post.messenger.answers = [Gone("blocked")]
    await post.delivery.deliver()
    await post.post("two", amal)
    assert await post.delivery.deliver() == 1
    assert post.messenger.heard == [("70", "fr: one")]
    async with post.storage.begin() as db:
        address = await members.address_on(db, "telegram", "70")
        assert address is not None
        assert address.unreachable_at == NOON
        address.unreachable_at = None  # what intake does when they write
    await post.post("three", amal)
    await post.delivery.deliver()
    assert post.messenger.heard[1:] == [("70", "fr: three")]
    assert await post.rows("state", "reason") == [
        ("one", Fate.FAILED, "blocked"),
        ("two", Fate.FAILED, "unreachable"),
        ("three", Fate.SENT, None),
    ]


async def test_a_chat_that_moved_hears_it_once_at_its_new_address(post, amal):
    await post.post("hello", amal)
    post.messenger.answers = [Moved("-1007")]
    assert [await post.delivery.deliver() for _ in range(3)] == [1, 1, 0]
    assert post.messenger.heard == [("70", "fr: hello"), ("-1007", "fr: hello")]
    assert await post.rows("state", "address") == [("hello", Fate.SENT, "-1007")]


async def test_a_chat_that_moved_to_an_address_known_already_is_not_asked_again(post):
    amal = await post.member("70", "71")
    await post.post("hello", amal)
    post.messenger.answers = [Moved("71")]
    assert [await post.delivery.deliver() for _ in range(3)] == [1, 1, 0]
    assert [address for address, _ in post.messenger.heard] == ["70", "71"]
    async with post.storage.read() as db:
        dead = select(Address.address).where(Address.unreachable_at.is_not(None))
        assert list(await db.scalars(dead)) == ["70"]


async def test_chats_that_move_in_a_circle_are_given_up(post, amal):
    await post.post("hello", amal)
    post.messenger.answers = [Moved("71"), Moved("70")] * 50
    while await post.delivery.deliver():
        pass
    assert await post.rows("state", "reason") == [("hello", Fate.FAILED, "moved")]
    assert len(post.messenger.heard) == 12


# --- never sent -----------------------------------------------------------------------------


async def test_what_is_no_longer_true_expired_or_unknown_is_never_sent(post, amal):
    await post.post("overtaken", amal, says=None)
    await post.post("expired", amal, expires=NOON)
    await post.post("fault", amal)
    await post.post("of a kind from tomorrow", amal, kind="hologram")
    await post.post("far away", await post.member("+2126", channel="whatsapp"))
    await post.post("hello", amal)
    assert await post.delivery.deliver() == 6
    assert post.messenger.heard == [("70", "fr: hello")]
    assert await post.rows("state", "reason", "attempts") == [
        ("overtaken", Fate.VOID, "overtaken by events", 0),
        ("expired", Fate.VOID, "expired", 0),
        ("fault", Fate.FAILED, "can't be written", 0),
        ("of a kind from tomorrow", Fate.FAILED, "unknown kind", 0),
        ("far away", Fate.FAILED, "unreachable", 0),
        ("hello", Fate.SENT, None, 0),
    ]


async def test_a_member_of_no_language_yet_reads_the_default_one(post):
    await post.post("hello", await post.member("70", language="tlh"))
    await post.delivery.deliver()
    assert post.messenger.heard == [("70", "en: hello")]


# --- fencing --------------------------------------------------------------------------------


async def succeeded(post):
    """Another engine takes the office over."""
    async with post.storage.begin() as db:
        now = post.office._clock.now() + leases.LEASE * 2
        assert await leases.hold(db, "engine", "successor", now)


async def test_an_engine_that_lost_the_office_takes_nothing(post, amal):
    await post.post("hello", amal)
    await succeeded(post)
    assert await post.delivery.deliver() == 0
    assert post.messenger.heard == []
    assert await post.rows("state") == [("hello", Fate.QUEUED)]


async def test_an_engine_that_slept_too_long_takes_nothing_until_it_renewed(post, amal):
    await post.post("hello", amal)
    post.watch += leases.LEASE.total_seconds()
    assert await post.delivery.deliver() == 0
    assert await post.office.renew()
    assert await post.delivery.deliver() == 1


async def test_a_letter_marked_before_a_long_sleep_does_not_leave_after_it(post, amal):
    await post.post("hello", amal)
    post.watch += leases.LEASE.total_seconds() * 0.74

    class Slow(Messenger):
        async def send(self, letter, address, *, priority, may_start):
            post.watch += leases.LEASE.total_seconds()  # stopped while waiting for its turn
            return await Messenger.send(
                self, letter, address, priority=priority, may_start=may_start
            )

    post.delivery._channels = {"telegram": (slow := Slow())}
    assert await post.delivery.deliver() == 1
    assert (slow.heard, slow.not_begun) == ([], ["fr: hello"])
    assert await post.rows("state", "attempts", "doubts") == [("hello", Fate.QUEUED, 0, 0)]


async def test_the_answer_to_a_row_that_was_taken_over_is_not_written_down(post, amal):
    await post.post("hello", amal)
    post.messenger.hold = asyncio.Event()
    async with at_work(post):
        await post.messenger.heard_of(1)
        await succeeded(post)
        async with open_post_office(post.storage, Messenger(), holder="successor") as other:
            assert await other.delivery.deliver() == 1
            assert await other.rows("state", "doubts", "engine") == [
                ("hello", Fate.SENT, 1, "successor")
            ]
            post.messenger.hold.set()
    assert await post.rows("state", "doubts", "engine", "provider_id") == [
        ("hello", Fate.SENT, 1, "successor", "1")
    ]


# --- the loop -------------------------------------------------------------------------------


async def test_a_new_engine_deals_with_what_a_dead_one_had_in_its_hands(post, amal):
    for key, kind in [("note", "note"), ("invoice", "invoice")]:
        await post.post(key, amal, kind=kind)
    post.messenger.hold = asyncio.Event()
    async with open_post_office(post.storage, post.messenger, holder=post.office.holder) as dead:
        stuck = asyncio.create_task(dead.delivery.deliver())
        await post.messenger.heard_of(2)
        stuck.cancel()
        await asyncio.wait([stuck])
    post.messenger.hold.set()
    await succeeded(post)
    post.office.holder = "successor"
    assert await post.delivery.deliver() == 1
    assert post.messenger.heard == [("70", "fr: note"), ("70", "fr: invoice"), ("70", "fr: note")]
    assert await post.rows("state", "doubts", "reason") == [
        ("note", Fate.SENT, 1, None),
        ("invoice", Fate.UNKNOWN, 1, "the engine died"),
    ]


async def test_a_database_that_fails_now_and_then_loses_and_doubles_nothing(
    post, amal, monkeypatch
):
    """Every third commit succeeds though its answer is lost, every other third fails."""
    begin, count = post.storage.begin, 0

    @asynccontextmanager
    async def unreliable():
        nonlocal count
        count += 1
        turn = count
        async with begin() as db:
            yield db
            if turn % 3 == 1:
                raise ConnectionError("the server went away")
        if turn % 3 == 2:
            raise ConnectionError("the server went away, after it had committed")

    keys = [f"{number}" for number in range(30)]
    for key in keys:
        await post.post(key, amal)
    monkeypatch.setattr(post.storage, "begin", unreliable)
    monkeypatch.setattr("bot.delivery.IDLE", 0.001)
    async with at_work(post):
        await eventually(lambda: all_sent(post))
    assert sorted(text for _, text in post.messenger.heard) == sorted(f"fr: {key}" for key in keys)
    assert {row[1:] for row in await post.rows("state", "doubts")} == {(Fate.SENT, 0)}


async def all_sent(post):
    return all(state == Fate.SENT for _, state in await post.rows("state"))
