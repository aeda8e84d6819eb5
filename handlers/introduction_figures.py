"""What introductions brought, for staff: in numbers, never in names; as text, picture, spreadsheet."""

from collections.abc import Mapping, Sequence

from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery
from babel.numbers import format_decimal
from sqlalchemy.ext.asyncio import AsyncSession

from handlers.correspondence import Writing
from handlers.letters import Bars, Chart, Letter, Tap
from handlers.meeting_words import topic_label
from handlers.papers import Sheet
from handlers.tickets import of_staff
from handlers.turns import Turn
from handlers.words import Html, Words, quote
from storage import audit, introduction_figures, members
from storage.introduction_figures import Figures, Need, Row
from storage.tables import Direction, Role, Theme

# Lines of needs and themes in one message.
_MOST = 5


class Brought(CallbackData, prefix="brought"):
    """What introductions brought: as a "text", a "picture" or a "sheet"."""

    form: str = "text"


async def show(_tap: CallbackQuery, callback_data: Brought, turn: Turn) -> None:
    """The numbers at once; a picture or a spreadsheet as a message of its own."""
    words = turn.words
    if callback_data.form == "text":
        figures = await introduction_figures.of_all(turn.db, turn.now)
        turn.say.edit(text(words, figures, await _themes(turn.db)))
        return
    introduction_figures.post(turn.db, turn.member, callback_data.form, turn.now)
    await audit.record(
        turn.db,
        turn.member,
        "introductions.exported",
        turn.now,
        about={"form": "sheet" if callback_data.form == "sheet" else "picture"},
    )
    turn.say.toast(words.label("It comes in a moment."))


def text(words: Words, figures: Figures, themes: Mapping[int, Theme]) -> Letter:
    """All of it in a few lines."""
    lines = [
        words("<b>What introductions brought</b>"),
        words.plural(
            "{n} member takes part at the moment.",
            "{n} members take part at the moment.",
            figures.members,
        ),
    ]
    if figures.total.proposed:
        lines += [
            Html(""),
            words("In the last twelve months: {figures}", figures=_row(words, figures.total)),
            words("From shore to shore: {figures}", figures=_row(words, figures.across)),
            words("On the same shore: {figures}", figures=_row(words, figures.same_side)),
        ]
    else:
        lines.append(words("Nobody has been proposed to anybody yet."))
    frequent = sorted(figures.themes.items(), key=lambda one: (-one[1].proposed, one[0]))[:_MOST]
    if frequent:
        lines += [Html(""), words("<b>By theme</b>")]
        lines += [
            Html(f"• {quote(words.pick(themes[theme].name))}: {_row(words, row)}")
            for theme, row in frequent
            if theme in themes
        ]
    missing = [need for need in figures.needs if need.seek > need.offer][:_MOST]
    if missing:
        lines += [Html(""), words("<b>Sought in vain</b>")]
        lines += [_need(words, need) for need in missing]
    return Letter(
        Html("\n".join(lines)),
        (
            (
                Tap(words.label("📊 Picture"), Brought(form="picture").pack()),
                Tap(words.label("📄 Spreadsheet"), Brought(form="sheet").pack()),
            ),
        ),
    )


def _row(words: Words, row: Row) -> Html:
    told = words(
        "proposed {proposed}, both yes {agreed}, met {met}",
        proposed=row.proposed,
        agreed=row.agreed,
        met=row.met,
    )
    if row.average is None:
        return told
    return Html(f"{told}, ⭐ {format_decimal(round(row.average, 1), locale=words.locale)}")


def _need(words: Words, need: Need) -> Html:
    return words(
        "• {topic}: {seek} seek it, {offer} offer it",
        topic=topic_label(words, Direction.SEEKS, need.topic),
        seek=need.seek,
        offer=need.offer,
    )


async def write(db: AsyncSession, writings: Sequence[Writing]) -> list[Letter | None]:
    """The pictures and spreadsheets; None for whoever isn't of the team any more."""
    themes = await _themes(db)
    letters: list[Letter | None] = []
    for one in writings:
        if one.member.role not in (Role.STAFF, Role.ADMIN):
            letters.append(None)
            continue
        figures = await introduction_figures.of_all(db, one.now)
        title = one.words("<b>What introductions brought</b>")
        if one.about["form"] == "sheet":
            letters.append(Letter(title, document=_sheet(one.words, figures, themes)))
        elif figures.needs:
            letters.append(Letter(title, picture=_chart(one.words, figures)))
        else:
            letters.append(Letter(one.words("There is nothing to draw yet: nobody takes part.")))
    return letters


def _chart(words: Words, figures: Figures) -> Chart:
    return Chart(
        title=words.label("What members seek and offer"),
        legend=(words.label("Seek it"), words.label("Offer it"), "", ""),
        lines=tuple(
            Bars(topic_label(words, Direction.SEEKS, n.topic), n.seek, n.offer, 0, None, "")
            for n in sorted(figures.needs, key=lambda n: -n.seek)
        ),
        right_to_left=words.locale.text_direction == "rtl",
    )


def _sheet(words: Words, figures: Figures, themes: Mapping[int, Theme]) -> Sheet:
    heads = (
        words.label("Introductions"),
        words.label("Proposed"),
        words.label("Both yes"),
        words.label("Met"),
        words.label("Average of the stars"),
    )
    named = [
        (words.label("All"), figures.total),
        (words.label("From shore to shore"), figures.across),
        (words.label("On the same shore"), figures.same_side),
        *(
            (words.pick(themes[theme].name), row)
            for theme, row in sorted(figures.themes.items())
            if theme in themes
        ),
    ]
    rows: list[tuple[str | int, ...]] = [heads]
    for name, row in named:
        stars = "" if row.average is None else f"{row.average:.1f}"
        rows.append((name, row.proposed, row.agreed, row.met, stars))
    rows.append(("",) * len(heads))
    rows.append((words.label("Topic"), words.label("Seek it"), words.label("Offer it"), "", ""))
    rows += [
        (topic_label(words, Direction.SEEKS, need.topic), need.seek, need.offer, "", "")
        for need in figures.needs
    ]
    return Sheet("introductions.xlsx", words.label("Introductions"), tuple(rows))


async def _themes(db: AsyncSession) -> Mapping[int, Theme]:
    return {theme.id: theme for theme in await members.all_themes(db)}


def router() -> Router:
    """Figures of introductions, wired: for staff alone."""
    r = Router(name="introduction_figures")
    r.callback_query.register(show, Brought.filter(), of_staff)
    return r
