"""Amal in Casablanca and Bilal in Paris agree on a time: what each of them reads, and their files."""

from datetime import UTC, datetime, timedelta

import icalendar
from sqlalchemy import select

from storage.tables import (
    Introduction,
)
from tests.acquaintances import SECRET, agreed
from tests.town import EVE, Town

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WEDNESDAY = datetime(2018, 7, 4, 11, tzinfo=UTC)
HINT_FR = (
    "Touchez tous les moments qui vous conviennent. Le premier qui convient à tout le monde est "
    "retenu. Comptez une demi-heure."
)
ASKED_FR = f"📅 Quand rencontrer Bilal ?\n\n{HINT_FR}\n\n"
ASKED_AR = (
    "📅 متى تلتقون مع Amal؟\n\n"
    "اضغطوا على كل وقت يناسبكم. أول وقت يناسب الجميع يُعتمد. مدة اللقاء نصف ساعة.\n\n"
)
ENDS_FR = "[🔄 D'autres moments] [Rencontre impossible]"
ENDS_AR = "[🔄 أوقات أخرى] [اللقاء غير ممكن]"
BUTTONS_FR = ("mer. 4 juil. · 12:00", "jeu. 5 juil. · 18:00", "ven. 6 juil. · 15:00")
BUTTON_AR = "الأربعاء، 4 يوليوز · 13:00"
MEETING_FR = "📅 mercredi 4 juillet 2018\n🕘 12:00 – 12:30 (Casablanca)\n🌍 13:00 – 13:30 (Paris)\n"
MEETING_AR = (
    "📅 الأربعاء، 4 يوليوز 2018\n🕘 13:00 – 13:30 (باريس)\n🌍 12:00 – 12:30 (الدار البيضاء)\n"
)
OUT_FR, OUT_AR = "[Un autre moment] [Rencontre impossible]", "[وقت آخر] [اللقاء غير ممكن]"
BILAL = f"\nBilal Naciri · Investisseur · Lyon\nPour la joindre : {SECRET['Bilal Naciri']}\n"
AMAL = f"\nAmal Idrissi · Ingénieure · ليون\nللاتصال: {SECRET['Amal Idrissi']}\n"
SET_FR = (
    f"🤝 C'est convenu : vous rencontrez Bilal\n\n{MEETING_FR}{BILAL}\n"
    f"Ouvrez le fichier pour l'ajouter à votre calendrier.\n{OUT_FR}"
)
SET_AR = (
    f"🤝 تم الاتفاق: ستلتقون مع Amal\n\n{MEETING_AR}{AMAL}\n"
    f"افتحوا الملف لإضافة اللقاء إلى تقويمكم.\n{OUT_AR}"
)
CLOSED_FR = "(Je ne peux plus organiser cette rencontre. Écrivez-vous directement.)"
# As Amal reads them in Casablanca, and Bilal in Paris: the day, its short form, and both clocks.
FIRST_FR = (
    ("mercredi 4 juillet 2018", "mer. 4 juil.", "12:00", "13:00"),
    ("jeudi 5 juillet 2018", "jeu. 5 juil.", "18:00", "19:00"),
    ("vendredi 6 juillet 2018", "ven. 6 juil.", "15:00", "16:00"),
)
FIRST_AR = (
    ("الأربعاء، 4 يوليوز 2018", "الأربعاء، 4 يوليوز", "13:00", "12:00"),
    ("الخميس، 5 يوليوز 2018", "الخميس، 5 يوليوز", "19:00", "18:00"),
    ("الجمعة، 6 يوليوز 2018", "الجمعة، 6 يوليوز", "16:00", "15:00"),
)
NEXT_FR = (
    ("lundi 9 juillet 2018", "lun. 9 juil.", "11:00", "12:00"),
    ("mardi 10 juillet 2018", "mar. 10 juil.", "18:00", "19:00"),
    ("mercredi 11 juillet 2018", "mer. 11 juil.", "13:00", "14:00"),
)
NEXT_AR = (
    ("الاثنين، 9 يوليوز 2018", "الاثنين، 9 يوليوز", "12:00", "11:00"),
    ("الثلاثاء، 10 يوليوز 2018", "الثلاثاء، 10 يوليوز", "19:00", "18:00"),
    ("الأربعاء، 11 يوليوز 2018", "الأربعاء، 11 يوليوز", "14:00", "13:00"),
)
# Without the day that was called off.
LATER_FR = (
    ("jeudi 5 juillet 2018", "jeu. 5 juil.", "11:00", "12:00"),
    ("vendredi 6 juillet 2018", "ven. 6 juil.", "18:00", "19:00"),
    ("lundi 9 juillet 2018", "lun. 9 juil.", "13:00", "14:00"),
)
LATER_AR = (
    ("الخميس، 5 يوليوز 2018", "الخميس، 5 يوليوز", "12:00", "11:00"),
    ("الجمعة، 6 يوليوز 2018", "الجمعة، 6 يوليوز", "19:00", "18:00"),
    ("الاثنين، 9 يوليوز 2018", "الاثنين، 9 يوليوز", "14:00", "13:00"),
)


def table(rows, cities, ends, signs="", suits=()):
    """Three times and their buttons; `signs` are ticked (y), liked by another (o) or neither."""
    marks = {"y": "✅", "o": "👍"}
    lines, taps = [], []
    for (day, short, here, there), sign in zip(rows, signs.ljust(3), strict=True):
        liked = f" · 👍 {suits[0]}" if sign == "o" else ""
        lines += [f"• {day}", f"  {here} ({cities[0]}) · {there} ({cities[1]}){liked}"]
        taps.append(f"[{marks.get(sign, '▫️')} {short} · {here}]")
    return "\n".join([*lines, *taps, ends])


def fr(rows=FIRST_FR, signs=""):
    """What Amal is shown."""
    return table(rows, ("Casablanca", "Paris"), ENDS_FR, signs, ("Bilal",))


def ar(rows=FIRST_AR, signs=""):
    """What Bilal is shown."""
    return table(rows, ("باريس", "الدار البيضاء"), ENDS_AR, signs, ("Amal",))


def in_calendar(resident):
    """What the last file that somebody got says to a calendar."""
    document = resident.last.document
    assert document is not None
    calendar = icalendar.Calendar.from_ical(document.data)
    (item,) = calendar.walk("VEVENT")
    return {
        "method": str(calendar["METHOD"]),
        "status": str(item["STATUS"]),
        "summary": str(item["SUMMARY"]),
        "starts": item["DTSTART"].dt,
        "ends": item["DTEND"].dt,
        "uid": str(item["UID"]),
        "sequence": int(str(item["SEQUENCE"])),
    }


async def they_meet_on_wednesday(town: Town):
    """Amal suggests a time, Bilal takes it, both have their letters."""
    amal, bilal = await agreed(town)
    await amal.taps("📅 Convenir d'un moment")
    await amal.taps(f"▫️ {BUTTONS_FR[0]}")
    await town.is_now(EVE + MINUTE)
    await bilal.taps(f"👍 {BUTTON_AR}")
    await town.is_now(EVE + MINUTE)
    amal.heard(), bilal.heard()
    return amal, bilal


async def meets_at(town: Town):
    async with town.app.storage.read() as db:
        return await db.scalar(select(Introduction.meets_at))
