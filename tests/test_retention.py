"""Retention: nothing stays longer than the notice says, and what is counted stays as it was."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from storage import (
    audit,
    figures,
    members,
    outbox,
    overviews,
    ratings,
    retention,
    room,
)
from storage.conversations import Remembered, remember_answers
from storage.tables import (
    Address,
    Audit,
    Erasure,
    Event,
    Fate,
    Lane,
    Member,
    Outbox,
    Rating,
    Role,
    Rsvp,
    Seat,
    Session,
    Ticket,
    Update,
    WalkIn,
)
from storage.terms import Retention
from tests.town import EVE, Town

NOW = datetime(2026, 12, 1, 10, tzinfo=UTC)
KEPT = Retention()


async def tend(storage, now, kept=KEPT):
    """As the clock does it."""
    for step in retention.steps():
        again = True
        while again:
            async with storage.begin() as db:
                again = await step(db, kept, now)


async def somebody(db, address, *, registered=True, at=NOW):
    member = await members.meet(db, "telegram", address, at)
    member.seen_at = at
    if registered:
        member.name, member.registered_at = f"Amal {address}", at
    await db.flush()
    return member


async def letter(db, member, number, *, settled_at, state=Fate.SENT):
    outbox.post(db, key=f"k{number}", member_id=member.id, kind="offer", about={}, due=settled_at)
    await db.flush()
    row = await db.scalar(select(Outbox).where(Outbox.key == f"k{number}"))
    row.state, row.settled_at, row.lane = state, settled_at, Lane.PERSONAL
    row.sent_text, row.address = "Dear Amal", member.name or "1"
    await db.flush()
    return row.id


async def test_answers_go_after_their_hours(storage):
    async with storage.begin() as db:
        for hours in (47, 49):
            at = NOW - timedelta(hours=hours)
            await remember_answers(db, "telegram", [Remembered(hours, [{}])], at)
    await tend(storage, NOW)
    async with storage.read() as db:
        assert (await db.scalars(select(Update.update_id))).all() == [47]


async def test_the_words_of_letters_go_after_their_days_and_the_letters_with_the_seats(storage):
    async with storage.begin() as db:
        amal = await somebody(db, "1")
        for days in (400, 31, 29):
            await letter(db, amal, days, settled_at=NOW - timedelta(days=days))
    await tend(storage, NOW)
    async with storage.read() as db:
        told = select(Outbox.key, Outbox.sent_text, Outbox.address, Outbox.state)
        rows = await db.execute(told.order_by(Outbox.id))
    assert rows.all() == [
        ("k31", None, None, Fate.SENT),
        ("k29", "Dear Amal", "Amal 1", Fate.SENT),
    ]


async def test_a_letter_that_waits_is_not_touched_however_old(storage):
    async with storage.begin() as db:
        amal = await somebody(db, "1")
        outbox.post(
            db,
            key="old",
            member_id=amal.id,
            kind="offer",
            about={},
            due=NOW - timedelta(days=900),
        )
    await tend(storage, NOW)
    async with storage.read() as db:
        assert await db.scalar(select(Outbox.state)) == Fate.QUEUED


# --- seats ----------------------------------------------------------------------------------

SEATS = st.tuples(
    st.integers(0, 4),  # who
    st.integers(0, 2),  # which session
    st.sampled_from(list(Seat)),
    st.integers(0, 2),  # guests
    st.none() | st.integers(1, 5),  # stars
)


async def an_old_event(db, held, slug):
    """An event of 400 days ago, with these seats, ratings, a door and walk-ins."""
    day = NOW - timedelta(days=400)
    event = Event(slug=slug, title={"fr": "A"}, timezone="UTC", starts=day.date(), ends=day.date())
    db.add(event)
    await db.flush()
    sessions = [
        Session(
            event_id=event.id,
            slug=f"s{number}",
            kind="panel",
            title={"fr": "S"},
            starts_at=day + timedelta(hours=number),
            ends_at=day + timedelta(hours=number + 1),
            capacity=10,
        )
        for number in range(3)
    ]
    people = [await somebody(db, f"{slug}{number}") for number in range(5)]
    db.add_all(sessions)
    await db.flush()
    for (who, where), (state, guests, stars) in held.items():
        member, session = people[who], sessions[where]
        db.add(
            Rsvp(session_id=session.id, member_id=member.id, state=state, since=day, guests=guests)
        )
        if stars:
            rating = Rating(session_id=session.id, member_id=member.id, stars=stars, at=day)
            rating.sentence = "My name is Amal"
            db.add(rating)
    db.add(Ticket(code=f"{slug}1", member_id=people[0].id, event_id=event.id, used_at=day))
    db.add(Ticket(code=f"{slug}2", member_id=people[1].id, event_id=event.id))
    db.add(WalkIn(event_id=event.id, session_id=sessions[0].id, member_id=people[2].id, at=day))
    await db.flush()
    return event.id, [one.id for one in sessions]


async def counted(storage, event_id, sessions):
    """All that staff are told in numbers."""
    async with storage.read() as db:
        event = await db.get_one(Event, event_id)
        entered = Ticket.event_id == event_id, Ticket.used_at.is_not(None)
        return (
            [
                (one.session.id, one.seats, one.taken, one.attended, one.average)
                for one in await figures.of_event(db, event)
            ],
            await overviews.of_event(db, event),
            [(await overviews.of_session(db, one) or ())[2:] for one in sessions],
            [await room.tally(db, one) for one in sessions],
            (await room.people(db, [event_id], 0))[event_id].all,
            [(await ratings.tally(db, one)).counts for one in sessions],
            await db.scalar(select(func.count()).select_from(Ticket).where(*entered)),
            await db.scalar(
                select(func.count()).select_from(WalkIn).where(WalkIn.event_id == event_id)
            ),
        )


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seats=st.lists(SEATS, max_size=12))
async def test_seats_of_an_old_event_lose_their_names_and_no_count(storage, seats):
    held = {(who, where): rest for who, where, *rest in seats}
    async with storage.begin() as db:
        event, sessions = await an_old_event(db, held, uuid4().hex[:20])
    before = await counted(storage, event, sessions)
    await tend(storage, NOW, Retention(inactive_months=120))
    assert await counted(storage, event, sessions) == before
    async with storage.read() as db:
        for table in (Rsvp, Rating, Ticket, WalkIn):
            assert not (await db.scalars(select(table.member_id).where(table.member_id > 0))).all()
        assert (
            await db.scalars(select(Rating.sentence).where(Rating.sentence.is_not(None)))
        ).all() == []
        assert (await db.get_one(Event, event)).nameless_at == NOW


async def test_seats_of_a_younger_event_keep_their_names(storage):
    async with storage.begin() as db:
        event, _ = await an_old_event(db, {(0, 0): (Seat.CHECKED_IN, 0, 5)}, "young")
    await tend(storage, NOW - timedelta(days=100), Retention())
    async with storage.read() as db:
        assert (await db.scalars(select(Rsvp.member_id))).all() != []
        assert (await db.scalars(select(Rsvp.member_id).where(Rsvp.member_id < 0))).all() == []
        assert (await db.get_one(Event, event)).nameless_at is None


# --- people ---------------------------------------------------------------------------------


async def test_strangers_who_fell_silent_are_forgotten_and_members_are_not(storage):
    long_ago = NOW - timedelta(days=31)
    async with storage.begin() as db:
        await somebody(db, "1", registered=False, at=long_ago)
        await somebody(db, "2", at=long_ago)
        await somebody(db, "3", registered=False, at=NOW - timedelta(days=29))
        invited = await somebody(db, "4", registered=False, at=long_ago)
        invited.role = Role.STAFF
    await tend(storage, NOW)
    async with storage.read() as db:
        left = await db.scalars(select(Address.address).order_by(Address.id))
        assert left.all() == ["2", "3", "4"]


ASKED_FR = (
    "Êtes-vous toujours là, Amal ? Je n'ai plus de vos nouvelles depuis longtemps. Dois-je garder "
    "votre profil ? Sans réponse d'ici le vendredi 7 août 2020, je vous oublie, avec tout ce que je "
    "conserve à votre sujet.\n[Garder mon profil]\n[Oubliez-moi]"
)


async def test_who_is_silent_for_two_years_is_asked_once_and_then_forgotten(town: Town):
    amal, bilal = await town.member("Amal", "fr"), await town.member("Bilal", "en")
    await amal.says("/help")
    await bilal.says("/help")
    later = datetime(2020, 7, 8, 12, tzinfo=UTC)
    await town.is_now(later)
    await town.app.keep_to_the_terms()
    await town.is_now(later)
    assert amal.heard()[-1] == ASKED_FR
    assert await bilal.taps("Keep my profile") == ["Thank you: your profile stays as it is."]
    for days in (1, 29):
        await town.is_now(later + timedelta(days=days))
        await town.app.keep_to_the_terms()
        await town.is_now(later + timedelta(days=days))
    assert [said for said in amal.heard() if "Êtes-vous" in said] == []
    async with town.app.storage.read() as db:
        assert (await town.member_of(db, amal)).name == "Amal"
    await town.is_now(later + timedelta(days=31))
    await town.app.keep_to_the_terms()
    async with town.app.storage.read() as db:
        assert (await db.scalars(select(Member.name).where(Member.name.is_not(None)))).all() == [
            "Bilal"
        ]
        assert await db.scalar(select(func.count()).select_from(Erasure)) == 1


async def test_being_seen_is_written_at_most_once_a_day(town: Town):
    amal = await town.member("Amal", "en")
    seen = []
    for hours in (0, 23, 25):
        await town.is_now(EVE + timedelta(hours=hours))
        await amal.says("/help")
        async with town.app.storage.read() as db:
            seen.append((await town.member_of(db, amal)).seen_at)
    assert seen == [EVE, EVE, EVE + timedelta(hours=25)]


async def test_old_acts_and_erasures_are_dropped(storage):
    async with storage.begin() as db:
        await audit.record(db, None, "event.created", NOW - timedelta(days=4 * 365))
        await audit.record(db, None, "event.created", NOW - timedelta(days=2 * 365))
        db.add(Erasure(digest="a", at=NOW - timedelta(days=4 * 365)))
        db.add(Erasure(digest="b", at=NOW))
    await tend(storage, NOW)
    async with storage.read() as db:
        assert await db.scalar(select(func.count()).select_from(Audit)) == 1
        assert (await db.scalars(select(Erasure.digest))).all() == ["b"]


@pytest.mark.parametrize(
    ("months", "then"), [(1, "2026-10-28"), (12, "2025-11-28"), (23, "2024-12-28")]
)
def test_months_are_those_of_the_calendar(months, then):
    moment = datetime(2026, 11, 30, 9, tzinfo=UTC)
    assert retention.months_before(moment, months) == datetime.fromisoformat(f"{then}T09:00Z")
