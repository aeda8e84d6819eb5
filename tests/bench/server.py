"""A Bot API server that is as lean as one can be: it hands out updates and believes everything.

It runs in a process of its own, so that what is measured is the bot. The strict simulator would be
the slowest part of every measurement.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import orjson
from aiohttp import web

_ME = {"id": 4242424242, "is_bot": True, "first_name": "Jisr", "username": "JisrBot"}
_CHAT = {"id": 1, "type": "private", "first_name": "A"}
_ANSWERS: dict[str, Any] = {
    "getme": _ME,
    "sendmessage": {"message_id": 1, "date": 0, "chat": _CHAT, "from": _ME, "text": "x"},
    "editmessagetext": {"message_id": 1, "date": 0, "chat": _CHAT, "from": _ME, "text": "x"},
}

_MESSAGES = {"sendmessage", "editmessagetext"}


@dataclass(frozen=True, slots=True)
class Measure:
    """Seconds from the first update handed out until all are acknowledged and answered."""

    seconds: float
    calls: dict[str, int]


class _Server:
    def __init__(self, updates: list[dict[str, Any]]) -> None:
        self.updates = updates
        self.first = updates[0]["update_id"]
        self.begun = 0.0
        self.acknowledged, self.answers = False, 0
        self.calls: dict[str, int] = {}
        self.ended: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def _look(self) -> None:
        if self.acknowledged and self.answers >= len(self.updates) and not self.ended.done():
            self.ended.set_result(time.perf_counter())

    async def call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"].lower()
        self.calls[method] = self.calls.get(method, 0) + 1
        form = await request.post()
        if method != "getupdates":
            self.answers += method in _MESSAGES
            self._look()
            return _json(_ANSWERS.get(method, True))
        self.begun = self.begun or time.perf_counter()
        start = max(0, int(str(form.get("offset", 0) or 0)) - self.first)
        if start >= len(self.updates):
            self.acknowledged = True
            self._look()
            await asyncio.sleep(0.5)
        return _json(self.updates[start : start + 100])


def _json(result: Any) -> web.Response:
    body = orjson.dumps({"ok": True, "result": result})
    return web.Response(body=body, content_type="application/json")


def _serve(updates: list[dict[str, Any]], pipe: Connection) -> None:
    async def run() -> None:
        server = _Server(updates)
        app = web.Application()
        app.router.add_route("*", "/bot{token}/{method}", server.call)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        pipe.send(runner.addresses[0][1])
        ended = await server.ended
        pipe.send(Measure(ended - server.begun, server.calls))
        await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
        await runner.cleanup()

    asyncio.run(run())


@contextmanager
def lean_server(updates: list[dict[str, Any]]) -> Iterator[tuple[str, Connection]]:
    """Serve these updates once; yields the address, and where the `Measure` comes out."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    serving = context.Process(target=_serve, args=(updates, theirs), daemon=True)
    serving.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}", ours
    finally:
        ours.send(None)
        serving.join(timeout=5)
        serving.terminate()
