"""The simulated Bot API, driven over real HTTP by the real clients, unmodified."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
import telegram
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BotCommand,
    BotCommandScopeChat,
    BufferedInputFile,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.simulator import Simulator, Toast
from bot.simulator.files import MAX_DOWNLOAD
from bot.simulator.server import BotApi, Lines, listening

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
GIF = b"GIF89a\x02\x00\x01\x00" + b"\x00" * 20


@pytest.fixture
def sim():
    return Simulator(now=lambda: NOON, patience=0.0)


@pytest.fixture
async def url(sim):
    async with sim.serve() as address:
        yield address


@asynccontextmanager
async def aiogram_bot(url, token) -> AsyncIterator[Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(url))
    try:
        yield Bot(token, session)
    finally:
        # aiogram's own close sleeps a quarter of a second, for the sake of TLS.
        if session._session is not None:
            await session._session.close()


@pytest.fixture
async def bot(sim, url):
    async with aiogram_bot(url, sim.token) as bot:
        yield bot


@pytest.fixture
def amal(sim):
    return sim.person("Amal", language_code="fr", last_name="Idrissi", username="amal_i")


def keyboard(*labels):
    buttons = [InlineKeyboardButton(text=label, callback_data=f"do:{label}") for label in labels]
    return InlineKeyboardMarkup(inline_keyboard=[buttons])


@asynccontextmanager
async def echoing(bot):
    """Run a bot that repeats, through aiogram's own polling."""
    talk = Dispatcher()

    @talk.message()
    async def repeat(message: Message) -> None:
        await message.answer(f"You said: {message.text}", reply_markup=keyboard("Yes", "No"))

    @talk.callback_query()
    async def agree(tap: CallbackQuery) -> None:
        await tap.message.edit_text(f"You tapped {tap.data}")
        await tap.answer("Noted", show_alert=True)

    polling = asyncio.ensure_future(talk.start_polling(bot, handle_signals=False))
    try:
        yield
    finally:
        await talk.stop_polling()
        await polling


# Both clients, whole conversations


async def test_aiogram_polls_answers_and_edits(sim, bot, amal):
    async with echoing(bot):
        amal.opens("rabat-2018")
        heard = await amal.hears()
        assert heard.text == "You said: /start rabat-2018"
        assert heard.labels == ["Yes", "No"]
        amal.taps("Yes")
        assert (await amal.hears()).text == "You tapped do:Yes"
        await sim.wait_for(lambda: amal.toasts)
        await sim.settled()
    assert amal.toasts == [Toast("Noted", show_alert=True)]
    assert sim.unanswered == []
    assert [message.text for message in amal.chat.messages] == [
        "/start rabat-2018",
        "You tapped do:Yes",
    ]
    assert [entry.method for entry in sim.ledger.accepted()] == [
        "sendMessage",
        "editMessageText",
        "answerCallbackQuery",
    ]


async def test_python_telegram_bot_speaks_and_listens(sim, url, amal):
    amal.says("Bonjour /help")
    async with telegram.Bot(sim.token, f"{url}/bot", f"{url}/file/bot") as bot:
        (update,) = await bot.get_updates()
        assert update.message.text == "Bonjour /help"
        assert update.message.parse_entities() == {update.message.entities[0]: "/help"}
        assert update.message.date == NOON
        sent = await bot.send_message(amal.id, "<b>Salut</b>", parse_mode="HTML")
        document = await bot.send_document(
            amal.id, b"1;2", filename="présents.csv", caption="Liste"
        )
        received = await (await bot.get_file(document.document.file_id)).download_as_bytearray()
        with pytest.raises(telegram.error.BadRequest, match="Message is not modified"):
            await bot.edit_message_text("Salut", amal.id, sent.id, entities=sent.entities)
        with pytest.raises(telegram.error.BadRequest, match="Chat not found"):
            await bot.send_message(1, "Salut")
    assert bytes(received) == b"1;2"
    assert [(m.html, m.document and m.document.name) for m in amal.chat.messages if m.outgoing] == [
        ("<b>Salut</b>", None),
        ("Liste", "présents.csv"),
    ]


