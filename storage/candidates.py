"""Candidates: the sparse graph of who might be introduced to whom.

For each person the best are found through inverted indexes over what people have, seek, care for
and speak: a long number with a bit for each person, so that "speaks French, offers what I seek, on
the other shore" is two ands. The likeliest kinds are looked at first, each person beginning at
another place, so that a thousand who seek the same don't all look at the same ten.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from storage.affinity import ALIKE, ANSWERS, Person, Terms, Token, points
from storage.tables import Side

# Up to so many people every pair is looked at; beyond, so many for each person.
EVERY_PAIR, LOOKED_AT = 320, 32

Edge = tuple[int, int]


def candidates(people: Sequence[Person], terms: Terms, most: int) -> dict[Edge, int]:
    """The edges of the sparse graph, the best `most` of each person, with their affinity."""
    index = _Index(people) if len(people) > EVERY_PAIR else None
    best: list[list[tuple[int, int, int]]] = [[] for _ in people]
    seen: dict[Edge, int] = {}
    for at, person in enumerate(people):
        others = index.for_(at, terms) if index else range(at + 1, len(people))
        for other in others:
            edge = (at, other) if at < other else (other, at)
            if edge in seen:
                continue
            seen[edge] = affinity = points(person, people[other], terms)
            if affinity:
                # Those who met before come after all others, or they would crowd them out.
                times = again(people, edge, terms)
                best[at].append((times, -affinity, other))
                best[other].append((times, -affinity, at))
    edges: dict[Edge, int] = {}
    for at, found in enumerate(best):
        for _, affinity, other in sorted(found)[:most]:
            edges[min(at, other), max(at, other)] = -affinity
    return edges


class _Index:
    """Who has what, as long numbers with a bit for each person."""

    def __init__(self, people: Sequence[Person]) -> None:
        self._people = people
        self._all = (1 << len(people)) - 1
        sets: dict[object, list[int]] = defaultdict(list)
        for at, person in enumerate(people):
            for key in _keys(person):
                sets[key].append(at)
        self._bits = {key: _bits(members, len(people)) for key, members in sets.items()}

    def for_(self, at: int, terms: Terms) -> Iterator[int]:
        """The likeliest candidates of one person, at most LOOKED_AT: the best kinds first."""
        person, bits = self._people[at], self._bits
        speak = _any(bits.get(("speaks", code), 0) for code in person.languages) & ~(1 << at)
        have = _any(bits.get(answer, 0) for answer in _wanted(person))
        want = _any(bits.get(("wants", *token), 0) for token in person.has)
        across = _any(bits.get(side, 0) for side in Side if side != person.side)
        if person.side is None or not terms.crossing:
            across = 0
        themes = sorted(person.themes, key=lambda theme: (-terms.rarity.get(theme, 0), theme))
        rare = [bits.get(("theme", theme), 0) for theme in themes]
        themed, rarest = _any(rare), rare[0] if rare else 0
        both, either = have & want, have | want
        seen, number = 0, 0
        for kind in (
            both & across & rarest,
            both & rarest,
            both & across & themed,
            both & across,
            both & themed,
            either & across & rarest,
            both,
            either & across & themed,
            either & rarest,
            either & across,
            across & rarest,
            either,
            themed,
            across,
        ):
            fresh = kind & speak & ~seen
            for other in _ones(fresh, at, LOOKED_AT - number):
                number += 1
                seen |= 1 << other
                yield other
            if number >= LOOKED_AT:
                return


def _keys(person: Person) -> Iterator[object]:
    yield person.side
    for code in person.languages:
        yield "speaks", code
    for theme in person.themes:
        yield "theme", theme
    yield from person.has
    for token in _wanted(person):
        yield "wants", *token


def _wanted(person: Person) -> set[Token]:
    """All that would answer a wish of theirs in somebody else."""
    answers = {answer for topic in person.seeks for answer in ANSWERS[topic]}
    return answers | {("seeks", topic) for topic in person.seeks & ALIKE}


def _bits(members: Iterable[int], length: int) -> int:
    flags = bytearray(length // 8 + 1)
    for at in members:
        flags[at >> 3] |= 1 << (at & 7)
    return int.from_bytes(flags, "little")


def _any(numbers: Iterable[int]) -> int:
    found = 0
    for number in numbers:
        found |= number
    return found


def _ones(number: int, start: int, limit: int) -> list[int]:
    """Some of the bits that are set, from `start` on and round: everybody begins elsewhere."""
    found: list[int] = []
    low = number & ((1 << start) - 1)
    for part, offset in ((number >> start, start), (low, 0)):
        rest = part
        while rest and len(found) < limit:
            one = rest & -rest
            found.append(one.bit_length() - 1 + offset)
            rest ^= one
    return found


def widen(
    people: Sequence[Person], alone: Sequence[int], edges: dict[Edge, int], terms: Terms
) -> bool:
    """Add every candidate of those who are alone. Says whether there were more."""
    before = len(edges)
    for at in alone[:EVERY_PAIR]:
        for other in range(len(people)):
            edge = (min(at, other), max(at, other))
            if other != at and edge not in edges:
                affinity = points(people[at], people[other], terms)
                if affinity:
                    edges[edge] = affinity
    return len(edges) > before


def again(people: Sequence[Person], edge: Edge, terms: Terms) -> int:
    """How often these two were introduced before."""
    if not terms.met:
        return 0
    return terms.met.get(frozenset((people[edge[0]].id, people[edge[1]].id)), 0)
