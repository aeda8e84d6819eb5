"""Who comes at the same moment shares a transaction, and nobody else's misfortune."""

import asyncio
from collections.abc import Sequence
from functools import partial

import pytest
from aiogram import types as telegram
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from bot.callers import caller_of
from bot.together import Together
from storage import members, rsvps
from storage.conversations import conversation_key
from storage.failures import passes
from storage.tables import Conversation, Rsvp, Update
from tests.panel import SLUG, TAKEN, count
from tests.test_forget import DONE as FORGOTTEN
from tests.test_intake import another, taken_by, unheard
from tests.test_intake_failures import SORRY
from tests.town import Town, open_town


class Desk:
    """Where questions are taken: what was taken together, and a door that may be kept shut."""

    def __init__(self) -> None:
        self.taken: list[Sequence[str]] = []
        self.open, self.at_work = asyncio.Event(), asyncio.Event()
        self.open.set()

    async def take(self, asked: Sequence[str]) -> Sequence[str]:
        self.taken.append(list(asked))
        self.at_work.set()
        await self.open.wait()
        if "poison" in asked:
            raise LookupError("poison")
        return [one.upper() for one in asked]


async def asked_while_one_is_taken(desk: Desk, together: Together[str, str], *more: str):
    """Ask one thing, and the others while it is being taken."""
    desk.open.clear()
    asking = [asyncio.create_task(together.ask(one)) for one in ("first", *more)]
    await desk.at_work.wait()
    return asking


async def test_those_who_come_meanwhile_are_taken_together_in_their_order():
    desk = Desk()
    together = Together(desk.take, side_by_side=1, most=3)
    asking = await asked_while_one_is_taken(desk, together, "a", "b", "c", "d")
    desk.open.set()
    assert await asyncio.gather(*asking) == ["FIRST", "A", "B", "C", "D"]
    assert desk.taken == [["first"], ["a", "b", "c"], ["d"]]


async def test_whoever_comes_alone_waits_for_nobody():
    desk = Desk()
    together = Together(desk.take, side_by_side=1, most=3)
    assert [await together.ask(one) for one in "ab"] == ["A", "B"]
    assert desk.taken == [["a"], ["b"]]


async def test_one_that_fails_drags_nobody_along():
    desk = Desk()
    together = Together(desk.take, side_by_side=1, most=9)
    asking = await asked_while_one_is_taken(desk, together, "a", "poison", "b")
    desk.open.set()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert [str(one) for one in found] == ["FIRST", "A", "poison", "B"]
    assert desk.taken == [["first"], ["a", "poison", "b"], ["a"], ["poison"], ["b"]]


async def test_whoever_has_left_is_not_taken():
    desk = Desk()
    together = Together(desk.take, side_by_side=1, most=9)
    first, gone, last = await asked_while_one_is_taken(desk, together, "gone", "last")
    gone.cancel()
    await asyncio.wait([gone])
    desk.open.set()
    assert [await first, await last] == ["FIRST", "LAST"]
    assert desk.taken == [["first"], ["last"]]


async def test_several_may_be_under_way_at_once():
    desk = Desk()
    together = Together(desk.take, side_by_side=2, most=1)
    asking = await asked_while_one_is_taken(desk, together, "second", "third")
    assert desk.taken == [["first"], ["second"]]
    desk.open.set()
    assert await asyncio.gather(*asking) == ["FIRST", "SECOND", "THIRD"]


