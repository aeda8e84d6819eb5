"""The people of an introduction, as their letters and cards name them."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from handlers.meeting_words import first_name
from handlers.words import Html, Words, quote
from storage import introduction_parties
from storage.introduction_parties import Party
from storage.tables import Member


def who(words: Words, member: Member, *, whole: bool = False) -> Html:
    """Somebody's first name (`whole`: their whole name), profession and city."""
    name = quote(member.name or "") if whole else first_name(member)
    place = words.place(member.city or "")
    about = [quote(part) for part in (member.profession or "", place) if part]
    return Html(" · ".join([f"<b>{name}</b>", *about]))


async def how_to_reach(db: AsyncSession, words: Words, party: Party, place: int) -> list[Html]:
    """The others with their whole names, and how to reach each. Raises ValueError unless all said yes."""
    reached = await introduction_parties.contacts(db, party)
    lines = []
    for at, member in enumerate(party.members):
        if at == place:
            continue
        lines.append(who(words, member, whole=True))
        written, chat = reached[at]
        if written:
            lines.append(words("To reach them: {contact}", contact=written))
        elif chat and chat.isdecimal():
            # Bot API, "Formatting options": a mention of a user by their id.
            link = Html(f'<a href="tg://user?id={chat}">{quote(member.name or "")}</a>')
            lines.append(words("To reach them, here: {contact}", contact=link))
        else:
            lines.append(words("They will write to you."))
    return lines


def others(party: Party, place: int) -> Sequence[Member]:
    """All but the one of this place."""
    return [member for at, member in enumerate(party.members) if at != place]


def listed(words: Words, people: Sequence[Member]) -> Html:
    """Their first names."""
    return words.listed([plain_first(member) for member in people])


def plain_first(member: Member) -> str:
    """A first name, for where no HTML is understood."""
    return (member.name or "–").split()[0]


def mine(
    found: Mapping[int, Party], introduction_id: int, member: Member
) -> tuple[Party, int] | None:
    """The introduction and the member's place in it, if it is theirs."""
    party = found.get(introduction_id)
    place = party.place_of(member.id) if party else None
    return None if party is None or place is None else (party, place)
