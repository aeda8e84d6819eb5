"""Why people are introduced, in the reader's language: the reasons that `storage/affinity.py` found."""

from collections.abc import Mapping, Sequence
from typing import Any

from handlers.meeting_words import first_name, languages_listed, topic_noun
from handlers.words import Html, Words, quote
from storage.introduction_parties import Party
from storage.tables import Member, Theme, Topic

# Lines about each of the others: more would not be read.
MOST = 3


def told(words: Words, party: Party, reader: int, themes: Mapping[int, Theme]) -> Sequence[Html]:
    """A line for each reason that concerns the reader, the weightiest first; then the languages.

    `reader` is their place.
    """
    lines: list[Html] = []
    number = dict.fromkeys(range(len(party.members)), 0)
    for reason in party.introduction.reasons:
        places = {reason["seeker"], reason["giver"]}
        if reader not in places or reason["kind"] == "shores":
            continue
        other = next(iter(places - {reader}))
        line = _line(words, reason, reader, party.members[other], themes)
        if line is not None and number[other] < MOST and line not in lines:
            number[other] += 1
            lines.append(line)
    if any(reason["kind"] == "shores" for reason in party.introduction.reasons):
        lines.append(words("You live on the two shores: in Morocco and in the diaspora."))
    shared = frozenset.intersection(*party.languages)
    if shared:
        lines.append(
            words("Languages in common: {languages}", languages=languages_listed(words, shared))
        )
    return lines


def _line(
    words: Words,
    reason: Mapping[str, Any],
    reader: int,
    other: Member,
    themes: Mapping[int, Theme],
) -> Html | None:
    name = first_name(other)
    if reason["kind"] == "theme":
        theme = themes.get(reason["theme"])
        if theme is None:
            return None
        title = quote(words.pick(theme.name))
        return words("A theme that you share with {name}: {theme}", name=name, theme=title)
    topic = Topic(reason["topic"])
    noun = Html(topic_noun(words, topic))
    seeks = reason["seeker"] == reader
    if reason["by"] == "seeks":
        return _both_seek(words, topic, name, noun, seeks=seeks)
    if seeks:
        return words("You seek {topic}; {name} offers it.", topic=noun, name=name)
    return words("{name} seeks {topic}; you offer it.", topic=noun, name=name)


def _both_seek(words: Words, topic: Topic, name: Html, noun: Html, *, seeks: bool) -> Html:
    if topic not in (Topic.JOB, Topic.RECRUITMENT):
        return words("You and {name} both seek {topic}.", name=name, topic=noun)
    if (topic == Topic.JOB) == seeks:
        return words("You seek a job or an internship; {name} seeks people to recruit.", name=name)
    return words("You seek people to recruit; {name} seeks a job or an internship.", name=name)
