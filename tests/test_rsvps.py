"""Seats: one tap to take one, one to give it back, and never more than there are."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from storage import events, rsvps, waitlist
from storage.database import Storage
from storage.rsvps import HOLDING, SEATED, Answer
from storage.tables import Event, Member, Role, Rsvp, Seat, Session
from tests.town import Town, drawn

PANEL_TWO_EN = (
    "Panel 2: Energy, energy efficiency and environment\n"
    "📅 Wednesday, July 4, 2018\n🕘 10:30 – 12:30 (Rabat time)\n📍 Room B\n"
    "Themes: Agriculture and agri-food, Environment and renewable energy\n"
)
NOW = datetime(2018, 7, 3, 8, 0, tzinfo=UTC)


async def test_a_seat_takes_two_taps_from_the_link_and_is_given_back_with_one(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    await emma.says("/start rabat-2018")
    await emma.taps("10:30 Panel 2: Energy, energy efficiency…")
    assert await emma.taps("Take a seat") == [
        "(Your seat is taken. I will remind you before it begins.)",
        f"{PANEL_TWO_EN}Seats: 29 seats free\n\n✅ You have a seat.\n"
        "[🎟 My ticket]\n[Give up my seat]\n[‹ Agenda] [My agenda] [Share]",
    ]
    assert await emma.taps("Give up my seat") == [
        "(Done: your seat is free for somebody else.)",
        f"{PANEL_TWO_EN}Seats: 30 seats free\n[Take a seat]\n[‹ Agenda] [My agenda] [Share]",
    ]


async def test_the_card_names_who_speaks(town: Town):
    await town.programme()
    names = ["Salma Idrissi", "Amine El Fassi", *"ABCDEFG"]
    emma, bilal = await town.member("Emma", "en"), await town.member("Bilal", "ar")
    panel = await town.session("panel-2", speakers=names[:2], capacity=None)
    (card,) = await emma.says(f"/start s_{panel.id}")
    assert card.split("\n")[6] == "🗣 Salma Idrissi, Amine El Fassi"
    await town.session("panel-2", speakers=names)
    (card,) = await emma.says(f"/start s_{panel.id}")
    assert card.split("\n")[6] == "🗣 Salma Idrissi, Amine El Fassi, A, B, C, D, E, F and 1 more"
    (card,) = await bilal.says(f"/start s_{panel.id}")
    assert card.split("\n")[6] == "🗣 Salma Idrissi، Amine El Fassi، A، B، C، D، E، F وآخر واحد"


async def test_a_full_session_keeps_a_line_in_order(town: Town):
    await town.programme()
    await town.session("panel-2", capacity=1)
    amal, bilal, emma = [await town.member(n, "en") for n in ("Amal", "Bilal", "Emma")]
    await town.seat(amal, "panel-2")
    await town.seat(bilal, "panel-2")
    await emma.says("/agenda")
    assert await emma.taps("10:30 Panel 2: Energy, energy efficiency…") == [
        f"{PANEL_TWO_EN}Seats: full, 1 person on the waitlist\n"
        "[Join the waitlist]\n[‹ Agenda] [My agenda] [Share]"
    ]
    assert await emma.taps("Join the waitlist") == [
        "(The session is full: you are on the waitlist.)",
        f"{PANEL_TWO_EN}Seats: full, 2 people on the waitlist\n\n"
        "⏳ You are number 2 on the waitlist.\n[Leave the waitlist]\n[‹ Agenda] [My agenda] [Share]",
    ]
    assert await emma.taps("My agenda") == [
        "My agenda\n\nWednesday, July 4, 2018\n"
        "10:30 – 12:30 · Panel 2: Energy, energy efficiency and environment · Room B\n"
        "⏳ number 2 on the waitlist\n[10:30 Panel 2: Energy…] [✕ Give up]\n[📅 Calendar file (.ics)]"
    ]
    # A seat that is given back belongs to the line, not to who comes by.
    await amal.says("/myagenda")
    await amal.taps("✕ Give up")
    assert await town.seat(await town.member("Late", "en"), "panel-2") == Answer.WAITLISTED
    await bilal.says("/myagenda")
    await bilal.taps("✕ Give up")
    (mine,) = await emma.says("/myagenda")
    assert "⏳ number 1 on the waitlist" in mine


async def test_overlapping_seats_are_pointed_out_and_swapped(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    await town.seat(emma, "panel-1")
    await emma.says("/agenda")
    await emma.taps("10:30 Panel 2: Energy, energy efficiency…")
    choice = (
        "Panel 2: Energy, energy efficiency and environment\n"
        "is at the same time as a seat you already have:\n"
        "• 10:30 – 12:30 Panel 1: Data and digital technologies\n"
        "[Swap: take the new one]\n[Keep what I have]"
    )
    assert await emma.taps("Take a seat") == [choice]
    card = f"{PANEL_TWO_EN}Seats: 30 seats free\n[Take a seat]\n[‹ Agenda] [My agenda] [Share]"
    assert await emma.taps("Keep what I have") == [card]
    assert await emma.taps("Take a seat") == [choice]
    assert await emma.taps("Swap: take the new one") == [
        "(Swapped: the new seat is yours, the other one is given back.)",
        f"{PANEL_TWO_EN}Seats: 29 seats free\n\n✅ You have a seat.\n"
        "[🎟 My ticket]\n[Give up my seat]\n[‹ Agenda] [My agenda] [Share]",
    ]
    assert await emma.says("/myagenda") == [
        "My agenda\n\nWednesday, July 4, 2018\n"
        "10:30 – 12:30 · Panel 2: Energy, energy efficiency and environment · Room B\n"
        "[10:30 Panel 2: Energy…] [✕ Give up]\n[🎟 My ticket]\n[📅 Calendar file (.ics)]"
    ]


async def test_nobody_gives_up_a_seat_for_a_place_in_line(town: Town):
    await town.programme()
    await town.session("panel-2", capacity=0)
    emma = await town.member("Emma", "en")
    await town.seat(emma, "panel-1")
    assert await town.seat(emma, "panel-2") == Answer.WAITLISTED
    (mine,) = await emma.says("/myagenda")
    assert "10:30 – 12:30 · Panel 1: Data and digital technologies · Room A\n" in mine
    assert "⏳ number 1 on the waitlist" in mine


async def test_two_taps_at_once_take_one_seat(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    await emma.says("/agenda")
    await emma.taps("10:30 Panel 2: Energy, energy efficiency…")
    card = emma.last
    emma.person.taps("Take a seat", card)
    assert await emma.taps("Take a seat", card) == [
        "(Your seat is taken. I will remind you before it begins.)",
        "(You are already on the list.)",
        f"{PANEL_TWO_EN}Seats: 29 seats free\n\n✅ You have a seat.\n"
        "[🎟 My ticket]\n[Give up my seat]\n[‹ Agenda] [My agenda] [Share]",
    ]


async def test_an_empty_agenda_of_ones_own_leads_to_the_programme(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    (mine,) = await emma.says("/myagenda")
    assert mine.startswith(
        "You have no seat yet. Choose a session below, then tap “Take a seat”.\n\n1st Thematic"
    )


@pytest.mark.parametrize(
    ("change", "toast", "status"),
    [
        (
            {"cancelled_at": NOW},
            "(This session is cancelled.)",
            "❌ This session is cancelled.",
        ),
        (
            {"starts_at": NOW - timedelta(hours=2), "ends_at": NOW - timedelta(hours=1)},
            "(This session is over.)",
            "This session is over.",
        ),
    ],
)
async def test_an_old_button_is_answered_with_the_truth(town: Town, change, toast, status):
    await town.programme()
    emma = await town.member("Emma", "en")
    await emma.says("/agenda")
    await emma.taps("10:30 Panel 2: Energy, energy efficiency…")
    await town.session("panel-2", **change)
    told, card = await emma.taps("Take a seat")
    assert told == toast
    assert card.endswith(f"\n\n{status}\n[‹ Agenda] [My agenda]")


async def test_a_forged_button_opens_nothing(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    await emma.says("/agenda")
    agenda = drawn(emma.last)
    gone = f"This session is no longer in the programme.\n\n{agenda}"
    assert await emma.after(emma.person.taps_data("take:999999:0")) == [gone]
    assert await emma.after(emma.person.taps_data("day:1:999999999:0")) == [agenda]
    assert await emma.after(emma.person.taps_data("card:-1")) == [gone]
    for data in ("take:x:y", "nonsense", "pick:name:Eve", "amend:password", "lead:7"):
        assert (await emma.after(emma.person.taps_data(data)))[0] in {
            "(This button is from an older message. /help shows the way.)",
            "(This question is closed. /settings corrects what you told me.)",
        } or data.startswith(("amend", "lead"))
    async with town.app.storage.read() as db:
        assert await db.scalar(select(func.count()).select_from(Rsvp)) == 0


async def _a_town_hall(storage: Storage, people: int, capacity: int) -> tuple[int, int]:
    """Make an event with two overlapping sessions; the ids of both."""
    async with storage.begin() as db:
        db.add_all(Member(role=Role.MEMBER, created_at=NOW) for _ in range(people))
        title = {"en": "Hall", "fr": "Salle", "ar": "قاعة"}
        event = Event(
            slug=f"hall-{people}-{capacity}-{datetime.now(UTC).timestamp()}",
            title=title,
            timezone="Africa/Casablanca",
            starts=NOW.date(),
            ends=NOW.date() + timedelta(days=1),
        )
        db.add(event)
        await db.flush()
        sessions = [
            Session(
                event_id=event.id,
                slug=f"s{number}",
                kind="panel",
                title=title,
                starts_at=NOW + timedelta(hours=2),
                ends_at=NOW + timedelta(hours=3),
                capacity=capacity,
                online=False,
            )
            for number in range(2)
        ]
        db.add_all(sessions)
        await db.flush()
        return sessions[0].id, sessions[1].id


async def _counts(storage: Storage, session_id: int) -> dict[Seat, int]:
    async with storage.read() as db:
        rows = await db.execute(
            select(Rsvp.state, func.count())
            .where(Rsvp.session_id == session_id)
            .group_by(Rsvp.state)
        )
        return dict(rows.all())


async def test_forty_taps_at_once_fill_exactly_the_seats(storage: Storage):
    first, _ = await _a_town_hall(storage, people=40, capacity=12)

    async def tap(member_id: int) -> None:
        async with storage.begin() as db:
            member = await db.get_one(Member, member_id)
            await rsvps.request_seat(db, member, first, NOW)

    async with storage.read() as db:
        ids = (await db.scalars(select(Member.id))).all()
    await asyncio.gather(*map(tap, ids))
    assert await _counts(storage, first) == {Seat.CONFIRMED: 12, Seat.WAITLISTED: 28}


async def test_swaps_across_each_other_neither_wait_for_ever_nor_overfill(storage: Storage):
    first, second = await _a_town_hall(storage, people=10, capacity=10)
    async with storage.begin() as db:
        members = (await db.scalars(select(Member).order_by(Member.id))).all()
        for number, member in enumerate(members):
            await rsvps.request_seat(db, member, (first, second)[number % 2], NOW)

    async def swap(number: int, member_id: int) -> None:
        async with storage.begin() as db:
            member = await db.get_one(Member, member_id)
            await rsvps.request_seat(db, member, (second, first)[number % 2], NOW, swap=True)

    await asyncio.gather(*(swap(n, member.id) for n, member in enumerate(members)))
    for session in (first, second):
        assert await _counts(storage, session) == {Seat.CONFIRMED: 5, Seat.CANCELLED: 5}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "swap", "give", "tend"]), st.integers(0, 3), st.integers(0, 1)
    ),
    max_size=25,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(capacity=st.integers(0, 3), steps=STEPS)
async def test_whatever_people_do_seats_and_line_stay_true(storage: Storage, capacity, steps):
    halls = await _a_town_hall(storage, people=4, capacity=capacity)
    async with storage.read() as db:
        members = (await db.scalars(select(Member).order_by(Member.id.desc()).limit(4))).all()
    for number, (verb, who, where) in enumerate(steps):
        async with storage.begin() as db:
            now = NOW + timedelta(minutes=7 * number)
            if verb == "tend":
                await waitlist.tend(db, now)
            elif verb == "give":
                await rsvps.give_up(db, members[who], halls[where], now)
            else:
                await rsvps.request_seat(db, members[who], halls[where], now, swap=verb == "swap")
    async with storage.read() as db:
        for hall in halls:
            rows = (await db.scalars(select(Rsvp).where(Rsvp.session_id == hall))).all()
            assert sum(row.state in HOLDING for row in rows) <= capacity
            line = sorted(
                (row for row in rows if row.state == Seat.WAITLISTED),
                key=lambda row: (row.since, row.id),
            )
            places = [await events.place_in_line(db, row) for row in line]
            assert places == list(range(1, len(line) + 1))
        for member in members:
            held = select(func.count()).where(
                Rsvp.member_id == member.id, Rsvp.state.in_(SEATED), Rsvp.session_id.in_(halls)
            )
            assert (await db.scalars(held)).one() <= 1
