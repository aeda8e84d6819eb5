"""People who have reason to meet, and the proposals that they read."""

from storage import introduction_rounds, meeting_profiles, members
from storage.tables import Direction, Occasion, Side, Topic
from tests.town import EVE, Town

SECRET = {"Amal Idrissi": "amal-secret@example.org", "Bilal Naciri": "+212 600 000 000"}


async def wishes_of(db, member):
    """What somebody who has a profile said."""
    wishes = await meeting_profiles.wishes_of(db, member)
    assert wishes is not None
    return wishes


async def joins(town: Town, resident, *, offers=(), seeks=(), speaks=(), contact=None):
    """Somebody takes part in introductions, by the rule."""
    async with town.app.storage.begin() as db:
        member = await town.member_of(db, resident)
        await meeting_profiles.begin(db, member, town.clock.now())
        for direction, topics in ((Direction.OFFERS, offers), (Direction.SEEKS, seeks)):
            for topic in topics:
                wishes = await wishes_of(db, member)
                await meeting_profiles.toggle_topic(db, wishes, direction, topic, EVE)
        for code in speaks:
            wishes = await wishes_of(db, member)
            await meeting_profiles.toggle_language(db, wishes, code, EVE)
        wishes = await wishes_of(db, member)
        meeting_profiles.write_contact(wishes, contact, EVE)
        await meeting_profiles.join(db, member, wishes, EVE, version="t", channel="telegram")
        member.profession = "Ingénieure" if member.name.startswith("Amal") else "Investisseur"


async def two(town: Town):
    """Amal seeks an investor, Bilal is one; they live on different shores."""
    amal = await town.member("Amal Idrissi", "fr", side=Side.MOROCCO)
    bilal = await town.member("Bilal Naciri", "ar")
    await joins(town, amal, seeks=[Topic.INVESTMENT], speaks=["ar"], contact=SECRET["Amal Idrissi"])
    await joins(town, bilal, offers=[Topic.INVESTMENT], contact=SECRET["Bilal Naciri"])
    return amal, bilal


async def agreed(town: Town):
    """Amal in Morocco and Bilal in France have both said yes."""
    amal, bilal = await two(town)
    await lives_by(town, amal, "Africa/Casablanca")
    await lives_by(town, bilal, "Europe/Paris")
    await a_round(town)
    await amal.taps("✅ Oui, volontiers")
    await bilal.taps("✅ نعم، عرّفونا")
    await town.is_now(EVE)
    amal.heard(), bilal.heard()
    return amal, bilal


async def lives_by(town: Town, resident, zone: str):
    """Somebody's day is that of this zone."""
    async with town.app.storage.begin() as db:
        members.set_timezone(await town.member_of(db, resident), zone, None)


async def a_round(town: Town, at=EVE):
    """A round that opens by itself, as the weekly one does; all letters are delivered."""
    async with town.app.storage.begin() as db:
        await introduction_rounds.begin(db, Occasion.WEEKLY, at)
    await town.is_now(at)


PROPOSED_FR = (
    "🤝 Une personne à rencontrer\n\nBilal · Investisseur · Lyon\n\n"
    "• Vous cherchez un investissement ; Bilal peut vous l'apporter.\n"
    "• Vous vivez sur les deux rives : au Maroc et dans la diaspora.\n"
    "• Langues en commun : Arabe\n\n"
    "Si tout le monde dit oui, chacun reçoit les coordonnées de l'autre. "
    "Un non n'est dit à personne.\n"
    "Pour ne plus en recevoir : /stop\n"
    "[✅ Oui, volontiers] [Pas maintenant]\n[🚫 Pas cette personne]"
)
PROPOSED_AR = (
    "🤝 شخص يستحق أن تلتقوا به\n\nAmal · Ingénieure · ليون\n\n"
    "• لدى Amal حاجة إلى استثمار، وهذا متوفر لديكم.\n"
    "• تعيشون على الضفتين: في المغرب وفي المهجر.\n"
    "• اللغات المشتركة: العربية\n\n"
    "إذا وافق الجميع، حصل كل طرف على وسيلة الاتصال بالآخر. ولا يُخبَر أحد بالرفض.\n"
)
