"""How we speak to people on Telegram while they wait: rendering, replies, and what errors mean.

Replies go out by aiogram's session, paced before everything else; reminders and announcements are
`bot/bulk.py`'s, by the same rendering and the same table of errors.
"""

import asyncio
import html
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.session.middlewares.base import (
    BaseRequestMiddleware,
    NextRequestMiddlewareType,
)
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramConflictError,
    TelegramNotFound,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType

from bot.callers import KINDS
from bot.channels import Later, Lost, Outcome, Refused, Sent, Wait
from bot.choices import offer
from bot.marks import mark
from bot.pace import REPLY, NotNow, Pacer
from bot.rendering import Piece, render
from bot.settings import Settings, token_of
from bot.verdicts import decide, telling_times
from bot.wire import NO_PREVIEW, tell
from handlers.letters import Letter, Spoken

log = structlog.get_logger(__name__)

TOAST_LIMIT = 200  # Bot API, answerCallbackQuery.text.

# Seconds that one reply may take on the wire, and those between two tries of it.
_REPLY_SECONDS, SIDE_CALL_SECONDS = 20, 10
_PAUSES = (0.5, 1.0, 2.0, 4.0)
# Seconds of a halt that a person is left waiting for; after a longer one the answer is stale.
_REPLY_PATIENCE = 60.0


# --- the client -----------------------------------------------------------------------------


class _Session(AiohttpSession):
    def __init__(self, pacer: Pacer, **options: Any) -> None:
        super().__init__(**options)
        self._pacer = pacer

    async def say(self, bot: Bot, method: str, fields: Mapping[str, str], seconds: int) -> Outcome:
        """Make a request when its turn has come; `bot.wire.tell` says what comes back."""
        try:
            await self._pacer.before(method, fields.get("chat_id"), REPLY, patience=_REPLY_PATIENCE)
        except NotNow as halt:
            return Wait(halt.seconds)
        url = self.api.api_url(token=bot.token, method=method)
        return await tell(await self.create_session(), url, fields, seconds, self._pacer)

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        """Tell a gateway's error page, which is no JSON, from an answer we can't read."""
        is_page = not content.lstrip().startswith("{")
        if is_page and status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise TelegramServerError(method=method, message=f"status {status_code}")
        return super().check_response(bot, method, status_code, content)

    async def close(self) -> None:
        """Close at once: aiogram sleeps for older versions of aiohttp, which left that to us."""
        if self._session is not None:
            await self._session.close()


class _Paced(BaseRequestMiddleware):
    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        name, chat = method.__api_method__, getattr(method, "chat_id", None)
        await self._pacer.before(name, chat, REPLY, patience=_REPLY_PATIENCE)
        try:
            return await make_request(bot, method)
        except TelegramAPIError as error:
            outcome = decide(error)
            # A refused token halts nobody: who waits for it waits in vain.
            if isinstance(outcome, Wait) and not isinstance(error, TelegramUnauthorizedError):
                self._pacer.flooded(name, outcome.seconds)
            raise


@asynccontextmanager
async def open_bot(settings: Settings, pacer: Pacer) -> AsyncIterator[Bot]:
    """The client of aiogram, paced. Raises SettingsError without a token; asks the server nothing."""
    token = token_of(settings)
    server = TelegramAPIServer.from_base(settings.telegram_api_url)
    session = _Session(pacer, api=server, json_loads=orjson.loads)
    session.middleware(_Paced(pacer))
    default = DefaultBotProperties(parse_mode="HTML", link_preview_is_disabled=True)
    try:
        yield Bot(token, session, default)
    finally:
        await session.close()


# --- replies --------------------------------------------------------------------------------

# Refusals of an edit (lower case) after which the words are said anew, below.
_NOT_EDITABLE = (
    "message can't be edited",
    "message to edit not found",
    "there is no text in the message to edit",
    "message_id_invalid",
)

Sleep = Callable[[float], Awaitable[None]]


async def speak(
    bot: Bot,
    spoken: Sequence[Spoken],
    chat_id: int,
    tapped: int | None = None,
    callback_id: str | None = None,
    *,
    sleep: Sleep = asyncio.sleep,
) -> list[Outcome]:
    """Say all of it in order, and tell what became of each.

    `tapped` is the message whose button was tapped, `callback_id` the tap, or the question from
    another chat that choices answer. The tap is answered first, whatever was said. After a failure
    that is not the letter's own, the rest is not tried and shares its outcome. A lost answer is
    tried again: said twice is better than not at all.
    """
    toasted: Outcome = Sent("")
    asked = any(one.verb == "choices" for one in spoken)
    if callback_id is not None and not asked:
        toast = "\n".join(one.toast for one in spoken if one.toast)
        toasted = await _answer(bot, callback_id, toast[:TOAST_LIMIT])
    outcomes: list[Outcome] = []
    for one in spoken:
        if one.letter is None and callback_id is not None:
            outcomes.append(await offer(bot, callback_id, one.choices) if asked else toasted)
            continue
        # A toast with no tap to show it over is a message like others.
        letter = one.letter or Letter(html.escape(one.toast, quote=False))
        if one.verb == "mark":
            outcomes.append(await mark(bot, letter, chat_id, tapped))
            continue
        edited = tapped if one.verb == "edit" else None
        for piece in render(letter):
            outcome = await _say(bot, piece, chat_id, edited, sleep)
            edited = None
            if not isinstance(outcome, Sent):
                break
        outcomes.append(outcome)
        if not isinstance(outcome, Sent | Refused):
            outcomes += [outcome] * (len(spoken) - len(outcomes))
            break
    return outcomes


