"""Affinity: how much reason two members have to meet, in points, and the reasons as data.

    what one seeks and the other has     120, and 40 for each further thing, both ways;
                                         60 more if each has something for the other
    a partner or joint research that     60 for each, unless one of them offers it anyway
    both seek
    a shared theme                       12 for each halving of those who have it: a theme of
                                         everybody counts nothing, one of 2 in 64 counts 60;
                                         the three rarest count
    from one shore to the other          0, 30, 60 or 120, as the event weighs it (0 to 3)
    the same city                        5

Each reason is then weighed by what the two said of earlier meetings (`taste`, -30 to +30 percent):
who met well through a shared theme is given more of those. Of the sum:

    the same organisation                -80
    an earlier introduction              -60 for each, at most -120

Whoever has no language in common, or of whom one blocks the other or their organisation, is no pair
whatever the points; nor is one without any of the first three reasons, or known to each other since
both said yes once. All is whole numbers, so that the same people give the same sum on any machine.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2
from typing import Any

from storage.tables import Side, Topic

FIRST, FURTHER, MUTUAL, TOGETHER = 120, 40, 60, 60
PER_HALVING, RAREST, THEMES = 12, 60, 3
CROSSING = (0, 30, 60, 120)
SAME_CITY = 5
SAME_ORGANISATION, AGAIN, AGAIN_MOST = 80, 60, 120
# What a person says of one meeting moves the weight of its reasons by so many percent; all of it
# by at most so many.
PER_STAR, TASTE_MOST = 5, 30

# What in the other answers what one seeks: something they offer, or seek themselves.
ANSWERS: Mapping[Topic, tuple[tuple[str, Topic], ...]] = {
    topic: (("offers", topic),) for topic in Topic
} | {
    Topic.JOB: (("offers", Topic.JOB), ("seeks", Topic.RECRUITMENT)),
    Topic.RECRUITMENT: (("seeks", Topic.JOB), ("offers", Topic.RECRUITMENT)),
}

Token = tuple[str, Topic]
# What two may seek together: whoever seeks a partner is one.
ALIKE = frozenset((Topic.PARTNERSHIP, Topic.RESEARCH))


@dataclass(frozen=True, slots=True)
class Person:
    """What counts of a member who wants to meet people. Words are folded, themes are ids."""

    id: int
    side: Side | None
    languages: frozenset[str]
    offers: frozenset[Topic] = frozenset()
    seeks: frozenset[Topic] = frozenset()
    themes: frozenset[int] = frozenset()
    organisation: str = ""
    city: str = ""
    # Whom they block, and whose organisations; it is enough that one of two does.
    never: frozenset[int] = frozenset()
    never_at: frozenset[str] = frozenset()
    # Rounds in a row that left them out.
    passed_over: int = 0
    # By how many percent a kind of reason weighs more or less for them.
    taste: Mapping[str, int] = field(default_factory=dict)
    # The same as numbers, a bit for each topic: what they seek, what they have an answer to, and
    # what they seek together with others, not offering it themselves.
    seek_bits: int = field(init=False)
    give_bits: int = field(init=False)
    alike_bits: int = field(init=False)

    def __post_init__(self) -> None:
        """Count once what is compared with thousands."""
        has = self.has
        gives = [topic for topic, answers in ANSWERS.items() if has.intersection(answers)]
        alike = (self.seeks & ALIKE) - self.offers
        object.__setattr__(self, "seek_bits", _as_bits(self.seeks))
        object.__setattr__(self, "give_bits", _as_bits(gives))
        object.__setattr__(self, "alike_bits", _as_bits(alike))

    @property
    def has(self) -> frozenset[Token]:
        """What may answer somebody else's wish."""
        return frozenset(
            [("offers", topic) for topic in self.offers] + [("seeks", t) for t in self.seeks]
        )


def _as_bits(topics: Iterable[Topic]) -> int:
    order = list(Topic)
    return sum(1 << order.index(topic) for topic in topics)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why two should meet. `seeker` and `giver` are places among those introduced."""

    kind: str
    points: int
    topic: Topic | None = None
    # How the other has it: they offer it, or seek the same.
    by: str = ""
    theme: int | None = None
    seeker: int = 0
    giver: int = 1

    def as_json(self) -> dict[str, Any]:
        """As an introduction keeps it."""
        found: dict[str, Any] = {"kind": self.kind, "points": self.points}
        if self.kind == "wish":
            found |= {"topic": self.topic, "by": self.by}
        if self.kind == "theme":
            found |= {"theme": self.theme}
        return found | {"seeker": self.seeker, "giver": self.giver}


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for a whole pool: how rare its themes are, how crossing weighs, who met before."""

    rarity: Mapping[int, int]
    crossing: int = 2
    # How often two were introduced before; of those in `known` all said yes.
    met: Mapping[frozenset[int], int] = field(default_factory=dict)
    known: frozenset[frozenset[int]] = frozenset()


def rarity(pool: Sequence[Person]) -> Mapping[int, int]:
    """What sharing a theme is worth in this pool."""
    having = Counter(theme for person in pool for theme in person.themes)
    return {
        theme: min(RAREST, round(PER_HALVING * log2(len(pool) / number)))
        for theme, number in having.items()
    }


def terms(
    pool: Sequence[Person],
    *,
    crossing: int = 2,
    met: Mapping[frozenset[int], int] | None = None,
    known: Iterable[frozenset[int]] = (),
) -> Terms:
    """The terms of this pool."""
    return Terms(rarity(pool), crossing, met or {}, frozenset(known))


