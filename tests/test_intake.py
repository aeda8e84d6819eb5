"""One update, one transaction, one answer: whatever goes wrong, and however often it comes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from sqlalchemy import select
from structlog.testing import capture_logs

from bot.app import App, open_app
from bot.callers import caller_of
from bot.channels import Sent
from bot.intake import Intake
from bot.pace import Pacer
from handlers.letters import Letter, Say, Tap
from storage.tables import Address, Member, Outbox, Rsvp
from tests.panel import SLUG, TAKEN, before_a_card, count
from tests.town import Resident, Town, drawn

ALREADY = "(You are already on the list.)"


async def unreachable(town: Town, resident: Resident) -> bool:
    async with town.app.storage.read() as db:
        address = str(resident.person.id)
        since = await db.scalar(select(Address.unreachable_at).where(Address.address == address))
    return since is not None


def unheard(town: Town, act: Callable[[], int]) -> dict[str, Any]:
    """What somebody does while nobody listens; `redeliver` lets the bot hear it after all."""
    mailbox = town.sim.world.mailbox
    heard, mailbox.allowed = mailbox.allowed, frozenset({"nothing"})
    update_id = act()
    mailbox.allowed = heard
    return mailbox.past[update_id].body


async def taken_by(intake: Intake, raw: dict[str, Any]) -> None:
    caller = caller_of(raw)
    assert caller is not None
    await intake.take(raw, caller)


@asynccontextmanager
async def another(town: Town) -> AsyncIterator[App]:
    """A second process, as far as the database can tell."""
    async with open_app(
        town.app.settings, town.clock, pacer=Pacer(rate=100_000, per_chat=0)
    ) as app:
        yield app


# --- the same update, the same answer -------------------------------------------------------


async def test_an_update_that_comes_again_gets_the_same_answer_and_does_nothing_twice(town: Town):
    emma = await before_a_card(town)
    tap = emma.person.taps("Take a seat")
    first = await emma.after(tap)
    assert first[0] == TAKEN
    told = [(one.method, one.params) for one in town.sim.ledger][-2:]
    assert [method for method, _ in told] == ["answerCallbackQuery", "editMessageText"]
    before = len(town.sim.ledger)
    town.sim.redeliver(tap)
    assert await emma.after(tap) == first[:1], "the card shows it already"
    again = [(one.method, one.params) for one in town.sim.ledger][before:]
    assert again == told, "the same words"
    assert await count(town, Rsvp) == 1


async def test_a_word_that_comes_again_is_answered_in_the_same_words(town: Town):
    salma = town.stranger("Salma", "en")
    start = salma.person.says("/start")
    first = await salma.after(start)
    town.sim.redeliver(start)
    assert await salma.after(start) == first
    assert await count(town, Member) == 1


async def test_an_answer_kept_but_not_said_is_said_when_the_update_comes_again(town: Town):
    emma = await before_a_card(town)
    on_the_way = asyncio.Event()

    async def speechless(*_args):
        on_the_way.set()
        await asyncio.Event().wait()

    async with another(town) as app:
        dying = Intake(
            app.storage, app.bot, app.catalogs, app.clock, speechless, default_language="fr"
        )
        raw = unheard(town, lambda: emma.person.taps("Take a seat"))
        life = asyncio.create_task(taken_by(dying, raw))
        await on_the_way.wait()
        life.cancel()
        await asyncio.wait([life])
    assert await count(town, Rsvp) == 1
    assert emma.heard() == []
    town.sim.redeliver(raw["update_id"])
    assert (await emma.after(0))[0] == TAKEN
    assert await count(town, Rsvp) == 1


async def test_two_processes_that_take_one_update_at_once_do_it_once(town: Town):
    await town.programme()
    session = await town.session(SLUG)
    people = [await town.member(f"Member {n}", "en") for n in range(8)]
    for resident in people:
        resident.person.opens(f"s_{session.id}")
    await town.sim.settled()
    said: dict[int, list[Any]] = {}

    async def note(spoken, chat_id, *_rest):
        said.setdefault(chat_id, []).append(Say(list(spoken)).as_json())
        return [Sent("1")] * len(spoken)

    taps = [unheard(town, partial(one.person.taps, "Take a seat")) for one in people]
    async with another(town) as a, another(town) as b:
        both = [
            Intake(app.storage, app.bot, app.catalogs, app.clock, note, default_language="fr")
            for app in (a, b)
        ]
        with capture_logs() as logs:
            await asyncio.gather(*(taken_by(intake, raw) for raw in taps for intake in both))
    assert await count(town, Rsvp) == 8
    for resident in people:
        once, again = said[resident.person.id]
        assert once == again
        assert once[0]["toast"] == TAKEN[1:-1]
    assert not [line for line in logs if line["event"] == "update parked"]


async def test_two_taps_at_once_take_one_seat(town: Town):
    emma = await before_a_card(town)
    emma.person.taps("Take a seat")
    second = emma.person.taps("Take a seat")
    assert (await emma.after(second))[:2] == [TAKEN, ALREADY]
    assert await count(town, Rsvp) == 1


def test_a_kept_answer_is_the_answer_that_was_said():
    say = Say()
    say(Letter("<b>Panel</b> \u2068سلمى\u2069", ((Tap("Join", "take:1:0"), Tap("Web", url="x")),)))
    say.edit(Letter("card"))
    say.toast("Done: your seat")
    assert Say.from_json(say.as_json()) == say


# --- speech -----------------------------------------------------------------------------------


async def test_who_blocks_and_unblocks_is_marked_and_cleared(town: Town):
    amal = await town.member("Amal", "en")
    amal.person.blocks()
    assert await amal.after(0) == []
    assert await unreachable(town, amal)
    amal.person.unblocks()
    assert await amal.after(0) == []
    assert not await unreachable(town, amal)


async def test_a_stranger_who_blocks_leaves_no_trace(town: Town):
    amal = town.stranger("Amal", "en")
    amal.person.blocks()
    await amal.after(0)
    assert await count(town, Member) == 0


async def test_who_can_no_longer_be_answered_is_marked_and_acknowledged(town: Town):
    amal = await town.member("Amal", "en")
    update_id = amal.person.says("/help")
    amal.person.deactivated = True
    assert await amal.after(update_id) == []
    assert await unreachable(town, amal)


async def test_an_answer_meets_a_flood_a_reset_and_a_server_error_and_is_said(town: Town):
    amal = await town.member("Amal", "en")
    faults = town.sim.faults
    faults.fail(code=429, retry_after=1, method="sendMessage")
    faults.drop_before(method="sendMessage")
    faults.fail(code=502, method="sendMessage")
    heard = await amal.says("/help")
    assert [line.splitlines()[0] for line in heard] == ["What I can do"]


async def test_an_answer_that_cant_be_said_for_long_comes_by_the_outbox(town: Town, monkeypatch):
    monkeypatch.setattr("bot.telegram._PAUSES", ())
    amal, bilal = await town.member("Amal", "en"), await town.member("Bilal", "en")
    town.sim.faults.fail(1000, code=502, method="sendMessage", chat_id=amal.person.id)
    assert await amal.says("/help") == []
    assert len(await bilal.says("/help")) == 1, "nobody else waits for it"
    town.sim.faults.clear()
    await town.is_now(town.clock.now())
    (late,) = amal.heard()
    assert late == drawn(bilal.last), "the very same words"
    async with town.app.storage.read() as db:
        assert (await db.scalars(select(Outbox.kind))).all() == ["answer"]


# --- patience -------------------------------------------------------------------------------


PATIENCE = {
    "en": (
        "That was a lot at once, and I can't follow. Please wait a moment, then repeat your "
        "last answer: what comes until then is not read."
    ),
}


async def test_somebody_who_writes_too_fast_is_told_once_and_taken_again_when_calm(
    town: Town, monkeypatch
):
    now = [0.0]
    monkeypatch.setattr(town.app.flood, "_most", 4)
    monkeypatch.setattr(town.app.flood, "_monotonic", lambda: now[0])
    amal, bilal = await town.member("Amal", "en"), await town.member("Bilal", "en")
    for _ in range(9):
        amal.person.says("/help")
    bilal.person.says("/help")
    heard = await amal.after(0)
    assert [line.splitlines()[0] for line in heard[:4]] == ["What I can do"] * 4
    assert heard[4:] == [PATIENCE["en"]]
    assert len(bilal.heard()) == 1
    now[0] = 10.0
    assert (await amal.says("/help"))[0].splitlines()[0] == "What I can do"
