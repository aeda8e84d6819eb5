"""Cards that live: free seats in other chats, told at most once a minute, and always in the end."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, update

from bot.simulator.people import Group
from storage import members, posted_cards
from storage.tables import Event, PostedCard, Rsvp, Seat
from tests.town import EVE, Resident, Town, drawn

TITLES = {
    "fr": "Panel 2 : Énergie, efficacité énergétique et environnement",
    "ar": "الندوة 2: الطاقة والنجاعة الطاقية والبيئة",
    "en": "Panel 2: Energy, energy efficiency and environment",
}


async def posted(town: Town, resident: Resident, language: str) -> Group:
    """A group without the bot, in which the resident has posted the card of panel 2."""
    group = town.sim.group(f"Friends {language}", [resident.person])
    group.removes_bot()
    panel = await town.session("panel-2")
    await resident.asks(f"s_{panel.id}")
    resident.person.posts(TITLES[language], group.chat)
    await town.sim.settled()
    return group


def shown(group: Group) -> str:
    """What stands in the group, but for the lines that don't change."""
    return "\n".join(drawn(group.chat.messages[-1]).split("\n")[4:])


def edits(town: Town) -> int:
    return len(town.sim.ledger.accepted("editMessageText"))


async def cards(town: Town) -> int:
    async with town.app.storage.read() as db:
        return await db.scalar(select(func.count()).select_from(PostedCard)) or 0


async def test_the_free_seats_are_kept_up_to_date_in_three_languages(town: Town):
    await town.programme()
    await town.session("panel-2", capacity=2)
    groups = {}
    for language in TITLES:
        resident = await town.member(f"M{language}", language)
        groups[language] = await posted(town, resident, language)
    assert shown(groups["fr"]) == "Places : 2 places libres\n[Réserver ma place]"
    emma, bilal = await town.member("Emma", "en"), await town.member("Bilal", "ar")
    await town.seat(emma, "panel-2")
    await town.passes(seconds=61)
    assert shown(groups["fr"]) == "Places : 1 place libre\n[Réserver ma place]"
    assert shown(groups["en"]) == "Seats: 1 seat free\n[Take a seat]"
    assert shown(groups["ar"]) == "المقاعد: مقعد واحد شاغر\n[حجز مقعد]"
    await town.seat(bilal, "panel-2")
    await town.passes(seconds=61)
    assert shown(groups["fr"]) == "Places : complet\n[Rejoindre la liste d'attente]"
    assert shown(groups["en"]) == "Seats: full\n[Join the waitlist]"


async def test_a_card_is_edited_once_a_minute_at_most_past_two_hundred_names(town: Town):
    await town.programme()
    await town.session("panel-2", capacity=250)
    async with town.app.storage.begin() as db:
        await db.execute(update(Event).values(capacity=None))
    emma = await town.member("Emma", "en")
    group = await posted(town, emma, "en")
    panel = await town.session("panel-2")
    for second in range(210):
        async with town.app.storage.begin() as db:
            member = await members.meet(db, "telegram", f"9{second:03}", town.clock.now())
            await db.flush()
            db.add(
                Rsvp(
                    session_id=panel.id,
                    member_id=member.id,
                    state=Seat.CONFIRMED,
                    since=town.clock.now(),
                )
            )
        await town.is_now(EVE + timedelta(seconds=second))
    # In three and a half minutes; the first tells what changed since it was offered.
    assert edits(town) == 3
    await town.passes(seconds=61)
    assert edits(town) == 4
    assert shown(group) == "Seats: 40 seats free\n[Take a seat]"
    await town.passes(minutes=10)
    assert edits(town) == 4


async def test_what_did_not_change_is_not_said_again(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    await posted(town, emma, "en")
    await town.passes(minutes=30)
    # One look, to be sure of what was offered: "not modified" is as good as done.
    assert edits(town) == 0
    assert len(town.sim.ledger.refused("editMessageText")) == 1
    assert await cards(town) == 1


async def test_a_moved_renamed_or_cancelled_session_is_told(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    group = await posted(town, emma, "en")
    await town.passes(seconds=61)
    later = datetime(2018, 7, 4, 13, tzinfo=UTC)
    await town.session("panel-2", starts_at=later, ends_at=later + timedelta(hours=1))
    await town.passes(seconds=61)
    assert drawn(group.chat.messages[-1]).split("\n")[2] == "🕘 14:00 – 15:00 (Rabat time)"
    await town.session("panel-2", room={"fr": "C", "ar": "C", "en": "Room C"})
    await town.passes(seconds=61)
    assert drawn(group.chat.messages[-1]).split("\n")[3] == "📍 Room C"
    await town.session("panel-2", cancelled_at=town.clock.now())
    await town.passes(seconds=61)
    assert shown(group) == "\n❌ This session is cancelled."


async def test_a_card_that_was_deleted_is_forgotten(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    group = await posted(town, emma, "en")
    town.sim.world.remove(group.chat.messages[-1])
    for number in range(3):
        await town.session("panel-2", capacity=10 + number)
        await town.passes(seconds=61)
    assert len(town.sim.ledger.refused("editMessageText")) == 1
    assert await cards(town) == 0
    # Emma's own chat is as good as ever.
    assert (await emma.says("/help"))[0].startswith("What I can do")


async def test_a_card_rests_when_its_session_is_over(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    group = await posted(town, emma, "en")
    await town.is_now(datetime(2018, 7, 4, 12, tzinfo=UTC))
    told = edits(town)
    await town.session("panel-2", capacity=3)
    await town.is_now(datetime(2018, 7, 4, 13, tzinfo=UTC))
    await town.app.tidy()
    assert edits(town) == told
    assert await cards(town) == 0
    assert shown(group) == "Seats: 30 seats free\n[Take a seat]"


async def test_a_look_without_cards_costs_one_statement_and_two_looks_post_once(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    async with town.app.storage.begin() as db:
        assert await posted_cards.tend(db, EVE) == 0
    await posted(town, emma, "en")
    later = EVE + timedelta(minutes=2)
    async with town.app.storage.begin() as db:
        assert await posted_cards.tend(db, later) == 1
        assert await posted_cards.tend(db, later) == 0


async def test_the_same_card_is_remembered_once(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    await posted(town, emma, "en")
    chosen = [
        one for one in town.sim.world.mailbox.past.values() if "chosen_inline_result" in one.body
    ]
    town.sim.redeliver(chosen[0].id)
    await town.sim.settled()
    assert await cards(town) == 1
