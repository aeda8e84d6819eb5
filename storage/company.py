"""Company: the updates of several people may share a transaction.

Rules need not know of it. One that is cheaper for all of them at once asks who they are; one that
can't be shared says so, and all are taken again, each alone.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import Member

# Where a transaction notes who shares it.
_COMPANY = "company"


class NotAlone(Exception):  # noqa: N818 - no fault of anybody's
    """This is done in a transaction of its own only. Nothing of the shared one may be kept."""


def share(db: AsyncSession, members: Iterable[Member]) -> None:
    """Note that several share this transaction: these, and perhaps people who are not known yet."""
    db.info[_COMPANY] = [member.id for member in members]


def sharing(db: AsyncSession) -> Sequence[int]:
    """The members who share this transaction, by their ids; empty if it is one's alone."""
    known: Sequence[int] = db.info.get(_COMPANY, ())
    return known


def must_be_alone(db: AsyncSession) -> None:
    """Raises NotAlone in a transaction that several share."""
    if _COMPANY in db.info:
        raise NotAlone
