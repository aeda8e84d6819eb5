"""Four eyes: what the second person reads, approves, or sends back with a comment.

Their letter tells everything: the words in all languages, to whom they go, how many that is, when.
Each tap looks anew: whoever is too late, or taps on what was changed since, is told the truth.
"""

from collections.abc import Sequence

from aiogram import F, Router
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message
from sqlalchemy.ext.asyncio import AsyncSession

from handlers import announce_parts as parts
from handlers import announce_readers, audience_words
from handlers.announce_parts import Compose, Composing, tap
from handlers.correspondence import Writing
from handlers.letters import Letter, Tap
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import AUTONYMS, Html, Words, quote
from storage import announcements, approvals, readers
from storage.approvals import Decision
from storage.audience_counts import Count
from storage.tables import Announcement, Member, Stage

# Of a comment, in characters.
_COMMENT = 500


class Approve(CallbackData, prefix="annyes"):
    """It may leave: this version of it, to so many people."""

    announcement: int
    version: str
    people: int


class SendBack(CallbackData, prefix="annback"):
    """It may not: a comment follows."""

    announcement: int
    version: str


# --- the letters ----------------------------------------------------------------------------


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """What an approver reads; None for what was decided, changed or taken back meanwhile."""
    letters: list[Letter | None] = []
    for one in writings:
        found = await announcements.by_id(db, one.about["announcement"])
        current = found is not None and approvals.version(found) == one.about["version"]
        waits = found is not None and found.stage == Stage.AWAITING
        letters.append(await _letter(db, one.words, found) if found and current and waits else None)
    return letters


