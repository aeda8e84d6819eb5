import asyncio
import json
from collections import deque
from datetime import UTC, datetime

import pytest
from aiogram.exceptions import AiogramError, TelegramNetworkError, TelegramServerError
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from bot.bulk import open_bulk
from bot.channels import Gone, Later, Lost, Moved, Refused, Sent, Wait
from bot.introducing import Introduction, introduce
from bot.pace import Pacer
from bot.rendering import Piece, length, render, split
from bot.settings import SettingsError, read_settings
from bot.simulator import Simulator
from bot.telegram import (
    AnotherPoller,
    BadToken,
    get_updates,
    open_bot,
    speak,
)
from bot.verdicts import decide, judge
from handlers.letters import Letter, Say, Stored, Tap

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOKEN = "4242424242:simulated-and-opens-nothing"
CARD = Letter("<b>Panel</b>", ((Tap("Join", "join:1"), Tap("Web", url="https://jisr.example/")),))


class Patience:
    """A clock that is moved by waiting, for code that runs alone."""

    def __init__(self):
        self.now, self.waits = 0.0, []

    async def sleep(self, seconds):
        self.now += seconds
        self.waits.append(seconds)
        await asyncio.sleep(0)

    def pacer(self):
        return Pacer(monotonic=lambda: self.now, sleep=self.sleep)


class Plain:
    """A server that gives prepared answers, else accepts; it knows no rules."""

    def __init__(self):
        self.answers, self.calls, self.url = deque(), [], ""

    async def handle(self, request):
        form = await request.post()
        self.calls.append((request.match_info["method"], dict(form)))
        if not self.answers:
            return web.json_response({"ok": True, "result": {"message_id": len(self.calls)}})
        status, body = self.answers.popleft()
        return web.Response(text=body, status=status, content_type="application/json")


@pytest.fixture
async def plain():
    server = Plain()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", server.handle)
    async with TestServer(app) as running:
        server.url = f"http://{running.host}:{running.port}"
        yield server


def settings_for(url):
    return read_settings(telegram_token=TOKEN, telegram_api_url=url)


@pytest.fixture
def patience():
    return Patience()


@pytest.fixture
async def sim():
    return Simulator(now=lambda: NOON, token=TOKEN)


@pytest.fixture
async def bot(sim, patience):
    async with sim.serve() as url, open_bot(settings_for(url), patience.pacer()) as bot:
        yield bot


@pytest.fixture
async def plain_bot(plain, patience):
    async with open_bot(settings_for(plain.url), patience.pacer()) as bot:
        yield bot


def said(*letters):
    say = Say()
    for letter in letters:
        say(letter)
    return say.spoken


def edited(letter):
    say = Say()
    say.edit(letter)
    return say.spoken


def said_as_json(letter):
    say = Say()
    say.edit(letter)
    return say.as_json()


def toasted(*words):
    say = Say()
    for text in words:
        say.toast(text)
    return say.spoken


# --- rendering ------------------------------------------------------------------------------


def test_a_letter_is_one_message_with_its_buttons():
    assert render(CARD) == [
        Piece(
            "<b>Panel</b>",
            {
                "inline_keyboard": [
                    [
                        {"text": "Join", "callback_data": "join:1"},
                        {"text": "Web", "url": "https://jisr.example/"},
                    ]
                ]
            },
        )
    ]


