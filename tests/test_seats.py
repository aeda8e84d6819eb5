"""Seats under any course of events: a state machine, and sixty-four people at once.

What must be true is in `tests/halls.py`; `python -m tests.soak seats` does it at full size.
"""

import asyncio
import itertools
import random
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select, update

from storage import company, room, rsvps, standings, waitlist
from storage.database import open_storage
from storage.tables import Member, Rsvp, Seat, Session
from tests import halls
from tests.halls import OPENING, Act

CLIENTS, WISHES = 64, 5
PEOPLE = 6


class Seats(RuleBasedStateMachine):
    """A few people, three sessions, and staff who change their minds."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.open = open_storage(self.url)
        self.storage = self.runner.run(self.open.__aenter__())
        self.halls = halls.Halls(0, (), ())
        self.now: datetime = OPENING
        self.lines: dict[int, list[int]] = {}
        self.tended = False

    @initialize(
        capacities=some.tuples(*[some.none() | some.integers(1, 3)] * 3),
        event_capacity=some.none() | some.integers(2, 5),
        promotes=some.booleans(),
        first=some.permutations(range(PEOPLE)),
    )
    def begin(self, capacities, event_capacity, promotes, first):
        self.halls = self.runner.run(
            halls.build(
                self.storage,
                people=PEOPLE,
                capacities=capacities,
                event_capacity=event_capacity,
                promotes=promotes,
            )
        )
        # Everybody wants something from the first, so that there are lines.
        for who in first:
            self.runner.run(self._does(Act("take", who, who % 3)))
            self.runner.run(self._does(Act("take", who, (who + 2) % 3)))
        # Of those who wait, some with others.
        for who in first[-4::2]:
            self.runner.run(self._does(Act("guests", who, who % 3, 2)))
            self.runner.run(self._does(Act("guests", who, (who + 2) % 3, 1)))

    async def _does(self, wish: Act) -> None:
        self.now += timedelta(minutes=1)
        async with self.storage.begin() as db:
            await halls.act(db, self.halls, wish, self.now)
        self.tended = wish.verb == "tend"
        async with self.storage.read() as db:
            for session in self.halls.sessions:
                line = [rsvp.member_id for rsvp, _ in await waitlist.line(db, session)]
                self._kept(self.lines.get(session, []), line, wish)
                self.lines[session] = line

    def _kept(self, before: list[int], line: list[int], wish: Act) -> None:
        """Nobody passes anybody: people leave, the last comer is last, the served were first."""
        stayed = [one for one in before if one in line]
        assert line[: len(stayed)] == stayed
        assert len(line) - len(stayed) <= (wish.verb in {"take", "swap"})
        if wish.verb == "tend":
            assert before[len(before) - len(stayed) :] == stayed

    @rule(
        verb=some.sampled_from(["give", "give", "take", "take", "swap", "arrive"]),
        who=some.integers(0, PEOPLE - 1),
        where=some.integers(0, 2),
    )
    def somebody_does(self, verb, who, where):
        self.runner.run(self._does(Act(verb, who, where)))

    @rule(who=some.integers(0, PEOPLE - 1), where=some.integers(0, 2), number=some.integers(0, 2))
    def somebody_brings_guests(self, who, where, number):
        self.runner.run(self._does(Act("guests", who, where, number)))

    @rule(where=some.integers(0, 2), number=some.integers(0, 5))
    def staff_resize(self, where, number):
        self.runner.run(self._does(Act("resize", 0, where, number)))

    @rule(hours=some.sampled_from([0, 0, 1, 3]))
    def the_clock_looks(self, hours):
        # After three hours every offer has lapsed.
        self.now += timedelta(hours=hours)
        self.runner.run(self._does(Act("tend")))

    @precondition(lambda self: self.halls.event)
    @invariant()
    def nobody_sits_on_another(self):
        self.runner.run(self._looked())

    async def _looked(self) -> None:
        async with self.storage.read() as db:
            assert await halls.faults(db, self.halls) == []
            if self.tended:
                assert await halls.unserved(db, self.halls) == []
            assert await halls.untold(db, self.halls) == 0
            at_once = (
                select(func.count())
                .where(
                    Rsvp.session_id.in_(self.halls.sessions[:2]),
                    Rsvp.state.in_(room.SEATED),
                )
                .group_by(Rsvp.member_id)
            )
            assert max((await db.scalars(at_once)).all(), default=0) <= 1

    def teardown(self):
        if self.halls.event:
            self.runner.run(halls.close(self.storage, self.halls))
        self.runner.run(self.open.__aexit__(None, None, None))
        self.runner.close()


def test_whatever_people_and_staff_do_seats_and_lines_stay_true(database_url):
    machine = type("SeatsHere", (Seats,), {"url": database_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


WISHED = some.builds(
    Act,
    some.sampled_from(["take", "take", "take", "swap", "give", "guests", "arrive", "resize"]),
    some.integers(0, PEOPLE - 1),
    some.integers(0, 2),
    some.integers(0, 5),
)


async def _answers(storage, crowd, wishes, *, shared):
    """What each was answered, and all RSVPs in the end, by the places of people and sessions."""
    told = []

    async def answer(db, number, wish):
        outcome = await halls.answered(db, crowd, wish, OPENING + timedelta(minutes=number))
        stands = outcome.standing if outcome else None
        numbers = stands and (stands.taken, stands.waiting, stands.in_line)
        told.append(outcome and (outcome.answer, outcome.event_full, numbers))

    if shared:
        async with storage.begin() as db:
            # As the intake has them; to look one up would write what waits for the commit.
            known = (await db.scalars(select(Member).where(Member.id.in_(crowd.people)))).all()
            company.share(db, known)
            for number, wish in enumerate(wishes):
                await answer(db, number, wish)
            del known
    else:
        for number, wish in enumerate(wishes):
            async with storage.begin() as db:
                await answer(db, number, wish)
    async with storage.read() as db:
        rows = await db.scalars(select(Rsvp).where(Rsvp.session_id.in_(crowd.sessions)))
        kept = {
            (crowd.sessions.index(row.session_id), crowd.people.index(row.member_id)): (
                *(row.state, row.since, row.guests),
            )
            for row in rows
        }
        return told, kept, await halls.faults(db, crowd)


@given(
    wishes=some.lists(WISHED, min_size=4, max_size=25),
    capacities=some.tuples(*[some.none() | some.integers(1, 3)] * 3),
    event_capacity=some.none() | some.integers(2, 5),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_who_shares_a_transaction_is_answered_as_if_alone(
    database_url, wishes, capacities, event_capacity
):
    async def both():
        async with open_storage(database_url) as storage:
            alone, together = [
                await halls.build(
                    storage, people=PEOPLE, capacities=capacities, event_capacity=event_capacity
                )
                for _ in range(2)
            ]
            return (
                await _answers(storage, alone, wishes, shared=False),
                await _answers(storage, together, wishes, shared=True),
            )

    alone, together = asyncio.run(both())
    assert together == alone
    assert alone[-1] == []


async def test_whatever_is_written_between_them_is_counted_by_those_who_share_a_transaction(
    storage,
):
    crowd = await halls.build(storage, people=4, capacities=(9,), event_capacity=None)
    async with storage.begin() as db:
        amal, bilal, chama, driss = [await db.get_one(Member, one) for one in crowd.people]
        company.share(db, [amal, bilal, chama, driss])

        async def seated(member: Member) -> standings.Standing:
            outcome = await rsvps.request_seat(db, member, crowd.sessions[0], OPENING)
            assert outcome
            assert outcome.standing
            return outcome.standing

        first = await seated(amal)
        assert first.taken == 1
        assert (await seated(bilal)).taken == 2
        # By a rule that leaves it to the session to write.
        assert first.rsvp
        first.rsvp.state = Seat.CANCELLED
        assert (await seated(chama)).taken == 2
        # By one that the session knows nothing of.
        gone = update(Rsvp).where(Rsvp.member_id == bilal.id).values(state=Seat.CANCELLED)
        await db.execute(gone.execution_options(synchronize_session=False))
        assert (await seated(driss)).taken == 2


@pytest.mark.parametrize("promotes", [False, True])
async def test_sixty_four_people_at_once_fill_neither_a_session_nor_the_event_too_far(
    storage, promotes
):
    crowd = await halls.build(
        storage, people=CLIENTS, capacities=(12, 9, None), event_capacity=30, promotes=promotes
    )
    minutes = itertools.count(1)
    found: list[str] = []

    async def client(number: int) -> None:
        chance = random.Random(number)  # noqa: S311 - chaos that can be repeated
        for _ in range(WISHES):
            wish = halls.wished(crowd, chance)
            now = OPENING + timedelta(minutes=next(minutes))
            async with storage.begin() as db:
                # Each speaks for themselves; the clock and the staff are anybody.
                await halls.act(db, crowd, Act(wish.verb, number, wish.where, wish.number), now)
            async with storage.read() as db:
                found.extend(await halls.faults(db, crowd))

    await asyncio.gather(*map(client, range(CLIENTS)))
    assert found == []
    async with storage.begin() as db:
        await waitlist.tend(db, OPENING + timedelta(days=30))
    async with storage.read() as db:
        assert await halls.faults(db, crowd) == []
        assert await halls.unserved(db, crowd) == []
        rows = await db.scalar(select(func.count()).select_from(Rsvp))
        pairs = select(Rsvp.session_id, Rsvp.member_id).distinct().subquery()
        assert rows == await db.scalar(select(func.count()).select_from(pairs))
        assert rows > CLIENTS


async def test_the_invariants_bite(storage):
    small = await halls.build(storage, people=4, capacities=(2, None), event_capacity=3)
    async with storage.begin() as db:
        for member_id in small.people:
            db.add(
                Rsvp(
                    session_id=small.sessions[0],
                    member_id=member_id,
                    state=Seat.CONFIRMED,
                    since=OPENING,
                    guests=0,
                )
            )
    async with storage.read() as db:
        found = await halls.faults(db, small)
        where = await db.get_one(Session, small.sessions[0])
    assert found == [
        f"4 sit in session {where.id} of 2, 0 stayed",
        "4 people are in an event for 3",
    ]
