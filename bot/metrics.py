"""What Prometheus may ask: how many, how late, how fast. Never who: labels are words of ours.

What waits in the outbox, and what became of it, is read from the database when we are asked: every
process tells the same. What passes through this process is counted here, since its start. Times are
in seconds. The registry belongs to one `Metrics`, so that each App counts for itself.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.channels import Gone, Later, Lost, Moved, Outcome, Refused, Sent, Wait
from bot.flood import Verdict
from storage.health import Census
from storage.tables import Fate, Lane

# Seconds: from "at once" to "an hour late".
LATENESS = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
# Seconds: a tap should feel answered at once; past the last, somebody has put the phone away.
ANSWERING = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

_LANES = {Lane.PERSONAL: "personal", Lane.REMINDER: "reminder", Lane.BULK: "bulk"}
_OUTCOMES: dict[type[Outcome], str] = {
    Sent: "sent",
    Wait: "wait",
    Later: "later",
    Gone: "gone",
    Moved: "moved",
    Refused: "refused",
    Lost: "lost",
}
_FLOODED = {Verdict.TELL, Verdict.LET_BE}


class Metrics:
    """Counts what happens, and tells it."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._registry = registry = CollectorRegistry()
        self._rows = Gauge(
            "jisr_letters",
            "Rows of the outbox, in the database.",
            ["lane", "state"],
            registry=registry,
        )
        self._oldest_due = Gauge(
            "jisr_oldest_due_seconds",
            "How long the oldest letter has been due; 0 if none is.",
            ["lane"],
            registry=registry,
        )
        self._at_work = Gauge(
            "jisr_engine_at_work",
            "Whether some process holds the engine's lease.",
            registry=registry,
        )
        self._held = Gauge(
            "jisr_engine_lease_held", "Whether this process holds it.", registry=registry
        )
        self._lateness = Histogram(
            "jisr_letter_lateness_seconds",
            "From when a letter was due until it was known to be accepted.",
            ["lane"],
            buckets=LATENESS,
            registry=registry,
        )
        self._outcomes = Counter(
            "jisr_letter_outcomes_total",
            "What the messenger made of our requests; see bot/channels.py.",
            ["lane", "outcome"],
            registry=registry,
        )
        self._answering = Histogram(
            "jisr_update_seconds",
            "From an update's arrival until its answer was said.",
            buckets=ANSWERING,
            registry=registry,
        )
        self._updates = Counter(
            "jisr_updates_total",
            "Updates taken, parked after failing again and again, turned away from a flood.",
            ["what"],
            registry=registry,
        )
        # What has never happened is told too: an alarm on a series that isn't there never rings.
        self._measured = {lane: self._lateness.labels(name) for lane, name in _LANES.items()}
        self._counted = {
            (lane, outcome): self._outcomes.labels(name, told)
            for lane, name in _LANES.items()
            for outcome, told in _OUTCOMES.items()
        }
        for what in ("taken", "parked", "flooded"):
            self._updates.labels(what)

    def letter(self, lane: Lane, outcome: Outcome, late: timedelta) -> None:
        """A request of the outbox was answered, so long after it was due.

        A server that is down moves the letter's due time; a 429 and the pace don't.
        """
        self._counted[lane, type(outcome)].inc()
        if isinstance(outcome, Sent):
            self._measured[lane].observe(max(0.0, late.total_seconds()))

    def arrived(self, verdict: Verdict) -> Callable[[asyncio.Task[None]], None]:
        """An update is at the door. Returns what to call when it has been dealt with."""
        since = self._monotonic()

        def done(task: asyncio.Task[None]) -> None:
            if verdict in _FLOODED:
                self._updates.labels("flooded").inc()
            elif not task.cancelled():
                self._updates.labels("taken").inc()
                self._answering.observe(self._monotonic() - since)

        return done

    def parked(self) -> None:
        """An update failed every time it was tried."""
        self._updates.labels("parked").inc()

    def exposition(self, census: Census, now: datetime, *, held: bool) -> bytes:
        """All of it, as Prometheus reads it. `held`: whether this process holds the lease."""
        until = census.engine_until
        self._at_work.set(until is not None and until > now)
        self._held.set(held)
        for lane, name in _LANES.items():
            for state in Fate:
                self._rows.labels(name, state.value).set(census.rows.get((lane, state), 0))
            due = census.oldest_due.get(lane, now)
            self._oldest_due.labels(name).set(max(0.0, (now - due).total_seconds()))
        return generate_latest(self._registry)
