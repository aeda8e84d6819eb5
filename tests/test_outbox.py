"""The life of a row: what each decision makes of it, and what is taken, rescued and released."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy.exc import IntegrityError

from storage import members, outbox, settlements
from storage.settlements import LONGEST_PAUSE, MAX_ATTEMPTS, MAX_MOVES, Due, Settlement
from storage.tables import Fate, Lane, Member
from tests.post_office import NOON, open_post_office

LATER = NOON + timedelta(seconds=5)


@pytest.fixture
async def post(storage):
    async with open_post_office(storage) as post:
        yield post


def row(attempts=0, doubts=0):
    member = Member(id=1)
    return Due(7, "note", {}, Lane.REMINDER, NOON, None, attempts, doubts, member, "telegram", "70")


# --- decisions, without a database ----------------------------------------------------------


@pytest.mark.parametrize(
    ("decided", "expected"),
    [
        (
            settlements.sent(row(2, 1), "81", LATER),
            Settlement(7, Fate.SENT, NOON, 2, 1, provider_id="81", settled_at=LATER),
        ),
        (settlements.wait(row(2, 1)), Settlement(7, Fate.QUEUED, NOON, 2, 1)),
        (
            settlements.moved(row(), LATER),
            Settlement(7, Fate.QUEUED, LATER, 1, 0, reason="moved"),
        ),
        (
            settlements.moved(row(MAX_MOVES - 1), LATER),
            Settlement(7, Fate.FAILED, NOON, MAX_MOVES, 0, reason="moved", settled_at=LATER),
        ),
        (
            settlements.fail(row(1), "blocked", LATER),
            Settlement(7, Fate.FAILED, NOON, 1, 0, reason="blocked", settled_at=LATER),
        ),
        (
            settlements.void(row(), "expired", LATER),
            Settlement(7, Fate.VOID, NOON, 0, 0, reason="expired", settled_at=LATER),
        ),
        (
            settlements.lost(row(1, 1), "reset", LATER, resend=True),
            Settlement(7, Fate.QUEUED, NOON, 1, 2, reason="reset"),
        ),
        (
            settlements.lost(row(1), "reset", LATER, resend=False),
            Settlement(7, Fate.UNKNOWN, NOON, 1, 1, reason="reset", settled_at=LATER),
        ),
    ],
)
def test_what_a_decision_makes_of_a_row(decided, expected):
    assert decided == expected


def test_a_server_that_is_down_is_asked_again_after_doubling_pauses_up_to_a_cap():
    pauses = [
        (settlements.later(row(attempts), "down", LATER, 0.0).due - LATER).total_seconds()
        for attempts in (0, 1, 2, 3, 4, MAX_ATTEMPTS - 2)
    ]
    assert pauses == [1, 2, 4, 6, 6, 6]
    assert settlements.later(row(MAX_ATTEMPTS - 1), "down", LATER, 0.0) == Settlement(
        7, Fate.FAILED, NOON, MAX_ATTEMPTS, 0, reason="down", settled_at=LATER
    )


@given(some.integers(0, MAX_ATTEMPTS - 2), some.floats(0, 1))
def test_jitter_stretches_a_pause_by_up_to_a_half(attempts, jitter):
    plain = settlements.later(row(attempts), "down", LATER, 0.0).due - LATER
    stretched = settlements.later(row(attempts), "down", LATER, jitter).due - LATER
    assert plain <= stretched <= plain * 1.5 <= LONGEST_PAUSE * 1.5


# --- asking and taking ----------------------------------------------------------------------


async def test_a_key_is_posted_once(post):
    amal = await post.member("70")
    await post.post("hello", amal)
    with pytest.raises(IntegrityError):
        await post.post("hello", amal)
    assert await post.rows("state") == [("hello", Fate.QUEUED)]


async def test_a_letter_whose_rule_failed_is_not_posted(post):
    amal = await post.member("70")

    async def rule_that_fails():
        async with post.storage.begin() as db:
            outbox.post(db, key="no", member_id=amal, kind="note", about={}, due=NOON)
            await db.flush()
            raise LookupError

    with pytest.raises(LookupError):
        await rule_that_fails()
    assert await post.rows() == []


async def test_what_is_due_is_taken_lane_by_lane_and_the_oldest_first(post):
    amal = await post.member("70")
    for key, lane, seconds in [
        ("bulk", Lane.BULK, -9),
        ("reminder, younger", Lane.REMINDER, -1),
        ("reminder, older", Lane.REMINDER, -2),
        ("personal", Lane.PERSONAL, 0),
        ("not yet", Lane.PERSONAL, 1),
    ]:
        await post.post(key, amal, lane=lane, due=NOON + timedelta(seconds=seconds))

    async def taken(limit):
        async with post.storage.begin() as db:
            due = await outbox.take_due(db, NOON, limit, ["telegram"])
            return [one.about["says"] for one in due]

    assert await taken(9) == ["personal", "reminder, older", "reminder, younger", "bulk"]
    assert await taken(2) == ["personal", "reminder, older"]


async def test_of_two_addresses_the_first_that_works_is_used(post):
    amal = await post.member("70", "71")
    await post.post("hello", amal)
    addresses = []
    for dead in ("70", "71"):
        async with post.storage.begin() as db:
            addresses += [d.address for d in await outbox.take_due(db, NOON, 9, ["telegram"])]
            await members.unreachable(db, "telegram", dead, NOON)
    async with post.storage.begin() as db:
        addresses += [d.address for d in await outbox.take_due(db, NOON, 9, ["telegram"])]
    assert addresses == ["70", "71", None]


async def test_an_address_on_a_channel_that_is_not_served_is_none(post):
    amal = await post.member("+212600000000", channel="whatsapp")
    await post.post("hello", amal)
    async with post.storage.begin() as db:
        assert [d.address for d in await outbox.take_due(db, NOON, 9, ["telegram"])] == [None]


async def test_what_expired_in_the_queue_is_void_and_what_is_under_way_is_left_alone(post):
    amal = await post.member("70")
    for key in ("waits", "under way", "lasts"):
        soon = NOON if key != "lasts" else LATER
        await post.post(key, amal, expires=soon)
    async with post.storage.begin() as db:
        rows = await outbox.take_due(db, NOON, 9, ["telegram"])
        await outbox.start(db, "engine", [outbox.Start(rows[1].id, "telegram", "70", "...")])
        assert await outbox.void_expired(db, NOON) == 1
    assert await post.rows("state", "reason", "settled_at") == [
        ("waits", Fate.VOID, "expired", NOON),
        ("under way", Fate.STARTED, None, None),
        ("lasts", Fate.QUEUED, None, None),
    ]


# --- after trouble --------------------------------------------------------------------------


async def started(post, engine, **kinds):
    """Post a letter for each name, of that kind, and let this engine start them."""
    amal = await post.member("70")
    for key, kind in kinds.items():
        await post.post(key, amal, kind=kind)
    async with post.storage.begin() as db:
        rows = await outbox.take_due(db, NOON, 99, ["telegram"])
        starts = [outbox.Start(one.id, "telegram", "70", one.about["says"]) for one in rows]
        await outbox.start(db, engine, starts)
    return rows


async def test_the_rows_of_a_dead_engine_are_resent_or_held_by_their_kind(post):
    await started(post, "dead", again="note", held="invoice")
    async with post.storage.begin() as db:
        assert await outbox.rescue(db, "alive", ["note"], LATER) == 2
        assert await outbox.rescue(db, "alive", ["note"], LATER) == 0
    assert await post.rows("state", "doubts", "reason", "settled_at") == [
        ("again", Fate.QUEUED, 1, "the engine died", None),
        ("held", Fate.UNKNOWN, 1, "the engine died", LATER),
    ]
    async with post.storage.read() as db:
        assert [one.key for one in await outbox.doubtful(db)] == ["held", "again"]


async def test_an_engine_does_not_rescue_its_own_rows(post):
    await started(post, "alive", mine="note")
    async with post.storage.begin() as db:
        assert await outbox.rescue(db, "alive", ["note"], LATER) == 0
    assert await post.rows("state") == [("mine", Fate.STARTED)]


async def test_what_is_settled_together_has_each_its_own_end(post):
    names = ("accepted", "late", "lost", "held", "gone", "off", "waiting")
    rows = await started(post, "alive", **dict.fromkeys(names, "note"))
    accepted, late, lost, held, gone, off, waiting = rows
    async with post.storage.begin() as db:
        ends = [
            settlements.sent(accepted, "81", LATER),
            settlements.later(late, "server error 502", LATER, 0),
            settlements.lost(lost, "TimeoutError", LATER, resend=True),
            settlements.lost(held, "TimeoutError", LATER, resend=False),
            settlements.fail(gone, "blocked", LATER),
            settlements.void(off, "opted out", LATER),
            settlements.wait(waiting),
        ]
        assert await outbox.settle(db, "alive", ends) == []
    columns = ("state", "due", "attempts", "doubts", "reason", "provider_id", "settled_at")
    assert await post.rows(*columns) == [
        ("accepted", Fate.SENT, NOON, 0, 0, None, "81", LATER),
        ("late", Fate.QUEUED, LATER + timedelta(seconds=1), 1, 0, "server error 502", None, None),
        ("lost", Fate.QUEUED, NOON, 0, 1, "TimeoutError", None, None),
        ("held", Fate.UNKNOWN, NOON, 0, 1, "TimeoutError", None, LATER),
        ("gone", Fate.FAILED, NOON, 0, 0, "blocked", None, LATER),
        ("off", Fate.VOID, NOON, 0, 0, "opted out", None, LATER),
        ("waiting", Fate.QUEUED, NOON, 0, 0, None, None, None),
    ]


async def test_of_a_row_that_is_settled_twice_at_once_the_last_counts(post):
    (only,) = await started(post, "alive", only="note")
    async with post.storage.begin() as db:
        # Taken again, and accepted, after a commit whose answer was lost.
        ends = [settlements.moved(only, NOON), settlements.sent(only, "81", LATER)]
        assert await outbox.settle(db, "alive", ends) == []
    assert await post.rows("state", "attempts", "provider_id") == [("only", Fate.SENT, 0, "81")]


async def test_a_row_that_another_engine_took_over_is_not_settled(post):
    mine, theirs = await started(post, "first", mine="note", theirs="note")
    async with post.storage.begin() as db:
        await outbox.start(db, "second", [outbox.Start(theirs.id, "telegram", "70", "...")])
    async with post.storage.begin() as db:
        answers = [settlements.sent(one, "81", LATER) for one in (mine, theirs)]
        assert await outbox.settle(db, "first", answers) == [theirs.id]
    assert await post.rows("state", "engine", "provider_id") == [
        ("mine", Fate.SENT, "first", "81"),
        ("theirs", Fate.STARTED, "second", None),
    ]


async def test_what_was_marked_and_never_sent_is_queued_again_without_a_doubt(post):
    kept, dropped = await started(post, "alive", in_hand="note", dropped="invoice")
    async with post.storage.begin() as db:
        assert await outbox.put_back(db, "alive", [kept.id]) == 1
    assert dropped.id != kept.id
    assert await post.rows("state", "doubts") == [
        ("in_hand", Fate.STARTED, 0),
        ("dropped", Fate.QUEUED, 0),
    ]


async def test_a_held_row_is_released_by_its_number_or_with_all_others(post):
    rows = await started(post, "dead", one="invoice", two="invoice", three="invoice")
    async with post.storage.begin() as db:
        await outbox.rescue(db, "alive", [], NOON)
        assert await outbox.release(db, [rows[1].id, 999], LATER) == [rows[1].id]
        assert await outbox.release(db, [rows[1].id], LATER) == []
    assert await post.rows("state", "due", "doubts", "settled_at") == [
        ("one", Fate.UNKNOWN, NOON, 1, NOON),
        ("two", Fate.QUEUED, LATER, 1, None),
        ("three", Fate.UNKNOWN, NOON, 1, NOON),
    ]
    async with post.storage.begin() as db:
        assert await outbox.release(db, None, LATER) == [rows[0].id, rows[2].id]


async def test_a_reason_longer_than_its_column_is_shortened(post):
    (only,) = await started(post, "alive", only="note")
    async with post.storage.begin() as db:
        await outbox.settle(db, "alive", [settlements.fail(only, "x" * 300, LATER)])
    assert await post.rows("reason") == [("only", "x" * outbox.REASON_LENGTH)]
