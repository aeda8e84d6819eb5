"""Announcements of the team: `/announce`, its drafts and what was sent, and the card of each.

The card tells who will read what, and when; every part has a page of its own beside this module:
`announce_texts` (words, files, languages), `announce_extras` (link and answers), `announce_when`
and `announce_sending` (preview, test, and the last tap). Everything typed is kept at once, so that
leaving, `/cancel` or a restart lose nothing.
"""

from collections.abc import Sequence
from typing import Any

from aiogram import F, Router
from aiogram.filters import Command, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from handlers import announce_parts as parts
from handlers import announce_readers, audiences, group_chats, guide, reports, sendings
from handlers.announce_parts import SIGNS, Announcements, Compose, Composing, tap
from handlers.audiences import Chosen
from handlers.events import BUTTON, paged
from handlers.letters import Letter, Tap
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import AUTONYMS, Html, quote, shortened
from storage import announcements, approvals, audit
from storage.announcements import Texts
from storage.tables import Announcement, Stage

# --- the list -------------------------------------------------------------------------------


async def announce(_message: Message, turn: Turn, state: FSMContext) -> None:
    """/announce."""
    await parts.close(state)
    turn.say(await list_letter(turn))


async def turn_page(
    _tap: CallbackQuery, callback_data: Announcements, turn: Turn, state: FSMContext
) -> None:
    """The same, by tap."""
    await parts.close(state)
    turn.say.edit(await list_letter(turn, callback_data.page))


async def list_letter(turn: Turn, page: int = 0) -> Letter:
    """My drafts, what the team sent lately, and the tap for a new one."""
    words = turn.words
    found = await announcements.listed(turn.db, turn.member)
    shown, turning = paged(words, found, page, lambda number: Announcements(page=number))
    lines = [words("<b>Announcements</b>")]
    taps = []
    for one, text in shown:
        said = parts.gist(words, text)
        lines.append(Html(f"{parts.stage_of(words, one)} · {quote(said)}"))
        taps.append((tap(shortened(f"{SIGNS[one.stage]} {said}", BUTTON), "card", one.id),))
    lines.append(
        words("Choose one, or write a new one.")
        if found
        else words(
            "Nothing was announced yet. Write the first one: nothing leaves before you say so."
        )
    )
    new = tap(words.label("＋ New announcement"), "new")
    return Letter(Html("\n".join(lines)), (*taps, *turning, (new,)))


# --- the card -------------------------------------------------------------------------------


async def open_card(
    _tap: CallbackQuery, callback_data: Compose | Chosen, turn: Turn, state: FSMContext
) -> None:
    """One announcement, as it is now."""
    await parts.close(state)
    turn.say.edit(await card(turn, callback_data.announcement))


async def card(turn: Turn, announcement_id: int) -> Letter:
    """Who will read what, and when; with a tap for every part."""
    words = turn.words
    found = await announcements.by_id(turn.db, announcement_id)
    if found is None or not announcements.may_see(found, turn.member):
        gone = words("This announcement is no longer there.")
        return (await list_letter(turn)).with_first_line(gone)
    texts = await announcements.texts_of(turn.db, found.id)
    mine = found.author_id == turn.member.id
    lines = [words("<b>Announcement</b> · {stage}", stage=parts.stage_of(words, found))]
    if found.comment and found.stage == Stage.DRAFT:
        lines.append(words("↩️ Sent back: “{comment}”", comment=found.comment))
    lines += [
        Html(""),
        *parts.languages(words, found, texts),
        *parts.extras(words, found, texts),
        Html(""),
    ]
    lines += await announce_readers.lines(turn.db, words, found, texts)
    lines += [Html(""), *parts.when_lines(words, found)]
    if found.stage == Stage.AWAITING:
        asked = [one.name or "—" for one in await approvals.approvers(turn.db, found)]
        lines += [Html(""), words("👀 Asked to approve it: {names}", names=words.listed(asked))]
    lacks = announcements.missing(found, texts) if mine and found.stage == Stage.DRAFT else []
    if lacks:
        lines += [Html(""), words("Still missing: {what}", what=parts.lacking(words, lacks))]
    return Letter(Html("\n".join(lines)), tuple(_taps(turn, found, texts, ready=not lacks)))


def _taps(
    turn: Turn, announcement: Announcement, texts: Texts, *, ready: bool
) -> Sequence[tuple[Tap, ...]]:
    words, here = turn.words, announcement.id
    back = Tap(words.label("‹ Announcements"), Announcements().pack())
    preview = tap(words.label("👁 Preview"), "preview", here)
    if announcement.stage not in announcements.UNSENT:
        sending = sendings.tap(words.label("📤 How it is sent"), "show", here)
        return [(sending, reports.tap(words, here)), (preview,), (back,)]
    if announcement.author_id != turn.member.id:
        return [(preview,), (back,)]
    marks = {code: "✅" if code in texts else "✎" for code in AUTONYMS}
    rows = [
        tuple(
            tap(f"{marks[code]} {name}", "language", here, code) for code, name in AUTONYMS.items()
        )
    ]
    if 0 < len(texts) < len(AUTONYMS):
        rows.append((tap(words.label("↪️ Languages without words"), "missing", here),))
    rows += [
        (
            tap(words.label("🔗 Link"), "link", here),
            tap(words.label("🗳 Answers"), "answers", here),
        ),
        (
            tap(words.label("👥 To whom"), "audience", here),
            tap(words.label("🕘 When"), "when", here),
        ),
        (group_chats.tap(words, here),),
    ]
    if texts:
        rows.append((preview, tap(words.label("✉️ Test to me"), "test", here)))
    if announcement.stage != Stage.DRAFT:
        rows.append((tap(words.label("↩️ Take it back"), "withdraw", here),))
    elif ready:
        rows.append((tap(words.label("📣 Send …"), "send", here),))
    rows.append((tap(words.label("🗑 Discard"), "discard", here), back))
    return rows


