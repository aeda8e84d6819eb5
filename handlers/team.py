"""The team: `/team`: who belongs to it, where each works and whom they reach, and who is invited.

Admins decide, by taps; the rest of the team reads. Who is removed loses everything at once: each
handler of the team asks again who taps.
"""

from aiogram import Router
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message

from handlers.events import BUTTON, paged
from handlers.letters import Letter, Tap
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import Html, Words, quote, shortened
from storage import invitations, team
from storage.tables import Post, Role
from storage.team import Colleague, Removed

# In a button: ask which, and none.
ASK, NONE = -1, 0


class Team(CallbackData, prefix="team"):
    """A page of the team."""

    page: int = 0


class Person(CallbackData, prefix="tmate"):
    """Somebody's card."""

    member: int


class Assign(CallbackData, prefix="tpost"):
    """This person works at this post; ASK: at which?"""

    member: int
    post: int = ASK


class Reach(CallbackData, prefix="treach"):
    """This person reaches everybody, or their post's area."""

    member: int
    everywhere: bool


class Remove(CallbackData, prefix="tout"):
    """This person is of the team no longer; asked for once more unless `sure`."""

    member: int
    sure: bool = False


class Invite(CallbackData, prefix="tinv"):
    """Invite somebody with this role, to this post; `handlers.invitations` asks for what is left out."""

    role: str = ""
    post: int = ASK


class Invitations(CallbackData, prefix="tinvs"):
    """A page of the open invitations; answered there too."""

    page: int = 0


class Posts(CallbackData, prefix="posts"):
    """All posts; `handlers.posts` answers."""

    page: int = 0


# --- the team -------------------------------------------------------------------------------


async def open_team(_message: Message, turn: Turn) -> None:
    """/team."""
    turn.say(await team_letter(turn))


async def turn_page(_tap: CallbackQuery, callback_data: Team, turn: Turn) -> None:
    """The same, by tap."""
    turn.say.edit(await team_letter(turn, callback_data.page))


async def team_letter(turn: Turn, page: int = 0) -> Letter:
    """Who is of the team; for admins with a tap for each."""
    words = turn.words
    found = await team.colleagues(turn.db)
    shown, turning = paged(words, found, page, lambda number: Team(page=number))
    lines = [words("<b>The team</b>"), *(Html("\n".join(_facts(words, one))) for one in shown)]
    if not turn.is_admin:
        lines.append(words("Only administrators invite and remove people."))
        return Letter(Html("\n\n".join(lines)), tuple(turning))
    if len(found) == 1:
        lines.append(words("You are alone so far. Invite a colleague: you get a link to forward."))
    people = [
        (Tap(shortened(name_of(words, one), BUTTON), Person(member=one.member.id).pack()),)
        for one in shown
    ]
    waiting = len(await invitations.open_ones(turn.db, turn.now))
    below = (
        (Tap(words.label("＋ Invite somebody"), Invite().pack()),),
        (
            Tap(words.label("Invitations ({n})", n=waiting), Invitations().pack()),
            Tap(words.label("Posts"), Posts().pack()),
        ),
    )
    return Letter(Html("\n\n".join(lines)), (*people, *turning, *below))


def name_of(words: Words, one: Colleague) -> str:
    """What somebody of the team is called; the operator may have invited a stranger."""
    return one.member.name or words.label("Not registered yet")


def role_name(words: Words, role: Role) -> Html:
    """What somebody of the team is."""
    return words("administrator") if role == Role.ADMIN else words("member of the team")


def area(words: Words, post: Post) -> Html:
    """Whom a post reaches, in words."""
    if post.cities:
        cities = words.series([words.place(city.title()) for city in post.cities])
        if not post.country:
            return cities
        return words("{cities} ({country})", cities=cities, country=words.country(post.country))
    if post.country:
        return words("all of {country}", country=words.country(post.country))
    return words("everybody")


def _facts(words: Words, one: Colleague) -> list[Html]:
    """Name, role and post, whom they reach, since when."""
    member, post = one.member, one.post
    place = Html(f" · {quote(words.pick(post.name))}") if post else Html("")
    lines = [
        Html(f"<b>{quote(name_of(words, one))}</b>"),
        Html(f"{role_name(words, member.role)}{place}"),
    ]
    everybody = member.role == Role.ADMIN or member.everywhere or post is None
    reached = words("everybody") if everybody or post is None else area(words, post)
    lines.append(words("reaches: {who}", who=reached))
    if member.team_since is not None:
        lines.append(words("since {day}", day=words.day(member.team_since.date())))
    return lines


