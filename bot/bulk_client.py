"""python-telegram-bot's way to the server: through aiohttp, at our pace, an outcome for an answer.

Its rate limiter is where a letter waits for its turn, and where it is sent: what has no file in it
leaves as a plain form, by the same function as replies, for the library's own models of what is
asked and answered cost as much as the request. What has one goes through the library's request,
which speaks HTTP through aiohttp too.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import ClientSession, FormData, Payload, TCPConnector
from telegram.error import TelegramError
from telegram.ext import BaseRateLimiter
from telegram.request import BaseRequest, RequestData

from bot.channels import Outcome, Sent, Wait
from bot.pace import NotNow, Pacer
from bot.verdicts import TOKEN_REFUSED, outcome_of, read
from bot.wire import form_of, post, tell

# Seconds that one request may take.
SECONDS = 30
# Of a letter that did not start: ask again at once.
NOT_NOW = Wait(0)


class NotAccepted(TelegramError):  # noqa: N818 - a refusal, and often no error
    """No yes from the server; `outcome` is what that means."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(str(outcome))
        self.outcome = outcome


class AiohttpRequest(BaseRequest):
    """The library's way to the server. Timeouts of single calls are not used."""

    def __init__(self) -> None:
        self._session: ClientSession | None = None

    @property
    def session(self) -> ClientSession:
        """The connection pool. Raises RuntimeError if it is not open."""
        if self._session is None:
            raise RuntimeError("AiohttpRequest is not open")
        return self._session

    @property
    def read_timeout(self) -> float | None:
        """Seconds an answer may take."""
        return SECONDS

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
        answer = await post(self.session, url, _body(request_data), SECONDS)
        if not isinstance(answer, tuple):
            raise NotAccepted(answer)
        status, body = answer
        if status >= HTTPStatus.BAD_REQUEST:
            raise NotAccepted(outcome_of(status, body))
        return answer

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        """The answer; an unreadable one is not logged, as it may hold people's words."""
        answer = read(payload)
        if not answer.get("ok"):  # some servers say no with a status of 200
            raise NotAccepted(outcome_of(HTTPStatus.OK, payload))
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
class Ticket:
    """What travels with a letter through ExtBot: its place in line, and what became of it."""

    priority: int
    patience: float | None
    may_start: Callable[[], bool] = lambda: True
    outcome: Outcome = NOT_NOW


class PacedLimiter(BaseRateLimiter[Ticket]):
    """ExtBot's turns are those of the pacer that replies use."""

    def __init__(self, pacer: Pacer, request: AiohttpRequest, base_url: str) -> None:
        self._pacer, self._request, self._base_url = pacer, request, base_url

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
        rate_limit_args: Ticket | None,
    ) -> Any:
        """Wait for a letter's turn, send it, and note on its ticket what became of it.

        Returns True for a letter: of a message its id is all we need, and the library would make
        objects of all it is told. What is no letter is not paced, and is the library's own.
        """
        ticket = rate_limit_args
        if ticket is None:
            return await callback(*args, **kwargs)
        try:
            await self._pacer.before(
                endpoint, data.get("chat_id"), ticket.priority, patience=ticket.patience
            )
        except NotNow as halt:
            ticket.outcome = Wait(halt.seconds)
            return True
        if ticket.may_start():
            fields = _plain(data)
            if fields is not None:
                url = f"{self._base_url}/{endpoint}"
                ticket.outcome = await tell(
                    self._request.session, url, fields, SECONDS, self._pacer
                )
            else:
                ticket.outcome = await self._theirs(endpoint, callback(*args, **kwargs))
        return True

    async def _theirs(self, endpoint: str, request: Coroutine[Any, Any, Any]) -> Outcome:
        """What becomes of a request that the library makes."""
        try:
            result = await request
        except NotAccepted as refusal:
            outcome = refusal.outcome
            if isinstance(outcome, Wait) and outcome is not TOKEN_REFUSED:
                self._pacer.flooded(endpoint, outcome.seconds)
            return outcome
        return Sent(str(result.get("message_id", "")) if isinstance(result, dict) else "")


def _plain(data: dict[str, Any]) -> dict[str, str] | None:
    """The fields of a request as they are sent; None: there is more to it, such as a file."""
    fields = {}
    for name, value in data.items():
        if isinstance(value, str):
            fields[name] = value
        elif isinstance(value, int):
            fields[name] = str(value).lower()  # true, false and numbers are the same in JSON
        else:
            return None
    return fields
