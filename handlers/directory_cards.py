"""What others read of somebody in the directory, and the buttons that lead there."""

from collections.abc import Iterable, Sequence

from aiogram.filters.callback_data import CallbackData

from handlers.letters import Letter, Tap
from handlers.meeting_words import languages_listed, topics_listed
from handlers.turns import Turn
from handlers.words import Html, Words, quote
from storage import directory, members
from storage.directory import Entry
from storage.tables import Direction, Theme, Topic


class People(CallbackData, prefix="people"):
    """The directory's first page; `verb`: show, cities, themes, offers, list, unlist."""

    verb: str = "show"


class Sought(CallbackData, prefix="sought"):
    """A page of whom these words find; `key` is `directory.asked_for` of them."""

    page: int
    key: str


class By(CallbackData, prefix="pby"):
    """A page of those who follow a theme, or who offer a topic."""

    page: int = 0
    theme: int = 0
    topic: Topic | None = None


class OnePerson(CallbackData, prefix="person"):
    """What somebody says of themselves."""

    member: int


class AskFor(CallbackData, prefix="askfor"):
    """I should like to be introduced to this person; `handlers.directory_requests` answers."""

    member: int


def entry_line(words: Words, entry: Entry) -> Html:
    """Somebody in one line."""
    facts = [fact for fact in (words.place(entry.city), entry.profession) if fact]
    told = words.series(facts)
    line = Html(f" · {told}") if told else Html("")
    return Html(f"👤 <b>{quote(first_name(entry))}</b>{line}")


def first_name(entry: Entry) -> str:
    """What others read of their name."""
    return entry.name.split()[0] if entry.name.split() else "–"


async def person_card(turn: Turn, member_id: int) -> Letter | None:
    """Their card; None for whoever can't be found (any more)."""
    words = turn.words
    found = await directory.entries(turn.db, turn.member, member_id)
    if not found:
        return None
    (entry,) = found
    themes = {theme.id: theme for theme in await members.all_themes(turn.db)}
    lines = [entry_line(words, entry)]
    if entry.line:
        lines.append(words("“{line}”", line=entry.line))
    if entry.offers:
        offers = topics_listed(words, Direction.OFFERS, entry.offers)
        lines.append(words("Offers: {what}", what=offers))
    if names := _named(words, entry.themes, themes):
        lines.append(words("Themes: {themes}", themes=words.series(names)))
    if entry.languages:
        spoken = languages_listed(words, entry.languages)
        lines.append(words("Languages: {languages}", languages=spoken))
    wish = Tap(words.label("🤝 Ask for an introduction"), AskFor(member=entry.id).pack())
    asks = ((wish,),) if entry.open else ()
    return Letter(Html("\n".join(lines)), (*asks, back_row(words)))


def _named(words: Words, ids: Iterable[int], themes: dict[int, Theme]) -> Sequence[str]:
    return [words.pick(themes[one].name) for one in sorted(ids) if one in themes]


def back_row(words: Words) -> tuple[Tap, ...]:
    """The way back to the directory."""
    return (Tap(words.label("‹ Directory"), People().pack()),)