def test_a_long_letter_keeps_its_buttons_under_the_last_message():
    text = "\n".join(["سطر " * 500] * 5)
    pieces = render(Letter(text, CARD.taps))
    assert [p.keyboard is None for p in pieces] == [True] * (len(pieces) - 1) + [False]
    assert len(pieces) == 3
    assert all(length(p.text) <= 4096 for p in pieces)


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("one\ntwo\nthree", 8, ["one\ntwo", "three"]),
        ("one two three", 8, ["one two", "three"]),
        ("onetwothree", 8, ["onetwoth", "ree"]),
        ("<b>one\ntwo</b>", 5, ["<b>one</b>", "<b>two</b>"]),
        (
            '<b><a href="https://x.example/">one</a>\ntwo</b>',
            5,
            ['<b><a href="https://x.example/">one</a></b>', "<b>two</b>"],
        ),
        (
            '<tg-time unix="1">ten o\'clock</tg-time>',
            6,
            [
                '<tg-time unix="1">ten</tg-time>',
                '<tg-time unix="1">o\'cloc</tg-time>',
                '<tg-time unix="1">k</tg-time>',
            ],
        ),
        ("&amp;&lt;&amp;", 2, ["&amp;&lt;", "&amp;"]),
        ("😀😀😀", 4, ["😀😀", "😀"]),
        ("😀😀😀", 3, ["😀", "😀", "😀"]),
        ("one\n\n\n   \n\ntwo", 5, ["one", "two"]),
        ("exactly8", 8, ["exactly8"]),
    ],
)
def test_split(text, limit, parts):
    assert split(text, limit) == parts


# --- what an answer means -------------------------------------------------------------------

# Answers of the public server as recorded, and what they mean for a letter, whoever sent it.
RECORDED = [
    (
        403,
        '{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}',
        Gone("blocked"),
    ),
    (
        403,
        '{"ok":false,"error_code":403,"description":"Forbidden: user is deactivated"}',
        Gone("deactivated"),
    ),
    (
        403,
        '{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked from the group chat"}',
        Gone("forbidden"),
    ),
    (
        403,
        '{"ok":false,"error_code":403,"description":"Forbidden: bot can\'t initiate conversation with a user"}',
        Gone("forbidden"),
    ),
    (
        400,
        '{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}',
        Gone("chat not found"),
    ),
    (
        400,
        '{"ok":false,"error_code":400,"description":"Bad Request: PEER_ID_INVALID"}',
        Gone("chat not found"),
    ),
    (
        400,
        '{"ok":false,"error_code":400,"description":"Bad Request: not enough rights to send text messages to the chat"}',
        Gone("no right to write"),
    ),
    (
        400,
        '{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1001234567890}}',
        Moved("-1001234567890"),
    ),
    (
        400,
        '{"ok":false,"error_code":400,"description":"Bad Request: can\'t parse entities: Can\'t find end tag corresponding to start tag \\"b\\""}',
        Refused("can't parse entities: Can't find end tag corresponding to start"),
    ),
    (
        400,
        '{"ok":false,"error_code":400,"description":"Bad Request: message text is empty"}',
        Refused("message text is empty"),
    ),
    (
        413,
        '{"ok":false,"error_code":413,"description":"Request Entity Too Large"}',
        Refused("too large"),
    ),
    (
        429,
        '{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 3","parameters":{"retry_after":3}}',
        Wait(3.0),
    ),
    (429, '{"ok":false,"error_code":429,"description":"Too Many Requests"}', Wait(5.0)),
    (401, '{"ok":false,"error_code":401,"description":"Unauthorized"}', Wait(60.0)),
    (404, '{"ok":false,"error_code":404,"description":"Not Found"}', Later("method not found")),
    (200, "<html>a captive portal</html>", None),
]
SERVER_TROUBLE = [
    (500, '{"ok":false,"error_code":500,"description":"Internal Server Error"}'),
    (502, "<html><head><title>502 Bad Gateway</title></head></html>"),
    (504, ""),
]


@pytest.mark.parametrize(("status", "body", "meaning"), RECORDED)
async def test_an_answer_means_the_same_to_everybody(plain, plain_bot, status, body, meaning):
    for asking in ("a reply", "bulk", "aiogram"):
        plain.answers.extend([(status, body)] * 5)
        if asking == "a reply":
            [outcome] = await speak(plain_bot, said(CARD), 7, sleep=Patience().sleep)
        elif asking == "bulk":
            async with open_bulk(settings_for(plain.url), Patience().pacer()) as bulk:
                outcome = await bulk.send(CARD, "7")
        else:
            with pytest.raises(AiogramError) as refused:
                await plain_bot.send_chat_action(7, "typing")
            outcome = decide(refused.value)
        plain.answers.clear()
        if meaning is None:
            assert isinstance(outcome, Lost)
        else:
            assert outcome == meaning