@pytest.mark.parametrize("poisoned", [0, 4, 9])
async def test_taps_that_come_at_once_take_their_seats_whoever_stumbles_among_them(
    town: Town, poisoned: int
):
    await town.programme()
    session = await town.session(SLUG)
    people = [await town.member(f"Amal {n}", "en") for n in range(10)]
    for one in people:
        await one.says(f"/start s_{session.id}")
    stumbling = people[poisoned]
    async with town.app.storage.begin() as db:
        # A wizard that no word can go on from.
        key = conversation_key("telegram", str(stumbling.person.id))
        await db.merge(Conversation(key=key, state="Asking:open", data={}))
    updates = []
    for one in people:
        acts = {True: ("says", "hello"), False: ("taps", "Take a seat")}
        verb, what = acts[one is stumbling]
        updates.append(unheard(town, partial(getattr(one.person, verb), what)))
    await asyncio.gather(*(taken_by(town.app.intake, raw) for raw in updates))
    heard = [one.heard()[0] for one in people]
    assert heard == [SORRY["en"] if one is stumbling else TAKEN for one in people]
    assert await count(town, Rsvp) == len(people) - 1
    ids = [raw["update_id"] for raw in updates]
    async with town.app.storage.read() as db:
        answered = select(Update.update_id, Update.parked).where(Update.update_id.in_(ids))
        kept = dict((await db.execute(answered)).all())
    assert kept == {id_: one is stumbling for id_, one in zip(ids, people, strict=True)}


async def test_whoever_is_forgotten_takes_nothing_along_of_what_others_say(town: Town):
    await town.programme()
    people = [await town.member(name, "en") for name in ("Chama", "Driss", "Amal", "Bilal")]
    for one in people:
        await one.says("/settings")
        await one.taps("🌐 Language")
    await people[2].says("/forget")
    # Two are being answered already, so that Amal and Bilal come to share a transaction.
    wishes = ("العربية", "العربية", "Yes, forget me", "Français")
    updates = [
        unheard(town, partial(one.person.taps, wish))
        for one, wish in zip(people, wishes, strict=True)
    ]
    await asyncio.gather(*(taken_by(town.app.intake, raw) for raw in updates))
    amal, bilal = people[2:]
    assert amal.heard() == [FORGOTTEN]
    bilal.heard()
    async with town.app.storage.read() as db:
        assert (await town.member_of(db, bilal)).language == "fr"
        assert await members.address_on(db, "telegram", str(amal.person.id)) is None


async def test_those_who_share_a_transaction_wait_for_no_lock_for_long(postgres_url: str):
    async with open_town(postgres_url) as town:
        await town.programme()
        session = await town.session(SLUG)
        asked = []
        for name in ("Amal", "Bilal"):
            one = await town.member(name, "en")
            await one.says(f"/start s_{session.id}")
            raw = unheard(town, partial(one.person.taps, "Take a seat"))
            caller = caller_of(raw)
            assert caller is not None
            asked.append((telegram.Update.model_validate(raw, context={"bot": None}), caller))
        async with town.app.storage.begin() as theirs:
            assert await rsvps.lock(theirs, session.id)
            with pytest.raises(DBAPIError) as late:
                await town.app.intake._transaction(asked)
            assert passes(late.value)
        # Each in a transaction of its own, as long as it takes.
        for alone in asked:
            [spoken] = await town.app.intake._transaction([alone])
            assert spoken[0].toast == TAKEN.strip("()")


async def test_two_processes_that_take_the_same_sessions_in_any_order_answer_everybody(town: Town):
    await town.programme()
    slugs = ("opening", SLUG, "panel-3", "closing")
    sessions = [await town.session(slug, capacity=None) for slug in slugs]
    updates = []
    people = [await town.member(f"Amal {n}", "en") for n in range(24)]
    for number, one in enumerate(people):
        await one.says(f"/start s_{sessions[number % len(sessions)].id}")
        updates.append(unheard(town, partial(one.person.taps, "Take a seat")))
    async with another(town) as other:
        # The one in their order, the other against it.
        ours, theirs = updates[::2], updates[1::2][::-1]
        await asyncio.gather(
            *(taken_by(town.app.intake, raw) for raw in ours),
            *(taken_by(other.intake, raw) for raw in theirs),
        )
    assert [one.heard()[0] for one in people] == [TAKEN] * len(people)
    assert await count(town, Rsvp) == len(people)
