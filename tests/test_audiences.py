"""Audiences: what is a rule, and that SQL finds exactly those whom it means."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import select

from storage import audiences, cities, members
from storage.audiences import BadRule
from storage.database import open_storage
from storage.tables import Member, Side
from tests import crowds

EVERYONE = {"everyone": True}


def deep(levels):
    rule: dict[str, object] = {**EVERYONE}
    for _ in range(levels - 1):
        rule = {"not": rule}
    return rule


@pytest.mark.parametrize(
    "rule",
    [
        *(None, [], "everyone", {}, {"nobody": True}, {"everyone": 1}, {"everyone": False}),
        {"everyone": True, "not": EVERYONE},
        *({"event": 1}, {"event": 1, "states": []}, {"event": 1, "states": ["seated"]}),
        {"event": 1, "states": "confirmed"},
        {"event": 1, "states": ["confirmed"] * 6},
        *({"event": value, "states": ["confirmed"]} for value in (0, True, "1", 1.0, 2**31)),
        *({"session": 1}, {"session": 1, "states": [None]}, {"session": 1, "states": [["x"]]}),
        *({"country": ""}, {"country": None}, {"country": "F\0"}),
        *({"city": ""}, {"city": "!?"}, {"city": "x" * 81}, {"city": ["lyon"]}),
        *({"themes": []}, {"themes": 1}, {"themes": [0]}, {"themes": list(range(1, 102))}),
        *({"side": "left"}, {"side": None}, {"language": 1}, {"post": None}),
        *({"received": -1}, {"unanswered": "4"}, {"unanswered": 4, "answers": [0]}),
        *({"answered": 4, "answers": []}, {"answered": 4, "answers": [-1]}),
        {"answered": 4, "answers": [True]},
        *({"all": []}, {"any": EVERYONE}, {"all": [EVERYONE, None]}, {"not": [EVERYONE]}),
        deep(audiences.DEEPEST + 1),
        {"any": [EVERYONE] * audiences.MOST_RULES},
    ],
    ids=repr,
)
def test_what_is_no_rule_is_refused(rule):
    with pytest.raises(BadRule):
        audiences.condition(rule)


@pytest.mark.parametrize(
    "rule",
    [
        deep(audiences.DEEPEST),
        {"any": [EVERYONE] * (audiences.MOST_RULES - 1)},
        {"event": 2**31 - 1, "states": ["confirmed", "offered"]},
        {"answered": 4},
    ],
    ids=lambda rule: repr(rule)[:40],
)
async def test_a_rule_of_the_largest_size_is_read(storage, rule):
    async with storage.read() as db:
        assert (await db.scalars(select(Member.id).where(audiences.condition(rule)))).all() == []


def test_a_rule_finds_exactly_those_whom_it_means(database_url):
    runner = asyncio.Runner()
    opened = open_storage(database_url)
    storage = runner.run(opened.__aenter__())

    async def found(crowd, rules):
        async with storage.read() as db:
            # What is written in a reading transaction is forgotten.
            ids = await crowds.settle(db, crowd)
            for rule in rules:
                meant = {id_ for id_, soul in ids.items() if crowds.means(rule, soul)}
                for of_all in (False, True):
                    chosen = select(Member.id).where(audiences.condition(rule, of_all=of_all))
                    assert set(await db.scalars(chosen)) == meant

    @settings(
        max_examples=60,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(
        crowd=some.lists(crowds.souls(), min_size=1, max_size=6),
        rules=some.lists(crowds.rules(), min_size=3, max_size=6),
    )
    def check(crowd, rules):
        runner.run(found(crowd, rules))

    try:
        check()
    finally:
        runner.run(opened.__aexit__(None, None, None))
        runner.close()


@pytest.mark.parametrize(
    ("typed", "other"),
    [
        ("Lyon", "  lyon"),
        ("Lyon", "ليون"),
        ("Fès", "Fez"),
        ("الدار البيضاء", "casa"),
        ("الدّار البيضاء", "Casablanca"),
        ("Saint-Étienne", "st etienne"),
        ("Ville-d'Avray", "ville d avray"),
    ],
)
async def test_a_city_is_found_however_it_is_written(storage, typed, other):
    async with storage.begin() as db:
        member = await members.meet(db, "telegram", "1", crowds.NOON)
        profile = members.Profile("Amal", "FR", typed, None, None, (), Side.DIASPORA)
        await members.register(db, member, profile, crowds.NOON)
    async with storage.read() as db:
        for city, expected in ((other, 1), (cities.key(other), 1), ("Lille", 0)):
            rows = select(Member.id).where(audiences.condition({"city": city}))
            assert len((await db.scalars(rows)).all()) == expected


def test_no_name_belongs_to_two_cities():
    names = [cities.key(name) for line in cities.NAMES for name in line.split(",")]
    doubled = {name for name in names if names.count(name) > 1}
    # The same name, written with and without accents, may stand in one line twice.
    assert all(
        sum(name in map(cities.key, line.split(",")) for line in cities.NAMES) == 1
        for name in doubled
    )
    assert "" not in names
