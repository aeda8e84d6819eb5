"""Groups and channels: where the bot is an administrator, and which of them an announcement is
posted to.

In groups the bot stays silent but for what staff post there, and nothing said there is kept: the
messenger only tells us when we are made an administrator, and when we no longer are.
"""

from collections.abc import Sequence
from dataclasses import replace

from aiogram import F, Router
from aiogram.enums import ChatType
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, ChatMemberAdministrator, ChatMemberUpdated
from sqlalchemy.ext.asyncio import AsyncSession

from handlers.announce_parts import Compose
from handlers.announcement_letters import as_posted
from handlers.correspondence import Writing
from handlers.letters import Letter, Tap
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import AUTONYMS, Html, Words, cleaned, isolate, shortened
from storage import announcements, audit, group_chats, sendings
from storage.tables import Announcement, GroupChat, Stage

# Of a title, what a button shows.
_BUTTON = 32
# Between the languages of one message.
_RULE = "———"


class Groups(CallbackData, prefix="groups"):
    """The groups of an announcement: `verb` is show, tick (a group) or speak (a language)."""

    announcement: int
    verb: str = "show"
    value: str = ""


def tap(words: Words, announcement: int) -> Tap:
    """The button that leads here, from the card of a draft."""
    return Tap(words.label("👥 Groups and channels"), Groups(announcement=announcement).pack())


# --- where we are -----------------------------------------------------------------------------


async def standing(update: ChatMemberUpdated, turn: Turn) -> None:
    """We were made an administrator of a group or channel, or are one no longer."""
    chat, address = update.chat, str(update.chat.id)
    if _may_post(update):
        title = cleaned(chat.title or "") or address
        await group_chats.admitted(
            turn.db, turn.channel, address, kind=str(chat.type), title=title, now=turn.now
        )
    else:
        await group_chats.left(turn.db, turn.channel, address, turn.now)


def _may_post(update: ChatMemberUpdated) -> bool:
    ours = update.new_chat_member
    if not isinstance(ours, ChatMemberAdministrator):
        return False
    # Bot API, ChatMemberAdministrator.can_post_messages: for channels only.
    return update.chat.type != ChatType.CHANNEL or bool(ours.can_post_messages)


# --- choosing ---------------------------------------------------------------------------------


async def act(_tap: CallbackQuery, callback_data: Groups, turn: Turn) -> None:
    """Tick a group, choose a language, or look."""
    found = await announcements.by_id(turn.db, callback_data.announcement)
    words = turn.words
    if found is None or found.author_id != turn.member.id:
        turn.say.toast(words.label("This announcement is no longer there."))
        return
    verb, value = callback_data.verb, callback_data.value
    if verb != "show":
        locked = await sendings.locked(turn.db, found.id)
        if locked is None or locked.stage != Stage.DRAFT:
            turn.say.toast(words.label("It has changed meanwhile: here is how it stands."))
        elif verb == "tick" and value.isdecimal():
            await _tick(turn, locked, int(value))
        elif verb == "speak":
            language = value if value in AUTONYMS else None
            await group_chats.speak(turn.db, locked, language)
    turn.say.edit(await page(turn, found))


async def _tick(turn: Turn, announcement: Announcement, group_id: int) -> None:
    group = next((g for g in await group_chats.open_to_us(turn.db) if g.id == group_id), None)
    if group is None:
        return
    await group_chats.toggle(turn.db, announcement, group)
    chosen = [one.group_id for one in await group_chats.postings(turn.db, announcement.id)]
    about = {"announcement": announcement.id, "groups": chosen}
    await audit.record(turn.db, turn.member, "announcement.groups", turn.now, about=about)


async def page(turn: Turn, announcement: Announcement) -> Letter:
    """The groups and channels that there are, those chosen ticked."""
    words, here = turn.words, announcement.id
    groups = await group_chats.open_to_us(turn.db)
    postings = {one.group_id: one for one in await group_chats.postings(turn.db, here)}
    lines = [words("<b>Groups and channels</b>"), Html("")]
    if groups:
        lines.append(
            words(
                "Where should it be posted, too? Readers there can't be asked what they agree to."
            )
        )
    else:
        lines.append(
            words(
                "I am not an administrator of any group or channel yet. Make me one (in a channel "
                "with the right to post), then come back."
            )
        )
    rows: list[tuple[Tap, ...]] = [
        (_group_tap(here, group, chosen=group.id in postings),) for group in groups
    ]
    if postings:
        chosen = next(iter(postings.values())).language
        rows += _language_taps(words, here, chosen)
    back = Compose(verb="card", announcement=here).pack()
    rows.append((Tap(words.label("‹ Back"), back),))
    return Letter(Html("\n".join(lines)), tuple(rows))


def _group_tap(here: int, group: GroupChat, *, chosen: bool) -> Tap:
    name = isolate(shortened(group.title, _BUTTON))
    data = Groups(announcement=here, verb="tick", value=f"{group.id}").pack()
    return Tap(f"☑️ {name}" if chosen else f"⬜️ {name}", data)


def _language_taps(words: Words, here: int, chosen: str | None) -> list[tuple[Tap, ...]]:
    def choice(label: str, language: str, *, is_chosen: bool) -> Tap:
        data = Groups(announcement=here, verb="speak", value=language).pack()
        return Tap(f"● {label}" if is_chosen else label, data)

    all_ = words.label("All languages in one message")
    return [
        tuple(choice(name, code, is_chosen=code == chosen) for code, name in AUTONYMS.items()),
        (choice(all_, "all", is_chosen=chosen is None),),
    ]


# --- the letters ------------------------------------------------------------------------------


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """What is posted in groups; None where it was paused, or the bot was removed."""
    found = await sendings.leaving(db, {one.about["announcement"] for one in writings})
    letters: list[Letter | None] = []
    for one in writings:
        posting = await group_chats.standing(db, one.about["announcement"], one.about["group"])
        ours = one.about["announcement"]
        texts = {language: both for (id_, language), both in found.items() if id_ == ours}
        if posting is None or not texts:
            letters.append(None)
            continue
        language = posting.language
        chosen = [language] if language in texts else [code for code in AUTONYMS if code in texts]
        parts = [as_posted(*texts[code], one.catalogs.get(code, one.words)) for code in chosen]
        # What can only be said once (a file, the link) is that of the first.
        text = f"\n\n{_RULE}\n\n".join(part.text for part in parts)
        letters.append(replace(parts[0], text=text))
    return letters


def router() -> Router:
    """What the messenger tells of groups, and the page of them, wired."""
    r = Router(name="group chats")
    r.my_chat_member.register(standing, F.chat.type != ChatType.PRIVATE)
    r.callback_query.register(act, Groups.filter(), of_staff)
    return r
