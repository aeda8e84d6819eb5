"""A turn: one update of one person, and all that a conversation needs to answer it."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from handlers.letters import Say
from handlers.links import Links
from handlers.words import Catalogs, Words
from storage.tables import Member, Role
from storage.terms import Terms


@dataclass(slots=True)
class Turn:
    """Made by the intake for each update, and passed to its handler by name.

    `db` is the update's own transaction; what is said through `say` leaves after its commit.
    """

    db: AsyncSession
    member: Member
    say: Say
    now: datetime
    channel: str
    catalogs: Catalogs
    # The language of the person's phone, or else the house's.
    first_language: str
    links: Links = field(default_factory=Links)
    # On which terms people's data is kept, as the notice tells them.
    terms: Terms = field(default_factory=Terms)

    @property
    def words(self) -> Words:
        """The words of the language that the person chose, or that their phone speaks."""
        return self.catalogs[self.member.language or self.first_language]

    @property
    def registered(self) -> bool:
        """Whether the person has finished registration."""
        return self.member.registered_at is not None

    @property
    def is_staff(self) -> bool:
        """Whether the person is one of the team."""
        return self.member.role in (Role.STAFF, Role.ADMIN)

    @property
    def is_admin(self) -> bool:
        """Whether the person decides who is one of the team."""
        return self.member.role == Role.ADMIN