async def _answer(bot: Bot, callback_id: str, toast: str) -> Outcome:
    fields = {"callback_query_id": callback_id} | ({"text": toast} if toast else {})
    outcome = await _session(bot).say(bot, "answerCallbackQuery", fields, SIDE_CALL_SECONDS)
    if not isinstance(outcome, Sent):  # "query is too old" is an everyday one
        log.info("a tap was not answered", outcome=outcome)
    return outcome


def _session(bot: Bot) -> _Session:
    if not isinstance(bot.session, _Session):
        raise TypeError("a bot is opened by open_bot")
    return bot.session


async def _say(bot: Bot, piece: Piece, chat_id: int, edited: int | None, sleep: Sleep) -> Outcome:
    fields = {"chat_id": str(chat_id), "parse_mode": "HTML"}
    if piece.markup:
        fields["reply_markup"] = piece.markup

    async def send(text: str) -> Outcome:
        if piece.stored is None:
            told = {"text": text, "link_preview_options": NO_PREVIEW}
            return await _persist(bot, "sendMessage", fields | told, sleep)
        # A file is one that Telegram holds.
        kind, given = piece.stored.kind, {piece.stored.kind: piece.stored.file}
        given |= {"caption": text} if text else {}
        return await _persist(bot, f"send{kind.capitalize()}", fields | given, sleep)

    async def edit(text: str) -> Outcome:
        told = {"message_id": str(edited), "text": text, "link_preview_options": NO_PREVIEW}
        return await _persist(bot, "editMessageText", fields | told, sleep)

    server = bot.session.api.base.partition("/bot{token}")[0]
    # A text can't become a file: that is said anew.
    if edited is not None and piece.stored is None:
        outcome = await telling_times(server, piece.text, edit)
        refusal = outcome.reason.lower() if isinstance(outcome, Refused) else ""
        if "message is not modified" in refusal:
            return Sent(str(edited))
        if not any(words in refusal for words in _NOT_EDITABLE):
            return outcome
    return await telling_times(server, piece.text, send)


async def _persist(bot: Bot, method: str, fields: Mapping[str, str], sleep: Sleep) -> Outcome:
    session = _session(bot)
    for pause in (*_PAUSES, None):
        outcome = await session.say(bot, method, fields, _REPLY_SECONDS)
        stale = isinstance(outcome, Wait) and outcome.seconds >= _REPLY_PATIENCE
        if pause is None or stale or not isinstance(outcome, Wait | Later | Lost):
            break
        if not isinstance(outcome, Wait):  # the pacer holds the next try for as long as it takes
            await sleep(pause)
    return outcome


# --- listening ------------------------------------------------------------------------------

# Bot API, getUpdates.allowed_updates: what we listen to.
ALLOWED_UPDATES = [*KINDS]


class AnotherPoller(Exception):  # noqa: N818 - it is somebody
    """Somebody else listens for this bot: another process, or a webhook that is still set."""


class BadToken(Exception):  # noqa: N818 - as it is known to operators
    """The server doesn't know this token."""


class _GetRawUpdates(TelegramMethod[list[dict[str, Any]]]):
    __returning__ = list[dict[str, Any]]
    __api_method__ = "getUpdates"

    offset: int | None = None
    timeout: int
    allowed_updates: list[str]


async def get_updates(bot: Bot, offset: int | None, timeout: int) -> list[dict[str, Any]]:  # noqa: ASYNC109 - the server's own, sent along
    """Wait up to `timeout` seconds for updates, and return them as they came.

    Raises AnotherPoller, BadToken, or what aiogram raises when the network or server fails.
    """
    call = _GetRawUpdates(offset=offset, timeout=timeout, allowed_updates=ALLOWED_UPDATES)
    try:
        return await bot(call, request_timeout=timeout + SIDE_CALL_SECONDS)
    except TelegramConflictError as error:
        raise AnotherPoller(error.message) from None
    except (TelegramUnauthorizedError, TelegramNotFound) as error:
        raise BadToken(error.message) from None
