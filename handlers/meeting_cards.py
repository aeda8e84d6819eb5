"""The cards of the profile for meeting, and their buttons."""

from aiogram.filters.callback_data import CallbackData

from handlers import meeting_time_cards
from handlers.letters import Letter, Tap
from handlers.meeting_words import language_label, languages_listed, topic_label, topics_listed
from handlers.profile import themes_shown
from handlers.settings import Amend
from handlers.turns import Turn
from handlers.words import Html, quote
from storage import meeting_profiles, members
from storage.meeting_profiles import Wishes
from storage.tables import Direction, Topic


class Meet(CallbackData, prefix="meet"):
    """A page or an act of the profile for meeting: home, offers, seeks, languages, join, ..."""

    page: str


class Wish(CallbackData, prefix="wish"):
    """One topic on or off."""

    direction: Direction
    topic: Topic


class Spoken(CallbackData, prefix="spoken"):
    """One language on or off."""

    code: str


class Never(CallbackData, prefix="never"):
    """Nobody of the organisation that I have just written, for good."""


async def home(turn: Turn) -> Letter:
    """The profile for meeting as it stands; an invitation where there is none."""
    words = turn.words
    wishes = await meeting_profiles.wishes_of(turn.db, turn.member)
    if wishes is None:
        return invitation(turn)
    if not wishes.joined:
        state = words("You don't take part yet.")
    elif wishes.profile.paused_at is not None:
        state = words("⏸ You are taking a break: nobody is proposed to you.")
    else:
        state = words("✅ You take part: I'll write to you when there is somebody.")
    text = "\n".join(
        [
            words("<b>Introductions</b>"),
            state,
            "",
            await _said(turn, wishes),
            "",
            words(
                "Others read your first name, city, profession, this line and why you should "
                "meet. They get your contact only when all of you have said yes."
            ),
        ]
    )
    if not wishes.joined:
        act = Tap(words.label("✅ Take part"), Meet(page="join").pack())
    elif wishes.profile.paused_at is not None:
        act = Tap(words.label("▶️ Come back"), Meet(page="resume").pack())
    else:
        act = Tap(words.label("⏸ Take a break"), Meet(page="pause").pack())
    return Letter(
        Html(text),
        (
            (act,),
            *await meeting_time_cards.to_come(turn),
            (
                Tap(words.label("✎ I offer"), Meet(page="offers").pack()),
                Tap(words.label("✎ I seek"), Meet(page="seeks").pack()),
            ),
            (
                Tap(words.label("✎ Languages"), Meet(page="languages").pack()),
                Tap(words.label("✎ Themes"), Amend(field="themes").pack()),
            ),
            (
                Tap(words.label("✎ A line about me"), Meet(page="line").pack()),
                Tap(words.label("✎ My contact"), Meet(page="contact").pack()),
            ),
            (Tap(words.label("🚫 Never this organisation"), Meet(page="organisation").pack()),),
            (Tap(words.label("Leave introductions"), Meet(page="leave").pack()),),
        ),
    )


async def _said(turn: Turn, wishes: Wishes) -> Html:
    words, profile = turn.words, wishes.profile
    mine = await members.profile_of(turn.db, turn.member)
    themes = themes_shown(await members.all_themes(turn.db), mine.themes, words)
    contact = quote(profile.contact) if profile.contact else words("this chat")
    lines = [
        words("I offer: {what}", what=topics_listed(words, Direction.OFFERS, wishes.offers)),
        words("I seek: {what}", what=topics_listed(words, Direction.SEEKS, wishes.seeks)),
        words("Themes: {themes}", themes=themes or Html("–")),
        words("Languages: {languages}", languages=languages_listed(words, wishes.languages)),
        words("About me: {line}", line=quote(profile.line) if profile.line else Html("–")),
        words("To reach me: {contact}", contact=contact),
    ]
    persons, organisations = await meeting_profiles.barred(turn.db, turn.member)
    if organisations:
        lines.append(words("Never: {organisations}", organisations=words.series(organisations)))
    if persons:
        lines.append(words.plural("Never: {n} person", "Never: {n} people", persons))
    return Html("\n".join(lines))


