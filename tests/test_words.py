"""Words: plurals, dates and numbers of three languages, and what a person typed, made safe."""

import unicodedata
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.simulator.markup import parse_html
from handlers.words import (
    AUTONYMS,
    LOCALES,
    Html,
    cleaned,
    country_named,
    isolate,
    quote,
    read_catalogs,
    shortened,
)

CATALOGS = read_catalogs()
FR, AR, EN = (CATALOGS[language] for language in ("fr", "ar", "en"))
CASABLANCA = ZoneInfo("Africa/Casablanca")
MORNING = datetime(2018, 7, 4, 9, 30, tzinfo=UTC)
# Unicode's explicit controls of direction (UAX #9), but for the isolates that we write ourselves.
DIRECTIONS = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067")


# --- three languages --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "arabic", "french", "english"),
    [
        (0, "لا مقاعد شاغرة", "0 place libre", "0 seats free"),
        (1, "مقعد واحد شاغر", "1 place libre", "1 seat free"),
        (2, "مقعدان شاغران", "2 places libres", "2 seats free"),
        (3, "3 مقاعد شاغرة", "3 places libres", "3 seats free"),
        (10, "10 مقاعد شاغرة", "10 places libres", "10 seats free"),
        (11, "11 مقعدا شاغرا", "11 places libres", "11 seats free"),
        (50, "50 مقعدا شاغرا", "50 places libres", "50 seats free"),
        (99, "99 مقعدا شاغرا", "99 places libres", "99 seats free"),
        (100, "100 مقعد شاغر", "100 places libres", "100 seats free"),
        (101, "101 مقعد شاغر", "101 places libres", "101 seats free"),
        (102, "102 مقعد شاغر", "102 places libres", "102 seats free"),
        (103, "103 مقاعد شاغرة", "103 places libres", "103 seats free"),
    ],
)
def test_each_number_has_its_plural(n, arabic, french, english):
    said = [words.plural("{n} seat free", "{n} seats free", n) for words in (AR, FR, EN)]
    assert said == [arabic, french, english]


def test_days_are_said_as_in_morocco_france_and_english():
    july, november = date(2018, 7, 4), date(2026, 11, 18)
    assert [words.day(july) for words in (FR, AR, EN)] == [
        "mercredi 4 juillet 2018",
        "الأربعاء، 4 يوليوز 2018",
        "Wednesday, July 4, 2018",
    ]
    assert [words.short_day(july) for words in (FR, AR, EN)] == [
        "mer. 4 juil.",
        "الأربعاء، 4 يوليوز",
        "Wed, Jul 4",
    ]
    assert AR.day(november) == "الأربعاء، 18 نونبر 2026"
    assert AR.short_day(november) == "الأربعاء، 18 نونبر"


def test_the_twelve_months_are_moroccos():
    months = [AR.day(date(2026, month, 1)).split()[-2] for month in range(1, 13)]
    assert months == [
        *("يناير", "فبراير", "مارس", "أبريل", "ماي", "يونيو"),
        *("يوليوز", "غشت", "شتنبر", "أكتوبر", "نونبر", "دجنبر"),
    ]


def test_times_are_those_of_the_place():
    assert [words.clock(MORNING, CASABLANCA) for words in (FR, AR, EN)] == ["10:30"] * 3
    assert FR.clock(MORNING, ZoneInfo("Europe/Paris")) == "11:30"
    ten_thirty = '<tg-time unix="1530696600">10:30</tg-time>'
    assert AR.time(MORNING, CASABLANCA) == ten_thirty
    assert AR.span(MORNING, MORNING + timedelta(hours=2), CASABLANCA) == (
        f'{ten_thirty} – <tg-time unix="1530703800">12:30</tg-time>'
    )


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (timedelta(minutes=15), ["dans 15 minutes", "خلال 15 دقيقة", "in 15 minutes"]),
        (timedelta(hours=1), ["dans 60 minutes", "خلال 60 دقيقة", "in 60 minutes"]),
        (timedelta(hours=2), ["dans 2 heures", "خلال ساعتين", "in 2 hours"]),
        (timedelta(hours=24), ["dans 24 heures", "خلال 24 ساعة", "in 24 hours"]),
        (timedelta(days=2), ["dans 2 jours", "خلال يومين", "in 2 days"]),
    ],
)
def test_how_long_until_then(ahead, said):
    assert [words.ahead(ahead).replace("\u00a0", " ") for words in (FR, AR, EN)] == said


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (15, ["15 minutes", "15 دقيقة", "15 minutes"]),
        (60, ["1 heure", "ساعة", "1 hour"]),
        (90, ["90 minutes", "90 دقيقة", "90 minutes"]),
        (1440, ["24 heures", "24 ساعة", "24 hours"]),
    ],
)
def test_a_lead_is_said_in_hours_or_minutes(minutes, said):
    assert [words.lead(minutes).replace("\u00a0", " ") for words in (FR, AR, EN)] == said


