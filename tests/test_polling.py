"""Listening: order within a chat, none between chats, nothing acknowledged before it was taken."""

import asyncio

import pytest
from aiogram.exceptions import TelegramNetworkError, TelegramRetryAfter
from aiogram.methods import GetUpdates

from bot import polling
from bot.door import Door
from bot.flood import Flood
from bot.polling import Poller
from bot.telegram import AnotherPoller, BadToken
from tests.town import Town
from tests.until import until

HELP = "What I can do"


def word(update_id, chat=1, text="hello"):
    person = {"id": chat, "language_code": "en"}
    about = {"chat": {"id": chat, "type": "private"}, "from": person, "text": text}
    return {"update_id": update_id, "message": about}


class Server:
    """getUpdates as the Bot API describes it: an offset acknowledges what lies before it."""

    def __init__(self, *pending):
        self.pending = {raw["update_id"]: raw for raw in pending}
        self.offsets, self.acknowledged, self.troubles = [], [], []
        self.news = asyncio.Event()

    async def fetch(self, offset, timeout):  # noqa: ASYNC109 - the API's own
        if self.troubles:
            raise self.troubles.pop(0)
        self.offsets.append(offset)
        for passed in [i for i in self.pending if offset is not None and i < offset]:
            del self.pending[passed]
            self.acknowledged.append(passed)
        if not self.pending and timeout:
            self.news.clear()
            await self.news.wait()
        return [self.pending[i] for i in sorted(self.pending)][:100]

    def post(self, *raws):
        self.pending |= {raw["update_id"]: raw for raw in raws}
        self.news.set()


class Taker:
    """Notes what it takes; a chat in `held` waits for its event."""

    door: Door

    def __init__(self):
        self.taken, self.begun, self.held, self.patient = [], [], {}, []
        self.breaks = False

    async def take(self, raw, caller):
        self.begun.append(caller.update_id)
        if caller.chat_id in self.held:
            await self.held[caller.chat_id].wait()
        self.taken.append(caller.update_id)
        if self.breaks:
            raise LookupError(raw["message"]["text"])

    async def ask_for_patience(self, caller):
        self.patient.append(caller.update_id)


class Ear:
    """A poller at work on a server of its own."""

    def __init__(self, *pending, flood=None):
        self.server, self.taker, self.unhooked = Server(*pending), Taker(), 0
        door = Door(self.taker, flood or Flood(most=10_000))
        self.poller = Poller(self.server.fetch, door, self.unhook)

    async def unhook(self):
        self.unhooked += 1

    async def __aenter__(self):
        self.task = asyncio.create_task(self.poller.run())
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        await asyncio.wait([self.task])


async def test_updates_of_one_chat_are_taken_in_order_and_a_slow_chat_holds_up_no_other():
    async with Ear(word(1, chat=7), word(2, chat=7), word(3, chat=8), word(4, chat=9)) as ear:
        ear.taker.held[7] = asyncio.Event()
        await until(lambda: ear.taker.taken == [3, 4])
        assert ear.taker.begun == [1, 3, 4]
        await until(lambda: 1 in ear.server.offsets)
        assert ear.server.acknowledged == []
        ear.taker.held[7].set()
        await until(lambda: ear.server.acknowledged == [1, 2, 3, 4])
    assert ear.taker.taken == [3, 4, 1, 2]


async def test_the_offset_moves_up_to_the_oldest_in_hand():
    async with Ear(word(10, chat=1), word(11, chat=2), word(12, chat=3)) as ear:
        ear.taker.held[2] = asyncio.Event()
        await until(lambda: 11 in ear.server.offsets)
        assert ear.server.acknowledged == [10]
        ear.server.post(word(13, chat=4))
        await until(lambda: 13 in ear.taker.taken)
        assert ear.server.acknowledged == [10]
        ear.taker.held[2].set()
        await until(lambda: ear.server.acknowledged == [10, 11, 12, 13])
    assert sorted(ear.taker.taken) == [10, 11, 12, 13], "each once"


async def test_more_than_a_hundred_behind_a_straggler_are_each_taken_once():
    async with Ear(*(word(i, chat=i) for i in range(1, 251))) as ear:
        ear.taker.held[1] = asyncio.Event()
        await until(lambda: len(ear.taker.taken) == 99)
        ear.taker.held[1].set()
        await until(lambda: len(ear.server.acknowledged) == 250)
    assert sorted(ear.taker.taken) == list(range(1, 251))


async def test_ids_that_start_anew_at_a_lower_number_are_heard():
    async with Ear(word(900_000)) as ear:
        await until(lambda: ear.server.acknowledged == [900_000])
        ear.server.post()  # a long poll ends with nothing
        await until(lambda: ear.server.offsets[-1] is None)
        ear.server.post(word(17))
        await until(lambda: ear.server.acknowledged == [900_000, 17])
    assert ear.taker.taken == [900_000, 17]


