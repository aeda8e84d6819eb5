"""Quiet hours: early reminders come the evening before, once, and none is lost."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import event, select

from storage import members, quiet, reminders
from storage.members import LEADS
from storage.quiet import Rhythm
from storage.tables import Event, Member, Session
from tests.seats import START, before, member, posted, seat, session, ticks

NIGHT = (22 * 60, 8 * 60)
PARIS, MONTREAL = "Europe/Paris", "America/Toronto"
SECOND = timedelta(seconds=1)


def at(zone: str, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of 2026, told by the clocks of a zone."""
    return datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)


# --- the rule ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "due", "moment"),
    [
        (NIGHT, at(PARIS, 6, 10, 21, 59), at(PARIS, 6, 10, 21, 59)),
        (NIGHT, at(PARIS, 6, 10, 22), at(PARIS, 6, 10, 21, 55)),
        (NIGHT, at(PARIS, 6, 11, 0), at(PARIS, 6, 10, 21, 55)),
        (NIGHT, at(PARIS, 6, 11, 7, 59), at(PARIS, 6, 10, 21, 55)),
        (NIGHT, at(PARIS, 6, 11, 8), at(PARIS, 6, 11, 8)),
        ((13 * 60, 15 * 60), at(PARIS, 6, 10, 14), at(PARIS, 6, 10, 12, 55)),
        ((600, 600), at(PARIS, 6, 10, 10), at(PARIS, 6, 10, 10)),
        (None, at(PARIS, 6, 11, 3), at(PARIS, 6, 11, 3)),
        # The night in which an hour is missing, and the one in which it comes twice.
        (NIGHT, at(PARIS, 3, 29, 7), at(PARIS, 3, 28, 21, 55)),
        (NIGHT, at(PARIS, 10, 25, 7), at(PARIS, 10, 24, 21, 55)),
        # Quiet hours that begin in the missing hour never make a reminder come later.
        ((150, 480), at(PARIS, 3, 29, 3, 10), at(PARIS, 3, 29, 3, 10)),
    ],
)
def test_a_reminder_of_the_night_comes_the_evening_before(hours, due, moment):
    assert Rhythm(PARIS, hours).moment(due, "Africa/Casablanca") == moment


def test_a_rhythm_without_a_zone_is_that_of_the_event():
    due = at(MONTREAL, 6, 11, 3)
    assert Rhythm(None, NIGHT).moment(due, MONTREAL) == at(MONTREAL, 6, 10, 21, 55)
    assert Rhythm(None, NIGHT).moment(due, PARIS) == due


_minute = some.integers(0, 24 * 60 - 1)
_zones = some.sampled_from([PARIS, MONTREAL, "Africa/Casablanca", "Asia/Kolkata", "Asia/Dubai"])


@given(
    hours=some.none() | some.tuples(_minute, _minute),
    zone=_zones,
    due=some.integers(0, 3 * 365 * 24 * 60).map(lambda m: START + timedelta(minutes=m)),
)
def test_whatever_the_quiet_hours_a_reminder_is_moved_by_less_than_a_day(hours, zone, due):
    rhythm = Rhythm(zone, hours)
    assert Rhythm.read(rhythm.written()) == rhythm
    moment = rhythm.moment(due, "UTC")
    # An hour more where clocks are set back in between.
    assert due - quiet.MOST - timedelta(hours=1) <= moment <= due
    if moment < due:
        local = (moment + quiet.EVENING).astimezone(ZoneInfo(zone))
        assert hours is not None
        assert (local.hour * 60 + local.minute - hours[0]) % (24 * 60) in {0, 60, 24 * 60 - 60}


# --- the waves --------------------------------------------------------------------------------


async def test_an_early_reminder_comes_in_the_evening_and_not_again(storage):
    dawn = at(PARIS, 11, 22, 8, 30)
    panel = await session(storage, dawn, zone=PARIS)
    sleeps, wakes = await member(storage, 60, quiet=NIGHT), await member(storage, 60)
    for one in (sleeps, wakes):
        await seat(storage, panel, one, before(dawn, days=3))
    evening, lead = at(PARIS, 11, 21, 21, 55), before(dawn, minutes=60)
    assert await ticks(storage, evening - SECOND, evening, evening, lead - SECOND) == [0, 1, 0, 0]
    assert await posted(storage) == [(sleeps, 60, dawn)]
    assert await ticks(storage, lead, lead, dawn - SECOND) == [1, 0, 0]
    assert await posted(storage) == [(sleeps, 60, dawn), (wakes, 60, dawn)]


