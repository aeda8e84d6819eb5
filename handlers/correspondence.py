"""Letters that nobody asked for just now: each kind of outbox row has its writer.

Delivery asks for a letter at the moment of sending, so that it is in the reader's language of
today and tells today's facts.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from handlers.letters import Letter
from handlers.links import Links
from handlers.words import Catalogs, Words
from storage.tables import Member, Purpose


@dataclass(frozen=True, slots=True)
class Writing:
    """What a writer knows of one letter: its reader, and the ids that it is about."""

    member: Member
    words: Words
    about: Mapping[str, Any]
    now: datetime
    links: Links = field(default_factory=Links)
    # For a letter that isn't in its reader's language.
    catalogs: Catalogs = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of letter. `write` takes a batch, so that what all of it needs is read once.

    It answers a letter for each, or None where there is nothing to say any more.

    `resend` decides what happens when the answer to a request was lost: send it again, though it
    may come twice, or hold it until a person decides.
    """

    write: Callable[[AsyncSession, Sequence[Writing]], Awaitable[Sequence[Letter | None]]]
    resend: bool
    # What its reader must agree to at the moment of sending; None: it answers what they did.
    purpose: Purpose | None = None


Kinds = Mapping[str, Kind]
