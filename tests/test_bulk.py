import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from aiohttp.test_utils import unused_port

from bot.bulk import open_bulk
from bot.channels import Gone, Later, Lost, Moved, Refused, Sent, Wait
from bot.pace import BULK, REMINDER, REPLY, Pacer
from bot.settings import SettingsError, read_settings
from bot.simulator import Simulator
from handlers.letters import Attachment, Letter, Stored, Tap

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOKEN = "4242424242:simulated-and-opens-nothing"
REMINDER_LETTER = Letter("<b>Tomorrow</b> &amp; soon", ((Tap("I'm coming", "come:1"),),))
PICTURE = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


class Time:
    """A clock that is moved by waiting."""

    def __init__(self):
        self.now, self.on_wait = 0.0, lambda: None

    async def sleep(self, seconds):
        self.on_wait()
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def sim():
    return Simulator(now=lambda: NOON, token=TOKEN)


@pytest.fixture
def pacer(time):
    return Pacer(monotonic=lambda: time.now, sleep=time.sleep)


@pytest.fixture
async def bulk(sim, pacer):
    async with sim.serve() as url:
        settings = read_settings(telegram_token=TOKEN, telegram_api_url=url)
        async with open_bulk(settings, pacer) as bulk:
            yield bulk


@pytest.fixture
def amal(sim):
    return sim.person("Amal", language_code="fr")


async def test_a_reminder_arrives_with_its_buttons(bulk, amal):
    outcome = await bulk.send(REMINDER_LETTER, str(amal.id), priority=REMINDER)
    [message] = amal.chat.messages
    assert outcome == Sent(str(message.id))
    assert message.html == "<b>Tomorrow</b> &amp; soon"
    assert message.labels == ["I'm coming"]


async def test_nothing_but_the_message_is_asked_of_the_server(sim, bulk, amal):
    sim.faults.refuse("getMe")
    assert isinstance(await bulk.send(REMINDER_LETTER, str(amal.id)), Sent)
    [entry] = sim.ledger
    assert entry.params["link_preview_options"] == '{"is_disabled": true}'


@pytest.mark.parametrize(
    "text", ["a+b & c=d; 100 % ?#/", "«\u202fdéjà\u202f»\n\u2068ندوة\u2069 🇲🇦"]
)
async def test_whatever_a_letter_says_arrives_as_it_is(bulk, amal, text):
    await bulk.send(Letter(text.replace("&", "&amp;"), ((Tap(text, text[:9]),),)), str(amal.id))
    [message] = amal.chat.messages
    assert (message.text, message.labels) == (text, [text])


async def test_a_document_carries_the_letter_as_its_caption(bulk, amal):
    letter = Letter("Your <b>badge</b>", REMINDER_LETTER.taps, Attachment("badge.ics", b"BEGIN"))
    await bulk.send(letter, str(amal.id))
    [message] = amal.chat.messages
    assert (message.html, message.labels) == ("Your <b>badge</b>", ["I'm coming"])
    assert (message.document.name, message.document.data) == ("badge.ics", b"BEGIN")


async def test_a_picture_carries_the_letter_as_its_caption(bulk, amal):
    await bulk.send(Letter("Here", picture=Attachment("qr.png", PICTURE)), str(amal.id))
    [message] = amal.chat.messages
    assert (message.text, message.photo.data) == ("Here", PICTURE)


@pytest.mark.parametrize("kind", ["photo", "document"])
async def test_a_file_that_the_messenger_holds_is_named_and_not_sent_again(bulk, amal, kind):
    if kind == "photo":
        amal.sends_photo(PICTURE)
    else:
        amal.sends_document("a.pdf", b"%PDF")
    known = getattr(amal.chat.messages[-1], kind)
    letter = Letter("The <b>programme</b>", REMINDER_LETTER.taps, stored=Stored(kind, known.id))
    await bulk.send(letter, str(amal.id))
    message = amal.chat.messages[-1]
    assert (message.html, message.labels) == ("The <b>programme</b>", ["I'm coming"])
    assert getattr(message, kind) == known
    await bulk.send(replace(letter, text="x" * 1025), str(amal.id))
    first, second = amal.chat.messages[-2:]
    assert (first.text, getattr(first, kind), len(second.text)) == ("", known, 1025)


async def test_a_letter_too_long_for_a_caption_follows_its_document(bulk, amal):
    letter = Letter("x" * 1025, REMINDER_LETTER.taps, Attachment("list.csv", b"a,b"))
    outcome = await bulk.send(letter, str(amal.id))
    first, second = amal.chat.messages
    assert (first.text, first.labels, first.document.name) == ("", [], "list.csv")
    assert (len(second.text), second.labels) == (1025, ["I'm coming"])
    assert outcome == Sent(str(second.id))


