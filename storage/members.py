"""Members: a person, their addresses, their profile, their leads and what they agreed to."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Select, bindparam, delete, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage import cities
from storage.quiet import Rhythm
from storage.tables import (
    Address,
    Member,
    MemberLead,
    MemberTheme,
    Role,
    Side,
    Theme,
)

# How long before a session a reminder may go, in minutes, and what a new member starts with.
LEADS = (24 * 60, 60, 15)
FIRST_LEADS = (24 * 60, 15)


@dataclass(frozen=True, slots=True)
class Profile:
    """What registration asks. `themes` are slugs; an optional answer that was skipped is None."""

    name: str
    country: str
    city: str
    profession: str | None
    organisation: str | None
    themes: tuple[str, ...]
    side: Side


async def meet(db: AsyncSession, channel: str, address: str, now: datetime) -> Member:
    """Make the row of a person who writes for the first time."""
    member = Member(created_at=now, role=Role.MEMBER)
    db.add(member)
    await db.flush()
    db.add(Address(member_id=member.id, channel=channel, address=address))
    return member


async def register(
    db: AsyncSession, member: Member, profile: Profile, now: datetime, *, zone: str | None = None
) -> None:
    """Write the profile down. The first time, the member also gets the usual leads.

    `zone` is what can be guessed from their city; a zone that they chose themselves stays.
    """
    first_time = member.registered_at is None
    member.name, member.country, member.city = profile.name, profile.country, profile.city
    member.city_folded = cities.key(profile.city)
    member.profession, member.organisation = profile.profession, profile.organisation
    member.side = profile.side
    member.registered_at = member.registered_at or now
    await set_themes(db, member, profile.themes)
    _write_rhythm(member, member.timezone or zone)
    if first_time:
        await _write_leads(db, member, FIRST_LEADS)


def stranger(now: datetime) -> Member:
    """Somebody of whom nothing is kept: a row that is never added."""
    return Member(role=Role.MEMBER, created_at=now)


async def profile_of(db: AsyncSession, member: Member) -> Profile:
    """The profile as it stands. Raises ValueError for a person who hasn't registered."""
    if not (member.name and member.country and member.city and member.side):
        raise ValueError("this person hasn't registered")
    rows = await db.scalars(
        select(Theme.slug)
        .join(MemberTheme, MemberTheme.theme_id == Theme.id)
        .where(MemberTheme.member_id == member.id)
        .order_by(Theme.id)
    )
    return Profile(
        name=member.name,
        country=member.country,
        city=member.city,
        profession=member.profession,
        organisation=member.organisation,
        themes=tuple(rows),
        side=member.side,
    )


async def all_themes(db: AsyncSession) -> Sequence[Theme]:
    """Every theme, in the order they came with the agendas."""
    return (await db.scalars(select(Theme).order_by(Theme.id))).all()


async def set_themes(db: AsyncSession, member: Member, slugs: Collection[str]) -> None:
    """Make these, and no others, the member's themes. A slug nobody knows is passed over."""
    await db.execute(delete(MemberTheme).where(MemberTheme.member_id == member.id))
    ids = await db.scalars(select(Theme.id).where(Theme.slug.in_(slugs)))
    db.add_all(MemberTheme(member_id=member.id, theme_id=theme_id) for theme_id in ids)


async def leads_of(db: AsyncSession, member: Member) -> set[int]:
    """The member's leads, in minutes."""
    return set(await db.scalars(_leads(), {"member": member.id}))


@cache
def _leads() -> Select[int]:
    # Building this statement costs as much as running it.
    return select(MemberLead.minutes).where(MemberLead.member_id == bindparam("member"))


async def set_leads(db: AsyncSession, member: Member, minutes: Collection[int]) -> None:
    """The member chooses these leads, and no others. Raises ValueError for one not in LEADS."""
    if unknown := set(minutes) - set(LEADS):
        raise ValueError(f"not a lead: {sorted(unknown)}")
    member.own_leads = True
    await _write_leads(db, member, minutes)


async def _write_leads(db: AsyncSession, member: Member, minutes: Collection[int]) -> None:
    await db.execute(delete(MemberLead).where(MemberLead.member_id == member.id))
    db.add_all(MemberLead(member_id=member.id, minutes=m) for m in sorted(set(minutes)))


def set_timezone(member: Member, chosen: str | None, guessed: str | None) -> None:
    """The member chooses the zone of their day; None: the guess (None: that of each event)."""
    member.timezone = chosen
    _write_rhythm(member, chosen or guessed)


def set_quiet_hours(member: Member, hours: tuple[int, int] | None) -> None:
    """The member chooses from and until which minute of the day it is quiet; None: never."""
    member.quiet_from, member.quiet_until = hours or (None, None)
    _write_rhythm(member, Rhythm.read(member.rhythm).zone)


def _write_rhythm(member: Member, zone: str | None) -> None:
    begins, ends = member.quiet_from, member.quiet_until
    hours = None if begins is None or ends is None else (begins, ends)
    member.rhythm = Rhythm(zone, hours).written()


async def guess_zones(
    db: AsyncSession, zone_of: Callable[[str | None, str | None], str | None]
) -> None:
    """Guess the zone of those who have none yet: `zone_of` knows it by country and city."""
    unknown = (Member.registered_at.is_not(None), Member.rhythm.startswith("|"))
    places = await db.execute(select(Member.country, Member.city).where(*unknown).distinct())
    for country, city in places.all():
        if zone := zone_of(country, city):
            await db.execute(
                update(Member)
                .where(*unknown, Member.country == country, Member.city == city)
                .values(rhythm=literal(zone) + Member.rhythm)
                .execution_options(synchronize_session=False)
            )


async def address_on(db: AsyncSession, channel: str, address: str) -> Address | None:
    """The row of this address, if anybody ever wrote from it."""
    return await db.scalar(
        select(Address).where(Address.channel == channel, Address.address == address)
    )


async def unreachable(db: AsyncSession, channel: str, address: str, now: datetime) -> None:
    """Nothing can be delivered here until the person writes again."""
    row = await address_on(db, channel, address)
    if row is not None and row.unreachable_at is None:
        row.unreachable_at = now


async def moved(db: AsyncSession, channel: str, old: str, new: str, now: datetime) -> None:
    """The messenger gave this chat a new address. If that is known already, the old one is dead."""
    row = await address_on(db, channel, old)
    if row is None:
        return
    if await address_on(db, channel, new) is None:
        row.address = new
    else:
        row.unreachable_at = now


async def count_registered(db: AsyncSession) -> int:
    """How many people have registered."""
    count = select(func.count()).select_from(Member).where(Member.registered_at.is_not(None))
    return await db.scalar(count) or 0


async def team(db: AsyncSession, channel: str) -> Sequence[tuple[str, str | None]]:
    """Where each member of the team can be reached on this channel, and their language."""
    rows = await db.execute(
        select(Address.address, Member.language)
        .join(Member, Member.id == Address.member_id)
        .where(
            Member.role.in_((Role.STAFF, Role.ADMIN)),
            Address.channel == channel,
            Address.unreachable_at.is_(None),
        )
    )
    return [(address, language) for address, language in rows]
