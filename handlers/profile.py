"""The questions of a profile: how each is asked, read and shown.

Registration asks all of them, one at a time; `/settings` asks any one again. Answers are plain
values in a draft (a dict that survives in the conversation) until they are written to the member.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiogram.filters.callback_data import CallbackData

from handlers.letters import Tap
from handlers.words import Html, Words, cleaned, country_named, quote
from storage.folding import folded
from storage.members import Profile
from storage.tables import Side, Theme

# As wide as the columns that keep them.
LONGEST = 80
# The countries offered as buttons; any other may be typed.
COUNTRIES = ("FR", "MA", "BE", "ES", "IT", "NL", "DE", "CA")

Draft = dict[str, Any]


class Pick(CallbackData, prefix="pick"):
    """An answer by tap. An empty value skips the question."""

    field: str
    value: str


class Tick(CallbackData, prefix="tick"):
    """One theme on or off, by its number in the list."""

    number: int


class Done(CallbackData, prefix="done"):
    """These are all my themes."""


class Back(CallbackData, prefix="back"):
    """To what came before this question."""

    field: str


@dataclass(frozen=True, slots=True)
class NotUnderstood(Exception):  # noqa: N818  # it is no error: a person is told what to write
    """The answer can't be used; `hint` says, in the person's language, what would help."""

    hint: Html


def themes_shown(themes: Sequence[Theme], slugs: Iterable[str], words: Words) -> Html:
    """The chosen themes as a list in this language."""
    chosen = set(slugs)
    return words.series([words.pick(theme.name) for theme in themes if theme.slug in chosen])


class Question:
    """One question. `field` is its name in the draft."""

    def __init__(self, field: str, *, optional: bool = False) -> None:
        self.field = field
        self.optional = optional

    def title(self, words: Words) -> str:
        """The name of the answer, on the button that corrects it."""
        return {
            "name": words.label("Name"),
            "country": words.label("Country"),
            "city": words.label("City"),
            "profession": words.label("Profession"),
            "organisation": words.label("Organisation"),
            "themes": words.label("Themes"),
            "side": words.label("Side"),
        }[self.field]

    def text(self, words: Words) -> Html:
        """The question itself."""
        return {
            "name": words("What is your name? Please write your first name and family name."),
            "profession": words("What is your profession or field of study?"),
            "organisation": words("For which company, university or association do you work?"),
        }[self.field]

    def taps(self, words: Words, draft: Draft, themes: Sequence[Theme]) -> list[tuple[Tap, ...]]:
        """The answers that can be tapped."""
        del draft, themes
        if not self.optional:
            return []
        return [(Tap(words.label("Skip"), Pick(field=self.field, value="").pack()),)]

    def read(self, typed: str, words: Words, themes: Sequence[Theme]) -> Any:
        """Make an answer of what was typed. Raises NotUnderstood."""
        del themes
        text = cleaned(typed)
        letters = sum(char.isalpha() for char in text)
        if self.field == "name":
            text = _without_symbols(text)
        if not text or letters < 2:  # noqa: PLR2004  # initials alone are no name
            raise NotUnderstood(words("Please write it in letters."))
        if len(text) > LONGEST:
            raise NotUnderstood(
                words("That is too long: please keep it under {limit} characters.", limit=LONGEST)
            )
        return text

    def show(self, draft: Draft, words: Words, themes: Sequence[Theme]) -> Html:
        """The answer, as the summary shows it."""
        del words, themes
        return quote(draft[self.field]) if draft.get(self.field) else Html("–")


class CountryQuestion(Question):
    """Where the member lives: by tap, or typed in any of the three languages."""

    def text(self, words: Words) -> Html:
        """The question itself."""
        return words("In which country do you live? Tap it, or write its name.")

    def taps(self, words: Words, draft: Draft, themes: Sequence[Theme]) -> list[tuple[Tap, ...]]:
        """The countries where most of the community lives."""
        del draft, themes
        taps = [
            Tap(words.country(code), Pick(field=self.field, value=code).pack())
            for code in COUNTRIES
        ]
        return [tuple(taps[at : at + 2]) for at in range(0, len(taps), 2)]

    def read(self, typed: str, words: Words, themes: Sequence[Theme]) -> Any:
        """The ISO code of the country that was named."""
        del themes
        if code := country_named(typed):
            return code
        raise NotUnderstood(
            words("I don't know a country of that name. Please check its spelling.")
        )

    def show(self, draft: Draft, words: Words, themes: Sequence[Theme]) -> Html:
        """Its name in this language."""
        del themes
        return quote(words.country(draft[self.field]))


class CityQuestion(Question):
    """The city: a few are offered where many members live, any may be typed."""

    def text(self, words: Words) -> Html:
        """The question itself."""
        return words("In which city? Tap it, or write its name.")

    def taps(self, words: Words, draft: Draft, themes: Sequence[Theme]) -> list[tuple[Tap, ...]]:
        """The large cities of the country."""
        del themes
        cities = {
            "FR": (
                words.label("Paris"),
                words.label("Lyon"),
                words.label("Marseille"),
                words.label("Toulouse"),
                words.label("Lille"),
                words.label("Montpellier"),
            ),
            "MA": (
                words.label("Casablanca"),
                words.label("Rabat"),
                words.label("Marrakesh"),
                words.label("Fez"),
                words.label("Tangier"),
                words.label("Agadir"),
            ),
        }.get(draft.get("country", ""), ())
        taps = [Tap(city, Pick(field=self.field, value=city).pack()) for city in cities]
        return [tuple(taps[at : at + 2]) for at in range(0, len(taps), 2)]


class SideQuestion(Question):
    """On which shore: the likelier one first."""

    def text(self, words: Words) -> Html:
        """The question itself."""
        return words("Are you in the diaspora or in Morocco?")

    def taps(self, words: Words, draft: Draft, themes: Sequence[Theme]) -> list[tuple[Tap, ...]]:
        """The two sides."""
        del themes
        sides = [Side.MOROCCO, Side.DIASPORA]
        if draft.get("country") != "MA":
            sides.reverse()
        return [
            (Tap(_side(side, words), Pick(field=self.field, value=side.value).pack()),)
            for side in sides
        ]

    def read(self, typed: str, words: Words, themes: Sequence[Theme]) -> Any:
        """One of the two, as tapped or typed."""
        del themes
        for side in Side:
            if folded(typed) in {side.value, folded(_side(side, words))}:
                return side.value
        raise NotUnderstood(words("Please tap one of the two buttons."))

    def show(self, draft: Draft, words: Words, themes: Sequence[Theme]) -> Html:
        """The side's name."""
        del themes
        return quote(_side(Side(draft[self.field]), words))