def invitation(turn: Turn) -> Letter:
    """What introductions are, for whoever has no profile for them."""
    words = turn.words
    return Letter(
        words(
            "<b>Introductions</b>\nI introduce people who have reason to meet, across the two "
            "shores. You say what you offer and what you seek; I propose somebody, and tell you "
            "why. Nobody gets your contact before both of you have said yes. It takes less than a "
            "minute, and you may stop at any time."
        ),
        ((Tap(words.label("Let's begin"), Meet(page="begin").pack()),),),
    )


def topics(turn: Turn, wishes: Wishes, direction: Direction) -> Letter:
    """What is offered or sought, ticked or not."""
    words = turn.words
    if direction == Direction.OFFERS:
        text = words("What do you offer to those you meet? Tap as many as you like.")
    else:
        text = words("And what do you seek? Tap as many as you like.")
    chosen = wishes.of(direction)
    taps = [
        Tap(
            _ticked(topic_label(words, direction, topic), topic in chosen),
            Wish(direction=direction, topic=topic).pack(),
        )
        for topic in Topic
    ]
    rows = [tuple(taps[at : at + 2]) for at in range(0, len(taps), 2)]
    following = "seeks" if direction == Direction.OFFERS else "languages"
    return Letter(text, (*rows, _onward(turn, wishes, following)))


def languages(turn: Turn, wishes: Wishes) -> Letter:
    """The languages to meet in, ticked or not."""
    words = turn.words
    taps = [
        Tap(
            _ticked(language_label(words, code), code in wishes.languages), Spoken(code=code).pack()
        )
        for code in meeting_profiles.LANGUAGES
    ]
    rows = [tuple(taps[at : at + 3]) for at in range(0, len(taps), 3)]
    text = words("Which languages do you speak with those you meet?")
    return Letter(text, (*rows, _onward(turn, wishes, "home")))


async def question(turn: Turn, name: str) -> Letter:
    """Ask for the line, the contact or an organisation."""
    words = turn.words
    back = Tap(words.label("‹ Back"), Meet(page="home").pack())
    if name == "line":
        empty = Tap(words.label("No line"), Meet(page="noline").pack())
        ask = words("Write one line about you: what you do, or what you would like to talk about.")
        return Letter(ask, ((empty, back),))
    if name == "contact":
        here = Tap(words.label("This chat"), Meet(page="nocontact").pack())
        ask = words(
            "How may people reach you once all have said yes? Tap “This chat”, or write a phone "
            "number, an e-mail address or a link."
        )
        return Letter(ask, ((here, back),))
    ask = words(
        "Nobody of which organisation should be proposed to you? Write its name. "
        "Nobody is told, and it can't be undone."
    )
    return Letter(ask, ((back,),))


def never_asked(turn: Turn, organisation: str) -> Letter:
    """Ask back: it is final."""
    words = turn.words
    return Letter(
        words(
            "Never anybody of <b>{organisation}</b>? This can't be undone.",
            organisation=organisation,
        ),
        (
            (
                Tap(words.label("Yes, never"), Never().pack()),
                Tap(words.label("‹ Back"), Meet(page="home").pack()),
            ),
        ),
    )


def farewell(turn: Turn) -> Letter:
    """Ask back before leaving."""
    words = turn.words
    return Letter(
        words(
            "Leave introductions? What you said for them is deleted; whom you never want to meet "
            "stays noted."
        ),
        (
            (
                Tap(words.label("Yes, leave"), Meet(page="left").pack()),
                Tap(words.label("‹ Back"), Meet(page="home").pack()),
            ),
        ),
    )


def _onward(turn: Turn, wishes: Wishes, following: str) -> tuple[Tap, ...]:
    """The next step of whoever is new; for all others, the way back."""
    if wishes.joined or following == "home":
        return (Tap(turn.words.label("That's all"), Meet(page="home").pack()),)
    return (Tap(turn.words.label("Next ›"), Meet(page=following).pack()),)


def _ticked(label: str, chosen: bool) -> str:
    return f"{'✅' if chosen else '▫️'} {label}"