async def test_leads_that_fall_on_the_same_evening_are_one_letter(storage):
    dawn = at(PARIS, 11, 22, 7)
    panel, amal = await session(storage, dawn, zone=PARIS), await member(storage, quiet=NIGHT)
    await seat(storage, panel, amal, before(dawn, days=3))
    days = [before(dawn, hours=hours) for hours in range(60, 0, -1)]
    evenings = [at(PARIS, 11, 20, 21, 55), at(PARIS, 11, 21, 21, 55)]
    assert sum(await ticks(storage, *sorted(days + evenings))) == 2
    assert await posted(storage) == [(amal, 1440, dawn), (amal, 15, dawn)]


async def test_whoever_takes_a_seat_at_night_is_reminded_at_the_lead_itself(storage):
    dawn = at(PARIS, 11, 22, 7)
    panel, amal = await session(storage, dawn, zone=PARIS), await member(storage, quiet=NIGHT)
    evening, taken = at(PARIS, 11, 21, 21, 55), at(PARIS, 11, 22, 1)
    assert await ticks(storage, evening) == [0]
    await seat(storage, panel, amal, taken)
    hour, quarter = before(dawn, minutes=60), before(dawn, minutes=15)
    assert await ticks(storage, taken, hour - SECOND, hour, quarter, quarter) == [0, 0, 1, 1, 0]


async def test_an_evening_that_was_missed_is_made_up_for_at_the_lead(storage):
    dawn = at(PARIS, 11, 22, 7)
    panel, amal = await session(storage, dawn, zone=PARIS), await member(storage, 15, quiet=NIGHT)
    await seat(storage, panel, amal, before(dawn, days=3))
    # Nothing ran between the afternoon and midnight.
    hours = (at(PARIS, 11, 21, 15), at(PARIS, 11, 22, 0), at(PARIS, 11, 22, 3))
    assert await ticks(storage, *hours, before(dawn, minutes=15)) == [0, 0, 0, 1]


async def test_an_evening_that_is_a_little_late_is_told_the_same_evening(storage):
    dawn = at(PARIS, 11, 22, 7)
    panel, amal = await session(storage, dawn, zone=PARIS), await member(storage, 15, quiet=NIGHT)
    await seat(storage, panel, amal, before(dawn, days=3))
    assert await ticks(storage, at(PARIS, 11, 21, 22, 20), before(dawn, minutes=15)) == [1, 0]


@pytest.mark.parametrize("before_it", [NIGHT, None])
async def test_quiet_hours_changed_at_night_lose_and_double_nothing(storage, before_it):
    dawn = at(PARIS, 11, 22, 7)
    panel = await session(storage, dawn, zone=PARIS)
    amal = await member(storage, 15, quiet=before_it)
    await seat(storage, panel, amal, before(dawn, days=3))
    told = await ticks(storage, at(PARIS, 11, 21, 21, 55))
    async with storage.begin() as db:
        members.set_quiet_hours(await db.get(Member, amal), None if before_it else NIGHT)
    # Past the hour in which an evening may still be told.
    told += await ticks(storage, at(PARIS, 11, 21, 23, 30), before(dawn, minutes=15))
    assert told == ([1, 0, 0] if before_it else [0, 0, 1])


async def test_each_sleeps_by_the_clocks_of_their_own_city(storage):
    start = at(PARIS, 11, 22, 16)
    panel = await session(storage, start, zone=PARIS)
    async with storage.begin() as db:
        (await db.get(Session, panel)).online = True
    paris = await member(storage, 60, quiet=NIGHT, zone=PARIS)
    # At the lead it is six in the morning in San Francisco, and half past seven in the evening
    # in India.
    west = await member(storage, 60, quiet=NIGHT, zone="America/Los_Angeles")
    east = await member(storage, 60, quiet=(19 * 60, 480), zone="Asia/Kolkata")
    for one in (paris, west, east):
        await seat(storage, panel, one, before(start, days=3))
    moments_ = [
        at("America/Los_Angeles", 11, 21, 21, 55),
        at("Asia/Kolkata", 11, 22, 18, 55),
        before(start, minutes=60),
    ]
    assert await ticks(storage, *moments_, start - SECOND) == [1, 1, 1, 0]
    assert [who for who, _, _ in await posted(storage)] == [west, east, paris]


async def test_shortly_before_a_session_in_a_room_the_clocks_are_those_of_the_room(storage):
    start = at(PARIS, 11, 22, 10)
    panel = await session(storage, start, zone=PARIS)
    # Ten in the morning in Paris is four in Montréal, where she isn't.
    amal = await member(storage, 1440, 60, quiet=NIGHT, zone=MONTREAL)
    await seat(storage, panel, amal, before(start, days=3))
    evening = at(MONTREAL, 11, 20, 21, 55)
    hour = before(start, minutes=60)
    assert await ticks(storage, evening, before(start, days=1), hour) == [1, 0, 1]


