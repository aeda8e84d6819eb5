"""Parties, the capacity of a whole event, and seats that are given at once, as they are heard."""

from sqlalchemy import select

from storage import room, waitlist
from storage.rsvps import Answer
from storage.tables import Event, Outbox
from tests.town import EVE, Town

CARD = (
    "Panel 2: Energy, energy efficiency and environment\n📅 Wednesday, July 4, 2018\n"
    "🕘 10:30 – 12:30 (Rabat time)\n📍 Room B\n"
)
THEMES = "Themes: Agriculture and agri-food, Environment and renewable energy\n"
BELOW = "[Give up my seat]\n[‹ Agenda] [My agenda] [Share]"


async def the_workshop(town: Town, *, seats: int | None = 30, **changes) -> int:
    """The workshop in Rabat, whose second panel has so many seats; its id."""
    await town.programme()
    panel = await town.session("panel-2", capacity=seats)
    async with town.app.storage.begin() as db:
        event = await db.scalar(select(Event))
        assert event is not None
        for name, value in changes.items():
            setattr(event, name, value)
    return panel.id


async def test_guests_are_chosen_on_the_card_of_a_seat(town: Town):
    panel = await the_workshop(town, guests=2, capacity=None)
    emma = await town.member("Emma", "en")
    (card,) = await emma.says(f"/start s_{panel}")
    assert card.endswith("Seats: 30 seats free\n[Take a seat]\n[‹ Agenda] [My agenda] [Share]")
    choice = "[✅ Only me] [👥 +1] [👥 +2]\n"
    assert await emma.taps("Take a seat") == [
        "(Your seat is taken. I will remind you before it begins.)",
        f"{CARD}{THEMES}Seats: 29 seats free\n\n✅ You have a seat.\n"
        f"[🎟 My ticket]\n{choice}{BELOW}",
    ]
    with_two = (
        f"{CARD}{THEMES}Seats: 27 seats free\n\n✅ You have a seat.\n👥 With 2 guests\n"
        f"[🎟 My ticket]\n[👥 Only me] [👥 +1] [✅ +2]\n{BELOW}"
    )
    assert await emma.taps("👥 +2") == ["(Noted: your guests have seats too.)", with_two]
    (agenda,) = await emma.says("/myagenda")
    assert "Room B · 👥 +2\n" in agenda
    await emma.says(f"/start s_{panel}")
    assert (await emma.taps("👥 Only me"))[0] == "(Noted: you come alone.)"
    await emma.taps("👥 +1")
    # Who gives the seat back and takes it again comes alone at first.
    await emma.taps("Give up my seat")
    assert (
        f"29 seats free\n\n✅ You have a seat.\n[🎟 My ticket]\n{choice}"
        in (await emma.taps("Take a seat"))[1]
    )


async def test_an_event_without_guests_asks_nothing_and_refuses_an_old_button(town: Town):
    panel = await the_workshop(town, guests=2)
    emma = await town.member("Emma", "en")
    await town.seat(emma, "panel-2")
    await emma.says(f"/start s_{panel}")
    old = emma.last
    async with town.app.storage.begin() as db:
        (await db.get_one(Event, (await db.scalars(select(Event.id))).one())).guests = 0
    toast, card = await emma.taps("👥 +2", old)
    assert toast == "(Sorry, this event has no seats for so many guests.)"
    assert card.endswith(f"✅ You have a seat.\n[🎟 My ticket]\n{BELOW}")


async def test_guests_find_no_room_where_others_wait_or_the_event_is_full(town: Town):
    panel = await the_workshop(town, guests=2, seats=2, capacity=3)
    emma, amal, bilal = [await town.member(name, "en") for name in ("Emma", "Amal", "Bilal")]
    for somebody in (emma, amal):
        await town.seat(somebody, "panel-2")
    await emma.says(f"/start s_{panel}")
    toast, card = await emma.taps("👥 +1")
    assert toast == "(Sorry, there is no room for more guests at the moment.)"
    assert "[✅ Only me] [👥 +1] [👥 +2]" in card
    # Another panel has seats, and the event has one place left: for one person more, not two.
    other = await town.session("panel-1")
    assert await town.seat(bilal, "panel-1") == Answer.CONFIRMED
    await bilal.says(f"/start s_{other.id}")
    assert (await bilal.taps("👥 +1"))[0] == (
        "(Sorry, there is no room for more guests at the moment.)"
    )


async def test_a_full_event_has_a_line_though_its_sessions_have_seats(town: Town):
    panel = await the_workshop(town, capacity=1)
    amal, emma = await town.member("Amal", "en"), await town.member("Emma", "en")
    await town.seat(amal, "panel-2")
    (card,) = await emma.says(f"/start s_{panel}")
    assert card.endswith("Seats: full\n[Join the waitlist]\n[‹ Agenda] [My agenda] [Share]")
    toast, card = await emma.taps("Join the waitlist")
    assert toast == "(The whole event is full: you are on the waitlist.)"
    # Whoever is in already takes no further place in the event.
    assert await town.seat(amal, "opening") == Answer.CONFIRMED
    await town.is_now(EVE)
    assert emma.heard() == []
    for _ in range(2):
        await amal.says("/myagenda")
        await amal.taps("✕ Give up")
    await town.is_now(EVE)
    (offer,) = emma.heard()
    assert offer.startswith("✨ A seat is free for you\n")


