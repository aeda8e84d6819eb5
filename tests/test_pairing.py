"""Pairing: nothing forbidden, nothing by chance, nobody left out twice, no repeat while avoidable."""

import random

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.affinity import Person, Terms, may_meet, points, reasons, taste, terms
from storage.candidates import EVERY_PAIR
from storage.pairing import WHOLE, Pairing, pair
from storage.tables import Side, Topic

TOPICS = list(Topic)


def pool(number: int, seed: int = 1) -> list[Person]:
    """A pool as an evening in Lyon brings together."""
    chance = random.Random(seed)  # noqa: S311  # a test's people
    spoken = (("fr", 0.85), ("ar", 0.6), ("en", 0.35), ("es", 0.1), ("nl", 0.07))
    return [
        Person(
            id=id_,
            side=chance.choice(list(Side)),
            languages=frozenset(c for c, p in spoken if chance.random() < p) or frozenset({"fr"}),
            offers=frozenset(chance.sample(TOPICS, chance.randint(0, 3))),
            seeks=frozenset(chance.sample(TOPICS, chance.randint(1, 3))),
            themes=frozenset(int(min(39, chance.expovariate(0.12))) for _ in range(3)),
            organisation=f"org{chance.randrange(number // 4 + 1)}",
            city=f"city{chance.randrange(30)}",
        )
        for id_ in range(1, number + 1)
    ]


def in_pairs(pairing: Pairing):
    return [(one.id, other.id) for group in pairing.groups for one, other in pairs_of(group)]


def pairs_of(group):
    people = group.people
    return [(a, b) for at, a in enumerate(people) for b in people[at + 1 :]]


people = st.builds(
    Person,
    id=st.integers(1, 40),
    side=st.sampled_from([None, *Side]),
    languages=st.frozensets(st.sampled_from(["fr", "ar", "en"]), max_size=2),
    offers=st.frozensets(st.sampled_from(TOPICS), max_size=3),
    seeks=st.frozensets(st.sampled_from(TOPICS), max_size=3),
    themes=st.frozensets(st.integers(1, 6), max_size=3),
    organisation=st.sampled_from(["", "a", "b", "c"]),
    city=st.sampled_from(["", "lyon", "rabat"]),
    never=st.frozensets(st.integers(1, 40), max_size=3),
    never_at=st.frozensets(st.sampled_from(["a", "b", "c"]), max_size=1),
    passed_over=st.integers(0, 4),
    taste=st.dictionaries(
        st.sampled_from(["wish", "theme", "shores"]), st.integers(-30, 30), max_size=2
    ),
)
pools = st.lists(people, max_size=24, unique_by=lambda person: person.id)
mets = st.dictionaries(
    st.frozensets(st.integers(1, 40), min_size=2, max_size=2), st.integers(1, 3), max_size=12
)
knowns = st.frozensets(st.frozensets(st.integers(1, 40), min_size=2, max_size=2), max_size=6)


@given(pools, mets, knowns, st.integers(0, 3))
def test_blocks_languages_and_former_meetings_are_never_violated(them, met, known, crossing):
    paired = pair(them, terms(them, crossing=crossing, met=met, known=known))
    placed = [person.id for group in paired.groups for person in group.people]
    out = [person.id for person, _ in paired.left_out]
    assert sorted([*placed, *out]) == sorted(person.id for person in them)
    for group in paired.groups:
        assert len(group.people) in (2, 3)
        assert frozenset.intersection(*(person.languages for person in group.people))
        for one, other in pairs_of(group):
            assert one.id not in other.never
            assert other.id not in one.never
            assert one.organisation not in other.never_at
            assert other.organisation not in one.never_at
            assert frozenset((one.id, other.id)) not in known


@given(pools, mets, st.randoms(use_true_random=False))
def test_the_same_pool_gives_the_same_pairs_in_whatever_order(them, met, chance):
    shuffled = list(them)
    chance.shuffle(shuffled)
    assert pair(shuffled, terms(shuffled, met=met)) == pair(them, terms(them, met=met))


@given(people, people, st.integers(0, 3))
def test_points_are_the_sum_of_the_reasons(one, other, crossing):
    them = [one, other, *pool(6)]
    those = terms(them, crossing=crossing)
    if not may_meet(one, other, those):
        assert points(one, other, those) == 0
        return
    sum_ = sum(reason.points for reason in reasons([one, other], those))
    if sum_:
        sum_ += 5 * (one.city == other.city != "")
        sum_ = max(1, sum_ - 80 * (one.organisation == other.organisation != ""))
    assert points(one, other, those) == points(other, one, those) == sum_


