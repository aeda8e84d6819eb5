"""Who meets whom at the next tables: nobody twice while that can be avoided, nobody alone.

All at once, by a matching of maximum weight (Galil 1986, in rustworkx): a pair that has not met
outweighs whatever the pairs that have could bring, so no pair repeats while a pairing without
repetition exists; among those, shared themes count, rare ones more, and the other shore. The odd one
out makes the trio that repeats the least. The same people give the same tables.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from storage.tables import Side

Pair = frozenset[int]

# Of a theme that everybody shares little is left, of one that two share nearly all; the shore is
# worth two rare themes.
_THEME, _SHORE = 100, 200


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody to be seated."""

    id: int
    side: Side | None
    themes: frozenset[int]


def draw(guests: Collection[Guest], met: Mapping[Pair, int]) -> Sequence[Sequence[int]]:
    """The tables, each with two people, one with three if their number is odd, or one alone.

    `met` tells how often a pair has sat together before.
    """
    people = sorted(guests, key=lambda one: one.id)
    if len(people) < 2:  # noqa: PLR2004  # it takes two
        return [[one.id] for one in people]
    worth = _worths(people)
    pairs = _matched(people, worth, met)
    seated = {one for pair in pairs for one in pair}
    tables = sorted(sorted(pair) for pair in pairs)
    for odd in (one.id for one in people if one.id not in seated):
        tables.sort(key=lambda pair: (sum(met.get(frozenset((odd, one)), 0) for one in pair), pair))
        tables[0] = sorted([*tables[0], odd])
    return sorted(tables)


def _worths(people: Sequence[Guest]) -> dict[Pair, int]:
    follow = Counter(theme for one in people for theme in one.themes)
    worth = {}
    for one, other in combinations(people, 2):
        shared = one.themes & other.themes
        here = sum(_THEME * 2 // follow[theme] for theme in shared)
        if one.side and other.side and one.side != other.side:
            here += _SHORE
        worth[frozenset((one.id, other.id))] = here
    return worth


def _matched(
    people: Sequence[Guest], worth: Mapping[Pair, int], met: Mapping[Pair, int]
) -> Sequence[Pair]:
    import rustworkx  # noqa: PLC0415  # heavy, and only networking needs it

    graph = rustworkx.PyGraph(multigraph=False)
    nodes = {one.id: graph.add_node(one.id) for one in people}
    # One meeting again costs more than all that the other tables could gain.
    again = 1 + sum(sorted(worth.values())[-len(people) // 2 :])
    most = max(met.values(), default=0)
    for pair, value in worth.items():
        one, other = sorted(pair)
        weight = value + again * (most - met.get(pair, 0))
        graph.add_edge(nodes[one], nodes[other], weight)
    found = rustworkx.max_weight_matching(graph, max_cardinality=True, weight_fn=int)
    return sorted((frozenset((graph[a], graph[b])) for a, b in found), key=sorted)
