"""The catalogs of the three languages: extracted from the conversations, updated, verified.

`check` fails on what a reader would notice: a missing, fuzzy or stale entry, a lost `{field}` or
tag, an incomplete plural.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from handlers.words import LOCALES

LOCALES_FOLDER = Path(__file__).parent.parent / "locales"
HANDLERS_FOLDER = Path(__file__).parent.parent / "handlers"
# How a conversation says something: `words(...)`, `words.label(...)`, `words.plural(...)`.
_KEYWORDS = {"words": None, "label": None, "plural": (1, 2)}
# Babel writes Arabic's few and many in each other's place; this is CLDR's rule (plurals, ar).
_ARABIC_PLURAL = (
    "n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 && n%100<=99 ? 4 : 5"
)


def path_of(language: str, folder: Path = LOCALES_FOLDER) -> Path:
    """The catalog file of a language."""
    return folder / language / "LC_MESSAGES" / "jisr.po"


def extracted(handlers: Path = HANDLERS_FOLDER) -> Catalog:
    """Everything that the conversations say, with where they say it."""
    template = Catalog(project="Jisr", charset="utf-8")
    found = extract_from_dir(handlers, [("**.py", "python")], keywords=_KEYWORDS)
    for file, _line, message, _comments, _context in found:
        # Line numbers would change the catalogs with every edit of a handler.
        template.add(message, locations=[(f"handlers/{file}", 0)])
    return template


def update(folder: Path = LOCALES_FOLDER, handlers: Path = HANDLERS_FOLDER) -> None:
    """Bring the catalogs up to date with the conversations. English says its own msgids."""
    template = extracted(handlers)
    for language in LOCALES:
        path = path_of(language, folder)
        catalog = _read(path, language) if path.exists() else Catalog(locale=language)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        if language == "en":
            for message in catalog:
                if message.id:
                    message.string = message.id
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, catalog, language)


def check(folder: Path = LOCALES_FOLDER, handlers: Path = HANDLERS_FOLDER) -> list[str]:
    """What is wrong with the catalogs, a sentence for each; empty when all is well."""
    wanted = {_key(message): message for message in extracted(handlers) if message.id}
    complaints = []
    for language in LOCALES:
        path = path_of(language, folder)
        if not path.exists():
            complaints.append(f"{language}: there is no catalog")
            continue
        catalog = _read(path, language)
        had = {_key(message): message for message in catalog if message.id}
        complaints += [f"{language}: missing: {key}" for key in wanted.keys() - had.keys()]
        complaints += [f"{language}: stale: {key}" for key in had.keys() - wanted.keys()]
        complaints += [f"{language}: stale: {key}" for key in map(str, catalog.obsolete)]
        for key in wanted.keys() & had.keys():
            forms = catalog.num_plurals if wanted[key].pluralizable else 1
            complaints += [f"{language}: {fault}: {key}" for fault in _faults(had[key], forms)]
        if language == "ar" and catalog.plural_expr.strip("()") != _ARABIC_PLURAL:
            complaints.append("ar: the plural rule is not CLDR's")
    return sorted(complaints)


def _faults(message: Message, forms: int) -> Iterator[str]:
    if message.fuzzy:
        yield "fuzzy"
    # Of a plural the last id is the one for many: it has all the fields.
    wanted, said = _texts(message.id)[-1], _texts(message.string)
    if len(said) != forms or not all(said):
        yield "incomplete plural" if forms > 1 else "untranslated"
        return
    # A plural form may leave out the number: Arabic says "a seat" and "two seats" in words.
    optional = {"n"} if forms > 1 else set()
    for text in said:
        lost = _fields(wanted) - _fields(text) - optional
        foreign = _fields(text) - _fields(wanted)
        if lost or foreign:
            yield f"field {{{', '.join(sorted(lost | foreign))}}} lost or unknown in {text!r}"
        if _tags(text) != _tags(wanted):
            yield f"tag lost or unknown in {text!r}"


def _texts(text: str | Sequence[str | None] | None) -> list[str]:
    """One text, or one for each plural form; empty where there is none."""
    return [text or ""] if isinstance(text, str | None) else [each or "" for each in text]


def _fields(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def _tags(text: str) -> Counter[str]:
    return Counter(re.findall(r"</?[a-z][^>]*>", text))


def _key(message: Message) -> str:
    return _texts(message.id)[0]


def _read(path: Path, language: str) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language)


def _write(path: Path, catalog: Catalog, language: str) -> None:
    catalog.fuzzy = False
    with path.open("wb") as file:
        write_po(
            file, catalog, width=100, omit_header=True, no_location=False, include_lineno=False
        )
    body = path.read_text("utf-8")
    plural = _ARABIC_PLURAL if language == "ar" else catalog.plural_expr
    header = (
        'msgid ""\nmsgstr ""\n'
        f'"Language: {language}\\n"\n'
        '"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Plural-Forms: nplurals={catalog.num_plurals}; plural={plural};\\n"\n\n'
    )
    path.write_text(header + body, "utf-8")
