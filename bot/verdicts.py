"""What an answer of the Bot API means for the letter that met it, as a decision.

One table for both clients: aiogram's exceptions (replies) and plain HTTP answers (bulk).
"""

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiohttp import ClientConnectorError, ConnectionTimeoutError

from bot.channels import Gone, Later, Lost, Moved, Outcome, Refused, Sent, Wait
from bot.pace import NotNow

log = structlog.get_logger(__name__)

# Seconds until we ask again, when a token is refused or a 429 names no time.
_TOKEN_SECONDS, _FLOOD_SECONDS = 60.0, 5.0
# The width of `outbox.reason`.
_REASON_LENGTH = 64
_TIME_TAG = re.compile(r"</?tg-time\b[^>]*>")

NO_TIMES = Refused("tg-time is not known here")
# Halts nobody: who waits for a refused token waits in vain.
TOKEN_REFUSED = Wait(_TOKEN_SECONDS)

# A status, words of the description, and what they mean for the letter; the first that fits.
# The descriptions are those of the public server.
_MEANINGS: tuple[tuple[int, str, Outcome], ...] = (
    (HTTPStatus.FORBIDDEN, "bot was blocked by the user", Gone("blocked")),
    (HTTPStatus.FORBIDDEN, "user is deactivated", Gone("deactivated")),
    (HTTPStatus.FORBIDDEN, "", Gone("forbidden")),
    (HTTPStatus.BAD_REQUEST, "chat not found", Gone("chat not found")),
    (HTTPStatus.BAD_REQUEST, "user not found", Gone("user not found")),
    (HTTPStatus.BAD_REQUEST, "peer_id_invalid", Gone("chat not found")),
    (HTTPStatus.BAD_REQUEST, "chat_write_forbidden", Gone("no right to write")),
    (HTTPStatus.BAD_REQUEST, "no rights to send", Gone("no right to write")),
    (HTTPStatus.BAD_REQUEST, "not enough rights to send", Gone("no right to write")),
    (HTTPStatus.BAD_REQUEST, 'tag "tg-time"', NO_TIMES),
    # Ours to mend, and no fault of the letter: it waits.
    (HTTPStatus.UNAUTHORIZED, "", TOKEN_REFUSED),
    # An unknown method, or a malformed token.
    (HTTPStatus.NOT_FOUND, "", Later("method not found")),
    (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "", Refused("too large")),
    (HTTPStatus.TOO_MANY_REQUESTS, "", Wait(_FLOOD_SECONDS)),
)


def judge(status: int, description: str, parameters: dict[str, Any] | None = None) -> Outcome:
    """What a refusal of the Bot API means: its HTTP status, description and ResponseParameters."""
    parameters = parameters or {}
    if "retry_after" in parameters:
        return Wait(float(parameters["retry_after"]))
    if "migrate_to_chat_id" in parameters:
        return Moved(str(parameters["migrate_to_chat_id"]))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Later(f"server error {status}")
    for known, words, outcome in _MEANINGS:
        if status == known and words in description.lower():
            return outcome
    return Refused(description.removeprefix("Bad Request: ")[:_REASON_LENGTH].rstrip())


def read(body: bytes) -> dict[str, Any]:
    """An answer's JSON; empty for a gateway's page, which has none."""
    try:
        answer = orjson.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def outcome_of(status: int, body: bytes) -> Outcome:
    """What an answer means: its HTTP status, and its words, which are not logged."""
    answer = read(body)
    if answer.get("ok"):
        result = answer.get("result")
        return Sent(str(result.get("message_id", "")) if isinstance(result, dict) else "")
    if status < HTTPStatus.BAD_REQUEST:
        if not answer:
            return Lost("unreadable answer")
        status = int(answer.get("error_code", 0))  # some servers say no with a status of 200
    return judge(status, str(answer.get("description", "")), answer.get("parameters"))


_STATUS: dict[type[TelegramAPIError], HTTPStatus] = {
    TelegramBadRequest: HTTPStatus.BAD_REQUEST,
    TelegramUnauthorizedError: HTTPStatus.UNAUTHORIZED,
    TelegramForbiddenError: HTTPStatus.FORBIDDEN,
    TelegramNotFound: HTTPStatus.NOT_FOUND,
    TelegramConflictError: HTTPStatus.CONFLICT,
}


def decide(error: Exception) -> Outcome:  # noqa: PLR0911 - a table, one line for each kind
    """What an error from aiogram means for the letter that met it."""
    match error:
        case NotNow():
            return Wait(error.seconds)
        case TelegramRetryAfter():
            return Wait(float(error.retry_after))
        case TelegramMigrateToChat():
            return Moved(str(error.migrate_to_chat_id))
        case TelegramEntityTooLarge():
            return Refused("too large")
        case TelegramNetworkError():
            return unanswered(error.__cause__ or error)
        case TelegramServerError():
            return Later("server error")
        case TelegramAPIError(message=words) if words.startswith("Too Many Requests"):
            return Wait(_FLOOD_SECONDS)  # aiogram has no class for one that names no time
        case TelegramAPIError():
            return judge(_STATUS.get(type(error), HTTPStatus.BAD_REQUEST), error.message)
        case ClientDecodeError(data={"ok": True, "result": result}):
            # Accepted, and told in fewer words than aiogram expects.
            return Sent(str(result.get("message_id", "")) if isinstance(result, dict) else "")
    return Lost(type(error).__name__)


def unanswered(error: BaseException) -> Later | Lost:
    """What a failure on the way means: did it strike before the request could have left?"""
    if isinstance(error, ClientConnectorError | ConnectionTimeoutError):
        return Later("no connection")
    return Lost(type(error).__name__)


# Bot API servers older than 9.5, which refuse <tg-time>; learnt from their refusals.
_WITHOUT_TIMES: set[str] = set()


async def telling_times(
    server: str, text: str, attempt: Callable[[str], Awaitable[Outcome]]
) -> Outcome:
    """Attempt a text; if this server doesn't know <tg-time>, again with only the words in it."""
    if "<tg-time" not in text:
        return await attempt(text)
    if server in _WITHOUT_TIMES:
        text = _TIME_TAG.sub("", text)
    outcome = await attempt(text)
    if outcome == NO_TIMES:
        log.warning("this Bot API server does not know tg-time", server=server)
        _WITHOUT_TIMES.add(server)
        outcome = await attempt(_TIME_TAG.sub("", text))
    return outcome
