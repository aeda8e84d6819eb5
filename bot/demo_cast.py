"""The cast of the rehearsal: about sixty people on both shores. Their names are made up.

Who sits where follows from the order alone, so that every rehearsal begins alike: panel 1 is
full with people waiting, the others have room.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from storage.members import Profile
from storage.tables import Side, Topic

PARIS, CASABLANCA = "Europe/Paris", "Africa/Casablanca"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody with a phone. `seats` are the short names of sessions."""

    profile: Profile
    language: str
    zone: str
    seats: tuple[str, ...] = ()
    staff: bool = False
    # What they offer and seek in introductions; those who seek nothing take no part.
    offers: Topic | None = None
    seeks: Topic | None = None


def _someone(
    name: str, city: str, *themes: str, profession: str = "", organisation: str = ""
) -> Profile:
    country = "FR" if city in _FRANCE else "MA"
    return Profile(
        name=name,
        country=country,
        city=city,
        profession=profession or None,
        organisation=organisation or None,
        themes=themes,
        side=Side.DIASPORA if country == "FR" else Side.MOROCCO,
    )


_FRANCE = ("Paris", "Lyon", "Marseille", "Toulouse", "Lille", "باريس", "ليون")

# The three phones that the page shows first.
PHONES = (
    Actor(
        _someone("أمينة بناني", "الرباط", "environment", "research", profession="أستاذة باحثة"),
        "ar",
        CASABLANCA,
        ("opening", "panel-2", "networking"),
    ),
    Actor(
        _someone("Karim Alaoui", "Lyon", "innovation", "entrepreneurship", profession="Ingénieur"),
        "fr",
        PARIS,
        ("opening", "panel-4", "networking"),
    ),
    Actor(
        _someone("Sofia Bennis", "Paris", "innovation", profession="Events officer"),
        "en",
        PARIS,
        ("opening", "closing"),
        staff=True,
    ),
)

# People who have never written to the bot: for trying out registration.
NEWCOMERS = (
    Actor(_someone("Salma Idrissi", "Lille"), "fr", PARIS),
    Actor(_someone("ياسين الفاسي", "فاس"), "ar", CASABLANCA),
    Actor(_someone("Emma Berrada", "Toulouse"), "en", PARIS),
)

_FRENCH_NAMES = (
    "Nadia Tazi", "Mehdi Chraibi", "Leïla Sefrioui", "Omar Kettani", "Samira Lahlou",
    "Youssef Benjelloun", "Inès Mernissi", "Adil Berrada", "Hajar Guessous", "Rachid Ouazzani",
    "Zineb Filali", "Hicham Skalli", "Ghita Bennouna", "Tarik Belhaj", "Houda Amrani",
    "Anas Zniber", "Meryem Daoudi", "Khalid Naciri", "Soukaina Rami", "Ilyas Haddad",
    "Dounia Slaoui", "Reda Benkirane", "Loubna Jettou", "Amine Squalli", "Kenza Lamrani",
    "Nabil Hakam", "Yasmine Touzani", "Othmane Fassi", "Rim Cherkaoui",
)  # fmt: skip
_ARABIC_NAMES = (
    "فاطمة الزهراء العلوي", "عبد الله الإدريسي", "خديجة المرابط", "محمد الصقلي", "نجاة بوزيد",
    "سعيد التازي", "حنان الوزاني", "إبراهيم السوسي", "لطيفة الحداد", "يونس القادري",
    "سناء الزروالي", "حسن المنصوري", "مريم الشرقاوي", "عمر الناصري", "ليلى برادة",
    "رشيد العمراني", "نوال الكتاني", "كريم الفيلالي", "هند الدكالي", "أحمد الورياغلي",
    "سميرة بنجلون", "توفيق الرامي", "أسماء اليعقوبي", "عادل البقالي", "زينب الحسني",
    "مصطفى الغزاوي", "إيمان السباعي", "نبيل الريفي", "حياة المكناسي",
)  # fmt: skip
_THEMES = ("innovation", "entrepreneurship", "education", "agriculture", "environment", "research")
_FRENCH_TRADES = ("Hydrogène vert", "Droit des affaires", "Médecine", "Agronomie", "Logiciel")
_ARABIC_TRADES = ("الهيدروجين الأخضر", "المحاماة", "الطب", "الهندسة الزراعية", "البرمجيات")
_TOPICS = (Topic.INVESTMENT, Topic.MENTORING, Topic.PARTNERSHIP, Topic.EXPERTISE, Topic.JOB)
_MOROCCO_CITIES = ("الرباط", "الدار البيضاء", "مراكش", "فاس", "طنجة")


def cast() -> Iterator[Actor]:
    """Everybody who is registered when the rehearsal begins, besides the phones."""
    names = [(n, "fr") for n in _FRENCH_NAMES] + [(n, "ar") for n in _ARABIC_NAMES]
    for number, (name, language) in enumerate(names):
        city = _FRANCE[number % 5] if language == "fr" else _MOROCCO_CITIES[number % 5]
        trades = _FRENCH_TRADES if language == "fr" else _ARABIC_TRADES
        themes = {_THEMES[number % 6], _THEMES[(number * 5 + 1) % 6]}
        # Two of three prefer the first morning panel: it fills up, and a line forms.
        morning = "panel-2" if number % 3 == 2 else "panel-1"  # noqa: PLR2004  # the third of three
        afternoon = "panel-4" if number % 2 else "panel-3"
        yield Actor(
            _someone(name, city, *sorted(themes), profession=trades[number % 7 % 5]),
            language,
            PARIS if language == "fr" else CASABLANCA,
            ("opening", morning, afternoon, "panel-5" if number % 4 else "networking"),
            offers=_TOPICS[number % 5],
            seeks=_TOPICS[(number * 3 + 1) % 5],
        )
