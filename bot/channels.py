"""A channel carries letters to people, and tells what became of each as a decision.

An error is turned into one of these where it happens, next to the messenger's own words, so that
delivery settles rows without reading an exception's text.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from handlers.letters import Letter
from storage import settlements
from storage.settlements import Due, Settlement


@dataclass(frozen=True, slots=True)
class Sent:
    """The messenger accepted it, under this id."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now: nothing was accepted, ask again after `seconds`. No attempt is spent."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Later:
    """The messenger or the way to it is down, and nothing was accepted: an attempt is spent."""

    reason: str


@dataclass(frozen=True, slots=True)
class Gone:
    """This person can't be reached on this channel until they write again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The chat has a new address: deliver there, once."""

    address: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The letter itself is at fault: ours to mend, no use in trying again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The request left and no answer came back: it may or may not have been accepted."""

    reason: str


Outcome = Sent | Wait | Later | Gone | Moved | Refused | Lost


def becomes(row: Due, outcome: Outcome, now: datetime, *, resend: bool) -> Settlement:
    """What becomes of a row whose letter met this; `resend` one whose answer was lost, or hold it."""
    match outcome:
        case Sent():
            return settlements.sent(row, outcome.provider_id, now)
        case Wait():
            return settlements.wait(row)
        case Later():
            jitter = random.random()  # noqa: S311  # spreads load, guards nothing
            return settlements.later(row, outcome.reason, now, jitter)
        case Moved():
            return settlements.moved(row, now)
        case Gone() | Refused():
            return settlements.fail(row, outcome.reason, now)
        case Lost():
            return settlements.lost(row, outcome.reason, now, resend=resend)


class Channel(Protocol):
    """One verb: carry this letter to this address."""

    async def send(
        self, letter: Letter, address: str, *, priority: int, may_start: Callable[[], bool]
    ) -> Outcome:
        """Send, the lower `priority` first, and say what became of it.

        `may_start` is asked when the turn has come, right before the first byte leaves; if it says
        no, nothing leaves and the outcome is Wait. Raises nothing that the network can cause.
        """
        ...
