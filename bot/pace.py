"""How fast we may speak: one `Pacer` for each bot token, shared by replies and by bulk.

Strict spacing rather than a bucket: a bucket that starts full lets twice its rate through in one
second, and Telegram answers that with a 429 for everybody. Replies go before reminders, reminders
before bulk; a chat that must wait its second holds nobody else up.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from math import inf

# Bot FAQ, "My bot is hitting limits, how do I avoid this?": about 30 messages a second overall;
# two are kept back for what the network bunches together on its way.
MESSAGES_PER_SECOND = 28.0
# The same answer: not more than one message a second in a single chat.
CHAT_SECONDS = 1.0
# The same answer: a bot may not send more than 20 messages a minute to one group.
GROUP_MESSAGES, GROUP_SECONDS = 20, 60.0

# What a timer was late by is made up for with the next start, up to this part of the gap between
# the two: else each turn would give away some of the pace, on a busy machine most.
LENIENCE = 0.25

# Who goes first. The same numbers as `storage.tables.Lane`.
REPLY, REMINDER, BULK = 0, 1, 2


class Weight(Enum):
    """What a call of the Bot API counts towards."""

    MESSAGE = "the overall rate and its chat's"
    EDIT = "the overall rate"
    FREE = "neither"


# A tap should feel answered at once: the card it edits is no new message in its chat, and the
# answer to the tap itself is no message at all.
_WEIGHTS = {
    "sendChatAction": Weight.FREE,
    "editMessageText": Weight.EDIT,
    "editMessageCaption": Weight.EDIT,
    "editMessageMedia": Weight.EDIT,
    "editMessageReplyMarkup": Weight.EDIT,
}


def weigh(method: str) -> Weight:
    """What a method counts towards. Whatever sends, copies or forwards is a message."""
    sends = method.startswith(("send", "copy", "forward"))
    return _WEIGHTS.get(method, Weight.MESSAGE if sends else Weight.FREE)


class NotNow(Exception):  # noqa: N818 - a turn refused is no error
    """A halt in force outlasts the caller's patience: ask again after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"halted for another {seconds:.1f} s")
        self.seconds = seconds


@dataclass(eq=False, slots=True)
class _Waiter:
    chat: str | None
    patience: float | None
    go: asyncio.Future[NotNow | None]


class Pacer:
    """Gives turns: `await pacer.turn(chat, priority)` returns when the request may start.

    `rate` is in messages a second, `per_chat` in seconds between two messages to one chat.
    """

    def __init__(
        self,
        rate: float = MESSAGES_PER_SECOND,
        per_chat: float = CHAT_SECONDS,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.rate, self._gap, self._per_chat = rate, 1 / rate, per_chat
        self._monotonic, self._sleep = monotonic, sleep
        # Ordered sets: who asked first is first, and a place is given up without a search.
        self._lanes: tuple[dict[_Waiter, None], ...] = ({}, {}, {})
        # The latest starts of each chat, least recent chat first, no older than matters.
        self._chats: OrderedDict[str, deque[float]] = OrderedDict()
        self._free_at = self._halted_until = -inf
        self._usher: asyncio.Task[None] | None = None
        self._nap: asyncio.Future[None] | None = None

    async def before(
        self, method: str, chat: str | int | None, priority: int, *, patience: float | None = None
    ) -> None:
        """Wait for a turn as this method of the Bot API needs one, perhaps not at all."""
        weight = weigh(method)
        if weight is not Weight.FREE:
            chat = chat if weight is Weight.MESSAGE else None
            await self.turn(chat, priority, patience=patience)

    async def turn(
        self, chat: str | int | None, priority: int, *, patience: float | None = None
    ) -> None:
        """Return when a request may start; its place is lost if the caller is cancelled.

        Raises NotNow if a halt, now or while waiting, lasts longer than `patience` seconds.
        """
        now, chat = self._monotonic(), None if chat is None else str(chat)
        halted = self._halted_until - now
        if patience is not None and halted > patience:
            raise NotNow(halted)
        if (
            not any(self._lanes)
            and max(self._free_at, self._halted_until, self._ready(chat)) <= now
        ):
            self._note_start(chat, now, now)
            return
        waiter = _Waiter(chat, patience, asyncio.get_running_loop().create_future())
        lane = self._lanes[priority]
        lane[waiter] = None
        try:
            if self._serve() < inf:
                self._keep_serving()
            refusal = await waiter.go
        finally:
            lane.pop(waiter, None)
        if refusal is not None:
            raise refusal

    def halt(self, seconds: float) -> None:
        """Let nothing start for so long. A shorter halt never cuts a longer one."""
        until = self._monotonic() + seconds
        if until <= self._halted_until:
            return
        self._halted_until = until
        for lane in self._lanes:
            for waiter in list(lane):
                impatient = waiter.patience is not None and seconds > waiter.patience
                if impatient and not waiter.go.done():
                    del lane[waiter]
                    waiter.go.set_result(NotNow(seconds))

    def flooded(self, method: str, seconds: float) -> None:
        """Telegram answered 429 to this method: halt, if it is one of those that are paced.

        The others have limits of their own, e.g. setMyName asks to wait for most of a day.
        """
        if weigh(method) is not Weight.FREE:
            self.halt(seconds)

    def _serve(self, due: float = inf) -> float:
        """Call whoever may start now, and return when to look again (inf: nobody is waiting).

        `due` is when this look was to be, if it was waited for.
        """
        now, free = self._monotonic(), max(self._free_at, self._halted_until)
        if free > now:
            return free if any(self._lanes) else inf
        again = inf
        for lane in self._lanes:
            for waiter in lane:
                if waiter.go.done():  # cancelled a moment ago: its task has yet to leave
                    continue
                ready = self._ready(waiter.chat)
                if ready <= now:
                    self._note_start(waiter.chat, now, due)
                    del lane[waiter]
                    waiter.go.set_result(None)
                    return self._free_at if any(self._lanes) else inf
                again = min(again, ready)
        return again

    def _ready(self, chat: str | None) -> float:
        """From when on this chat may be sent something."""
        starts = self._chats.get(chat) if chat is not None else None
        if chat is None or not starts:
            return -inf
        ready = starts[-1] + self._per_chat
        if chat.startswith("-") and len(starts) == GROUP_MESSAGES:
            ready = max(ready, starts[0] + GROUP_SECONDS)
        return ready

    def _note_start(self, chat: str | None, now: float, due: float) -> None:
        self._free_at = max(min(due, now), now - self._gap * LENIENCE) + self._gap
        if chat is None:
            return
        self._chats.setdefault(chat, deque(maxlen=GROUP_MESSAGES)).append(now)
        self._chats.move_to_end(chat)
        forget = now - max(self._per_chat, GROUP_SECONDS)
        while next(iter(self._chats.values()))[-1] < forget:
            self._chats.popitem(last=False)

    def _keep_serving(self) -> None:
        """Have the usher look again; it leaves when nobody waits, so there is nothing to close."""
        if self._usher is None or self._usher.done():
            self._usher = asyncio.get_running_loop().create_task(self._ush())
        elif self._nap is not None:
            self._nap.cancel()

    async def _ush(self) -> None:
        again = inf
        while (again := self._serve(again)) < inf:
            self._nap = asyncio.ensure_future(self._sleep(max(0.0, again - self._monotonic())))
            await asyncio.wait({self._nap})
