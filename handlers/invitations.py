"""Inviting to the team: a one-time link, made by taps, shown once, and to be forwarded."""

from collections.abc import Sequence

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery

from handlers.events import BUTTON, paged
from handlers.letters import Letter, Tap
from handlers.team import (
    ASK,
    NONE,
    Invitations,
    Invite,
    Team,
    name_of,
    of_admins,
    role_name,
    team_letter,
)
from handlers.turns import Turn
from handlers.words import Html, Words, quote, shortened
from storage import invitations, team
from storage.tables import Invitation, Post, Role

# So many invitations may wait for their readers at a time.
_MOST = 20


class Revoke(CallbackData, prefix="tinvx"):
    """Take this invitation back."""

    invitation: int


async def invite(_tap: CallbackQuery, callback_data: Invite, turn: Turn) -> None:
    """Role, then post, then the link."""
    words, role, post_id = turn.words, callback_data.role, callback_data.post
    posts = await team.posts(turn.db)
    if role not in {Role.STAFF, Role.ADMIN}:
        turn.say.edit(_which_role(words))
    elif post_id == ASK and (role == Role.ADMIN or posts):
        turn.say.edit(_which_post(words, Role(role), posts))
    elif post_id > NONE and post_id not in {post.id for post in posts}:
        turn.say.edit(await team_letter(turn))
    elif len(await invitations.open_ones(turn.db, turn.now)) >= _MOST:
        turn.say.toast(words.label("Many invitations are open: please revoke one first."))
        turn.say.edit(await invitations_letter(turn))
    else:
        await _invited(turn, Role(role), post_id if post_id > NONE else None)


async def _invited(turn: Turn, role: Role, post_id: int | None) -> None:
    words, db = turn.words, turn.db
    payload = await invitations.invite(db, role, turn.now, by=turn.member, post_id=post_id)
    link = turn.links.to(payload) or f"/start {payload}"
    until = words.day((turn.now + invitations.VALID).date())
    invitation = words(
        "🔑 You are invited to the team: {role}.\n\n{link}\n\nThe link works once, until {day}.",
        role=role_name(words, role),
        link=Html(link),
        day=until,
    )
    turn.say.edit(await invitations_letter(turn))
    lost = words(
        "The link was shown once. If it is lost, revoke the invitation and make a new one."
    )
    turn.say(Letter(invitation, once=lost))
    turn.say(
        Letter(
            words(
                "Forward the message above to the person, and to nobody else: whoever opens its link "
                "first is of the team. I don't show it again."
            )
        )
    )


def _which_role(words: Words) -> Letter:
    return Letter(
        words(
            "Whom do you invite? A member of the team manages events and writes to people; an "
            "administrator also decides who is of the team, and reaches everybody."
        ),
        (
            (
                Tap(words.label("Member of the team"), Invite(role=Role.STAFF).pack()),
                Tap(words.label("Administrator"), Invite(role=Role.ADMIN).pack()),
            ),
            (Tap(words.label("‹ Team"), Team().pack()),),
        ),
    )


def _which_post(words: Words, role: Role, posts: Sequence[Post]) -> Letter:
    taps = [
        (Tap(shortened(words.pick(post.name), BUTTON), Invite(role=role, post=post.id).pack()),)
        for post in posts
    ]
    none = Tap(words.label("No post"), Invite(role=role, post=NONE).pack())
    back = Tap(words.label("‹ Back"), Invite().pack())
    question = (
        words("At which post will they work?")
        if role == Role.ADMIN
        else words("At which post will they work? They reach its area; with none, everybody.")
    )
    return Letter(question, (*taps, (none, back)))


async def open_invitations(_tap: CallbackQuery, callback_data: Invitations, turn: Turn) -> None:
    """The open invitations."""
    turn.say.edit(await invitations_letter(turn, callback_data.page))


async def invitations_letter(turn: Turn, page: int = 0) -> Letter:
    """What waits for its reader, and a tap to take each back."""
    words = turn.words
    found = await invitations.open_ones(turn.db, turn.now)
    shown, turning = paged(words, found, page, lambda number: Invitations(page=number))
    makers = {one.member.id: name_of(words, one) for one in await team.colleagues(turn.db)}
    posts = {post.id: words.pick(post.name) for post in await team.posts(turn.db)}
    lines = [words("<b>Open invitations</b>")]
    lines += [_invitation(words, one, makers, posts) for one in shown]
    if not shown:
        lines.append(words("No invitation is open. Each works once, for a week."))
    taps = [
        (Tap(words.label("Revoke no. {n}", n=one.id), Revoke(invitation=one.id).pack()),)
        for one in shown
    ]
    below = (
        Tap(words.label("＋ Invite somebody"), Invite().pack()),
        Tap(words.label("‹ Team"), Team().pack()),
    )
    return Letter(Html("\n\n".join(lines)), (*taps, *turning, below))


def _invitation(
    words: Words, one: Invitation, makers: dict[int, str], posts: dict[int, str]
) -> Html:
    maker = words("the operator") if one.made_by is None else quote(makers.get(one.made_by, "—"))
    post = Html(f" · {quote(posts[one.post_id])}") if one.post_id in posts else Html("")
    return words(
        "<b>No. {n}</b>: {role}{post}\nmade by {maker}, until {day}",
        n=one.id,
        role=role_name(words, one.role),
        post=post,
        maker=maker,
        day=words.day(one.expires_at.date()),
    )


async def revoke(_tap: CallbackQuery, callback_data: Revoke, turn: Turn) -> None:
    """An invitation is taken back."""
    words = turn.words
    revoked = await invitations.revoke(turn.db, turn.member, callback_data.invitation, turn.now)
    turn.say.toast(
        words.label("Revoked: its link opens nothing any more.")
        if revoked
        else words.label("This invitation isn't open any more.")
    )
    turn.say.edit(await invitations_letter(turn))


def router() -> Router:
    """Inviting, wired: for administrators alone."""
    r = Router(name="invitations")
    r.callback_query.register(invite, Invite.filter(), of_admins)
    r.callback_query.register(open_invitations, Invitations.filter(), of_admins)
    r.callback_query.register(revoke, Revoke.filter(), of_admins)
    return r
