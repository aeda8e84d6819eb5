"""How reminders and announcements go out on Telegram: python-telegram-bot's ExtBot, at our pace.

It speaks HTTP through aiohttp, several times faster than its stock client, and every answer that
is not a yes becomes a decision right there, by the table in `bot/verdicts.py`: the library's own
exceptions no longer tell a refused connection from a lost answer.
"""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import ClientSession, FormData, Payload, TCPConnector
from telegram.error import TelegramError
from telegram.ext import BaseRateLimiter, ExtBot
from telegram.request import BaseRequest, RequestData

from bot import papers, pictures
from bot.channels import Gone, Later, Lost, Moved, Outcome, Refused, Sent, Wait
from bot.pace import BULK, REPLY, NotNow, Pacer
from bot.rendering import Piece, render
from bot.settings import Settings, token_of
from bot.verdicts import outcome_of, read, telling_times
from bot.wire import NO_PREVIEW, form_of, post
from handlers.letters import Attachment, Chart, Edited, Letter, Reach, Scannable, Stored

log = structlog.get_logger()

# Seconds that one request may take.
_SECONDS = 30
# Seconds of a halt that a letter waits for here; for a longer one it goes back to the outbox.
PATIENCE = 1.0


class NotAccepted(TelegramError):  # noqa: N818 - a refusal, and often no error
    """No yes from the server; `outcome` is what that means, `status` what it said (HTTP)."""

    def __init__(self, outcome: Outcome, status: int = 0) -> None:
        super().__init__(str(outcome))
        self.outcome, self.status = outcome, status


class AiohttpRequest(BaseRequest):
    """The way to the server. Timeouts of single calls are not used."""

    def __init__(self) -> None:
        self._session: ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        """Seconds an answer may take."""
        return _SECONDS

    async def initialize(self) -> None:
        """Open the connection pool."""
        # How many are in flight is for delivery to say, not for the pool of connections.
        self._session = ClientSession(connector=TCPConnector(limit=0))

    async def shutdown(self) -> None:
        """Close the connection pool."""
        if self._session is not None:
            await self._session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        *_timeouts: Any,
        **_more_timeouts: Any,
    ) -> tuple[int, bytes]:
        """Make one request, a POST as all are. Raises NotAccepted unless the server said yes."""
        del method
        if self._session is None:
            raise RuntimeError("AiohttpRequest is not open")
        answer = await post(self._session, url, _body(request_data), _SECONDS)
        if not isinstance(answer, tuple):
            raise NotAccepted(answer)
        status, body = answer
        if status >= HTTPStatus.BAD_REQUEST:
            raise NotAccepted(outcome_of(status, body), status)
        return answer

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        """The answer; an unreadable one is not logged, as it may hold people's words."""
        answer = read(payload)
        if not answer.get("ok"):  # some servers say no with a status of 200
            refusal = outcome_of(HTTPStatus.OK, payload)
            raise NotAccepted(refusal, int(answer.get("error_code", 0)))
        return answer


def _body(data: RequestData | None) -> FormData | Payload | None:
    """A form, which every server reads; with files, in parts."""
    if data is None:
        return None
    if not data.contains_files:
        return form_of(data.json_parameters)
    parts = FormData(data.json_parameters)
    for name, (filename, content, mimetype) in data.multipart_data.items():
        parts.add_field(name, content, filename=filename, content_type=mimetype)
    return parts


@dataclass(slots=True)
class _Ticket:
    """What travels with one call through ExtBot: its place in line, and the id it was given."""

    priority: int
    patience: float | None
    may_start: Callable[[], bool] = lambda: True
    provider_id: str = ""


class PacedLimiter(BaseRateLimiter[_Ticket]):
    """ExtBot's turns are those of the pacer that replies use."""

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def process_request(  # noqa: PLR0917 - the library's own signature
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: _Ticket | None,
    ) -> Any:
        """Wait for a turn, make the request, and halt everybody after a 429."""
        ticket = rate_limit_args or _Ticket(BULK, None)
        await self._pacer.before(
            endpoint, data.get("chat_id"), ticket.priority, patience=ticket.patience
        )
        if not ticket.may_start():
            raise NotNow(0)
        try:
            result = await callback(*args, **kwargs)
        except NotAccepted as refusal:
            flood = refusal.status == HTTPStatus.TOO_MANY_REQUESTS
            if flood and isinstance(refusal.outcome, Wait):
                self._pacer.flooded(endpoint, refusal.outcome.seconds)
            raise
        if rate_limit_args is None:
            return result
        if isinstance(result, dict):
            ticket.provider_id = str(result.get("message_id", ""))
        # Of a message its id is all we need; the library would make objects of all it is told.
        return True


