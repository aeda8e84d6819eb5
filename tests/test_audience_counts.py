"""How many an audience is: what staff are shown is what is written down when it begins."""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from storage import audience_counts, members, purposes
from storage.audience_counts import Count
from storage.database import open_storage
from storage.tables import Address, Member, Purpose
from tests import crowds
from tests.crowds import NOON

EVERYONE = {"everyone": True}
NEWS = Purpose.ANNOUNCEMENTS


async def someone(db, language, *, agrees=(NEWS,), working=("telegram",), dead=(), country="FR"):
    """A member, with addresses that work and others that don't, the dead ones older."""
    one = Member(role="member", created_at=NOON, registered_at=NOON, language=language)
    one.country = country
    db.add(one)
    await db.flush()
    for channel in (*dead, *working):
        db.add(Address(member_id=one.id, channel=channel, address=f"{channel}-{one.id}"))
        await db.flush()
        if channel in dead:
            await members.unreachable(db, channel, f"{channel}-{one.id}", NOON)
    await purposes.agree(db, one, agrees, NOON, version="test", channel="telegram")
    return one.id


async def count(storage, rule=EVERYONE, **given):
    async with storage.read() as db:
        return await audience_counts.count(db, rule, purpose=NEWS, **given)


async def chosen(storage, rule=EVERYONE, **given):
    async with storage.read() as db:
        rows = await db.execute(audience_counts.recipients(rule, purpose=NEWS, **given))
        return dict(rows.all())


async def test_nobody_is_counted_where_there_is_nobody(storage):
    assert await count(storage) == Count({})
    assert (await count(storage)).meant == 0


async def test_each_member_is_counted_once_under_what_becomes_of_it(storage):
    async with storage.begin() as db:
        amal = await someone(db, "fr")
        bilal = await someone(db, "ar", dead=["telegram"], working=["whatsapp"])
        chaima = await someone(db, "ar", working=["telegram", "whatsapp"])
        await someone(db, "fr", agrees=())
        await someone(db, "fr", agrees=[Purpose.EVENTS], working=())
        await someone(db, "fr", working=(), dead=["telegram"])
        driss = await someone(db, "en")
        await members.meet(db, "telegram", "a stranger", NOON)
    reached = {("fr", "telegram"): 1, ("ar", "whatsapp"): 1, ("ar", "telegram"): 1}
    own = await count(storage)
    assert own == Count(reached | {("en", "telegram"): 1}, opted_out=2, unreachable=1)
    assert (own.people, own.meant) == (4, 7)
    assert own.by_language() == {"ar": 2, "en": 1, "fr": 1}
    assert own.by_channel() == {"telegram": 3, "whatsapp": 1}

    two = {"languages": ["fr", "ar"]}
    assert await count(storage, **two) == Count(reached, opted_out=2, wordless=1, unreachable=1)
    assert await chosen(storage, **two) == {amal: "fr", bilal: "ar", chaima: "ar"}

    one = {"languages": ["fr"], "fallback": "fr"}
    in_french = {("fr", "telegram"): 3, ("fr", "whatsapp"): 1}
    assert await count(storage, **one) == Count(in_french, opted_out=2, unreachable=1)
    assert await chosen(storage, **one) == dict.fromkeys((amal, bilal, chaima, driss), "fr")


async def test_the_area_of_who_sends_it_is_a_border(storage):
    async with storage.begin() as db:
        amal = await someone(db, "fr", country="FR")
        await someone(db, "fr", country="BE")
    near = {"within": {"country": "FR"}}
    assert (await count(storage, **near)).meant == 1
    assert (await count(storage, {"not": {"country": "FR"}}, **near)).meant == 0
    assert await chosen(storage, languages=["fr"], **near) == {amal: "fr"}


def test_those_who_were_counted_are_those_who_are_chosen(database_url):
    runner = asyncio.Runner()
    opened = open_storage(database_url)
    storage = runner.run(opened.__aenter__())
    languages = some.sets(some.sampled_from(crowds.LANGUAGES), min_size=1)

    async def compare(crowd, rule, people, words, fallback):
        async with storage.read() as db:
            ids = await crowds.settle(db, crowd)
            for id_, (agrees, channels) in zip(ids, people, strict=False):
                member = await db.get_one(Member, id_)
                news = [NEWS] if agrees else []
                await purposes.agree(db, member, news, NOON, version="test", channel="telegram")
                for channel, works in channels.items():
                    unreachable = None if works else NOON
                    address = {"channel": channel, "address": f"{channel}-{id_}"}
                    db.add(Address(member_id=id_, unreachable_at=unreachable, **address))
            await db.flush()
            given = {"purpose": NEWS, "languages": words, "fallback": fallback}
            counted = await audience_counts.count(db, rule, **given)
            rows = (await db.execute(audience_counts.recipients(rule, **given))).all()
        assert counted.meant == sum(crowds.means(rule, soul) for soul in ids.values())
        assert counted.people == len(rows) == len({member for member, _ in rows})
        read = [language for _, language in rows]
        assert counted.by_language() == {one: read.count(one) for one in read}

    channels = some.dictionaries(some.sampled_from(["telegram", "whatsapp"]), some.booleans())

    @settings(
        max_examples=40,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(
        crowd=some.lists(crowds.souls(), max_size=5),
        rule=crowds.rules(),
        people=some.lists(some.tuples(some.booleans(), channels), min_size=5, max_size=5),
        words=languages,
        fallback=some.none() | some.sampled_from(crowds.LANGUAGES),
    )
    def check(**drawn):
        runner.run(compare(**drawn))

    try:
        check()
    finally:
        runner.run(opened.__aexit__(None, None, None))
        runner.close()
