"""Sending: an announcement's letters, and the card on which the team watches them leave.

The card is edited every few seconds while something changes. Its buttons are answered at once:
what is paused or stopped takes back all that has not begun to leave.
"""

import html
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery
from sqlalchemy.ext.asyncio import AsyncSession

from handlers import reports
from handlers.announce_parts import tap as compose_tap
from handlers.announcement_letters import as_read, counted
from handlers.correspondence import Writing
from handlers.letters import Edited, Letter, Tap
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import Html, Words, quote, shortened
from storage import announcements, audit, group_chats, mailings, sending_cards, sendings
from storage.tables import Announcement, AnnouncementText, Fate, GroupPosting, Stage

# Of a text, what its card is called by.
_TITLE = 60
_BLOCKS = 10


class Sending(CallbackData, prefix="sending"):
    """A tap on an announcement's card: `verb` says what to do or show."""

    verb: str
    announcement: int


def tap(label: str, verb: str, announcement: int) -> Tap:
    """A button of a card."""
    return Tap(label, Sending(verb=verb, announcement=announcement).pack())


# --- the letters ------------------------------------------------------------------------------


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The letters, in the language that was chosen when the audience was written down; None for
    what is paused or stopped.
    """
    found = await sendings.leaving(db, {one.about["announcement"] for one in writings})
    # A batch has a few texts, and many readers of each.
    written: dict[tuple[int, str, str], Letter] = {}
    letters: list[Letter | None] = []
    for one in writings:
        announcement_id, language = one.about["announcement"], one.about.get("language", "")
        known = found.get((announcement_id, language))
        if known is None:
            letters.append(None)
            continue
        key = (announcement_id, language, one.words.language)
        if key not in written:
            written[key] = as_read(*known, one.words)
        letter, text = written[key], known[1]
        if one.links.counted is not None and text.link_url:
            letter = counted(letter, text, one.links.counted(announcement_id, one.member.id))
        letters.append(letter)
    return letters


# --- the card ---------------------------------------------------------------------------------


async def write_card(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The cards as they stand now: sent once, edited after that."""
    standing = await sending_cards.standing(db, [one.about["card"] for one in writings])
    letters: list[Letter | None] = []
    for one in writings:
        found = standing.get(one.about["card"])
        if found is None:
            letters.append(None)
            continue
        stands, announcement = found
        seconds = one.about.get("seconds")
        left = None if seconds is None else timedelta(seconds=seconds)
        letter = await card(db, one.words, announcement, left)
        edits = Edited(stands.message) if stands.message else None
        letters.append(Letter(letter.text, letter.taps, edits=edits))
    return letters


async def card(
    db: AsyncSession, words: Words, announcement: Announcement, left: timedelta | None = None
) -> Letter:
    """How far an announcement has come; `left` is how long the rest will take, if that is known."""
    texts = await announcements.texts_of(db, announcement.id)
    postings = await group_chats.postings(db, announcement.id)
    lines = [
        words("📣 <b>{title}</b>", title=title(words, announcement, texts)),
        Html(""),
        _stage(words, announcement),
    ]
    if announcement.counted_at is not None:
        lines += [_bar(words, announcement), Html(""), *_account(words, announcement)]
    if (rest := waiting(announcement)) and announcement.stage == Stage.SENDING:
        if left is None:
            lines.append(words("⏳ Still to go: {number}", number=rest))
        else:
            done = words.ahead(left)
            lines.append(words("⏳ Still to go: {number}. Done {when}.", number=rest, when=done))
    elif rest and announcement.counted_at is not None:
        lines.append(words("▫️ Not sent: {number}", number=rest))
    if postings:
        lines.append(_groups(words, postings))
    return Letter(Html("\n".join(lines)), _taps(words, announcement))


def title(words: Words, announcement: Announcement, texts: Mapping[str, AnnouncementText]) -> str:
    """The first words of an announcement, plain: in the reader's language, if it has that."""
    text = announcements.read_by(announcement, texts, words.language)
    said = html.unescape(re.sub(r"<[^>]*>", "", text.text)) if text else ""
    line = next(filter(None, map(str.strip, said.splitlines())), "")
    return shortened(line, _TITLE) or words.label("Announcement")


