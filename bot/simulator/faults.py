"""Trouble on request: slow answers, storms of 429, lost connections, a plain server.

A test or the demo asks for trouble here; the server consults it once for each call. Unless a
method is named, the polling of updates is left in peace.
"""

import math
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from bot.simulator.errors import ApiError, too_many_requests

Moment = Literal["answer", "before", "after"]

_WORDS = {
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


@dataclass(slots=True)
class Fault:
    """Something that goes wrong `times` more times.

    `moment` says how: an error is answered, or the connection is cut before the server accepted
    the call, or after (the message is out and the client does not know).
    """

    moment: Moment
    times: int
    method: str | None = None
    chat_id: int | None = None
    error: ApiError | None = None

    def concerns(self, method: str, chat_id: int) -> bool:
        """Tell whether this call is meant."""
        wanted = self.method == method if self.method else method != "getUpdates"
        return wanted and self.chat_id in (None, chat_id)


@dataclass(slots=True)
class Pace:
    """Telegram's flood limits, taken strictly: so many accepted calls in any one second.

    Source: Bot FAQ, "My bot is hitting limits, how do I avoid this?".
    """

    overall: int = 30
    per_chat: float = 1.0
    per_group_minute: int = 20
    # A client that keeps to one second arrives, now and then, a little early.
    slack: float = 0.02
    _times: dict[int, deque[float]] = field(default_factory=dict)

    def check(self, chat_id: int) -> None:
        """Refuse a call that comes too early; an accepted one counts."""
        now = time.monotonic()
        windows = [(0, self.overall, 1.0), (chat_id, 1, 1 / self.per_chat)]
        if chat_id < 0:
            windows = [windows[0], (chat_id, self.per_group_minute, 60.0)]
        for key, most, seconds in windows:
            times = self._times.setdefault(key, deque())
            while times and times[0] <= now - seconds + self.slack:
                times.popleft()
            if len(times) >= most:
                raise too_many_requests(max(1, math.ceil(times[0] + seconds - now)))
        for key, _, _ in windows:
            self._times[key].append(now)


@dataclass(slots=True)
class Faults:
    """All the trouble that is wanted now. `latency` is in real seconds, for every call."""

    latency: float = 0.0
    planned: list[Fault] = field(default_factory=list)
    unavailable: dict[str, int] = field(default_factory=dict)
    pace: Pace | None = None

    def fail(
        self,
        times: int = 1,
        code: int = 500,
        *,
        retry_after: int | None = None,
        method: str | None = None,
        chat_id: int | None = None,
    ) -> None:
        """Answer the next calls with an error: 429 with `retry_after` seconds, 500, 502..."""
        error = ApiError(code, _WORDS.get(code, "Bad Request: wanted trouble"))
        if code == 429:  # noqa: PLR2004 - the one status with a wait in it
            error = too_many_requests(1 if retry_after is None else retry_after)
        self.planned.append(Fault("answer", times, method, chat_id, error))

    def drop_before(
        self,
        times: int = 1,
        *,
        method: str | None = None,
        chat_id: int | None = None,
    ) -> None:
        """Cut the connection of the next calls before anything happened."""
        self.planned.append(Fault("before", times, method, chat_id))

    def drop_after(
        self,
        times: int = 1,
        *,
        method: str | None = None,
        chat_id: int | None = None,
    ) -> None:
        """Cut the connection of the next calls after they were accepted."""
        self.planned.append(Fault("after", times, method, chat_id))

    def refuse(self, *methods: str, code: Literal[400, 404] = 404) -> None:
        """Play a server that does not know these methods."""
        self.unavailable |= dict.fromkeys(methods, code)

    def limit(self, overall: int = 30, per_chat: float = 1.0, per_group_minute: int = 20) -> None:
        """Answer 429 above these rates: calls a second, a chat's a second, a group's a minute."""
        self.pace = Pace(overall, per_chat, per_group_minute)

    def clear(self) -> None:
        """End all trouble."""
        self.latency = 0.0
        self.planned.clear()
        self.unavailable.clear()
        self.pace = None

    def take(self, method: str, chat_id: int) -> Fault | None:
        """Use up the first fault that concerns a call, if there is one."""
        for fault in self.planned:
            if fault.concerns(method, chat_id):
                fault.times -= 1
                if fault.times <= 0:
                    self.planned.remove(fault)
                return fault
        return None

    def check(self, method: str, chat_id: int) -> None:
        """Refuse what a plain server does not know, or what comes too fast."""
        code = self.unavailable.get(method)
        if code is not None:
            words = "Not Found" if code == 404 else "Bad Request: method is unavailable"  # noqa: PLR2004 - HTTP's own number
            raise ApiError(code, words)
        if self.pace is not None and method.startswith(("send", "edit")):
            self.pace.check(chat_id)
