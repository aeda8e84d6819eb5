"""Whoever is forgotten is gone: no column of no table knows them any more; what counts, counts on."""

import json
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, text

from storage import figures, forgetting, members, overviews, room, rsvps, waitlist
from storage.forgetting import forget
from storage.tables import (
    Address,
    Base,
    Conversation,
    Event,
    Member,
    Rating,
    Role,
    Rsvp,
    Seat,
    Session,
    Side,
    Ticket,
    Update,
)

NOW = datetime(2026, 12, 1, 10, tzinfo=UTC)
# What no honest text holds.
CANARY = "Zqx7canary"


async def somebody(db, name="Amal", address="1", role=Role.MEMBER):
    member = await members.meet(db, "telegram", address, NOW)
    profile = members.Profile(name, "FR", "Lyon", None, None, (), Side.DIASPORA)
    await members.register(db, member, profile, NOW)
    member.language, member.role = "fr", role
    return member


async def an_event(db, *, days=1, sessions=2, capacity=5):
    """An event, `days` from now, with sessions one after the other."""
    starts = NOW + timedelta(days=days)
    title = {"fr": "Atelier"}
    event = Event(
        slug=f"e{days}", title=title, timezone="UTC", starts=starts.date(), ends=starts.date()
    )
    db.add(event)
    await db.flush()
    found = [
        Session(
            event_id=event.id,
            slug=f"s{number}",
            kind="panel",
            title=title,
            starts_at=starts + timedelta(hours=number),
            ends_at=starts + timedelta(hours=number + 1),
            capacity=capacity,
        )
        for number in range(sessions)
    ]
    db.add_all(found)
    await db.flush()
    return event, found


async def dumped(storage):
    """Every row of every table, as one text."""
    async with storage.read() as db:
        rows = [
            [table.name, *row]
            for table in Base.metadata.sorted_tables
            for row in await db.execute(select(table))
        ]
    return json.dumps(rows, default=str, ensure_ascii=False)


async def test_their_profile_and_addresses_are_gone_and_their_id_is_nobodys(storage):
    async with storage.begin() as db:
        amal = await somebody(db, CANARY)
        kept = amal.id
        db.add(Conversation(key="telegram:1", state="asking", data={"draft": CANARY}))
        db.add(Update(channel="telegram", update_id=7, at=NOW, answer=[CANARY], member_id=amal.id))
        await db.flush()
        await forget(db, amal, NOW)
    assert CANARY not in await dumped(storage)
    async with storage.begin() as db:
        blank = await db.get(Member, kept)
        assert (blank.name, blank.language, blank.registered_at) == (None, None, None)
        assert await db.scalar(select(func.count()).select_from(Address)) == 0
        back = await members.meet(db, "telegram", "1", NOW)
        assert back.id != kept
        assert back.registered_at is None


async def test_a_seat_to_come_is_given_to_the_line(storage):
    async with storage.begin() as db:
        amal, bilal = await somebody(db), await somebody(db, "Bilal", "2")
        _, (panel, other) = await an_event(db, capacity=1)
        for one in (amal, bilal):
            await rsvps.request_seat(db, one, panel.id, NOW)
        await rsvps.request_seat(db, amal, other.id, NOW)
        assert await forgetting.to_come(db, amal, NOW) == 2
    async with storage.begin() as db:
        await forget(db, amal, NOW)
    async with storage.begin() as db:
        assert await waitlist.tend(db, NOW) == 1
    async with storage.read() as db:
        held = (await db.execute(select(Rsvp.member_id, Rsvp.state))).all()
    assert held == [(bilal.id, Seat.OFFERED)]


async def counted(db, event, sessions):
    """All that staff are told in numbers."""
    return (
        [
            (one.session.id, one.seats, one.taken, one.attended, one.average)
            for one in await figures.of_event(db, event)
        ],
        await overviews.of_event(db, event),
        [await room.tally(db, one.id) for one in sessions],
        await room.people(db, [event.id], 0),
        (await db.scalars(select(Rating.stars).order_by(Rating.stars))).all(),
        await db.scalar(select(func.count(Ticket.used_at))),
    )


async def test_what_was_counted_at_an_event_counts_on(storage):
    async with storage.begin() as db:
        amal, bilal = await somebody(db), await somebody(db, "Bilal", "2")
        event, sessions = await an_event(db)
        for one in (amal, bilal):
            for session in sessions:
                await rsvps.request_seat(db, one, session.id, NOW)
            db.add(Rating(session_id=sessions[0].id, member_id=one.id, stars=4, at=NOW))
            db.add(
                Ticket(code=f"{CANARY}{one.id}", member_id=one.id, event_id=event.id, used_at=NOW)
            )
        checked_in = await db.scalar(select(Rsvp).where(Rsvp.member_id == amal.id).limit(1))
        checked_in.state = Seat.CHECKED_IN
        rating = await db.get(Rating, (sessions[0].id, amal.id))
        rating.sentence = CANARY
    later = NOW + timedelta(days=2)
    async with storage.read() as db:
        before = await counted(db, event, sessions)
    async with storage.begin() as db:
        await forget(db, amal, later)
        await forget(db, bilal, later)
    async with storage.read() as db:
        assert await counted(db, event, sessions) == before
        assert not (await db.scalars(select(Rsvp).where(Rsvp.member_id > 0))).all()
        nobodies = (await db.scalars(select(Member).where(Member.id < 0))).all()
    assert len(nobodies) == 2
    assert {one.created_at.date() for one in nobodies} == {event.starts}
    assert CANARY not in await dumped(storage)


async def test_an_erasure_is_applied_again_to_an_older_copy(storage):
    async with storage.begin() as db:
        amal, bilal = await somebody(db), await somebody(db, "Bilal", "2")
        await forget(db, amal, NOW)
    async with storage.read() as db:
        known = await forgetting.erasures(db)
    assert known.of("telegram", "1") == NOW
    assert known.of("telegram", "2") is None
    async with storage.begin() as db:
        # As a backup from before would have it.
        await db.execute(text("DELETE FROM erasure"))
        await db.execute(text("DELETE FROM erasure_key"))
        again = await members.meet(db, "telegram", "1", NOW - timedelta(days=3))
        await forget(db, bilal, NOW)
        assert await forgetting.apply_again(db, known, NOW + timedelta(hours=1)) == 1
    async with storage.read() as db:
        assert (await db.scalars(select(Address))).all() == []
        assert (await db.get(Member, again.id)).language is None
        assert set((await forgetting.erasures(db)).at) == set(known.at)


async def test_whoever_came_back_is_not_forgotten_by_a_restore(storage):
    async with storage.begin() as db:
        await forget(db, await somebody(db), NOW)
        known = await forgetting.erasures(db)
        back = await somebody(db, "Amal again")
        back.created_at = NOW + timedelta(minutes=1)
        await db.flush()
        assert await forgetting.apply_again(db, known, NOW + timedelta(days=1)) == 0
    async with storage.read() as db:
        assert (await db.get(Member, back.id)).name == "Amal again"


async def test_the_last_administrator_is_known(storage):
    async with storage.begin() as db:
        amal = await somebody(db, role=Role.ADMIN)
        assert await forgetting.is_last_admin(db, amal)
        bilal = await somebody(db, "Bilal", "2", role=Role.ADMIN)
        assert not await forgetting.is_last_admin(db, amal)
        bilal.role = Role.STAFF
        await db.flush()
        assert not await forgetting.is_last_admin(db, bilal)
