"""The terms on which people's data is kept: who answers for it, and how long each thing stays.

They come from the settings. The notice that members read (`handlers/notices.py`) tells these numbers,
and the clock keeps to the same ones.
"""

from dataclasses import dataclass, field

# More recipients of an announcement than these need a second person (`storage/approvals.py`).
APPROVAL_ABOVE = 200


@dataclass(frozen=True, slots=True)
class Operator:
    """Who is responsible. Empty: the operator has not said it yet."""

    controller: str = ""
    # Where people write to about their data.
    contact: str = ""
    # Numbers of declarations and authorisations, e.g. of the CNDP.
    registration: str = ""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things stay, each in the unit of its name."""

    # What was answered to an update, so that the same update gets the same answer.
    answers_hours: int = 48
    # The words of letters that were sent.
    texts_days: int = 30
    # Whose seat it was, after the end of the event.
    seats_months: int = 12
    # After how long without a word or tap somebody is asked whether they want to stay.
    inactive_months: int = 24
    # What the team did.
    audit_years: int = 3


@dataclass(frozen=True, slots=True)
class Terms:
    """The operator, the numbers, and the version of the notice that tells them."""

    operator: Operator = field(default_factory=Operator)
    retention: Retention = field(default_factory=Retention)
    # At most 16 characters; `handlers.notices.dated` makes it of the notice's words.
    version: str = ""
