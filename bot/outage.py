"""Trouble that lasts is told twice: when it begins, and when it is over.

What runs for ever meets a database that restarts, a disk that is full. It goes on trying; a line
for each try would bury the one that matters.
"""

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.channels import Later, Outcome, Sent

log = structlog.get_logger()

# What the database being away looks like; anything else is a fault of ours and shows where.
AWAY = (OperationalError, InterfaceError, PoolTimeout, OSError)


def is_away(error: BaseException) -> bool:
    """Whether this says that the database can't be reached or can't write just now."""
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or isinstance(error, AWAY)


class Outage:
    """One kind of work, and whether it works. `what` names it in the log."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._told: type[BaseException] | None = None

    def struck(self, error: Exception) -> None:
        """It failed. Told once for each kind of error in a row."""
        if type(error) is self._told:
            return
        self._told = type(error)
        if is_away(error):
            log.warning("the database is away", work=self._what, error=type(error).__name__)
        else:
            log.error("failed, and is tried again", work=self._what, exc_info=error)

    def over(self) -> None:
        """It worked. Told if it had failed before."""
        if self._told is not None:
            log.info("works again", work=self._what)
            self._told = None


class Respite:
    """How long to leave a messenger alone that is down: one refusal is its letter's own affair, the
    third in a row is everybody's. Never so long that its return goes unnoticed for more than
    `LONGEST` seconds.
    """

    FEW, FIRST, LONGEST = 3, 0.25, 3.0

    def __init__(self) -> None:
        self._in_a_row = 0

    def after(self, outcome: Outcome) -> float:
        """Seconds in which nothing should start, now that this has become of a letter."""
        if isinstance(outcome, Sent):
            self._in_a_row = 0
        if not isinstance(outcome, Later):
            return 0.0
        self._in_a_row += 1
        beyond = min(self._in_a_row - self.FEW, 10)
        return min(self.FIRST * 2**beyond, self.LONGEST) if beyond >= 0 else 0.0