def test_digits_are_western_and_grouped_as_each_language_does():
    assert [w.number(1234567) for w in (FR, AR, EN)] == [
        "1\u202f234\u202f567",
        "1.234.567",
        "1,234,567",
    ]
    everything = "".join(
        f"{AR.day(date(2026, month, month * 2))}{AR.lead(45)}{AR.clock(MORNING, CASABLANCA)}"
        for month in range(1, 13)
    )
    assert {char for char in everything if char.isdigit()} <= set("0123456789")


def test_names_are_listed_each_in_its_isolate():
    assert [words.listed(["a", "b", "<c>"]) for words in (FR, AR, EN)] == [
        "\u2068a\u2069, \u2068b\u2069 et \u2068&lt;c&gt;\u2069",
        "\u2068a\u2069 و\u2068b\u2069 و\u2068&lt;c&gt;\u2069",
        "\u2068a\u2069, \u2068b\u2069, and \u2068&lt;c&gt;\u2069",
    ]


def test_every_language_calls_itself_by_its_name():
    assert AUTONYMS.keys() == LOCALES.keys() == CATALOGS.keys()
    assert [words.locale.get_language_name() for words in (FR, AR)] == ["français", "العربية"]


def test_words_of_an_event_fall_back_to_the_languages_there_are():
    assert AR.pick({"fr": "Soirée", "ar": "أمسية"}) == "أمسية"
    assert EN.pick({"fr": "Soirée", "ar": "أمسية"}) == "Soirée"
    assert EN.pick(None) == EN.pick({}) == ""


# --- what others wrote ------------------------------------------------------------------------


def test_a_name_is_escaped_and_isolated_in_a_text_and_isolated_on_a_button():
    name = "<b>Aït & Co"
    assert FR("{city} time", city=name) == "heure de \u2068&lt;b&gt;Aït &amp; Co\u2069"
    assert FR.label("{city} time", city=name) == "heure de \u2068<b>Aït & Co\u2069"
    assert FR("{city} time", city=Html("<b>Lyon</b>")) == "heure de <b>Lyon</b>"
    assert quote("<b>") == "\u2068&lt;b&gt;\u2069"
    assert isolate("<b>") == "\u2068<b>\u2069"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_no_typed_text_opens_a_tag_or_gets_lost(typed):
    for words in CATALOGS.values():
        around, _, _ = words("{city} time", city=Html("|")).partition("|")
        text, entities = parse_html(f"<b>{words('{city} time', city=typed)}</b>")
        assert f"\u2068{typed}\u2069".strip() in text
        assert text.startswith(around)
        assert [entity["type"] for entity in entities] == ["bold"]


@given(st.text())
def test_what_is_cleaned_is_one_line_that_turns_nothing_and_stays_as_it_is(typed):
    clean = cleaned(typed)
    assert not DIRECTIONS & set(clean)
    assert not {"\u2068", "\u2069", "\n", "\r", "\u2028", "\u2029"} & set(clean)
    hidden = {unicodedata.category(char) for char in clean if char not in "\u200c\u200d"}
    assert not hidden & {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}
    assert clean == clean.strip()
    assert "  " not in clean
    assert cleaned(clean) == clean


@pytest.mark.parametrize(
    ("typed", "clean"),
    [
        ("  Salma \n El\tIdrissi ", "Salma El Idrissi"),
        ("Salma\u00a0El\u202fIdrissi", "Salma El Idrissi"),
        ("abc\u202edef\u2066ghi\u2069", "abcdefghi"),
        ("\ufeffSalma\x00\u200b", "Salma"),
        ("Ai\u0308t", "Aït"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\u2028\u2029", ""),
    ],
)
def test_what_is_typed_is_cleaned(typed, clean):
    assert cleaned(typed) == clean


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("Panel 1", 7, "Panel 1"),
        ("Panel 1 : Data et technologies", 12, "Panel 1…"),
        ("Data, et technologies", 8, "Data…"),
        ("Anticonstitutionnellement", 5, "Anti…"),
        ("A bcdefghij", 9, "A bcdefg…"),
    ],
)
def test_a_long_text_is_cut_at_a_word(text, limit, short):
    assert shortened(text, limit) == short


@given(st.text(), st.integers(1, 50))
def test_a_shortened_text_fits_and_says_that_it_is_cut(text, limit):
    short = shortened(text, limit)
    assert len(short) <= limit
    assert short == text or short.endswith("…")


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("Maroc", "MA"),
        ("المغرب", "MA"),
        (" morocco ", "MA"),
        ("ma", "MA"),
        ("Etats Unis", "US"),
        ("Pays-Bas", "NL"),
        ("cote d'ivoire", "CI"),
        ("الإمارات العربية المتحدة", "AE"),
        ("بلجيكا", "BE"),
        ("Europe", None),
        ("Narnia", None),
        ("", None),
    ],
)
def test_a_country_is_known_by_its_name_in_any_language(typed, code):
    assert country_named(typed) == code