async def test_a_letter_that_breaks_off_is_lost(sim, bulk, amal, time):
    # The one wait is the second between the two parts of the letter.
    time.on_wait = lambda: sim.faults.fail(code=502)
    assert await bulk.send(Letter("\n".join(["line"] * 1_000)), str(amal.id)) == Lost("partly sent")
    assert len(amal.chat.messages) == 1


async def test_who_can_not_be_reached(sim, bulk, amal):
    amal.blocks()
    bilal, stranger = sim.person("Bilal"), sim.person("Chama", started=False)
    bilal.deactivated = True
    assert await bulk.send(REMINDER_LETTER, str(amal.id)) == Gone("blocked")
    assert await bulk.send(REMINDER_LETTER, str(bilal.id)) == Gone("deactivated")
    assert isinstance(await bulk.send(REMINDER_LETTER, str(stranger.id)), Gone)
    assert await bulk.send(REMINDER_LETTER, "1") == Gone("chat not found")


async def test_a_group_that_moved_tells_where_to(sim, bulk, amal):
    group = sim.group("Atelier", [amal])
    before, after = group.id, group.migrate_to_supergroup()
    assert await bulk.send(REMINDER_LETTER, str(before)) == Moved(str(after))


async def test_a_letter_at_fault_is_refused(bulk, amal):
    assert isinstance(await bulk.send(Letter("<b>"), str(amal.id)), Refused)


async def test_a_flood_halts_everybody_and_spends_no_attempt(sim, bulk, amal, time):
    sim.faults.fail(code=429, retry_after=30)
    assert await bulk.send(REMINDER_LETTER, str(amal.id)) == Wait(30.0)
    assert await bulk.send(REMINDER_LETTER, "700000002") == Wait(30.0)
    assert len(sim.ledger) == 1
    assert isinstance(await bulk.send(REMINDER_LETTER, str(amal.id), patience=None), Sent)
    assert time.now == 30


async def test_a_line_cut_before_or_after_acceptance_is_lost(sim, bulk, amal):
    sim.faults.drop_before()
    assert isinstance(await bulk.send(REMINDER_LETTER, str(amal.id)), Lost)
    assert amal.chat.messages == []
    sim.faults.drop_after()
    assert isinstance(await bulk.send(REMINDER_LETTER, str(amal.id)), Lost)
    assert len(amal.chat.messages) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "jisr.invalid"])
async def test_nobody_at_home_is_a_later(host, pacer):
    url = f"http://{host}:{unused_port()}"
    settings = read_settings(telegram_token=TOKEN, telegram_api_url=url)
    async with open_bulk(settings, pacer) as bulk:
        assert await bulk.send(REMINDER_LETTER, "7") == Later("no connection")


async def test_bulk_keeps_the_pace(sim, bulk, time):
    people = [str(sim.person(f"N{i}").id) for i in range(60)]
    starts = []

    async def send(address):
        outcome = await bulk.send(REMINDER_LETTER, address, priority=BULK)
        starts.append(time.now)
        return outcome

    outcomes = await asyncio.gather(*map(send, people))
    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert time.now == pytest.approx(59 / 28, abs=0.001)
    assert all(a <= b for a, b in pairwise(sorted(starts)))


async def test_bulk_is_not_opened_without_a_token(pacer):
    with pytest.raises(SettingsError, match="JISR_TELEGRAM_TOKEN: is not set"):
        async with open_bulk(read_settings(telegram_token=None), pacer):
            pass


async def test_only_what_nobody_asked_for_is_paid_for_and_only_if_wanted(sim, pacer, amal):
    letters = [
        (REPLY, Letter("Your answer, late")),
        (REMINDER, REMINDER_LETTER),
        (BULK, Letter("Here", picture=Attachment("qr.png", PICTURE))),
        (BULK, Letter("Your badge", document=Attachment("badge.ics", b"BEGIN"))),
    ]
    async with sim.serve() as url:
        for paid in (False, True):
            settings = read_settings(
                telegram_token=TOKEN, telegram_api_url=url, paid_broadcast=paid
            )
            async with open_bulk(settings, pacer) as bulk:
                for priority, letter in letters:
                    outcome = await bulk.send(letter, str(amal.id), priority=priority)
                    assert isinstance(outcome, Sent)
    asked = [entry.params.get("allow_paid_broadcast") for entry in sim.ledger]
    assert asked == [None] * 5 + ["true"] * 3
