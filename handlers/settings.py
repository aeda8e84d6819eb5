"""Settings: the language, the leads of reminders, and every answer of the profile."""

from collections.abc import Mapping
from typing import Any

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from handlers import asking, profile, registration
from handlers.letters import Letter, Tap
from handlers.places import zone_of
from handlers.turns import Turn
from handlers.words import AUTONYMS, Html
from storage import members, purposes
from storage.tables import Purpose

PURPOSE = "settings"
# Pages that `quiet.py`, `stop.py` and `notices.py` show.
ELSEWHERE = ("quiet", "zone", "letters", "privacy")


class Speak(CallbackData, prefix="speak"):
    """Speak this language from now on."""

    language: str


class Lead(CallbackData, prefix="lead"):
    """This lead on or off; 0: no reminders at all."""

    minutes: int


class Amend(CallbackData, prefix="amend"):
    """Ask me this question of my profile again."""

    field: str


class Page(CallbackData, prefix="set"):
    """A page of the settings: home, language, leads, profile; others have modules of their own
    (ELSEWHERE).
    """

    name: str


class Correcting:
    """The purpose of a question asked again from the settings."""

    def heading(self, turn: Turn, data: Mapping[str, Any]) -> str:
        """None is needed: the person has just tapped the question's name."""
        del turn, data
        return ""

    def has_back(self, data: Mapping[str, Any]) -> bool:
        """Always: to the profile, unchanged."""
        del data
        return True

    async def answered(self, turn: Turn, state: FSMContext) -> None:
        """Write it down. Whoever moved to another country is asked for the city too."""
        data = await state.get_data()
        if data["field"] == "country":
            await asking.ask(turn, state, self, "city")
            return
        answers = profile.from_draft(data["draft"])
        zone = zone_of(answers.country, answers.city)
        await members.register(turn.db, turn.member, answers, turn.now, zone=zone)
        await state.clear()
        card = await profile_page(turn)
        turn.say(card.with_first_line(turn.words("Noted.")))

    async def back(self, turn: Turn, state: FSMContext) -> None:
        """Nothing changes."""
        await state.clear()
        turn.say.edit(await profile_page(turn))


async def settings(_message: Message, turn: Turn, state: FSMContext) -> None:
    """/settings."""
    if await asked_to_register(turn, state):
        return
    turn.say(await home(turn))


async def page(_tap: CallbackQuery, callback_data: Page, turn: Turn, state: FSMContext) -> None:
    """Turn to a page."""
    if await asked_to_register(turn, state):
        return
    pages = {"language": language_page, "leads": leads_page, "profile": profile_page}
    turn.say.edit(await pages.get(callback_data.name, home)(turn))


async def speak(_tap: CallbackQuery, callback_data: Speak, turn: Turn, state: FSMContext) -> None:
    """Change the language: the card changes at once, and so does everything after it."""
    if callback_data.language not in turn.catalogs or await asked_to_register(turn, state):
        return
    turn.member.language = callback_data.language
    turn.say.edit(await home(turn))


async def lead(_tap: CallbackQuery, callback_data: Lead, turn: Turn, state: FSMContext) -> None:
    """One lead on or off."""
    if await asked_to_register(turn, state):
        return
    leads = await _leads(turn)
    if callback_data.minutes == 0:
        leads = set()
    elif callback_data.minutes in members.LEADS:
        leads ^= {callback_data.minutes}
    await members.set_leads(turn.db, turn.member, leads)
    if leads and not await _reminded(turn):
        # Whoever had stopped their reminders and now asks for one wants them.
        again, version = (Purpose.REMINDERS,), turn.terms.version
        await purposes.agree(
            turn.db, turn.member, again, turn.now, version=version, channel=turn.channel
        )
    turn.say.edit(await leads_page(turn))


async def amend(_tap: CallbackQuery, callback_data: Amend, turn: Turn, state: FSMContext) -> None:
    """Ask one question of the profile again."""
    if await asked_to_register(turn, state):
        return
    if callback_data.field not in profile.questions():
        turn.say.edit(await profile_page(turn))
        return
    draft = profile.to_draft(await members.profile_of(turn.db, turn.member))
    await state.update_data(purpose=PURPOSE, draft=draft)
    await asking.ask(turn, state, Correcting(), callback_data.field, edit=True)