def waiting(announcement: Announcement) -> int:
    """Of how many recipients nothing is known yet."""
    return announcement.size - mailings.settled(announcement)


def _stage(words: Words, announcement: Announcement) -> Html:
    if announcement.stage == Stage.SENDING and announcement.counted_at is None:
        return words("Its recipients are being written down …")
    return {
        Stage.SENDING: words("📤 It is being sent."),
        Stage.PAUSED: words("⏸ Paused: nothing leaves."),
        Stage.STOPPED: words("⏹ Stopped."),
        Stage.SENT: words("✅ Sent."),
    }.get(announcement.stage, words("It has not begun to leave."))


def _bar(words: Words, announcement: Announcement) -> Html:
    size, settled = announcement.size, mailings.settled(announcement)
    full = _BLOCKS * settled // size if size else _BLOCKS
    percent = 100 * settled // size if size else 100
    return words("{bar} {percent}%", bar=Html("▰" * full + "▱" * (_BLOCKS - full)), percent=percent)


def _account(words: Words, announcement: Announcement) -> list[Html]:
    tally = announcement.tally
    lines = [
        words(
            "📬 Received: {number} of {all}",
            number=mailings.counted(tally, Fate.SENT),
            all=announcement.size,
        )
    ]
    if failed := mailings.counted(tally, Fate.FAILED):
        lines.append(words("❌ Not delivered: {number}", number=failed))
        lines += _reasons(words, mailings.reasons(tally, Fate.FAILED))
    if voided := mailings.counted(tally, Fate.VOID):
        lines.append(words("🔕 Left out at the last moment: {number}", number=voided))
        lines += _reasons(words, mailings.reasons(tally, Fate.VOID))
    if held := mailings.counted(tally, Fate.UNKNOWN):
        lines.append(words("❔ In doubt: {number}", number=held))
    return lines


def _reasons(words: Words, reasons: Sequence[tuple[str, int]]) -> list[Html]:
    known = {
        "blocked": words("blocked the bot"),
        "deactivated": words("account deleted"),
        "opted out": words("opted out"),
        "forgotten": words("data deleted"),
        "unreachable": words("can't be reached"),
        "chat not found": words("can't be reached"),
        "forbidden": words("can't be reached"),
        mailings.PAUSED: words("it was stopped"),
        mailings.OVERTAKEN: words("it was stopped"),
    }
    told: dict[Html, int] = {}
    for reason, number in reasons:
        why = known.get(reason, words("refused by the messenger"))
        told[why] = told.get(why, 0) + number
    return [
        words("     {reason}: {number}", reason=why, number=number) for why, number in told.items()
    ]


def _groups(words: Words, postings: Sequence[GroupPosting]) -> Html:
    sent = sum(one.outcome == Fate.SENT.value for one in postings)
    return words("👥 Groups and channels: {number} of {all}", number=sent, all=len(postings))


def _taps(words: Words, announcement: Announcement) -> tuple[tuple[Tap, ...], ...]:
    here, stage = announcement.id, announcement.stage
    rows: list[tuple[Tap, ...]] = []
    stop = tap(words.label("⏹ Stop"), "stop", here)
    if stage == Stage.SENDING:
        rows.append((tap(words.label("⏸ Pause"), "pause", here), stop))
    elif stage == Stage.PAUSED:
        rows.append((tap(words.label("▶️ Resume"), "resume", here), stop))
    if mailings.counted(announcement.tally, Fate.UNKNOWN):
        rows.append((tap(words.label("❔ In doubt"), "doubts", here),))
    if stage in (Stage.SENT, Stage.STOPPED):
        correct = tap(words.label("✏️ Send a correction"), "correct", here)
        rows.append((correct, reports.tap(words, here)))
    return tuple(rows)


# --- its buttons ------------------------------------------------------------------------------


async def act(_tap: CallbackQuery, callback_data: Sending, turn: Turn) -> None:
    """One of the card's buttons, by whoever of the team may see the announcement."""
    found = await announcements.by_id(turn.db, callback_data.announcement)
    if found is None or not announcements.may_see(found, turn.member):
        turn.say.toast(turn.words.label("This announcement is no longer there."))
        return
    await _ACTS.get(callback_data.verb, _show)(turn, found)


