"""Peers as processes beside us: started, waited for, and asked what they used."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from tests.bench import peers
from tests.bench.server import Measure


@dataclass(frozen=True, slots=True)
class Took:
    """What some work took: seconds, and those of processor time."""

    seconds: float
    busy: float


async def ended(pipe: Connection) -> Measure:
    """Wait for the server to have all updates acknowledged."""
    return await asyncio.get_running_loop().run_in_executor(None, pipe.recv)


async def listens(name: str, url: str, pipe: Connection, *, tuned: bool = False) -> Took:
    """Let a peer take all updates; it is stopped then."""
    async with _started(name, url, tuned=tuned) as peer:
        end = asyncio.ensure_future(ended(pipe))
        gone = asyncio.ensure_future(peer.wait())
        await asyncio.wait([end, gone], return_when=asyncio.FIRST_COMPLETED)
        if not end.done():
            raise RuntimeError(f"{name} ended by itself")
        measure = await end
        told, _ = await peer.communicate(b"")
        await gone
    return Took(measure.seconds, json.loads(told.splitlines()[-1])["busy"])


async def drains(name: str, url: str, *, tuned: bool = False) -> Took:
    """Let a peer send all letters."""
    async with _started(name, url, tuned=tuned) as peer:
        told, _ = await peer.communicate()
    return Took(**json.loads(told.splitlines()[-1]))


@asynccontextmanager
async def _started(
    name: str, url: str, *, tuned: bool
) -> AsyncIterator[asyncio.subprocess.Process]:
    wish = [sys.executable, peers.__file__, name, url, *(["--tuned"] if tuned else [])]
    pipe = asyncio.subprocess.PIPE
    peer = await asyncio.create_subprocess_exec(*wish, stdin=pipe, stdout=pipe)
    try:
        yield peer
    finally:
        if peer.returncode is None:
            peer.kill()
            await peer.wait()
