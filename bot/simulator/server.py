"""The HTTP side of the Bot API: tokens, calls, downloads, and lines that may be cut."""

import asyncio
import inspect
import re
import socket
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.simulator.arguments import Arguments, read_arguments
from bot.simulator.errors import ApiError
from bot.simulator.faults import Faults
from bot.simulator.methods import METHODS
from bot.simulator.profile_methods import PROFILE_METHODS
from bot.simulator.world import World

_FAREWELL = 0.3
"""Seconds that answers under way get when the server stops."""

_NAMES = {name.lower(): name for name in (*METHODS, *PROFILE_METHODS)}
_UNAUTHORIZED = ApiError(401, "Unauthorized")
_NOT_FOUND = ApiError(404, "Not Found")


class BotApi:
    """The Bot API of one world, for one bot's token."""

    def __init__(self, world: World, faults: Faults, token: str) -> None:
        self.world = world
        self.faults = faults
        self.token = token
        self.lines: Lines | None = None

    def routes(self) -> list[Route]:
        """Return the two paths of the Bot API."""
        return [
            Route("/bot{token}/{method}", self.call, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", self.download),
        ]

    async def call(self, request: Request) -> Response:
        """Answer one call of a method."""
        name = _NAMES.get(request.path_params["method"].lower())
        arguments = Arguments()
        try:
            if request.path_params["token"] != self.token:
                raise _UNAUTHORIZED
            arguments = await read_arguments(request)
            if name is None:
                raise _NOT_FOUND
            return await self._decide(name, arguments, request)
        except ApiError as refusal:
            self._note(name, arguments, error=refusal)
            return _json(refusal.as_json(), refusal.code)

    async def download(self, request: Request) -> Response:
        """Send a file's bytes."""
        stored = self.world.files.by_path.get(request.path_params["path"])
        if request.path_params["token"] != self.token:
            return _json(_UNAUTHORIZED.as_json(), 401)
        if stored is None:
            return _json(_NOT_FOUND.as_json(), 404)
        return Response(stored.data, media_type="application/octet-stream")

    async def _decide(self, name: str, arguments: Arguments, request: Request) -> Response:
        """Let faults have their turn, then the method."""
        chat_id = arguments.integer("chat_id")
        if self.faults.latency:
            changes = self.world.changes
            await changes.until(lambda: False, self.faults.latency)
            if changes.closing:
                return await self._cut(request)
        fault = self.faults.take(name, chat_id)
        if fault is not None and fault.moment == "before":
            return await self._cut(request)
        if fault is not None and fault.error is not None:
            raise fault.error
        self.faults.check(name, chat_id)
        result: Any = (METHODS | PROFILE_METHODS)[name](self.world, arguments)
        if inspect.isawaitable(result):
            result = await result
        self._note(name, arguments, result=result)
        if fault is not None:
            return await self._cut(request)
        return _json({"ok": True, "result": result})

    def _note(
        self,
        name: str | None,
        arguments: Arguments,
        *,
        result: Any = None,
        error: ApiError | None = None,
    ) -> None:
        """Write a call into the ledger, unless it only asked."""
        if name is None or name.startswith("get"):
            return
        self.world.ledger.write(
            name,
            arguments.for_ledger(),
            self.world.now(),
            chat_id=arguments.integer("chat_id") or None,
            result=result,
            error=error.description if error else None,
            code=error.code if error else HTTPStatus.OK,
        )
        self.world.changes.tell("ledger")

    async def _cut(self, request: Request) -> Response:
        """Reset the connection, and wait until the server has noticed."""
        if self.lines is not None and request.client is not None:
            self.lines.cut(request.client.port)
            while (await request.receive())["type"] != "http.disconnect":
                pass
        return Response(status_code=HTTPStatus.BAD_GATEWAY)


class Lines(uvicorn.Server):
    """A server inside a program that has signals and a loop of its own."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=H11Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                # Nobody stands between the bot and this server to speak for another client.
                proxy_headers=False,
                # Longer than clients keep an idle line, so that none is closed under a request.
                timeout_keep_alive=75,
            ),
        )
        self.stopping = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the program."""
        yield

    async def main_loop(self) -> None:
        """Wait to be stopped, instead of asking ten times a second."""
        await self.stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let the answers under way finish, then close every line at once."""
        for listener in self.servers:
            listener.close()
        for door in sockets or []:
            door.close()
        for line in tuple(self.server_state.connections):
            line.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(tuple(self.server_state.tasks), timeout=_FAREWELL)
        for line in self._lines():
            line.transport.abort()
        await asyncio.sleep(0)

    def cut(self, port: int) -> None:
        """Reset the line to the client on `port`, so that it sees an error and not an end."""
        for line in self._lines():
            if line.client and line.client[1] == port:
                raw = line.transport.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                line.transport.abort()

    def _lines(self) -> list[H11Protocol]:
        return [line for line in self.server_state.connections if isinstance(line, H11Protocol)]


class LoopbackOnly:
    """Refuses requests that a page from elsewhere could make: other hosts, other origins.

    A name that someone points at 127.0.0.1 (DNS rebinding) shows in the Host header, a page from
    another place in Origin or Sec-Fetch-Site.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what comes from this machine, with headers that keep it here."""
        request = Request(scope)
        host = request.headers.get("host", "")
        here = re.fullmatch(r"(127\.0\.0\.1|localhost)(:\d+)?", host)
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site", "none")
        foreign = origin not in (None, f"http://{host}") or site not in ("none", "same-origin")
        # Following a link to the page itself is no harm.
        visit = request.url.path == "/" and request.method == "GET" and origin is None
        if not here or (foreign and not visit):
            refusal = Response("This page is for this machine only.", HTTPStatus.FORBIDDEN)
            await refusal(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_GUARDS]
            await send(message)

        await self.app(scope, receive, guarded)


_GUARDS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'",
    ),
)


@asynccontextmanager
async def listening(api: BotApi, routes: Sequence[Any], port: int) -> AsyncIterator[str]:
    """Serve on 127.0.0.1 and yield the address; port 0 picks a free one."""
    # asyncio turns Nagle's delay off only for sockets that name their protocol.
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind(("127.0.0.1", port))
    except OSError:
        door.close()
        raise
    door.listen(128)
    app = LoopbackOnly(Starlette(routes=[*api.routes(), *routes]))
    api.lines = Lines(app)
    serving = asyncio.ensure_future(api.lines.serve([door]))
    try:
        # The door is open already: who knocks now is served as soon as the loop turns.
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        api.world.changes.close()
        api.lines.stopping.set()
        await serving


def _json(body: Any, status: int = HTTPStatus.OK) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