async def test_members_who_never_chose_have_the_leads_of_the_event(storage):
    panel, other = await session(storage), await session(storage)
    async with storage.begin() as db:
        held = await db.get(Session, panel)
        (await db.get(Event, held.event_id)).leads = [60]
    chose, follows = await member(storage, 1440, 15), await member(storage, 1440, 15)
    async with storage.begin() as db:
        (await db.get(Member, follows)).own_leads = False
    for one in (chose, follows):
        await seat(storage, panel, one, before(START, days=3))
        await seat(storage, other, one, before(START, days=3))
    due = [before(START, minutes=minutes) for minutes in LEADS]
    assert await ticks(storage, *due) == [3, 1, 3]
    asked = [(panel, one, minutes) for one in (chose, follows) for minutes in LEADS]
    async with storage.read() as db:
        assert sorted(await reminders.wanted_still(db, asked)) == sorted(
            [(panel, chose, 1440), (panel, chose, 15), (panel, follows, 60)]
        )


async def test_two_ticks_at_once_post_an_evening_once(storage):
    dawn = at(PARIS, 11, 22, 7)
    panel = await session(storage, dawn, zone=PARIS)
    for _ in range(20):
        await seat(storage, panel, await member(storage, quiet=NIGHT), before(dawn, days=3))
    evening = at(PARIS, 11, 21, 21, 55)
    counted = await asyncio.gather(*(ticks(storage, evening) for _ in range(6)))
    assert sorted(counted) == [[0]] * 5 + [[20]]


async def test_a_large_evening_begins_early_and_its_leads_make_room(storage):
    dawn = at(PARIS, 11, 22, 7)
    panel = await session(storage, dawn, zone=PARIS)
    people = [await member(storage, 60, quiet=NIGHT) for _ in range(90)]
    for one in people:
        await seat(storage, panel, one, before(dawn, days=3))
    evening = at(PARIS, 11, 21, 21, 55)
    needed = timedelta(seconds=89 / (1 * reminders.SHARE))
    told = await ticks(
        storage, evening - needed - SECOND, evening - needed + SECOND, evening, pace=1
    )
    assert told == [0, 90, 0]


async def test_the_next_moment_is_the_evening_for_whoever_sleeps(storage):
    dawn = at(PARIS, 11, 22, 7)
    panel, amal = await session(storage, dawn, zone=PARIS), await member(storage, 15, quiet=NIGHT)
    await seat(storage, panel, amal, before(dawn, days=3))
    evening = at(PARIS, 11, 21, 21, 55)
    async with storage.read() as db:
        assert await reminders.next_moment(db, before(dawn, days=2)) == evening
    await ticks(storage, evening)
    async with storage.read() as db:
        assert await reminders.next_moment(db, evening) is None


async def test_a_tick_with_nothing_due_asks_three_things_at_most(storage):
    panel = await session(storage)
    for zone in (PARIS, MONTREAL, "Asia/Dubai"):
        one = await member(storage, quiet=NIGHT, zone=zone)
        await seat(storage, panel, one, before(START, days=9))
    seen: list[str] = []
    event.listen(
        storage.engine.sync_engine, "before_cursor_execute", lambda *told: seen.append(told[2])
    )
    asked = []
    assert await ticks(storage, before(START, hours=24)) == [3]
    for hours in (80, 40, 20):
        seen.clear()
        assert await ticks(storage, before(START, hours=hours)) == [0]
        asked.append(len([text for text in seen if text.startswith(("SELECT", "WITH"))]))
    assert asked[0] == 1
    assert max(asked) <= 3


async def test_rhythms_are_found_once_each(storage):
    for zone in (PARIS, MONTREAL, PARIS):
        await member(storage, quiet=NIGHT, zone=zone)
    await member(storage)
    async with storage.read() as db:
        assert await quiet.rhythms(db) == [
            "America/Toronto|1320|480",
            "Europe/Paris|1320|480",
            "||",
        ]
        everybody = await db.scalars(select(Member.rhythm))
        assert len(everybody.all()) == 4


async def test_zones_are_guessed_for_old_members_and_chosen_ones_stay(storage):
    async with storage.begin() as db:
        for number, (country, city) in enumerate([("CA", "Laval"), ("CA", "Laval"), ("ZZ", "?")]):
            one = await members.meet(db, "telegram", f"old-{number}", START)
            one.registered_at, one.country, one.city = START, country, city
    chosen = await member(storage, quiet=NIGHT, zone=PARIS)
    async with storage.begin() as db:
        await members.guess_zones(db, lambda country, _city: {"CA": MONTREAL}.get(country or ""))
    async with storage.read() as db:
        rows = await db.execute(select(Member.id, Member.rhythm).order_by(Member.id))
        found = rows.all()
    assert [rhythm for _, rhythm in found] == [
        "America/Toronto|1320|480",
        "America/Toronto|1320|480",
        "|1320|480",
        "Europe/Paris|1320|480",
    ]
    assert found[-1][0] == chosen