class TelegramBulk:
    """The channel of reminders and announcements. Made by `open_bulk`.

    `paid` lets Telegram take Stars for what goes beyond its free rate; answers are never paid for.
    """

    def __init__(self, bot: ExtBot[_Ticket], server: str, *, paid: bool = False) -> None:
        self._bot, self._server, self._paid = bot, server, paid
        self._username: str | None = None

    async def send(
        self,
        letter: Letter,
        address: str,
        *,
        priority: int = BULK,
        patience: float | None = PATIENCE,
        may_start: Callable[[], bool] = lambda: True,
    ) -> Outcome:
        """Send a letter in as many messages as it needs; the id is that of the last.

        A letter that edits a message is that one message, and says as much as fits.
        Waits for its turn by `priority`; a halt of more than `patience` seconds is a Wait. A
        letter that broke off after its first message is Lost: part of it was accepted.
        """
        pieces = render(letter)
        file = await self._file(letter)
        if not isinstance(file, Attachment | Stored | None):
            return file
        if letter.edits is not None:
            pieces = pieces[:1]
        for i, piece in enumerate(pieces):

            async def attempt(text: str, i: int = i, piece: Piece = piece) -> Outcome:
                # What has begun is carried to its end.
                ticket = _Ticket(priority, None) if i else _Ticket(priority, patience, may_start)
                return await self._call(
                    letter, None if i else file, Piece(text, piece.keyboard), address, ticket
                )

            outcome = await telling_times(self._server, piece.text, attempt)
            if not isinstance(outcome, Sent):
                broke_off = i > 0 and isinstance(outcome, Wait | Later | Refused)
                return Lost("partly sent") if broke_off else outcome
        return outcome

    async def _file(self, letter: Letter) -> Attachment | Stored | Outcome | None:
        """The letter's document or picture; made here, where nothing waits for it but itself.

        Nothing has left by then: a lost answer loses no letter, and what can't be made now can't
        be made later either.
        """
        try:
            return await self._made(letter)
        except NotNow as halt:
            return Wait(halt.seconds)
        except NotAccepted as refusal:
            lost = isinstance(refusal.outcome, Lost)
            return Later("the bot's name is not known yet") if lost else refusal.outcome
        except Exception:  # drawing may fail in any way; the letter must not come back for ever
            log.exception("a file can't be made")
            return Refused("can't be made")

    async def _made(self, letter: Letter) -> Attachment | Stored | None:
        if letter.stored is not None:
            return letter.stored
        if isinstance(letter.picture, Scannable):
            link = f"https://t.me/{await self._name()}?start={letter.picture.payload}"
            return Attachment("ticket.png", await pictures.scannable(link))
        if isinstance(letter.picture, Chart | Reach):
            return Attachment("chart.png", await pictures.chart(letter.picture))
        if letter.document is None or isinstance(letter.document, Attachment):
            return letter.document or letter.picture
        return Attachment(letter.document.name, await papers.file_of(letter.document))

    async def _name(self) -> str | None:
        """What Telegram calls the bot in links: asked once, when a picture first needs it."""
        if self._username is None:
            self._username = (await self._bot.get_me()).username
        return self._username

    async def _call(
        self,
        letter: Letter,
        file: Attachment | Stored | None,
        piece: Piece,
        address: str,
        ticket: _Ticket,
    ) -> Outcome:
        common: dict[str, Any] = {
            "chat_id": address,
            "parse_mode": "HTML",
            "rate_limit_args": ticket,
            "api_kwargs": {"reply_markup": piece.markup},
        }
        if self._paid and ticket.priority != REPLY:
            common["allow_paid_broadcast"] = True
        try:
            if file is not None:
                await self._send_file(letter, file, common | {"caption": piece.text or None})
            elif letter.edits is not None:
                await self._edit(letter.edits, piece.text, common)
            else:
                common["api_kwargs"] |= {"link_preview_options": NO_PREVIEW}
                await self._bot.send_message(text=piece.text, **common)
        except NotNow as refusal:
            return Wait(refusal.seconds)
        except NotAccepted as refusal:
            return _of_edit(letter.edits, refusal.outcome) if letter.edits else refusal.outcome
        return Sent(ticket.provider_id)

    async def _send_file(
        self, letter: Letter, file: Attachment | Stored, common: dict[str, Any]
    ) -> None:
        given: dict[str, Any]
        if isinstance(file, Stored):
            kind, given = file.kind, {file.kind: file.file}
        else:
            kind = "document" if letter.document else "photo"
            given = {kind: file.content, "filename": file.name}
        send = self._bot.send_photo if kind == "photo" else self._bot.send_document
        await send(**given, **common)

    async def _edit(self, edits: Edited, text: str, common: dict[str, Any]) -> None:
        if edits.elsewhere:
            del common["chat_id"]
            place: dict[str, Any] = {"inline_message_id": edits.message}
        else:
            place = {"message_id": int(edits.message)}
        common.pop("allow_paid_broadcast", None)
        common["api_kwargs"] |= {"link_preview_options": NO_PREVIEW}
        await self._bot.edit_message_text(text=text, **place, **common)


def _of_edit(edits: Edited, outcome: Outcome) -> Outcome:
    """What a refusal means for an edit: that nothing would change is as good as done.

    What is wrong with another chat says nothing of the reader's own address.
    """
    match outcome:
        case Refused(reason) if reason.startswith("message is not modified"):
            return Sent(edits.message)
        case Gone(reason) if edits.elsewhere:
            return Refused(reason)
        case Moved() if edits.elsewhere:
            return Refused("moved")
    return outcome


@asynccontextmanager
async def open_bulk(settings: Settings, pacer: Pacer) -> AsyncIterator[TelegramBulk]:
    """python-telegram-bot's client, paced. Raises SettingsError without a token.

    `ExtBot.initialize` would insist on getMe; the pool is all that needs opening.
    """
    server, request = settings.telegram_api_url, AiohttpRequest()
    bot = ExtBot(
        token_of(settings),
        base_url=f"{server}/bot",
        base_file_url=f"{server}/file/bot",
        request=request,
        get_updates_request=request,
        rate_limiter=PacedLimiter(pacer),
    )
    async with request:
        yield TelegramBulk(bot, server, paid=settings.paid_broadcast)
