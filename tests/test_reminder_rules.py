"""Reminders, by the rule: each lead once, never late, never for nothing."""

import asyncio
import itertools
import shutil
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sqlalchemy import delete, select

from storage import members, reminders
from storage.database import open_storage
from storage.members import LEADS
from storage.tables import Fate, Lane, Member, Outbox, Rsvp, Seat, Session
from tests.seats import START, before, member, moves, posted, seat, session, ticks

# --- each lead once -------------------------------------------------------------------------


async def test_each_lead_is_told_once_at_its_moment(storage):
    panel, amal = await session(storage), await member(storage, 1440, 15)
    await seat(storage, panel, amal, before(START, days=3))
    day, quarter = before(START, days=1), before(START, minutes=15)
    second = timedelta(seconds=1)
    assert await ticks(storage, day - second, day, day, day + second) == [0, 1, 0, 0]
    assert await ticks(storage, quarter - second, quarter, quarter, START) == [0, 1, 0, 0]
    assert await posted(storage) == [(amal, 1440, START), (amal, 15, START)]
    async with storage.read() as db:
        columns = (Outbox.lane, Outbox.due, Outbox.expires, Outbox.state, Outbox.attempts)
        rows = (await db.execute(select(*columns).order_by(Outbox.id))).all()
    assert rows == [
        (Lane.REMINDER, day, START, Fate.QUEUED, 0),
        (Lane.REMINDER, quarter, START, Fate.QUEUED, 0),
    ]


async def test_of_several_leads_that_are_overdue_the_nearest_speaks_for_all(storage):
    panel = await session(storage)
    amal, bilal = await member(storage, 1440, 60, 15), await member(storage, 1440)
    for one in (amal, bilal):
        await seat(storage, panel, one, before(START, days=3))
    assert await ticks(storage, before(START, minutes=40)) == [2]
    assert sorted(await posted(storage)) == sorted([(amal, 60, START), (bilal, 1440, START)])


async def test_a_seat_taken_late_is_not_told_of_leads_gone_by(storage):
    panel, amal = await session(storage), await member(storage)
    await seat(storage, panel, amal, before(START, minutes=59))
    assert await ticks(storage, before(START, minutes=58), before(START, minutes=15)) == [0, 1]
    assert await posted(storage) == [(amal, 15, START)]


async def test_nothing_is_posted_once_a_session_began_or_is_cancelled(storage):
    panel, talk = await session(storage), await session(storage)
    amal = await member(storage)
    for one in (panel, talk):
        await seat(storage, one, amal, before(START, days=3))
    async with storage.begin() as db:
        (await db.get(Session, talk)).cancelled_at = before(START, days=2)
    assert await ticks(storage, START, START + timedelta(minutes=1)) == [0, 0]
    assert await ticks(storage, before(START, minutes=1)) == [1]


async def test_a_session_that_moved_is_told_again_for_its_new_start(storage):
    panel, amal = await session(storage), await member(storage, 60)
    await seat(storage, panel, amal, before(START, days=3))
    await ticks(storage, before(START, minutes=60))
    later = START + timedelta(hours=2)
    await moves(storage, panel, later)
    assert await ticks(storage, START, before(later, minutes=60)) == [0, 1]
    assert await posted(storage) == [(amal, 60, START), (amal, 60, later)]


async def test_two_ticks_at_once_post_a_wave_once(storage):
    panel = await session(storage)
    for _ in range(20):
        await seat(storage, panel, await member(storage, 60), before(START, days=3))
    due = before(START, minutes=60)
    counted = await asyncio.gather(*(ticks(storage, due) for _ in range(6)))
    assert sorted(counted) == [[0]] * 5 + [[20]]


async def test_a_reminder_that_is_no_longer_wanted_is_known_as_such(storage):
    panel = await session(storage)
    stays, leaves, declines = [await member(storage, 60) for _ in range(3)]
    for one in (stays, leaves, declines):
        await seat(storage, panel, one, before(START, days=3))
    async with storage.begin() as db:
        rsvp = await db.scalar(select(Rsvp).where(Rsvp.member_id == leaves))
        rsvp.state = Seat.CANCELLED
        await members.set_leads(db, await db.get(Member, declines), ())
    asked = [(panel, one, 60) for one in (stays, leaves, declines)] + [(panel, stays, 15)]
    async with storage.read() as db:
        assert list(await reminders.wanted_still(db, asked)) == [(panel, stays, 60)]


