"""How introductions call things: topics both ways, languages, first names."""

from collections.abc import Iterable

from handlers.words import Html, Words, quote
from storage.meeting_profiles import LANGUAGES
from storage.tables import Direction, Member, Topic


def topic_label(words: Words, direction: Direction, topic: Topic) -> str:
    """A topic on a button, as whoever offers or seeks it says it."""
    if direction == Direction.OFFERS:
        return {
            Topic.MENTORING: words.label("Mentoring others"),
            Topic.PARTNERSHIP: words.label("A partnership"),
            Topic.INVESTMENT: words.label("An investment"),
            Topic.RECRUITMENT: words.label("Help with recruiting"),
            Topic.JOB: words.label("A job or an internship"),
            Topic.EXPERTISE: words.label("My expertise"),
            Topic.TRAINING: words.label("Training"),
            Topic.MARKET_ACCESS: words.label("Access to a market"),
            Topic.RESEARCH: words.label("Joint research"),
            Topic.TRADE: words.label("Goods, services or orders"),
        }[topic]
    return {
        Topic.MENTORING: words.label("A mentor"),
        Topic.PARTNERSHIP: words.label("A partner"),
        Topic.INVESTMENT: words.label("An investor"),
        Topic.RECRUITMENT: words.label("People to recruit"),
        Topic.JOB: words.label("A job or an internship"),
        Topic.EXPERTISE: words.label("An expert's advice"),
        Topic.TRAINING: words.label("Training"),
        Topic.MARKET_ACCESS: words.label("Access to a market"),
        Topic.RESEARCH: words.label("A research partner"),
        Topic.TRADE: words.label("A supplier or a customer"),
    }[topic]


def topics_listed(words: Words, direction: Direction, topics: Iterable[Topic]) -> Html:
    """These topics in the order of the buttons; a dash for none."""
    chosen = set(topics)
    labels = [topic_label(words, direction, topic) for topic in Topic if topic in chosen]
    return words.series(labels) if labels else Html("–")


def language_label(words: Words, code: str) -> str:
    """The name of a language in this one."""
    if code == "zgh":
        return words.label("Amazigh")
    name = str(words.locale.languages.get(code, code))
    return name[:1].upper() + name[1:]


def languages_listed(words: Words, codes: Iterable[str]) -> Html:
    """These languages in the order of the buttons."""
    chosen = set(codes)
    return words.series([language_label(words, code) for code in LANGUAGES if code in chosen])


def first_name(member: Member) -> Html:
    """What others read of a name before both said yes."""
    name = (member.name or "").split()
    return quote(name[0]) if name else Html("–")


def topic_noun(words: Words, topic: Topic) -> str:
    """A topic in the middle of a sentence, whichever way it goes."""
    return {
        Topic.MENTORING: words.label("mentoring"),
        Topic.PARTNERSHIP: words.label("a partnership"),
        Topic.INVESTMENT: words.label("an investment"),
        Topic.RECRUITMENT: words.label("help with recruiting"),
        Topic.JOB: words.label("a job or an internship"),
        Topic.EXPERTISE: words.label("expertise"),
        Topic.TRAINING: words.label("training"),
        Topic.MARKET_ACCESS: words.label("access to a market"),
        Topic.RESEARCH: words.label("joint research"),
        Topic.TRADE: words.label("goods, services or orders"),
    }[topic]