async def test_all_four_ways_to_pass_arguments_mean_the_same(sim, url, amal):
    address = f"{url}/bot{sim.token}/sendmessage"
    words = {"chat_id": str(amal.id), "text": "Salut", "reply_markup": '{"force_reply": true}'}
    form = aiohttp.FormData(words, default_to_multipart=True)
    async with aiohttp.ClientSession() as http:
        answers = [
            await http.get(address, params=words),
            await http.post(address, data=words),
            await http.post(address, data=form),
            await http.post(address, json={**words, "reply_markup": {"force_reply": True}}),
        ]
        results = [(await answer.json())["result"] for answer in answers]
    assert [result.pop("message_id") for result in results] == [1, 2, 3, 4]
    assert results == [results[0]] * 4


async def test_every_kind_of_message_reaches_the_bot_as_its_kind(bot, amal):
    amal.sends_sticker("🎉")
    amal.sends_voice(7)
    amal.sends_photo(GIF, "Ma photo")
    amal.sends_document("cv.pdf", b"%PDF", "application/pdf")
    amal.forwards("Rendez-vous à 10 h", "Mehdi")
    amal.shares_contact("+212611111111")
    amal.shares_location(34.02, -6.84)
    amal.says("Bonjour")
    amal.edits(amal.chat.messages[-1], "Bonsoir")
    updates = await bot.get_updates()
    messages = [update.message for update in updates[:-1]]
    assert [message.content_type for message in messages] == [
        "sticker",
        "voice",
        "photo",
        "document",
        "text",
        "contact",
        "location",
        "text",
    ]
    assert messages[0].sticker.emoji == "🎉"
    assert messages[1].voice.duration == 7
    assert (messages[2].caption, messages[2].photo[-1].width) == ("Ma photo", 2)
    assert messages[4].forward_origin.sender_user_name == "Mehdi"
    assert messages[5].contact.user_id == amal.id
    assert updates[-1].edited_message.text == "Bonsoir"
    assert (await bot.download(messages[3].document)).read() == b"%PDF"


async def test_a_file_too_big_to_download_is_refused(bot, amal):
    amal.sends_document("film.mp4", bytes(MAX_DOWNLOAD + 1), "video/mp4")
    (update,) = await bot.get_updates()
    with pytest.raises(Exception, match="Bad Request: file is too big"):
        await bot.get_file(update.message.document.file_id)


async def test_a_file_is_sent_again_by_its_identifier(bot, amal):
    first = await bot.send_photo(amal.id, BufferedInputFile(GIF, "plan.gif"), caption="Le plan")
    again = await bot.send_photo(amal.id, first.photo[-1].file_id)
    assert again.photo == first.photo
    with pytest.raises(Exception, match="can't use file of type Photo as Document"):
        await bot.send_document(amal.id, first.photo[-1].file_id)


async def test_the_bot_dresses_for_each_language_and_scope(sim, bot, amal):
    await bot.set_my_name("Le pont", language_code="fr")
    await bot.set_my_description("Bienvenue", language_code="fr")
    await bot.set_my_commands([BotCommand(command="help", description="Help")])
    await bot.set_my_commands([BotCommand(command="aide", description="Aide")], language_code="fr")
    profile = sim.world.profile
    assert (profile.name_for("fr"), profile.name_for("ar")) == ("Le pont", "Jisr")
    assert [c["command"] for c in profile.commands_for(amal.id, "fr")] == ["aide"]
    assert [c["command"] for c in profile.commands_for(amal.id, "ar")] == ["help"]
    scope = BotCommandScopeChat(chat_id=amal.id)
    await bot.set_my_commands([BotCommand(command="staff", description="Équipe")], scope)
    assert [c["command"] for c in profile.commands_for(amal.id, "fr")] == ["staff"]
    await bot.delete_my_commands(scope)
    assert [c["command"] for c in profile.commands_for(amal.id, "fr")] == ["aide"]
    assert (await bot.get_my_name("fr")).name == "Le pont"


# People


async def test_a_tap_names_the_labels_in_sight_when_there_is_no_such_button(bot, amal):
    await bot.send_message(amal.id, "?", reply_markup=keyboard("Oui", "Non"))
    with pytest.raises(LookupError) as refusal:
        amal.taps("Peut-être")
    assert str(refusal.value) == (
        "Amal Idrissi sees no button 'Peut-être'. Buttons in sight:\n  [Oui]\n  [Non]"
    )


