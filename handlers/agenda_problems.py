"""What is wrong with an agenda file, told in the reader's language: where, what, and what to do.

The chat tells it to staff, and the command line in English: each sentence stands here once. Keys and
examples stay as they are written in a file.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from handlers.agenda_flaws import Flaw, Problem, Spot
from handlers.words import Html, Words, quote


class Said(NamedTuple):
    """A mistake, without a full stop, and its remedy."""

    what: Html
    remedy: Html


_Table = dict[Flaw, Callable[[], tuple[Html, Html]]]


def told(words: Words, file: str, problem: Problem) -> Html:
    """All about it, with the name of the file and the line."""
    what, remedy = said(words, problem)
    sentences = Html(f"{what}. {remedy}")
    if problem.line is None:
        return words("{file}: {said}", file=file, said=sentences)
    line = Html(str(problem.line))  # no line is "1,200"
    return words("{file}, line {line}: {said}", file=file, line=line, said=sentences)


def said(words: Words, problem: Problem) -> Said:
    """The mistake with its place, and the remedy."""
    values = dict(problem.values)
    table = _of_files(words, values) | _of_systems(words, values)
    table |= _of_yaml(words, values) | _of_keys(words, values) | _of_values(words, values)
    what, remedy = table[problem.flaw]()
    if problem.spot is not None:
        what = words("{place}: {what}", place=_place(words, problem.spot), what=what)
    return Said(what, remedy)


def _place(words: Words, spot: Spot) -> Html:
    if not spot:
        return words("the file")
    part, *keys = spot
    name = _item(words, part, keys.pop(0)) if part in {"theme", "session"} else quote(str(part))
    if part == "event":
        name = words("event")
    for key in keys:
        if key == "fr":
            name = words("{place} in French", place=name)
        elif key == "ar":
            name = words("{place} in Arabic", place=name)
        elif key == "en":
            name = words("{place} in English", place=name)
        else:
            name = words("{place}, {key}", place=name, key=key)
    return name


def _item(words: Words, part: int | str, item: int | str) -> Html:
    if part == "theme":
        numbered, named = words("theme {item}", item=item), words('theme "{item}"', item=item)
    else:
        numbered, named = words("session {item}", item=item), words('session "{item}"', item=item)
    return numbered if isinstance(item, int) else named


def _meant(words: Words, values: Mapping[str, str], otherwise: Html) -> Html:
    """The known word that was probably meant, or else another remedy."""
    near = values.get("near")
    return words('Did you mean "{near}"?', near=near) if near else otherwise


def _of_files(words: Words, v: Mapping[str, str]) -> _Table:
    known = words(
        "A schedule in JSON or XML (frab, pretalx), an iCalendar or an agenda in our YAML can be read."
    )
    export = words("Unpack or export it first. {known}", known=known)
    utf_8 = words("Save the file with the encoding UTF-8.")
    return {
        Flaw.TOO_LARGE: lambda: (
            words("it is larger than {megabytes} MB", **v),
            words("Check that it is an agenda, and split it by event."),
        ),
        Flaw.OFFICE: lambda: (
            words("it is a zip archive or an office document, whatever its name"),
            export,
        ),
        Flaw.COMPRESSED: lambda: (
            words("it is compressed ({how}), whatever its name", **v),
            export,
        ),
        Flaw.PDF: lambda: (words("it is a PDF document, whatever its name"), export),
        Flaw.PICTURE: lambda: (words("it is a picture, whatever its name"), export),
        Flaw.NOT_UTF_8: lambda: (words("this is not UTF-8 text"), utf_8),
        Flaw.UTF_16: lambda: (words("this is UTF-16 text"), utf_8),
        Flaw.UNKNOWN_FORMAT: lambda: (words('"{ending}" files can\'t be read', **v), known),
        Flaw.MANY_SESSIONS: lambda: (
            words("it has more than {limit} sessions", **v),
            words("Split it by event or by track."),
        ),
        Flaw.NO_SESSIONS: lambda: (
            words("there is no session in it that has a title and a time"),
            words("Check that it is the schedule itself, and not a list of links or talks."),
        ),
        Flaw.NOT_FETCHED: lambda: (
            words("the messenger does not hand the file out"),
            words("Try again with a fresh copy of it."),
        ),
        Flaw.OTHER: lambda: (quote(v["what"]), quote(v["remedy"])),
    }


def _of_systems(words: Words, v: Mapping[str, str]) -> _Table:
    again = words("Export it again.")
    schedule, calendar = (
        words("Check that it is a schedule."),
        words("Check that it is a calendar."),
    )
    return {
        Flaw.NOT_JSON: lambda: (words("it is not valid JSON ({reason})", **v), again),
        Flaw.NOT_XML: lambda: (words("it is not valid XML ({reason})", **v), again),
        Flaw.NO_SCHEDULE: lambda: (
            words("it has no schedule with a conference and its days"),
            words('Export "schedule.json" or "schedule.xml" from frab or pretalx.'),
        ),
        Flaw.CHANGED_BY_HAND: lambda: (
            words('its part "jisr" was changed by hand ({reason})', **v),
            words('Export it again, or delete its "meta".'),
        ),
        Flaw.MANY_VALUES: lambda: (words("it holds far more values than an agenda"), schedule),
        Flaw.MANY_ELEMENTS: lambda: (words("it holds far more elements than an agenda"), schedule),
        Flaw.DEEP_BRACKETS: lambda: (words("its brackets are nested too deeply"), schedule),
        Flaw.DEEP_ELEMENTS: lambda: (words("its elements are nested too deeply"), schedule),
        Flaw.ENTITIES: lambda: (
            words("it declares a document type or entities, which agendas don't use"),
            words("Delete the lines &lt;!DOCTYPE ...&gt; and &lt;!ENTITY ...&gt;."),
        ),
        Flaw.NO_ITEMS: lambda: (
            words("there is no item in this calendar"),
            words("Export it again, with its events."),
        ),
        Flaw.MANY_LINES: lambda: (words("it has far more lines than an agenda"), calendar),
        Flaw.MANY_DATES: lambda: (words("it lists far more dates than an agenda"), calendar),
        Flaw.DEEP_PARTS: lambda: (words("its parts are nested too deeply"), calendar),
    }


def _of_yaml(words: Words, v: Mapping[str, str]) -> _Table:
    whole = words("Put the whole text in double quotes.")
    return {
        Flaw.EMPTY_FILE: lambda: (
            words("the file is empty"),
            words("It needs an event and its sessions."),
        ),
        Flaw.TAB: lambda: (words("there is a tab"), words("Use spaces instead.")),
        Flaw.INVISIBLE: lambda: (
            words("an invisible character ({code}) is in the text", **v),
            words("Delete it, or type the text again on one line."),
        ),
        Flaw.SIGN: lambda: (
            words('a "{sign}" outside quotes has a meaning in YAML that agendas don\'t use', **v),
            words("If it is part of a text, put the whole text in double quotes."),
        ),
        Flaw.RESERVED: lambda: (
            words("a text begins with a character that YAML keeps for itself"),
            whole,
        ),
        Flaw.STRAY_COLON: lambda: (
            words('there is a ":" where none is expected'),
            words('Check the indentation, or put the text in double quotes: "Panel 1 : Data".'),
        ),
        Flaw.NO_COLON: lambda: (
            words('a line has no ":" after its key'),
            words("Look here and one line above, and write key: value."),
        ),
        Flaw.INDENTATION: lambda: (
            words("the line does not fit the lines above it"),
            words(
                "Indent it with spaces exactly like its neighbours, and put quotes around whole texts."
            ),
        ),
        Flaw.OPEN_BRACKET: lambda: (
            words("a bracket is not closed, or a comma is missing"),
            words('Look for a missing , or }} or ] or " here or just above.'),
        ),
        Flaw.OPEN_QUOTE: lambda: (
            words("a quote is opened and never closed"),
            words('Look for a missing " here or above.'),
        ),
        Flaw.SECOND_DOCUMENT: lambda: (
            words("a second document begins here"),
            words("Keep one agenda in a file, and delete the line ---."),
        ),
        Flaw.BACKSLASH: lambda: (
            words("a backslash in double quotes has a special meaning"),
            words("Write it twice, or put the text in single quotes."),
        ),
        Flaw.FAR_TOO_MUCH: lambda: (
            words("it holds far more than an agenda"),
            words("Check that it is one."),
        ),
        Flaw.DEEP: lambda: (
            words("brackets are nested too deeply"),
            words("Look for a stray [ or {{."),
        ),
        Flaw.NOT_YAML: lambda: (
            words("the file is not valid YAML"),
            words("Look for a stray backslash in a text."),
        ),
        Flaw.NOT_YAML_HERE: lambda: (
            words("the file is not valid YAML here ({reason})", **v),
            words("Check the quotes and the indentation here and one line above."),
        ),
    }


def _of_keys(words: Words, v: Mapping[str, str]) -> _Table:
    return {
        Flaw.MANY_KEYS: lambda: (words("it has far too many keys"), words("Indent its lists.")),
        Flaw.NO_WORD: lambda: (words("a key is not a word"), words("Write key: value.")),
        Flaw.KEY_TWICE: lambda: (
            words('"{key}" is written twice in the same place', **v),
            words("Keep this one or line {first}.", **v),
        ),
        Flaw.MISSING: lambda: _missing(words, v),
        Flaw.UNKNOWN_KEY: lambda: (
            words('unknown key "{key}"', **v),
            _meant(words, v, words("Delete it.")),
        ),
        Flaw.NO_LIST: lambda: (
            words("a list is expected"),
            words("Write [a, b], or begin each line with a hyphen."),
        ),
        Flaw.NO_MAPPING: lambda: (
            words("keys with values are expected"),
            words("Write each as key: value."),
        ),
        Flaw.NO_SINGLE_VALUE: lambda: (
            words("a single value is expected"),
            words("Write one value on the line of its key."),
        ),
        Flaw.EMPTY: lambda: (words("it is empty"), words("Write a value after the colon.")),
    }


def _missing(words: Words, v: Mapping[str, str]) -> tuple[Html, Html]:
    what, remedy = words('"{key}" is missing', key=v["key"]), words("Add {example}.", **v)
    if v["key"] == "fr":
        what = words("French (fr) is missing")
    elif v["key"] == "ar":
        what = words("Arabic (ar) is missing")
    elif v["key"] == "en":
        what = words("English (en) is missing")
    elif v["key"] == "event":
        remedy = words("Add the event with its id, title, city, starts and ends.")
    elif v["key"] == "sessions":
        remedy = words("Add the list of sessions.")
    return what, remedy


def _of_values(words: Words, v: Mapping[str, str]) -> _Table:
    date = words("Check the date.")
    own = words("Give each its own.")
    return {
        Flaw.TOO_LONG: lambda: (
            words("it has {length} characters and may have {limit}", **v),
            words("Shorten it."),
        ),
        Flaw.NO_ID: lambda: (
            words('"{text}" can\'t be an id', **v),
            words("Use 1 to 40 small letters a-z, digits and hyphens: it becomes part of a link."),
        ),
        Flaw.THEME_TWICE: lambda: (words('another theme above has the id "{text}"', **v), own),
        Flaw.SESSION_TWICE: lambda: (words('another session above has the id "{text}"', **v), own),
        Flaw.UNKNOWN_THEME: lambda: (
            words('there is no theme "{text}"', **v),
            _meant(words, v, words("Add it to the themes, or remove it here.")),
        ),
        Flaw.UNKNOWN_KIND: lambda: (
            words('"{text}" is not a kind of session', **v),
            words("Use one of {known}.", **v),
        ),
        Flaw.UNKNOWN_SIDE: lambda: (
            words('"{text}" is not a side', **v),
            words("Use one of {known}.", **v),
        ),
        Flaw.NO_NUMBER: lambda: (
            words('"{text}" is not a whole number', **v),
            words("Write digits only: {example}.", **v),
        ),
        Flaw.OUT_OF_RANGE: lambda: (
            words("{text} is out of range", **v),
            words("Write a number from {least} to {most}.", **v),
        ),
        Flaw.NEITHER: lambda: (
            words('"{text}" is neither true nor false', **v),
            words("Write true or false."),
        ),
        Flaw.UNKNOWN_ZONE: lambda: (
            words('there is no time zone "{text}"', **v),
            _meant(
                words,
                v,
                words("Write it as Continent/City, e.g. Africa/Casablanca or Europe/Paris."),
            ),
        ),
        Flaw.NO_DATE: lambda: (
            words('"{text}" is not a date', **v),
            words("Write year-month-day, e.g. 2018-07-04."),
        ),
        Flaw.NO_TIME: lambda: (
            words('"{text}" is not a date and time', **v),
            words("Write the local time, e.g. 2018-07-04T10:30."),
        ),
        Flaw.YEAR: lambda: (words("the year {year} can't be right", **v), date),
        Flaw.ENDS_FIRST: lambda: (
            words("the event ends on {ends}, before it starts on {starts}", **v),
            words("Change one of the two."),
        ),
        Flaw.OTHER_DAY: lambda: (
            words("{day} is not a day of the event", **v),
            words("Change it, or the event's days ({days}).", days=_days(words, v)),
        ),
        Flaw.SKIPPED_HOUR: lambda: (
            words("{clock} does not exist on {day} in {zone}", **v),
            words("Clocks go forward in that hour: choose another time."),
        ),
        Flaw.HOUR_TWICE: lambda: (
            words("{clock} comes twice on {day} in {zone}", **v),
            words("Clocks go back in that hour: choose another time."),
        ),
    }


def _days(words: Words, v: Mapping[str, str]) -> Html:
    first, last = v["first"], v["last"]
    return words("{first} to {last}", first=first, last=last) if first != last else quote(first)
