"""What is wrong with an agenda file, told in the three languages."""

import re

import orjson
import pytest

from bot.agenda_problems import in_english
from handlers.agenda_flaws import Flaw, Problem, as_json, from_json
from handlers.agenda_problems import told
from handlers.words import Catalogs, read_catalogs

# A value for every field that a sentence has; the words of a file are not translated.
VALUES = dict.fromkeys(
    (
        *("clock", "code", "day", "ending", "ends", "example", "first", "how", "key", "known"),
        *("last", "least", "length", "limit", "megabytes", "most", "reason", "sign", "starts"),
        *("text", "year", "zone"),
    ),
    "7",
)


@pytest.fixture(scope="module")
def catalogs() -> Catalogs:
    return read_catalogs()


def letters(text: str) -> set[str]:
    """Words of more than two letters, as most of a sentence's are."""
    return set(re.findall(r"[^\W\d_]{3,}", text.lower()))


@pytest.mark.parametrize("flaw", [flaw for flaw in Flaw if flaw is not Flaw.OTHER])
def test_every_flaw_is_told_in_the_readers_language(catalogs: Catalogs, flaw: Flaw) -> None:
    problem = Problem.of(flaw, 3, ("session", "talk-1", "title", "ar"), **VALUES)
    english, french, arabic = (told(catalogs[name], "a", problem) for name in ("en", "fr", "ar"))
    assert english == told(in_english(), "a", problem)
    # What stays the same are keys, formats and examples: less than two thirds of it.
    assert len(letters(french) & letters(english)) < len(letters(english)) * 2 / 3
    assert re.search("[\u0620-\u064a]{3}", arabic.partition("talk-1")[2])
    assert "\u00a0:" in french


@pytest.mark.parametrize("spot", [None, (), ("event", "sides"), ("session", 3, "start")])
def test_a_problem_is_kept_as_it_is(spot: tuple[str | int, ...] | None) -> None:
    problem = Problem.of(Flaw.NO_TIME, 7, spot, text="18h00")
    assert from_json(orjson.loads(orjson.dumps(as_json(problem)))) == problem


def test_what_a_file_says_can_be_no_html(catalogs: Catalogs) -> None:
    problem = Problem.of(Flaw.UNKNOWN_THEME, 7, ("session", "<b>", "themes"), text="a&b", near="")
    said = told(catalogs["fr"], "<i>.yaml", problem)
    assert "<" not in said
    assert "a&amp;b" in said
