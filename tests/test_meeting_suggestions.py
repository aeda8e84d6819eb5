"""Suggested times: three, to come, decent by the clocks of all, beside nothing they hold."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from storage.meeting_suggestions import LENGTH, NUMBER, Diary, suggest
from storage.quiet import Rhythm

NIGHT = (22 * 60, 8 * 60)
PARIS, CASABLANCA, MONTREAL = "Europe/Paris", "Africa/Casablanca", "America/Toronto"
DUBAI, SYDNEY, LOS_ANGELES, TOKYO = (
    *("Asia/Dubai", "Australia/Sydney"),
    *("America/Los_Angeles", "Asia/Tokyo"),
)
NEAR = (PARIS, CASABLANCA, MONTREAL, "Europe/Brussels", "America/New_York", DUBAI)
FAR = (*NEAR, SYDNEY, LOS_ANGELES, TOKYO, "Asia/Kolkata", "Pacific/Auckland", "Asia/Kathmandu")
# Two years with four changes of the clocks of Paris; Casablanca has left them behind.
BEGINS, MINUTES = datetime(2026, 10, 1, tzinfo=UTC), 2 * 365 * 24 * 60

moments = some.integers(0, MINUTES).map(lambda minute: BEGINS + timedelta(minutes=minute))
nights = some.one_of(some.none(), some.tuples(some.integers(20, 23), some.integers(6, 9))).map(
    lambda hours: hours and (hours[0] * 60, hours[1] * 60)
)
# What they hold: from how many minutes after the instant, and for how long.
holdings = some.lists(some.tuples(some.integers(-300, 30_000), some.integers(10, 900)), max_size=6)


def people(zones):
    """Two or three diaries, whose holdings begin at 0."""
    return some.lists(
        some.tuples(some.sampled_from(zones), nights, holdings), min_size=2, max_size=3
    )


def diaries_of(group, after):
    return [
        Diary(
            zone,
            night,
            tuple(
                (after + timedelta(minutes=begins), after + timedelta(minutes=begins + length))
                for begins, length in held
            ),
        )
        for zone, night, held in group
    ]


def kept(found, diaries, after):
    """What is so wherever people live."""
    assert len(set(found)) == NUMBER
    assert sorted(found) == list(found)
    assert found[0] > after
    home = ZoneInfo(diaries[0].zone)
    assert len({at.astimezone(home).date() for at in found}) == NUMBER
    for at in found:
        for diary in diaries:
            assert at.astimezone(ZoneInfo(diary.zone)).strftime("%a") not in {"Sat", "Sun"}
            for begins, ends in diary.taken:
                assert ends <= at or begins >= at + LENGTH


def is_quiet(diary, at):
    """As the reminders' rule says it: one that came then would come earlier."""
    return Rhythm(diary.zone, diary.quiet).moment(at, diary.zone) != at


@given(people(NEAR), moments)
@settings(max_examples=300, deadline=None)
# The Sundays on which the clocks of Paris change, and the Friday before Casablanca would have.
@example([(PARIS, NIGHT, []), (CASABLANCA, NIGHT, [])], datetime(2026, 10, 24, 12, tzinfo=UTC))
@example([(PARIS, NIGHT, []), (CASABLANCA, NIGHT, [])], datetime(2027, 3, 27, 12, tzinfo=UTC))
@example([(MONTREAL, NIGHT, []), (DUBAI, NIGHT, [])], datetime(2027, 3, 12, 23, tzinfo=UTC))
def test_between_the_shores_each_time_is_decent_for_all(group, after):
    diaries = diaries_of(group, after)
    found = suggest(diaries, after)
    kept(found, diaries, after)
    assert suggest(diaries, after) == found
    for at in found:
        for diary in diaries:
            zone = ZoneInfo(diary.zone)
            begins, ends = at.astimezone(zone), (at + LENGTH).astimezone(zone)
            assert time(9) <= begins.time()
            assert ends.time() <= time(20)
            assert not is_quiet(diary, at)
            assert not is_quiet(diary, at + LENGTH - timedelta(minutes=1))
            if begins.strftime("%a") == "Fri":
                assert ends.time() <= time(12) or begins.time() >= time(14, 30)


