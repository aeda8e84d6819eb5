"""What all of the composer shares: its buttons and states, and the words of what a card tells."""

import html
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import Message

from handlers.announcement_letters import length
from handlers.letters import Letter, Tap
from handlers.places import city_of
from handlers.turns import Turn
from handlers.words import AUTONYMS, Html, Words, cleaned, quote, shortened
from storage import announcements
from storage.announcements import Missing, Texts
from storage.quiet import Rhythm
from storage.tables import Announcement, AnnouncementText, Member, Stage

# Of a text, what a list and a card show.
_GIST = 60
# Whose clocks count for whom we know no zone of.
HOME = "Africa/Casablanca"


class Announcements(CallbackData, prefix="anns"):
    """A page of the list."""

    page: int = 0


class Compose(CallbackData, prefix="ann"):
    """A tap on a card: `verb` says what to do or show, `value` with what."""

    verb: str
    announcement: int = 0
    value: str = ""


class Composing(StatesGroup):
    """Something is being written; the conversation's data has `composing`: which, and what for."""

    text = State()
    link = State()
    label = State()
    answers = State()
    day = State()
    time = State()
    comment = State()


def tap(label: str, verb: str, announcement: int = 0, value: str = "") -> Tap:
    """A button of a card."""
    return Tap(label, Compose(verb=verb, announcement=announcement, value=value).pack())


def homeward(turn: Turn, announcement: int) -> tuple[Tap, ...]:
    """The way back to the card."""
    return (tap(turn.words.label("‹ Back"), "card", announcement),)


# --- how it is told ---------------------------------------------------------------------------


SIGNS = {
    Stage.DRAFT: "✎",
    Stage.AWAITING: "👀",
    Stage.READY: "🕘",
    Stage.SENDING: "📤",
    Stage.PAUSED: "⏸",
    Stage.STOPPED: "⏹",
    Stage.SENT: "✅",
}


def stage_of(words: Words, announcement: Announcement) -> Html:
    """How far an announcement has come."""
    told = {
        Stage.DRAFT: words("draft"),
        Stage.AWAITING: words("waits for approval"),
        Stage.READY: words("ready to leave"),
        Stage.SENDING: words("being sent"),
        Stage.PAUSED: words("paused"),
        Stage.STOPPED: words("stopped"),
        Stage.SENT: words("sent"),
    }
    return Html(f"{SIGNS[announcement.stage]} {told[announcement.stage]}")


def gist(words: Words, text: AnnouncementText | None) -> str:
    """The first words of a text, plain."""
    if text is None:
        return words.label("without words yet")
    said = plain(text.text)
    if not said and text.media:
        return words.label("a picture") if text.media == "photo" else text.file_name or "…"
    return shortened(said, _GIST)


def languages(words: Words, announcement: Announcement, texts: Texts) -> Sequence[Html]:
    """A line for each language: what its readers will read."""
    lines = []
    for code, name in AUTONYMS.items():
        if text := texts.get(code):
            lines.append(Html(f"✅ <b>{name}</b> · {size(words, text)}"))
        elif other := announcements.read_by(announcement, texts, code):
            language = AUTONYMS[other.language]
            said = words("its readers will read this text: {language}", language=language)
            lines.append(Html(f"↪️ <b>{name}</b> · {said}"))
        else:
            nothing = words("its readers get nothing")
            lines.append(Html(f"▫️ <b>{name}</b> · {nothing}"))
    return lines


def size(words: Words, text: AnnouncementText) -> Html:
    """How long a text is, and what comes with it."""
    said = words.plural("{n} character", "{n} characters", length(text.text))
    if text.media == "photo":
        return Html(f"{said} · 🖼")
    return Html(f"{said} · 📎 {quote(text.file_name or '…')}" if text.media else said)


def extras(words: Words, announcement: Announcement, texts: Texts) -> Sequence[Html]:
    """The link and the answers, in all the languages they have."""
    lines = []
    linked = [text for text in texts.values() if text.link_url]
    if linked:
        labels = words.series([text.link_label or "…" for text in linked])
        lines.append(Html(f"🔗 {labels} → {quote(linked[0].link_url or '')}"))
    for number, answer in enumerate(announcement.answers or (), start=1):
        lines.append(Html(f"🗳 {number}. {words.series(list(answer.values()))}"))
    return lines


def lacking(words: Words, lacks: Sequence[Missing]) -> Html:
    """What is still to be said."""
    told = {
        Missing.TEXT: words("the words"),
        Missing.AUDIENCE: words("to whom it goes"),
        Missing.LABEL: words("what the link says in each language"),
    }
    return words.series([told[one] for one in lacks])


def zone_of(member: Member) -> ZoneInfo:
    """By which clocks somebody of the team plans: their own, as their quiet hours have them."""
    return ZoneInfo(Rhythm.read(member.rhythm).zone or HOME)


def when_lines(words: Words, announcement: Announcement) -> Sequence[Html]:
    """When it leaves, and for whom who joins later."""
    quietly = (
        words("🌙 Whoever has quiet hours then gets it when they are over.")
        if announcement.quietly
        else words("🔔 It does not wait for quiet hours.")
    )
    lines = [Html(f"🕘 {when(words, announcement)}"), quietly]
    if announcement.joiner_days:
        lines.append(
            words.plural(
                "➕ Who joins within {n} day gets it too.",
                "➕ Who joins within {n} days gets it too.",
                announcement.joiner_days,
            )
        )
    return lines


def when(words: Words, announcement: Announcement) -> Html:
    """The moment at which it leaves."""
    if announcement.local_time is None:
        return words("It leaves as soon as it is sent.")
    local = datetime.fromisoformat(announcement.local_time)
    day, clock = words.day(local.date()), words.hour(local.hour * 60 + local.minute)
    if announcement.zone is None:
        return words("{day}, {time}, by each reader's clocks", day=day, time=clock)
    city = city_of(words, announcement.zone)
    return words("{day}, {time} ({city} time)", day=day, time=clock, city=city)


def not_a_command(message: Message) -> bool:
    """A filter: an unknown command is no answer."""
    return not (message.text or "").startswith("/")


def plain(text: str) -> str:
    """The words of an HTML text, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())


# --- in the middle of something -----------------------------------------------------------------


async def ask(
    turn: Turn, state: FSMContext, which: State, letter: Letter, *, edit: bool = True, **about: Any
) -> None:
    """Ask something whose answer is typed. The question is remembered, to be asked again."""
    await state.set_state(which)
    await state.update_data(composing={**about, "asked": letter.as_json()})
    turn.say.edit(letter) if edit else turn.say(letter)


async def asked(state: FSMContext) -> dict[str, Any]:
    """What the open question is about."""
    return dict((await state.get_data())["composing"])


async def again(turn: Turn, state: FSMContext, hint: str) -> None:
    """The same question, after a hint."""
    turn.say(Letter.from_json((await asked(state))["asked"]).with_first_line(hint))


def typed_words(message: Message) -> str:
    """A short text on one line; nothing of pictures, voices and stickers."""
    return cleaned(message.text or "")


async def close(state: FSMContext) -> None:
    """End whatever of an announcement was being written; other conversations stay open."""
    if await is_open(state):
        await state.clear()


async def is_open(state: FSMContext) -> bool:
    """Whether something of an announcement is being written."""
    return await state.get_state() in {one.state for one in Composing.__all_states__}