# --- one of them ----------------------------------------------------------------------------


async def open_person(_tap: CallbackQuery, callback_data: Person, turn: Turn) -> None:
    """Somebody's card."""
    turn.say.edit(await person_card(turn, callback_data.member))


async def person_card(turn: Turn, member_id: int) -> Letter:
    """What admins can do about one of the team."""
    words, one = turn.words, await team.colleague(turn.db, member_id)
    if one is None:
        gone = words("This person is no longer of the team.")
        return (await team_letter(turn)).with_first_line(gone)
    taps = [(Tap(words.label("✎ Post"), Assign(member=member_id).pack()),)]
    if one.post is not None and one.member.role == Role.STAFF:
        here = Reach(member=member_id, everywhere=not one.member.everywhere).pack()
        label = (
            words.label("Let them reach their post's area only")
            if one.member.everywhere
            else words.label("Let them reach everybody")
        )
        taps.append((Tap(label, here),))
    taps += [
        (Tap(words.label("Remove from the team"), Remove(member=member_id).pack()),),
        (Tap(words.label("‹ Team"), Team().pack()),),
    ]
    return Letter(Html("\n".join(_facts(words, one))), tuple(taps))


async def assign(_tap: CallbackQuery, callback_data: Assign, turn: Turn) -> None:
    """Choose somebody's post."""
    words, member_id, post_id = turn.words, callback_data.member, callback_data.post
    if post_id == ASK and await team.colleague(turn.db, member_id) is not None:
        taps = [
            (
                Tap(
                    shortened(words.pick(p.name), BUTTON),
                    Assign(member=member_id, post=p.id).pack(),
                ),
            )
            for p in await team.posts(turn.db)
        ]
        none = Tap(words.label("No post"), Assign(member=member_id, post=NONE).pack())
        back = Tap(words.label("‹ Back"), Person(member=member_id).pack())
        question = (
            words("At which post do they work? With none they reach everybody.")
            if taps
            else words("There is no post yet. Make one first: /team, then Posts.")
        )
        turn.say.edit(Letter(question, (*taps, (none, back))))
        return
    if post_id != ASK and await team.assign(
        turn.db, turn.member, member_id, post_id or None, turn.now
    ):
        turn.say.toast(words.label("Done."))
    turn.say.edit(await person_card(turn, member_id))


async def reach(_tap: CallbackQuery, callback_data: Reach, turn: Turn) -> None:
    """Choose whether somebody reaches everybody."""
    member_id, everywhere = callback_data.member, callback_data.everywhere
    if await team.reach(turn.db, turn.member, member_id, turn.now, everywhere=everywhere):
        turn.say.toast(turn.words.label("Done."))
    turn.say.edit(await person_card(turn, member_id))


async def remove(_tap: CallbackQuery, callback_data: Remove, turn: Turn) -> None:
    """Remove somebody, after one more question."""
    words, member_id = turn.words, callback_data.member
    one = await team.colleague(turn.db, member_id)
    if one is not None and not callback_data.sure:
        yes = Tap(words.label("Yes, remove"), Remove(member=member_id, sure=True).pack())
        back = Tap(words.label("‹ Back"), Person(member=member_id).pack())
        question = words(
            "Remove {name} from the team? Their commands and buttons stop working at once, and the "
            "open invitations they made with them. A new invitation brings them back.",
            name=name_of(words, one),
        )
        turn.say.edit(Letter(question, ((yes, back),)))
        return
    removed = await team.remove(turn.db, turn.member, member_id, turn.now)
    if removed == Removed.LAST_ADMIN:
        turn.say.toast(words.label("The last administrator stays: invite another one first."))
        turn.say.edit(await person_card(turn, member_id))
    elif removed == Removed.DONE and not turn.is_staff:
        turn.say.edit(Letter(words("You are no longer of the team. Thank you for your work!")))
    else:
        turn.say.toast(words.label("This person is no longer of the team."))
        turn.say.edit(await team_letter(turn))


def of_admins(_event: object, turn: Turn) -> bool:
    """Whether this is for administrators alone."""
    return turn.is_admin


def router() -> Router:
    """The team, wired."""
    r = Router(name="team")
    r.message.register(open_team, Command("team", ignore_mention=True), of_staff)
    r.callback_query.register(turn_page, Team.filter(), of_staff)
    r.callback_query.register(open_person, Person.filter(), of_admins)
    r.callback_query.register(assign, Assign.filter(), of_admins)
    r.callback_query.register(reach, Reach.filter(), of_admins)
    r.callback_query.register(remove, Remove.filter(), of_admins)
    return r