# --- zones and clocks -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "local"),
    [
        ("Europe/Paris", (2026, 3, 29, 9)),  # the hour 2-3 is missing the night before
        ("Europe/Paris", (2026, 10, 25, 9)),  # and comes twice here
        ("Europe/Paris", (2026, 10, 25, 2)),
        ("Africa/Casablanca", (2026, 9, 20, 9)),  # Morocco leaves UTC+1 for good
        ("Africa/Casablanca", (2026, 11, 22, 9)),
    ],
)
async def test_a_lead_is_true_hours_whatever_the_clocks_on_the_wall_do(storage, zone, local):
    year, month, day, hour = local
    starts_at = datetime(year, month, day, hour, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    panel, amal = await session(storage, starts_at, zone=zone), await member(storage)
    await seat(storage, panel, amal, before(starts_at, days=3))
    second = timedelta(seconds=1)
    for minutes in LEADS:
        due = before(starts_at, minutes=minutes)
        assert await ticks(storage, due - second, due, due + second) == [0, 1, 0]
    assert await posted(storage) == [(amal, minutes, starts_at) for minutes in LEADS]


async def test_a_clock_set_back_or_forward_by_an_hour_doubles_nothing_and_loses_nothing(storage):
    panel, amal = await session(storage), await member(storage, 1440, 60)
    await seat(storage, panel, amal, before(START, days=3))
    day, hour = before(START, days=1), timedelta(hours=1)
    moments = (day, day - hour, day, day + hour, day, START - hour, START - 2 * hour, START - hour)
    assert await ticks(storage, *moments) == [1, 0, 0, 0, 0, 1, 0, 0]


async def test_after_a_long_sleep_what_is_still_to_come_is_told(storage):
    panel, over = await session(storage), await session(storage, before(START, hours=2))
    amal = await member(storage)
    for one in (panel, over):
        await seat(storage, one, amal, before(START, days=9))
    assert await ticks(storage, before(START, days=8), before(START, minutes=30)) == [0, 1]
    assert await posted(storage) == [(amal, 60, START)]


# --- whatever happens -----------------------------------------------------------------------

MINUTE = timedelta(minutes=1)
EPOCH = before(START, days=1)
# Sessions start 25 to 27 hours after EPOCH: their moments lie in these spans, in minutes.
SPANS = ((0, 200), (1400, 1640))
_start = some.integers(1500, 1620)
_moment = some.one_of(*(some.integers(*span) for span in SPANS))
_change = some.one_of(
    some.tuples(some.sampled_from(["takes", "leaves"]), some.integers(0, 2), some.integers(0, 1)),
    some.tuples(some.just("moves"), some.integers(0, 1), _start),
)


@settings(max_examples=20, deadline=None)
@given(
    wishes=some.tuples(*[some.sets(some.sampled_from(LEADS), min_size=1)] * 3),
    starts=some.tuples(_start, _start),
    changes=some.lists(some.tuples(_moment, _change), max_size=10),
    step=some.integers(7, 25),
)
def test_whatever_happens_each_reminder_comes_once_and_in_time(  # noqa: PLR0917  # a table of what is given and what follows
    sqlite_template, tmp_path_factory, wishes, starts, changes, step
):
    """Ticking every `step` minutes: none twice, uncalled for or after the start, and none lost."""
    path = tmp_path_factory.mktemp("lives") / "jisr.db"
    shutil.copy(sqlite_template, path)
    asyncio.run(_lived(f"sqlite+aiosqlite:///{path}", wishes, list(starts), changes, step))


async def _lived(url, wishes, starts, changes, step):
    async with open_storage(url) as storage:
        sessions = [await session(storage, EPOCH + start * MINUTE) for start in starts]
        people = [await member(storage, *wish) for wish in wishes]
        seats, told, last = {}, [], -step
        changes = sorted(changes, key=lambda change: change[0])
        for minute in itertools.chain(*(range(*span, step) for span in SPANS)):
            moved = set()
            while changes and changes[0][0] <= minute:
                verb, who, what = changes.pop(0)[1]
                if verb == "moves":
                    moved.add(who)
                    starts[who] = what
                    await moves(storage, sessions[who], EPOCH + what * MINUTE)
                elif verb == "takes" and (who, what) not in seats:
                    seats[who, what] = minute
                    await seat(storage, sessions[what], people[who], EPOCH + minute * MINUTE)
                elif verb == "leaves" and seats.pop((who, what), None) is not None:
                    await leaves(storage, sessions[what], people[who])
            await ticks(storage, EPOCH + minute * MINUTE)
            fresh = (await all_posted(storage))[len(told) :]
            told += fresh
            for which, person, lead, start in fresh:
                who, what = people.index(person), sessions.index(which)
                assert (who, what) in seats
                assert start == starts[what] > minute
                assert start - lead <= minute
                assert lead in wishes[who]
            expected = {
                (sessions[what], people[who], near[0], starts[what])
                for (who, what), since in seats.items()
                if what not in moved
                and (near := sorted(m for m in wishes[who] if starts[what] - m <= minute))
                and max(last, since - 1) < starts[what] - near[0] <= minute < starts[what]
            }
            assert expected <= {*told}
            last = minute
        assert len(told) == len({*told})


async def leaves(storage, session_id, member_id):
    async with storage.begin() as db:
        mine = (Rsvp.session_id == session_id, Rsvp.member_id == member_id)
        await db.execute(delete(Rsvp).where(*mine))


async def all_posted(storage):
    """(session, member, lead, start in minutes after EPOCH) of each letter, as posted."""
    async with storage.read() as db:
        rows = await db.execute(select(Outbox.member_id, Outbox.about).order_by(Outbox.id))
        return [
            (a["session"], m, a["minutes"], (a["starts"] - int(EPOCH.timestamp())) // 60)
            for m, a in rows
        ]