async def write_verdict(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """What the author hears; None once they have changed it since."""
    letters: list[Letter | None] = []
    for one in writings:
        found = await announcements.by_id(db, one.about["announcement"])
        if found is None or approvals.version(found) != one.about["version"]:
            letters.append(None)
            continue
        by = await db.get(Member, one.about["by"])
        name = (by.name if by else None) or "—"
        letters.append(_verdict(one.words, found, name, approved=one.about["yes"]))
    return letters


def _verdict(words: Words, found: Announcement, name: str, *, approved: bool) -> Letter:
    card = ((tap(words.label("Open it"), "card", found.id),),)
    if approved:
        return Letter(words("✅ {name} has approved your announcement.", name=name), card)
    back = words("↩️ {name} sends your announcement back:", name=name)
    return Letter(Html(f"{back}\n\n<i>{quote(found.comment or '—')}</i>"), card)


async def _letter(
    db: AsyncSession,
    words: Words,
    found: Announcement,
    counted: Count | None = None,
) -> Letter:
    texts = await announcements.texts_of(db, found.id)
    counted = counted or await readers.of(db, found, texts)
    author = await db.get(Member, found.author_id) if found.author_id else None
    name = (author.name if author else None) or "—"
    lines = [words("👀 <b>{name} asks for your approval of an announcement</b>", name=name)]
    for code, text in texts.items():
        lines += [Html(""), Html(f"— <b>{AUTONYMS[code]}</b> · {parts.size(words, text)}")]
        lines += [Html(text.text)] if text.text else []
    lines += [Html(""), *parts.languages(words, found, texts), *parts.extras(words, found, texts)]
    told = await announce_readers.to_whom(db, words, found)
    lines += [Html(""), told, *audience_words.counted(words, counted)]
    if found.shown is not None and readers.changed(found.shown, counted.people):
        lines.append(
            words(
                "⚠️ When it was submitted, it was {before}; now it is {after}.",
                before=found.shown,
                after=counted.people,
            )
        )
    lines += [Html(""), *parts.when_lines(words, found)]
    mark = approvals.version(found)
    yes = Approve(announcement=found.id, version=mark, people=counted.people)
    no = SendBack(announcement=found.id, version=mark)
    rows = (
        (tap(words.label("👁 As readers see it"), "preview", found.id, "alone"),),
        (
            Tap(words.label("✅ Approve"), yes.pack()),
            Tap(words.label("↩️ Send back …"), no.pack()),
        ),
    )
    return Letter(Html("\n".join(lines)), rows)


# --- deciding -------------------------------------------------------------------------------


async def approve(
    _tap: CallbackQuery, callback_data: Approve, turn: Turn, state: FSMContext
) -> None:
    """Yes: counted anew, and shown anew if the count has changed markedly."""
    await parts.close(state)
    words, found = turn.words, await announcements.by_id(turn.db, callback_data.announcement)
    people = 0
    if found is not None and found.stage == Stage.AWAITING:
        texts = await announcements.texts_of(turn.db, found.id)
        counted = await readers.of(turn.db, found, texts)
        people = counted.people
        current = approvals.version(found) == callback_data.version
        if current and readers.changed(callback_data.people, people):
            turn.say.toast(words.label("The audience has changed: please look again."))
            turn.say.edit(await _letter(turn.db, words, found, counted))
            return
    decision = await approvals.decide(
        turn.db,
        turn.member,
        callback_data.announcement,
        callback_data.version,
        turn.now,
        people=people,
    )
    if decision != Decision.DONE or found is None:
        await _told(turn, decision, callback_data.announcement)
        return
    sent = words.plural(
        "✅ You have approved it for {n} person.", "✅ You have approved it for {n} people.", people
    )
    turn.say.edit(Letter(Html(f"{sent}\n🕘 {parts.when(words, found)}")))


async def send_back(
    _tap: CallbackQuery, callback_data: SendBack, turn: Turn, state: FSMContext
) -> None:
    """No: why?"""
    found = await announcements.by_id(turn.db, callback_data.announcement)
    if (
        found is None
        or found.stage != Stage.AWAITING
        or approvals.version(found) != callback_data.version
        or found.author_id == turn.member.id
    ):
        decision = Decision.CHANGED
        if found is not None and found.author_id == turn.member.id:
            decision = Decision.OWN
        elif found is not None and found.approver_id is not None:
            decision = Decision.LATE
        await _told(turn, decision, callback_data.announcement)
        return
    ask = turn.words("What should be changed? Write it in a sentence or two: its author reads it.")
    keep = tap(turn.words.label("‹ Back"), "nocomment", found.id)
    about = {"announcement": found.id, "version": callback_data.version}
    await parts.ask(turn, state, Composing.comment, Letter(ask, ((keep,),)), edit=False, **about)


async def no_comment(_tap: CallbackQuery, turn: Turn, state: FSMContext) -> None:
    """Neither yes nor no, for now."""
    await parts.close(state)
    turn.say.edit(Letter(turn.words("It still waits for a decision, above.")))


async def comment_typed(message: Message, turn: Turn, state: FSMContext) -> None:
    """The comment, with which it goes back."""
    words, about = turn.words, await parts.asked(state)
    comment = parts.typed_words(message)
    if not 0 < len(comment) <= _COMMENT:
        hint = words("Please write a short text, at most {limit} characters.", limit=_COMMENT)
        await parts.again(turn, state, hint)
        return
    await parts.close(state)
    decision = await approvals.decide(
        turn.db,
        turn.member,
        about["announcement"],
        about["version"],
        turn.now,
        comment=comment,
    )
    if decision != Decision.DONE:
        await _told(turn, decision, about["announcement"])
        return
    turn.say(Letter(words("↩️ Sent back to its author, with your comment.")))


async def _told(turn: Turn, decision: Decision, announcement_id: int) -> None:
    """Why nothing was decided."""
    words, found = turn.words, await announcements.by_id(turn.db, announcement_id)
    if decision == Decision.LATE and found is not None:
        by = await turn.db.get(Member, found.approver_id) if found.approver_id else None
        name = (by.name if by else None) or "—"
        said = (
            words("{name} has sent it back already.", name=name)
            if found.stage == Stage.DRAFT
            else words("{name} has approved it already.", name=name)
        )
    else:
        said = {
            Decision.OWN: words("Nobody approves their own announcement."),
            Decision.NOT_YOURS: words("You don't reach all these people: somebody else decides."),
        }.get(decision, words("It was changed or taken back since you were asked."))
    turn.say.edit(Letter(said))


def router() -> Router:
    """Approval, wired."""
    r = Router(name="approvals")
    r.callback_query.register(approve, Approve.filter(), of_staff)
    r.callback_query.register(send_back, SendBack.filter(), of_staff)
    r.callback_query.register(no_comment, Compose.filter(F.verb == "nocomment"), of_staff)
    r.message.register(comment_typed, Composing.comment, parts.not_a_command, of_staff)
    return r