def test_a_former_introduction_and_the_same_organisation_count_against():
    one, other = pool(2)
    one = Person(one.id, None, frozenset({"fr"}), seeks=frozenset({Topic.JOB}), organisation="a")
    other = Person(2, None, frozenset({"fr"}), offers=frozenset({Topic.JOB}))
    same = Person(2, None, other.languages, offers=other.offers, organisation="a")
    fresh = Terms({})
    assert points(one, other, fresh) == 120
    assert points(one, same, fresh) == 40
    assert points(one, other, Terms({}, met={frozenset((1, 2)): 1})) == 60
    assert points(one, other, Terms({}, known=frozenset([frozenset((1, 2))]))) == 0


def test_rare_themes_weigh_more():
    many = [Person(at, None, frozenset({"fr"}), themes=frozenset({1})) for at in range(1, 9)]
    rare = [Person(at, None, frozenset({"fr"}), themes=frozenset({2})) for at in (9, 10)]
    those = terms([*many, *rare])
    assert points(many[0], many[1], those) == 4
    assert points(rare[0], rare[1], those) == 28


def test_what_was_said_of_meetings_weighs():
    assert taste([(["theme", "wish"], 5), (["theme"], 4)]) == {"theme": 15, "wish": 10}
    assert taste([(["wish"], 1)] * 9) == {"wish": -30}
    assert taste([(["wish"], 3)]) == {}
    one = Person(1, Side.MOROCCO, frozenset({"fr"}), taste={"shores": 30})
    other = Person(2, Side.DIASPORA, frozenset({"fr"}), taste={"shores": -10})
    assert points(one, other, Terms({})) == 72


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000))
def test_no_less_than_99_percent_of_the_best_that_could_be(seed):
    them = pool(60, seed)
    those = terms(them)
    graph = nx.Graph()
    for at, one in enumerate(them):
        for other in them[at + 1 :]:
            if worth := points(one, other, those):
                graph.add_edge(one.id, other.id, weight=worth)
    best = sum(
        graph[one][other]["weight"]
        for one, other in nx.max_weight_matching(graph, maxcardinality=True)
    )
    paired = pair(them, those)
    assert len(paired.groups) * 2 == len(them)
    assert sum(group.affinity for group in paired.groups) >= 0.99 * best


def test_twenty_rounds_of_101_people_repeat_nothing_and_leave_nobody_out_twice():
    them, met, out_before = pool(101), {}, set()
    for _ in range(20):
        paired = pair(them, terms(them, met=met))
        for one, other in in_pairs(paired):
            two = frozenset((one, other))
            assert two not in met
            met[two] = 1
        out = {person.id for person, _ in paired.left_out}
        assert not out & out_before
        out_before = out
        them = [
            Person(**{**fields(one), "passed_over": one.passed_over + 1 if one.id in out else 0})
            for one in them
        ]


def fields(person: Person):
    names = ("id", "side", "languages", "offers", "seeks", "themes", "organisation", "city")
    return {name: getattr(person, name) for name in names}


def test_a_repeat_comes_only_when_nothing_else_is_left():
    them = [Person(at, side, frozenset({"fr"})) for at, side in enumerate((*Side, *Side), 1)]
    met: dict[frozenset[int], int] = {}
    for _ in range(2):
        for two in in_pairs(pair(them, terms(them, met=met))):
            met[frozenset(two)] = met.get(frozenset(two), 0) + 1
    assert sorted(met.values()) == [1, 1, 1, 1]
    again = pair(them, terms(them, met=met))
    assert len(again.groups) == 2


def test_who_was_left_out_goes_first():
    # Three who share no common language as three: one must be left out, and never the same again.
    them = [
        Person(1, Side.MOROCCO, frozenset({"fr"})),
        Person(2, Side.DIASPORA, frozenset({"fr", "nl"})),
        Person(3, Side.MOROCCO, frozenset({"nl"}), passed_over=1),
    ]
    paired = pair(them, terms(them))
    assert in_pairs(paired) == [(2, 3)]
    assert [(person.id, why) for person, why in paired.left_out] == [(1, "odd")]


def test_the_odd_one_makes_a_trio():
    paired = pair(pool(7), terms(pool(7)))
    assert sorted(len(group.people) for group in paired.groups) == [2, 2, 3]


@pytest.mark.parametrize("number", [EVERY_PAIR + 20, WHOLE + 100])
def test_a_large_pool_is_paired_whole_and_alike(number):
    them = pool(number)
    paired = pair(them, terms(them))
    assert paired == pair(them[::-1], terms(them))
    assert paired.left_out == ()