async def test_a_tap_prefers_the_newest_button_and_can_use_an_old_keyboard(sim, bot, amal):
    for number in (1, 2):
        await bot.send_message(amal.id, f"{number}", reply_markup=keyboard("Oui"))
    last_week = amal.chat.messages[0]
    await bot.edit_message_text("closed", chat_id=amal.id, message_id=last_week.id)
    amal.taps("Oui")
    amal.taps("Oui", message=last_week)
    assert [tap.message_id for tap in sim.unanswered] == [2, 1]
    amal.taps_data("do:forged")
    taps = [update.callback_query for update in await bot.get_updates()]
    assert [(tap.data, tap.message.text) for tap in taps] == [
        ("do:Oui", "2"),
        ("do:Oui", "closed"),
        ("do:forged", "2"),
    ]


async def test_a_button_that_links_to_the_bot_opens_it(bot, amal):
    link = InlineKeyboardButton(text="Entrer", url="https://t.me/JisrBot?start=rabat-2018")
    markup = InlineKeyboardMarkup(inline_keyboard=[[link]])
    await bot.send_message(amal.id, "Venez", reply_markup=markup)
    amal.taps("Entrer")
    assert amal.chat.messages[-1].text == "/start rabat-2018"


async def test_what_was_heard_once_is_not_heard_again_until_it_changes(bot, amal):
    first = await bot.send_message(amal.id, "un")
    await bot.send_message(amal.id, "deux")
    assert [message.text for message in amal.news()] == ["un", "deux"]
    assert amal.news() == []
    await first.edit_text("trois")
    assert (await amal.hears()).text == "trois"
    with pytest.raises(TimeoutError, match="did not hear 'quatre'"):
        await amal.hears("quatre", timeout=0)


async def test_blocking_tells_the_bot_and_closes_the_door(sim, bot, amal):
    amal.blocks()
    with pytest.raises(TelegramForbiddenError, match="Forbidden: bot was blocked by the user"):
        await bot.send_message(amal.id, "?")
    with pytest.raises(RuntimeError, match="Amal Idrissi has blocked the bot"):
        amal.says("?")
    amal.unblocks()
    await bot.send_message(amal.id, "!")
    changes = [update.my_chat_member for update in await bot.get_updates()]
    assert [change.new_chat_member.status for change in changes] == ["kicked", "member"]
    assert [(entry.error, entry.code) for entry in sim.ledger.refused()] == [
        ("Forbidden: bot was blocked by the user", 403),
    ]


async def test_a_group_that_grew_has_another_id(sim, bot, amal):
    group = sim.group("Rabat 2018", members=[amal])
    amal.says("Bonjour tout le monde", group)
    old = group.id
    new = group.migrate_to_supergroup()
    with pytest.raises(TelegramMigrateToChat) as moved:
        await bot.send_message(old, "Bonjour")
    assert moved.value.migrate_to_chat_id == new
    assert (await bot.send_message(new, "Bonjour")).chat.type == "supergroup"
    updates = await bot.get_updates()
    assert updates[0].message.chat.title == "Rabat 2018"
    assert updates[1].message.migrate_to_chat_id == new
    assert updates[2].message.migrate_from_chat_id == old


# Updates by polling


async def test_an_update_comes_again_until_a_later_offset(sim, bot, amal):
    first, second = amal.says("un"), amal.says("deux")
    ids = [[update.update_id for update in await bot.get_updates()] for _ in range(2)]
    assert ids == [[first, second], [first, second]]
    later = await bot.get_updates(offset=second)
    assert [update.update_id for update in later] == [second]
    assert await bot.get_updates(offset=second + 1) == []
    await sim.settled()


async def test_a_negative_offset_keeps_only_the_last(bot, amal):
    for text in ("un", "deux", "trois"):
        amal.says(text)
    assert [u.message.text for u in await bot.get_updates(offset=-1)] == ["trois"]
    assert [u.message.text for u in await bot.get_updates()] == ["trois"]


async def test_a_redelivered_update_keeps_its_id_and_waits_for_a_new_acknowledgement(
    sim, bot, amal
):
    update_id = amal.says("un")
    await bot.get_updates()
    await bot.get_updates(offset=update_id + 1)
    sim.redeliver(update_id)
    again = await bot.get_updates(offset=update_id + 1)
    assert [update.update_id for update in again] == [update_id]
    assert await bot.get_updates(offset=update_id + 1) == []


