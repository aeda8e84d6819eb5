"""Peers as processes beside us: started, waited for, and asked what they used."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
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


def peer(name: str, url: str, *, tuned: bool = False) -> Sequence[str]:
    """How this peer is started."""
    return [peers.__file__, name, url, *(["--tuned"] if tuned else [])]


def ours(url: str, database_url: str) -> Sequence[str]:
    """How we are."""
    return ["-m", "tests.bench.listener", url, database_url]


async def listens(how: Sequence[str], pipe: Connection) -> Took:
    """Let somebody take all updates; they are stopped then."""
    async with _started(how) as peer:
        end = asyncio.ensure_future(ended(pipe))
        gone = asyncio.ensure_future(peer.wait())
        await asyncio.wait([end, gone], return_when=asyncio.FIRST_COMPLETED)
        if not end.done():
            raise RuntimeError(f"{' '.join(how)} ended by itself")
        measure = await end
        told, _ = await peer.communicate(b"")
        await gone
    return Took(measure.seconds, json.loads(told.splitlines()[-1])["busy"])


async def drains(how: Sequence[str]) -> Took:
    """Let somebody send all letters."""
    async with _started(how) as peer:
        told, _ = await peer.communicate()
    return Took(**json.loads(told.splitlines()[-1]))


@asynccontextmanager
async def _started(how: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    pipe = asyncio.subprocess.PIPE
    peer = await asyncio.create_subprocess_exec(sys.executable, *how, stdin=pipe, stdout=pipe)
    try:
        yield peer
    finally:
        if peer.returncode is None:
            peer.kill()
            await peer.wait()