async def test_a_party_waits_until_it_can_sit_together_and_nobody_passes_it(town: Town):
    panel = await the_workshop(town, guests=2, seats=3, capacity=None)
    seated = [await town.member(name, "en") for name in ("Amal", "Bilal", "Chloé")]
    emma, dina = await town.member("Emma", "en"), await town.member("Dina", "en")
    for somebody in (*seated, emma, dina):
        await town.seat(somebody, "panel-2")
    await emma.says(f"/start s_{panel}")
    toast, card = await emma.taps("👥 +2")
    assert toast == "(Noted: you wait for seats for all of you, side by side.)"
    assert "⏳ You are number 1 on the waitlist.\n👥 With 2 guests\n" in card
    for somebody in seated:
        await town.is_now(EVE)
        assert emma.heard() == dina.heard() == []
        await somebody.says("/myagenda")
        await somebody.taps("✕ Give up")
    await town.is_now(EVE)
    assert dina.heard() == []
    assert emma.heard() == [
        f"✨ A seat is free for you\n\n{CARD}👥 With 2 guests\n\nIt waits for you until 11:00; "
        "then it is offered to the next person.\n[Take a seat] [No, thank you]"
    ]
    toast, card = await emma.taps("Take a seat")
    assert "✅ You have a seat.\n👥 With 2 guests\n" in card
    assert "full, 1 person on the waitlist" in card


async def test_where_staff_chose_so_a_freed_seat_is_given_at_once(town: Town):
    await the_workshop(town, seats=1, promotes=True)
    amal, bilal, emma = [
        await town.member(name, language)
        for name, language in (("Amal", "fr"), ("Bilal", "ar"), ("Emma", "en"))
    ]
    for somebody in (amal, bilal, emma):
        await town.seat(somebody, "panel-2")
    await amal.says("/myagenda")
    await amal.taps("✕ Rendre")
    await town.is_now(EVE)
    (letter,) = bilal.heard()
    assert letter.startswith("✅ شغر مقعد وهو الآن لكم\n\nالندوة 2")
    await bilal.taps("التخلي عن مقعدي")
    await town.is_now(EVE)
    assert emma.heard() == [
        f"✅ A seat became free: it is yours\n\n{CARD}\nIf you can't come, please give it up for "
        "the next person.\n[🎟 My ticket]\n[Give up my seat]"
    ]
    assert await town.seat(emma, "panel-2") == Answer.ALREADY


async def test_whoever_sits_elsewhere_at_that_time_is_asked_in_any_case(town: Town):
    await the_workshop(town, seats=1, promotes=True)
    amal, emma = await town.member("Amal", "en"), await town.member("Emma", "en")
    await town.seat(amal, "panel-2")
    await town.seat(emma, "panel-1")
    await town.seat(emma, "panel-2")
    await amal.says("/myagenda")
    await amal.taps("✕ Give up")
    await town.is_now(EVE)
    (letter,) = emma.heard()
    assert letter.startswith("✨ A seat is free for you\n")


async def test_a_seat_given_and_given_back_before_its_letter_is_not_told(town: Town):
    await the_workshop(town, seats=1, promotes=True)
    amal, emma = await town.member("Amal", "en"), await town.member("Emma", "en")
    for somebody in (amal, emma):
        await town.seat(somebody, "panel-2")
    await amal.says("/myagenda")
    await amal.taps("✕ Give up")
    await town.app.tick()
    await emma.says("/myagenda")
    await emma.taps("✕ Give up")
    await town.is_now(EVE)
    assert [said for said in emma.heard() if "it is yours" in said] == []
    async with town.app.storage.read() as db:
        rows = await db.scalars(select(Outbox.state).where(Outbox.kind == waitlist.PROMOTION))
        assert rows.all() == ["void"]


async def test_a_smaller_room_sends_nobody_away_and_gives_no_seat(town: Town):
    panel = await the_workshop(town, seats=2)
    people = [await town.member(name, "en") for name in ("Amal", "Bilal", "Emma")]
    for somebody in people[:2]:
        await town.seat(somebody, "panel-2")
    async with town.app.storage.begin() as db:
        tally = await room.resize(db, panel, 1)
    assert tally == room.Tally(capacity=1, taken=2, waiting=0)
    assert tally.over == 1
    assert await town.seat(people[2], "panel-2") == Answer.WAITLISTED
    await people[0].says("/myagenda")
    await people[0].taps("✕ Give up")
    await town.is_now(EVE)
    assert people[2].heard() == []
    async with town.app.storage.begin() as db:
        assert await room.resize(db, panel, 2) == room.Tally(capacity=2, taken=1, waiting=1)
    await town.is_now(EVE)
    (offer,) = people[2].heard()
    assert offer.startswith("✨ A seat is free for you\n")


async def test_a_session_that_no_longer_counts_its_seats_has_one_for_all_who_wait(town: Town):
    panel = await the_workshop(town, seats=0, capacity=None)
    people = [await town.member(name, "en") for name in ("Amal", "Bilal")]
    for somebody in people:
        assert await town.seat(somebody, "panel-2") == Answer.WAITLISTED
    async with town.app.storage.begin() as db:
        await room.resize(db, panel, None)
    await town.is_now(EVE)
    assert [len(somebody.heard()) for somebody in people] == [1, 1]