async def choose_audience(
    _tap: CallbackQuery, callback_data: Compose, turn: Turn, state: FSMContext
) -> None:
    """To whom it goes, put together by taps."""
    await parts.close(state)
    turn.say.edit(await audiences.open_for(turn, callback_data.announcement))


# --- throwing away --------------------------------------------------------------------------


async def ask_discard(
    _tap: CallbackQuery, callback_data: Compose, turn: Turn, state: FSMContext
) -> None:
    """Really?"""
    await parts.close(state)
    found = await mine(turn, callback_data.announcement)
    if found is None:
        return
    words = turn.words
    texts = await announcements.texts_of(turn.db, found.id)
    said = parts.gist(words, announcements.read_by(found, texts, words.language))
    turn.say.edit(
        Letter(
            words("Throw this announcement away, with all its languages?\n\n{text}", text=said),
            (
                (
                    tap(words.label("🗑 Yes, discard it"), "discarded", found.id),
                    tap(words.label("Keep it"), "card", found.id),
                ),
            ),
        )
    )


async def discard(_tap: CallbackQuery, callback_data: Compose, turn: Turn) -> None:
    """Yes."""
    found = await mine(turn, callback_data.announcement)
    if found is None:
        return
    await audit.record(
        turn.db, turn.member, "announcement.discarded", turn.now, about={"announcement": found.id}
    )
    await announcements.discard(turn.db, found)
    turn.say.edit((await list_letter(turn)).with_first_line(turn.words("Discarded.")))


# --- in common ------------------------------------------------------------------------------


async def mine(turn: Turn, announcement_id: int) -> Announcement | None:
    """The announcement, locked, if it is the person's own and has not left; else the truth is told."""
    found = await announcements.editable(turn.db, turn.member, announcement_id)
    if found is None:
        turn.say.toast(turn.words.label("This can't be changed any more."))
        turn.say.edit(await card(turn, announcement_id))
    return found


async def changed(turn: Turn, announcement: Announcement, **values: object) -> None:
    """Change it; whoever was asked to approve is asked no longer, and the author is told so."""
    if await announcements.change(turn.db, announcement, turn.now, **values):
        await taken_back(turn, announcement)


async def wrote(turn: Turn, announcement: Announcement, language: str, **values: Any) -> None:
    """Write a part of one language; the rest as `changed`."""
    submitted = announcement.stage != Stage.DRAFT
    await announcements.write(turn.db, announcement, language, turn.now, **values)
    if submitted:
        await taken_back(turn, announcement)


async def taken_back(turn: Turn, announcement: Announcement) -> None:
    """It was submitted, and is a draft again."""
    about = {"announcement": announcement.id}
    await audit.record(turn.db, turn.member, "announcement.withdrawn", turn.now, about=about)
    turn.say.toast(turn.words.label("It is a draft again, and must be sent anew."))


async def cancel(_message: Message, turn: Turn, state: FSMContext) -> None:
    """/cancel, while something is being written: all that was written before is kept."""
    words, about = turn.words, await parts.asked(state)
    await parts.close(state)
    if about["announcement"]:
        kept = words("Everything written so far is kept.")
        turn.say((await card(turn, about["announcement"])).with_first_line(kept))
    else:
        turn.say((await list_letter(turn)).with_first_line(words("Nothing was written.")))


async def help_(_message: Message, turn: Turn, state: FSMContext) -> None:
    """/help, while something is being written: the question comes again after it."""
    turn.say(guide.help_letter(turn.words, staff=True))
    turn.say(Letter.from_json((await parts.asked(state))["asked"]))


async def stale(_tap: CallbackQuery, callback_data: Compose, turn: Turn, state: FSMContext) -> None:
    """A button of a question that is no longer open: the card, as it is now."""
    await parts.close(state)
    turn.say.edit(await card(turn, callback_data.announcement))


def ways_out() -> Router:
    """/cancel and /help while something is being written, wired before those of everybody."""
    r = Router(name="announce_ways_out")
    r.message.register(
        cancel, Command("cancel", ignore_mention=True), StateFilter(Composing), of_staff
    )
    r.message.register(
        help_, Command("help", ignore_mention=True), StateFilter(Composing), of_staff
    )
    return r


def router() -> Router:
    """The list and the card, wired. To others there is no such command and no such button."""
    r = Router(name="announce")
    r.message.register(announce, Command("announce", ignore_mention=True), of_staff)
    r.callback_query.register(turn_page, Announcements.filter(), of_staff)
    r.callback_query.register(open_card, Compose.filter(F.verb == "card"), of_staff)
    r.callback_query.register(choose_audience, Compose.filter(F.verb == "audience"), of_staff)
    r.callback_query.register(open_card, Chosen.filter(), of_staff)
    r.callback_query.register(ask_discard, Compose.filter(F.verb == "discard"), of_staff)
    r.callback_query.register(discard, Compose.filter(F.verb == "discarded"), of_staff)
    return r


def stale_router() -> Router:
    """What no other part of the composer took, wired after them."""
    r = Router(name="announce_stale")
    r.callback_query.register(stale, Compose.filter(), of_staff)
    return r