async def test_an_update_that_comes_again_after_its_acknowledgement_is_taken_again():
    async with Ear(word(5)) as ear:
        await until(lambda: ear.server.acknowledged == [5])
        ear.server.post(word(5))
        await until(lambda: ear.taker.taken == [5, 5])


async def test_what_breaks_the_intake_is_logged_and_acknowledged():
    async with Ear(word(1), word(2)) as ear:
        ear.taker.breaks = True
        await until(lambda: ear.server.acknowledged == [1, 2])


@pytest.mark.parametrize(
    "trouble",
    [
        TelegramNetworkError(GetUpdates(), "reset"),
        TelegramRetryAfter(GetUpdates(), "slow down", 0),
        OSError("no route"),
        AnotherPoller("terminated by other getUpdates request"),
    ],
)
async def test_trouble_with_the_server_passes(trouble, monkeypatch):
    monkeypatch.setattr(polling, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(polling, "STEP_ASIDE", 0.001)
    ear = Ear(word(1))
    ear.server.troubles = [trouble, trouble]
    async with ear:
        await until(lambda: ear.server.acknowledged == [1])
    assert ear.unhooked == 0


async def test_a_webhook_that_is_set_is_removed(monkeypatch):
    monkeypatch.setattr(polling, "FIRST_PAUSE", 0.001)
    ear = Ear(word(1))
    ear.server.troubles = [AnotherPoller("can't use getUpdates method while webhook is active")]
    async with ear:
        await until(lambda: ear.server.acknowledged == [1])
    assert ear.unhooked == 1


async def test_a_bad_token_ends_it():
    ear = Ear()
    ear.server.troubles = [BadToken("Unauthorized")]
    async with ear:
        await asyncio.wait([ear.task])
    assert isinstance(ear.task.exception(), BadToken)


async def test_who_is_asked_to_stop_finishes_and_acknowledges_what_is_in_hand():
    async with Ear(word(1, chat=1), word(2, chat=2)) as ear:
        ear.taker.held[1] = asyncio.Event()
        await until(lambda: ear.taker.taken == [2])
        ear.task.cancel()
        ear.taker.held[1].set()
    assert ear.server.acknowledged == [1, 2]


async def test_what_is_not_finished_in_time_is_not_acknowledged(monkeypatch):
    monkeypatch.setattr(polling, "LAST_WORDS", 0.01)
    async with Ear(word(1, chat=1), word(2, chat=2), word(3, chat=3)) as ear:
        ear.taker.held[2] = asyncio.Event()
        await until(lambda: ear.taker.taken == [1, 3])
    assert ear.server.acknowledged == [1]
    assert ear.server.offsets[-1] == 2


async def test_a_flood_of_one_chat_is_counted_as_it_arrives():
    words = [word(i, chat=1) for i in range(1, 9)] + [word(9, chat=2)]
    async with Ear(*words, flood=Flood(most=3, monotonic=lambda: 0.0)) as ear:
        await until(lambda: len(ear.server.acknowledged) == 9)
    assert sorted(ear.taker.taken) == [1, 2, 3, 9]
    assert ear.taker.patient == [4]


def test_a_flood_ends_when_the_person_is_calm():
    now = [0.0]
    flood = Flood(most=4, seconds=10, monotonic=lambda: now[0])

    def verdicts(number):
        return [flood.judge(1).name for _ in range(number)]

    assert verdicts(7) == ["WELCOME"] * 4 + ["TELL"] + ["LET_BE"] * 2
    now[0] = 9.9
    assert verdicts(1) == ["LET_BE"]
    now[0] = 10.0
    assert verdicts(2) == ["WELCOME"] * 1 + ["WELCOME"], "two in ten seconds are calm"
    assert flood.judge(2).name == "WELCOME"


# --- over real HTTP -------------------------------------------------------------------------


async def test_a_chat_whose_answer_is_refused_for_a_while_holds_nobody_else_up(town: Town):
    amal, bilal = await town.member("Amal", "en"), await town.member("Bilal", "en")
    town.sim.faults.fail(2, code=502, method="sendMessage", chat_id=amal.person.id)
    amal.person.says("/help")
    amal.person.says("/myagenda")
    bilal.person.says("/help")
    assert HELP in (await bilal.person.hears()).text
    assert amal.heard() == []
    heard = await amal.after(0)
    assert [text.splitlines()[0] for text in heard] == [
        HELP,
        "You have no seat yet. Choose a session below, then tap “Take a seat”.",
    ]


async def test_a_webhook_left_behind_is_removed_and_polling_goes_on(town: Town):
    amal = await town.member("Amal", "en")
    await town.app.bot.set_webhook("http://127.0.0.1:9/", secret_token="s")
    assert len(await amal.says("/help")) == 1
    assert town.sim.world.mailbox.webhook is None
