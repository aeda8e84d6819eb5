"""The privacy notice: what it says, and which version that is.

It is written from the operator's settings, and its version is a hash of its words in all languages:
whoever changes a word, a number or the operator has a new version, and need not think of it.
`handlers/privacy.py` shows it, and asks members again when it changed.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from handlers.words import Catalogs, Html, Words
from storage.terms import Terms

# As wide as the columns that keep a version.
_VERSION = 16


def dated(terms: Terms, catalogs: Catalogs) -> Terms:
    """The terms with the version of their notice."""
    said = "\n".join(f"{code}\n{text(catalogs[code], terms)}" for code in sorted(catalogs))
    return replace(terms, version=hashlib.sha256(said.encode()).hexdigest()[:_VERSION])


def text(words: Words, terms: Terms) -> Html:
    """The whole notice, in one language."""
    operator = terms.operator
    responsible = words(
        "<b>Who is responsible:</b> {controller}. Questions and requests: {contact}.",
        controller=operator.controller or words("the organisers of the events"),
        contact=operator.contact or words("write to the organisers"),
    )
    if operator.registration:
        registered = words("Registered as: {numbers}.", numbers=operator.registration)
        responsible = Html(f"{responsible} {registered}")
    return Html(
        "\n\n".join(
            (
                words("<b>Your data</b>"),
                responsible,
                *_what(words),
                _how_long(words, terms),
                *_rights(words),
            )
        )
    )


def _what(words: Words) -> Sequence[Html]:
    return [
        words(
            "<b>What I keep, and why:</b> your answers, your seats and what you thought of them, to "
            "run the events you choose and to remind you of them; and, only if you agree to each: "
            "to send you announcements, to tell you of new events, to introduce you to other "
            "members, to show you in the directory. The ground is your agreement, and you may take "
            "it back at any time."
        ),
        words(
            "<b>Who sees it:</b> the organisers' team, as far as their work needs it. Other members "
            "only where you agreed to introductions or to the directory. Nothing is sold. I ask for "
            "no phone number and no identity number."
        ),
        words(
            "<b>Telegram:</b> what we write to each other passes through Telegram and is kept there, "
            "on servers outside Morocco and the European Union: a transfer abroad."
        ),
    ]


def _how_long(words: Words, terms: Terms) -> Html:
    kept = terms.retention
    return words(
        "<b>How long:</b> until you leave. My answers to what you write or tap, {hours}; the texts "
        "of my letters, {days}. Your seats lose your name {seats} after the event. After {inactive} of silence I "
        "ask whether you stay, and forget you if you don't answer. What the team did is kept "
        "{years}, without your words.",
        hours=_of(words, "hour", kept.answers_hours),
        days=_of(words, "day", kept.texts_days),
        seats=_of(words, "month", kept.seats_months),
        inactive=_of(words, "month", kept.inactive_months),
        years=_of(words, "year", kept.audit_years),
    )


def _of(words: Words, unit: str, number: int) -> Html:
    match unit:
        case "hour":
            return words.plural("{n} hour", "{n} hours", number)
        case "day":
            return words.plural("{n} day", "{n} days", number)
        case "month":
            return words.plural("{n} month", "{n} months", number)
        case _:
            return words.plural("{n} year", "{n} years", number)


def _rights(words: Words) -> Sequence[Html]:
    return [
        words(
            "<b>Your rights</b> (GDPR, Moroccan law 09-08): see and take along everything: /mydata. "
            "Correct it: /settings. Have it erased: /forget. Stop what I send: /stop. To object, to "
            "restrict its use, or for anything else, write to those responsible."
        ),
        words(
            "<b>To complain:</b> in France to the CNIL (cnil.fr), elsewhere in the European Union "
            "to your country's authority, in Morocco to the CNDP (cndp.ma)."
        ),
    ]
