"""Our own HTTP server: what others bring (the webhook), and how we are (`/healthz`, `/metrics`)."""

import asyncio
import math
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus

import orjson
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.clock import Clock
from bot.engine import NAME, Office
from bot.metrics import Metrics
from bot.settings import Complaint, Settings, SettingsError, env_name
from storage import health
from storage.database import Storage

# Seconds that answers under way get when the server stops: as long as the listener's last words.
_LAST_WORDS = 8
# Where to serve if nothing else is said, and the connections that may wait at the door.
_PORT, _BACKLOG = 8000, 256
# Seconds that the database may take to say how it is, and to count the whole outbox.
_PATIENCE, _COUNTING = 2.0, 8.0
# Seconds for which a count will do: whoever asks more often, asks nothing of the database.
_FRESH = 5.0


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the command line."""
        yield


@asynccontextmanager
async def serving(routes: Sequence[BaseRoute], settings: Settings) -> AsyncIterator[int]:
    """Serve while the block lasts; yields the port. Leaving lets the answers under way finish.

    Raises SettingsError if the port can't be had.
    """
    port = _PORT if settings.port is None else settings.port
    try:
        door = socket.create_server((settings.host, port), backlog=_BACKLOG)
    except OSError as error:
        wrong = f"{settings.host}:{port} can't be served on ({error.strerror})"
        remedy = "choose a free port and an address of this machine"
        raise SettingsError([Complaint(env_name("port"), wrong, remedy)]) from None
    server = _Server(
        uvicorn.Config(
            Starlette(routes=routes),
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            # The address of a peer is no concern of ours: believe nobody about it.
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_LAST_WORDS,
        )
    )
    running = asyncio.create_task(server.serve([door]))
    try:
        yield door.getsockname()[1]
    finally:
        server.should_exit = True
        await running


def healthz(storage: Storage, clock: Clock) -> Route:
    """Whether we are ready, how long an engine holds its office, how late the oldest letter is.

    200 if the database answers, else 503; times in seconds, null where there is nothing to tell.
    """

    async def answer(_request: Request) -> Response:
        report: dict[str, object] = {"live": True, "ready": False}
        try:
            async with asyncio.timeout(_PATIENCE), storage.read() as db:
                found = await health.look(db, NAME)
        except (SQLAlchemyError, OSError):
            return _json(report, HTTPStatus.SERVICE_UNAVAILABLE)
        now = clock.now()
        until, due = found.engine_until, found.oldest_due
        report["ready"] = True
        report["engine_lease"] = until and round((until - now).total_seconds(), 1)
        report["oldest_due"] = due and max(0.0, round((now - due).total_seconds(), 1))
        return _json(report, HTTPStatus.OK)

    return Route("/healthz", answer)


def metrics(counted: Metrics, storage: Storage, office: Office, clock: Clock) -> Route:
    """What Prometheus scrapes; 503 with a line of words while the database is away."""
    one_at_a_time, census, counted_at = asyncio.Lock(), health.Census(None, {}, {}), -math.inf

    async def answer(_request: Request) -> Response:
        nonlocal census, counted_at
        try:
            async with asyncio.timeout(_COUNTING), one_at_a_time:
                if time.monotonic() - counted_at > _FRESH:
                    async with storage.read() as db:
                        census = await health.count(db, NAME)
                    counted_at = time.monotonic()
        except (SQLAlchemyError, OSError) as error:
            told = f"The database does not answer ({type(error).__name__}).\n"
            return PlainTextResponse(told, HTTPStatus.SERVICE_UNAVAILABLE)
        exposition = counted.exposition(census, clock.now(), held=office.safe)
        return Response(exposition, media_type=CONTENT_TYPE_LATEST)

    return Route("/metrics", answer)


def _json(report: dict[str, object], status: HTTPStatus) -> Response:
    return Response(orjson.dumps(report), status, media_type="application/json")
