"""How much one person may say at once: told once, kindly, then let be until they are calm.

The limit guards everybody else's answers, which share the pace with this one's. It counts what
arrives, by real time and in this process only: a restart forgives.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

# More updates than this in so many seconds are no conversation any more: somebody who answers
# every question by tap, as fast as a hand can, stays below half of it.
MOST, SECONDS = 20, 10.0


class Verdict(Enum):
    """What to do with an update."""

    WELCOME = "take it"
    TELL = "tell the person to slow down"
    LET_BE = "acknowledge it, and say nothing"


@dataclass(slots=True)
class _Pulse:
    times: deque[float]
    told: bool = False


class Flood:
    """Counts arrivals by chat. More than `most` in `seconds`; calm is half of that."""

    def __init__(
        self,
        most: int = MOST,
        seconds: float = SECONDS,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._seconds, self._monotonic = most, seconds, monotonic
        # Those who wrote longest ago first, no older than matters.
        self._pulses: OrderedDict[int, _Pulse] = OrderedDict()

    def judge(self, chat_id: int) -> Verdict:
        """Count an arrival, and say what to do with it."""
        now = self._monotonic()
        self._forget(now)
        pulse = self._pulses.get(chat_id)
        if pulse is None:
            pulse = self._pulses[chat_id] = _Pulse(deque(maxlen=self._most + 1))
        self._pulses.move_to_end(chat_id)
        while pulse.times and pulse.times[0] <= now - self._seconds:
            pulse.times.popleft()
        pulse.times.append(now)
        if pulse.told and len(pulse.times) > self._most // 2:
            return Verdict.LET_BE
        pulse.told = len(pulse.times) > self._most
        return Verdict.TELL if pulse.told else Verdict.WELCOME

    def _forget(self, now: float) -> None:
        while self._pulses:
            chat_id, pulse = next(iter(self._pulses.items()))
            if pulse.times[-1] > now - self._seconds:
                return
            del self._pulses[chat_id]