class ThemesQuestion(Question):
    """Several themes: by tap, or by typed numbers in any script."""

    def text(self, words: Words) -> Html:
        """The question itself."""
        return words(
            "Which themes interest you? Tap as many as you like, or write their numbers, e.g. 1, 3."
        )

    def taps(self, words: Words, draft: Draft, themes: Sequence[Theme]) -> list[tuple[Tap, ...]]:
        """Every theme, ticked or not."""
        chosen = set(draft.get(self.field) or ())
        rows = [
            (
                Tap(
                    f"{'✅' if theme.slug in chosen else '▫️'} {number}. {words.pick(theme.name)}",
                    Tick(number=number).pack(),
                ),
            )
            for number, theme in enumerate(themes, 1)
        ]
        done = words.label("That's all") if chosen else words.label("None of these")
        return [*rows, (Tap(done, Done().pack()),)]

    def read(self, typed: str, words: Words, themes: Sequence[Theme]) -> Any:
        """The slugs behind the numbers: "1, 3" and "١ و٣" alike."""
        numbers = {int(digits) for digits in re.findall(r"\d+", typed)}
        if not numbers or not numbers <= set(range(1, len(themes) + 1)):
            raise NotUnderstood(
                words("Please write numbers from 1 to {last}, e.g. 1, 3.", last=len(themes))
            )
        return [theme.slug for number, theme in enumerate(themes, 1) if number in numbers]

    def show(self, draft: Draft, words: Words, themes: Sequence[Theme]) -> Html:
        """The chosen ones."""
        return themes_shown(themes, draft.get(self.field) or (), words) or Html("–")


def questions() -> dict[str, Question]:
    """The questions of a profile, in the order in which they are asked."""
    listed = (
        Question("name"),
        CountryQuestion("country"),
        CityQuestion("city"),
        Question("profession", optional=True),
        Question("organisation", optional=True),
        ThemesQuestion("themes"),
        SideQuestion("side"),
    )
    return {question.field: question for question in listed}


def summary(draft: Draft, words: Words, themes: Sequence[Theme]) -> Html:
    """All the answers, a line each."""
    lines = (
        words(
            "{question}: {answer}",
            question=Html(question.title(words)),
            answer=Html(f"<b>{question.show(draft, words, themes)}</b>"),
        )
        for question in questions().values()
    )
    return Html("\n".join(lines))


def to_draft(profile: Profile) -> Draft:
    """The answers as they were given."""
    return {
        "name": profile.name,
        "country": profile.country,
        "city": profile.city,
        "profession": profile.profession,
        "organisation": profile.organisation,
        "themes": list(profile.themes),
        "side": profile.side.value,
    }


def from_draft(draft: Mapping[str, Any]) -> Profile:
    """The profile that the answers make. Raises KeyError when a required one is missing."""
    return Profile(
        name=draft["name"],
        country=draft["country"],
        city=draft["city"],
        profession=draft.get("profession"),
        organisation=draft.get("organisation"),
        themes=tuple(draft.get("themes") or ()),
        side=Side(draft["side"]),
    )


def _side(side: Side, words: Words) -> str:
    if side == Side.MOROCCO:
        return words.label("In Morocco")
    return words.label("In the diaspora")


def _without_symbols(text: str) -> str:
    kept = "".join(
        c for c in text if unicodedata.category(c) not in {"So", "Sk"} and c not in "\ufe0f\u200d"
    )
    return cleaned(kept)