def may_meet(one: Person, other: Person, terms: Terms) -> bool:
    """Whether nothing forbids it: a language in common, no block either way, not yet known."""
    if one.languages.isdisjoint(other.languages) or one.id == other.id:
        return False
    if other.id in one.never or one.id in other.never:
        return False
    if other.organisation in one.never_at or one.organisation in other.never_at:
        return False
    return not terms.known or frozenset((one.id, other.id)) not in terms.known


def points(one: Person, other: Person, terms: Terms) -> int:
    """How much reason they have to meet; 0: none, or it is forbidden.

    The sum that `reasons` explains, without the explanation: it is asked a million times.
    """
    if not may_meet(one, other, terms):
        return 0
    sum_ = _wishes_points(one, other)
    if one.themes and other.themes and (shared := one.themes & other.themes):
        for worth, _ in _rarest(shared, terms):
            sum_ += _to_taste(worth, "theme", one, other)
    if terms.crossing and one.side and other.side and one.side != other.side:
        sum_ += _to_taste(CROSSING[terms.crossing], "shores", one, other)
    if not sum_:
        return 0
    if one.city and one.city == other.city:
        sum_ += SAME_CITY
    if one.organisation and one.organisation == other.organisation:
        sum_ -= SAME_ORGANISATION
    if terms.met and (times := terms.met.get(frozenset((one.id, other.id)), 0)):
        sum_ -= min(AGAIN * times, AGAIN_MOST)
    return max(1, sum_)


def _wishes_points(one: Person, other: Person) -> int:
    forth = (one.seek_bits & other.give_bits).bit_count()
    back = (other.seek_bits & one.give_bits).bit_count()
    together = (one.alike_bits & other.alike_bits).bit_count()
    if not forth and not back and not together:
        return 0
    first = FIRST + (MUTUAL // 2 if forth and back else 0)
    ways = (forth > 0) + (back > 0)
    further = forth + back - ways
    if not one.taste and not other.taste:
        return first * ways + FURTHER * further + TOGETHER * together
    return (
        _to_taste(first, "wish", one, other) * ways
        + _to_taste(FURTHER, "wish", one, other) * further
        + _to_taste(TOGETHER, "wish", one, other) * together
    )


def _rarest(shared: frozenset[int], terms: Terms) -> list[tuple[int, int]]:
    """The rarest shared themes that are worth something: (points, theme)."""
    found = sorted(((terms.rarity.get(theme, 0), theme) for theme in shared), reverse=True)
    return [(worth, theme) for worth, theme in found[:THEMES] if worth > 0]


def reasons(people: Sequence[Person], terms: Terms) -> list[Reason]:
    """Why these two or three should meet, the weightiest first; places are those of `people`."""
    found = [
        Reason(
            reason.kind,
            reason.points,
            reason.topic,
            reason.by,
            reason.theme,
            (at, to)[reason.seeker],
            (at, to)[reason.giver],
        )
        for at in range(len(people))
        for to in range(at + 1, len(people))
        for reason in _reasons(people[at], people[to], terms)
    ]
    return sorted(found, key=lambda r: (-r.points, r.kind, r.seeker, r.giver, str(r.topic)))


def _reasons(one: Person, other: Person, terms: Terms) -> Iterator[Reason]:
    """The reasons of a pair that may meet, each with the points it is worth to them."""
    forth = _answered(one, other, 0, 1)
    back = _answered(other, one, 1, 0)
    for way in (forth, back):
        for number, (topic, by, seeker, giver) in enumerate(way):
            worth = FURTHER if number else FIRST + (MUTUAL // 2 if forth and back else 0)
            yield Reason(
                "wish", _to_taste(worth, "wish", one, other), topic, by, None, seeker, giver
            )
    for topic in sorted((one.seeks & other.seeks & ALIKE) - one.offers - other.offers):
        worth = _to_taste(TOGETHER, "wish", one, other)
        yield Reason("wish", worth, topic, "seeks", None, 0, 1)
    for worth, theme in _rarest(one.themes & other.themes, terms):
        yield Reason("theme", _to_taste(worth, "theme", one, other), theme=theme)
    if one.side is not None and other.side is not None and one.side != other.side:
        worth = CROSSING[terms.crossing]
        if worth:
            yield Reason("shores", _to_taste(worth, "shores", one, other))


def _answered(
    one: Person, other: Person, seeker: int, giver: int
) -> list[tuple[Topic, str, int, int]]:
    if not one.seeks:
        return []
    found = []
    for topic in sorted(one.seeks):
        for by, answer in ANSWERS[topic]:
            if answer in (other.offers if by == "offers" else other.seeks):
                found.append((topic, by, seeker, giver))
                break
    return found


def _to_taste(worth: int, kind: str, one: Person, other: Person) -> int:
    if not one.taste and not other.taste:
        return worth
    percent = one.taste.get(kind, 0) + other.taste.get(kind, 0)
    return max(1, worth * (100 + percent) // 100)


def taste(rated: Iterable[tuple[Iterable[str], int]]) -> Mapping[str, int]:
    """How kinds of reasons weigh for somebody who gave these stars to introductions for them.

    Three stars change nothing; not having met counts as no stars do: not at all.
    """
    sums: Counter[str] = Counter()
    for kinds, stars in rated:
        for kind in set(kinds):
            sums[kind] += (stars - 3) * PER_STAR
    return {
        kind: max(-TASTE_MOST, min(TASTE_MOST, percent))
        for kind, percent in sums.items()
        if percent
    }
