"""After a week: did you meet, and how was it; what is said weighs in the next round."""

from datetime import timedelta

from storage import introduction_pools
from tests.acquaintances import a_round, two
from tests.town import EVE, Town


async def test_after_a_week_both_are_asked_once_and_the_stars_weigh(town: Town):
    amal, bilal = await two(town)
    await a_round(town)
    await amal.taps("✅ Oui, volontiers")
    await bilal.taps("✅ نعم، عرّفونا")
    await town.is_now(EVE)
    amal.heard(), bilal.heard()
    await town.is_now(EVE + timedelta(days=6))
    assert amal.heard() == []
    for _ in range(2):
        await town.is_now(EVE + timedelta(days=7))
    assert amal.heard() == [
        "Avez-vous rencontré Bilal ?\n[Oui, nous nous sommes vus] [Non, pas cette fois]"
    ]
    assert bilal.heard() == ["هل التقيتم مع Amal؟\n[نعم، التقينا] [لا، لم نلتق]"]
    assert await amal.taps("Oui, nous nous sommes vus") == [
        "Comment était-ce ? Personne d'autre ne lit votre réponse.\n[1 ★] [2 ★] [3 ★] [4 ★] [5 ★]"
    ]
    assert await amal.taps("5 ★") == ["Merci : cela m'aide à vous proposer les bonnes personnes."]
    await bilal.taps("لا، لم نلتق")
    async with town.app.storage.read() as db:
        people = await introduction_pools.pool(db)
    assert [dict(person.taste) for person in people] == [{"wish": 10, "shores": 10}, {}]
