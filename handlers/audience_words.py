"""Audiences in plain words: "Members who live in Lyon or Paris; but not those who ...".

What a rule says is told from the rule itself, so that a card, an approval and a report tell the
same of it; and how many it means, as it is counted now.
"""

import html
import re
from collections.abc import Mapping, Sequence

from babel.lists import format_list

from handlers.words import AUTONYMS, Html, Words, quote, shortened
from storage import audience_parts as parts
from storage.audience_counts import Count
from storage.audience_names import Names
from storage.audiences import Rule
from storage.tables import Seat, Side, Trilingual

# Of an announcement's text, and of a title, what is told.
_GIST = 40
# What stands between the conditions that must all be true.
_SEMICOLONS = {"fr": "\u00a0; ", "ar": "؛ "}


def told(rule: Rule | None, words: Words, names: Names) -> Html:
    """Whom a rule means. `names` are those of all that it mentions (`audience_names.names_in`)."""
    if rule is None:
        return words("Nobody is chosen yet.")
    all_ = parts.parts_of(rule, None)
    said = [_who(part, words, names) for part in all_ if "not" not in part]
    out = [_who(part["not"], words, names) for part in all_ if "not" in part]
    conditions = [one for one, part in zip(said, all_, strict=False) if "everyone" not in part]
    first = words("Everyone")
    if conditions:
        semicolon = _SEMICOLONS.get(words.language, "; ")
        first = words("Members {conditions}", conditions=Html(semicolon.join(conditions)))
    for one in out:
        first = words("{audience}; but not those {conditions}", audience=first, conditions=one)
    return first


def part_told(part: parts.Part, words: Words, names: Names) -> str:
    """One part of a rule, on the button that removes it."""
    inner = part.get("not", part)
    said = _plain(_who(inner, words, names))
    return words.label("not: {condition}", condition=said) if "not" in part else said


def counted(words: Words, count: Count) -> Sequence[Html]:
    """How many will get it, by language and channel, and who of those who are meant will not."""
    said = [words.plural("<b>{n} person</b> gets it", "<b>{n} people</b> get it", count.people)]
    languages = {AUTONYMS.get(code, code): n for code, n in count.by_language().items()}
    channels = {name.capitalize(): n for name, n in count.by_channel().items()}
    for numbers in filter(None, (languages, channels)):
        each = [words("{name}: {n}", name=name, n=n) for name, n in numbers.items()]
        said.append(Html(" · ".join(each)))
    if count.opted_out:
        said.append(
            words.plural(
                "🔕 {n} person does not want announcements",
                "🔕 {n} people do not want announcements",
                count.opted_out,
            )
        )
    if count.unreachable:
        said.append(
            words.plural(
                "📵 {n} person can't be reached",
                "📵 {n} people can't be reached",
                count.unreachable,
            )
        )
    if count.wordless:
        said.append(
            words.plural(
                "▫️ {n} person gets nothing: there are no words in their language",
                "▫️ {n} people get nothing: there are no words in their language",
                count.wordless,
            )
        )
    return said


def state(words: Words, seat: str) -> str:
    """A state of an RSVP, as it is said of somebody."""
    return {
        Seat.CONFIRMED: words.label("hold a seat"),
        Seat.WAITLISTED: words.label("are on the waitlist"),
        Seat.OFFERED: words.label("were offered a seat"),
        Seat.CANCELLED: words.label("gave up their seat"),
        Seat.CHECKED_IN: words.label("came"),
    }[Seat(seat)]


def gist(words: Words, texts: Trilingual | None) -> str:
    """The first words of an announcement."""
    first = _plain(Html(words.pick(texts))).strip().partition("\n")[0]
    return shortened(first, _GIST) or "…"


# --- one condition --------------------------------------------------------------------------


def _who(rule: Rule, words: Words, names: Names) -> Html:
    """The people of a rule, said after "members" or "those"."""
    if "all" in rule:
        return _joined(words, [_who(one, words, names) for one in rule["all"]], "standard")
    if "not" in rule:
        return words("who are not those {conditions}", conditions=_who(rule["not"], words, names))
    leaves = parts.alternatives(dict(rule))
    places = [leaf for leaf in leaves if "city" in leaf or "country" in leaf]
    said = []
    if places:
        where = _joined(words, [_place(one, words, names) for one in places], "or")
        said.append(words("who live in {places}", places=where))
    seats: dict[tuple[str, int], list[str]] = {}
    for leaf in leaves:
        kind = next((name for name in ("event", "session") if name in leaf), "")
        if kind:
            seats.setdefault((kind, leaf[kind]), []).extend(leaf["states"])
        elif leaf not in places:
            said.append(_one(leaf, words, names))
    for (kind, id_), states in seats.items():
        titles: Mapping[int, Trilingual] = names.events if kind == "event" else names.sessions
        did = _joined(words, [quote(state(words, one)) for one in dict.fromkeys(states)], "or")
        title = shortened(words.pick(titles.get(id_)), _GIST) or "…"
        said.append(words("who {did} ({title})", did=did, title=title))
    return _joined(words, said, "or")


def _one(rule: Rule, words: Words, names: Names) -> Html:  # noqa: PLR0911  # one for each rule
    match rule:
        case {"themes": ids}:
            themes = [quote(words.pick(names.themes.get(one)) or "…") for one in ids]
            return words("interested in {themes}", themes=_joined(words, themes, "or"))
        case {"side": Side.DIASPORA}:
            return words("of the diaspora")
        case {"side": _}:
            return words("of the Moroccan side")
        case {"language": code}:
            return words("who read {language}", language=AUTONYMS.get(str(code), "…"))
        case {"post": post}:
            return words("who work at {post}", post=words.pick(names.posts.get(post)) or "…")
        case {"received": id_}:
            title = gist(words, names.announcements.get(id_))
            return words("who received “{announcement}”", announcement=title)
        case {"unanswered": id_}:
            title = gist(words, names.announcements.get(id_))
            return words("who have not answered “{announcement}”", announcement=title)
        case {"answered": id_, **more}:
            return _answered(id_, more.get("answers"), words, names)
        case {"any": _} | {"all": _} | {"not": _}:
            return _who(rule, words, names)
    return words("who have registered")


def _answered(id_: int, answers: list[int] | None, words: Words, names: Names) -> Html:
    title = gist(words, names.announcements.get(id_))
    if answers is None:
        return words("who answered “{announcement}”", announcement=title)
    known = names.answers.get(id_, [])
    said = [quote(words.pick(known[n]) if n < len(known) else "…") for n in answers]
    answer = _joined(words, said, "or")
    return words("who answered {answer} to “{announcement}”", answer=answer, announcement=title)


def _place(rule: Rule, words: Words, names: Names) -> Html:
    if "country" in rule:
        return quote(words.country(rule["country"]))
    return quote(words.place(names.cities.get(rule["city"]) or str(rule["city"])))


def _joined(words: Words, said: Sequence[str], style: str) -> Html:
    return Html(format_list(list(said), style=style, locale=words.locale))  # type: ignore[arg-type]  # one of Babel's styles


def _plain(said: Html) -> str:
    return html.unescape(re.sub(r"<[^>]*>|[\u2068\u2069]", "", said))
