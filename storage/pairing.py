"""Pairing: a whole pool at once, so that the sum of its affinities is as large as can be.

Candidates come first: for each person the best, found through inverted indexes over what people
have, seek, care for and speak (a bit for each person, so that "speaks French, offers what I seek, on
the other shore" is two ands of long numbers). They make a sparse graph, which is matched by weight.
The weights say, each before the next: nobody is left out who need not be, those first who were left
out last time; nobody meets again who need not; the affinity is as high as can be.

A matching of the whole graph is exact. Its cost grows faster than the pool, and the library holds
the interpreter while it works; so beyond `WHOLE` people the pool is matched district by district,
each exactly, and then in new districts across the old, which can only make it better. That costs a
few percent, and lets everything else in the process go on meanwhile.

Who is left over makes a trio with the pair that suits them best. Everything is sorted and whole, so
the same pool gives the same pairs. This computes for seconds: call it in a thread.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from storage.affinity import Person, Terms, may_meet, points
from storage.candidates import EVERY_PAIR, Edge, again, candidates, widen

# How many of the candidates looked at become edges for each person.
BEST_OF_FEW, BEST, BEST_AFAR = 40, 14, 8
# Up to so many people the graph is matched as a whole; beyond, in districts of so many people, and
# so often across them.
WHOLE, DISTRICT, SWEEPS = 1200, 600, 2
# The languages of the house: whoever speaks none of them is best near others like them.
COMMON = frozenset(("fr", "ar", "en"))
# Weights: more than all affinities together; and than all repeats together.
AGAIN, COVER = 1 << 26, 1 << 42
# Of equally good pairings one must be the best, or chance inside the library would choose: a small
# number of each pair's own decides. It takes so many bits, and all of them together so many.
OWN, BELOW = 16, 30


@dataclass(frozen=True, slots=True)
class Group:
    """Two or three people to be introduced, and their affinity (a trio's is the sum of its three)."""

    people: tuple[Person, ...]
    affinity: int


@dataclass(frozen=True, slots=True)
class Pairing:
    """Who meets whom. `left_out` tells why: lonely (nobody suits them), or odd."""

    groups: tuple[Group, ...]
    left_out: tuple[tuple[Person, str], ...]


def pair(pool: Sequence[Person], terms: Terms, *, whole: int = WHOLE) -> Pairing:
    """Pair the pool, up to `whole` people as one graph. The order of `pool` makes no difference."""
    people = sorted(pool, key=lambda person: person.id)
    mates = _whole(people, terms) if len(people) <= whole else _by_districts(people, terms)
    alone = [at for at in range(len(people)) if at not in mates]
    return _grouped(people, mates, alone, terms)


def _whole(people: Sequence[Person], terms: Terms) -> dict[int, int]:
    """Everybody's mate, by the place in the pool: exact, on the sparse graph."""
    affinities = candidates(people, terms, BEST if len(people) > EVERY_PAIR else BEST_OF_FEW)
    mates = _exactly(range(len(people)), _weighed(people, affinities, terms))
    # A sparse graph may hide the partner of whoever is left: look at all of theirs, once.
    alone = [at for at in range(len(people)) if at not in mates]
    if len(alone) > 1 and widen(people, alone, affinities, terms):
        mates = _exactly(range(len(people)), _weighed(people, affinities, terms))
    return mates


def _by_districts(people: Sequence[Person], terms: Terms) -> dict[int, int]:
    """The same for a large pool: each district by itself, then new districts across the old."""
    number = -(-len(people) // DISTRICT)
    home = sorted(range(len(people)), key=lambda at: _neighbourhood(people[at], terms))
    mates: dict[int, int] = {}
    for first in range(number):
        own = sorted(home[first * len(home) // number : (first + 1) * len(home) // number])
        for one, other in _whole([people[at] for at in own], terms).items():
            mates[own[one]] = own[other]
    edges = candidates(people, terms, BEST_AFAR)
    for one, other in mates.items():
        edges[min(one, other), max(one, other)] = points(people[one], people[other], terms)
    weights = _weighed(people, edges, terms)
    near: list[list[tuple[int, int]]] = [[] for _ in people]
    for (one, other), weight in weights.items():
        near[one].append((-weight, other))
        near[other].append((-weight, one))
    for found in near:
        found.sort()
    for sweep in range(SWEEPS):
        for district in _districts(near, mates, sweep):
            inside = set(district)
            own_weights = {
                (one, other): -weight
                for one in district
                for weight, other in near[one]
                if one < other and other in inside
            }
            better = _exactly(district, own_weights)
            for one in district:
                mates.pop(one, None)
            mates.update(better)
    return mates


def _neighbourhood(person: Person, terms: Terms) -> tuple[object, ...]:
    """What puts people next to those they may care for: a language, then the rarest theme."""
    themes = sorted(person.themes, key=lambda theme: (-terms.rarity.get(theme, 0), theme))
    return (not person.languages & COMMON, themes[:2], person.id)


# --- matching ---------------------------------------------------------------------------------


def _weighed(people: Sequence[Person], edges: dict[Edge, int], terms: Terms) -> dict[Edge, int]:
    """The weight of each edge: covering, then not meeting again, then affinity."""
    # Who was left out weighs more than any number of repeats, and than another's first turn.
    cover = [COVER * (1 + 4 * min(person.passed_over, 3)) for person in people]
    return {
        edge: (affinity + cover[edge[0]] + cover[edge[1]] - AGAIN * again(people, edge, terms))
        * (1 << BELOW)
        + _own(people[edge[0]].id, people[edge[1]].id)
        for edge, affinity in sorted(edges.items())
    }


def _own(one: int, other: int) -> int:
    """A number that looks like chance and isn't (Knuth's multiplicative hash)."""
    return ((one * 2_654_435_761 ^ other * 40_503_011) >> 7) & ((1 << OWN) - 1)


def _exactly(nodes: Sequence[int], weights: dict[Edge, int]) -> dict[int, int]:
    import rustworkx  # noqa: PLC0415  # a compiled library that only rounds need

    graph = rustworkx.PyGraph(multigraph=False)
    graph.add_nodes_from(list(nodes))
    places = {node: place for place, node in enumerate(nodes)}
    graph.add_edges_from(
        [(places[one], places[other], weight) for (one, other), weight in weights.items()]
    )
    # With weights above 0 for each person who is covered, the heaviest matching is a largest one.
    matching = rustworkx.max_weight_matching(graph, weight_fn=int)
    mates = {}
    for one, other in matching:
        mates[nodes[one]] = nodes[other]
        mates[nodes[other]] = nodes[one]
    return mates


def _districts(
    near: Sequence[list[tuple[int, int]]], mates: dict[int, int], sweep: int
) -> Iterator[list[int]]:
    """Neighbourhoods of about DISTRICT people, mates together; around others in each sweep.

    Those who lose most against their best candidate come first.
    """

    def regret(at: int) -> tuple[int, int]:
        mate = mates.get(at)
        own = next((-weight for weight, other in near[at] if other == mate), 0)
        best = -near[at][0][0] if near[at] else 0
        return (own - best, (at * 7919 + sweep * 104_729) % len(near))

    taken: set[int] = set()
    district: list[int] = []
    for start in sorted(range(len(near)), key=regret):
        queue = deque([start])
        while queue:
            at = queue.popleft()
            if at in taken:
                continue
            for one in (at, mates.get(at)):
                if one is not None and one not in taken:
                    taken.add(one)
                    district.append(one)
                    queue.extend(other for _, other in near[one])
            if len(district) >= DISTRICT:
                yield sorted(district)
                district = []
                queue.clear()
    if district:
        yield sorted(district)


# --- trios, and who is left -------------------------------------------------------------------


def _grouped(
    people: Sequence[Person], mates: dict[int, int], alone: Sequence[int], terms: Terms
) -> Pairing:
    groups = {one: [one, other] for one, other in mates.items() if one < other}
    left: list[tuple[Person, str]] = []
    # Those who were left out longest choose first.
    for at in sorted(alone, key=lambda at: (-people[at].passed_over, at)):
        found = _best_pair(people, at, groups, terms)
        if found is not None:
            groups[found].append(at)
            continue
        lonely = not any(points(people[at], other, terms) for other in people)
        left.append((people[at], "lonely" if lonely else "odd"))
    return Pairing(
        tuple(_group([people[at] for at in group], terms) for _, group in sorted(groups.items())),
        tuple(left),
    )


def _best_pair(
    people: Sequence[Person], at: int, groups: dict[int, list[int]], terms: Terms
) -> int | None:
    """The pair to make a trio with: no repeat if that can be, one language for all three."""
    best: tuple[int, int, int] | None = None
    person = people[at]
    for key, group in groups.items():
        if len(group) != 2:  # noqa: PLR2004  # trios are as large as it gets
            continue
        one, other = people[group[0]], people[group[1]]
        if not person.languages & one.languages & other.languages:
            continue
        if not may_meet(person, one, terms) or not may_meet(person, other, terms):
            continue
        sum_ = points(person, one, terms) + points(person, other, terms)
        if not sum_:
            continue
        times = sum(again(people, (at, mate), terms) for mate in group)
        # Rather left out once than with somebody they met; but not twice running.
        if times and not person.passed_over:
            continue
        found = (-times, sum_, -key)
        if best is None or found > best:
            best = found
    return None if best is None else -best[2]


def _group(people: Sequence[Person], terms: Terms) -> Group:
    affinity = sum(
        points(people[at], people[to], terms)
        for at in range(len(people))
        for to in range(at + 1, len(people))
    )
    return Group(tuple(people), affinity)