async def test_a_long_poll_wakes_for_an_update(bot, amal):
    polling = asyncio.ensure_future(bot.get_updates(timeout=30))
    amal.says("un")
    assert [update.message.text for update in await polling] == ["un"]


async def test_kinds_that_were_not_asked_for_are_dropped(bot, amal):
    await bot.get_updates(allowed_updates=["message"])
    amal.blocks()
    amal.unblocks()
    amal.says("un")
    assert [update.event_type for update in await bot.get_updates()] == ["message"]


async def test_settled_says_what_waits_when_nobody_takes_it(sim, amal):
    amal.says("un")
    with pytest.raises(TimeoutError, match=r"waiting: .*'text': 'un'"):
        await sim.settled(timeout=0)


async def test_a_second_poller_ends_the_first_with_a_conflict(sim, url, bot, amal):
    older = asyncio.ensure_future(bot.get_updates(timeout=30))
    await sim.wait_for(lambda: sim.world.mailbox.is_polled)
    async with aiogram_bot(url, sim.token) as other:
        newer = asyncio.ensure_future(other.get_updates(timeout=30))
        with pytest.raises(TelegramConflictError) as conflict:
            await older
        amal.says("un")
        assert len(await newer) == 1
    assert conflict.value.message == (
        "Conflict: terminated by other getUpdates request; "
        "make sure that only one bot instance is running"
    )


async def test_a_webhook_excludes_polling(sim, bot):
    polling = asyncio.ensure_future(bot.get_updates(timeout=30))
    await sim.wait_for(lambda: sim.world.mailbox.is_polled)
    await bot.set_webhook("http://127.0.0.1:9/hook")
    with pytest.raises(TelegramConflictError, match="terminated by setWebhook request"):
        await polling
    with pytest.raises(TelegramConflictError, match="can't use getUpdates method while webhook"):
        await bot.get_updates()
    await bot.delete_webhook()
    assert await bot.get_updates() == []


async def test_a_webhook_elsewhere_is_refused(bot):
    with pytest.raises(Exception, match="An HTTPS URL must be provided for webhook"):
        await bot.set_webhook("http://bot.example.org/hook")


async def test_stopping_ends_a_long_poll(sim):
    async with sim.serve() as url, aiogram_bot(url, sim.token) as bot:
        polling = asyncio.ensure_future(bot.get_updates(timeout=30))
        await sim.wait_for(lambda: sim.world.mailbox.is_polled)
        sim.world.changes.close()
        assert await polling == []


# Updates by webhook


@asynccontextmanager
async def hook(answer):
    """Serve a webhook; `answer` takes each request and returns a status."""

    async def take(request: Request) -> Response:
        return Response(status_code=await answer(request))

    lines = Lines(Starlette(routes=[Route("/hook", take, methods=["POST"])]))
    door = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.ensure_future(lines.serve([door]))
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}/hook"
    finally:
        lines.stopping.set()
        await serving


async def test_a_webhook_gets_a_chats_updates_in_order_and_again_after_a_failure(sim, bot, amal):
    bilal = sim.person("Bilal")
    taken = []
    failures = iter([500, 302, 404])

    async def answer(request):
        body = await request.json()
        text = body["message"]["text"]
        taken.append((text, request.headers["x-telegram-bot-api-secret-token"]))
        return next(failures, 200) if text == "un" else 200

    async with hook(answer) as address:
        await bot.set_webhook(address, secret_token="secret")
        for text in ("un", "deux", "trois"):
            amal.says(text)
        bilal.says("other")
        await sim.settled()
        info = await bot.get_webhook_info()
        await bot.delete_webhook()
    mine = [text for text, _ in taken if text != "other"]
    assert mine == ["un", "un", "un", "un", "deux", "trois"]
    assert ("other", "secret") in taken
    assert info.url == address
    assert info.last_error_message == "Wrong response from the webhook: 404 Not Found"


async def test_a_chat_whose_update_fails_does_not_hold_up_another(sim, bot, amal):
    bilal = sim.person("Bilal")
    release = asyncio.Event()

    async def answer(request):
        if (await request.json())["message"]["chat"]["id"] == amal.id:
            await release.wait()
        return 200

    async with hook(answer) as address:
        await bot.set_webhook(address)
        stuck, free = amal.says("un"), bilal.says("deux")
        await sim.wait_for(lambda: free not in sim.world.mailbox.pending)
        assert stuck in sim.world.mailbox.pending
        release.set()
        await sim.settled()
        await bot.delete_webhook()


