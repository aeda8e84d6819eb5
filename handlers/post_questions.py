"""The questions about a post: how each is asked, and how its answer is read."""

import re
from typing import Any

from handlers.profile import NotUnderstood
from handlers.words import AUTONYMS, Html, Words, cleaned, country_named
from storage.folding import folded

# As wide as a card shows well; and how many cities one post looks after.
_NAME, _CITY, _CITIES = 80, 80, 40
_COUNTRIES = ("FR", "BE", "ES", "IT", "NL", "DE", "CA", "MA")


def text(words: Words, name: str) -> Html:
    """The question itself."""
    if name == "country":
        return words("Whom does it look after? Tap a country, or write its name.")
    if name == "cities":
        return words("In which cities? Write them with commas in between, e.g. Lyon, Grenoble.")
    language = name.removeprefix("name_")
    if language == words.language:
        return words("What is the post called? For example: Consulate in Lyon.")
    return words("And what is it called in this language: {language}?", language=AUTONYMS[language])


def taps(words: Words, name: str) -> list[list[tuple[str, str]]]:
    """Rows of answers that can be tapped, each with its value."""
    if name == "country":
        named = [(words.country(code), code) for code in _COUNTRIES]
        rows = [named[at : at + 2] for at in range(0, len(named), 2)]
        return [*rows, [(words.label("Everybody"), "")]]
    if name == "cities":
        return [[(words.label("The whole country"), "")]]
    return [] if name == f"name_{words.language}" else [[(words.label("Skip"), "")]]


def read(words: Words, name: str, said: str, *, tapped: bool) -> Any:
    """Make an answer of what was typed or tapped. Raises NotUnderstood."""
    typed = cleaned(said)
    if tapped and typed not in {value for row in taps(words, name) for _, value in row}:
        raise NotUnderstood(words("Please choose one of the answers below."))
    if tapped:
        return typed or None
    if not typed:
        raise NotUnderstood(words("Please answer by writing a short text."))
    if name == "country":
        code = country_named(typed)
        if code is None:
            hint = words("I don't know a country of that name. Please check its spelling.")
            raise NotUnderstood(hint)
        return code
    parts = re.split("[,،;؛]", typed) if name == "cities" else [typed]
    cities = [part.strip() for part in parts if folded(part)]
    if not cities:
        raise NotUnderstood(words("Please answer by writing a short text."))
    if max(map(len, cities)) > (_CITY if name == "cities" else _NAME):
        hint = words("That is too long: please keep it under {limit} characters.", limit=_NAME)
        raise NotUnderstood(hint)
    if len(cities) > _CITIES:
        hint = words.plural("At most {n} city.", "At most {n} cities.", _CITIES)
        raise NotUnderstood(hint)
    return cities if name == "cities" else typed