@pytest.mark.parametrize(("status", "body"), SERVER_TROUBLE)
async def test_both_clients_know_a_server_in_trouble(plain, plain_bot, status, body):
    plain.answers.extend([(status, body)] * 5)
    told = Later(f"server error {status}")
    assert await speak(plain_bot, said(CARD), 7, sleep=Patience().sleep) == [told]
    plain.answers.append((status, body))
    async with open_bulk(settings_for(plain.url), Patience().pacer()) as bulk:
        assert await bulk.send(CARD, "7") == told


def test_reasons_fit_their_column():
    answers = [judge(s, json.loads(b)["description"]) for s, b, m in RECORDED if m]
    reasons = [a.reason for a in answers if not isinstance(a, Wait)]
    assert [r for r in reasons if len(r) > 64] == []


async def test_nobody_at_home_is_a_later(patience):
    settings = settings_for(f"http://127.0.0.1:{unused_port()}")
    async with open_bot(settings, patience.pacer()) as bot:
        outcomes = await speak(bot, said(CARD), 7, sleep=patience.sleep)
    assert outcomes == [Later("no connection")]
    assert patience.waits == [wait for wait in patience.waits if wait in {0.5, 1, 2, 4}]


# --- replies --------------------------------------------------------------------------------


async def test_replies_are_said_in_order(sim, bot):
    amal = sim.person("Amal", language_code="fr")
    outcomes = await speak(bot, said(Letter("Bonjour <b>Amal</b>"), CARD), amal.id)
    first, second = amal.chat.messages
    assert outcomes == [Sent(str(first.id)), Sent(str(second.id))]
    assert [first.html, second.html] == ["Bonjour <b>Amal</b>", "<b>Panel</b>"]
    assert second.labels == ["Join", "Web"]


@pytest.fixture
async def card(sim, bot):
    """A card with a button, which Amal just tapped: (her, the message, the query's id)."""
    amal = sim.person("Amal")
    await speak(bot, said(CARD), amal.id)
    [message] = amal.chat.messages
    return amal, message, amal.starts_tap("join:1", message)


async def test_a_tap_is_answered_and_its_card_edited(sim, bot, card):
    amal, message, query = card
    full = Letter("Full", ((Tap("Wait", "wait:1"),),))
    outcomes = await speak(bot, edited(full), amal.id, message.id, query)
    assert outcomes == [Sent(str(message.id))]
    [now] = amal.chat.messages
    assert (now.text, now.labels) == ("Full", ["Wait"])
    assert [e.method for e in sim.ledger] == [
        "sendMessage",
        "answerCallbackQuery",
        "editMessageText",
    ]


async def test_toasts_are_shown_over_the_tap(bot, card):
    amal, message, query = card
    assert await speak(bot, toasted("Saved <3"), amal.id, message.id, query) == [Sent("")]
    assert [toast.text for toast in amal.toasts] == ["Saved <3"]
    assert len(amal.chat.messages) == 1


async def test_a_toast_is_cut_to_what_telegram_shows(bot, card):
    amal, message, query = card
    await speak(bot, toasted("x" * 300), amal.id, message.id, query)
    assert [toast.text for toast in amal.toasts] == ["x" * 200]


async def test_a_toast_without_a_tap_is_a_message(sim, bot):
    amal = sim.person("Amal")
    await speak(bot, toasted("Saved <3"), amal.id)
    assert [m.text for m in amal.chat.messages] == ["Saved <3"]