async def _show(turn: Turn, announcement: Announcement) -> None:
    turn.say.edit(await card(turn.db, turn.words, announcement))


async def _pause(turn: Turn, announcement: Announcement) -> None:
    done = await sendings.pause(turn.db, announcement.id, turn.now)
    await _told(turn, announcement, done, "announcement.paused")


async def _resume(turn: Turn, announcement: Announcement) -> None:
    done = await sendings.resume(turn.db, announcement.id, turn.now)
    await _told(turn, announcement, done, "announcement.resumed")


async def _ask_stop(turn: Turn, announcement: Announcement) -> None:
    if announcement.stage not in sendings.UNDER_WAY:
        await _told(turn, announcement, None, "")
        return
    words, here = turn.words, announcement.id
    told = await card(turn.db, words, announcement)
    question = words.plural(
        "<b>Stop it for good? {n} person would not receive it.</b>",
        "<b>Stop it for good? {n} people would not receive it.</b>",
        waiting(announcement),
    )
    turn.say.edit(
        Letter(
            Html(f"{told.text}\n\n{question}"),
            (
                (tap(words.label("⏹ Yes, stop it"), "stopped", here),),
                (tap(words.label("‹ Back"), "card", here),),
            ),
        )
    )


async def _stop(turn: Turn, announcement: Announcement) -> None:
    done = await sendings.stop(turn.db, announcement.id, turn.now)
    await _told(turn, announcement, done, "announcement.stopped")


async def _told(
    turn: Turn, announcement: Announcement, done: Announcement | None, action: str
) -> None:
    if done is None:
        turn.say.toast(turn.words.label("It has changed meanwhile: here is how it stands."))
    else:
        left = waiting(done)
        await audit.record(
            turn.db, turn.member, action, turn.now, about={"announcement": done.id}, people=left
        )
    await _show(turn, done or announcement)


async def _correct(turn: Turn, announcement: Announcement) -> None:
    words = turn.words
    draft = await sendings.correct(turn.db, turn.member, announcement.id, turn.now)
    if draft is None:
        await _told(turn, announcement, None, "")
        return
    about = {"announcement": draft.id, "corrects": announcement.id}
    await audit.record(turn.db, turn.member, "announcement.corrected", turn.now, about=about)
    turn.say(
        Letter(
            words(
                "✏️ The correction is a draft, with the words of the first. It will go to exactly "
                "those who received that one."
            ),
            ((compose_tap(words.label("✏️ Write the correction"), "card", draft.id),),),
        )
    )


async def _doubts(turn: Turn, announcement: Announcement) -> None:
    words, here = turn.words, announcement.id
    held = await sendings.doubts(turn.db, here)
    if not held:
        await _told(turn, announcement, None, "")
        return
    lines = [
        words(
            "❔ The answer to these letters was lost: they may have arrived, or not. Nobody gets "
            "it twice unless you say so."
        ),
        Html(""),
        *(quote(one.name or "—") for one in held),
    ]
    rows = [(tap(words.label("‹ Back"), "card", here),)]
    if announcement.stage != Stage.STOPPED:
        rows.insert(0, (tap(words.label("📨 Send them again"), "release", here),))
    turn.say.edit(Letter(Html("\n".join(lines)), tuple(rows)))


async def _release(turn: Turn, announcement: Announcement) -> None:
    released = await sendings.release(turn.db, announcement.id, turn.now)
    if released:
        await audit.record(
            turn.db,
            turn.member,
            "announcement.released",
            turn.now,
            about={"announcement": announcement.id},
            touched=released,
        )
    await _show(turn, announcement)


_ACTS: Mapping[str, Callable[[Turn, Announcement], Awaitable[None]]] = {
    "pause": _pause,
    "resume": _resume,
    "stop": _ask_stop,
    "stopped": _stop,
    "correct": _correct,
    "doubts": _doubts,
    "release": _release,
}


def router() -> Router:
    """The card's buttons, wired."""
    r = Router(name="sendings")
    r.callback_query.register(act, Sending.filter(), of_staff)
    return r
