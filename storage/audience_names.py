"""What the ids in a rule are called, so that it can be told in words; and what can be chosen."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage import cities
from storage.audiences import Rule, condition
from storage.tables import (
    Announcement,
    AnnouncementText,
    Audience,
    Event,
    Member,
    Post,
    Recipient,
    Role,
    Session,
    Stage,
    Theme,
    Trilingual,
)

# How many saved audiences, and announcements, are remembered in a list.
_LISTED = 50


@dataclass(slots=True)
class Names:
    """By id: words in three languages. Cities by their folded names, as members write them."""

    events: dict[int, Trilingual] = field(default_factory=dict)
    sessions: dict[int, Trilingual] = field(default_factory=dict)
    themes: dict[int, Trilingual] = field(default_factory=dict)
    posts: dict[int, Trilingual] = field(default_factory=dict)
    announcements: dict[int, Trilingual] = field(default_factory=dict)
    # The answers that readers could tap, in their order.
    answers: dict[int, list[Any]] = field(default_factory=dict)
    cities: dict[str, str] = field(default_factory=dict)


async def names_in(db: AsyncSession, *rules: Rule | None) -> Names:
    """The names of all that these rules mention; what is gone has none."""
    leaves = [leaf for rule in rules if rule is not None for leaf in _leaves(rule)]
    names = Names()

    def ids(*keys: str) -> set[int]:
        return {leaf[key] for leaf in leaves for key in keys if key in leaf}

    if wanted := ids("event"):
        rows = await db.execute(select(Event.id, Event.title).where(Event.id.in_(wanted)))
        names.events = dict(rows.all())
    if wanted := ids("session"):
        rows = await db.execute(select(Session.id, Session.title).where(Session.id.in_(wanted)))
        names.sessions = dict(rows.all())
    if wanted := ids("post"):
        rows = await db.execute(select(Post.id, Post.name).where(Post.id.in_(wanted)))
        names.posts = dict(rows.all())
    if wanted := {theme for leaf in leaves for theme in leaf.get("themes", ())}:
        rows = await db.execute(select(Theme.id, Theme.name).where(Theme.id.in_(wanted)))
        names.themes = dict(rows.all())
    if wanted := ids("received", "answered", "unanswered"):
        await _announcements(db, names, wanted)
    for folded in {leaf["city"] for leaf in leaves if "city" in leaf}:
        typed = select(func.max(Member.city)).where(
            Member.city_folded.in_(cities.names_of(folded)), Member.city_folded == folded
        )
        names.cities[folded] = await db.scalar(typed) or folded.title()
    return names


async def _announcements(db: AsyncSession, names: Names, wanted: Collection[int]) -> None:
    texts = await db.execute(
        select(
            AnnouncementText.announcement_id, AnnouncementText.language, AnnouncementText.text
        ).where(AnnouncementText.announcement_id.in_(wanted))
    )
    for id_, language, text in texts:
        names.announcements.setdefault(id_, {})[language] = text
    answers = await db.execute(
        select(Announcement.id, Announcement.answers).where(Announcement.id.in_(wanted))
    )
    names.answers = {id_: found or [] for id_, found in answers}


def _leaves(rule: Rule) -> Iterator[Rule]:
    if "not" in rule:
        yield from _leaves(rule["not"])
    elif inner := rule.get("all") or rule.get("any"):
        for one in inner:
            yield from _leaves(one)
    else:
        yield rule


# --- what can be chosen ---------------------------------------------------------------------


async def cities_of(
    db: AsyncSession, within: Rule | None, most: int
) -> Sequence[tuple[str, str, int]]:
    """The cities where most members live: (folded name, as they write it, members)."""
    rows = await db.execute(
        select(Member.city_folded, func.max(Member.city), func.count())
        .where(_of(within), Member.city_folded.is_not(None))
        .group_by(Member.city_folded)
    )
    found: dict[str, tuple[str, str, int]] = {}
    for folded, typed, number in sorted(rows, key=lambda row: (-row[2], row[0] or "")):
        if not folded or not typed:
            continue
        one = cities.one_name(folded)
        first = found.get(one, (folded, typed, 0))
        found[one] = (first[0], first[1], first[2] + number)
    return sorted(found.values(), key=lambda city: (-city[2], city[0]))[:most]


async def countries_of(
    db: AsyncSession, within: Rule | None, most: int
) -> Sequence[tuple[str, int]]:
    """The countries where most members live, with their numbers."""
    number = func.count()
    rows = await db.execute(
        select(Member.country, number)
        .where(_of(within), Member.country.is_not(None))
        .group_by(Member.country)
        .order_by(number.desc(), Member.country)
        .limit(most)
    )
    return [(country, found) for country, found in rows if country]


async def anybody_in(db: AsyncSession, city: str) -> bool:
    """Whether any member lives in this city."""
    found = select(Member.id).where(condition({"city": city})).limit(1)
    return await db.scalar(found) is not None


async def announced(db: AsyncSession) -> Sequence[Announcement]:
    """The announcements that have recipients, the latest first."""
    rows = await db.scalars(
        select(Announcement)
        .where(
            Announcement.stage.in_((Stage.SENDING, Stage.PAUSED, Stage.SENT, Stage.STOPPED)),
            exists().where(Recipient.announcement_id == Announcement.id),
        )
        .order_by(Announcement.id.desc())
        .limit(_LISTED)
    )
    return rows.all()


def _of(within: Rule | None) -> Any:
    return condition({"everyone": True} if within is None else within, of_all=True)


# --- saved ones -----------------------------------------------------------------------------


async def save(db: AsyncSession, member: Member, name: str, rule: Rule, now: datetime) -> Audience:
    """Keep a rule under a name; one's own of the same name is replaced."""
    known = await db.scalar(
        select(Audience).where(Audience.made_by == member.id, Audience.name == name)
    )
    if known is not None:
        known.rule, known.made_at, known.post_id = dict(rule), now, member.post_id
        return known
    made = Audience(
        name=name, rule=dict(rule), made_by=member.id, post_id=member.post_id, made_at=now
    )
    db.add(made)
    await db.flush()
    return made


async def saved(db: AsyncSession, member: Member) -> Sequence[Audience]:
    """Those that a member of the team may use: their own and their post's; admins all."""
    mine = Audience.made_by == member.id
    if member.post_id is not None:
        mine |= Audience.post_id == member.post_id
    statement = select(Audience).order_by(Audience.name, Audience.id).limit(_LISTED)
    if member.role != Role.ADMIN:
        statement = statement.where(mine)
    return (await db.scalars(statement)).all()


async def saved_one(db: AsyncSession, member: Member, audience_id: int) -> Audience | None:
    """One of those; None: it is gone, or somebody else's."""
    return next((one for one in await saved(db, member) if one.id == audience_id), None)


async def throw_away(db: AsyncSession, audience: Audience) -> None:
    """Keep it no longer; announcements that took it have their own copy."""
    await db.delete(audience)
    await db.flush()