@pytest.mark.parametrize("kind", ["photo", "document"])
async def test_a_file_that_telegram_holds_is_said_below_the_card_and_kept_with_the_answer(
    sim, bot, card, kind
):
    amal, message, query = card
    held = sim.world.files.keep(kind, "a.png", "image/png", b"a")
    letter = Letter("The <b>programme</b>", CARD.taps, stored=Stored(kind, held.id, "a.png"))
    kept = Say.from_json(json.loads(json.dumps(said_as_json(letter)))).spoken
    assert kept == edited(letter)
    [outcome] = await speak(bot, kept, amal.id, message.id, query)
    before, now = amal.chat.messages
    assert (before.text, now.html, now.labels) == ("Panel", letter.text, ["Join", "Web"])
    assert getattr(now, kind) == held
    assert outcome == Sent(str(now.id))


async def test_an_old_tap_is_answered_all_the_same(sim, bot, card):
    amal, message, query = card
    sim.expire_taps()
    outcomes = await speak(bot, edited(Letter("Full")), amal.id, message.id, query)
    assert outcomes == [Sent(str(message.id))]
    assert [m.text for m in amal.chat.messages] == ["Full"]


async def test_an_edit_that_changes_nothing_is_sent(bot, card):
    amal, message, query = card
    assert await speak(bot, edited(CARD), amal.id, message.id, query) == [Sent(str(message.id))]
    assert len(amal.chat.messages) == 1


async def test_an_edit_without_a_card_is_said_anew(sim, bot):
    amal = sim.person("Amal")
    await speak(bot, edited(CARD), amal.id)
    assert [m.text for m in amal.chat.messages] == ["Panel"]


async def test_an_edit_of_a_deleted_card_is_said_anew(sim, bot, card):
    amal, message, query = card
    sim.world.remove(message)
    [outcome] = await speak(bot, edited(Letter("Full")), amal.id, message.id, query)
    [now] = amal.chat.messages
    assert (now.text, outcome) == ("Full", Sent(str(now.id)))


@pytest.mark.parametrize(
    "words",
    [
        "Bad Request: message can't be edited",
        "Bad Request: there is no text in the message to edit",
        "Bad Request: MESSAGE_ID_INVALID",
    ],
)
async def test_an_edit_that_is_refused_is_said_anew(plain, plain_bot, words):
    plain.answers.append((400, json.dumps({"ok": False, "error_code": 400, "description": words})))
    assert await speak(plain_bot, edited(CARD), 7, 5) == [Sent("2")]
    assert [method for method, _ in plain.calls] == ["editMessageText", "sendMessage"]


async def test_a_long_edit_goes_on_below(bot, card):
    amal, message, query = card
    long = Letter("\n".join(["line"] * 1_000), CARD.taps)
    await speak(bot, edited(long), amal.id, message.id, query)
    first, second = amal.chat.messages
    assert (first.id, first.labels, second.labels) == (message.id, [], ["Join", "Web"])


async def test_a_person_who_blocked_the_bot_is_gone_and_the_rest_not_tried(sim, bot):
    amal = sim.person("Amal")
    amal.blocks()
    outcomes = await speak(bot, said(CARD, CARD), amal.id)
    assert outcomes == [Gone("blocked"), Gone("blocked")]
    assert len(sim.ledger) == 1


async def test_a_letter_at_fault_does_not_silence_the_next(sim, bot):
    amal = sim.person("Amal")
    bad, good = await speak(bot, said(Letter("<b>"), CARD), amal.id)
    assert isinstance(bad, Refused)
    assert isinstance(good, Sent)
    assert [m.text for m in amal.chat.messages] == ["Panel"]


async def test_a_server_in_trouble_is_asked_again_a_little_later(sim, bot):
    amal, patience = sim.person("Amal"), Patience()
    sim.faults.fail(times=3, code=502)
    assert isinstance((await speak(bot, said(CARD), amal.id, sleep=patience.sleep))[0], Sent)
    assert patience.waits == [0.5, 1.0, 2.0]