# Trouble


async def test_a_bad_token_and_an_unknown_method_are_told_apart(sim, url):
    async with aiogram_bot(url, "1:wrong") as stranger:
        with pytest.raises(TelegramUnauthorizedError):
            await stranger.get_me()
    async with aiohttp.ClientSession() as http:
        answer = await http.get(f"{url}/bot{sim.token}/sendPaperMail")
        assert (answer.status, await answer.json()) == (
            404,
            {"ok": False, "error_code": 404, "description": "Not Found"},
        )


async def test_planned_errors_are_answered_and_then_forgotten(sim, bot, amal):
    sim.faults.fail(code=429, retry_after=7)
    sim.faults.fail(code=502)
    with pytest.raises(TelegramRetryAfter) as wait:
        await bot.send_message(amal.id, "un")
    assert wait.value.retry_after == 7
    with pytest.raises(TelegramServerError, match="Bad Gateway"):
        await bot.send_message(amal.id, "un")
    await bot.send_message(amal.id, "un")
    assert [entry.code for entry in sim.ledger] == [429, 502, 200]


async def test_a_fault_keeps_to_its_method_and_chat(sim, bot, amal):
    bilal = sim.person("Bilal")
    sim.faults.fail(method="sendMessage", chat_id=bilal.id)
    await bot.send_chat_action(bilal.id, "typing")
    await bot.send_message(amal.id, "un")
    with pytest.raises(TelegramServerError):
        await bot.send_message(bilal.id, "un")


async def test_a_line_cut_before_acceptance_leaves_no_trace(sim, bot, amal):
    sim.faults.drop_before()
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(amal.id, "un")
    assert (list(sim.ledger), amal.chat.messages) == ([], [])


async def test_a_line_cut_after_acceptance_leaves_the_message(sim, bot, amal):
    sim.faults.drop_after()
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(amal.id, "un")
    assert [message.text for message in amal.chat.messages] == ["un"]
    assert [(entry.text, entry.accepted) for entry in sim.ledger] == [("un", True)]


async def test_a_plain_server_refuses_what_it_does_not_know(sim, bot):
    sim.faults.refuse("setMyCommands", "getMe")
    with pytest.raises(TelegramNotFound):
        await bot.get_me()
    sim.faults.refuse("setMyName", code=400)
    with pytest.raises(Exception, match="method is unavailable"):
        await bot.set_my_name("Jisr")
    sim.faults.clear()
    assert (await bot.get_me()).username == "JisrBot"


async def test_strict_limits_refuse_a_second_message_to_one_chat_and_a_third_at_once(
    sim, bot, amal
):
    sim.faults.limit(overall=2, per_chat=0.01)
    await bot.send_message(amal.id, "un")
    with pytest.raises(TelegramRetryAfter) as wait:
        await bot.send_message(amal.id, "deux")
    assert wait.value.retry_after == 100
    assert [entry.error for entry in sim.ledger.refused()] == [
        "Too Many Requests: retry after 100",
    ]


async def test_messages_bear_the_simulated_time():
    clock = [NOON]
    late = Simulator(now=lambda: clock[0])
    async with late.serve() as address, aiogram_bot(address, late.token) as bot:
        bilal = late.person("Bilal")
        bilal.says("un")
        clock[0] += timedelta(days=2)
        sent = await bot.send_message(bilal.id, "deux")
    assert sent.date == NOON + timedelta(days=2)
    assert [entry.when for entry in late.ledger] == [NOON + timedelta(days=2)]


async def test_a_port_in_use_is_said_at_once(url):
    other = Simulator(now=lambda: NOON)
    api = BotApi(other.world, other.faults, other.token)
    with pytest.raises(OSError, match="in use"):
        async with listening(api, [], int(url.rpartition(":")[2])):
            pass


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example.org"},
        {"Host": "rebound.example.org:8080"},
        {"Origin": "https://elsewhere.example.org"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_requests_that_another_page_could_make_are_refused(sim, url, headers):
    async with aiohttp.ClientSession() as http:
        for path in ("/stage/state", f"/bot{sim.token}/getMe"):
            answer = await http.get(f"{url}{path}", headers=headers)
            assert answer.status == 403