async def home(turn: Turn) -> Letter:
    """What is set, and what can be changed."""
    words = turn.words
    leads = sorted(await _leads(turn), reverse=True)
    reminders = (
        words("{leads} before each session", leads=words.listed([words.lead(m) for m in leads]))
        if leads
        else words("none")
    )
    return Letter(
        words(
            "<b>Settings</b>\n\nLanguage: {language}\nReminders: {reminders}\n"
            "Quiet hours: {quiet}\nName: {name}",
            language=AUTONYMS[words.language],
            reminders=reminders,
            quiet=_quiet(turn),
            name=turn.member.name or "",
        ),
        (
            (
                Tap(words.label("🌐 Language"), Page(name="language").pack()),
                Tap(words.label("⏰ Reminders"), Page(name="leads").pack()),
            ),
            (
                Tap(words.label("🌙 Quiet hours"), Page(name="quiet").pack()),
                Tap(words.label("👤 Profile"), Page(name="profile").pack()),
            ),
            (
                Tap(words.label("🔔 What I write to you"), Page(name="letters").pack()),
                Tap(words.label("🔒 Your data"), Page(name="privacy").pack()),
            ),
        ),
    )


async def language_page(turn: Turn) -> Letter:
    """The three languages."""
    taps = [
        (Tap(f"{'✅ ' if code == turn.words.language else ''}{name}", Speak(language=code).pack()),)
        for code, name in AUTONYMS.items()
    ]
    return Letter(turn.words("Which language shall I speak?"), (*taps, homeward(turn)))


async def leads_page(turn: Turn) -> Letter:
    """How long before a session the reminders come."""
    words = turn.words
    leads = await _leads(turn)
    taps = [
        (
            Tap(
                _ticked(words.lead(minutes), minutes in leads),
                Lead(minutes=minutes).pack(),
            ),
        )
        for minutes in members.LEADS
    ]
    none = Tap(_ticked(words.label("No reminders"), not leads), Lead(minutes=0).pack())
    return Letter(
        words("How long before each of your sessions shall I remind you?"),
        (*taps, (none,), homeward(turn)),
    )


async def profile_page(turn: Turn) -> Letter:
    """Every answer, with a tap to correct it."""
    words = turn.words
    draft = profile.to_draft(await members.profile_of(turn.db, turn.member))
    themes = await members.all_themes(turn.db)
    taps = [
        Tap(f"✎ {question.title(words)}", Amend(field=field).pack())
        for field, question in profile.questions().items()
    ]
    rows = [tuple(taps[at : at + 2]) for at in range(0, len(taps), 2)]
    card = Letter(profile.summary(draft, words, themes), (*rows, homeward(turn)))
    return card.with_first_line(words("<b>Your profile</b>"))


async def _leads(turn: Turn) -> set[int]:
    """The leads at which reminders come: none, for whoever stopped them."""
    return await members.leads_of(turn.db, turn.member) if await _reminded(turn) else set()


async def _reminded(turn: Turn) -> bool:
    return Purpose.REMINDERS in await purposes.agreed_to(turn.db, turn.member)


def _quiet(turn: Turn) -> Html:
    words, begins, ends = turn.words, turn.member.quiet_from, turn.member.quiet_until
    if begins is None or ends is None:
        return words("no quiet hours")
    return words("from {begins} to {ends}", begins=words.hour(begins), ends=words.hour(ends))


def _ticked(label: str, chosen: bool) -> str:
    return f"{'✅' if chosen else '▫️'} {label}"


def homeward(turn: Turn) -> tuple[Tap, ...]:
    """The way back to the settings."""
    return (Tap(turn.words.label("‹ Settings"), Page(name="home").pack()),)


async def asked_to_register(turn: Turn, state: FSMContext) -> bool:
    """Begin registration for whoever has no settings yet, and say whether that was so."""
    if turn.registered:
        return False
    await registration.begin(turn, state)
    return True


def router() -> Router:
    """The settings, wired."""
    r = Router(name="settings")
    r.message.register(settings, Command("settings", ignore_mention=True))
    r.callback_query.register(page, Page.filter(~F.name.in_(ELSEWHERE)))
    r.callback_query.register(speak, Speak.filter())
    r.callback_query.register(lead, Lead.filter())
    r.callback_query.register(amend, Amend.filter())
    return r
