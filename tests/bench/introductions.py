"""Who is introduced to whom: beside the exact optimum, and beside drawing lots; and how long it takes."""

import asyncio
import random
import time

import networkx as nx
from rich.console import Console
from rich.table import Table

from storage.affinity import Person, Terms, points, terms
from storage.pairing import WHOLE, Pairing, pair
from storage.tables import Side, Topic

SMALL, LARGE, DISTRICTS = (101, 300), (1_000, 10_000), (3_000, 10_000)


async def run(console: Console) -> None:
    """Measure: affinity for a few hundred people, seconds for thousands."""
    table = Table(title="Introductions: affinity of the pairs, of the same people")
    for heading in ("people", "exact (networkx)", "Jisr", "of the exact", "drawing lots"):
        table.add_column(heading, justify="right")
    for number in SMALL:
        people = pool(number)
        those = terms(people)
        exact, ours, lots = (
            _exact(people, those),
            _sum(pair(people, those), those),
            _lots(people, those),
        )
        table.add_row(
            f"{number:,}", f"{exact:,}", f"{ours:,}", f"{ours / exact:.1%}", f"{lots / exact:.1%}"
        )
    console.print(table)
    table = Table(title="Introductions: seconds for a whole pool, in a thread")
    for heading in ("people", "wall", "CPU", "the loop waited at most", "paired"):
        table.add_column(heading, justify="right")
    for number in LARGE:
        people = pool(number)
        those = terms(people)
        waited: list[float] = []
        beating = asyncio.create_task(_beat(waited))
        wall, cpu = time.perf_counter(), time.process_time()
        drawn = await asyncio.to_thread(pair, people, those)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        beating.cancel()
        placed = sum(len(group.people) for group in drawn.groups)
        table.add_row(
            f"{number:,}", f"{wall:.1f} s", f"{cpu:.1f} s", f"{max(waited):.2f} s", f"{placed:,}"
        )
    console.print(table)
    table = Table(title="Introductions: districts beside one graph of the whole pool")
    for heading in ("people", "one graph", "CPU", "districts", "CPU", "of the one graph"):
        table.add_column(heading, justify="right")
    for number in DISTRICTS:
        people = pool(number)
        those = terms(people)
        one, one_cpu = _timed(people, those, number)
        ours, ours_cpu = _timed(people, those, WHOLE)
        table.add_row(
            *(f"{number:,}", f"{one:,}", f"{one_cpu:.1f} s"),
            *(f"{ours:,}", f"{ours_cpu:.1f} s", f"{ours / one:.1%}"),
        )
    console.print(table)


def _timed(people: list[Person], those: Terms, whole: int) -> tuple[int, float]:
    cpu = time.process_time()
    drawn = pair(people, those, whole=whole)
    return _sum(drawn, those), time.process_time() - cpu


def pool(number: int) -> list[Person]:
    """People of both shores, a third of whose languages and themes are rare."""
    chance = random.Random(1)  # noqa: S311  # the same people in every run
    spoken = (("fr", 0.85), ("ar", 0.6), ("en", 0.35), ("es", 0.1), ("nl", 0.07), ("de", 0.06))
    return [
        Person(
            id=id_,
            side=chance.choice(list(Side)),
            languages=frozenset(c for c, p in spoken if chance.random() < p) or frozenset({"fr"}),
            offers=frozenset(chance.sample(list(Topic), chance.randint(0, 3))),
            seeks=frozenset(chance.sample(list(Topic), chance.randint(1, 3))),
            themes=frozenset(
                int(min(39, chance.expovariate(0.12))) for _ in range(chance.randint(0, 4))
            ),
            organisation=f"org{chance.randrange(number // 4 + 1)}",
            city=f"city{chance.randrange(30)}",
        )
        for id_ in range(1, number + 1)
    ]


async def _beat(waited: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.005)
        waited.append(time.perf_counter() - before - 0.005)


def _exact(people: list[Person], those: Terms) -> int:
    graph = nx.Graph()
    for at, one in enumerate(people):
        for other in people[at + 1 :]:
            if worth := points(one, other, those):
                graph.add_edge(one.id, other.id, weight=worth)
    matching = nx.max_weight_matching(graph, maxcardinality=True)
    return sum(graph[one][other]["weight"] for one, other in matching)


def _sum(drawn: Pairing, those: Terms) -> int:
    """The affinity of the pairs; of a trio, its best pair: the exact solver makes none."""
    return sum(
        max(
            points(one, other, those)
            for at, one in enumerate(group.people)
            for other in group.people[at + 1 :]
        )
        for group in drawn.groups
    )


def _lots(people: list[Person], those: Terms) -> int:
    """The average of 20 draws, of which a pair that may not meet counts nothing."""
    chance, sums = random.Random(2), 0  # noqa: S311  # drawing lots is what is measured
    for _ in range(20):
        shuffled = chance.sample(people, len(people))
        sums += sum(
            points(one, other, those)
            for one, other in zip(shuffled[::2], shuffled[1::2], strict=False)
        )
    return sums // 20
