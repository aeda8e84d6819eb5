"""How many an audience is, and who of it receives something.

What staff are shown before they press and what is written down when it begins are two readings of
the same three conditions: they agree to its purpose, there are words for them, and they can be
reached. Each member who is meant is counted once: under the language and the channel that reach
them, or else under the first of these that keeps it from them.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage.audiences import Rule, condition
from storage.purposes import agrees
from storage.tables import Address, Agreement, Member, Purpose


@dataclass(frozen=True, slots=True)
class Count:
    """Of an audience: how many get it, by language and channel, and how many don't, and why."""

    # (language they read it in, channel) -> members
    reached: Mapping[tuple[str, str], int]
    # They don't agree to this purpose.
    opted_out: int = 0
    # There are no words in their language, and none stand in.
    wordless: int = 0
    # None of their addresses works.
    unreachable: int = 0

    @property
    def people(self) -> int:
        """How many get it."""
        return sum(self.reached.values())

    @property
    def meant(self) -> int:
        """How many the rule means, whether they get it or not."""
        return self.people + self.opted_out + self.wordless + self.unreachable

    def by_language(self) -> dict[str, int]:
        """How many get it in each language, the most first."""
        return _summed(self.reached, lambda key: key[0])

    def by_channel(self) -> dict[str, int]:
        """How many get it on each channel, the most first."""
        return _summed(self.reached, lambda key: key[1])


async def count(
    db: AsyncSession,
    rule: Rule,
    *,
    purpose: Purpose,
    within: Rule | None = None,
    languages: Collection[str] | None = None,
    fallback: str | None = None,
) -> Count:
    """How many get something with this purpose that is sent to an audience.

    `within` is the area of who sends it (`team.area`; None: everybody). `languages` are those it is
    written in, and `fallback` the one that stands in for others (None: those are left out); while
    there are no words yet (None), everybody is to read it in their own.
    """
    # Joined, not asked of each member: PostgreSQL then reads each table once.
    each = (
        select(
            _reads(languages, fallback).label("reads"),
            Address.channel.label("channel"),
            Agreement.member_id.is_not(None).label("agreed"),
        )
        .outerjoin(Agreement, and_(Agreement.member_id == Member.id, Agreement.purpose == purpose))
        .outerjoin(Address, _first())
        .where(_meant(rule, within, of_all=True))
        .subquery()
    )
    columns = (each.c.reads, each.c.channel, each.c.agreed)
    rows = await db.execute(select(*columns, func.count()).group_by(*columns))
    reached: dict[tuple[str, str], int] = {}
    opted_out = wordless = unreachable = 0
    for language, address, willing, number in rows:
        if not willing:
            opted_out += number
        elif language is None:
            wordless += number
        elif address is None:
            unreachable += number
        else:
            reached[language, address] = number
    return Count(reached, opted_out, wordless, unreachable)


def recipients(
    rule: Rule,
    *,
    purpose: Purpose,
    within: Rule | None = None,
    languages: Collection[str],
    fallback: str | None = None,
) -> Select[int, str | None]:
    """Exactly those whom `count` calls reached: (id of the member, language that they read).

    To be written down with INSERT ... SELECT, ordered by id and cut into slices.
    """
    reads = _reads(languages, fallback)
    return select(Member.id.label("member_id"), reads.label("language")).where(
        _meant(rule, within, of_all=False), agrees(purpose), reads.is_not(None), reachable()
    )


def reachable() -> ColumnElement[bool]:
    """The condition, in a statement about members, that an address of theirs works."""
    return exists().where(Address.member_id == Member.id, Address.unreachable_at.is_(None))


def _first() -> ColumnElement[bool]:
    """Where delivery will find them: of several addresses the oldest that works."""
    older = aliased(Address)
    earlier = exists().where(
        older.member_id == Address.member_id,
        older.unreachable_at.is_(None),
        older.id < Address.id,
    )
    return and_(Address.member_id == Member.id, Address.unreachable_at.is_(None), ~earlier)


def _meant(rule: Rule, within: Rule | None, *, of_all: bool) -> ColumnElement[bool]:
    rules = (rule,) if within is None else (rule, within)
    return and_(*(condition(one, of_all=of_all) for one in rules))


def _reads(languages: Collection[str] | None, fallback: str | None) -> ColumnElement[str | None]:
    if languages is None:
        return func.coalesce(Member.language, literal(fallback or ""))
    stands_in = literal(fallback if fallback in languages else None, Member.language.type)
    has_own = and_(Member.language.is_not(None), Member.language.in_(sorted(languages)))
    return case((has_own, Member.language), else_=stands_in)


def _summed(
    numbers: Mapping[tuple[str, str], int], by: Callable[[tuple[str, str]], str]
) -> dict[str, int]:
    sums: dict[str, int] = {}
    for key, number in numbers.items():
        sums[by(key)] = sums.get(by(key), 0) + number
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))