async def test_a_lost_answer_is_asked_for_again(sim, bot):
    amal, patience = sim.person("Amal"), Patience()
    sim.faults.drop_after()
    await speak(bot, said(CARD), amal.id, sleep=patience.sleep)
    assert [m.text for m in amal.chat.messages] == ["Panel", "Panel"]
    sim.faults.drop_before()
    await speak(bot, said(CARD), amal.id, sleep=patience.sleep)
    assert len(amal.chat.messages) == 3


async def test_a_line_that_stays_cut_is_lost_after_five_tries(sim, bot):
    amal, patience = sim.person("Amal"), Patience()
    sim.faults.drop_before(times=10)
    [outcome] = await speak(bot, said(CARD), amal.id, sleep=patience.sleep)
    assert isinstance(outcome, Lost)
    assert patience.waits == [0.5, 1.0, 2.0, 4.0]
    assert amal.chat.messages == []


async def test_a_flood_is_waited_out(sim, bot, patience):
    amal = sim.person("Amal")
    sim.faults.fail(times=2, code=429, retry_after=30)
    [outcome] = await speak(bot, said(CARD), amal.id)
    assert isinstance(outcome, Sent)
    assert patience.now == 60
    assert len(amal.chat.messages) == 1


async def test_a_flood_of_hours_is_not_waited_out(sim, bot, patience):
    amal = sim.person("Amal")
    sim.faults.fail(code=429, retry_after=7200)
    outcomes = await speak(bot, said(CARD, CARD), amal.id)
    assert outcomes == [Wait(7200.0), Wait(7200.0)]
    assert patience.waits == []


async def test_a_flood_of_answers_to_taps_halts_nobody(sim, bot, patience, card):
    amal, message, query = card
    sim.faults.fail(code=429, retry_after=7200, method="answerCallbackQuery")
    [outcome] = await speak(bot, edited(Letter("Full")), amal.id, message.id, query)
    assert isinstance(outcome, Sent)
    assert patience.now < 1


async def test_messages_keep_a_second_between_them_and_edits_do_not(bot, patience, card):
    amal, message, _ = card
    before = patience.now
    await speak(bot, edited(Letter("Full")), amal.id, message.id)
    assert patience.now - before < 0.1
    await speak(bot, said(CARD), amal.id)
    assert patience.now - before == pytest.approx(1)


@pytest.mark.parametrize("status", [401, 200])
async def test_a_refused_token_is_not_tried_again_and_halts_nobody(
    plain, plain_bot, patience, status
):
    plain.answers.append((status, '{"ok":false,"error_code":401,"description":"Unauthorized"}'))
    assert await speak(plain_bot, said(CARD), 7) == [Wait(60.0)]
    assert await speak(plain_bot, said(CARD), 8) == [Sent("2")]
    assert patience.now < 1


async def test_a_flood_that_names_no_time_is_waited_out(plain, plain_bot, patience):
    plain.answers.append((429, '{"ok":false,"error_code":429,"description":"Too Many Requests"}'))
    assert await speak(plain_bot, said(CARD), 7) == [Sent("2")]
    assert patience.now == 5


# --- older servers --------------------------------------------------------------------------

TIMED = Letter('At <tg-time unix="1800000000" format="wDT">10:00</tg-time>', CARD.taps)
UNKNOWN_TAG = (
    400,
    '{"ok":false,"error_code":400,"description":"Bad Request: can\'t parse entities: Unsupported start tag \\"tg-time\\" at byte offset 3"}',
)


async def test_times_go_out_as_telegram_knows_them(sim, bot):
    amal = sim.person("Amal")
    await speak(bot, said(TIMED), amal.id)
    [message] = amal.chat.messages
    assert message.text == "At 10:00"
    assert [e["type"] for e in message.entities] == ["date_time"]


async def test_an_older_server_gets_the_words_and_is_remembered_by_both(plain, plain_bot):
    plain.answers.append(UNKNOWN_TAG)
    assert await speak(plain_bot, said(TIMED), 7) == [Sent("2")]
    await speak(plain_bot, edited(TIMED), 7, 2)
    async with open_bulk(settings_for(plain.url), Patience().pacer()) as bulk:
        await bulk.send(TIMED, "7")
    assert [form["text"] for _, form in plain.calls] == [TIMED.text] + ["At 10:00"] * 3


