"""Listening by webhook: Telegram brings each update, and hears 200 when it was taken.

An update is answered 200 only after its commit and its speech; until then Telegram brings it again,
to this process or to another one that serves the same bot. What doesn't carry the secret is turned
away before a byte of it is read.
"""

import asyncio
import hmac
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest, TelegramUnauthorizedError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bot.door import Door
from bot.settings import Settings
from bot.telegram import ALLOWED_UPDATES, BadToken

log = structlog.get_logger()

PATH = "/telegram"
# Bytes of an update: real ones have some kilobytes.
LARGEST = 1_000_000
# Updates in hand at once, beyond which others are asked to come again; and how many of these
# Telegram may bring at once (Bot API setWebhook.max_connections: 1-100).
MOST_IN_HAND, CONNECTIONS = 100, 40
# Seconds for the body of a request to arrive, and for a call about the webhook.
BODY_SECONDS, CALL_SECONDS = 10.0, 10
# Seconds between two tries to set the webhook, doubled up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0

# Bot API, setWebhook.secret_token.
_HEADER = "x-telegram-bot-api-secret-token"


class Webhook:
    """Receives what Telegram brings. Raises ValueError without a secret."""

    def __init__(self, door: Door, secret: str) -> None:
        if not secret:
            raise ValueError("without a secret anybody could pretend to be Telegram")
        self._door, self._secret = door, secret.encode()

    def routes(self) -> list[Route]:
        """The one path that Telegram is told."""
        return [Route(PATH, self.receive, methods=["POST"])]

    async def receive(self, request: Request) -> Response:
        """Take one update; 200 when it may be forgotten."""
        refusal = self._refusal(request)
        if refusal is not None:
            return Response(status_code=refusal)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                raw = _update(await _read(request))
        except _TooLargeError:
            return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except (TimeoutError, ClientDisconnect):
            return Response(status_code=HTTPStatus.REQUEST_TIMEOUT)
        if raw is None:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        # Whoever brought it may hang up; it is taken all the same, and comes again.
        await asyncio.shield(self._door.admit(raw))
        return Response(status_code=HTTPStatus.OK)

    def _refusal(self, request: Request) -> HTTPStatus | None:
        given = request.headers.get(_HEADER, "").encode("latin-1")
        if not hmac.compare_digest(given, self._secret):
            return HTTPStatus.FORBIDDEN
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        if len(self._door.in_hand) >= MOST_IN_HAND:
            return HTTPStatus.SERVICE_UNAVAILABLE
        return None


async def hook(bot: Bot, settings: Settings) -> None:
    """Tell Telegram where we are, again and again until it agrees. Raises BadToken."""
    secret, pause = settings.webhook_secret, FIRST_PAUSE
    if secret is None:
        raise ValueError("a webhook needs a secret")
    while True:
        try:
            await bot.set_webhook(
                f"{settings.public_url}{PATH}",
                secret_token=secret.get_secret_value(),
                allowed_updates=ALLOWED_UPDATES,
                max_connections=CONNECTIONS,
                request_timeout=CALL_SECONDS,
            )
        except TelegramUnauthorizedError as error:
            raise BadToken(error.message) from None
        except TelegramBadRequest as error:
            remedy = "JISR_PUBLIC_URL must be an https address that Telegram reaches: see its words"
            log.error("the webhook was refused", reason=error.message, remedy=remedy)  # noqa: TRY400 - a remedy helps more than a trace
        except (AiogramError, OSError) as error:
            log.warning("the webhook could not be set", error=type(error).__name__)
        else:
            log.info("the webhook is set")
            return
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


async def unhook(bot: Bot) -> None:
    """Remove the webhook, which keeps us from polling. A refusal is logged, never raised."""
    try:
        await bot.delete_webhook(drop_pending_updates=False, request_timeout=CALL_SECONDS)
    except (AiogramError, OSError) as error:
        log.warning("the webhook could not be removed", error=type(error).__name__)


class _TooLargeError(Exception):
    """More than an update can be."""


async def _read(request: Request) -> bytes:
    """The body, counted as it comes, whatever its headers say. Raises _TooLargeError."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise _TooLargeError
    return bytes(body)


def _update(body: bytes) -> dict[str, Any] | None:
    try:
        match orjson.loads(body):
            case {"update_id": int(), **_rest} as raw:
                return dict(raw)
    except orjson.JSONDecodeError:
        return None
    return None