@given(people(FAR), moments)
@settings(max_examples=200, deadline=None)
# The last decent day of all before Sydney puts its clocks forward.
@example([(PARIS, None, []), (MONTREAL, None, []), (SYDNEY, NIGHT, [])], BEGINS)
@example([(PARIS, None, [(0, 900)]), (MONTREAL, None, []), (SYDNEY, NIGHT, [])], BEGINS)
def test_around_the_globe_there_are_three_all_the_same(group, after):
    diaries = diaries_of(group, after)
    found = suggest(diaries, after)
    kept(found, diaries, after)
    # Where hours between seven and ten are left for all on enough days, nobody's night is disturbed.
    hours = [after + timedelta(hours=count) for count in range(1, 24 * 30)]
    polite = [
        at.date()
        for at in (hour.replace(minute=0, second=0, microsecond=0) for hour in hours)
        if all(_is_polite(diary, at) and diary.free(at) for diary in diaries)
    ]
    if len(set(polite)) > 2 * NUMBER:
        assert not any(is_quiet(diary, at) for diary in diaries for at in found)


def _is_polite(diary, at):
    local = at.astimezone(ZoneInfo(diary.zone))
    awake = not is_quiet(diary, at) and not is_quiet(diary, at + LENGTH - timedelta(minutes=1))
    at_work = local.strftime("%a") in {"Mon", "Tue", "Wed", "Thu"}
    return awake and at_work and time(7) <= local.time() <= time(21)


def told(zones, after, **more):
    """The suggestions by the clocks of each."""
    diaries = [Diary(zone, NIGHT) for zone in zones]
    return [
        [f"{at.astimezone(ZoneInfo(zone)):%a %d %H:%M}" for zone in zones]
        for at in suggest(diaries, after, **more)
    ]


@pytest.mark.parametrize(
    ("zones", "after", "clocks"),
    [
        # Casablanca is at UTC+0 for good since 20 September 2026; Paris leaves summer on the 25th.
        (
            (CASABLANCA, PARIS),
            datetime(2026, 10, 22, 18, tzinfo=UTC),
            [
                ["Fri 23 15:00", "Fri 23 17:00"],
                ["Mon 26 18:00", "Mon 26 19:00"],
                ["Tue 27 13:00", "Tue 27 14:00"],
            ],
        ),
        (
            (PARIS, CASABLANCA),
            datetime(2027, 3, 25, 18, tzinfo=UTC),
            [
                ["Fri 26 11:00", "Fri 26 10:00"],
                ["Mon 29 19:00", "Mon 29 17:00"],
                ["Tue 30 15:00", "Tue 30 13:00"],
            ],
        ),
        (
            (MONTREAL, CASABLANCA),
            datetime(2026, 11, 30, tzinfo=UTC),
            [
                ["Mon 30 10:00", "Mon 30 15:00"],
                ["Tue 01 14:00", "Tue 01 19:00"],
                ["Wed 02 11:00", "Wed 02 16:00"],
            ],
        ),
        # From nine to eight leaves no hour for these two; from eight to nine does.
        (
            (CASABLANCA, SYDNEY),
            datetime(2026, 11, 30, tzinfo=UTC),
            [
                ["Mon 30 08:00", "Mon 30 19:00"],
                ["Tue 01 09:00", "Tue 01 20:00"],
                ["Wed 02 08:00", "Wed 02 19:00"],
            ],
        ),
        # Somebody's night it is at any hour, and then not the deepest.
        (
            (CASABLANCA, LOS_ANGELES, TOKYO),
            datetime(2026, 11, 30, tzinfo=UTC),
            [
                ["Mon 30 21:00", "Mon 30 13:00", "Tue 01 06:00"],
                ["Tue 01 06:00", "Mon 30 22:00", "Tue 01 15:00"],
                ["Wed 02 06:00", "Tue 01 22:00", "Wed 02 15:00"],
            ],
        ),
    ],
)
def test_what_is_suggested_by_the_clocks_of_each(zones, after, clocks):
    assert told(zones, after) == clocks


def test_one_that_takes_the_place_of_another_is_later():
    after = datetime(2026, 11, 30, tzinfo=UTC)
    assert told((CASABLANCA, PARIS), after, number=1) == [["Mon 30 13:00", "Mon 30 14:00"]]


def test_whoever_is_taken_for_weeks_gets_what_there_is():
    after = datetime(2026, 11, 30, tzinfo=UTC)
    always = Diary(PARIS, None, ((after, after + timedelta(days=58)),))
    found = suggest([always, Diary(CASABLANCA, NIGHT)], after)
    assert [at.date() for at in found] == [date(2027, 1, 27), date(2027, 1, 28)]
