"""How reminders and announcements go out on Telegram: python-telegram-bot's ExtBot, at our pace.

Every answer that is not a yes becomes a decision where it comes in (`bot/bulk_client.py`), by the
table in `bot/verdicts.py`: the library's own exceptions no longer tell a refused connection from a
lost answer.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from telegram.ext import ExtBot

from bot import papers, pictures
from bot.bulk_client import AiohttpRequest, NotAccepted, PacedLimiter, Ticket
from bot.channels import Gone, Later, Lost, Moved, Outcome, Refused, Sent, Wait
from bot.pace import BULK, REPLY, Pacer
from bot.rendering import Piece, render
from bot.settings import Settings, token_of
from bot.verdicts import telling_times
from bot.wire import NO_PREVIEW
from handlers.letters import Attachment, Chart, Edited, Letter, Reach, Scannable, Stored

log = structlog.get_logger()

# Seconds of a halt that a letter waits for here; for a longer one it goes back to the outbox.
PATIENCE = 1.0


class TelegramBulk:
    """The channel of reminders and announcements. Made by `open_bulk`.

    `paid` lets Telegram take Stars for what goes beyond its free rate; answers are never paid for.
    """

    def __init__(self, bot: ExtBot[Ticket], server: str, *, paid: bool = False) -> None:
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
                ticket = Ticket(priority, None) if i else Ticket(priority, patience, may_start)
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
        ticket: Ticket,
    ) -> Outcome:
        common: dict[str, Any] = {
            "chat_id": address,
            "parse_mode": "HTML",
            "rate_limit_args": ticket,
            "api_kwargs": {"reply_markup": piece.markup},
        }
        if self._paid and ticket.priority != REPLY:
            common["allow_paid_broadcast"] = True
        if file is not None:
            await self._send_file(letter, file, common | {"caption": piece.text or None})
        elif letter.edits is not None:
            await self._edit(letter.edits, piece.text, common)
            return _of_edit(letter.edits, ticket.outcome)
        else:
            common["api_kwargs"]["link_preview_options"] = NO_PREVIEW
            await self._bot.send_message(text=piece.text, **common)
        return ticket.outcome

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
    server, token, request = settings.telegram_api_url, token_of(settings), AiohttpRequest()
    bot = ExtBot(
        token,
        base_url=f"{server}/bot",
        base_file_url=f"{server}/file/bot",
        request=request,
        get_updates_request=request,
        rate_limiter=PacedLimiter(pacer, request, f"{server}/bot{token}"),
    )
    async with request:
        yield TelegramBulk(bot, server, paid=settings.paid_broadcast)
