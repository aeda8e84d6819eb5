"""The catalogs that are shipped are whole; of one that isn't, everything is told."""

import shutil

import pytest

from bot.catalogs import LOCALES_FOLDER, check, path_of, update
from handlers.words import LOCALES

CONVERSATION = """
def greet(words, turn, member):
    words("Hello {name}", name=member.name)
    turn.words.label("<b>Events</b>")
    words.plural("{n} seat free", "{n} seats free", 3)
"""
FRENCH_PLURAL = """\
msgid "{n} seat free"
msgid_plural "{n} seats free"
msgstr[0] "{n} place libre"
msgstr[1] "{n} places libres"
"""
FRENCH = f"""\
msgid ""
msgstr ""
"Language: fr\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"

#: handlers/greeting.py
#, python-brace-format
msgid "Hello {{name}}"
msgstr "Bonjour {{name}}"

#: handlers/greeting.py
msgid "<b>Events</b>"
msgstr "<b>Événements</b>"

#: handlers/greeting.py
#, python-brace-format
{FRENCH_PLURAL}
"""
ARABIC_RULE = "n%100>=3 && n%100<=10 ? 3 : n%100>=11 && n%100<=99 ? 4 : 5"
# As Babel writes it: few and many in each other's place.
BABELS_RULE = "n%100>=3 && n%100<=10 ? 4 : n%100>=11 && n%100<=99 ? 3 : 5"
ARABIC = """\
msgid ""
msgstr ""
"Language: ar\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : %s;\\n"

#: handlers/greeting.py
#, python-brace-format
msgid "Hello {name}"
msgstr "أهلا {name}"

#: handlers/greeting.py
msgid "<b>Events</b>"
msgstr "<b>الفعاليات</b>"

#: handlers/greeting.py
#, python-brace-format
msgid "{n} seat free"
msgid_plural "{n} seats free"
msgstr[0] "لا مقاعد شاغرة"
msgstr[1] "مقعد واحد شاغر"
msgstr[2] "مقعدان شاغران"
msgstr[3] "{n} مقاعد شاغرة"
msgstr[4] "{n} مقعدا شاغرا"
msgstr[5] "{n} مقعد شاغر"

""".replace("%s", ARABIC_RULE)


@pytest.fixture
def house(tmp_path):
    """A conversation, and its three whole catalogs: the arguments of `check` and `update`."""
    folder, handlers = tmp_path / "locales", tmp_path / "handlers"
    handlers.mkdir()
    (handlers / "greeting.py").write_text(CONVERSATION, "utf-8")
    update(folder, handlers)
    path_of("fr", folder).write_text(FRENCH, "utf-8")
    path_of("ar", folder).write_text(ARABIC, "utf-8")
    return folder, handlers


def edit(path, old, new):
    text = path.read_text("utf-8")
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new), "utf-8")


def test_the_shipped_catalogs_are_whole():
    assert check() == []


def test_an_update_of_the_shipped_catalogs_changes_nothing(tmp_path):
    folder = shutil.copytree(LOCALES_FOLDER, tmp_path / "locales")
    update(folder)
    for language in LOCALES:
        shipped = path_of(language).read_text("utf-8")
        assert path_of(language, folder).read_text("utf-8") == shipped


HELLO = '#, python-brace-format\nmsgid "Hello {name}"\nmsgstr "Bonjour {name}"\n'


@pytest.mark.parametrize(
    ("language", "old", "new", "complaint"),
    [
        pytest.param("fr", HELLO, "", "missing: Hello {name}", id="missing"),
        pytest.param("fr", '"Bonjour {name}"', '""', "untranslated: Hello {name}", id="empty"),
        pytest.param("fr", HELLO, "#, fuzzy\n" + HELLO, "fuzzy: Hello {name}", id="fuzzy"),
        pytest.param("fr", HELLO, HELLO + '\nmsgid "a"\nmsgstr "b"\n', "stale: a", id="stale"),
        pytest.param(
            "fr", HELLO, HELLO + '\n#~ msgid "a"\n#~ msgstr "b"\n', "stale: a", id="set aside"
        ),
        pytest.param(
            "fr",
            '"Bonjour {name}"',
            '"Bonjour"',
            "field {name} lost or unknown in 'Bonjour': Hello {name}",
            id="field lost",
        ),
        pytest.param(
            "fr",
            '"Bonjour {name}"',
            '"Bonjour {nom}"',
            "field {name, nom} lost or unknown in 'Bonjour {nom}': Hello {name}",
            id="field translated",
        ),
        pytest.param(
            "fr",
            "<b>Événements</b>",
            "<b>Événements",
            "tag lost or unknown in '<b>Événements': <b>Events</b>",
            id="tag lost",
        ),
        pytest.param(
            "ar",
            "<b>الفعاليات</b>",
            "<i>الفعاليات</i>",
            "tag lost or unknown in '<i>الفعاليات</i>': <b>Events</b>",
            id="tag changed",
        ),
        pytest.param(
            "fr",
            '"{n} places libres"',
            '""',
            "incomplete plural: {n} seat free",
            id="plural form empty",
        ),
        pytest.param(
            "ar",
            'msgstr[5] "{n} مقعد شاغر"\n',
            "",
            "incomplete plural: {n} seat free",
            id="plural form missing",
        ),
        pytest.param(
            "fr",
            "{n} places",
            "{count} places",
            "field {count} lost or unknown in '{count} places libres': {n} seat free",
            id="plural field translated",
        ),
        pytest.param(
            "ar", ARABIC_RULE, BABELS_RULE, "the plural rule is not CLDR's", id="Babel's rule"
        ),
    ],
)
def test_a_broken_catalog_is_told(house, language, old, new, complaint):
    assert check(*house) == []
    edit(path_of(language, house[0]), old, new)
    assert check(*house) == [f"{language}: {complaint}"]


def test_a_catalog_that_is_not_there_is_told(house):
    path_of("ar", house[0]).unlink()
    assert check(*house) == ["ar: there is no catalog"]


def test_an_update_keeps_what_is_translated_and_can_be_repeated(house):
    folder, handlers = house
    for _ in range(2):
        update(folder, handlers)
        assert path_of("fr", folder).read_text("utf-8") == FRENCH
        assert path_of("ar", folder).read_text("utf-8") == ARABIC


def test_an_update_adds_what_is_said_now_and_takes_away_what_is_not(house):
    folder, handlers = house
    edit(handlers / "greeting.py", '"Hello {name}"', '"Welcome, {name}"')
    edit(path_of("ar", folder), ARABIC_RULE, BABELS_RULE)
    update(folder, handlers)
    assert check(folder, handlers) == [
        "ar: untranslated: Welcome, {name}",
        "fr: untranslated: Welcome, {name}",
    ]
    new = {"fr": ("Bonjour", FRENCH), "ar": ("أهلا", ARABIC)}
    for language, (hello, before) in new.items():
        path = path_of(language, folder)
        edit(path, 'msgstr ""\n\n', f'msgstr "{hello} {{name}}"\n\n')
        assert path.read_text("utf-8") == before.replace("Hello {name}", "Welcome, {name}")