async def test_an_older_server_is_found_out_by_bulk_too(plain):
    async with open_bulk(settings_for(plain.url), Patience().pacer()) as bulk:
        plain.answers.append(UNKNOWN_TAG)
        assert await bulk.send(TIMED, "7") == Sent("2")
    assert [form["text"] for _, form in plain.calls] == [TIMED.text, "At 10:00"]


async def test_an_answer_in_few_words_is_an_acceptance(plain, plain_bot):
    plain.answers.append((200, '{"ok":true,"result":true}'))
    assert await speak(plain_bot, said(CARD), 7) == [Sent("")]
    assert len(plain.calls) == 1


# --- listening and introducing ourselves ----------------------------------------------------


async def test_updates_come_as_they_were_sent(sim, bot):
    amal = sim.person("Amal", language_code="fr")
    update_id = amal.says("Bonjour")
    [update] = await get_updates(bot, None, 0)
    assert update["update_id"] == update_id
    assert update["message"]["text"] == "Bonjour"
    assert update["message"]["from"]["language_code"] == "fr"
    assert await get_updates(bot, update_id + 1, 0) == []


@pytest.mark.parametrize(
    ("code", "words", "error"),
    [
        (409, "Conflict: terminated by other getUpdates request", AnotherPoller),
        (409, "Conflict: can't use getUpdates method while webhook is active", AnotherPoller),
        (401, "Unauthorized", BadToken),
        (404, "Not Found", BadToken),
        (502, "Bad Gateway", TelegramServerError),
    ],
)
async def test_why_listening_failed(plain, plain_bot, code, words, error):
    plain.answers.append(
        (code, json.dumps({"ok": False, "error_code": code, "description": words}))
    )
    with pytest.raises(error, match=words.replace("(", "")):
        await get_updates(plain_bot, None, 0)


async def test_listening_to_nobody_is_a_network_error():
    settings = settings_for(f"http://127.0.0.1:{unused_port()}")
    async with open_bot(settings, Pacer()) as bot:
        with pytest.raises(TelegramNetworkError):
            await get_updates(bot, None, 0)


WHO_WE_ARE = [
    Introduction(None, "Jisr", "The bridge.", "Bridge", [("agenda", "The agenda")]),
    Introduction("fr", "Jisr", "Le pont.", "Pont", [("agenda", "Le programme")]),
]


async def test_the_bot_introduces_itself_and_repeats_nothing(sim, bot):
    await introduce(bot, WHO_WE_ARE)
    calls = [entry.method for entry in sim.ledger.accepted()]
    # The name is the same in both languages, and already known to the server.
    assert calls == ["setMyCommands", "setMyDescription", "setMyShortDescription"] * 2
    await introduce(bot, WHO_WE_ARE)
    assert len(sim.ledger) == 6


async def test_refused_introductions_are_told_once_and_harm_nobody(sim, bot, patience, capsys):
    sim.faults.refuse("setMyCommands", "getMyCommands", "setMyDescription", "getMyName")
    sim.faults.fail(times=2, code=429, retry_after=80_000, method="setMyShortDescription")
    await introduce(bot, WHO_WE_ARE)
    told = [line for line in capsys.readouterr().out.splitlines() if "refused" in line]
    assert [m for m in ("setMyCommands", "setMyDescription") for line in told if m in line] == [
        "setMyCommands",
        "setMyDescription",
    ]
    await speak(bot, said(CARD), sim.person("Amal").id)
    assert patience.now < 1


async def test_a_bot_without_a_token_is_not_opened():
    with pytest.raises(SettingsError, match="JISR_TELEGRAM_TOKEN: is not set"):
        async with open_bot(read_settings(telegram_token=None), Pacer()):
            pass
